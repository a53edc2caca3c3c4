/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/watch_tick.h"
#include "base/clock.h"
#include "host/sched.h"

#include <errno.h>

/* A step longer than this many ticks is a gap: the host slept, or this thread was stopped. */
enum { GAP_TICKS = 100 };

static void sample(struct watch_slot *slot, uint64_t now_ns)
{
	struct latency_sample sample = { .now_ns = now_ns };
	struct schedstat stat;
	char state = 0;

	if (slot->schedstat_fd < 0)
		return;
	int r = host_read_schedstat(slot->schedstat_fd, &stat);
	if (r == -ESRCH)
		slot->gone = true;
	if (r < 0)
		return;
	sample.run_ns = stat.run_ns;
	sample.wait_ns = stat.wait_ns;
	sample.count = stat.count;
	if (latency_needs_state(&slot->latency, &sample) &&
		host_read_run_state(slot->stat_fd, &state) == 0)
		sample.runnable = state == 'R';
	if (!slot->latency.primed)
		latency_resume(slot->order.latency, &sample, (uint64_t)slot->order.tid);
	struct latency_step step = latency_observe(&slot->latency, slot->order.latency, &sample,
		slot->order.stall_ns, slot->order.tick_ns * GAP_TICKS);
	latency_note(slot->order.latency, &sample, (uint64_t)slot->order.tid);
	/* Should the other thread take it away in between, this step counts for the next second. */
	if (step.longest_ns > slot->worst_ns)
		slot->worst_ns = step.longest_ns;
}

/* The kinds of drift in what is seen now, as bits. A read that fails says nothing. */
static unsigned look(struct watch_slot *slot)
{
	const struct placement *wanted = &slot->order.place;
	struct placement seen = *wanted;
	unsigned drift = 0;
	int r = host_watch_affinity(slot->order.tid, &seen.cpus);

	if (r == 0)
		r = host_watch_policy(slot->order.tid, &seen);
	if (r == -ESRCH)
		slot->gone = true;
	if (!cpuset_equal(&seen.cpus, &wanted->cpus))
		drift |= 1u << DRIFT_AFFINITY;
	if (seen.policy != wanted->policy ||
		(sched_is_realtime(wanted->policy) && seen.priority != wanted->priority))
		drift |= 1u << DRIFT_POLICY;
	else if (slot->order.compare_nice && !sched_is_realtime(wanted->policy) &&
		 seen.nice != wanted->nice)
		drift |= 1u << DRIFT_NICE;
	return drift;
}

static enum action_result result_of(int r)
{
	if (r == 0)
		return ACTION_DONE;
	/* Whether a refusal is for good is for the main thread to find out, in words. */
	return r == -ESRCH ? ACTION_REPLAN : ACTION_RETRY;
}

static void repaired(struct watch_slot *slot, enum drift_kind kind, uint64_t now_ns)
{
	struct counters *counters = slot->order.counters;

	slot->open &= ~(1u << kind);
	slot->failing &= ~(1u << kind);
	counter_add(&slot->repaired[kind], 1);
	counter_add(&counters->repaired[kind], 1);
	histogram_observe(&counters->repair, clock_now_ns() - slot->seen_ns[kind], 1);
	if (slot->remedies[kind].until_ns > now_ns)
		slot->fighting |= 1u << kind;
	else
		slot->fighting &= ~(1u << kind);
}

static void repair(struct watch_slot *slot, enum drift_kind kind, uint64_t now_ns)
{
	const struct placement *wanted = &slot->order.place;
	int r = kind == DRIFT_AFFINITY ? host_fix_affinity(slot->order.tid, &wanted->cpus)
				       : host_fix_policy(slot->order.tid, wanted);

	remedy_result(&slot->remedies[kind], result_of(r), "", now_ns);
	if (r == 0)
		repaired(slot, kind, now_ns);
	else if (r != -ESRCH)
		slot->failing |= 1u << kind;
}

/* True if something was done, or refused. */
static bool treat(struct watch_slot *slot, enum drift_kind kind, uint64_t now_ns)
{
	unsigned bit = 1u << kind;
	bool first = !(slot->open & bit);

	if (first) {
		slot->open |= bit;
		slot->seen_ns[kind] = now_ns;
		counter_add(&slot->order.counters->detected[kind], 1);
	}
	/* Restarting is the slow tick's business, and burst counts there. */
	enum spec_on_drift on_drift =
		slot->order.on_drift == ON_DRIFT_REPORT ? ON_DRIFT_REPORT : ON_DRIFT_REPAIR;
	if (remedy_next(&slot->remedies[kind], on_drift, 1, now_ns) != REMEDY_REPAIR)
		return first;
	repair(slot, kind, now_ns);
	return true;
}

/* The drift went away without us: somebody put it back, or the slow tick did. */
static void close_drift(struct watch_slot *slot, unsigned drift, uint64_t now_ns)
{
	slot->open &= drift;
	slot->failing &= drift;
	for (int kind = 0; kind < WATCHED_KINDS; kind++)
		if (now_ns >= slot->remedies[kind].until_ns)
			slot->fighting &= ~(1u << kind);
}

bool watch_tick_slot(struct watch_slot *slot, uint64_t now_ns)
{
	bool was_gone = slot->gone, news = false;

	slot->next_ns = now_ns + slot->every_ns;
	if (was_gone)
		return false;
	sample(slot, now_ns);
	unsigned drift = look(slot);
	close_drift(slot, drift, now_ns);
	for (int kind = 0; kind < WATCHED_KINDS && !slot->gone; kind++)
		if (drift & (1u << kind))
			news |= treat(slot, (enum drift_kind)kind, now_ns);
	return news || slot->gone;
}
