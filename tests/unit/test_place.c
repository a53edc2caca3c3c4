/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/place_fixture.h"

static const struct {
	struct wish wish;
	const char *each; /* host CPU of each vCPU */
	const char *vcpus, *emulator, *iothreads, *housekeeping;
} cpus_cases[] = {
	/* auto: the highest, the first stays with the host */
	{ { 0 }, "3 2 ", "2-3", "0-1", "0-1", "0-1" },
	{ { .vcpus = 3 }, "3 2 1 ", "1-3", "0", "0", "0" },
	{ { .vcpus = 1, .online = "0-1" }, "1 ", "1", "0", "0", "0" },
	{ { .vcpus = 2, .online = "0-1" }, "- - ", "1", "0", "0", "0" },
	{ { .vcpus = 8 }, "- - - - - - - - ", "1-3", "0", "0", "0" },
	{ { .vcpus = 1, .online = "0" }, "0 ", "0", "0", "0", "" },
	{ { .vcpus = 2, .online = "5" }, "- - ", "5", "5", "5", "" },
	{ { .vcpus = 2, .maxcpus = 4 }, "3 2 1 - ", "1-3", "0", "0", "0" },
	{ { .online = "0,2,4,6" }, "6 4 ", "4,6", "0,2", "0,2", "0,2" },
	{ { .emulator = "3" }, "2 1 ", "1-2", "3", "0,3", "0,3" },
	{ { .emulator = "3", .iothread = "2", .vcpus = 1 }, "1 ", "1", "3", "2", "0,2-3" },
	{ { .emulator = "0-3" }, "3 2 ", "2-3", "0-3", "0-1", "0-1" },
	/* confined: what others have is not offered */
	{ { .online = "0-7", .allowed = "2-5" }, "5 4 ", "4-5", "2-3", "2-3", "2-3" },
	{ { .online = "0-7", .allowed = "" }, "7 6 ", "6-7", "0-5", "0-5", "0-5" },
	{ { .online = "0-7", .allowed = "0-3", LIST(6, 7) }, "6 7 ", "6-7", "0-5", "0-5", "0-5" },
	{ { .online = "0-7", .allowed = "0-3", LIST(2, 3) }, "2 3 ", "2-3", "0-1", "0-1", "0-1" },
	/* isolcpus */
	{ { .online = "0-7", .allowed = "0-1,4-7", .isolcpus = "2-3" }, "3 2 ", "2-3", "0-1,4-7",
		"0-1,4-7", "0-1,4-7" },
	{ { .online = "0-7", .isolcpus = "5-7" }, "7 6 ", "6-7", "0-4", "0-4", "0-4" },
	{ { .online = "0-3", .isolcpus = "0-1" }, "1 0 ", "0-1", "2-3", "2-3", "2-3" },
	/* listed: never substituted, in the order given */
	{ { LIST(2, 3) }, "2 3 ", "2-3", "0-1", "0-1", "0-1" },
	{ { LIST(3, 0) }, "3 0 ", "0,3", "1-2", "1-2", "1-2" },
	{ { LIST(1, 2, 3) }, "1 2 ", "1-2", "0,3", "0,3", "0,3" },
	{ { LIST(2, 3), .maxcpus = 4 }, "2 3 - - ", "2-3", "0-1", "0-1", "0-1" },
	{ { LIST(2, 3), .emulator = "0", .iothread = "1" }, "2 3 ", "2-3", "0", "1", "0-1" },
	{ { LIST(0, 1), .online = "0-1", .emulator = "0" }, "0 1 ", "0-1", "0", "0", "" },
	{ { LIST(2, 3), .emulator = "2", .policy = SPEC_POLICY_OTHER }, "2 3 ", "2-3", "2", "0-1",
		"0-1" },
};

static void test_cpus(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cpus_cases); i++) {
		struct host_state host = host_of(&cpus_cases[i].wish);
		struct place_plan plan;
		struct err err;
		char each[4096] = "";

		if (plan_on(&cpus_cases[i].wish, &host, &plan, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		for (size_t v = 0; v < plan.vcpu_count; v++) {
			char one[16] = "-";
			if (plan.vcpu[v] >= 0)
				snprintf(one, sizeof(one), "%d", plan.vcpu[v]);
			strcat(strcat(each, one), " ");
		}
		if (strcmp(each, cpus_cases[i].each) != 0)
			fail_msg("case %zu: %s", i, each);
		assert_cpus(&plan.vcpus, cpus_cases[i].vcpus);
		assert_cpus(&plan.emulator, cpus_cases[i].emulator);
		assert_cpus(&plan.iothreads, cpus_cases[i].iothreads);
		assert_cpus(&plan.housekeeping, cpus_cases[i].housekeeping);
		assert_string_equal(plan.group, "vfiosup/media");
		assert_true(plan.policy_reason[0]);
	}
}

static const struct {
	struct wish wish;
	int r;
	const char *text;
} refused_cases[] = {
	{ { LIST(2, 4) }, -ERANGE,
		"media.conf:7: cpus.vcpu: CPU 4 does not exist here or is offline" },
	{ { LIST(1, 2), .online = "0-1,3" }, -ERANGE,
		"media.conf:7: cpus.vcpu: CPU 2 does not exist here or is offline" },
	{ { LIST(2, 2) }, -EINVAL, "media.conf:7: cpus.vcpu gives CPU 2 to two vCPUs" },
	{ { LIST(2), .vcpus = 2 }, -EINVAL,
		"media.conf:7: cpus.vcpu names 1 host CPUs, but smp makes 2 vCPUs" },
	{ { LIST(2, 3), .emulator = "1,9" }, -ERANGE,
		"media.conf:8: cpus.emulator: CPU 9 does not exist here or is offline" },
	{ { LIST(2, 3), .iothread = "8-9" }, -ERANGE,
		"media.conf:9: cpus.iothread: CPU 8-9 does not exist here or is offline" },
	{ { LIST(2, 3), .emulator = "0,3", .policy = SPEC_POLICY_FIFO }, -EINVAL,
		"media.conf:8: cpus.emulator: CPU 3 is a vCPU's, and policy is \"fifo\"" },
	{ { LIST(2, 3), .iothread = "2", .policy = SPEC_POLICY_RR }, -EINVAL,
		"media.conf:9: cpus.iothread: CPU 2 is a vCPU's, and policy is \"rr\"" },
	{ { LIST(0, 1), .online = "0-1" }, -EINVAL,
		"media.conf:7: cpus.vcpu takes all CPUs that are online, none is left for "
		"QEMU's own threads" },
	{ { .online = "0", .vcpus = 1, .policy = SPEC_POLICY_FIFO }, -EINVAL,
		"media.conf:10: a real-time policy would take all CPUs that are online, "
		"none is left for QEMU's own threads" },
	{ { .vcpus = 2, .maxcpus = 300 }, -ERANGE,
		"media.conf: 300 vCPUs, at most 255 can be placed" },
};

static void test_refused(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(refused_cases); i++) {
		struct host_state host = host_of(&refused_cases[i].wish);
		struct place_plan plan = { .priority = 77 };
		struct err err = { 0 };

		assert_int_equal(
			plan_on(&refused_cases[i].wish, &host, &plan, &err), refused_cases[i].r);
		assert_string_equal(err.text, refused_cases[i].text);
		assert_int_equal(plan.priority, 77);
		if (refused_cases[i].wish.maxcpus != 300)
			assert_true(err.fix[0]);
	}
}

static const struct {
	struct wish wish;
	struct lack lack;
	const char *reason, *group;
} reasons_cases[] = {
	{ { 0 }, { 0 }, "", "vfiosup/media" },
	{ { 0 }, { .no_cgroups = true }, "no cgroups, affinities only: cpuset is not mounted", "" },
	{ { 0 }, { .not_root = true }, "no cgroups, affinities only: not run as root", "" },
	{ { .online = "0-1" }, { 0 }, "2 vCPUs share 1 CPU: there are no more for them",
		"vfiosup/media" },
	{ { .online = "0", .vcpus = 1 }, { 0 },
		"QEMU's other threads share these CPUs: there are no more", "vfiosup/media" },
	{ { .maxcpus = 6 }, { 0 }, "vCPUs 3 and up, if they are ever plugged in, share these CPUs",
		"vfiosup/media" },
	{ { LIST(1, 2, 3) }, { .no_cgroups = true },
		"cpus.vcpu names 3 CPUs for 2 vCPUs, the last are not used; no cgroups, "
		"affinities only: cpuset is not mounted",
		"" },
};

static void test_reasons(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(reasons_cases); i++) {
		struct host_state host = host_of(&reasons_cases[i].wish);
		struct place_plan plan;

		take_away(&reasons_cases[i].lack, &host);
		assert_int_equal(plan_on(&reasons_cases[i].wish, &host, &plan, NULL), 0);
		assert_string_equal(plan.place_reason, reasons_cases[i].reason);
		assert_string_equal(plan.group, reasons_cases[i].group);
	}
}

static const struct {
	enum role role;
	int index;
	const char *cpus;
	enum sched_class policy;
	enum cg_slot slot, slot_without;
} threads_cases[] = {
	{ ROLE_VCPU, 0, "3", SCHED_CLASS_FIFO, SLOT_VCPUS, SLOT_NONE },
	{ ROLE_VCPU, 1, "2", SCHED_CLASS_FIFO, SLOT_VCPUS, SLOT_NONE },
	{ ROLE_VCPU, 2, "2-3", SCHED_CLASS_FIFO, SLOT_VCPUS, SLOT_NONE },
	{ ROLE_VCPU, -1, "2-3", SCHED_CLASS_FIFO, SLOT_VCPUS, SLOT_NONE },
	{ ROLE_VCPU, 100000, "2-3", SCHED_CLASS_FIFO, SLOT_VCPUS, SLOT_NONE },
	{ ROLE_IOTHREAD, 0, "1", SCHED_CLASS_OTHER, SLOT_IOTHREADS, SLOT_NONE },
	{ ROLE_MAIN, -1, "0", SCHED_CLASS_OTHER, SLOT_EMULATOR, SLOT_NONE },
	{ ROLE_WORKER, -1, "0", SCHED_CLASS_OTHER, SLOT_EMULATOR, SLOT_NONE },
	{ ROLE_VHOST, -1, "0", SCHED_CLASS_OTHER, SLOT_EMULATOR, SLOT_NONE },
	{ ROLE_KVM_PIT, -1, "0", SCHED_CLASS_OTHER, SLOT_NONE, SLOT_NONE },
	{ ROLE_UNKNOWN, -1, "0", SCHED_CLASS_OTHER, SLOT_EMULATOR, SLOT_NONE },
};

static void test_threads(void **state)
{
	(void)state;
	const struct wish wish = { .emulator = "0", .iothread = "1" };
	struct host_state host = host_of(&wish);
	struct place_plan plan;

	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads_cases); i++) {
		struct thread thread = { .role = threads_cases[i].role,
			.index = threads_cases[i].index };
		struct placement place = place_thread(&plan, &thread);

		assert_cpus(&place.cpus, threads_cases[i].cpus);
		assert_int_equal(place.policy, threads_cases[i].policy);
		assert_int_equal(place.priority, threads_cases[i].policy == SCHED_CLASS_FIFO);
		assert_int_equal(place.nice, 0);
		assert_int_equal(place.slot, threads_cases[i].slot);
		struct place_plan without = plan;
		without.group[0] = '\0';
		place = place_thread(&without, &thread);
		assert_int_equal(place.slot, threads_cases[i].slot_without);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
