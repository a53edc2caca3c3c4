/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "cgroups/lib.h"
#include "cgroups/private.h"

#include <errno.h>
#include <string.h>

/* libcgroup 3 takes the kernel's EOPNOTSUPP for success, and that is what the hierarchy's own files
 * ("cgroup.type") answer with; it has no way to write an empty value. */
static bool past_libcgroup(const char *file, const char *value)
{
	return !value[0] || strncmp(file, "cgroup.", strlen("cgroup.")) == 0;
}

int cg_set(struct cgroups *cgroups, const char *group, const char *file, const char *value)
{
	if (past_libcgroup(file, value))
		return cg_write(cgroups, group, file, value);
	/* libcgroup tells a missing file and one that may not be written apart only by luck. */
	if (!cg_has_file(cgroups, group, file))
		return -ENOENT;
	return cg_lib_set(group, file, value);
}

static bool is_list(const char *file)
{
	static const char *const lists[] = { "cpuset.cpus", "cpuset.mems",
		"cpuset.cpus.exclusive" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(file, lists[i]) == 0)
			return true;
	return false;
}

static bool same_list(const char *a, const char *b)
{
	struct cpuset left, right;

	return cpuset_parse(a, &left) == 0 && cpuset_parse(b, &right) == 0 &&
	       cpuset_equal(&left, &right);
}

static bool has_word(const char *text, const char *word, size_t length)
{
	for (const char *at = text; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == length && strncmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}

/* "+cpuset -pids" against "cpuset cpu". */
static bool controllers_hold(const char *wanted, const char *seen)
{
	for (const char *at = wanted; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n < 2 || has_word(seen, at + 1, n - 1) != (*at == '+'))
			return false;
		at += n;
	}
	return true;
}

static bool holds(const char *file, const char *wanted, const char *seen)
{
	if (is_list(file))
		return same_list(wanted, seen);
	if (strcmp(file, "cgroup.subtree_control") == 0)
		return controllers_hold(wanted, seen);
	return strcmp(wanted, seen) == 0;
}

static void explain_controllers(struct cgroups *cgroups, const char *group, int r, struct err *err)
{
	const char *words = group_words(group);

	(void)cgroups;
	if (r == -ENOENT)
		err_why(err, "%s does not have that controller itself: see its cgroup.controllers",
			words);
	else if (r == -EBUSY)
		err_why(err,
			"%s holds processes, or a group below still uses it: processes belong into "
			"groups without groups below",
			words);
	else if (r == -EOPNOTSUPP)
		err_why(err, "%s is threaded, or lies below a group that is", words);
}

static enum action_result refused(struct cgroups *cgroups, const struct action *action,
	const char *group, int r, struct err *err)
{
	err_set(err, -r, "%s of the cgroup %s: the kernel refuses \"%s\": %s", action->file,
		group_words(group), action->value, strerror(-r));
	if (r == -ENOENT && !cg_exists(cgroups, group))
		err_why(err, "the group is gone");
	else if (strcmp(action->file, "cgroup.subtree_control") == 0)
		explain_controllers(cgroups, group, r, err);
	else if (r == -ENOENT)
		err_why(err, "the group has no such file%s",
			cgroups->cpuset.mode == CG_MODE_V2
				? ": its parent's cgroup.subtree_control lacks the controller"
				: "");
	else if (r == -EROFS)
		err_why(err, "the cgroup file system is mounted read-only");
	else if (is_list(action->file))
		return cg_explain_list(cgroups, group, action->file, action->value, r, err);
	else if (r == -EACCES || r == -EPERM)
		err_why(err, "we may not write it: it takes root, or a delegated group");
	return cg_result_of(r);
}

static enum action_result read_back(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err)
{
	char seen[CPUSET_TEXT];
	ssize_t n = cgroups_read(cgroups, group, action->file, seen, sizeof(seen));

	if (n >= 0 && holds(action->file, action->value, seen))
		return ACTION_DONE;
	if (n < 0) {
		err_set(err, (int)-n, "%s of the cgroup %s was written and cannot be read back: %s",
			action->file, group_words(group), strerror((int)-n));
		return cg_result_of((int)n);
	}
	err_set(err, EINVAL, "%s of the cgroup %s: wanted \"%s\", the kernel says \"%.200s\"",
		action->file, group_words(group), action->value, seen);
	return ACTION_GIVE_UP;
}

/* A list that was set once cannot be emptied on v2 as long as the group has tasks (ENOSPC; systemd stumbles over
 * it, too: systemd#43846). All CPUs that can be are the same to whoever is in it. */
static enum action_result widen(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err)
{
	struct action all = *action;
	const char *possible = strcmp(action->file, "cpuset.mems") == 0
				       ? "sys/devices/system/node/possible"
				       : "sys/devices/system/cpu/possible";
	ssize_t n = root_read(&cgroups->root, possible, all.value, sizeof(all.value));
	int r = n < 0 ? (int)n : cg_set(cgroups, group, all.file, all.value);

	return r < 0 ? refused(cgroups, &all, group, r, err) : read_back(cgroups, &all, group, err);
}

static bool moves_tasks(const char *file)
{
	return strcmp(file, "tasks") == 0 || strcmp(file, "cgroup.procs") == 0 ||
	       strcmp(file, "cgroup.threads") == 0 || strcmp(file, "cgroup.kill") == 0;
}

enum action_result cg_act_set(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err)
{
	char path[GROUP_FILE_PATH], seen[CPUSET_TEXT];

	if (group_file(group, action->file, path) < 0 || moves_tasks(action->file)) {
		err_set(err, EINVAL, "\"%s\" is not a setting of a cgroup", action->file);
		return ACTION_GIVE_UP;
	}
	ssize_t n = cgroups_read(cgroups, group, action->file, seen, sizeof(seen));
	if (n >= 0 && holds(action->file, action->value, seen))
		return ACTION_ALREADY;
	int r = cg_set(cgroups, group, action->file, action->value);
	if (r == -ENOSPC && !action->value[0] && cgroups->cpuset.mode == CG_MODE_V2)
		return widen(cgroups, action, group, err);
	if (r < 0)
		return refused(cgroups, action, group, r, err);
	return read_back(cgroups, action, group, err);
}
