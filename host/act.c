/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "host/process.h"
#include "host/rights.h"
#include "host/sched.h"
#include "host/stat.h"
#include "host/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What the kernel's answer means for the one who asked. */
static enum action_result result_of(int r)
{
	switch (-r) {
	case 0:
		return ACTION_DONE;
	case ESRCH:
		return ACTION_REPLAN;
	case EAGAIN:
	case EBUSY:
	case EINTR:
	case ENOMEM:
		return ACTION_RETRY;
	default:
		return ACTION_GIVE_UP;
	}
}

static enum action_result gone(const struct action *action, struct err *err)
{
	err_set(err, ESRCH, "thread %d is gone", action->tid);
	return ACTION_REPLAN;
}

static enum action_result failed(const struct action *action, int r, struct err *err)
{
	if (r == -ESRCH)
		return gone(action, err);
	err_set(err, -r, "%s of thread %d: %s", action_kind_name(action->kind), action->tid,
		strerror(-r));
	return result_of(r);
}

/* EINVAL of host_fix_affinity: the kernel keeps this thread where it is, for good (io_uring's workers,
 * kernel threads of one CPU), or not all of the CPUs are there for it now. */
static enum action_result affinity_refused(
	const struct root *root, const struct action *action, const char *wanted, struct err *err)
{
	char task[32], text[CPUSET_TEXT];
	struct task_stat stat;
	struct cpuset seen;

	snprintf(task, sizeof(task), "proc/%d", action->tid);
	int r = task_stat_read(root, task, &stat);
	if (r == 0)
		r = host_watch_affinity(action->tid, &seen);
	if (r < 0)
		return failed(action, r, err);
	err_set(err, EINVAL, "thread %d cannot have CPU %.200s; it has %.200s", action->tid, wanted,
		cpuset_format(&seen, text, sizeof(text)));
	if (stat.flags & TASK_NO_SETAFFINITY) {
		err_why(err, "the kernel itself keeps \"%s\" on its CPUs", stat.comm);
		return ACTION_GIVE_UP;
	}
	err_why(err, "a CPU is offline, or outside the thread's cpuset");
	return ACTION_REPLAN;
}

static enum action_result act_affinity(
	const struct root *root, const struct action *action, struct err *err)
{
	const struct cpuset *cpus = &action->place.cpus;
	char wanted[CPUSET_TEXT];
	struct cpuset before;
	int r = host_watch_affinity(action->tid, &before);

	if (r < 0)
		return failed(action, r, err);
	if (cpuset_equal(&before, cpus))
		return ACTION_ALREADY;
	cpuset_format(cpus, wanted, sizeof(wanted));
	r = host_fix_affinity(action->tid, cpus);
	if (r == 0)
		return ACTION_DONE;
	if (r == -EINVAL)
		return affinity_refused(root, action, wanted, err);
	enum action_result result = failed(action, r, err);
	if (r == -EPERM) {
		err_why(err, "no CAP_SYS_NICE here, and the thread is another user's");
		err_fix(err, "run the supervisor as root, or with CAP_SYS_NICE");
	}
	return result;
}

static void describe_policy(const struct placement *place, char *text, size_t size)
{
	const char *name = sched_class_name(place->policy);

	if (sched_is_realtime(place->policy))
		snprintf(text, size, "%s %d", name, place->priority);
	else
		snprintf(text, size, "%s nice %d", name, place->nice);
}

static enum action_result act_sched(
	const struct root *root, const struct action *action, struct err *err)
{
	struct placement before;
	char wanted[64];
	int r = host_watch_policy(action->tid, &before);

	if (r < 0)
		return failed(action, r, err);
	if (sched_equal(&before, &action->place))
		return ACTION_ALREADY;
	describe_policy(&action->place, wanted, sizeof(wanted));
	r = host_fix_policy(action->tid, &action->place);
	if (r == 0)
		return ACTION_DONE;
	if (r == -ESRCH)
		return gone(action, err);
	err_set(err, -r, "thread %d cannot become %s: %s", action->tid, wanted, strerror(-r));
	if (r == -EPERM)
		rights_explain(root, action->tid, &action->place, err);
	if (r == -EAGAIN)
		err_why(err, "something else set it at the same moment");
	return result_of(r);
}

static enum action_result act_autogroup(
	const struct root *root, const struct action *action, struct err *err)
{
	char path[48], value[16];
	int nice, r = host_autogroup_read(root, action->tid, &nice);

	if (r == -ENOENT) {
		err_set(err, ENOENT, "process %d has no autogroup", action->tid);
		err_why(err,
			"the kernel has no CONFIG_SCHED_AUTOGROUP, or the session was made while "
			"kernel.sched_autogroup_enabled was 0");
		return ACTION_GIVE_UP;
	}
	if (r < 0)
		return failed(action, r, err);
	if (nice == action->place.nice)
		return ACTION_ALREADY;
	snprintf(path, sizeof(path), "proc/%d/autogroup", action->tid);
	snprintf(value, sizeof(value), "%d", action->place.nice);
	r = root_write(root, path, value);
	if (r == 0)
		r = host_autogroup_read(root, action->tid, &nice);
	if (r < 0) {
		enum action_result result = failed(action, r == -ENOENT ? -ESRCH : r, err);
		if (r == -EPERM || r == -EACCES)
			err_why(err, "nice %s for the session needs root or CAP_SYS_NICE", value);
		return result;
	}
	if (nice == action->place.nice)
		return ACTION_DONE;
	err_set(err, EAGAIN, "autogroup of process %d was to be nice %s and reads back %d",
		action->tid, value, nice);
	return ACTION_RETRY;
}

static enum action_result act_signal(const struct action *action, struct err *err)
{
	int signal = strcmp(action->value, "TERM") == 0   ? SIGTERM
		     : strcmp(action->value, "KILL") == 0 ? SIGKILL
							  : 0;

	if (!signal || action->tid <= 1) {
		err_set(err, EINVAL, "signal \"%.16s\" to process %d is none that is sent here",
			action->value, action->tid);
		return ACTION_GIVE_UP;
	}
	AUTO_CLOSE int pidfd = process_pidfd(action->tid);
	int r = pidfd < 0 ? pidfd : process_signal(pidfd, signal);
	if (r == -ESRCH) {
		err_set(err, ESRCH, "process %d is gone", action->tid);
		return ACTION_REPLAN;
	}
	if (r < 0)
		err_set(err, -r, "cannot send SIG%s to process %d: %s", action->value, action->tid,
			strerror(-r));
	return result_of(r);
}

static enum action_result act_sysfs(
	const struct root *root, const struct action *action, struct err *err)
{
	char value[sizeof(action->value)];
	ssize_t n = root_read(root, action->file, value, sizeof(value));

	if (n >= 0 && strcmp(value, action->value) == 0)
		return ACTION_ALREADY;
	int r = n < 0 ? (int)n : root_write(root, action->file, action->value);
	if (r == 0)
		n = root_read(root, action->file, value, sizeof(value));
	if (r < 0 || n < 0) {
		r = r < 0 ? r : (int)n;
		err_set(err, -r, "cannot write \"%.64s\" to /%s: %s", action->value, action->file,
			strerror(-r));
		return result_of(r);
	}
	if (strcmp(value, action->value) == 0)
		return ACTION_DONE;
	err_set(err, EIO, "/%s was to be \"%.64s\" and reads back \"%.64s\"", action->file,
		action->value, value);
	return ACTION_GIVE_UP;
}

enum action_result host_act(const struct root *root, const struct action *action, struct err *err)
{
	if (!root->live) {
		err_set(err, EROFS, "%s: this is a copied tree, not the running host",
			action_kind_name(action->kind));
		return ACTION_GIVE_UP;
	}
	if (action->tid <= 0 && action->kind != ACTION_SYSFS_WRITE) {
		err_set(err, EINVAL, "%s: no thread is named", action_kind_name(action->kind));
		return ACTION_GIVE_UP;
	}
	switch (action->kind) {
	case ACTION_THREAD_AFFINITY:
		return act_affinity(root, action, err);
	case ACTION_THREAD_SCHED:
		return act_sched(root, action, err);
	case ACTION_AUTOGROUP:
		return act_autogroup(root, action, err);
	case ACTION_SIGNAL:
		return act_signal(action, err);
	case ACTION_SYSFS_WRITE:
		return act_sysfs(root, action, err);
	default:
		err_set(err, ENOTSUP, "%s is not carried out by this room",
			action_kind_name(action->kind));
		return ACTION_GIVE_UP;
	}
}
