/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/lib.h"
#include "cgroups/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void none(struct hierarchy *hierarchy, const char *what, int r)
{
	hierarchy->mode = CG_MODE_NONE;
	snprintf(hierarchy->reason, sizeof(hierarchy->reason), "%.180s: %s", what, strerror(-r));
}

/* The hierarchy may still turn out to be out of reach; then the mode is CG_MODE_NONE. */
static void enter(struct cgroups *cgroups)
{
	struct hierarchy *cpuset = &cgroups->cpuset;

	if (cpuset->mode == CG_MODE_NONE)
		return;
	int fd = root_open_file(
		&cgroups->root, cpuset->dir[0] ? cpuset->dir : ".", O_PATH | O_DIRECTORY);
	if (fd < 0) {
		none(cpuset, cpuset->dir, fd);
		return;
	}
	cgroups->tree = (struct root){ .fd = fd, .live = cgroups->root.live };
	int r = cgroups->root.live ? cg_lib_init() : 0;
	if (r < 0)
		none(cpuset, "libcgroup finds no cgroups", r);
}

static int look(const struct root *root, const struct mounts *mounts, struct cgroups *cgroups)
{
	cgroups->tree.fd = -1;
	cgroups->root = (struct root){ fcntl(root->fd, F_DUPFD_CLOEXEC, 0), root->live };
	if (cgroups->root.fd < 0)
		return -errno;
	hierarchy_find(root, mounts, "cpuset", &cgroups->cpuset);
	hierarchy_find(root, mounts, "cpu", &cgroups->cpu);
	enter(cgroups);
	return 0;
}

int cgroups_open(const struct root *root, struct cgroups **ret_cgroups, struct err *err)
{
	struct mounts mounts;
	int r = mounts_read(root, &mounts);

	if (r < 0)
		return err_set(err, -r, "cannot read what is mounted (proc/self/mountinfo): %s",
			strerror(-r));
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups));
	r = cgroups ? look(root, &mounts, cgroups) : -ENOMEM;
	mounts_free(&mounts);
	if (r < 0) {
		free(cgroups);
		return err_set(err, -r, "cannot look at the cgroups: %s", strerror(-r));
	}
	*ret_cgroups = cgroups;
	return 0;
}

void cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	root_close(&cgroups->root);
	root_close(&cgroups->tree);
	free(cgroups);
}

enum cg_mode cgroups_mode(const struct cgroups *cgroups)
{
	return cgroups->cpuset.mode;
}

const char *cgroups_reason(const struct cgroups *cgroups)
{
	return cgroups->cpuset.reason;
}
