/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples into waits, stalls and the histogram. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "metrics/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS    NS_PER_MS
#define STALL (1 * MS)
#define GAP   (1000 * MS)

struct watched {
	struct latency latency;
	struct latency_counters counters;
	struct latency_sample now;
	uint64_t last_wait; /* of the counters: it never goes down */
};

/* Moves time and the kernel's books on, takes a sample. */
static struct latency_step step(struct watched *w, uint64_t ms, uint64_t run_ms, uint64_t wait_ms,
	uint64_t slices, bool runnable)
{
	w->now.now_ns += ms * MS;
	w->now.run_ns += run_ms * MS;
	w->now.wait_ns += wait_ms * MS;
	w->now.count += slices;
	w->now.runnable = runnable;
	struct latency_step result =
		latency_observe(&w->latency, &w->counters, &w->now, STALL, GAP);

	assert_true(w->counters.wait_ns >= w->last_wait);
	w->last_wait = w->counters.wait_ns;
	return result;
}

static struct watched begin(void)
{
	struct watched w = { .now = { .now_ns = 1000 * MS, .run_ns = 5 * MS, .count = 7 } };

	step(&w, 0, 0, 0, 0, true);
	assert_int_equal(w.counters.wait_ns, 0);
	return w;
}

static void test_growth(void **state)
{
	struct watched w = begin();

	(void)state;
	struct latency_step got = step(&w, 10, 9, 0, 3, true);
	assert_int_equal(got.run_ns, 9 * MS);
	assert_int_equal(got.slices, 3);
	got = step(&w, 10, 6, 4, 2, true);
	assert_int_equal(got.wait_ns, 4 * MS);
	assert_true(got.stalled);
	assert_int_equal(w.counters.run_ns, 15 * MS);
	assert_int_equal(w.counters.wait_ns, 4 * MS);
	assert_int_equal(w.counters.max_wait_ns, 4 * MS);
	assert_int_equal(w.counters.stalls, 1);
	/* 3 slices without a wait, 2 of 2 ms each. */
	assert_int_equal(w.counters.histogram.count, 5);
	assert_int_equal(w.counters.histogram.sum_ns, 4 * MS);
	assert_int_equal(w.counters.histogram.buckets[0], 3);
}

static void test_starving_counts_at_once_and_never_twice(void **state)
{
	struct watched w = begin();

	(void)state;
	for (int i = 1; i <= 5; i++) {
		struct latency_step got = step(&w, 10, 0, 0, 0, true);

		assert_int_equal(got.wait_ns, 10 * MS);
		assert_int_equal(got.stalled, i == 1);
	}
	assert_int_equal(w.counters.wait_ns, 50 * MS);
	assert_int_equal(w.counters.max_wait_ns, 50 * MS);
	/* It runs again: the kernel books 53 ms, of which 50 are counted. */
	struct latency_step got = step(&w, 10, 7, 53, 1, true);
	assert_int_equal(got.wait_ns, 3 * MS);
	assert_false(got.stalled);
	assert_int_equal(w.counters.wait_ns, 53 * MS);
	assert_int_equal(w.counters.max_wait_ns, 53 * MS);
	assert_int_equal(w.counters.stalls, 1);
	/* The next wait is another one. */
	got = step(&w, 10, 5, 5, 1, true);
	assert_true(got.stalled);
	assert_int_equal(w.counters.stalls, 2);
}

static void test_running_with_books_that_stand_still(void **state)
{
	struct watched w = begin();

	(void)state;
	/* No tick on its CPU: one look finds nothing moved, the next one all of it. */
	step(&w, 10, 0, 0, 0, true);
	struct latency_step got = step(&w, 10, 20, 0, 1, true);
	assert_int_equal(got.wait_ns, 0);
	assert_int_equal(w.latency.starving_ns, 0);
	/* The 10 ms that were none are taken off the next waits: the sum comes to the kernel's own. */
	got = step(&w, 10, 8, 2, 1, true);
	assert_int_equal(got.wait_ns, 0);
	assert_int_equal(got.longest_ns, 2 * MS);
	got = step(&w, 20, 8, 12, 1, true);
	assert_int_equal(got.wait_ns, 4 * MS);
	assert_int_equal(w.counters.wait_ns, 14 * MS);
}

static void test_asleep(void **state)
{
	struct watched w = begin();

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(step(&w, 10, 0, 0, 0, false).wait_ns, 0);
	assert_int_equal(w.counters.wait_ns, 0);
	assert_int_equal(w.counters.stalls, 0);
	assert_int_equal(w.counters.histogram.count, 0);
}

static void test_gap_and_replaced_thread_rebase(void **state)
{
	struct watched w = begin();

	(void)state;
	/* The host slept for a minute. */
	assert_int_equal(step(&w, 60000, 0, 60000, 1, true).wait_ns, 0);
	assert_int_equal(w.counters.stalls, 0);
	assert_int_equal(step(&w, 10, 10, 0, 1, true).run_ns, 10 * MS);
	/* Another thread under the same number: the books went back. */
	w.now.run_ns = 0;
	w.now.wait_ns = 0;
	w.now.count = 0;
	assert_int_equal(step(&w, 10, 0, 0, 0, true).run_ns, 0);
	assert_int_equal(w.counters.wait_ns, 0);
}

static void test_another_supervisor_goes_on(void **state)
{
	struct watched w = begin();

	(void)state;
	step(&w, 10, 6, 2, 1, true);
	latency_note(&w.counters, &w.now, 42);
	/* Nobody looked for a second. */
	w.now.now_ns += 1000 * MS;
	w.now.run_ns += 700 * MS;
	w.now.wait_ns += 30 * MS;
	w.latency = (struct latency){ 0 };
	latency_resume(&w.counters, &w.now, 43);
	assert_int_equal(w.counters.run_ns, 6 * MS);
	latency_resume(&w.counters, &w.now, 42);
	assert_int_equal(w.counters.run_ns, 706 * MS);
	assert_int_equal(w.counters.wait_ns, 32 * MS);
	assert_int_equal(w.counters.max_wait_ns, 2 * MS);
	/* Of a thread that is younger than its number: another one. */
	w.now.run_ns = 0;
	latency_resume(&w.counters, &w.now, 42);
	assert_int_equal(w.counters.run_ns, 706 * MS);
}

static void test_needs_state(void **state)
{
	struct watched w = begin();
	struct latency_sample same = w.now;

	(void)state;
	same.now_ns += MS;
	assert_true(latency_needs_state(&w.latency, &same));
	same.count++;
	assert_false(latency_needs_state(&w.latency, &same));
	struct latency fresh = { 0 };
	assert_false(latency_needs_state(&fresh, &same));
}

static void test_buckets(void **state)
{
	static const struct {
		uint64_t value_ns;
		int bucket;
	} cases[] = {
		{ 0, 0 },
		{ 10000, 0 },
		{ 10001, 1 },
		{ 100000, 3 },
		{ 1000000, 6 },
		{ 50000000, 11 },
		{ 50000001, 12 },
		{ 1000000000, 13 },
		{ 1000000001, 14 },
		{ UINT64_MAX / 2, 14 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct histogram histogram = { 0 };

		histogram_observe(&histogram, cases[i].value_ns, 1);
		assert_int_equal(histogram.buckets[cases[i].bucket], 1);
	}
	for (int i = 1; i < LATENCY_BUCKETS; i++)
		assert_true(latency_bounds[i] > latency_bounds[i - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_starving_counts_at_once_and_never_twice),
		cmocka_unit_test(test_running_with_books_that_stand_still),
		cmocka_unit_test(test_asleep),
		cmocka_unit_test(test_gap_and_replaced_thread_rebase),
		cmocka_unit_test(test_another_supervisor_goes_on),
		cmocka_unit_test(test_needs_state),
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
