/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/place.h"
#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cpuset cpus(const char *text)
{
	struct cpuset set;

	assert_int_equal(cpuset_parse(text, &set), 0);
	return set;
}

static void assert_cpus(const struct cpuset *set, const char *want)
{
	char text[CPUSET_TEXT];

	assert_string_equal(cpuset_format(set, text, sizeof(text)), want);
}

/* A media host with everything in its favour; the cases take things away. */
static struct host_state good_host(const char *online)
{
	return (struct host_state){
		.online = cpus(online),
		.allowed = cpus(online),
		.cg_mode = CG_MODE_V2,
		.kernel_major = 6,
		.kernel_minor = 12,
		.rt_runtime_us = 950000,
		.rt_group_runtime_us = LONG_MIN,
		.autogroup = true,
		.may_rt = true,
		.may_nice = true,
		.root_user = true,
		.host_owner = true,
	};
}

struct wish {
	const char *online; /* NULL: 0-3 */
	int vcpus, maxcpus; /* 0: 2, and as vcpus */
	int listed[4];
	int listed_count; /* 0: auto */
	const char *emulator, *iothread, *allowed, *isolcpus;
	enum spec_policy policy;
	enum spec_isolate isolate;
	bool no_shield;
};

static void make_spec(const struct wish *wish, struct spec *spec)
{
	assert_int_equal(spec_init(spec), 0);
	strcpy(spec->name, "media");
	spec->file = strdup("media.conf");
	spec->vcpus = (unsigned)(wish->vcpus ? wish->vcpus : 2);
	spec->maxcpus = (unsigned)(wish->maxcpus ? wish->maxcpus : (int)spec->vcpus);
	spec->cpus.line_vcpu = 7;
	spec->cpus.line_emulator = 8;
	spec->cpus.line_iothread = 9;
	spec->cpus.line_policy = 10;
	spec->line_shield = 11;
	spec->cpus.policy = wish->policy;
	spec->cpus.isolate = wish->isolate;
	if (wish->listed_count) {
		size_t size = (size_t)wish->listed_count * sizeof(int);
		spec->cpus.vcpu = malloc(size);
		memcpy(spec->cpus.vcpu, wish->listed, size);
		spec->cpus.vcpu_count = (size_t)wish->listed_count;
	}
	if (wish->emulator)
		spec->cpus.emulator = cpus(wish->emulator);
	if (wish->iothread)
		spec->cpus.iothread = cpus(wish->iothread);
	if (!wish->no_shield)
		assert_int_equal(strlist_add(&spec->shield, "system.slice"), 0);
}

static struct host_state host_of(const struct wish *wish)
{
	struct host_state host = good_host(wish->online ? wish->online : "0-3");

	if (wish->allowed)
		host.allowed = cpus(wish->allowed);
	if (wish->isolcpus)
		host.isolated = cpus(wish->isolcpus);
	return host;
}

static int plan_on(const struct wish *wish, const struct host_state *host, struct place_plan *plan,
	struct err *err)
{
	struct spec spec;

	make_spec(wish, &spec);
	int r = place_plan(&spec, host, plan, err);
	spec_free(&spec);
	return r;
}

#define LIST(...)                                                                                  \
	.listed = { __VA_ARGS__ },                                                                 \
	.listed_count = (int)(sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

static void test_cpus(void **state)
{
	(void)state;
	static const struct {
		struct wish wish;
		const char *each; /* host CPU of each vCPU */
		const char *vcpus, *emulator, *iothreads, *housekeeping;
	} cases[] = {
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
		{ { .online = "0-7", .allowed = "0-3", LIST(6, 7) }, "6 7 ", "6-7", "0-5", "0-5",
			"0-5" },
		{ { .online = "0-7", .allowed = "0-3", LIST(2, 3) }, "2 3 ", "2-3", "0-1", "0-1",
			"0-1" },
		/* isolcpus */
		{ { .online = "0-7", .allowed = "0-1,4-7", .isolcpus = "2-3" }, "3 2 ", "2-3",
			"0-1,4-7", "0-1,4-7", "0-1,4-7" },
		{ { .online = "0-7", .isolcpus = "5-7" }, "7 6 ", "6-7", "0-4", "0-4", "0-4" },
		{ { .online = "0-3", .isolcpus = "0-1" }, "1 0 ", "0-1", "2-3", "2-3", "2-3" },
		/* listed: never substituted, in the order given */
		{ { LIST(2, 3) }, "2 3 ", "2-3", "0-1", "0-1", "0-1" },
		{ { LIST(3, 0) }, "3 0 ", "0,3", "1-2", "1-2", "1-2" },
		{ { LIST(1, 2, 3) }, "1 2 ", "1-2", "0,3", "0,3", "0,3" },
		{ { LIST(2, 3), .maxcpus = 4 }, "2 3 - - ", "2-3", "0-1", "0-1", "0-1" },
		{ { LIST(2, 3), .emulator = "0", .iothread = "1" }, "2 3 ", "2-3", "0", "1",
			"0-1" },
		{ { LIST(0, 1), .online = "0-1", .emulator = "0" }, "0 1 ", "0-1", "0", "0", "" },
		{ { LIST(2, 3), .emulator = "2", .policy = SPEC_POLICY_OTHER }, "2 3 ", "2-3", "2",
			"0-1", "0-1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_state host = host_of(&cases[i].wish);
		struct place_plan plan;
		struct err err;
		char each[4096] = "";

		if (plan_on(&cases[i].wish, &host, &plan, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		for (size_t v = 0; v < plan.vcpu_count; v++) {
			char one[16] = "-";
			if (plan.vcpu[v] >= 0)
				snprintf(one, sizeof(one), "%d", plan.vcpu[v]);
			strcat(strcat(each, one), " ");
		}
		if (strcmp(each, cases[i].each) != 0)
			fail_msg("case %zu: %s", i, each);
		assert_cpus(&plan.vcpus, cases[i].vcpus);
		assert_cpus(&plan.emulator, cases[i].emulator);
		assert_cpus(&plan.iothreads, cases[i].iothreads);
		assert_cpus(&plan.housekeeping, cases[i].housekeeping);
		assert_string_equal(plan.group, "vfiosup/media");
		assert_true(plan.policy_reason[0]);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		struct wish wish;
		int r;
		const char *text;
	} cases[] = {
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

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_state host = host_of(&cases[i].wish);
		struct place_plan plan = { .priority = 77 };
		struct err err = { 0 };

		assert_int_equal(plan_on(&cases[i].wish, &host, &plan, &err), cases[i].r);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(plan.priority, 77);
		if (cases[i].wish.maxcpus != 300)
			assert_true(err.fix[0]);
	}
}

/* What a case changes in the good host. */
struct lack {
	bool v1, no_cgroups, not_owner, not_root, no_rt, no_nice, no_autogroup, rt_group_sched;
	int minor, major;
	long runtime_us, group_runtime_us; /* 0: as it is; 1 stands for 0 */
};

static void take_away(const struct lack *lack, struct host_state *host)
{
	host->cg_mode = lack->no_cgroups ? CG_MODE_NONE : lack->v1 ? CG_MODE_V1 : CG_MODE_V2;
	strcpy(host->cg_reason, lack->no_cgroups ? "cpuset is not mounted" : "");
	host->host_owner = !lack->not_owner;
	strcpy(host->host_holder, lack->not_owner ? "vfio-sup daemon, pid 99" : "");
	host->root_user = !lack->not_root;
	host->may_rt = !lack->no_rt;
	host->may_nice = !lack->no_nice;
	host->autogroup = !lack->no_autogroup;
	host->rt_group_sched = lack->rt_group_sched;
	strcpy(host->rt_group, "/jobs");
	if (lack->minor)
		host->kernel_minor = lack->minor;
	if (lack->major)
		host->kernel_major = lack->major;
	if (lack->runtime_us)
		host->rt_runtime_us = lack->runtime_us == 1 ? 0 : lack->runtime_us;
	if (lack->group_runtime_us)
		host->rt_group_runtime_us =
			lack->group_runtime_us == 1 ? 0 : lack->group_runtime_us;
}

static void test_policy(void **state)
{
	(void)state;
	static const struct {
		struct wish wish;
		struct lack lack;
		enum sched_class policy;
		int nice, autogroup;
		const char *reason;
	} cases[] = {
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
		{ { .no_shield = true }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
			"SCHED_FIFO would lose up to 50 ms a second whenever an ordinary task "
			"waits on a vCPU's CPU (kernel 6.12), and these are not isolated; nice "
			"-20 instead" },
		{ { .no_shield = true, .isolcpus = "2-3" }, { 0 }, SCHED_CLASS_FIFO, 0,
			AUTOGROUP_UNKNOWN,
			"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
		{ { .no_shield = true }, { .minor = 1, .runtime_us = -1 }, SCHED_CLASS_OTHER, -20,
			-20,
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
		{ { 0 }, { .no_rt = true, .no_nice = true }, SCHED_CLASS_OTHER, 0,
			AUTOGROUP_UNKNOWN,
			"SCHED_FIFO needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice 0 instead, as nice "
			"-20 needs CAP_SYS_NICE" },
		{ { 0 }, { .no_rt = true, .no_autogroup = true }, SCHED_CLASS_OTHER, -20,
			AUTOGROUP_UNKNOWN,
			"SCHED_FIFO needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice -20 instead" },
		{ { 0 }, { .runtime_us = 1 }, SCHED_CLASS_OTHER, -20, -20,
			"SCHED_FIFO gets no time at all: sched_rt_runtime_us=0; nice -20 instead" },
		/* asked for */
		{ { .policy = SPEC_POLICY_FIFO }, { 0 }, SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
			"SCHED_FIFO: the vCPUs' CPUs are isolated and nothing throttles them" },
		{ { .policy = SPEC_POLICY_FIFO }, { .minor = 1 }, SCHED_CLASS_FIFO, 0,
			AUTOGROUP_UNKNOWN,
			"SCHED_FIFO as asked, but it would lose up to 50 ms a second: kernel 6.1 "
			"throttles real-time tasks (sched_rt_runtime_us=950000)" },
		{ { .policy = SPEC_POLICY_RR, .no_shield = true }, { 0 }, SCHED_CLASS_RR, 0,
			AUTOGROUP_UNKNOWN,
			"SCHED_RR as asked, but it would lose up to 50 ms a second whenever an "
			"ordinary task waits on a vCPU's CPU (kernel 6.12), and these are not "
			"isolated" },
		{ { .policy = SPEC_POLICY_FIFO },
			{ .rt_group_sched = true, .group_runtime_us = 1, .v1 = true },
			SCHED_CLASS_OTHER, -20, -20,
			"SCHED_FIFO is refused in cpu group /jobs: its cpu.rt_runtime_us is 0 and "
			"the kernel has RT_GROUP_SCHED; nice -20 instead" },
		{ { .policy = SPEC_POLICY_FIFO },
			{ .rt_group_sched = true, .group_runtime_us = 950000, .v1 = true },
			SCHED_CLASS_FIFO, 0, AUTOGROUP_UNKNOWN,
			"SCHED_FIFO as asked, but it would lose up to 50 ms a second: kernel 6.12 "
			"with RT_GROUP_SCHED throttles real-time tasks "
			"(sched_rt_runtime_us=950000)" },
		{ { .policy = SPEC_POLICY_FIFO, .online = "0-1" }, { 0 }, SCHED_CLASS_OTHER, -20,
			-20,
			"SCHED_FIFO would starve what shares a CPU with a vCPU; nice -20 instead" },
		{ { .policy = SPEC_POLICY_RR }, { .no_rt = true }, SCHED_CLASS_OTHER, -20, -20,
			"SCHED_RR needs CAP_SYS_NICE or RLIMIT_RTPRIO; nice -20 instead" },
		{ { .policy = SPEC_POLICY_OTHER }, { 0 }, SCHED_CLASS_OTHER, -20, -20,
			"policy = \"other\"" },
		{ { .policy = SPEC_POLICY_OTHER }, { .no_nice = true }, SCHED_CLASS_OTHER, 0,
			AUTOGROUP_UNKNOWN,
			"policy = \"other\", nice 0 as nice -20 needs CAP_SYS_NICE" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_state host = host_of(&cases[i].wish);
		struct place_plan plan;
		struct err err;

		take_away(&cases[i].lack, &host);
		if (plan_on(&cases[i].wish, &host, &plan, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		if (strcmp(plan.policy_reason, cases[i].reason) != 0)
			fail_msg("case %zu: %s", i, plan.policy_reason);
		assert_int_equal(plan.policy, cases[i].policy);
		assert_int_equal(plan.priority, cases[i].policy == SCHED_CLASS_OTHER ? 0 : 1);
		assert_int_equal(plan.nice, cases[i].nice);
		assert_int_equal(plan.autogroup_nice, cases[i].autogroup);
	}
}

static void test_isolation(void **state)
{
	(void)state;
	static const struct {
		struct wish wish;
		struct lack lack;
		bool shield, isolated;
		const char *reason;
	} cases[] = {
		{ { 0 }, { 0 }, true, true, "" },
		{ { .isolate = ISOLATE_SHIELD }, { .v1 = true }, true, true, "" },
		{ { .isolate = ISOLATE_OFF }, { 0 }, false, false, "isolate = \"off\"" },
		{ { .no_shield = true }, { 0 }, false, false,
			"the file names no groups in shield" },
		{ { 0 }, { .no_cgroups = true }, false, false,
			"no cgroups: cpuset is not mounted" },
		{ { 0 }, { .not_owner = true }, false, false,
			"host-wide settings are in the hands of vfio-sup daemon, pid 99" },
		{ { 0 }, { .not_root = true }, false, false, "not run as root" },
		{ { .online = "0", .vcpus = 1 }, { 0 }, false, false,
			"no CPU would be left for the host" },
		{ { .isolcpus = "2-3", .isolate = ISOLATE_OFF }, { 0 }, false, true, "" },
		{ { .isolcpus = "2-3" }, { .not_owner = true }, false, true, "" },
		{ { .isolcpus = "3" }, { .not_owner = true }, false, false,
			"host-wide settings are in the hands of vfio-sup daemon, pid 99" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_state host = host_of(&cases[i].wish);
		struct place_plan plan;

		take_away(&cases[i].lack, &host);
		assert_int_equal(plan_on(&cases[i].wish, &host, &plan, NULL), 0);
		if (plan.shield != cases[i].shield || plan.isolated != cases[i].isolated)
			fail_msg("case %zu: %s", i, plan.isolate_reason);
		assert_string_equal(plan.isolate_reason, cases[i].reason);
	}
}

static void test_reasons(void **state)
{
	(void)state;
	static const struct {
		struct wish wish;
		struct lack lack;
		const char *reason, *group;
	} cases[] = {
		{ { 0 }, { 0 }, "", "vfiosup/media" },
		{ { 0 }, { .no_cgroups = true },
			"no cgroups, affinities only: cpuset is not mounted", "" },
		{ { 0 }, { .not_root = true }, "no cgroups, affinities only: not run as root", "" },
		{ { .online = "0-1" }, { 0 }, "2 vCPUs share 1 CPU: there are no more for them",
			"vfiosup/media" },
		{ { .online = "0", .vcpus = 1 }, { 0 },
			"QEMU's other threads share these CPUs: there are no more",
			"vfiosup/media" },
		{ { .maxcpus = 6 }, { 0 },
			"vCPUs 3 and up, if they are ever plugged in, share these CPUs",
			"vfiosup/media" },
		{ { LIST(1, 2, 3) }, { .no_cgroups = true },
			"cpus.vcpu names 3 CPUs for 2 vCPUs, the last are not used; no cgroups, "
			"affinities only: cpuset is not mounted",
			"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_state host = host_of(&cases[i].wish);
		struct place_plan plan;

		take_away(&cases[i].lack, &host);
		assert_int_equal(plan_on(&cases[i].wish, &host, &plan, NULL), 0);
		assert_string_equal(plan.place_reason, cases[i].reason);
		assert_string_equal(plan.group, cases[i].group);
	}
}

static void test_threads(void **state)
{
	(void)state;
	static const struct {
		enum role role;
		int index;
		const char *cpus;
		enum sched_class policy;
		enum cg_slot slot, slot_without;
	} cases[] = {
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
	const struct wish wish = { .emulator = "0", .iothread = "1" };
	struct host_state host = host_of(&wish);
	struct place_plan plan;

	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thread thread = { .role = cases[i].role, .index = cases[i].index };
		struct placement place = place_thread(&plan, &thread);

		assert_cpus(&place.cpus, cases[i].cpus);
		assert_int_equal(place.policy, cases[i].policy);
		assert_int_equal(place.priority, cases[i].policy == SCHED_CLASS_FIFO);
		assert_int_equal(place.nice, 0);
		assert_int_equal(place.slot, cases[i].slot);
		struct place_plan without = plan;
		without.group[0] = '\0';
		place = place_thread(&without, &thread);
		assert_int_equal(place.slot, cases[i].slot_without);
	}
}

static void assert_actions(struct actions *actions, const char *const *lines)
{
	size_t i = 0;

	for (; lines[i]; i++) {
		struct strbuf text = { 0 };
		assert_true(i < actions->count);
		action_format(&actions->items[i], &text);
		char *reason = strstr(text.text, " # ");
		assert_non_null(reason);
		*reason = '\0';
		assert_string_equal(text.text, lines[i]);
		strbuf_free(&text);
	}
	assert_int_equal(actions->count, i);
	actions_free(actions);
}

static void test_groups(void **state)
{
	(void)state;
	static const char *const v1[] = {
		"cg-create group=vfiosup",
		"cg-set group=vfiosup file=cpuset.cpus value=0-3",
		"cg-create group=vfiosup/media",
		"cg-set group=vfiosup/media file=cpuset.cpus value=0-3",
		"cg-create group=vfiosup/media/emulator",
		"cg-set group=vfiosup/media/emulator file=cpuset.cpus value=0",
		"cg-create group=vfiosup/media/iothreads",
		"cg-set group=vfiosup/media/iothreads file=cpuset.cpus value=0-1",
		"cg-create group=vfiosup/media/vcpus",
		"cg-set group=vfiosup/media/vcpus file=cpuset.cpus value=3",
		"cg-set group=vfiosup/media file=cpuset.cpus value=0-1,3",
		NULL,
	};
	static const char *const v1_back[] = {
		"cg-remove group=vfiosup/media/vcpus",
		"cg-remove group=vfiosup/media/iothreads",
		"cg-remove group=vfiosup/media/emulator",
		"cg-remove group=vfiosup/media",
		"cg-remove group=vfiosup",
		NULL,
	};
	static const char *const v2[] = {
		"cg-set group= file=cgroup.subtree_control value=+cpuset",
		"cg-create group=vfiosup",
		"cg-set group=vfiosup file=cpuset.cpus value=0-3",
		"cg-set group=vfiosup file=cgroup.subtree_control value=+cpuset",
		"cg-create group=vfiosup/media",
		"cg-set group=vfiosup/media file=cpuset.cpus value=0-1,3",
		"cg-set group=vfiosup/media file=cgroup.subtree_control value=+cpuset",
		"cg-create group=vfiosup/media/vm",
		"cg-set group=vfiosup/media/vm file=cpuset.cpus value=0-1,3",
		"cg-set group=vfiosup/media/vm file=cgroup.subtree_control value=+cpuset",
		"cg-create group=vfiosup/media/vm/emulator",
		"cg-set group=vfiosup/media/vm/emulator file=cpuset.cpus value=0",
		"cg-create group=vfiosup/media/vm/iothreads",
		"cg-set group=vfiosup/media/vm/iothreads file=cpuset.cpus value=0-1",
		"cg-create group=vfiosup/media/vm/vcpus",
		"cg-set group=vfiosup/media/vm/vcpus file=cpuset.cpus value=3",
		NULL,
	};
	static const char *const v2_back[] = {
		"cg-remove group=vfiosup/media/vm/vcpus",
		"cg-remove group=vfiosup/media/vm/iothreads",
		"cg-remove group=vfiosup/media/vm/emulator",
		"cg-remove group=vfiosup/media/vm",
		"cg-remove group=vfiosup/media",
		"cg-remove group=vfiosup",
		NULL,
	};
	static const char *const none[] = { NULL };
	const struct wish wish = { LIST(3), .vcpus = 1, .emulator = "0", .iothread = "0-1" };
	struct host_state host = host_of(&wish);
	struct actions actions = { 0 };
	struct place_plan plan;

	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	host.cg_mode = CG_MODE_V1;
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, v1);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, v1_back);
	host.cg_mode = CG_MODE_V2;
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, v2);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, v2_back);
	host.cg_mode = CG_MODE_NONE;
	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, none);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, none);
	struct vm_groups groups = place_groups(&plan);
	assert_true(cpuset_empty(&groups.vm) && cpuset_empty(&groups.vcpus));
}

static void test_group_names(void **state)
{
	(void)state;
	static const struct {
		enum cg_mode mode;
		const char *group;
		enum cg_slot slot;
	} cases[] = {
		{ CG_MODE_V1, "vfiosup/media/vcpus", SLOT_VCPUS },
		{ CG_MODE_V1, "/vfiosup/media/vcpus", SLOT_VCPUS },
		{ CG_MODE_V1, "vfiosup/media/emulator", SLOT_EMULATOR },
		{ CG_MODE_V1, "vfiosup/media/iothreads", SLOT_IOTHREADS },
		{ CG_MODE_V1, "vfiosup/media/vm/vcpus", SLOT_OUTSIDE },
		{ CG_MODE_V1, "vfiosup/media", SLOT_OUTSIDE },
		{ CG_MODE_V1, "vfiosup/media2/vcpus", SLOT_OUTSIDE },
		{ CG_MODE_V1, "", SLOT_OUTSIDE },
		{ CG_MODE_V1, "/", SLOT_OUTSIDE },
		{ CG_MODE_V2, "vfiosup/media/vm/vcpus", SLOT_VCPUS },
		{ CG_MODE_V2, "/vfiosup/media/vm/emulator", SLOT_EMULATOR },
		{ CG_MODE_V2, "vfiosup/media/vcpus", SLOT_OUTSIDE },
		{ CG_MODE_V2, "vfiosup/media/vm", SLOT_OUTSIDE },
	};
	struct place_plan plan = { .group = "vfiosup/media" }, none = { 0 };
	char text[MODEL_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			place_slot_of(&plan, cases[i].mode, cases[i].group), cases[i].slot);
		assert_int_equal(place_slot_of(&none, cases[i].mode, cases[i].group), SLOT_OUTSIDE);
	}
	assert_string_equal(place_slot_group(&plan, CG_MODE_V2, SLOT_NONE, text), "");
	assert_string_equal(place_slot_group(&plan, CG_MODE_V2, SLOT_OUTSIDE, text), "");
	assert_string_equal(place_slot_group(&none, CG_MODE_V2, SLOT_VCPUS, text), "");
	assert_string_equal(place_vm_group(&plan, CG_MODE_V1, text), "vfiosup/media");
	assert_string_equal(place_vm_group(&plan, CG_MODE_V2, text), "vfiosup/media/vm");
}

static void test_shield(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"cg-set group=jobs/a/b file=cpuset.cpus value=1",
		"cg-set group=system.slice file=cpuset.cpus value=0-1",
		"cg-set group=jobs file=cpuset.cpus value=0,5",
		NULL,
	};
	static const char *const none[] = { NULL };
	struct place_plan plan = { .vcpus = cpus("2-3"), .shield = true };
	struct cpuset have[] = { cpus("0-3"), cpus(""), cpus("0-1"), cpus("0,3,5"), cpus("1,2") };
	static const char *const groups[] = { "system.slice", "gone", "user.slice", "jobs",
		"jobs/a/b" };
	struct actions actions = { 0 };
	struct spec spec;
	struct err err;

	make_spec(&(struct wish){ .no_shield = true }, &spec);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		assert_int_equal(strlist_add(&spec.shield, groups[i]), 0);
	assert_int_equal(place_shield(&plan, &spec, have, &actions, &err), 0);
	assert_actions(&actions, lines);
	have[1] = cpus("3");
	assert_int_equal(place_shield(&plan, &spec, have, &actions, &err), -EINVAL);
	assert_string_equal(
		err.text, "media.conf:11: shield: group gone has only CPU 3, all of them vCPUs'");
	actions_free(&actions);
	plan.shield = false;
	assert_int_equal(place_shield(&plan, &spec, have, &actions, &err), 0);
	assert_actions(&actions, none);
	spec_free(&spec);
}

static void test_shield_never_the_vms(void **state)
{
	(void)state;
	static const char *const groups[] = { "", "vfiosup", "vfiosup/media" };
	struct place_plan plan = { .vcpus = cpus("2-3"), .shield = true };
	struct cpuset have = cpus("0-3");

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct actions actions = { 0 };
		struct spec spec;
		make_spec(&(struct wish){ .no_shield = true }, &spec);
		assert_int_equal(strlist_add(&spec.shield, groups[i]), 0);
		assert_int_equal(place_shield(&plan, &spec, &have, &actions, NULL), -EINVAL);
		assert_int_equal(actions.count, 0);
		actions_free(&actions);
		spec_free(&spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_group_names),
		cmocka_unit_test(test_shield),
		cmocka_unit_test(test_shield_never_the_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
