/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/plan_text.h"
#include "cli/text.h"
#include "base/num.h"
#include "plan/launch.h"

const char *plan_isolation_wanted(const struct api_plan *plan)
{
	static const char *const names[] = {
		[ISOLATE_AUTO] = "auto",
		[ISOLATE_SHIELD] = "shield",
		[ISOLATE_OFF] = "off",
	};

	return names[plan->spec.cpus.isolate];
}

const char *plan_isolation(const struct api_plan *plan)
{
	return plan->place.shield ? "shield" : plan->place.isolated ? "boot" : "off";
}

const char *plan_cgroups(const struct api_plan *plan)
{
	return plan->cg_mode == CG_MODE_V1 ? "v1" : plan->cg_mode == CG_MODE_V2 ? "v2" : "none";
}

struct cpuset plan_vcpu_cpus(const struct api_plan *plan, size_t vcpu)
{
	const struct place_plan *place = &plan->place;

	return place->vcpu[vcpu] < 0 ? place->vcpus : cpuset_one(place->vcpu[vcpu]);
}

static void add_cpus(struct strbuf *cell, const struct cpuset *cpus)
{
	char text[CPUSET_TEXT];

	cpuset_format(cpus, text, sizeof(text));
	strbuf_addf(cell, "%s%s", cpuset_count(cpus) == 1 ? "CPU " : "", text[0] ? text : "none");
}

static void add_policy(struct strbuf *cell, const struct place_plan *place)
{
	strbuf_add(cell, sched_class_name(place->policy));
	if (place->priority > 0)
		strbuf_addf(cell, " %d", place->priority);
	if (place->nice != 0)
		strbuf_addf(cell, " nice %d", place->nice);
}

static void add_vcpus(const struct api_plan *plan, struct text_table *table)
{
	const struct place_plan *place = &plan->place;

	for (size_t i = 0; i < place->vcpu_count; i++) {
		struct cpuset cpus = plan_vcpu_cpus(plan, i);
		struct strbuf cell = { 0 };

		strbuf_addf(&cell, "  vcpu %zu", i);
		text_table_take(table, &cell);
		add_cpus(&cell, &cpus);
		text_table_take(table, &cell);
		add_policy(&cell, place);
		text_table_take(table, &cell);
		text_table_add(table, i >= plan->spec.vcpus ? "when it is plugged in"
				      : place->vcpu[i] < 0  ? "shared with the other vCPUs"
							    : "");
	}
}

static void add_others(struct text_table *table, const char *label, const struct cpuset *cpus,
	const char *policy, const char *who)
{
	struct strbuf cell = { 0 };

	text_table_add(table, label);
	add_cpus(&cell, cpus);
	text_table_take(table, &cell);
	text_table_add(table, policy);
	text_table_add(table, who);
}

static void add_placement(const struct api_plan *plan, struct strbuf *text)
{
	const struct place_plan *place = &plan->place;
	struct text_table table = { .columns = 4 };

	strbuf_add(text, "\nplacement\n");
	add_vcpus(plan, &table);
	add_others(&table, "  iothreads", &place->iothreads, "other", "");
	add_others(&table, "  emulator", &place->emulator, "other",
		"QEMU's main loop, its workers, vhost, kvm-pit");
	add_others(&table, "  host", &place->housekeeping, "", "what no vCPU has");
	text_table_write(&table, text);
	text_table_free(&table);
}

static void add_reason(struct strbuf *text, const char *label, const char *what, const char *reason)
{
	strbuf_addf(text, "  %-9s  %s%s", label, what, what[0] && reason[0] ? ": " : "");
	text_add_clean(text, reason);
	strbuf_add(text, "\n");
}

static void add_reasons(const struct api_plan *plan, struct strbuf *text)
{
	const struct place_plan *place = &plan->place;

	add_reason(text, "policy", sched_class_name(place->policy), place->policy_reason);
	add_reason(text, "isolation", plan_isolation(plan), place->isolate_reason);
	if (place->place_reason[0])
		add_reason(text, "place", "", place->place_reason);
	add_reason(text, "cgroups", plan_cgroups(plan), place->group);
}

static void add_actions(const struct actions *actions, const char *title, struct strbuf *text)
{
	strbuf_addf(text, "\n%s%s\n", title, actions->count > 0 ? "" : ": none");
	for (size_t i = 0; i < actions->count; i++) {
		strbuf_add(text, "  ");
		action_format(&actions->items[i], text);
		strbuf_add(text, "\n");
	}
}

static void add_list(const struct strlist *list, const char *label, struct strbuf *text)
{
	for (size_t i = 0; i < list->count; i++) {
		strbuf_addf(text, "%s%s: ", i == 0 ? "\n" : "", label);
		text_add_clean(text, list->items[i]);
		strbuf_add(text, "\n");
	}
}

static void add_head(const struct api_plan *plan, struct strbuf *text)
{
	const struct spec *spec = &plan->spec;
	char memory[32];

	strbuf_addf(text, "%s  ", spec->name);
	text_add_count(text, spec->vcpus, "vCPU");
	strbuf_addf(text, ", %s, %s; ", num_format_size(spec->memory.size, memory, sizeof(memory)),
		plan->kvm ? "kvm" : "tcg");
	text_add_clean(text, spec->binary ? spec->binary : "");
	strbuf_add(text, " as ");
	text_add_clean(text, spec->user ? spec->user : "yourself");
	strbuf_add(text, "\n");
}

/* As a unit of systemd's its groups are made when it is there. */
static void add_start(const struct api_plan *plan, struct strbuf *text)
{
	strbuf_add(text, "\nthen QEMU starts");
	if (plan->place.unit[0])
		strbuf_addf(text, " as %s", plan->place.unit);
	strbuf_add(text, ", its threads are placed and read back, and it goes on:\n  ");
}

void plan_text(const struct api_plan *plan, struct strbuf *text)
{
	add_head(plan, text);
	add_placement(plan, text);
	add_reasons(plan, text);
	add_actions(&plan->prepare, "before the start, in order", text);
	add_start(plan, text);
	launch_format(&plan->argv, text);
	add_actions(&plan->release, "once it has ended, in order", text);
	add_list(&plan->warnings, "warning", text);
	add_list(&plan->cannot, "cannot", text);
}
