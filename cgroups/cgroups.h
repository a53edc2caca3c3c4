/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_CGROUPS_H
#define CGROUPS_CGROUPS_H

#include "base/err.h"
#include "base/root.h"
#include "model/action.h"
#include "model/state.h"

/*
 * The door to the cpuset controller, wherever it is mounted: cgroup v1 (also in a hybrid), or v2. All
 * groups are named by their path below the hierarchy's root, without a leading slash.
 */
struct cgroups;

/* Finds out what is mounted (/proc/mounts, /proc/cgroups, cgroup.controllers). Never fails for want of
 * cgroups: then the mode is CG_MODE_NONE and cg_reason says why. -ENOMEM, or -errno of /proc. */
int cgroups_open(const struct root *root, struct cgroups **ret_cgroups, struct err *err);
void cgroups_close(struct cgroups *cgroups);

enum cg_mode cgroups_mode(const struct cgroups *cgroups);
const char *cgroups_reason(const struct cgroups *cgroups);

/*
 * Carries out CG_CREATE, CG_REMOVE, CG_SET and CG_ATTACH. Looks first (ALREADY), acts, reads back; on
 * GIVE_UP err says in words what the kernel said and why. `prior` of the action is filled in for
 * CG_SET and CG_ATTACH where it is empty, so that the journal can keep it: call cgroups_prior
 * before, see below.
 *
 * CG_CREATE of a v1 group also gives it the parent's cpuset.mems (and cpuset.cpus if it has none
 * yet), which a v1 cpuset needs before any task may enter. On v2 a group whose path has a component
 * "emulator", "iothreads" or "vcpus" is made threaded and its parent gets +cpuset in
 * cgroup.subtree_control; ancestors' subtree_control is written only where cpuset is missing there,
 * and that is an action of its own (CG_SET cgroup.subtree_control), not a side effect.
 * CG_REMOVE moves leftover tasks to the parent group and waits at most 200 ms for EBUSY to pass.
 * CG_ATTACH moves one thread (v1 tasks, v2 cgroup.threads); libcgroup does the writing.
 */
enum action_result cgroups_act(
	struct cgroups *cgroups, const struct action *action, struct err *err);

/* Fills in action->prior with what is there now (CG_SET: the file's value, CG_ATTACH: the thread's
 * group). 0 or -errno. Call it before the journal is written. */
int cgroups_prior(struct cgroups *cgroups, struct action *action);

/* The value of a file of a group, newline cut; "" allowed. Length or -errno. */
ssize_t cgroups_read(
	struct cgroups *cgroups, const char *group, const char *file, char *value, size_t size);

/* The group that a thread (or process) is in, from /proc/TID/cgroup: "" for the root. 0 or -errno. */
int cgroups_of_thread(struct cgroups *cgroups, pid_t tid, char *group, size_t size);

/* The tids (v1 tasks, v2 cgroup.threads) of a group into an array that the caller frees. */
int cgroups_threads(
	struct cgroups *cgroups, const char *group, pid_t **ret_tids, size_t *ret_count);

/* Effective cpus of a group. 0 or -errno. */
int cgroups_effective_cpus(struct cgroups *cgroups, const char *group, struct cpuset *ret_cpus);

/* The cgroup of this process in the cpu controller and its rt_runtime_us, where RT_GROUP_SCHED has
 * such a file (v1): -ENOENT otherwise. For diagnosing EPERM of SCHED_FIFO. */
int cgroups_rt_budget(
	struct cgroups *cgroups, pid_t pid, char *group, size_t size, long *ret_runtime_us);

#endif
