/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lifecycle table, what follows an end, and the stop ladder. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "plan/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SEC NS_PER_SEC

static void test_table(void **state)
{
	static const struct {
		enum vm_phase from;
		enum life_event event;
		enum vm_phase to;
		unsigned effects;
	} cases[] = {
		{ VM_STOPPED, LIFE_START, VM_PREPARING, LIFE_PREPARE },
		{ VM_STOPPED, LIFE_FOUND, VM_ADOPTING, LIFE_ADOPT },
		{ VM_PREPARING, LIFE_PREPARED, VM_STARTING, LIFE_SPAWN },
		{ VM_PREPARING, LIFE_FAILURE, VM_STOPPED, LIFE_DECIDE },
		{ VM_STARTING, LIFE_SPAWNED, VM_STARTING, LIFE_ADOPT },
		{ VM_STARTING, LIFE_PLACED, VM_RUNNING, 0 },
		{ VM_STARTING, LIFE_FAILURE, VM_STOPPING, LIFE_KILL },
		{ VM_STARTING, LIFE_STOP, VM_STOPPING, LIFE_KILL },
		{ VM_ADOPTING, LIFE_FAILURE, VM_DEGRADED, LIFE_RECONNECT | LIFE_ALARM },
		{ VM_RUNNING, LIFE_QMP_LOST, VM_DEGRADED, LIFE_RECONNECT | LIFE_ALARM },
		{ VM_RUNNING, LIFE_HUNG, VM_UNRESPONSIVE, LIFE_ALARM },
		{ VM_RUNNING, LIFE_STOP, VM_STOPPING, LIFE_BEGIN_STOP },
		{ VM_RUNNING, LIFE_EXITED, VM_STOPPED, LIFE_DECIDE },
		{ VM_UNRESPONSIVE, LIFE_ANSWERED, VM_RUNNING, LIFE_CLEAR },
		{ VM_DEGRADED, LIFE_QMP_BACK, VM_RUNNING, LIFE_CLEAR },
		{ VM_ASLEEP, LIFE_WAKE, VM_RUNNING, 0 },
		{ VM_PAUSED, LIFE_RESUME, VM_RUNNING, 0 },
		{ VM_STOPPING, LIFE_STOP_GIVEN_UP, VM_RUNNING, LIFE_END_STOP },
		{ VM_STOPPED, LIFE_RETRY, VM_BACKOFF, 0 },
		{ VM_STOPPED, LIFE_GAVE_UP, VM_FAILED, LIFE_RELEASE },
		{ VM_STOPPED, LIFE_ENDED, VM_STOPPED, LIFE_RELEASE },
		{ VM_BACKOFF, LIFE_START, VM_PREPARING, LIFE_PREPARE },
		{ VM_BACKOFF, LIFE_STOP, VM_STOPPED, LIFE_RELEASE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct life_step step = life_next(cases[i].from, cases[i].event);

		assert_true(step.valid);
		assert_int_equal(step.next, cases[i].to);
		assert_int_equal(step.effects, cases[i].effects);
	}
}

/* Promises that hold for every row: "unknown" is never "dead", nothing forks twice. */
static void test_table_promises(void **state)
{
	(void)state;
	for (int phase = 0; phase < VM_PHASES; phase++) {
		for (int event = 0; event < LIFE_EVENTS; event++) {
			struct life_step step =
				life_next((enum vm_phase)phase, (enum life_event)event);

			if (step.effects & LIFE_SPAWN)
				assert_false(life_has_process((enum vm_phase)phase));
			if (step.effects & LIFE_KILL)
				assert_int_equal(phase, VM_STARTING);
			if (event == LIFE_HUNG || event == LIFE_QMP_LOST)
				assert_int_equal(step.effects & (LIFE_KILL | LIFE_BEGIN_STOP |
									LIFE_RELEASE | LIFE_DECIDE),
					0);
			if (step.effects & LIFE_RELEASE)
				assert_false(life_has_process((enum vm_phase)phase));
		}
		assert_non_null(vm_phase_name((enum vm_phase)phase));
	}
	for (int event = 0; event < LIFE_EVENTS; event++)
		assert_non_null(life_event_name((enum life_event)event));
}

static void test_classify(void **state)
{
	static const struct {
		struct life_evidence evidence;
		enum exit_reason reason;
	} cases[] = {
		{ { .ran = false }, EXIT_REASON_START_FAILED },
		{ { .ran = true }, EXIT_REASON_CRASH },
		/* QMP was lost long before: nobody knows, so nothing is started again. */
		{ { .ran = true, .blind = true }, EXIT_REASON_HOST_SIGNAL },
		{ { .ran = true, .blind = true, .signalled = true }, EXIT_REASON_CRASH },
		{ { .ran = true, .shutdown_seen = true, .by_guest = true },
			EXIT_REASON_GUEST_SHUTDOWN },
		{ { .ran = true, .shutdown_seen = true, .guest_reset = true },
			EXIT_REASON_GUEST_RESET },
		{ { .ran = true, .shutdown_seen = true, .guest_panic = true },
			EXIT_REASON_GUEST_PANIC },
		{ { .ran = true, .shutdown_seen = true, .host_signal = true },
			EXIT_REASON_HOST_SIGNAL },
		{ { .ran = true, .shutdown_seen = true, .host_other = true },
			EXIT_REASON_HOST_STOP },
		/* Whoever asked for the end explains it, however it looked. */
		{ { .ran = true, .asked_stop = true, .shutdown_seen = true, .by_guest = true },
			EXIT_REASON_HOST_STOP },
		{ { .ran = true, .asked_stop = true }, EXIT_REASON_HOST_STOP },
		{ { .ran = true, .cause = EXIT_REASON_HANG }, EXIT_REASON_HANG },
		{ { .ran = true,
			  .cause = EXIT_REASON_GUEST_PANIC,
			  .shutdown_seen = true,
			  .host_other = true },
			EXIT_REASON_GUEST_PANIC },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(life_classify(&cases[i].evidence), cases[i].reason);
}

static void test_policies(void **state)
{
	static const struct {
		enum exit_reason reason;
		bool asked;
		enum spec_on_poweroff poweroff;
		enum spec_on_reboot reboot;
		enum spec_on_panic panic;
		enum spec_on_crash crash;
		enum life_verdict verdict;
	} cases[] = {
		{ EXIT_REASON_GUEST_SHUTDOWN, false, ON_POWEROFF_STOP, 0, 0, 0, LIFE_VERDICT_END },
		{ EXIT_REASON_GUEST_SHUTDOWN, false, ON_POWEROFF_RESTART, 0, 0, 0,
			LIFE_VERDICT_RESTART_NOW },
		{ EXIT_REASON_GUEST_SHUTDOWN, false, ON_POWEROFF_HOST_POWEROFF, 0, 0, 0,
			LIFE_VERDICT_POWER_OFF_HOST },
		{ EXIT_REASON_HOST_STOP, true, ON_POWEROFF_RESTART, 0, 0, 0, LIFE_VERDICT_END },
		{ EXIT_REASON_GUEST_RESET, false, 0, ON_REBOOT_RESTART, 0, 0,
			LIFE_VERDICT_RESTART_NOW },
		{ EXIT_REASON_GUEST_PANIC, false, 0, 0, ON_PANIC_RESTART, ON_CRASH_STOP,
			LIFE_VERDICT_RESTART_LATER },
		{ EXIT_REASON_GUEST_PANIC, false, 0, 0, ON_PANIC_STOP, ON_CRASH_RESTART,
			LIFE_VERDICT_END },
		{ EXIT_REASON_GUEST_PANIC, false, 0, 0, ON_PANIC_WAIT, ON_CRASH_RESTART,
			LIFE_VERDICT_RESTART_LATER },
		{ EXIT_REASON_CRASH, false, 0, 0, 0, ON_CRASH_RESTART, LIFE_VERDICT_RESTART_LATER },
		{ EXIT_REASON_CRASH, false, 0, 0, 0, ON_CRASH_STOP, LIFE_VERDICT_END },
		{ EXIT_REASON_HANG, false, 0, 0, 0, ON_CRASH_STOP, LIFE_VERDICT_RESTART_LATER },
		{ EXIT_REASON_HOST_SIGNAL, false, 0, 0, 0, ON_CRASH_RESTART, LIFE_VERDICT_END },
		{ EXIT_REASON_START_FAILED, false, 0, 0, 0, ON_CRASH_RESTART,
			LIFE_VERDICT_GIVE_UP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec spec;
		struct life_memory memory = { 0 };
		struct life_exit end = { cases[i].reason, cases[i].asked, false, SEC, 1000 * SEC };
		uint64_t delay = 0;

		assert_int_equal(spec_init(&spec), 0);
		spec.on_poweroff = cases[i].poweroff;
		spec.on_reboot = cases[i].reboot;
		spec.on_panic = cases[i].panic;
		spec.on_crash = cases[i].crash;
		assert_int_equal(life_after_exit(&spec, &end, &memory, &delay), cases[i].verdict);
		spec_free(&spec);
	}
}

/* Delays double up to max_delay; after `burst` restarts within the interval it gives up. */
static void test_burst(void **state)
{
	static const uint64_t delays[] = { 1, 2, 4, 8, 10 };
	struct spec spec;
	struct life_memory memory = { 0 };
	struct life_exit end = { EXIT_REASON_CRASH, false, true, SEC / 10, 5 * SEC };
	uint64_t delay = 0;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	spec.restart.max_delay_ns = 10 * SEC;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		assert_int_equal(
			life_after_exit(&spec, &end, &memory, &delay), LIFE_VERDICT_RESTART_LATER);
		assert_int_equal(delay, delays[i] * SEC);
		end.now_ns += 20 * SEC;
	}
	assert_int_equal(life_after_exit(&spec, &end, &memory, &delay), LIFE_VERDICT_GIVE_UP);
	/* A start that fails within the series counts as a crash; long after, all is forgotten. */
	end.reason = EXIT_REASON_START_FAILED;
	end.now_ns += 700 * SEC;
	end.ran_ns = 700 * SEC;
	assert_int_equal(life_after_exit(&spec, &end, &memory, &delay), LIFE_VERDICT_RESTART_LATER);
	assert_int_equal(delay, SEC);
	spec_free(&spec);
}

static void test_reboot_never_counts(void **state)
{
	struct spec spec;
	struct life_memory memory = { 0 };
	struct life_exit end = { EXIT_REASON_GUEST_RESET, false, true, SEC, SEC };
	uint64_t delay;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	spec.on_reboot = ON_REBOOT_RESTART;
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			life_after_exit(&spec, &end, &memory, &delay), LIFE_VERDICT_RESTART_NOW);
	assert_int_equal(memory.count, 0);
	spec_free(&spec);
}

static void test_stop_alone_never_pulls_the_plug(void **state)
{
	struct spec spec;
	struct stop_ladder ladder;
	uint64_t now = 100 * SEC, deadline;
	unsigned presses = 0;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	stop_begin(&ladder, false, STOP_POWERDOWN, now);
	for (int i = 0; i < 1000; i++) {
		enum stop_do what = stop_next(&ladder, &spec, true, now, &deadline);

		assert_true(what == STOP_DO_PRESS || what == STOP_DO_NOTHING ||
			    what == STOP_DO_GIVE_UP);
		presses += what == STOP_DO_PRESS;
		if (what == STOP_DO_GIVE_UP)
			break;
		assert_true(deadline > now);
		now = deadline;
	}
	assert_int_equal(presses, 3);
	assert_int_equal(now, 280 * SEC);
	spec_free(&spec);
}

static void test_forced_ladder(void **state)
{
	static const struct {
		uint64_t at;
		enum stop_do what;
	} steps[] = {
		{ 0, STOP_DO_PRESS },
		{ 25, STOP_DO_PRESS },
		{ 50, STOP_DO_PRESS },
		{ 180, STOP_DO_QUIT },
		{ 190, STOP_DO_TERM },
		{ 200, STOP_DO_KILL },
	};
	struct spec spec;
	struct stop_ladder ladder;
	uint64_t deadline = 0;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	stop_begin(&ladder, true, STOP_POWERDOWN, 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(deadline, steps[i].at * SEC);
		assert_int_equal(
			stop_next(&ladder, &spec, true, deadline, &deadline), steps[i].what);
	}
	assert_int_equal(deadline, CLOCK_NEVER);
	spec_free(&spec);
}

/* It sees no button; and some fall asleep again by the very button. */
static void test_sleeping_guest(void **state)
{
	struct spec spec;
	struct stop_ladder ladder;
	uint64_t deadline = 0;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	stop_begin(&ladder, false, STOP_POWERDOWN, 0);
	for (int i = 0; i < 3; i++) {
		ladder.asleep = true;
		assert_int_equal(
			stop_next(&ladder, &spec, true, deadline, &deadline), STOP_DO_WAKE);
		ladder.asleep = i == 2; /* the last time it does not wake at all */
		assert_int_equal(
			stop_next(&ladder, &spec, true, deadline, &deadline), STOP_DO_PRESS);
		assert_int_equal(ladder.presses, i + 1);
	}
	assert_int_equal(deadline, spec.stop.powerdown_ns + 3 * STOP_WAKE_NS);
	assert_int_equal(stop_next(&ladder, &spec, true, deadline, &deadline), STOP_DO_GIVE_UP);
	spec_free(&spec);
}

static void test_ladder_without_qmp_and_in_a_hurry(void **state)
{
	struct spec spec;
	struct stop_ladder ladder;
	uint64_t deadline;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	stop_begin(&ladder, true, STOP_POWERDOWN, 0);
	/* A lost connection does not cut the guest's time short; the button is pressed once it is back. */
	assert_int_equal(stop_next(&ladder, &spec, false, 0, &deadline), STOP_DO_NOTHING);
	assert_int_equal(deadline, spec.stop.powerdown_ns);
	assert_int_equal(stop_next(&ladder, &spec, true, SEC, &deadline), STOP_DO_PRESS);
	assert_int_equal(
		stop_next(&ladder, &spec, false, spec.stop.powerdown_ns, &deadline), STOP_DO_TERM);
	stop_begin(&ladder, false, STOP_POWERDOWN, 0);
	assert_int_equal(stop_next(&ladder, &spec, true, 0, &deadline), STOP_DO_PRESS);
	/* When the host goes down, the guest has longer. */
	ladder.host_shutdown = true;
	stop_next(&ladder, &spec, true, 100 * SEC, &deadline);
	assert_int_equal(ladder.rung, STOP_POWERDOWN);
	stop_next(&ladder, &spec, true, 190 * SEC, &deadline);
	assert_int_equal(ladder.rung, STOP_POWERDOWN);
	stop_begin(&ladder, false, STOP_POWERDOWN, 0);
	assert_int_equal(stop_next(&ladder, &spec, true, 0, &deadline), STOP_DO_PRESS);
	stop_hurry(&ladder, SEC);
	assert_int_equal(stop_next(&ladder, &spec, true, SEC, &deadline), STOP_DO_QUIT);
	stop_hurry(&ladder, 2 * SEC);
	assert_int_equal(stop_next(&ladder, &spec, true, 2 * SEC, &deadline), STOP_DO_TERM);
	stop_hurry(&ladder, 3 * SEC);
	assert_int_equal(stop_next(&ladder, &spec, true, 3 * SEC, &deadline), STOP_DO_KILL);
	stop_hurry(&ladder, 4 * SEC);
	assert_int_equal(stop_next(&ladder, &spec, true, 4 * SEC, &deadline), STOP_DO_KILL);
	spec_free(&spec);
}

/* What systemd is asked to wait for, never less than what is still to come. */
static void test_what_is_left(void **state)
{
	struct spec spec;
	struct stop_ladder ladder;
	uint64_t deadline, rest;

	(void)state;
	assert_int_equal(spec_init(&spec), 0);
	rest = spec.stop.quit_ns + spec.stop.term_ns;
	stop_begin(&ladder, true, STOP_POWERDOWN, 0);
	assert_int_equal(stop_left_ns(&ladder, &spec, 0), spec.stop.powerdown_ns + rest);
	ladder.host_shutdown = true;
	assert_int_equal(
		stop_left_ns(&ladder, &spec, SEC), spec.stop.host_shutdown_ns - SEC + rest);
	assert_int_equal(stop_left_ns(&ladder, &spec, spec.stop.host_shutdown_ns + SEC), rest);
	stop_next(&ladder, &spec, true, spec.stop.host_shutdown_ns, &deadline);
	assert_int_equal(stop_left_ns(&ladder, &spec, spec.stop.host_shutdown_ns), rest);
	stop_hurry(&ladder, 0);
	assert_int_equal(stop_left_ns(&ladder, &spec, 0), spec.stop.term_ns);
	stop_hurry(&ladder, 0);
	assert_int_equal(stop_left_ns(&ladder, &spec, 0), 0);
	spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_promises),
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_reboot_never_counts),
		cmocka_unit_test(test_stop_alone_never_pulls_the_plug),
		cmocka_unit_test(test_what_is_left),
		cmocka_unit_test(test_forced_ladder),
		cmocka_unit_test(test_sleeping_guest),
		cmocka_unit_test(test_ladder_without_qmp_and_in_a_hurry),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
