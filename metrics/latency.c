/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/latency.h"

/* Three a decade from 10 us to 100 ms, closer around 50 ms, where real-time throttling bites. */
const double latency_bounds[LATENCY_BUCKETS] = { 0.00001, 0.000025, 0.00005, 0.0001, 0.00025,
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1 };

static void add(_Atomic uint64_t *counter, uint64_t value)
{
	__atomic_fetch_add((uint64_t *)counter, value, __ATOMIC_RELAXED);
}

static uint64_t get(_Atomic uint64_t *counter)
{
	return __atomic_load_n((uint64_t *)counter, __ATOMIC_RELAXED);
}

static void set(_Atomic uint64_t *counter, uint64_t value)
{
	__atomic_store_n((uint64_t *)counter, value, __ATOMIC_RELAXED);
}

void histogram_observe(struct histogram *histogram, uint64_t value_ns, uint64_t weight)
{
	int bucket = 0;

	while (bucket < LATENCY_BUCKETS && (double)value_ns > latency_bounds[bucket] * 1e9)
		bucket++;
	add(&histogram->buckets[bucket], weight);
	add(&histogram->sum_ns, value_ns * weight);
	add(&histogram->count, weight);
}

bool latency_needs_state(const struct latency *latency, const struct latency_sample *sample)
{
	const struct latency_sample *last = &latency->last;

	return latency->primed && last->run_ns == sample->run_ns &&
	       last->wait_ns == sample->wait_ns && last->count == sample->count;
}

static bool must_rebase(
	const struct latency *latency, const struct latency_sample *sample, uint64_t gap_ns)
{
	const struct latency_sample *last = &latency->last;

	return !latency->primed || sample->now_ns < last->now_ns ||
	       sample->now_ns - last->now_ns > gap_ns || sample->run_ns < last->run_ns ||
	       sample->wait_ns < last->wait_ns || sample->count < last->count;
}

/* One wait that has lasted `wait_ns` so far. */
static bool note_wait(struct latency *latency, struct latency_counters *counters, uint64_t wait_ns,
	uint64_t stall_ns)
{
	if (wait_ns > get(&counters->max_wait_ns))
		set(&counters->max_wait_ns, wait_ns);
	if (latency->stall_open || wait_ns <= stall_ns)
		return false;
	latency->stall_open = true;
	add(&counters->stalls, 1);
	return true;
}

static struct latency_step stand_still(struct latency *latency, struct latency_counters *counters,
	const struct latency_sample *sample, uint64_t stall_ns)
{
	struct latency_step step = { 0 };

	if (!sample->runnable) {
		/* Asleep: what looked like starving was a run too short for the kernel's books. */
		latency->starving_ns = 0;
		latency->stall_open = false;
		return step;
	}
	step.wait_ns = step.longest_ns = sample->now_ns - latency->last.now_ns;
	latency->starving_ns += step.wait_ns;
	add(&counters->wait_ns, step.wait_ns);
	add(&counters->ahead_ns, step.wait_ns);
	step.stalled = note_wait(latency, counters, latency->starving_ns, stall_ns);
	return step;
}

/* The kernel's books move again: what was counted before they did is in them now, or never will be and is taken
 * off the next waits. The sum never goes down, and comes to the kernel's own in the end. */
static uint64_t settle(struct latency_counters *counters, uint64_t growth_ns)
{
	uint64_t ahead = counters->ahead_ns, counted = ahead < growth_ns ? ahead : growth_ns;

	counters->ahead_ns = ahead - counted;
	return growth_ns - counted;
}

static struct latency_step move_on(struct latency *latency, struct latency_counters *counters,
	const struct latency_sample *sample, uint64_t stall_ns)
{
	const struct latency_sample *last = &latency->last;
	uint64_t growth = sample->wait_ns - last->wait_ns;
	struct latency_step step = { .run_ns = sample->run_ns - last->run_ns,
		.slices = sample->count - last->count };

	step.wait_ns = settle(counters, growth);
	step.longest_ns = growth;
	latency->starving_ns -= latency->starving_ns < growth ? latency->starving_ns : growth;
	add(&counters->run_ns, step.run_ns);
	add(&counters->wait_ns, step.wait_ns);
	/* A wait that went on over several steps ends here; it was one wait, and is one stall. */
	step.stalled = note_wait(latency, counters, growth, stall_ns);
	latency->stall_open = false;
	if (growth == 0 && step.run_ns > 0)
		latency->starving_ns = 0; /* it was running all the time after all */
	if (step.slices > 0)
		histogram_observe(&counters->histogram, growth / step.slices, step.slices);
	return step;
}

struct latency_step latency_observe(struct latency *latency, struct latency_counters *counters,
	const struct latency_sample *sample, uint64_t stall_ns, uint64_t gap_ns)
{
	struct latency_step step = { 0 };

	if (must_rebase(latency, sample, gap_ns)) {
		*latency = (struct latency){ .primed = true };
	} else if (latency_needs_state(latency, sample)) {
		step = stand_still(latency, counters, sample, stall_ns);
	} else {
		step = move_on(latency, counters, sample, stall_ns);
	}
	latency->last = *sample;
	return step;
}

void latency_resume(
	struct latency_counters *counters, const struct latency_sample *sample, uint64_t tid)
{
	if (tid == 0 || counters->seen_tid != tid || sample->run_ns < counters->seen_run_ns ||
		sample->wait_ns < counters->seen_wait_ns)
		return;
	add(&counters->run_ns, sample->run_ns - counters->seen_run_ns);
	add(&counters->wait_ns, settle(counters, sample->wait_ns - counters->seen_wait_ns));
}

void latency_note(
	struct latency_counters *counters, const struct latency_sample *sample, uint64_t tid)
{
	counters->seen_run_ns = sample->run_ns;
	counters->seen_wait_ns = sample->wait_ns;
	counters->seen_tid = tid;
}
