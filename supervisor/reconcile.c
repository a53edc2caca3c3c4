/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slow tick: the whole picture, compared with the plan, and put right as far as the ladder of
 * plan/remedy allows. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "host/sched.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

/* What one round works on. */
struct round {
	struct vm *vm;
	bool initial;
	unsigned left;    /* worth another try soon */
	bool policy_gone; /* the plan has fallen back: begin again */
	bool ask_threads; /* QMP must name new threads */
	uint64_t now_ns;
};

/* Everything seen that was known before, as it is wanted now; and what QMP has named since. */
static int expect(struct vm *vm)
{
	struct vm_state wanted = { .groups = place_groups(&vm->plan),
		.autogroup_nice = vm->plan.autogroup_nice };

	for (size_t i = 0; i < vm->seen.threads.count; i++) {
		struct thread thread = vm->seen.threads.items[i];
		const struct thread *known = threads_find(&vm->wanted.threads, thread.tid);

		if (!known || known->role != thread.role || known->index != thread.index)
			continue;
		thread.place = place_thread(&vm->plan, &thread);
		if (threads_add(&wanted.threads, &thread) < 0) {
			vm_state_free(&wanted);
			return -ENOMEM;
		}
	}
	vm_state_free(&vm->wanted);
	vm->wanted = wanted;
	return 0;
}

static int compare(struct vm *vm, struct drifts *drifts)
{
	struct host_state *host = &vm->sup->host;
	int r = diff_vm(&vm->plan, host, &vm->wanted, &vm->seen, drifts);

	if (r < 0 || !vm->plan.shield)
		return r;
	AUTO_FREE struct cpuset *have = calloc(vm->spec.shield.count + 1, sizeof(*have));
	if (!have)
		return -ENOMEM;
	vm_read_shield(vm, have);
	return diff_shield(&vm->plan, &vm->spec, have, drifts);
}

/* The watch thread repairs these within its tick; here only what the kernel refused it. */
static bool is_watched(const struct round *round, const struct drift *drift)
{
	const struct vm *vm = round->vm;
	const struct tracked *tracked = vm_tracked(vm, drift->tid);

	if (round->initial || !tracked || tracked->slot < 0 || drift->kind > DRIFT_NICE)
		return false;
	return !(watch_see(vm->sup->watch, tracked->slot).failing & (1u << drift->kind));
}

static bool refused_realtime(
	const struct round *round, const struct action *action, enum action_result result)
{
	return result == ACTION_GIVE_UP && action->kind == ACTION_THREAD_SCHED &&
	       sched_is_realtime(action->place.policy) && sched_is_realtime(round->vm->plan.policy);
}

static void fall_back(struct round *round, const struct err *err)
{
	struct vm *vm = round->vm;
	const char *why = err->why[0] ? err->why : err->text;

	place_without_rt(&vm->sup->host, why, &vm->plan);
	throttle_keep(vm->sup);
	log_warning(vm->spec.name, "%s%s%s", vm->plan.policy_reason, err->fix[0] ? "; fix: " : "",
		err->fix);
	round->policy_gone = true;
}

static enum action_result carry_out(
	struct round *round, const struct actions *actions, bool foreign, struct err *err)
{
	enum action_result worst = ACTION_ALREADY;

	for (size_t i = 0; i < actions->count; i++) {
		struct action *action = &actions->items[i];
		/* A shielded group is somebody else's: what is done to it must be given back. */
		enum action_result result = foreign ? vm_change(round->vm, action, err)
						    : supervisor_act(round->vm->sup, action, err);

		if (refused_realtime(round, action, result)) {
			fall_back(round, err);
			return ACTION_REPLAN;
		}
		if (result == ACTION_DONE && worst == ACTION_ALREADY)
			worst = ACTION_DONE;
		if (result != ACTION_DONE && result != ACTION_ALREADY)
			return result;
	}
	return worst;
}

static void remember_thread(struct round *round, const struct drift *drift)
{
	struct vm *vm = round->vm;
	const struct thread *seen = threads_find(&vm->seen.threads, drift->tid);
	size_t at = 0;

	if (!seen || threads_find(&vm->wanted.threads, drift->tid))
		return;
	struct thread thread = *seen;
	thread.place = drift->wanted;
	if (threads_add(&vm->wanted.threads, &thread) < 0)
		return;
	/* In the order of tids. */
	struct thread *items = vm->wanted.threads.items;
	while (items[at].tid < thread.tid)
		at++;
	memmove(items + at + 1, items + at, (vm->wanted.threads.count - 1 - at) * sizeof(*items));
	items[at] = thread;
	if ((thread.role == ROLE_VCPU || thread.role == ROLE_IOTHREAD) && !round->initial)
		round->ask_threads = true;
}

static void settle(struct round *round, const struct drift *drift, struct drift_record *record,
	enum action_result result, const struct err *err)
{
	struct vm *vm = round->vm;
	const char *words = err->why[0] ? err->why : err->text;
	bool counts = drift->kind != DRIFT_THREAD && !round->initial;

	remedy_result(&record->remedy, result, words, round->now_ns);
	if (result == ACTION_DONE || result == ACTION_ALREADY) {
		record->open = false;
		if (counts && result == ACTION_DONE) {
			counter_add(&vm->counters->repaired[drift->kind], 1);
			histogram_observe(&vm->counters->repair, clock_now_ns() - round->now_ns, 1);
			vm_drift_said(vm, record, "repaired");
		}
		if (drift->kind == DRIFT_THREAD)
			remember_thread(round, drift);
		return;
	}
	snprintf(record->fix, sizeof(record->fix), "%.250s", err->fix);
	if (result == ACTION_GIVE_UP)
		log_warning(vm->spec.name, "%s: cannot be put right: %s", record->words, words);
	else if (result != ACTION_REPLAN || drift->tid == 0)
		round->left++;
	/* A lasting refusal about one thread must not have it looked at as new for ever. */
	if (result == ACTION_GIVE_UP && drift->kind == DRIFT_THREAD)
		remember_thread(round, drift);
}

static void repair(struct round *round, const struct drift *drift, struct drift_record *record)
{
	struct vm *vm = round->vm;
	struct actions actions = { 0 };
	struct err err = { 0 };

	if (drift_action(&vm->plan, &vm->sup->host, drift, &actions) == 0) {
		enum action_result result =
			carry_out(round, &actions, drift->kind == DRIFT_SHIELD, &err);

		if (!round->policy_gone)
			settle(round, drift, record, result, &err);
	}
	actions_free(&actions);
}

static void open_record(struct round *round, const struct drift *drift, struct drift_record *record)
{
	record->seen = true;
	drift_words(drift, record->words, sizeof(record->words));
	if (record->open)
		return;
	record->open = true;
	record->since = clock_wall_seconds();
	/* The watch thread has counted what it saw first. */
	bool watched = vm_tracked(round->vm, drift->tid) && drift->kind <= DRIFT_NICE &&
		       vm_tracked(round->vm, drift->tid)->slot >= 0;
	if (drift->kind != DRIFT_THREAD && !round->initial && !watched)
		counter_add(&round->vm->counters->detected[drift->kind], 1);
}

static void treat(struct round *round, const struct drift *drift)
{
	struct vm *vm = round->vm;
	struct drift_record *record = vm_drift_record(vm, drift);
	/* A new thread belongs in its place whatever the policy on drift is. */
	enum spec_on_drift on_drift =
		drift->kind == DRIFT_THREAD || round->initial ? ON_DRIFT_REPAIR : vm->spec.on_drift;

	if (!record)
		return;
	open_record(round, drift, record);
	switch (remedy_next(&record->remedy, on_drift, vm->spec.restart.burst, round->now_ns)) {
	case REMEDY_REPAIR:
		repair(round, drift, record);
		break;
	case REMEDY_WAIT:
		round->left++;
		vm_drift_said(vm, record, record->remedy.reason);
		break;
	case REMEDY_REPORT:
		vm_drift_said(vm, record, "left as it is (on_drift = \"report\")");
		break;
	case REMEDY_RESTART:
		vm_end_for(vm, EXIT_REASON_DRIFT);
		break;
	case REMEDY_LEAVE:
		break;
	}
}

/* What no longer differs is over; records of threads that are gone go, too. */
static void close_records(struct vm *vm)
{
	for (size_t i = vm->drift_count; i-- > 0;) {
		struct drift_record *record = &vm->drifts[i];

		if (!record->seen)
			record->open = false;
		record->seen = false;
		if (!record->open && record->tid > 0 &&
			!threads_find(&vm->seen.threads, record->tid))
			*record = vm->drifts[--vm->drift_count];
	}
}

static int one_round(struct round *round)
{
	struct vm *vm = round->vm;
	struct drifts drifts = { 0 };
	int r = vm_observe(vm, NULL);

	if (r == 0)
		r = expect(vm);
	if (r == 0)
		r = compare(vm, &drifts);
	round->left = 0;
	round->policy_gone = false;
	for (size_t i = 0; r == 0 && i < drifts.count && !round->policy_gone; i++)
		if (!is_watched(round, &drifts.items[i]))
			treat(round, &drifts.items[i]);
	drifts_free(&drifts);
	if (r == 0)
		close_records(vm);
	return r;
}

/* The way back into its group resets a vCPU's affinity, and a fallback changes the plan: one more look
 * shows what is left. */
unsigned vm_reconcile(struct vm *vm, bool initial)
{
	struct round round = { .vm = vm, .initial = initial, .now_ns = clock_now_ns() };

	for (int i = 0; i < 3; i++) {
		int r = one_round(&round);

		if (r < 0)
			return r == -ESRCH ? 0 : 1;
		if (!round.policy_gone && !(initial && i == 0))
			break;
		/* The plan's new policy is no drift of the threads'. */
		round.initial = initial || round.policy_gone;
	}
	if (round.ask_threads)
		vm_ask_threads(vm);
	return round.left;
}
