/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_LIB_H
#define CGROUPS_LIB_H

#include <sys/types.h>

/*
 * libcgroup, for a live root only. It keeps one table of mounts for the whole process, read at
 * cg_lib_init; groups are looked up below the first mount of the cpuset controller. All return 0 or
 * the kernel's -errno, and nothing is printed.
 *
 * What is done without it, and why [source: 2.0.2, 3.1.0, 3.2.0]:
 * - making groups: cgroup_create_cgroup switches the controller on in every ancestor.
 * - cgroup.* files and empty values: cgroup_modify_cgroup of 3.x takes EOPNOTSUPP for success, all
 *   releases skip empty lines. 3.x also skips files without a write bit: read back what was set.
 * - cgroup_attach_thread_tid (3.2): on v1 it writes cgroup.procs and so moves the whole process.
 *   cgroup_attach_task_pid of every release moves the one thread into a v1 group or a threaded one.
 * - reading: cgroup_get_procs loops until memory runs out on a threaded group, its reader of
 *   /proc/PID/cgroup knows neither v2's line nor a path with a blank, and none knows a copied root.
 */
int cg_lib_init(void);

/* `group` "" is the root; `value` is not empty. */
int cg_lib_set(const char *group, const char *file, const char *value);

/* Writes the group's tasks (v1) or, where its type is threaded, its cgroup.threads (v2). */
int cg_lib_attach(const char *group, pid_t tid);

#endif
