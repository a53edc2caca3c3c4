/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef METRICS_LATENCY_H
#define METRICS_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

/* Upper bounds of the histograms' buckets, in seconds; the last bucket is +Inf. */
enum { LATENCY_BUCKETS = 14 };
extern const double latency_bounds[LATENCY_BUCKETS]; /* 10 us .. 1 s, all but the +Inf one */

/* A histogram that one thread writes and others read: relaxed atomics, no locks. Buckets are not
 * cumulative here; the text form adds them up. */
struct histogram {
	_Atomic uint64_t buckets[LATENCY_BUCKETS + 1];
	_Atomic uint64_t sum_ns, count;
};

/* `weight` observations of value_ns. */
void histogram_observe(struct histogram *histogram, uint64_t value_ns, uint64_t weight);

/* What the kernel says of a thread at one moment. */
struct latency_sample {
	uint64_t now_ns;                 /* monotonic */
	uint64_t run_ns, wait_ns, count; /* schedstat */
	bool runnable;                   /* state R in stat; looked at only if nothing else moved */
};

/* What has come of a thread's samples: exact across restarts of the supervisor, hence plain atomics
 * in a shared file. Written by the watch thread only. */
struct latency_counters {
	_Atomic uint64_t run_ns, wait_ns; /* since a supervisor first saw the thread */
	_Atomic uint64_t stalls;          /* waits longer than the limit */
	_Atomic uint64_t max_wait_ns;     /* longest, see latency_observe */
	/* Where schedstat stood at the last sample, and whose it was: another supervisor goes on from there. */
	_Atomic uint64_t seen_run_ns, seen_wait_ns, seen_tid;
	/* wait_ns is ahead of schedstat by this: waits that were seen and are not in the books yet, or were none. */
	_Atomic uint64_t ahead_ns;
	_Atomic uint64_t last_stall_s; /* Unix seconds; set by whoever knows the time, 0: never */
	struct histogram histogram;
};

/* What the watch thread remembers between two ticks. Zero-initialise when a thread is taken on. */
struct latency {
	struct latency_sample last;
	bool primed; /* `last` is valid */
	uint64_t
		starving_ns; /* wait counted while schedstat stood still, not yet confirmed by it */
	bool stall_open;     /* the wait that goes on now is counted as a stall already */
};

/* What one observation meant. */
struct latency_step {
	uint64_t run_ns,
		wait_ns; /* growth of the counters in this step (wait: starving included, never twice) */
	uint64_t longest_ns; /* the wait that this step shows, counted before or not */
	uint64_t slices;
	bool stalled; /* a new stall was counted */
};

/*
 * Around latency_observe, in one thread's life under several supervisors: the first adds what the thread has run
 * and waited since an earlier one looked at it last, as sums only (how that wait was spread nobody knows); the
 * second notes where it stands now. `tid` of another thread, or 0, begins anew.
 */
void latency_resume(
	struct latency_counters *counters, const struct latency_sample *sample, uint64_t tid);
void latency_note(
	struct latency_counters *counters, const struct latency_sample *sample, uint64_t tid);

/* Must the caller look at the thread's state too? Nothing grew since the last sample. */
bool latency_needs_state(const struct latency *latency, const struct latency_sample *sample);

/*
 * Takes one sample: facts.md says that schedstat does not move while a thread waits, so a thread that
 * is R and stands still has been waiting since the last sample; that wait counts at once, and is
 * taken off when schedstat catches up. A step longer than `gap_ns` (the host slept, the clock of
 * the watcher was stopped) only re-bases. Counts a stall when one wait (growth within a step, or a
 * starving that goes on over steps) exceeds stall_ns, once for each such wait. max_wait_ns is the
 * largest such wait. The histogram gets, if the number of timeslices grew, growth of wait / growth of
 * count with that count as weight. Allocates nothing.
 */
struct latency_step latency_observe(struct latency *latency, struct latency_counters *counters,
	const struct latency_sample *sample, uint64_t stall_ns, uint64_t gap_ns);

#endif
