/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real groups in the cgroup v1 cpuset hierarchy of the machine that this runs on. */
#include "tests/unit/real_cgroups.h"
#include "base/clock.h"

static struct cpuset host;

static void shell(const char *below, const char *file, const char *text)
{
	write_raw(" cgroup ", "cpuset", below, file, text);
}

static void host_list(char *text, size_t size)
{
	cpuset_format(&host, text, size);
}

static int setup(void **state)
{
	char text[CPUSET_TEXT];
	struct err err;

	(void)state;
	if (cgroups_mode(cgroups) != CG_MODE_V1)
		return 0;
	alarm(60);
	if (cgroups_read(cgroups, "", "cpuset.cpus", text, sizeof(text)) < 0 ||
		cpuset_parse(text, &host) < 0)
		return -1;
	return create("", &err) == ACTION_DONE ? 0 : -1;
}

/* Whatever a failed test left: children first. */
static int teardown(void **state)
{
	static const char *const groups[] = { "a/b", "a", "vm/emulator", "vm/vcpus", "vm", "" };
	enum action_result result = ACTION_DONE;

	(void)state;
	if (cgroups_mode(cgroups) != CG_MODE_V1)
		return 0;
	child_end();
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		result = destroy(groups[i], NULL);
	alarm(0);
	return result == ACTION_DONE || result == ACTION_ALREADY ? 0 : -1;
}

static void need_v1(void)
{
	if (cgroups_mode(cgroups) != CG_MODE_V1) {
		print_message("skipped: no cgroup v1 cpuset here%s%s\n",
			cgroups_reason(cgroups)[0] ? ": " : "", cgroups_reason(cgroups));
		skip();
	}
}

/* A VM's life: its groups, threads one by one, what is read back, and nothing left. */
static void test_life(void **state)
{
	char all[CPUSET_TEXT], first[16];
	AUTO_FREE pid_t *tids = NULL;
	struct cpuset cpus;
	cpu_set_t affinity;
	size_t count;
	int cpu = cpuset_next(&host, 0);

	(void)state;
	need_v1();
	host_list(all, sizeof(all));
	snprintf(first, sizeof(first), "%d", cpu);
	WANT(ACTION_DONE, create("vm", ERR));
	WANT(ACTION_DONE, create("vm/emulator", ERR));
	WANT(ACTION_DONE, create("vm/vcpus", ERR));
	WANT(ACTION_ALREADY, create("vm/vcpus", ERR));
	assert_file("vm/vcpus", "cpuset.cpus", all);
	WANT(ACTION_DONE, set("vm/vcpus", "cpuset.cpus", first, ERR));
	WANT(ACTION_ALREADY, set("vm/vcpus", "cpuset.cpus", first, ERR));

	child_start();
	for (int i = 0; i < TIDS; i++) {
		const char *group = i < 2 ? "vm/emulator" : "vm/vcpus";

		WANT(ACTION_DONE, attach(group, child.tids[i], ERR));
		WANT(ACTION_ALREADY, attach(group, child.tids[i], ERR));
	}
	/* Each thread by itself: the others of the process did not come along. */
	for (int i = 0; i < TIDS; i++)
		assert_in(child.tids[i], i < 2 ? "vm/emulator" : "vm/vcpus");
	struct action vcpus = about(ACTION_CG_SET, "vm/vcpus");
	assert_int_equal(cgroups_threads(cgroups, vcpus.group, &tids, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(cgroups_effective_cpus(cgroups, vcpus.group, &cpus), 0);
	assert_int_equal(cpuset_count(&cpus), 1);
	assert_true(cpuset_has(&cpus, cpu));
	assert_int_equal(sched_getaffinity(child.tids[3], sizeof(affinity), &affinity), 0);
	assert_true(CPU_COUNT(&affinity) == 1 && CPU_ISSET((size_t)cpu, &affinity));

	child_end();
	WANT(ACTION_DONE, destroy("vm/vcpus", ERR));
	WANT(ACTION_DONE, destroy("vm/emulator", ERR));
	WANT(ACTION_DONE, destroy("vm", ERR));
	WANT(ACTION_ALREADY, destroy("vm", ERR));
}

/* Somebody else writes: it is seen, and the same action then is work again. */
static void test_outside_changes(void **state)
{
	char all[CPUSET_TEXT], first[16];
	struct action prior;

	(void)state;
	need_v1();
	host_list(all, sizeof(all));
	snprintf(first, sizeof(first), "%d", cpuset_next(&host, 0));
	WANT(ACTION_DONE, create("a", ERR));
	shell("a", "cpuset.cpus", first);
	assert_file("a", "cpuset.cpus", first);
	prior = about(ACTION_CG_SET, "a");
	strcpy(prior.file, "cpuset.cpus");
	assert_int_equal(cgroups_prior(cgroups, &prior), 0);
	assert_string_equal(prior.prior, first);
	WANT(cpuset_count(&host) > 1 ? ACTION_DONE : ACTION_ALREADY,
		set("a", "cpuset.cpus", all, ERR));

	child_start();
	WANT(ACTION_DONE, attach("a", child.tids[2], ERR));
	shell("", "tasks", (snprintf(first, sizeof(first), "%d", child.tids[2]), first));
	assert_in(child.tids[2], "");
	WANT(ACTION_DONE, attach("a", child.tids[2], ERR));
	assert_in(child.tids[2], "a");
}

/* A supervisor died half-way: what is there is completed, and its tasks are told. */
static void test_leftovers(void **state)
{
	char path[MODEL_PATH + 64], all[CPUSET_TEXT];
	pid_t pid = 0;

	(void)state;
	need_v1();
	host_list(all, sizeof(all));
	WANT(ACTION_DONE, create("a", ERR));
	struct action a = about(ACTION_CG_SET, "a");
	shell("a", "cpuset.cpus", "\n");
	shell("a", "cpuset.mems", "\n");
	assert_file("a", "cpuset.mems", "");
	WANT(ACTION_DONE, create("a", ERR));
	assert_file("a", "cpuset.cpus", all);
	WANT(ACTION_ALREADY, create("a", ERR));
	WANT(ACTION_DONE, create("a/b", ERR));
	assert_int_equal(cgroups_busy(cgroups, a.group, &pid), 0);

	child_start();
	WANT(ACTION_DONE, attach("a/b", child.tids[3], ERR));
	assert_int_equal(cgroups_busy(cgroups, a.group, &pid), 1);
	assert_int_equal(pid, child.pid);

	/* A group with groups below stays, and so do its tasks. */
	WANT(ACTION_DONE, attach("a", child.tids[2], ERR));
	struct err err = { 0 };
	assert_int_equal(destroy("a", &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, ENOTEMPTY);
	assert_non_null(strstr(err.why, "a/b"));
	assert_in(child.tids[2], "a");

	/* Tasks of a group that goes end up in its parent. */
	WANT(ACTION_DONE, destroy("a/b", ERR));
	assert_in(child.tids[3], "a");
	WANT(ACTION_DONE, destroy("a", ERR));
	assert_in(child.tids[2], "");
	assert_in(child.tids[3], "");
	assert_int_equal(cgroups_busy(cgroups, a.group, &pid), -ENOENT);
	snprintf(path, sizeof(path), "proc/%d/stat", (int)child.pid);
	assert_true(root_exists(&root, path));
}

static void test_value_forms(void **state)
{
	char all[CPUSET_TEXT];
	struct strbuf spelled = { 0 };

	(void)state;
	need_v1();
	WANT(ACTION_DONE, create("a", ERR));
	host_list(all, sizeof(all));
	/* Every CPU by itself is the same set. */
	cpuset_for_each (cpu, &host)
		strbuf_addf(&spelled, "%s%d", spelled.length ? "," : "", cpu);
	WANT(ACTION_ALREADY, set("a", "cpuset.cpus", spelled.text, ERR));
	strbuf_free(&spelled);
	WANT(ACTION_DONE, set("a", "cpuset.sched_load_balance", "0", ERR));
	WANT(ACTION_ALREADY, set("a", "cpuset.sched_load_balance", "0", ERR));
	/* Back to nothing, which libcgroup would not write. */
	WANT(ACTION_DONE, set("a", "cpuset.cpus", "", ERR));
	assert_file("a", "cpuset.cpus", "");
	WANT(ACTION_ALREADY, set("a", "cpuset.cpus", "", ERR));
}

struct refusal {
	const char *group, *file, *value;
	enum action_result result;
	int code;        /* 0: any */
	const char *why; /* a part of it */
};

static void test_set_refusals(void **state)
{
	char beyond[16], all[CPUSET_TEXT];

	(void)state;
	need_v1();
	host_list(all, sizeof(all));
	snprintf(beyond, sizeof(beyond), "%d", CPUSET_CPUS - 1);
	WANT(ACTION_DONE, create("a", ERR));
	WANT(ACTION_DONE, create("a/b", ERR));
	child_start();
	WANT(ACTION_DONE, attach("a/b", child.tids[1], ERR));

	const struct refusal refusals[] = {
		{ "a/b", "cpuset.cpus", beyond, ACTION_REPLAN, 0, "does not exist or is offline" },
		{ "a/b", "cpuset.cpus", "1-0", ACTION_GIVE_UP, EINVAL, "not a list" },
		{ "a/b", "cpuset.cpus", "fast", ACTION_GIVE_UP, EINVAL, "not a list" },
		{ "a/b", "cpuset.cpus", "", ACTION_GIVE_UP, ENOSPC, "has tasks" },
		{ "a/b", "cpuset.mems", "63", ACTION_REPLAN, 0, "memory nodes" },
		{ "a/b", "cpuset.nothing", "1", ACTION_REPLAN, ENOENT, "no such file" },
		{ "gone", "cpuset.cpus", "0", ACTION_REPLAN, ENOENT, "the group is gone" },
		{ "a/b", "tasks", "1", ACTION_GIVE_UP, EINVAL, "" },
		{ "a/b", "../tasks", "1", ACTION_GIVE_UP, EINVAL, "" },
		{ "../..", "cpuset.cpus", "0", ACTION_GIVE_UP, EINVAL, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *c = &refusals[i];
		struct err err = { 0 };
		enum action_result result = set(c->group, c->file, c->value, &err);

		if (result != c->result || (c->code && err.code != c->code) ||
			!strstr(err.why, c->why) || !err.text[0])
			fail_msg("%s=\"%s\": %s, %d, \"%s\", \"%s\"", c->file, c->value,
				action_result_name(result), err.code, err.text, err.why);
	}
	assert_file("a/b", "cpuset.cpus", all);
}

/* Conflicts with other groups take two CPUs. */
static void test_set_conflicts(void **state)
{
	char all[CPUSET_TEXT], first[16], child_group[MODEL_PATH];
	struct err err = { 0 };

	(void)state;
	need_v1();
	if (cpuset_count(&host) < 2)
		skip();
	host_list(all, sizeof(all));
	snprintf(first, sizeof(first), "%d", cpuset_next(&host, 0));
	WANT(ACTION_DONE, create("a", ERR));
	WANT(ACTION_DONE, create("a/b", ERR));

	/* The parent below its child's set. */
	assert_int_equal(set("a", "cpuset.cpus", first, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EBUSY);
	snprintf(child_group, sizeof(child_group), "%s/a/b", top);
	assert_non_null(strstr(err.why, child_group));
	assert_non_null(strstr(err.fix, child_group));
	assert_file("a", "cpuset.cpus", all);

	/* The child beyond its parent's set. */
	WANT(ACTION_DONE, set("a/b", "cpuset.cpus", first, ERR));
	WANT(ACTION_DONE, set("a", "cpuset.cpus", first, ERR));
	assert_int_equal(set("a/b", "cpuset.cpus", all, &err), ACTION_GIVE_UP);
	assert_non_null(strstr(err.why, "its parent"));
	assert_non_null(strstr(err.why, first));
}

static void test_attach_refusals(void **state)
{
	struct err err = { 0 };
	pid_t dead;

	(void)state;
	need_v1();
	WANT(ACTION_DONE, create("a", ERR));
	child_start();
	dead = child.tids[1];

	assert_int_equal(attach("gone", dead, &err), ACTION_REPLAN);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.why, "the group is gone");

	WANT(ACTION_DONE, set("a", "cpuset.cpus", "", ERR));
	assert_int_equal(attach("a", dead, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, ENOSPC);
	assert_non_null(strstr(err.why, "is empty"));
	assert_int_equal(attach("a", 0, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EINVAL);

	child_end();
	assert_int_equal(attach("a", dead, &err), ACTION_REPLAN);
	assert_int_equal(err.code, ESRCH);
}

static void test_create_refusals(void **state)
{
	struct err err = { 0 };
	struct action outside = { .kind = ACTION_CG_CREATE, .group = "../vfiosup-test" };

	(void)state;
	need_v1();
	assert_int_equal(create("gone/b", &err), ACTION_REPLAN);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.why, "its parent"));
	assert_int_equal(cgroups_act(cgroups, &outside, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EINVAL);

	WANT(ACTION_DONE, create("a", ERR));
	shell("a", "cpuset.cpus", "\n");
	assert_int_equal(create("a/b", &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, ENOSPC);
	assert_non_null(strstr(err.why, "of its parent"));
}

/* Run by somebody who is not root: which of the four did not end with what it should. */
static int try_without_rights(void)
{
	struct err err = { 0 };

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		return 1;
	if (create("a/b", &err) != ACTION_GIVE_UP || !strstr(err.why, "takes root"))
		return 2;
	if (set("a", "cpuset.cpus", "0", &err) != ACTION_GIVE_UP || err.code != EACCES)
		return 3;
	if (attach("a", getpid(), &err) != ACTION_GIVE_UP || !strstr(err.why, "takes root"))
		return 4;
	if (destroy("a", &err) != ACTION_GIVE_UP || !strstr(err.why, "takes root"))
		return 5;
	return set("a", "cpuset.mem_hardwall", "1", &err) != ACTION_GIVE_UP ||
			       !strstr(err.why, "takes root")
		       ? 6
		       : 0;
}

static void test_without_rights(void **state)
{
	char first[16];
	int status;

	(void)state;
	need_v1();
	if (geteuid() != 0)
		skip();
	WANT(ACTION_DONE, create("a", ERR));
	snprintf(first, sizeof(first), "%d", cpuset_next(&host, 1));
	if (cpuset_count(&host) > 1)
		WANT(ACTION_DONE, set("a", "cpuset.cpus", first, ERR));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cpuset_count(&host) > 1 ? try_without_rights() : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A task that ends on its own within the time that removing waits. */
static void test_remove_waits(void **state)
{
	char group[MODEL_PATH];
	uint64_t begin;

	(void)state;
	need_v1();
	WANT(ACTION_DONE, create("a", ERR));
	child_start();
	WANT(ACTION_DONE, attach("a", child.pid, ERR));
	kill(child.pid, SIGKILL);
	begin = clock_now_ns();
	WANT(ACTION_DONE, destroy("a", ERR));
	assert_true(clock_now_ns() - begin < 400 * NS_PER_MS);
	/* A zombie belongs nowhere in particular; it must only not be in what was removed. */
	if (cgroups_of_thread(cgroups, child.pid, group, sizeof(group)) == 0)
		assert_null(strstr(group, "/a"));
}

static void test_rt_budget(void **state)
{
	char group[MODEL_PATH];
	long us = 0;

	(void)state;
	int r = cgroups_rt_budget(cgroups, getpid(), group, sizeof(group), &us);
	if (r == -ENOENT) {
		print_message("skipped: no cpu.rt_runtime_us here\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_true(us >= -1);
	assert_int_equal(group[0] == '/', 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_value_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_conflicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_waits, setup, teardown),
		cmocka_unit_test(test_rt_budget),
	};

	return cmocka_run_group_tests_name("cgroups_v1", tests, group_setup, group_teardown);
}
