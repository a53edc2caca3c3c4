/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_CGROUPS_H
#define CGROUPS_CGROUPS_H

#include "base/err.h"
#include "base/root.h"
#include "model/action.h"
#include "model/state.h"

/*
 * The door to the cpuset controller, wherever it is mounted: cgroup v1 (also in a hybrid), or v2. All
 * groups are named by their path below what is mounted, without a leading slash ("" is the root); one
 * with a leading slash is taken for the same. A path that would lead elsewhere is -EINVAL. Without
 * cgroups (CG_MODE_NONE) everything but cgroups_rt_budget is -ENOTSUP. For one thread at a time.
 */
struct cgroups;

/*
 * Finds out what is mounted (/proc/self/mountinfo or /proc/mounts, /proc/cgroups, cgroup.controllers).
 * Never fails for want of cgroups: then the mode is CG_MODE_NONE and the reason says why (not
 * mounted, read-only, not in this kernel, not passed on to this container). A copied root can be read,
 * not changed. `root` may be closed afterwards. -ENOMEM, or -errno of /proc.
 */
int cgroups_open(const struct root *root, struct cgroups **ret_cgroups, struct err *err);
void cgroups_close(struct cgroups *cgroups);

enum cg_mode cgroups_mode(const struct cgroups *cgroups);
const char *cgroups_reason(const struct cgroups *cgroups);

/*
 * Carries out CG_CREATE, CG_REMOVE, CG_SET and CG_ATTACH. Looks first (ALREADY), acts, reads back; on
 * any other result err says in words what the kernel said and why: REPLAN where a thread, a group or
 * a CPU is gone, RETRY where it may pass, else GIVE_UP. It does not fill in action->prior: call
 * cgroups_prior before the journal is written.
 *
 * CG_CREATE makes one group, not its parents. A v1 group also gets the parent's cpuset.mems and
 * cpuset.cpus where it has none yet, which a v1 cpuset needs before any task may enter. On v2 a group
 * emulator, iothreads or vcpus right below one named "vm", and anything below a threaded group, is
 * made threaded and its parent gets +cpuset in cgroup.subtree_control; further up that is an action
 * of its own (CG_SET cgroup.subtree_control), not a side effect. A group that is there is completed
 * the same way; whether it is empty is the caller's business (cgroups_busy).
 *
 * CG_SET takes any file but those that move or kill tasks. Lists of CPUs are compared as sets,
 * cgroup.subtree_control by its "+" and "-" words. An empty value empties the file.
 *
 * CG_ATTACH moves one thread (v1 tasks, v2 cgroup.threads; libcgroup does the writing). Into another
 * domain, as from outside into "vm" or straight into "vm/emulator", v2 lets only whole processes:
 * the leader's tid then moves its process (cgroup.procs), any other tid is GIVE_UP.
 *
 * CG_REMOVE moves leftover tasks to the parent group (on v2 to the nearest ancestor that may hold
 * them) and waits at most 200 ms for EBUSY to pass, then RETRY. It takes no group below along:
 * with one there, err.code is ENOTEMPTY, GIVE_UP, and no task was moved.
 */
enum action_result cgroups_act(
	struct cgroups *cgroups, const struct action *action, struct err *err);

/* Fills in action->prior and prior_known with what is there now (CG_SET: the file's value, CG_ATTACH:
 * the thread's group, "" for the root). 0 or -errno. */
int cgroups_prior(struct cgroups *cgroups, struct action *action);

/* The value of a file of a group, newline cut; "" allowed. Length or -errno. */
ssize_t cgroups_read(
	struct cgroups *cgroups, const char *group, const char *file, char *value, size_t size);

/* The group that a thread (or process) is in, from /proc/TID/cgroup: "" for the root, "../..." if it
 * lies outside what is mounted here. 0, -ESRCH if the thread is gone, -errno. */
int cgroups_of_thread(struct cgroups *cgroups, pid_t tid, char *group, size_t size);

/* The tids (v1 tasks, v2 cgroup.threads) of a group into an array that the caller frees (NULL if there
 * are none). 0 or -errno. */
int cgroups_threads(
	struct cgroups *cgroups, const char *group, pid_t **ret_tids, size_t *ret_count);

/* 1 and the pid of one process if the group or any below it has tasks, 0 if all are empty, -errno
 * (-ENOENT: no such group). The pid is 0 for a process of another pid namespace. */
int cgroups_busy(struct cgroups *cgroups, const char *group, pid_t *ret_pid);

/* Effective cpus of a group, on v2 without the controller those of the nearest ancestor that has it.
 * 0 or -errno. */
int cgroups_effective_cpus(struct cgroups *cgroups, const char *group, struct cpuset *ret_cpus);

/* The cgroup of this process in the cpu controller and its cpu.rt_runtime_us, where RT_GROUP_SCHED has
 * such a file (v1): -ENOENT otherwise. For diagnosing EPERM of SCHED_FIFO. */
int cgroups_rt_budget(
	struct cgroups *cgroups, pid_t pid, char *group, size_t size, long *ret_runtime_us);

#endif
