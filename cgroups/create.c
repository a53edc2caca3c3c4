/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A new group under way: what was done already, and what goes wrong is said once. */
struct creation {
	struct cgroups *cgroups;
	const char *group;
	char parent[MODEL_PATH];
	bool changed;
	struct err *err;
};

static void explain_mkdir(const struct creation *creation, int r)
{
	const char *parent = group_words(creation->parent);

	err_set(creation->err, -r, "cannot make the cgroup %s: %s", creation->group, strerror(-r));
	if (r == -ENOENT)
		err_why(creation->err, "its parent %s is not there", parent);
	else if (r == -EAGAIN)
		err_why(creation->err,
			"cgroup.max.depth or cgroup.max.descendants of an ancestor is reached");
	else if (r == -EACCES || r == -EPERM)
		err_why(creation->err,
			"we may not write to %s: it takes root, or a delegated group", parent);
}

static int make(struct creation *creation)
{
	if (cg_exists(creation->cgroups, creation->group))
		return 0;
	if (mkdirat(creation->cgroups->tree.fd, creation->group, 0755) < 0 && errno != EEXIST) {
		int r = -errno;

		explain_mkdir(creation, r);
		return r;
	}
	creation->changed = true;
	return 0;
}

static int write_file(
	struct creation *creation, const char *group, const char *file, const char *value)
{
	int r = cg_set(creation->cgroups, group, file, value);

	if (r < 0)
		err_set(creation->err, -r, "cannot write \"%s\" to %s of the cgroup %s: %s", value,
			file, group_words(group), strerror(-r));
	else
		creation->changed = true;
	return r;
}

static int not_kept(struct creation *creation, const char *file)
{
	return err_set(creation->err, EIO, "the cgroup %s does not keep what was written to %s",
		group_words(creation->group), file);
}

/* A v1 cpuset begins with no CPU and no memory node, and takes no task before it has both. */
static int inherit(struct creation *creation, const char *file)
{
	char value[CPUSET_TEXT];
	ssize_t n = cgroups_read(creation->cgroups, creation->group, file, value, sizeof(value));

	if (n > 0)
		return 0;
	if (n == 0)
		n = cgroups_read(creation->cgroups, creation->parent, file, value, sizeof(value));
	if (n < 0)
		return err_set(creation->err, (int)-n, "cannot read %s for the new cgroup %s: %s",
			file, creation->group, strerror((int)-n));
	if (n == 0) {
		err_set(creation->err, ENOSPC, "the cgroup %s cannot take tasks", creation->group);
		err_why(creation->err, "%s of its parent %s is empty, so it has none to give", file,
			group_words(creation->parent));
		return -ENOSPC;
	}
	int r = write_file(creation, creation->group, file, value);
	if (r == 0 &&
		cgroups_read(creation->cgroups, creation->group, file, value, sizeof(value)) <= 0)
		r = not_kept(creation, file);
	return r;
}

static int complete_v1(struct creation *creation)
{
	int r = inherit(creation, "cpuset.mems");

	return r < 0 ? r : inherit(creation, "cpuset.cpus");
}

static int make_threaded(struct creation *creation)
{
	int r;

	if (cg_is_threaded(creation->cgroups, creation->group))
		return 0;
	r = write_file(creation, creation->group, "cgroup.type", "threaded");
	if (r == -EOPNOTSUPP)
		err_why(creation->err,
			"%s cannot be the root of threads: it has a controller in "
			"cgroup.subtree_control that knows no threads (memory, io), or processes "
			"in "
			"groups below it",
			group_words(creation->parent));
	if (r == 0 && !cg_is_threaded(creation->cgroups, creation->group))
		r = not_kept(creation, "cgroup.type");
	return r;
}

static int offer_cpuset(struct creation *creation)
{
	int r;

	if (cg_has_file(creation->cgroups, creation->group, "cpuset.cpus"))
		return 0;
	r = write_file(creation, creation->parent, "cgroup.subtree_control", "+cpuset");
	if (r == -ENOENT)
		err_why(creation->err,
			"%s has no cpuset controller itself: an ancestor's cgroup.subtree_control "
			"lacks "
			"+cpuset",
			group_words(creation->parent));
	if (r == 0 && !cg_has_file(creation->cgroups, creation->group, "cpuset.cpus"))
		r = not_kept(creation, "cgroup.subtree_control of its parent");
	return r;
}

/* Below a threaded group everything is threaded, or of no use ("domain invalid"). */
static int complete_v2(struct creation *creation)
{
	int r;

	if (!group_is_slot(creation->group) && !cg_is_threaded(creation->cgroups, creation->parent))
		return 0;
	r = make_threaded(creation);
	return r < 0 ? r : offer_cpuset(creation);
}

enum action_result cg_act_create(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err)
{
	struct creation creation = { .cgroups = cgroups, .group = group, .err = err };

	(void)action;
	if (!group_parent(group, creation.parent))
		return ACTION_ALREADY;
	int r = make(&creation);
	if (r == 0)
		r = cgroups->cpuset.mode == CG_MODE_V1 ? complete_v1(&creation)
						       : complete_v2(&creation);
	if (r < 0)
		return cg_result_of(r);
	return creation.changed ? ACTION_DONE : ACTION_ALREADY;
}
