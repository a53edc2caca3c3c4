/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/remedy.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t start_ns = 1000 * NS_PER_SEC, tick_ns = 10 * NS_PER_MS;

/* Something undoes every repair at once, for `length_ns` from `*now_ns` on. Returns the repairs. */
static unsigned fight(struct remedy *remedy, uint64_t *now_ns, uint64_t length_ns)
{
	unsigned repairs = 0;

	for (uint64_t end_ns = *now_ns + length_ns; *now_ns < end_ns; *now_ns += tick_ns) {
		if (remedy_next(remedy, ON_DRIFT_REPAIR, 5, *now_ns) != REMEDY_REPAIR)
			continue;
		remedy_result(remedy, ACTION_DONE, NULL, *now_ns);
		repairs++;
	}
	return repairs;
}

static void test_free_repairs(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };
	uint64_t now_ns = start_ns;

	for (int i = 0; i < REMEDY_FREE_REPAIRS; i++, now_ns += tick_ns) {
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
		remedy_result(&remedy, ACTION_DONE, NULL, now_ns);
	}
	assert_int_equal(remedy.backoff_ns, 0);
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
	remedy_result(&remedy, ACTION_DONE, NULL, now_ns);
	assert_int_equal(remedy.backoff_ns, 100 * NS_PER_MS);
	assert_non_null(strstr(remedy.reason, "keeps undoing it (21 repairs"));
	assert_int_equal(
		remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns + 99 * NS_PER_MS), REMEDY_WAIT);
	assert_int_equal(
		remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns + 100 * NS_PER_MS), REMEDY_REPAIR);
}

static void test_rare_drift_never_waits(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };
	uint64_t now_ns = start_ns;

	/* One a second, for an hour: 10 in each window. */
	for (int i = 0; i < 3600; i++, now_ns += NS_PER_SEC) {
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
		remedy_result(&remedy, ACTION_DONE, NULL, now_ns);
	}
	assert_int_equal(remedy.backoff_ns, 0);
}

static void test_backoff_grows_and_shrinks(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };
	uint64_t now_ns = start_ns;

	/* 20 free within 200 ms, then 0.1 0.2 0.4 ... s */
	assert_int_equal(fight(&remedy, &now_ns, NS_PER_SEC), 20 + 4);
	fight(&remedy, &now_ns, 60 * NS_PER_SEC);
	assert_int_equal(remedy.backoff_ns, 10 * NS_PER_SEC);
	/* As long as it goes on, one repair in 10 s. */
	assert_in_range(fight(&remedy, &now_ns, 100 * NS_PER_SEC), 9, 11);
	assert_int_equal(remedy.backoff_ns, 10 * NS_PER_SEC);
	/* Peace for a minute: four or five quiet windows. */
	now_ns += 60 * NS_PER_SEC;
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
	remedy_result(&remedy, ACTION_DONE, NULL, now_ns);
	assert_in_range(remedy.backoff_ns, 300 * NS_PER_MS, 1300 * NS_PER_MS);
	/* Peace for an hour: all is forgotten. */
	now_ns += 3600 * NS_PER_SEC;
	remedy_result(&remedy, ACTION_DONE, NULL, now_ns);
	assert_int_equal(remedy.backoff_ns, 0);
	assert_string_equal(remedy.reason, "");
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
}

static void test_failures(void **state)
{
	(void)state;
	static const uint64_t waits_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
	struct remedy remedy = { 0 };
	uint64_t now_ns = start_ns;

	for (size_t i = 0; i < ARRAY_SIZE(waits_ms); i++) {
		remedy_result(&remedy, ACTION_RETRY, "the kernel is busy", now_ns);
		assert_int_equal(remedy.failures, i + 1);
		assert_int_equal(remedy.until_ns - now_ns, waits_ms[i] * NS_PER_MS);
		now_ns = remedy.until_ns - 1;
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_WAIT);
		now_ns++;
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
	}
	assert_string_equal(remedy.reason, "failed 9 times: the kernel is busy");
	remedy_result(&remedy, ACTION_DONE, NULL, now_ns);
	assert_int_equal(remedy.failures, 0);
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_REPAIR);
}

static void test_restart(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };
	uint64_t now_ns = start_ns;

	for (unsigned i = 0; i < 5; i++) {
		assert_int_not_equal(
			remedy_next(&remedy, ON_DRIFT_RESTART, 5, now_ns), REMEDY_RESTART);
		remedy_result(&remedy, ACTION_RETRY, "no", now_ns);
	}
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 5, now_ns), REMEDY_RESTART);
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 6, now_ns), REMEDY_WAIT);
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, now_ns), REMEDY_WAIT);
	/* Only failures in a row count, and threads that are gone are none. */
	remedy_result(&remedy, ACTION_ALREADY, NULL, now_ns);
	assert_int_not_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 5, now_ns), REMEDY_RESTART);
	for (unsigned i = 0; i < 100; i++)
		remedy_result(&remedy, ACTION_REPLAN, "no such thread", now_ns);
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 5, now_ns), REMEDY_WAIT);
	now_ns += 100 * NS_PER_MS;
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 5, now_ns), REMEDY_REPAIR);
	/* burst = 0 does not mean at once. */
	remedy = (struct remedy){ 0 };
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 0, now_ns), REMEDY_REPAIR);
	remedy_result(&remedy, ACTION_RETRY, NULL, now_ns);
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 0, now_ns), REMEDY_RESTART);
}

static void test_a_fight_never_restarts(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };
	uint64_t now_ns = start_ns;

	fight(&remedy, &now_ns, 60 * NS_PER_SEC);
	assert_int_not_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 1, now_ns), REMEDY_RESTART);
}

static void test_unfixable(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };

	remedy_result(&remedy, ACTION_GIVE_UP, "EPERM: RT_GROUP_SCHED", start_ns);
	assert_true(remedy.unfixable);
	assert_string_equal(remedy.reason, "EPERM: RT_GROUP_SCHED");
	for (uint64_t later_ns = start_ns; later_ns < start_ns * 100; later_ns *= 2) {
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPAIR, 5, later_ns), REMEDY_LEAVE);
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_RESTART, 1, later_ns), REMEDY_LEAVE);
		assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPORT, 5, later_ns), REMEDY_LEAVE);
	}
}

static void test_report(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };

	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPORT, 5, start_ns), REMEDY_REPORT);
	remedy.failures = 10;
	assert_int_equal(remedy_next(&remedy, ON_DRIFT_REPORT, 5, start_ns), REMEDY_REPORT);
}

static void test_long_words_and_odd_clocks(void **state)
{
	(void)state;
	struct remedy remedy = { 0 };
	char words[600];

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	remedy_result(&remedy, ACTION_RETRY, words, start_ns);
	remedy_result(&remedy, ACTION_DONE, words, 0); /* an earlier time must do no harm */
	assert_int_equal(remedy.repairs, 1);
	remedy_result(&remedy, ACTION_GIVE_UP, words, start_ns);
	assert_true(strlen(remedy.reason) < sizeof(remedy.reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_repairs),
		cmocka_unit_test(test_rare_drift_never_waits),
		cmocka_unit_test(test_backoff_grows_and_shrinks),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_a_fight_never_restarts),
		cmocka_unit_test(test_unfixable),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_long_words_and_odd_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
