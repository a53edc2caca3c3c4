/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_HIERARCHY_H
#define CGROUPS_HIERARCHY_H

#include "base/root.h"
#include "cgroups/mounts.h"
#include "model/state.h"

#include <limits.h>

/* Where one controller is. */
struct hierarchy {
	enum cg_mode mode;
	char controller[16];     /* "cpuset", "cpu" */
	char dir[PATH_MAX];      /* mount point below the root, no leading slash */
	char top[MODEL_PATH];    /* the group mounted there, "" for the root of the hierarchy */
	char reason[MODEL_PATH]; /* CG_MODE_NONE: why, in words */
};

/* The v1 hierarchy if the controller is mounted there, else v2 if it is among cgroup.controllers. */
void hierarchy_find(const struct root *root, const struct mounts *mounts, const char *controller,
	struct hierarchy *ret_hierarchy);

/*
 * The group that the text of a /proc/PID/cgroup names for this hierarchy, without leading slash, or
 * ".." in front if it lies outside what is mounted. 0, -ENOENT if there is no such line,
 * -ENAMETOOLONG.
 */
int hierarchy_group_of(
	const struct hierarchy *hierarchy, const char *text, char *group, size_t size);

#endif
