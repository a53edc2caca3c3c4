/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/place.h"
#include "plan/place_parts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TOP_GROUP  "vfiosup"
#define UNIT_SLICE "vfiosup.slice"

static const enum cg_slot slots[] = { SLOT_EMULATOR, SLOT_IOTHREADS, SLOT_VCPUS };

char *place_own_group(const char *name, char *text)
{
	snprintf(text, MODEL_PATH, TOP_GROUP "/%.100s", name);
	return text;
}

char *place_unit_group(const char *name, char *text)
{
	snprintf(text, MODEL_PATH, UNIT_SLICE "/vfiosup-%.100s.service", name);
	return text;
}

static bool is_below(const char *group, const char *top)
{
	size_t n = strlen(top);

	return strncmp(group, top, n) == 0 && (!group[n] || group[n] == '/');
}

bool place_is_ours(const char *group)
{
	return is_below(group, TOP_GROUP) || is_below(group, UNIT_SLICE);
}

/* systemd's part ends at the unit's own group. */
static bool is_unit_group(const struct place_plan *plan)
{
	return is_below(plan->group, UNIT_SLICE);
}

struct vm_groups place_groups(const struct place_plan *plan)
{
	struct vm_groups groups = {
		.emulator = plan->emulator, .iothreads = plan->iothreads, .vcpus = plan->vcpus
	};

	if (!plan->group[0])
		return (struct vm_groups){ 0 };
	groups.vm = cpuset_or(&plan->emulator, &plan->iothreads);
	groups.vm = cpuset_or(&groups.vm, &plan->vcpus);
	return groups;
}

static const struct cpuset *slot_cpus(const struct place_plan *plan, enum cg_slot slot)
{
	if (slot == SLOT_VCPUS)
		return &plan->vcpus;
	return slot == SLOT_IOTHREADS ? &plan->iothreads : &plan->emulator;
}

char *place_vm_group(const struct place_plan *plan, enum cg_mode mode, char *text)
{
	const char *below = mode == CG_MODE_V2 ? "/vm" : "";

	text[0] = '\0';
	if (plan->group[0])
		snprintf(text, MODEL_PATH, "%.200s%s", plan->group, below);
	return text;
}

char *place_slot_group(
	const struct place_plan *plan, enum cg_mode mode, enum cg_slot slot, char *text)
{
	char vm[MODEL_PATH];

	place_vm_group(plan, mode, vm);
	text[0] = '\0';
	if (vm[0] && slot != SLOT_NONE && slot != SLOT_OUTSIDE)
		snprintf(text, MODEL_PATH, "%.220s/%s", vm, cg_slot_name(slot));
	return text;
}

enum cg_slot place_slot_of(const struct place_plan *plan, enum cg_mode mode, const char *group)
{
	char text[MODEL_PATH];

	if (group[0] == '/')
		group++;
	for (size_t i = 0; i < ARRAY_SIZE(slots) && plan->group[0]; i++)
		if (strcmp(place_slot_group(plan, mode, slots[i], text), group) == 0)
			return slots[i];
	return SLOT_OUTSIDE;
}

/* A list under construction: the first error stays. */
struct steps {
	struct actions *actions;
	int r;
};

static void add_group(
	struct steps *steps, enum action_kind kind, const char *group, const char *reason)
{
	struct action action = { .kind = kind };

	snprintf(action.group, sizeof(action.group), "%s", group);
	snprintf(action.reason, sizeof(action.reason), "%s", reason);
	if (steps->r == 0)
		steps->r = actions_add(steps->actions, &action);
}

static void add_cpus(
	struct steps *steps, const char *group, const struct cpuset *cpus, const char *reason)
{
	struct action action = { .kind = ACTION_CG_SET, .file = "cpuset.cpus" };

	snprintf(action.group, sizeof(action.group), "%s", group);
	snprintf(action.reason, sizeof(action.reason), "%s", reason);
	cpuset_format(cpus, action.value, sizeof(action.value));
	if (steps->r == 0)
		steps->r = actions_add(steps->actions, &action);
}

static void add_controller(struct steps *steps, const char *group)
{
	struct action action = { .kind = ACTION_CG_SET,
		.file = "cgroup.subtree_control",
		.value = "+cpuset",
		.reason = "the groups below need the cpuset controller" };

	snprintf(action.group, sizeof(action.group), "%s", group);
	if (steps->r == 0)
		steps->r = actions_add(steps->actions, &action);
}

static void add_slots(struct steps *steps, const struct place_plan *plan, enum cg_mode mode)
{
	static const char *const reasons[] = {
		[SLOT_EMULATOR] = "QEMU's own threads",
		[SLOT_IOTHREADS] = "the iothreads",
		[SLOT_VCPUS] = "the vCPUs",
	};
	char group[MODEL_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		place_slot_group(plan, mode, slots[i], group);
		add_group(steps, ACTION_CG_CREATE, group, reasons[slots[i]]);
		add_cpus(steps, group, slot_cpus(plan, slots[i]), reasons[slots[i]]);
	}
}

/* On v1 the CPUs of a group must lie within its parent's at every moment. The groups may be there
 * already, with the CPUs of an older plan: so the parent is wide while its children change. */
static void prepare_v1(struct steps *steps, const struct place_plan *plan, const struct cpuset *top)
{
	struct vm_groups groups = place_groups(plan);

	add_group(steps, ACTION_CG_CREATE, TOP_GROUP, "parent of all VMs' groups");
	add_cpus(steps, TOP_GROUP, top, "all CPUs: the VMs' groups divide them");
	add_group(steps, ACTION_CG_CREATE, plan->group, "the VM's groups");
	add_cpus(steps, plan->group, top, "wide while the groups below it change");
	add_slots(steps, plan, CG_MODE_V1);
	add_cpus(steps, plan->group, &groups.vm, "all that the VM uses");
}

static void prepare_v2(struct steps *steps, const struct place_plan *plan, const struct cpuset *top)
{
	struct vm_groups groups = place_groups(plan);
	char vm[MODEL_PATH];

	if (is_unit_group(plan))
		return;
	place_vm_group(plan, CG_MODE_V2, vm);
	add_controller(steps, "");
	add_group(steps, ACTION_CG_CREATE, TOP_GROUP, "parent of all VMs' groups");
	add_cpus(steps, TOP_GROUP, top, "all CPUs: the VMs' groups divide them");
	add_controller(steps, TOP_GROUP);
	add_group(steps, ACTION_CG_CREATE, plan->group, "the VM's groups");
	add_cpus(steps, plan->group, &groups.vm, "all that the VM uses");
	add_controller(steps, plan->group);
	add_group(steps, ACTION_CG_CREATE, vm, "QEMU's process; its threads go below");
	add_cpus(steps, vm, &groups.vm, "all that the VM uses");
	add_controller(steps, vm);
	add_slots(steps, plan, CG_MODE_V2);
}

int place_prepare(
	const struct place_plan *plan, const struct host_state *host, struct actions *ret_actions)
{
	struct steps steps = { .actions = ret_actions };
	struct vm_groups groups = place_groups(plan);
	struct cpuset reach = place_reach(host, &plan->vcpus);
	struct cpuset top = cpuset_or(&reach, &groups.vm);

	if (!plan->group[0])
		return 0;
	if (host->cg_mode == CG_MODE_V1)
		prepare_v1(&steps, plan, &top);
	else if (host->cg_mode == CG_MODE_V2)
		prepare_v2(&steps, plan, &top);
	return steps.r;
}

static void add_attach(struct steps *steps, pid_t pid, const char *group, const char *reason)
{
	struct action action = { .kind = ACTION_CG_ATTACH, .tid = pid };

	snprintf(action.group, sizeof(action.group), "%s", group);
	snprintf(action.reason, sizeof(action.reason), "%s", reason);
	if (steps->r == 0)
		steps->r = actions_add(steps->actions, &action);
}

int place_enter_unit(
	const struct place_plan *plan, pid_t pid, const char *group, struct actions *ret_actions)
{
	struct steps steps = { .actions = ret_actions };
	struct vm_groups groups = place_groups(plan);
	const char *was = group[0] == '/' ? group + 1 : group;
	bool outside = strcmp(was, plan->group) == 0;
	char vm[MODEL_PATH], emulator[MODEL_PATH];

	if (!is_unit_group(plan))
		return 0;
	place_vm_group(plan, CG_MODE_V2, vm);
	add_group(&steps, ACTION_CG_CREATE, vm, "QEMU's process; its threads go below");
	if (outside)
		add_attach(&steps, pid, vm, "out of the unit's own group, which is systemd's");
	add_controller(&steps, plan->group);
	add_cpus(&steps, vm, &groups.vm, "all that the VM uses");
	add_controller(&steps, vm);
	add_slots(&steps, plan, CG_MODE_V2);
	place_slot_group(plan, CG_MODE_V2, SLOT_EMULATOR, emulator);
	if (outside)
		add_attach(&steps, pid, emulator, "where its threads are born");
	return steps.r;
}

int place_release(
	const struct place_plan *plan, const struct host_state *host, struct actions *ret_actions)
{
	struct steps steps = { .actions = ret_actions };
	char group[MODEL_PATH];

	if (!plan->group[0] || host->cg_mode == CG_MODE_NONE || is_unit_group(plan))
		return 0;
	for (size_t i = ARRAY_SIZE(slots); i-- > 0;) {
		place_slot_group(plan, host->cg_mode, slots[i], group);
		add_group(&steps, ACTION_CG_REMOVE, group, "the VM is gone");
	}
	if (host->cg_mode == CG_MODE_V2) {
		place_vm_group(plan, host->cg_mode, group);
		add_group(&steps, ACTION_CG_REMOVE, group, "the VM is gone");
	}
	add_group(&steps, ACTION_CG_REMOVE, plan->group, "the VM is gone");
	add_group(&steps, ACTION_CG_REMOVE, TOP_GROUP,
		"only if empty: the groups of other VMs stay as they are");
	return steps.r;
}

static size_t depth_of(const char *group)
{
	size_t depth = 0;

	for (; *group; group++)
		depth += *group == '/';
	return depth;
}

static int shield_one(const struct place_plan *plan, const struct spec *spec, const char *group,
	const struct cpuset *have, struct steps *steps, struct err *err)
{
	struct cpuset rest = cpuset_minus(have, &plan->vcpus);
	char text[CPUSET_TEXT];

	if (!group[0] || place_is_ours(group)) {
		err_set(err, EINVAL, "%s:%d: shield: \"%s\" holds the VMs themselves", spec->file,
			spec->line_shield, group);
		err_fix(err, "name the groups of the others, such as \"system.slice\"");
		return -EINVAL;
	}
	if (cpuset_equal(&rest, have))
		return 0;
	if (cpuset_empty(&rest)) {
		cpuset_format(have, text, sizeof(text));
		err_set(err, EINVAL,
			"%s:%d: shield: group %s has only CPU %.80s, all of them vCPUs'",
			spec->file, spec->line_shield, group, text);
		err_fix(err, "take it out of shield, or give the group another CPU");
		return -EINVAL;
	}
	cpuset_format(&plan->vcpus, text, sizeof(text));
	char reason[256];
	snprintf(reason, sizeof(reason), "shield: CPU %.80s is the VM's alone", text);
	add_cpus(steps, group, &rest, reason);
	return steps->r;
}

int place_shield(const struct place_plan *plan, const struct spec *spec, const struct cpuset *have,
	struct actions *ret_actions, struct err *err)
{
	struct steps steps = { .actions = ret_actions };
	size_t deepest = 0;

	if (!plan->shield)
		return 0;
	for (size_t i = 0; i < spec->shield.count; i++)
		if (depth_of(spec->shield.items[i]) > deepest)
			deepest = depth_of(spec->shield.items[i]);
	/* v1 refuses to take from a group a CPU that one below it has: the deepest first. */
	for (size_t depth = deepest + 1; depth-- > 0;) {
		for (size_t i = 0; i < spec->shield.count; i++) {
			const char *group = spec->shield.items[i];
			if (depth_of(group) != depth || cpuset_empty(&have[i]))
				continue;
			int r = shield_one(plan, spec, group, &have[i], &steps, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
