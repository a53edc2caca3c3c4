/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of each drift: what was tried, since when, and when it was last said. */
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/vm.h"

#include <string.h>

#define BURST_NS (10 * NS_PER_SEC)

/* vCPUs and iothreads are known by their index, all others only by their tid. */
static bool same_thing(const struct drift_record *record, const struct drift *drift)
{
	if (record->kind != drift->kind || record->role != drift->role ||
		record->index != drift->index)
		return false;
	if (drift->tid == 0)
		return strcmp(record->group, drift->group) == 0;
	return drift->index >= 0 || record->tid == drift->tid;
}

static struct drift_record *add(struct vm *vm)
{
	struct drift_record *items = realloc(vm->drifts, (vm->drift_count + 1) * sizeof(*items));

	if (!items)
		return NULL;
	vm->drifts = items;
	items[vm->drift_count] = (struct drift_record){ 0 };
	return &items[vm->drift_count++];
}

struct drift_record *vm_drift_record(struct vm *vm, const struct drift *drift)
{
	for (size_t i = 0; i < vm->drift_count; i++)
		if (same_thing(&vm->drifts[i], drift))
			return &vm->drifts[i];
	struct drift_record *record = add(vm);
	if (!record)
		return NULL;
	record->kind = drift->kind;
	record->role = drift->role;
	record->index = drift->index;
	record->tid = drift->tid;
	if (drift->tid == 0)
		memcpy(record->group, drift->group, sizeof(record->group));
	return record;
}

void vm_drift_said(struct vm *vm, struct drift_record *record, const char *what)
{
	uint64_t now = clock_now_ns();

	if (now < record->quiet_until_ns) {
		record->unsaid++;
		return;
	}
	if (record->unsaid > 0)
		log_notice(vm->spec.name, "%s: %s (and %u times since it was last said)",
			record->words, what, record->unsaid);
	else
		log_notice(vm->spec.name, "%s: %s", record->words, what);
	record->unsaid = 0;
	record->quiet_until_ns = now + BURST_NS;
}

void vm_drifts_forget(struct vm *vm)
{
	free(vm->drifts);
	vm->drifts = NULL;
	vm->drift_count = 0;
}

static bool slot_open(const struct vm *vm)
{
	for (size_t i = 0; i < vm->tracked_count; i++)
		if (vm->tracked[i].slot >= 0 && watch_see(vm->sup->watch, vm->tracked[i].slot).open)
			return true;
	return false;
}

bool vm_drift_open(const struct vm *vm)
{
	for (size_t i = 0; i < vm->drift_count; i++)
		if (vm->drifts[i].open)
			return true;
	return slot_open(vm);
}
