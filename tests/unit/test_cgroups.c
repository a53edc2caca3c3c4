/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hierarchy, and reading it, on copied roots. */
#include "cgroups/private.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct entry {
	const char *path, *text;
};

static char top[] = "/tmp/test_cgroups.XXXXXX";
static struct root root;

static void put(const char *path, const char *text)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	for (char *at = strchr(full + sizeof(top), '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(full, 0755);
		*at = '/';
	}
	AUTO_FILE FILE *file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top + sizeof(top) - 7, "XXXXXX");
	return mkdtemp(top) && root_open(&root, top) == 0 ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	root_close(&root);
	return nftw(top, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static struct cgroups *open_cgroups(void)
{
	struct cgroups *cgroups = NULL;
	struct err err = { 0 };

	assert_int_equal(cgroups_open(&root, &cgroups, &err), 0);
	return cgroups;
}

#define LISTED "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"

struct detection {
	const char *name;
	struct entry files[6];
	enum cg_mode mode;
	const char *reason; /* a part of it */
};

static const struct detection detections[] = {
	{ "v1 at its own mount beside an empty v2",
		{ { "proc/mounts", "proc /proc proc rw 0 0\n"
				   "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n"
				   "cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0\n"
				   "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n" },
			{ "sys/fs/cgroup/cpuset/cpuset.cpus", "0-1\n" },
			{ "sys/fs/cgroup/unified/cgroup.controllers", "\n" } },
		CG_MODE_V1, NULL },
	{ "v1 together with other controllers, at an odd place",
		{ { "proc/mounts", "none /dev/cg cgroup rw,cpuset,cpu,cpuacct 0 0\n" },
			{ "dev/cg/cpuset.cpus", "0-1\n" } },
		CG_MODE_V1, NULL },
	{ "blanks and backslashes in the mount point",
		{ { "proc/mounts", "none /mnt/a\\040b\\134c cgroup rw,cpuset 0 0\n" },
			{ "mnt/a b\\c/cpuset.cpus", "0-1\n" } },
		CG_MODE_V1, NULL },
	{ "v1 is preferred although v2 was mounted first",
		{ { "proc/mounts", "cgroup2 /cg2 cgroup2 rw 0 0\n"
				   "cgroup /cg1 cgroup rw,cpuset 0 0\n" },
			{ "cg2/cgroup.controllers", "cpu io\n" }, { "cg1/cpuset.cpus", "0-1\n" } },
		CG_MODE_V1, NULL },
	{ "mountinfo, with optional fields, before mounts",
		{ { "proc/self/mountinfo", "25 1 0:20 / /proc rw - proc proc rw\n"
					   "36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 "
					   "master:1 - cgroup2 cgroup2 "
					   "rw,nsdelegate\n" },
			{ "proc/mounts", "\n" },
			{ "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n" } },
		CG_MODE_V2, NULL },
	{ "v2 with the controller, not in /proc/cgroups (no CONFIG_CPUSETS_V1)",
		{ { "proc/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n" },
			{ "proc/cgroups", LISTED "cpu\t0\t1\t1\n" },
			{ "sys/fs/cgroup/cgroup.controllers", "io cpuset\n" } },
		CG_MODE_V2, NULL },
	{ "a controller whose name only begins so",
		{ { "proc/mounts", "cgroup2 /cg cgroup2 rw 0 0\n"
				   "none /cg1 cgroup rw,cpusets,name=cpuset 0 0\n" },
			{ "cg/cgroup.controllers", "cpusetx xcpuset\n" },
			{ "cg1/cpuset.cpus", "" } },
		CG_MODE_NONE, "cgroup v2 at /cg does not offer the cpuset controller" },
	{ "nothing mounted", { { "proc/mounts", "proc /proc proc rw 0 0\n" } }, CG_MODE_NONE,
		"no cgroup file system is mounted" },
	{ "v2 of a container that was not given the controller",
		{ { "proc/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n" },
			{ "proc/cgroups", LISTED "cpuset\t0\t9\t1\n" },
			{ "sys/fs/cgroup/cgroup.controllers", "cpu memory\n" } },
		CG_MODE_NONE, "cgroup v2 at /sys/fs/cgroup does not offer" },
	{ "bound to a v1 hierarchy out of sight",
		{ { "proc/mounts", "cgroup2 /cg cgroup2 rw 0 0\n" },
			{ "proc/cgroups", LISTED "cpuset\t3\t1\t1\n" },
			{ "cg/cgroup.controllers", "io\n" } },
		CG_MODE_NONE, "v1 hierarchy that is not mounted here" },
	{ "switched off",
		{ { "proc/mounts", "cgroup2 /cg cgroup2 rw 0 0\n" },
			{ "proc/cgroups", LISTED "cpuset\t0\t1\t0\n" },
			{ "cg/cgroup.controllers", "io\n" } },
		CG_MODE_NONE, "cgroup_disable=" },
	{ "no such controller in the kernel",
		{ { "proc/mounts", "cgroup /cg cgroup rw,freezer 0 0\n" },
			{ "proc/cgroups", LISTED "freezer\t1\t1\t1\n" } },
		CG_MODE_NONE, "this kernel has no cpuset controller" },
	{ "read-only, as containers see it",
		{ { "proc/self/mountinfo",
			  "36 25 0:31 /docker/a /cg ro,nosuid - cgroup cgroup rw,cpuset\n" },
			{ "cg/cpuset.cpus", "0-1\n" } },
		CG_MODE_NONE, "cpuset is mounted at /cg, but read-only" },
	{ "the first of two mounts is read-only",
		{ { "proc/mounts",
			  "cgroup /a cgroup ro,cpuset 0 0\ncgroup /b cgroup rw,cpuset 0 0\n" },
			{ "a/cpuset.cpus", "0-1\n" }, { "b/cpuset.cpus", "0-1\n" } },
		CG_MODE_V1, NULL },
	{ "hidden below another mount", { { "proc/mounts", "cgroup /cg cgroup rw,cpuset 0 0\n" } },
		CG_MODE_NONE, "another mount hides it" },
	{ "the old file names",
		{ { "proc/mounts", "none /dev/cpuset cgroup rw,cpuset,noprefix 0 0\n" },
			{ "dev/cpuset/cpus", "0-1\n" } },
		CG_MODE_NONE, "noprefix" },
};

static void test_detection(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(detections); i++) {
		const struct detection *d = &detections[i];

		assert_int_equal(setup(state), 0);
		for (const struct entry *file = d->files; file->path; file++)
			put(file->path, file->text);
		struct cgroups *cgroups = open_cgroups();
		if (cgroups_mode(cgroups) != d->mode)
			fail_msg("%s: mode %d, \"%s\"", d->name, cgroups_mode(cgroups),
				cgroups_reason(cgroups));
		if (d->reason ? !strstr(cgroups_reason(cgroups), d->reason)
			      : cgroups_reason(cgroups)[0] != '\0')
			fail_msg("%s: \"%s\"", d->name, cgroups_reason(cgroups));
		cgroups_close(cgroups);
		assert_int_equal(teardown(state), 0);
	}
}

static void test_no_proc(void **state)
{
	struct cgroups *cgroups = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(cgroups_open(&root, &cgroups, &err), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "mountinfo"));
	assert_null(cgroups);
}

struct membership {
	enum cg_mode mode;
	const char *top, *text, *group; /* NULL: -ENOENT */
};

static const struct membership memberships[] = {
	{ CG_MODE_V1, "", "3:cpuset:/\n", "" },
	{ CG_MODE_V1, "", "4:memory:/x\n3:cpuset:/vfiosup/a/vcpus\n0::/\n", "vfiosup/a/vcpus" },
	{ CG_MODE_V1, "", "9:cpu,cpuacct,cpuset:/a b:c\n", "a b:c" },
	{ CG_MODE_V1, "", "9:name=cpuset:/no\n8:cpusetx:/no\n7:xcpuset:/no\n0::/no\n", NULL },
	{ CG_MODE_V1, "", "8:cpuset\n", NULL },
	{ CG_MODE_V1, "/docker/a", "3:cpuset:/docker/a\n", "" },
	{ CG_MODE_V1, "/docker/a", "3:cpuset:/docker/a/vfiosup\n", "vfiosup" },
	{ CG_MODE_V1, "/docker/a", "3:cpuset:/docker/ab\n", "../docker/ab" },
	{ CG_MODE_V2, "", "3:cpuset:/no\n0::/user.slice\n", "user.slice" },
	{ CG_MODE_V2, "", "0::/../sibling", "../sibling" },
	{ CG_MODE_V2, "", "3:cpuset:/no\n", NULL },
	{ CG_MODE_V2, "", "10::/no\n", NULL },
	{ CG_MODE_V2, "", "", NULL },
};

static void test_membership(void **state)
{
	char group[MODEL_PATH];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(memberships); i++) {
		const struct membership *m = &memberships[i];
		struct hierarchy hierarchy = { .mode = m->mode, .controller = "cpuset" };

		snprintf(hierarchy.top, sizeof(hierarchy.top), "%s", m->top);
		int r = hierarchy_group_of(&hierarchy, m->text, group, sizeof(group));
		if (r != (m->group ? 0 : -ENOENT) || (m->group && strcmp(group, m->group) != 0))
			fail_msg("%s: %d, \"%s\"", m->text, r, group);
	}
	struct hierarchy v2 = { .mode = CG_MODE_V2 };
	assert_int_equal(hierarchy_group_of(&v2, "0::/123456\n", group, 6), -ENAMETOOLONG);
}

static void test_group_paths(void **state)
{
	static const char *const bad[] = { "..", "a/..", "a/../b", "./a", "a//b", "a/", "a\nb" };
	char parent[MODEL_PATH], path[GROUP_FILE_PATH], longest[MODEL_PATH + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (group_valid(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	memset(longest, 'x', MODEL_PATH);
	longest[MODEL_PATH] = '\0';
	assert_false(group_valid(longest));
	longest[MODEL_PATH - 1] = '\0';
	assert_true(group_valid(longest));
	assert_true(group_valid(""));
	assert_true(group_valid("user.slice/..x/a b"));

	assert_true(group_parent("a/b", parent));
	assert_string_equal(parent, "a");
	assert_true(group_parent(parent, parent));
	assert_string_equal(parent, "");
	assert_false(group_parent(parent, parent));

	assert_int_equal(group_file("", "tasks", path), 0);
	assert_string_equal(path, "tasks");
	assert_int_equal(group_file("a", "../../x", path), -EINVAL);
	assert_int_equal(group_file("a", "..", path), -EINVAL);
	assert_int_equal(group_file("a", "", path), -EINVAL);

	assert_true(group_is_slot("vfiosup/x/vm/vcpus"));
	assert_true(group_is_slot("vm/emulator"));
	assert_false(group_is_slot("vfiosup/vcpus"));
	assert_false(group_is_slot("vfiosup/iothreads/vm"));
	assert_false(group_is_slot("vfiosup/x/vm/outside"));
	assert_false(group_is_slot("vcpus"));
}

static void put_v1(void)
{
	put("proc/self/mountinfo", "1 0 0:1 /box /cg rw - cgroup none rw,cpuset\n"
				   "2 0 0:2 / /cpu rw - cgroup none rw,cpuacct,cpu\n");
	put("proc/77/cgroup", "3:cpuset:/box/vm/vcpus\n1:cpuacct,cpu:/q\n");
	put("proc/70/cgroup", "3:cpuset:/box/vm\n1:cpuacct,cpu:/nowhere\n");
	put("proc/77/status", "Name:\tx\nUmask:\t0022\nTgid:\t70\n");
	put("cg/cpuset.cpus", "0-3\n");
	put("cg/vm/cpuset.effective_cpus", "2-3\n");
	put("cg/vm/tasks", "");
	put("cg/vm/vcpus/tasks", "77\n78\n");
	put("cg/idle/tasks", "");
	put("cpu/cpu.shares", "1024\n");
	put("cpu/q/cpu.rt_runtime_us", "-1\n");
}

static void test_read_v1(void **state)
{
	char text[MODEL_PATH];
	AUTO_FREE pid_t *tids = NULL;
	struct cpuset cpus;
	size_t count;
	pid_t pid = -1;
	long us;

	(void)state;
	put_v1();
	struct cgroups *cgroups = open_cgroups();
	assert_int_equal(cgroups_mode(cgroups), CG_MODE_V1);
	assert_int_equal(cgroups_read(cgroups, "", "cpuset.cpus", text, sizeof(text)), 3);
	assert_string_equal(text, "0-3");
	assert_int_equal(cgroups_read(cgroups, "/vm", "tasks", text, sizeof(text)), 0);
	assert_int_equal(cgroups_read(cgroups, "gone", "tasks", text, sizeof(text)), -ENOENT);
	assert_int_equal(
		cgroups_read(cgroups, "../cpu", "cpu.shares", text, sizeof(text)), -EINVAL);
	assert_int_equal(cgroups_effective_cpus(cgroups, "vm", &cpus), 0);
	assert_true(cpuset_has(&cpus, 2) && cpuset_has(&cpus, 3) && cpuset_count(&cpus) == 2);
	assert_int_equal(cgroups_effective_cpus(cgroups, "gone", &cpus), -ENOENT);

	assert_int_equal(cgroups_threads(cgroups, "vm/vcpus", &tids, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(tids[1], 78);
	assert_int_equal(cgroups_of_thread(cgroups, 77, text, sizeof(text)), 0);
	assert_string_equal(text, "vm/vcpus");
	assert_int_equal(cgroups_of_thread(cgroups, 78, text, sizeof(text)), -ESRCH);

	assert_int_equal(cgroups_busy(cgroups, "vm", &pid), 1);
	assert_int_equal(pid, 70);
	assert_int_equal(cgroups_busy(cgroups, "idle", &pid), 0);
	assert_int_equal(cgroups_busy(cgroups, "gone", &pid), -ENOENT);

	assert_int_equal(cgroups_rt_budget(cgroups, 77, text, sizeof(text), &us), 0);
	assert_string_equal(text, "q");
	assert_int_equal(us, -1);
	assert_int_equal(cgroups_rt_budget(cgroups, 70, text, sizeof(text), &us), -ENOENT);
	assert_int_equal(cgroups_rt_budget(cgroups, 78, text, sizeof(text), &us), -ESRCH);
	cgroups_close(cgroups);
}

static void test_many_threads(void **state)
{
	AUTO_STRBUF struct strbuf text = { 0 };
	AUTO_FREE pid_t *tids = NULL;
	size_t count;

	(void)state;
	for (int i = 1; i <= 20000; i++)
		strbuf_addf(&text, "%d\n", i);
	put("proc/mounts", "none /cg cgroup rw,cpuset 0 0\n");
	put("cg/cpuset.cpus", "0\n");
	put("cg/tasks", text.text);
	put("cg/odd/tasks", "1\nx\n");
	struct cgroups *cgroups = open_cgroups();
	assert_int_equal(cgroups_threads(cgroups, "", &tids, &count), 0);
	assert_int_equal(count, 20000);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(tids[i], i + 1);
	pid_t *none = NULL;
	assert_int_equal(cgroups_threads(cgroups, "odd", &none, &count), -EINVAL);
	assert_null(none);
	cgroups_close(cgroups);
}

static void test_read_v2(void **state)
{
	char text[MODEL_PATH];
	struct cpuset cpus;
	pid_t pid;
	long us;

	(void)state;
	put("proc/mounts", "none /cg cgroup2 rw 0 0\n");
	put("proc/5/cgroup", "0::/a/b\n");
	put("cg/cgroup.controllers", "cpuset cpu\n");
	put("cg/cpuset.cpus.effective", "0-7\n");
	put("cg/a/cpuset.cpus.effective", "0-1,7\n");
	put("cg/a/cgroup.threads", "");
	put("cg/a/b/cgroup.threads", "5\n");
	struct cgroups *cgroups = open_cgroups();
	assert_int_equal(cgroups_mode(cgroups), CG_MODE_V2);
	/* b lacks the controller, so it has what a has. */
	assert_int_equal(cgroups_effective_cpus(cgroups, "a/b", &cpus), 0);
	assert_string_equal(cpuset_format(&cpus, text, sizeof(text)), "0-1,7");
	assert_int_equal(cgroups_busy(cgroups, "a", &pid), 1);
	assert_int_equal(pid, 5);
	assert_int_equal(cgroups_rt_budget(cgroups, 5, text, sizeof(text), &us), -ENOENT);
	cgroups_close(cgroups);
}

static void test_prior(void **state)
{
	struct action set = { .kind = ACTION_CG_SET, .group = "vm", .file = "tasks" };
	struct action attach = { .kind = ACTION_CG_ATTACH, .tid = 77, .group = "vm" };
	struct action gone = { .kind = ACTION_CG_SET, .group = "gone", .file = "cpuset.cpus" };

	(void)state;
	put_v1();
	struct cgroups *cgroups = open_cgroups();
	assert_int_equal(cgroups_prior(cgroups, &set), 0);
	assert_true(set.prior_known);
	assert_string_equal(set.prior, "");
	assert_int_equal(cgroups_prior(cgroups, &attach), 0);
	assert_string_equal(attach.prior, "vm/vcpus");
	assert_int_equal(cgroups_prior(cgroups, &gone), -ENOENT);
	assert_false(gone.prior_known);
	cgroups_close(cgroups);
}

struct blame {
	const char *group, *file, *value;
	int r;
	enum action_result result;
	const char *why;
};

static const struct blame blames[] = {
	{ "a", "cpuset.cpus", "0-2", -EINVAL, ACTION_GIVE_UP,
		"a group is exclusive, and b beside it has 2" },
	{ "b", "cpuset.cpus", "1-2", -EINVAL, ACTION_GIVE_UP,
		"the group is exclusive, and a beside it has 0-1" },
	{ "a", "cpuset.cpus", "1", -EBUSY, ACTION_GIVE_UP, "the group a/x below it still has 0-1" },
	{ "a/x", "cpuset.cpus", "0-3", -EACCES, ACTION_GIVE_UP,
		"its parent a has only 0-1, not 2-3" },
	{ "a/x", "cpuset.cpus", "0,9", -EINVAL, ACTION_REPLAN,
		"the host has CPUs 0-3; 9 does not exist or is offline" },
	{ "a/x", "cpuset.mems", "1", -EINVAL, ACTION_REPLAN,
		"the host has memory nodes 0; 1 does not exist or is offline" },
	{ "a/x", "cpuset.cpus", "", -ENOSPC, ACTION_GIVE_UP, "has tasks" },
	{ "a/x", "cpuset.cpus", "0,", -EINVAL, ACTION_GIVE_UP, "not a list" },
	{ "a/x", "cpuset.cpus", "0", -EBUSY, ACTION_GIVE_UP, "SCHED_DEADLINE" },
	{ "a/x", "cpuset.cpus", "0", -EACCES, ACTION_GIVE_UP, "we may not write it" },
	{ "a/x", "cpuset.cpus", "0", -EAGAIN, ACTION_RETRY, "" },
	{ "", "cpuset.cpus", "0", -EACCES, ACTION_GIVE_UP, "the root group" },
};

/* Why the kernel refused a set is found by looking at the groups around it. */
static void test_blame(void **state)
{
	(void)state;
	put("proc/mounts", "none /cg cgroup rw,cpuset 0 0\n");
	put("sys/devices/system/cpu/online", "0-3\n");
	put("cg/cpuset.cpus", "0-3\n");
	put("cg/cpuset.mems", "0\n");
	put("cg/a/cpuset.cpus", "0-1\n");
	put("cg/a/cpuset.mems", "0\n");
	put("cg/a/tasks", "");
	put("cg/a/cpuset.cpu_exclusive", "0\n");
	put("cg/a/x/cpuset.cpus", "0-1\n");
	put("cg/a/x/cpuset.cpu_exclusive", "0\n");
	put("cg/a/x/tasks", "9\n");
	put("cg/b/cpuset.cpus", "2\n");
	put("cg/b/cpuset.cpu_exclusive", "1\n");
	struct cgroups *cgroups = open_cgroups();
	for (size_t i = 0; i < ARRAY_SIZE(blames); i++) {
		const struct blame *b = &blames[i];
		struct err err = { 0 };
		enum action_result result =
			cg_explain_list(cgroups, b->group, b->file, b->value, b->r, &err);

		if (result != b->result || !strstr(err.why, b->why))
			fail_msg("%s %s=%s: %s, \"%s\"", b->group, b->file, b->value,
				action_result_name(result), err.why);
	}
	cgroups_close(cgroups);
}

/* A copied root is for reading. Without cgroups nothing can be done either, and it is said why. */
static void test_refusals(void **state)
{
	struct action create = { .kind = ACTION_CG_CREATE, .group = "new" };
	struct action stray = { .kind = ACTION_SIGNAL };
	struct err err = { 0 };
	char text[64];
	pid_t pid;

	(void)state;
	put_v1();
	struct cgroups *cgroups = open_cgroups();
	assert_int_equal(cgroups_act(cgroups, &create, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EROFS);
	assert_false(root_exists(&root, "cg/new"));
	assert_int_equal(cgroups_act(cgroups, &stray, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EINVAL);
	cgroups_close(cgroups);

	put("proc/self/mountinfo", "");
	cgroups = open_cgroups();
	assert_int_equal(cgroups_act(cgroups, &create, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, ENOTSUP);
	assert_string_equal(err.why, "no cgroup file system is mounted");
	assert_int_equal(cgroups_read(cgroups, "", "tasks", text, sizeof(text)), -ENOTSUP);
	assert_int_equal(cgroups_busy(cgroups, "", &pid), -ENOTSUP);
	cgroups_close(cgroups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detection),
		cmocka_unit_test_setup_teardown(test_no_proc, setup, teardown),
		cmocka_unit_test(test_membership),
		cmocka_unit_test(test_group_paths),
		cmocka_unit_test_setup_teardown(test_read_v1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_v2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prior, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests_name("cgroups", tests, NULL, NULL);
}
