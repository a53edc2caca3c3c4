/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "cgroups/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The kernel has a handful of errnos for many rules of cpusets, and they differ between versions: so
 * the rules are looked at, in the order in which it checks them. */
enum cause {
	CAUSE_NOT_A_LIST,
	CAUSE_ROOT,      /* the root group's sets belong to the kernel */
	CAUSE_NOT_THERE, /* CPUs that the host does not have, or that are offline */
	CAUSE_CHILD,     /* v1: a group below has more */
	CAUSE_PARENT,    /* v1: the parent has less */
	CAUSE_EMPTY,     /* v1: a group with tasks cannot be left without any */
	CAUSE_EXCLUSIVE, /* a sibling, or this one, will not share */
	CAUSE_PERMISSION,
	CAUSE_UNKNOWN,
};

struct list_case {
	bool root, v1, list, tasks, exclusive;
	int r;
	struct cpuset wanted, host, parent;
	char child[MODEL_PATH], sibling[MODEL_PATH]; /* "": none stands against it */
	struct cpuset child_set, sibling_set;
};

static enum cause cause_of(const struct list_case *c)
{
	if (!c->list)
		return CAUSE_NOT_A_LIST;
	if (c->root)
		return CAUSE_ROOT;
	if (!cpuset_subset(&c->wanted, &c->host))
		return CAUSE_NOT_THERE;
	if (c->v1 && c->child[0])
		return CAUSE_CHILD;
	if (c->v1 && !cpuset_subset(&c->wanted, &c->parent))
		return CAUSE_PARENT;
	if (c->v1 && cpuset_empty(&c->wanted) && c->tasks)
		return CAUSE_EMPTY;
	if (c->sibling[0])
		return CAUSE_EXCLUSIVE;
	return c->r == -EACCES || c->r == -EPERM ? CAUSE_PERMISSION : CAUSE_UNKNOWN;
}

static void look_below(
	struct cgroups *cgroups, const char *group, const char *file, struct list_case *c)
{
	AUTO_STRLIST struct strlist names = { 0 };
	char child[MODEL_PATH];
	struct cpuset set;

	if (cg_children(cgroups, group, &names) < 0)
		return;
	for (size_t i = 0; i < names.count && !c->child[0]; i++) {
		if (!group_child(group, names.items[i], child) ||
			cg_read_list(cgroups, child, file, &set) < 0 ||
			cpuset_subset(&set, &c->wanted))
			continue;
		snprintf(c->child, sizeof(c->child), "%s", child);
		c->child_set = set;
	}
}

static bool is_exclusive(struct cgroups *cgroups, const char *group, const char *file)
{
	char value[CPUSET_TEXT];
	const char *flag =
		strcmp(file, "cpuset.mems") == 0 ? "cpuset.mem_exclusive" : "cpuset.cpu_exclusive";

	if (cgroups->cpuset.mode == CG_MODE_V1)
		return cgroups_read(cgroups, group, flag, value, sizeof(value)) > 0 &&
		       strcmp(value, "1") == 0;
	return cgroups_read(cgroups, group, "cpuset.cpus.exclusive", value, sizeof(value)) > 0;
}

static void look_beside(struct cgroups *cgroups, const char *group, const char *parent,
	const char *file, struct list_case *c)
{
	AUTO_STRLIST struct strlist names = { 0 };
	char sibling[MODEL_PATH];
	struct cpuset set;

	c->exclusive = is_exclusive(cgroups, group, file);
	if (cg_children(cgroups, parent, &names) < 0)
		return;
	for (size_t i = 0; i < names.count && !c->sibling[0]; i++) {
		if (!group_child(parent, names.items[i], sibling) || strcmp(sibling, group) == 0 ||
			cg_read_list(cgroups, sibling, file, &set) < 0 ||
			!cpuset_overlap(&set, &c->wanted))
			continue;
		if (!c->exclusive && !is_exclusive(cgroups, sibling, file))
			continue;
		snprintf(c->sibling, sizeof(c->sibling), "%s", sibling);
		c->sibling_set = set;
	}
}

/* Not the root group's own cpuset.cpus.effective: on v2 that lacks the CPUs of partitions. */
static void look_at_host(struct cgroups *cgroups, const char *file, struct list_case *c)
{
	bool v1 = cgroups->cpuset.mode == CG_MODE_V1;
	char text[CPUSET_TEXT];
	int r;

	if (strcmp(file, "cpuset.mems") == 0)
		r = cg_read_list(
			cgroups, "", v1 ? "cpuset.mems" : "cpuset.mems.effective", &c->host);
	else if (root_read(&cgroups->root, "sys/devices/system/cpu/online", text, sizeof(text)) < 0)
		r = -ENOENT;
	else
		r = cpuset_parse(text, &c->host);
	if (r < 0)
		c->host = c->wanted;
}

static void look(struct cgroups *cgroups, const char *group, const char *file, struct list_case *c)
{
	AUTO_FREE pid_t *tids = NULL;
	char parent[MODEL_PATH];
	size_t count = 0;

	c->v1 = cgroups->cpuset.mode == CG_MODE_V1;
	c->root = !group_parent(group, parent);
	look_at_host(cgroups, file, c);
	if (c->root)
		return;
	if (cg_read_list(cgroups, parent, file, &c->parent) < 0)
		c->parent = c->wanted;
	c->tasks = cgroups_threads(cgroups, group, &tids, &count) == 0 && count > 0;
	look_below(cgroups, group, file, c);
	look_beside(cgroups, group, parent, file, c);
}

static void say_parent(
	const struct list_case *c, const char *group, const char *file, struct err *err)
{
	struct cpuset beyond = cpuset_minus(&c->wanted, &c->parent);
	char parent[MODEL_PATH], have[CPUSET_TEXT], lack[CPUSET_TEXT];

	group_parent(group, parent);
	err_why(err, "its parent %s has only %.100s, not %.100s", group_words(parent),
		cpuset_format(&c->parent, have, sizeof(have)),
		cpuset_format(&beyond, lack, sizeof(lack)));
	err_fix(err, "widen %s of %s first", file, group_words(parent));
}

static void say_child(const struct list_case *c, const char *file, struct err *err)
{
	char have[CPUSET_TEXT];

	err_why(err, "the group %s below it still has %.200s", c->child,
		cpuset_format(&c->child_set, have, sizeof(have)));
	err_fix(err, "cut back %s of %s first", file, c->child);
}

static void say_sibling(const struct list_case *c, struct err *err)
{
	char have[CPUSET_TEXT];

	err_why(err, "%s, and %s beside it has %.200s",
		c->exclusive ? "the group is exclusive" : "a group is exclusive", c->sibling,
		cpuset_format(&c->sibling_set, have, sizeof(have)));
}

static void say_not_there(const struct list_case *c, const char *file, struct err *err)
{
	struct cpuset beyond = cpuset_minus(&c->wanted, &c->host);
	char have[CPUSET_TEXT], lack[CPUSET_TEXT];

	err_why(err, "the host has %s %.100s; %.100s does not exist or is offline",
		strcmp(file, "cpuset.mems") == 0 ? "memory nodes" : "CPUs",
		cpuset_format(&c->host, have, sizeof(have)),
		cpuset_format(&beyond, lack, sizeof(lack)));
}

static void say(const struct list_case *c, enum cause cause, const char *group, const char *file,
	struct err *err)
{
	switch (cause) {
	case CAUSE_NOT_A_LIST:
		err_why(err, "that is not a list such as 0-2,5");
		break;
	case CAUSE_ROOT:
		err_why(err, "the root group always has all that the host has");
		break;
	case CAUSE_NOT_THERE:
		say_not_there(c, file, err);
		break;
	case CAUSE_CHILD:
		say_child(c, file, err);
		break;
	case CAUSE_PARENT:
		say_parent(c, group, file, err);
		break;
	case CAUSE_EMPTY:
		err_why(err, "the group has tasks, which need at least one");
		break;
	case CAUSE_EXCLUSIVE:
		say_sibling(c, err);
		break;
	case CAUSE_PERMISSION:
		err_why(err, "we may not write it: it takes root, or a delegated group");
		break;
	case CAUSE_UNKNOWN:
		if (c->r == -EBUSY)
			err_why(err, "SCHED_DEADLINE tasks in it would not have room any more");
		break;
	}
}

enum action_result cg_explain_list(struct cgroups *cgroups, const char *group, const char *file,
	const char *value, int r, struct err *err)
{
	struct list_case c = { .r = r };

	c.list = cpuset_parse(value, &c.wanted) == 0;
	if (c.list)
		look(cgroups, group, file, &c);
	enum cause cause = cause_of(&c);
	say(&c, cause, group, file, err);
	return cause == CAUSE_NOT_THERE ? ACTION_REPLAN : cg_result_of(r);
}
