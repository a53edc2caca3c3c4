/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/plan_text.h"
#include "cli/text.h"
#include "base/cleanup.h"

#include <string.h>

static json_t *cpus_json(const struct cpuset *cpus)
{
	char text[CPUSET_TEXT];

	return json_string(cpuset_format(cpus, text, sizeof(text)));
}

static json_t *list_json(const struct strlist *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, text_json(list->items[i]));
	return array;
}

static json_t *actions_json(const struct actions *actions)
{
	json_t *array = json_array();

	for (size_t i = 0; i < actions->count; i++) {
		struct strbuf line AUTO_STRBUF = { 0 };

		action_format(&actions->items[i], &line);
		json_array_append_new(array, line.text ? text_json(line.text) : NULL);
	}
	return array;
}

static json_t *vcpus_json(const struct api_plan *plan)
{
	const struct place_plan *place = &plan->place;
	json_t *array = json_array();

	for (size_t i = 0; i < place->vcpu_count; i++) {
		struct cpuset cpus = plan_vcpu_cpus(plan, i);

		json_array_append_new(
			array, json_pack("{s:I, s:o, s:b, s:s, s:i, s:i}", "index", (json_int_t)i,
				       "cpus", cpus_json(&cpus), "shared", place->vcpu[i] < 0,
				       "policy", sched_class_name(place->policy), "priority",
				       place->priority, "nice", place->nice));
	}
	return array;
}

static json_t *placement_json(const struct api_plan *plan)
{
	const struct place_plan *place = &plan->place;

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "vcpus", vcpus_json(plan),
		"iothreads", cpus_json(&place->iothreads), "emulator", cpus_json(&place->emulator),
		"housekeeping", cpus_json(&place->housekeeping), "policy_reason",
		place->policy_reason, "place_reason", place->place_reason, "cgroups",
		plan_cgroups(plan), "group", place->group, "unit", place->unit);
}

static json_t *isolation_json(const struct api_plan *plan)
{
	return json_pack("{s:s, s:s, s:o, s:s}", "wanted", plan_isolation_wanted(plan), "actual",
		plan_isolation(plan), "cpus", cpus_json(&plan->place.vcpus), "reason",
		plan->place.isolate_reason);
}

json_t *plan_json(const struct api_plan *plan)
{
	const struct spec *spec = &plan->spec;

	return json_pack("{s:s, s:o, s:s, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		spec->name, "file", text_json(spec->file ? spec->file : ""), "accel",
		plan->kvm ? "kvm" : "tcg", "binary", text_json(spec->binary ? spec->binary : ""),
		"user", spec->user, "placement", placement_json(plan), "isolation",
		isolation_json(plan), "actions", actions_json(&plan->prepare), "argv",
		list_json(&plan->argv), "release", actions_json(&plan->release), "warnings",
		list_json(&plan->warnings), "cannot", list_json(&plan->cannot));
}
