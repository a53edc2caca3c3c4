/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not as it should be, in status --json. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "supervisor/status.h"

static json_t *entry(
	const char *kind, const char *what, double since, const char *reason, const char *fix)
{
	return json_pack("{s:s, s:s, s:f, s:s, s:s}", "kind", kind, "what", what, "since", since,
		"reason", reason, "fix", fix);
}

static void add_records(const struct vm *vm, bool unfixable, json_t *list)
{
	for (size_t i = 0; i < vm->drift_count; i++) {
		const struct drift_record *record = &vm->drifts[i];

		if (record->open && record->remedy.unfixable == unfixable)
			json_array_append_new(
				list, entry(drift_kind_name(record->kind), record->words,
					      record->since, record->remedy.reason, record->fix));
	}
}

static bool recorded(const struct vm *vm, const struct tracked *tracked, enum drift_kind kind)
{
	for (size_t i = 0; i < vm->drift_count; i++)
		if (vm->drifts[i].open && vm->drifts[i].kind == kind &&
			vm->drifts[i].role == tracked->role &&
			vm->drifts[i].index == tracked->index)
			return true;
	return false;
}

/* What the watch thread sees right now, or has to leave alone for a while. */
static void add_watched(const struct vm *vm, const struct tracked *tracked, json_t *list)
{
	struct watch_view view = watch_see(vm->sup->watch, tracked->slot);
	char what[64];

	for (enum drift_kind kind = 0; kind <= DRIFT_NICE; kind++) {
		unsigned bit = 1u << kind;

		if (!((view.open | view.fighting) & bit) || recorded(vm, tracked, kind))
			continue;
		snprintf(what, sizeof(what), "vcpu %d: %s", tracked->index, drift_kind_name(kind));
		json_array_append_new(list,
			entry(drift_kind_name(kind), what,
				tracked->fight_since[kind] > 0 ? tracked->fight_since[kind]
							       : clock_wall_seconds(),
				view.fighting & bit
					? "something keeps undoing it: repairs are in back-off"
					: "not as planned",
				view.fighting & bit ? "find and stop what changes it: `ps -eLo "
						      "pid,comm,args | grep -E 'chrt|taskset'`"
						    : ""));
	}
}

static uint64_t sum(const _Atomic uint64_t *counters, size_t count)
{
	uint64_t all = 0;

	for (size_t i = 0; i < count; i++)
		all += counter_read(&counters[i]);
	return all;
}

json_t *status_drift(const struct vm *vm)
{
	json_t *open = json_array(), *unfixable = json_array(), *kinds = json_object();

	add_records(vm, false, open);
	add_records(vm, true, unfixable);
	for (size_t i = 0; i < vm->tracked_count; i++)
		if (vm->tracked[i].slot >= 0)
			add_watched(vm, &vm->tracked[i], open);
	for (enum drift_kind kind = 0; kind < DRIFT_KINDS; kind++)
		if (counter_read(&vm->counters->repaired[kind]) > 0)
			json_object_set_new(kinds, drift_kind_name(kind),
				json_integer(
					(json_int_t)counter_read(&vm->counters->repaired[kind])));
	return json_pack("{s:o, s:I, s:I, s:o, s:o}", "open", open, "detected",
		(json_int_t)sum(vm->counters->detected, DRIFT_KINDS), "repaired",
		(json_int_t)sum(vm->counters->repaired, DRIFT_KINDS), "unfixable", unfixable,
		"repaired_by_kind", kinds);
}

json_t *status_alarms(const struct vm *vm)
{
	json_t *list = json_array();

	for (size_t i = 0; i < VM_ALARMS; i++) {
		const struct alarm *alarm = &vm->alarms[i];

		if (alarm->kind[0])
			json_array_append_new(list, entry(alarm->kind, alarm->what, alarm->since,
							    alarm->reason, alarm->fix));
	}
	return list;
}
