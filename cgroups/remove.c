/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cgroups/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BUSY_MS = 200, PAUSE_MS = 2 };

static void pause_a_moment(void)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * (long)NS_PER_MS };

	nanosleep(&pause, NULL);
}

/* All of them, or the first refusal that is not just a task that ended meanwhile. */
static int move_all(struct cgroups *cgroups, const char *to, const pid_t *tids, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && (r == 0 || r == -ESRCH); i++)
		r = cg_move(cgroups, to, tids[i]);
	return r == -ESRCH ? 0 : r;
}

/* On v2 the parent of a domain group may hold no processes (EBUSY): then the next one above does, the
 * root at the latest. */
static int empty(struct cgroups *cgroups, const char *group)
{
	bool whole = cgroups->cpuset.mode == CG_MODE_V2 && !cg_is_threaded(cgroups, group);
	const char *file = cgroups->cpuset.mode == CG_MODE_V1 ? "tasks"
			   : whole                            ? "cgroup.procs"
							      : "cgroup.threads";
	AUTO_FREE pid_t *tids = NULL;
	size_t count = 0;
	char to[MODEL_PATH];
	int r = cg_read_ids(cgroups, group, file, &tids, &count);

	snprintf(to, sizeof(to), "%s", group);
	while (r == 0 && count && group_parent(to, to)) {
		r = move_all(cgroups, to, tids, count);
		if (r == 0)
			break;
		if (r == -EBUSY || r == -EOPNOTSUPP || r == -ENOSPC)
			r = to[0] ? 0 : r;
	}
	return r;
}

static bool has_children(struct cgroups *cgroups, const char *group, struct err *err)
{
	AUTO_STRLIST struct strlist names = { 0 };

	if (cg_children(cgroups, group, &names) < 0 || names.count == 0)
		return false;
	err_set(err, ENOTEMPTY, "the cgroup %s cannot be removed: it has groups below it", group);
	err_why(err, "there is %s/%s%s", group, names.items[0], names.count > 1 ? " and more" : "");
	return true;
}

static enum action_result still_busy(struct cgroups *cgroups, const char *group, struct err *err)
{
	pid_t pid = 0;

	err_set(err, EBUSY, "the cgroup %s cannot be removed: still busy after %d ms", group,
		BUSY_MS);
	if (cgroups_busy(cgroups, group, &pid) == 1)
		err_why(err, "process %d is in it", (int)pid);
	return ACTION_RETRY;
}

static enum action_result failed(const char *group, int r, struct err *err)
{
	err_set(err, -r, "the cgroup %s cannot be removed: %s", group, strerror(-r));
	if (r == -EACCES || r == -EPERM)
		err_why(err, "we may not write to its parent: it takes root, or a delegated group");
	return cg_result_of(r);
}

enum action_result cg_act_remove(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err)
{
	uint64_t deadline_ns = clock_now_ns() + BUSY_MS * NS_PER_MS;
	bool first = true;
	int r;

	(void)action;
	if (!group[0])
		return failed(group_words(group), -EINVAL, err);
	for (;; first = false) {
		r = unlinkat(cgroups->tree.fd, group, AT_REMOVEDIR) < 0 ? -errno : 0;
		if (r == 0)
			return ACTION_DONE;
		if (r == -ENOENT)
			return first ? ACTION_ALREADY : ACTION_DONE;
		if (r != -EBUSY && r != -ENOTEMPTY)
			return failed(group, r, err);
		if (has_children(cgroups, group, err))
			return ACTION_GIVE_UP;
		if (clock_now_ns() >= deadline_ns)
			return still_busy(cgroups, group, err);
		r = empty(cgroups, group);
		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return failed(group, r, err);
		if (!first)
			pause_a_moment();
	}
}
