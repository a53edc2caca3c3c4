/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/place_fixture.h"

static const struct {
	struct wish wish;
	struct lack lack;
	enum sched_class policy;
	int nice, autogroup;
	const char *reason;
} policy_cases[] = {
	/* auto */
	{ { 0 }, { 0 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { 0 }, { .major = 7, .minor = 1 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { 0 }, { .minor = 1 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would lose up to 50 ms a second: kernel 6.1 throttles "
		"real-time tasks (sched_rt_runtime_us=950000); nice -20 instead" },
	{ { 0 }, { .minor = 11, .runtime_us = 900000 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would lose up to 100 ms a second: kernel 6.11 throttles "
		"real-time tasks (sched_rt_runtime_us=900000); nice -20 instead" },
	{ { 0 }, { .minor = 1, .runtime_us = LONG_MIN }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would lose up to 50 ms a second: kernel 6.1 throttles "
		"real-time tasks (sched_rt_runtime_us=unreadable); nice -20 instead" },
	{ { 0 }, { .minor = 1, .runtime_us = -1 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { 0 }, { .minor = 18, .rt_group_sched = true }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would lose up to 50 ms a second: kernel 6.18 with "
		"RT_GROUP_SCHED throttles real-time tasks (sched_rt_runtime_us=950000); "
		"nice -20 instead" },
	{ { 0 }, { .rt_group_sched = true, .runtime_us = -1 }, SCHED_CLASS_FIFO, 0,
		AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { 0 }, { .rt_group_sched = true, .runtime_us = -1, .group_runtime_us = 1 },
		SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO is refused in cpu group /jobs: its cpu.rt_runtime_us is 0 and "
		"the kernel has RT_GROUP_SCHED; nice -20 instead" },
	{ { 0 }, { .minor = 1, .lift = true }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated, and the kernel's real-time throttle is "
		"lifted while the VM runs" },
	{ { 0 }, { .lift = true }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { .no_shield = true }, { .minor = 1, .lift = true }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would lose up to 50 ms a second: kernel 6.1 throttles real-time tasks "
		"(sched_rt_runtime_us=950000); nice -20 instead" },
	{ { .no_shield = true }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would lose up to 50 ms a second whenever an ordinary task "
		"waits on a vCPU's CPU (kernel 6.12), and these are not isolated; nice "
		"-20 instead" },
	{ { .no_shield = true, .isolcpus = "2-3" }, { 0 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { .no_shield = true }, { .minor = 1, .runtime_us = -1 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would starve every ordinary task on the vCPUs' CPUs, which "
		"are not isolated; nice -20 instead" },
	{ { .vcpus = 4 }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would starve what shares a CPU with a vCPU; nice -20 instead" },
	{ { .maxcpus = 4 }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would starve what shares a CPU with a vCPU; nice -20 instead" },
	{ { LIST(2, 3), .emulator = "0-2" }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would starve what shares a CPU with a vCPU; nice -20 instead" },
	{ { .online = "0", .vcpus = 1 }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would starve what shares a CPU with a vCPU; nice -20 instead" },
	{ { 0 }, { .no_rt = true }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice -20 instead" },
	{ { 0 }, { .no_rt = true, .no_nice = true }, SCHED_CLASS_OTHER, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice 0 instead, as nice "
		"-20 needs CAP_SYS_NICE" },
	{ { 0 }, { .no_rt = true, .no_autogroup = true }, SCHED_CLASS_OTHER, -20, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice -20 instead" },
	{ { 0 }, { .runtime_us = 1 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO gets no time at all: sched_rt_runtime_us=0; nice -20 instead" },
	/* asked for */
	{ { .policy = SPEC_POLICY_FIFO }, { 0 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
	{ { .policy = SPEC_POLICY_FIFO }, { .minor = 1 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO as asked, but it would lose up to 50 ms a second: kernel 6.1 "
		"throttles real-time tasks (sched_rt_runtime_us=950000)" },
	{ { .policy = SPEC_POLICY_RR, .no_shield = true }, { 0 }, SCHED_CLASS_RR, 0,
		AUTOGROUP_UNKNOWN,
		"SCHED_RR as asked, but it would lose up to 50 ms a second whenever an "
		"ordinary task waits on a vCPU's CPU (kernel 6.12), and these are not "
		"isolated" },
	{ { .policy = SPEC_POLICY_FIFO },
		{ .rt_group_sched = true, .group_runtime_us = 1, .v1 = true }, SCHED_CLASS_OTHER,
		-20, -20,
		"SCHED_FIFO is refused in cpu group /jobs: its cpu.rt_runtime_us is 0 and "
		"the kernel has RT_GROUP_SCHED; nice -20 instead" },
	{ { .policy = SPEC_POLICY_FIFO },
		{ .rt_group_sched = true, .group_runtime_us = 950000, .v1 = true },
		SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
		"SCHED_FIFO as asked, but it would lose up to 50 ms a second: kernel 6.12 "
		"with RT_GROUP_SCHED throttles real-time tasks "
		"(sched_rt_runtime_us=950000)" },
	{ { .policy = SPEC_POLICY_FIFO, .online = "0-1" }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_FIFO would starve what shares a CPU with a vCPU; nice -20 instead" },
	{ { .policy = SPEC_POLICY_RR }, { .no_rt = true }, SCHED_CLASS_OTHER, -20, -20,
		"SCHED_RR needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice -20 instead" },
	{ { .policy = SPEC_POLICY_OTHER }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
		"policy = \"other\"" },
	{ { .policy = SPEC_POLICY_OTHER }, { .no_nice = true }, SCHED_CLASS_OTHER, 0,
		AUTOGROUP_UNKNOWN, "policy = \"other\", nice 0 as nice -20 needs CAP_SYS_NICE" },
};

static void test_policy(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(policy_cases); i++) {
		struct host_state host = host_of(&policy_cases[i].wish);
		struct place_plan plan;
		struct err err;

		take_away(&policy_cases[i].lack, &host);
		if (plan_on(&policy_cases[i].wish, &host, &plan, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		if (strcmp(plan.policy_reason, policy_cases[i].reason) != 0)
			fail_msg("case %zu: %s", i, plan.policy_reason);
		assert_int_equal(plan.policy, policy_cases[i].policy);
		assert_int_equal(
			plan.priority, policy_cases[i].policy == SCHED_CLASS_OTHER ? 0 : 1);
		assert_int_equal(plan.nice, policy_cases[i].nice);
		assert_int_equal(plan.autogroup_nice, policy_cases[i].autogroup);
	}
}

static const struct {
	struct wish wish;
	struct lack lack;
	bool shield, isolated;
	const char *reason;
} isolation_cases[] = {
	{ { 0 }, { 0 }, true, true, "" },
	{ { .isolate = ISOLATE_SHIELD }, { .v1 = true }, true, true, "" },
	{ { .isolate = ISOLATE_OFF }, { 0 }, false, false, "isolate = \"off\"" },
	{ { .no_shield = true }, { 0 }, false, false, "the file names no groups in shield" },
	{ { 0 }, { .no_cgroups = true }, false, false, "no cgroups: cpuset is not mounted" },
	{ { 0 }, { .not_owner = true }, false, false,
		"host-wide settings are in the hands of vfio-sup daemon, pid 99" },
	{ { 0 }, { .not_root = true }, false, false, "not run as root" },
	{ { .online = "0", .vcpus = 1 }, { 0 }, false, false, "no CPU would be left for the host" },
	{ { .isolcpus = "2-3", .isolate = ISOLATE_OFF }, { 0 }, false, true, "" },
	{ { .isolcpus = "2-3" }, { .not_owner = true }, false, true, "" },
	{ { .isolcpus = "3" }, { .not_owner = true }, false, false,
		"host-wide settings are in the hands of vfio-sup daemon, pid 99" },
};

static void test_isolation(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(isolation_cases); i++) {
		struct host_state host = host_of(&isolation_cases[i].wish);
		struct place_plan plan;

		take_away(&isolation_cases[i].lack, &host);
		assert_int_equal(plan_on(&isolation_cases[i].wish, &host, &plan, NULL), 0);
		if (plan.shield != isolation_cases[i].shield ||
			plan.isolated != isolation_cases[i].isolated)
			fail_msg("case %zu: %s", i, plan.isolate_reason);
		assert_string_equal(plan.isolate_reason, isolation_cases[i].reason);
	}
}

static void test_shield_that_fails(void **state)
{
	(void)state;
	const struct wish wish = { 0 };
	struct host_state host = host_of(&wish);
	struct place_plan plan;
	struct spec spec;

	make_spec(&wish, &spec);
	assert_int_equal(place_plan(&spec, &host, &plan, NULL), 0);
	assert_true(plan.shield && plan.policy == SCHED_CLASS_FIFO);
	place_without_shield(&spec, &host, "there is no group system.slice", &plan);
	assert_false(plan.shield || plan.isolated);
	assert_int_equal(plan.policy, SCHED_CLASS_OTHER);
	assert_int_equal(plan.nice, -20);
	assert_string_equal(plan.isolate_reason,
		"the shield could not be put up: there is no group system.slice");
	assert_cpus(&plan.vcpus, "2-3");
	host.isolated = cpus("2-3");
	place_without_shield(&spec, &host, "no", &plan);
	assert_true(plan.isolated && plan.policy == SCHED_CLASS_FIFO);
	spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_shield_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
