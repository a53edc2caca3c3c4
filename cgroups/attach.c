/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/lib.h"
#include "cgroups/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int write_id(struct cgroups *cgroups, const char *group, const char *file, pid_t id)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)id);
	return cg_write(cgroups, group, file, text);
}

/*
 * One thread may go only where its process's other threads could be, that is below the same threaded
 * domain (EOPNOTSUPP otherwise); into another domain the process goes as a whole, and its leader
 * stands for it. libcgroup writes the right file only for a threaded group with the controller on.
 */
static int move_v2(struct cgroups *cgroups, const char *group, pid_t tid)
{
	bool threaded = cg_is_threaded(cgroups, group);
	int r;

	if (threaded && cg_has_file(cgroups, group, "cpuset.cpus"))
		r = cg_lib_attach(group, tid);
	else
		r = write_id(cgroups, group, "cgroup.threads", tid);
	if (r == -EOPNOTSUPP && cg_process_of(cgroups, tid) == tid)
		r = write_id(cgroups, group, "cgroup.procs", tid);
	return r;
}

int cg_move(struct cgroups *cgroups, const char *group, pid_t tid)
{
	return cgroups->cpuset.mode == CG_MODE_V1 ? cg_lib_attach(group, tid)
						  : move_v2(cgroups, group, tid);
}

static void explain_unsupported(struct cgroups *cgroups, pid_t tid, struct err *err)
{
	pid_t process = cg_process_of(cgroups, tid);

	if (process == tid)
		err_why(err, "the group cannot hold processes now: its type is \"domain invalid\"");
	else
		err_why(err,
			"it belongs to process %d, which is in another domain: only whole "
			"processes "
			"cross over",
			(int)process);
}

static void explain(struct cgroups *cgroups, const char *group, pid_t tid, int r, struct err *err)
{
	const char *words = group_words(group);

	switch (-r) {
	case ESRCH:
		err_why(err, "the thread is gone");
		break;
	case ENOENT:
	case ENODEV:
		err_why(err, "the group is gone");
		break;
	case ENOSPC:
		err_why(err, "cpuset.cpus or cpuset.mems of %s is empty", words);
		break;
	case EINVAL:
		err_why(err, "a kernel thread that is bound to its CPU cannot be moved");
		break;
	case EOPNOTSUPP:
		explain_unsupported(cgroups, tid, err);
		break;
	case EBUSY:
		err_why(err,
			"%s passes controllers on to the groups below it and so holds no "
			"processes, or "
			"its CPUs have no bandwidth left for SCHED_DEADLINE",
			words);
		break;
	case EPERM:
	case EACCES:
		err_why(err, "we may not move tasks there: it takes root, or a delegated group");
		break;
	}
}

static enum action_result read_back(
	struct cgroups *cgroups, const char *group, pid_t tid, struct err *err)
{
	char seen[MODEL_PATH];
	int r = cgroups_of_thread(cgroups, tid, seen, sizeof(seen));

	if (r < 0) {
		err_set(err, -r, "thread %d was moved into the cgroup %s and is gone", (int)tid,
			group_words(group));
		return cg_result_of(r);
	}
	if (strcmp(seen, group) == 0)
		return ACTION_DONE;
	err_set(err, EAGAIN, "thread %d was moved into the cgroup %s and is in %s at once again",
		(int)tid, group_words(group), group_words(seen));
	return ACTION_REPLAN;
}

enum action_result cg_act_attach(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err)
{
	char seen[MODEL_PATH];
	pid_t tid = action->tid;

	/* 0 would be ourselves. */
	if (tid <= 0) {
		err_set(err, EINVAL, "cg-attach needs a thread");
		return ACTION_GIVE_UP;
	}
	int r = cgroups_of_thread(cgroups, tid, seen, sizeof(seen));
	if (r == 0 && strcmp(seen, group) == 0)
		return ACTION_ALREADY;
	if (r == 0 || r == -ENAMETOOLONG)
		r = cg_move(cgroups, group, tid);
	if (r == 0)
		return read_back(cgroups, group, tid, err);
	err_set(err, -r, "cannot move thread %d into the cgroup %s: %s", (int)tid,
		group_words(group), strerror(-r));
	explain(cgroups, group, tid, r, err);
	return cg_result_of(r);
}
