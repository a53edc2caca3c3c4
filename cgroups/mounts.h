/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_MOUNTS_H
#define CGROUPS_MOUNTS_H

#include "base/root.h"

#include <stdbool.h>
#include <stddef.h>

/* A mounted cgroup file system. All texts but `dir` and `top` are the kernel's, unescaped; they lie in
 * `line`. */
struct mount {
	char *line;
	bool v2, read_only;
	const char *dir; /* mount point below the root, without its leading slash */
	const char *top; /* the group that is mounted there: "/", in containers also "/docker/x" */
	const char *options;       /* of the mount, or of mount and super block */
	const char *super_options; /* "" where only /proc/mounts could be read */
};

struct mounts {
	struct mount *items;
	size_t count;
};

/*
 * All mounts of type cgroup and cgroup2, in the order of mounting, from /proc/self/mountinfo, or from
 * /proc/mounts (which does not know `top`) where a copied root lacks it. 0, -ENOMEM, or -errno of
 * /proc. Free with mounts_free, not needed on failure.
 */
int mounts_read(const struct root *root, struct mounts *ret_mounts);
void mounts_free(struct mounts *mounts);

/* A word in either list of options: "cpuset", "noprefix". */
bool mount_has_option(const struct mount *mount, const char *option);

/* One line of either file, cut up in place. False if it is no cgroup mount. For mounts_read, and for
 * its test. */
bool mount_parse_mountinfo(char *line, struct mount *ret_mount);
bool mount_parse_mounts(char *line, struct mount *ret_mount);

#endif
