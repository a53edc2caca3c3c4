/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "host/rights.h"
#include "host/threads.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct root root;
static struct cpuset allowed;

static int open_root(void **state)
{
	(void)state;
	return root_open(&root, "/") < 0 || host_watch_affinity(0, &allowed) < 0;
}

static int close_root(void **state)
{
	(void)state;
	root_close(&root);
	return 0;
}

/* A child that does nothing, dies with this process, and is its own session. */
static pid_t child_start(void)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static int child_end(pid_t pid)
{
	int status = 0;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static pid_t gone_pid(void)
{
	pid_t pid = child_start();

	child_end(pid);
	return pid;
}

static enum action_result act_on_cpus(pid_t tid, const char *cpus, struct err *err)
{
	struct action action = { .kind = ACTION_THREAD_AFFINITY, .tid = tid };

	assert_int_equal(cpuset_parse(cpus, &action.place.cpus), 0);
	return host_act(&root, &action, err);
}

static void test_affinity(void **state)
{
	char cpu[16], part[24], text[CPUSET_TEXT];
	struct cpuset seen;
	struct err err = { 0 };
	pid_t pid = child_start();

	(void)state;
	snprintf(cpu, sizeof(cpu), "%d", cpuset_next(&allowed, 0));
	snprintf(part, sizeof(part), "%s,1023", cpu);
	assert_int_equal(act_on_cpus(pid, cpuset_format(&allowed, text, sizeof(text)), &err),
		ACTION_ALREADY);
	if (cpuset_count(&allowed) > 1)
		assert_int_equal(act_on_cpus(pid, cpu, &err), ACTION_DONE);
	assert_int_equal(act_on_cpus(pid, cpu, &err), ACTION_ALREADY);
	assert_int_equal(host_watch_affinity(pid, &seen), 0);
	assert_string_equal(cpuset_format(&seen, text, sizeof(text)), cpu);
	assert_int_equal(act_on_cpus(pid, "1023", &err), ACTION_REPLAN);
	assert_int_equal(err.code, EINVAL);
	assert_non_null(strstr(err.text, "cannot have CPU 1023"));
	assert_non_null(strstr(err.why, "cpuset"));
	assert_int_equal(act_on_cpus(pid, part, &err), ACTION_REPLAN);
	assert_non_null(strstr(err.text, part));
	child_end(pid);
	assert_int_equal(act_on_cpus(pid, cpu, &err), ACTION_REPLAN);
	assert_int_equal(err.code, ESRCH);
}

static const struct sched_case {
	struct placement place;
	int result, policy;
} sched_cases[] = {
	{ { .policy = SCHED_CLASS_OTHER, .nice = 0 }, ACTION_ALREADY, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_OTHER, .nice = -20 }, ACTION_DONE, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_OTHER, .nice = -20, .priority = 5 }, ACTION_ALREADY,
		SCHED_OTHER },
	{ { .policy = SCHED_CLASS_FIFO, .priority = 1 }, ACTION_DONE, SCHED_FIFO },
	{ { .policy = SCHED_CLASS_FIFO, .priority = 1, .nice = 7 }, ACTION_ALREADY, SCHED_FIFO },
	{ { .policy = SCHED_CLASS_FIFO, .priority = 99 }, ACTION_DONE, SCHED_FIFO },
	{ { .policy = SCHED_CLASS_RR, .priority = 3 }, ACTION_DONE, SCHED_RR },
	{ { .policy = SCHED_CLASS_BATCH, .nice = 4 }, ACTION_DONE, SCHED_BATCH },
	{ { .policy = SCHED_CLASS_IDLE }, ACTION_DONE, SCHED_IDLE },
	{ { .policy = SCHED_CLASS_OTHER, .nice = 0 }, ACTION_DONE, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_FIFO, .priority = 0 }, ACTION_GIVE_UP, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_FIFO, .priority = 100 }, ACTION_GIVE_UP, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_FIFO, .priority = -1 }, ACTION_GIVE_UP, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_DEADLINE }, ACTION_GIVE_UP, SCHED_OTHER },
	{ { .policy = SCHED_CLASS_UNKNOWN }, ACTION_GIVE_UP, SCHED_OTHER },
};

static void test_sched(void **state)
{
	struct err err = { 0 };
	pid_t pid = child_start();

	(void)state;
	for (size_t i = 0; i < sizeof(sched_cases) / sizeof(sched_cases[0]); i++) {
		struct action action = {
			.kind = ACTION_THREAD_SCHED, .tid = pid, .place = sched_cases[i].place
		};
		struct sched_param param;

		assert_int_equal(host_act(&root, &action, &err), sched_cases[i].result);
		assert_int_equal(sched_getscheduler(pid), sched_cases[i].policy);
		if (sched_cases[i].result == ACTION_GIVE_UP)
			continue;
		assert_int_equal(sched_getparam(pid, &param), 0);
		if (param.sched_priority > 0)
			assert_int_equal(param.sched_priority, action.place.priority);
		else if (action.place.policy != SCHED_CLASS_IDLE)
			assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), action.place.nice);
	}
	child_end(pid);
	struct action action = { .kind = ACTION_THREAD_SCHED, .tid = pid };
	assert_int_equal(host_act(&root, &action, &err), ACTION_REPLAN);
	assert_int_equal(err.code, ESRCH);
}

/* Whether a thread's children inherit its policy is not ours to change. */
static void test_reset_on_fork_stays(void **state)
{
	struct sched_param param = { 0 };
	struct action action = { .kind = ACTION_THREAD_SCHED,
		.place = { .policy = SCHED_CLASS_FIFO, .priority = 1 } };
	struct err err = { 0 };

	(void)state;
	action.tid = child_start();
	assert_int_equal(host_act(&root, &action, &err), ACTION_DONE);
	assert_int_equal(sched_getscheduler(action.tid), SCHED_FIFO);
	assert_int_equal(
		sched_setscheduler(action.tid, SCHED_OTHER | SCHED_RESET_ON_FORK, &param), 0);
	assert_int_equal(host_act(&root, &action, &err), ACTION_DONE);
	assert_int_equal(sched_getscheduler(action.tid), SCHED_FIFO | SCHED_RESET_ON_FORK);
	child_end(action.tid);
}

static void test_autogroup(void **state)
{
	struct action action = { .kind = ACTION_AUTOGROUP, .place = { .nice = -20 } };
	struct err err = { 0 };
	int nice = 77;

	(void)state;
	action.tid = child_start();
	if (host_autogroup_read(&root, action.tid, &nice) == -ENOENT) {
		assert_int_equal(host_act(&root, &action, &err), ACTION_GIVE_UP);
		child_end(action.tid);
		return;
	}
	assert_int_equal(nice, 0);
	assert_int_equal(host_act(&root, &action, &err), ACTION_DONE);
	assert_int_equal(host_act(&root, &action, &err), ACTION_ALREADY);
	assert_int_equal(host_autogroup_read(&root, action.tid, &nice), 0);
	assert_int_equal(nice, -20);
	action.place.nice = 30;
	assert_int_equal(host_act(&root, &action, &err), ACTION_GIVE_UP);
	child_end(action.tid);
	assert_int_equal(host_act(&root, &action, &err), ACTION_REPLAN);
}

static const struct signal_case {
	const char *value;
	int result, signal;
} signal_cases[] = {
	{ "TERM", ACTION_DONE, SIGTERM },
	{ "KILL", ACTION_DONE, SIGKILL },
	{ "HUP", ACTION_GIVE_UP, 0 },
	{ "15", ACTION_GIVE_UP, 0 },
	{ "", ACTION_GIVE_UP, 0 },
};

static void test_signal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(signal_cases) / sizeof(signal_cases[0]); i++) {
		struct action action = { .kind = ACTION_SIGNAL, .tid = child_start() };
		struct err err = { 0 };
		int status = 0;

		snprintf(action.value, sizeof(action.value), "%s", signal_cases[i].value);
		assert_int_equal(host_act(&root, &action, &err), signal_cases[i].result);
		if (signal_cases[i].result == ACTION_DONE) {
			assert_int_equal(waitpid(action.tid, &status, 0), action.tid);
			assert_int_equal(WTERMSIG(status), signal_cases[i].signal);
			assert_int_equal(host_act(&root, &action, &err), ACTION_REPLAN);
		} else {
			assert_int_equal(waitpid(action.tid, &status, WNOHANG), 0);
			child_end(action.tid);
		}
	}
}

static void test_not_here(void **state)
{
	static const enum action_kind foreign[] = { ACTION_CG_CREATE, ACTION_CG_REMOVE,
		ACTION_CG_SET, ACTION_CG_ATTACH, ACTION_START, ACTION_QMP };
	struct tree tree;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct action action = { .kind = foreign[i], .tid = getpid() };
		assert_int_equal(host_act(&root, &action, &err), ACTION_GIVE_UP);
		assert_int_equal(err.code, ENOTSUP);
	}
	/* 0 would be the supervisor itself. */
	assert_int_equal(act_on_cpus(0, "0", &err), ACTION_GIVE_UP);
	/* A pid in a copied tree is nobody's here. */
	tree_make(&tree);
	struct action action = { .kind = ACTION_SIGNAL, .tid = gone_pid(), .value = "TERM" };
	assert_int_equal(host_act(&tree.root, &action, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EROFS);
	tree_remove(&tree);
}

/* A cpu cgroup of its own without a real-time budget refuses even root. */
static void test_no_rt_budget(void **state)
{
	char mount[MODEL_PATH], name[64], path[MODEL_PATH + 96], pid[16];
	struct action action = { .kind = ACTION_THREAD_SCHED,
		.place = { .policy = SCHED_CLASS_FIFO, .priority = 1 } };
	struct err err = { 0 };

	(void)state;
	if (!rights_rt_group_sched(&root) || rights_v1_cpu_mount(&root, mount, sizeof(mount)) < 0)
		skip();
	snprintf(name, sizeof(name), "/vfiosup-test-%d", getpid());
	snprintf(path, sizeof(path), "/%s%s", mount, name);
	assert_int_equal(mkdir(path, 0755), 0);
	action.tid = child_start();
	snprintf(pid, sizeof(pid), "%d", action.tid);
	snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount, name);
	int moved = root_write(&root, path, pid);
	enum action_result result = host_act(&root, &action, &err);
	child_end(action.tid);
	snprintf(path, sizeof(path), "/%s%s", mount, name);
	int removed = -1;
	for (int i = 0; i < 200 && removed < 0; i++) {
		removed = rmdir(path);
		usleep(1000);
	}
	assert_int_equal(moved, 0);
	assert_int_equal(removed, 0);
	assert_int_equal(result, ACTION_GIVE_UP);
	assert_int_equal(err.code, EPERM);
	assert_non_null(strstr(err.why, name));
	assert_non_null(strstr(err.why, "cpu.rt_runtime_us is 0"));
	assert_non_null(strstr(err.fix, name));
}

/* Runs in a child that has lost CAP_SYS_NICE; the exit status says which look failed. */
static int without_sys_nice(pid_t stranger)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };
	struct action action = { .kind = ACTION_THREAD_SCHED, .tid = getpid() };
	struct err err = { 0 };

	/* Raising a hard limit takes CAP_SYS_RESOURCE, which not every root has. */
	bool limits = setrlimit(RLIMIT_RTPRIO, &(struct rlimit){ 0, 5 }) == 0 &&
		      setrlimit(RLIMIT_NICE, &(struct rlimit){ 0, 40 }) == 0;

	if (syscall(SYS_setresuid, 65534, 65534, 65534) < 0 ||
		syscall(SYS_capset, &header, caps) < 0)
		return 1;
	if (rights_sys_nice(&root) || rights_may_rt(&root) || rights_may_nice(&root))
		return 2;
	action.place = (struct placement){ .policy = SCHED_CLASS_FIFO, .priority = 3 };
	if (host_act(&root, &action, &err) != ACTION_GIVE_UP || err.code != EPERM ||
		!strstr(err.why, "RLIMIT_RTPRIO of the thread is 0") || !err.fix[0])
		return 3;
	action.place = (struct placement){ .policy = SCHED_CLASS_OTHER, .nice = -5 };
	if (host_act(&root, &action, &err) != ACTION_GIVE_UP ||
		!strstr(err.why, "RLIMIT_NICE of the thread is 0"))
		return 4;
	action.tid = stranger;
	if (host_act(&root, &action, &err) != ACTION_GIVE_UP || !strstr(err.why, "another user's"))
		return 5;
	if (act_on_cpus(stranger, "0", &err) != ACTION_GIVE_UP || err.code != EPERM ||
		!strstr(err.why, "another user's"))
		return 6;
	action.kind = ACTION_SIGNAL;
	snprintf(action.value, sizeof(action.value), "TERM");
	if (host_act(&root, &action, &err) != ACTION_GIVE_UP || err.code != EPERM)
		return 7;
	if (!limits)
		return 0;
	setrlimit(RLIMIT_RTPRIO, &(struct rlimit){ 5, 5 });
	setrlimit(RLIMIT_NICE, &(struct rlimit){ 40, 40 });
	return rights_may_rt(&root) && rights_may_nice(&root) ? 0 : 8;
}

static void test_without_sys_nice(void **state)
{
	int status = 0;
	pid_t stranger = child_start();

	(void)state;
	if (geteuid() != 0 || cpuset_count(&allowed) < 2)
		skip();
	pid_t pid = fork();
	if (pid == 0)
		_exit(without_sys_nice(stranger));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	child_end(stranger);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_sched),
		cmocka_unit_test(test_reset_on_fork_stays),
		cmocka_unit_test(test_autogroup),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_not_here),
		cmocka_unit_test(test_no_rt_budget),
		cmocka_unit_test(test_without_sys_nice),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, open_root, close_root);
}
