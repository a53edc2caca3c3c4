/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPU threads that the watch thread looks after, and how long all threads waited lately. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "host/threads.h"
#include "supervisor/vm.h"

#include <string.h>

void window_add(struct window *window, uint64_t at_ns, uint64_t wait_ns, uint64_t worst_ns)
{
	window->entries[window->next].at_ns = at_ns;
	window->entries[window->next].wait_ns = wait_ns;
	window->entries[window->next].worst_ns = worst_ns;
	window->next = (window->next + 1) % ARRAY_SIZE(window->entries);
	if (window->count < ARRAY_SIZE(window->entries))
		window->count++;
}

double window_share(const struct window *window)
{
	unsigned size = ARRAY_SIZE(window->entries);

	if (window->count < 2)
		return 0;
	unsigned last = (window->next + size - 1) % size;
	unsigned first = (window->next + size - window->count) % size;
	uint64_t time = window->entries[last].at_ns - window->entries[first].at_ns;
	uint64_t wait = window->entries[last].wait_ns - window->entries[first].wait_ns;
	return time > 0 && window->entries[last].wait_ns >= window->entries[first].wait_ns
		       ? (double)wait / (double)time
		       : 0;
}

uint64_t window_worst(const struct window *window)
{
	uint64_t worst = 0;

	for (unsigned i = 0; i < window->count; i++)
		if (window->entries[i].worst_ns > worst)
			worst = window->entries[i].worst_ns;
	return worst;
}

struct tracked *vm_tracked(const struct vm *vm, pid_t tid)
{
	for (size_t i = 0; i < vm->tracked_count; i++)
		if (vm->tracked[i].tid == tid)
			return &vm->tracked[i];
	return NULL;
}

static struct tracked *add(struct vm *vm, const struct thread *thread)
{
	struct tracked *items = realloc(vm->tracked, (vm->tracked_count + 1) * sizeof(*items));

	if (!items)
		return NULL;
	vm->tracked = items;
	items[vm->tracked_count] = (struct tracked){
		.tid = thread->tid, .role = thread->role, .index = thread->index, .slot = -1
	};
	return &items[vm->tracked_count++];
}

static void watch_vcpu(struct vm *vm, struct tracked *tracked, const struct thread *thread)
{
	struct host_state *host = &vm->sup->host;
	struct watch_order order = { .pid = vm->identity.pid,
		.tid = thread->tid,
		.place = thread->place,
		.compare_nice = host->may_nice,
		.on_drift = vm->spec.on_drift,
		.tick_ns = vm->spec.latency.tick_ns,
		.stall_ns = vm->spec.latency.stall_ns,
		.counters = vm->counters };

	if (thread->index < 0 || (unsigned)thread->index >= vm->counters->vcpus)
		return;
	order.latency = &vm->counters->vcpu[thread->index];
	/* What is offline cannot be in the mask that the kernel shows. */
	order.place.cpus = cpuset_and(&order.place.cpus, &host->online);
	if (cpuset_empty(&order.place.cpus))
		return;
	tracked->slot = watch_add(vm->sup->watch, &order);
	tracked->watched = order.place;
	if (tracked->slot < 0)
		log_warning(vm->spec.name, "vcpu %d is watched once a second only: %s",
			thread->index, strerror(-tracked->slot));
}

static void forget(struct vm *vm, size_t i)
{
	watch_remove(vm->sup->watch, vm->tracked[i].slot);
	vm->tracked[i] = vm->tracked[--vm->tracked_count];
}

static bool same_watch(const struct vm *vm, const struct tracked *tracked, const struct thread *now)
{
	struct cpuset cpus = cpuset_and(&now->place.cpus, &vm->sup->host.online);

	return tracked->slot < 0 || (cpuset_equal(&tracked->watched.cpus, &cpus) &&
					    tracked->watched.policy == now->place.policy &&
					    tracked->watched.priority == now->place.priority &&
					    tracked->watched.nice == now->place.nice);
}

/* Threads that are gone, or are now wanted elsewhere. */
static void drop_old(struct vm *vm)
{
	for (size_t i = vm->tracked_count; i-- > 0;) {
		const struct tracked *tracked = &vm->tracked[i];
		const struct thread *wanted = threads_find(&vm->wanted.threads, tracked->tid);

		if (!wanted || wanted->role != tracked->role || !same_watch(vm, tracked, wanted))
			forget(vm, i);
	}
}

void vm_track(struct vm *vm)
{
	drop_old(vm);
	for (size_t i = 0; i < vm->wanted.threads.count; i++) {
		const struct thread *thread = &vm->wanted.threads.items[i];
		struct tracked *tracked = vm_tracked(vm, thread->tid);

		if (!tracked)
			tracked = add(vm, thread);
		if (tracked && tracked->slot < 0 && thread->role == ROLE_VCPU)
			watch_vcpu(vm, tracked, thread);
	}
}

void vm_untrack(struct vm *vm)
{
	while (vm->tracked_count > 0)
		forget(vm, vm->tracked_count - 1);
}

static void sample_vcpu(struct vm *vm, struct tracked *tracked, uint64_t now_ns)
{
	struct latency_counters *latency = &vm->counters->vcpu[tracked->index];
	uint64_t stalls = counter_read(&latency->stalls);

	window_add(&tracked->window, now_ns, counter_read(&latency->wait_ns),
		watch_take_worst(vm->sup->watch, tracked->slot));
	if (stalls != tracked->stalls)
		counter_set(&latency->last_stall_s, (uint64_t)clock_wall_seconds());
	tracked->stalls = stalls;
}

static void sample_other(struct vm *vm, struct tracked *tracked, uint64_t now_ns)
{
	AUTO_CLOSE int fd = host_open_schedstat(&vm->sup->root, vm->identity.pid, tracked->tid);
	struct schedstat stat;

	if (fd < 0 || host_read_schedstat(fd, &stat) < 0)
		return;
	uint64_t grown = tracked->primed ? stat.wait_ns - tracked->wait_ns : 0;

	if (grown > tracked->worst_ns)
		tracked->worst_ns = grown;
	if (tracked->primed)
		vm->wait_ns[tracked->role] += grown;
	tracked->wait_ns = stat.wait_ns;
	tracked->primed = true;
	window_add(&tracked->window, now_ns, stat.wait_ns, grown);
}

void vm_sample(struct vm *vm, uint64_t now_ns)
{
	for (size_t i = 0; i < vm->tracked_count; i++) {
		struct tracked *tracked = &vm->tracked[i];

		if (tracked->slot >= 0)
			sample_vcpu(vm, tracked, now_ns);
		else
			sample_other(vm, tracked, now_ns);
	}
}

static void report(struct vm *vm, struct tracked *tracked, enum drift_kind kind, uint64_t repaired)
{
	struct drift drift = {
		.kind = kind, .tid = tracked->tid, .role = tracked->role, .index = tracked->index
	};
	struct drift_record *record = vm_drift_record(vm, &drift);

	tracked->repaired[kind] = repaired;
	if (!record)
		return;
	if (!record->open)
		snprintf(record->words, sizeof(record->words), "vcpu %d: %s was changed",
			tracked->index, drift_kind_name(kind));
	vm_drift_said(vm, record, "repaired");
}

static void note_fight(struct vm *vm, struct tracked *tracked, enum drift_kind kind, bool fighting)
{
	double *since = &tracked->fight_since[kind];

	if (fighting == (*since > 0))
		return;
	*since = fighting ? clock_wall_seconds() : 0;
	if (fighting)
		log_warning(vm->spec.name,
			"vcpu %d: %s: something keeps undoing it; repairs are in back-off",
			tracked->index, drift_kind_name(kind));
	else
		log_notice(vm->spec.name, "vcpu %d: %s: the fight is over", tracked->index,
			drift_kind_name(kind));
}

void vm_report_repairs(struct vm *vm)
{
	for (size_t i = 0; i < vm->tracked_count; i++) {
		struct tracked *tracked = &vm->tracked[i];

		if (tracked->slot < 0)
			continue;
		struct watch_view view = watch_see(vm->sup->watch, tracked->slot);
		for (enum drift_kind kind = 0; kind <= DRIFT_NICE; kind++) {
			if (view.repaired[kind] != tracked->repaired[kind])
				report(vm, tracked, kind, view.repaired[kind]);
			note_fight(vm, tracked, kind, view.fighting & (1u << kind));
		}
	}
}
