/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "host/host.h"

#include <limits.h>
#include <sched.h>
#include <sys/utsname.h>

#define CPU "sys/devices/system/cpu/"

static void write_small_host(const struct tree *tree)
{
	tree_write(tree, CPU "online", "0-3\n");
	tree_write(tree, CPU "isolated", "2-3\n");
	tree_write(tree, "proc/sys/kernel/osrelease", "6.12.48+deb13-amd64\n");
}

static void test_copied_root(void **state)
{
	struct tree tree;
	struct host_state host = { .rt_group_runtime_us = 7, .cg_mode = CG_MODE_V2 };
	struct err err = { 0 };
	char text[CPUSET_TEXT];

	(void)state;
	tree_make(&tree);
	write_small_host(&tree);
	tree_write(&tree, "proc/sys/kernel/sched_rt_runtime_us", "-1\n");
	tree_write(&tree, "proc/sys/kernel/sched_autogroup_enabled", "1\n");
	assert_int_equal(host_read(&tree.root, &host, &err), 0);
	assert_string_equal(cpuset_format(&host.online, text, sizeof(text)), "0-3");
	assert_string_equal(cpuset_format(&host.allowed, text, sizeof(text)), "0-3");
	assert_string_equal(cpuset_format(&host.isolated, text, sizeof(text)), "2-3");
	assert_int_equal(host.kernel_major, 6);
	assert_int_equal(host.kernel_minor, 12);
	assert_int_equal(host.rt_runtime_us, -1);
	assert_true(host.autogroup);
	assert_false(host.rt_group_sched);
	assert_false(host.may_rt);
	assert_false(host.may_nice);
	/* The cgroup room's fields stay as they were. */
	assert_int_equal(host.rt_group_runtime_us, 7);
	assert_int_equal(host.cg_mode, CG_MODE_V2);
	tree_remove(&tree);
}

static void test_what_is_not_there(void **state)
{
	struct tree tree;
	struct host_state host = { 0 };

	(void)state;
	tree_make(&tree);
	tree_write(&tree, CPU "online", "0\n");
	tree_write(&tree, CPU "isolated", "\n");
	tree_write(&tree, "proc/sys/kernel/osrelease", "6.1.0-37-amd64\n");
	tree_write(&tree, "proc/sys/kernel/sched_autogroup_enabled", "0\n");
	assert_int_equal(host_read(&tree.root, &host, NULL), 0);
	assert_true(cpuset_empty(&host.isolated));
	assert_int_equal(host.kernel_minor, 1);
	assert_true(host.rt_runtime_us == LONG_MIN);
	assert_false(host.autogroup);
	tree_remove(&tree);
}

static const struct bad {
	const char *file, *text;
	int error;
	const char *words;
} bads[] = {
	{ CPU "online", "0-\n", EINVAL, "no list of CPUs" },
	{ CPU "online", "0-4000\n", ERANGE, "no list of CPUs" },
	{ CPU "isolated", "all\n", EINVAL, "isolated" },
	{ "proc/sys/kernel/osrelease", "linux\n", EINVAL, "no kernel version" },
	{ "proc/sys/kernel/osrelease", "", ENOENT, "kernel's version" },
};

static void test_bad_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct tree tree;
		struct host_state host = { .kernel_major = 99 };
		struct err err = { 0 };

		tree_make(&tree);
		write_small_host(&tree);
		tree_write(&tree, bads[i].file, bads[i].text);
		assert_int_equal(host_read(&tree.root, &host, &err), -bads[i].error);
		assert_non_null(strstr(err.text, bads[i].words));
		assert_int_equal(host.kernel_major, 99);
		tree_remove(&tree);
	}
}

static void test_no_cpus_at_all(void **state)
{
	struct tree tree;
	struct host_state host = { 0 };
	struct err err = { 0 };

	(void)state;
	tree_make(&tree);
	assert_int_equal(host_read(&tree.root, &host, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/" CPU "online"));
	tree_remove(&tree);
}

#define V1_MOUNTS                                                                                  \
	"proc /proc proc rw 0 0\n"                                                                 \
	"cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n"                                      \
	"cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"
#define V2_MOUNTS  "cgroup2 /sys/fs/cgroup cgroup2 rw,cpu 0 0\n"
#define RT_FILE    "sys/fs/cgroup/cpu,cpuacct/cpu.rt_runtime_us"
#define BOOT       "boot/config-6.12.48+deb13-amd64"
#define CONFIG_ON  "CONFIG_FOO=m\nCONFIG_RT_GROUP_SCHED=y\nCONFIG_BAR=y\n"
#define CONFIG_OFF "# CONFIG_RT_GROUP_SCHED is not set\n"

static const struct rt_case {
	const char *mounts, *rt_file, *config;
	bool rt_group_sched;
} rt_cases[] = {
	{ V1_MOUNTS, "950000\n", NULL, true },
	{ V1_MOUNTS, NULL, NULL, false },
	{ V1_MOUNTS, NULL, CONFIG_ON, false }, /* the hierarchy speaks for the running kernel */
	{ V2_MOUNTS, NULL, NULL, false },
	{ V2_MOUNTS, NULL, CONFIG_ON, true },
	{ V2_MOUNTS, NULL, CONFIG_OFF, false },
	{ V2_MOUNTS, NULL, CONFIG_ON "CONFIG_RT_GROUP_SCHED_DEFAULT_DISABLED=y\n", false },
	{ NULL, NULL, CONFIG_ON, true },
};

static void test_rt_group_sched(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rt_cases) / sizeof(rt_cases[0]); i++) {
		struct tree tree;
		struct host_state host = { 0 };

		tree_make(&tree);
		write_small_host(&tree);
		if (rt_cases[i].mounts)
			tree_write(&tree, "proc/mounts", rt_cases[i].mounts);
		if (rt_cases[i].rt_file)
			tree_write(&tree, RT_FILE, rt_cases[i].rt_file);
		if (rt_cases[i].config)
			tree_write(&tree, BOOT, rt_cases[i].config);
		assert_int_equal(host_read(&tree.root, &host, NULL), 0);
		assert_int_equal(host.rt_group_sched, rt_cases[i].rt_group_sched);
		tree_remove(&tree);
	}
}

static const struct cap_case {
	const char *status;
	bool may;
} cap_cases[] = {
	{ "Name:\tx\nCapPrm:\t0000000000800000\nCapEff:\t0000000000000000\n", false },
	{ "Name:\tx\nCapEff:\t0000000000800000\n", true },
	{ "Name:\tx\nCapEff:\t000001ffff7fffff\n", false },
	{ "Name:\tx\nCapEff:\t000001ffffffffff\n", true },
};

static void test_capability(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cap_cases) / sizeof(cap_cases[0]); i++) {
		struct tree tree;
		struct host_state host = { 0 };

		tree_make(&tree);
		write_small_host(&tree);
		tree_write(&tree, "proc/self/status", cap_cases[i].status);
		assert_int_equal(host_read(&tree.root, &host, NULL), 0);
		assert_int_equal(host.may_rt, cap_cases[i].may);
		assert_int_equal(host.may_nice, cap_cases[i].may);
		tree_remove(&tree);
	}
}

static void test_live(void **state)
{
	struct root root;
	struct host_state host = { 0 };
	struct err err = { 0 };
	struct utsname uts;
	char version[32];
	cpu_set_t mine;

	(void)state;
	assert_int_equal(root_open(&root, "/"), 0);
	assert_int_equal(host_read(&root, &host, &err), 0);
	assert_int_equal(cpuset_count(&host.online), sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	assert_memory_equal(&mine, host.allowed.bits, sizeof(mine));
	assert_int_equal(uname(&uts), 0);
	snprintf(version, sizeof(version), "%d.%d.", host.kernel_major, host.kernel_minor);
	assert_memory_equal(uts.release, version, strlen(version));
	assert_int_equal(host.root_user, geteuid() == 0);
	assert_false(host.kvm_works);
	assert_string_equal(host.kvm_reason, "");
	root_close(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copied_root),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_no_cpus_at_all),
		cmocka_unit_test(test_rt_group_sched),
		cmocka_unit_test(test_capability),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
