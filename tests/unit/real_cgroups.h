/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_REAL_CGROUPS_H
#define TESTS_UNIT_REAL_CGROUPS_H

/* Real groups below one of the test's own at the root, and a real process to move about. */
#include "cgroups/cgroups.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { EXTRA_THREADS = 3, TIDS = EXTRA_THREADS + 1 };

static struct root root;
static struct cgroups *cgroups;
static char top[64]; /* "vfiosup-test-PID" */

/* A process of several threads that only sleep. */
struct child {
	pid_t pid, tids[TIDS]; /* tids[0] is the leader's */
};

static struct child child;

static inline void *sleeper(void *arg)
{
	int fd = *(int *)arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	if (write(fd, &tid, sizeof(tid)) == sizeof(tid))
		for (;;)
			pause();
	return NULL;
}

static inline void child_main(int fd)
{
	pthread_t threads[EXTRA_THREADS];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60);
	for (int i = 0; i < EXTRA_THREADS; i++)
		pthread_create(&threads[i], NULL, sleeper, &fd);
	for (;;)
		pause();
}

static inline void child_start(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0)
		child_main(fds[1]);
	close(fds[1]);
	child.tids[0] = child.pid;
	for (int i = 1; i < TIDS; i++)
		assert_int_equal(read(fds[0], &child.tids[i], sizeof(pid_t)), sizeof(pid_t));
	close(fds[0]);
}

static inline void child_end(void)
{
	if (child.pid > 0) {
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
	}
	child.pid = 0;
}

static inline struct action about(enum action_kind kind, const char *below)
{
	struct action action = { .kind = kind };

	snprintf(action.group, sizeof(action.group), "%s%s%s", top, below[0] ? "/" : "", below);
	return action;
}

static inline enum action_result create(const char *below, struct err *err)
{
	struct action action = about(ACTION_CG_CREATE, below);

	return cgroups_act(cgroups, &action, err);
}

static inline enum action_result destroy(const char *below, struct err *err)
{
	struct action action = about(ACTION_CG_REMOVE, below);

	return cgroups_act(cgroups, &action, err);
}

static inline enum action_result set(
	const char *below, const char *file, const char *value, struct err *err)
{
	struct action action = about(ACTION_CG_SET, below);

	snprintf(action.file, sizeof(action.file), "%s", file);
	snprintf(action.value, sizeof(action.value), "%.1000s", value);
	return cgroups_act(cgroups, &action, err);
}

static inline enum action_result attach(const char *below, pid_t tid, struct err *err)
{
	struct action action = about(ACTION_CG_ATTACH, below);

	action.tid = tid;
	return cgroups_act(cgroups, &action, err);
}

static inline void want(enum action_result result, enum action_result wanted, const struct err *err)
{
	if (result != wanted)
		fail_msg("%s instead of %s: %s; %s", action_result_name(result),
			action_result_name(wanted), err->text, err->why);
}

#define WANT(wanted, call)                                                                         \
	do {                                                                                       \
		struct err err_ = { 0 };                                                           \
		enum action_result result_ = (call);                                               \
		want(result_, (wanted), &err_);                                                    \
	} while (0)
/* In calls inside WANT. */
#define ERR (&err_)

static inline void assert_file(const char *below, const char *file, const char *value)
{
	struct action at = about(ACTION_CG_SET, below);
	char text[256];

	assert_true(cgroups_read(cgroups, at.group, file, text, sizeof(text)) >= 0);
	assert_string_equal(text, value);
}

static inline void assert_in(pid_t tid, const char *below)
{
	struct action at = about(ACTION_CG_SET, below);
	char group[MODEL_PATH];

	assert_int_equal(cgroups_of_thread(cgroups, tid, group, sizeof(group)), 0);
	assert_string_equal(group, at.group);
}

/* What somebody else would do with a shell, in the first mount with both words in its line. */
static inline void write_raw(
	const char *type, const char *option, const char *below, const char *file, const char *text)
{
	struct action at = about(ACTION_CG_SET, below);
	char *mount = NULL, path[1024];
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	AUTO_FILE FILE *mounts = fopen("/proc/mounts", "r");
	assert_non_null(mounts);
	while (!mount && getline(&line, &size, mounts) >= 0)
		if (strstr(line, type) && strstr(line, option))
			mount = strtok(strchr(line, ' '), " ");
	assert_non_null(mount);
	snprintf(path, sizeof(path), "%s/%s/%s", mount, at.group, file);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline int group_setup(void **state)
{
	struct err err;

	(void)state;
	snprintf(top, sizeof(top), "vfiosup-test-%d", (int)getpid());
	return root_open(&root, "/") < 0 ? -1 : cgroups_open(&root, &cgroups, &err);
}

static inline int group_teardown(void **state)
{
	(void)state;
	cgroups_close(cgroups);
	root_close(&root);
	return 0;
}

#endif
