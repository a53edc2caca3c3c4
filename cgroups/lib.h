/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_LIB_H
#define CGROUPS_LIB_H

#include <sys/types.h>

/*
 * libcgroup, for a live root only. It keeps one table of mounts for the whole process, read at
 * cg_lib_init; groups are looked up below the first mount of the cpuset controller. All return 0 or
 * the kernel's -errno, and nothing is printed.
 *
 * What is done without it, and why: groups are made with mkdir(2), since its cgroup_create_cgroup
 * switches the controller on in every ancestor; an empty value is written directly, since it skips
 * empty lines; cgroup_attach_thread_tid (3.2) is left alone, since on v1 it moves the whole process,
 * where cgroup_attach_task_pid of every release moves the one thread into a v1 group or a threaded
 * one; reading goes through struct root, since its cgroup_get_procs never returns for a threaded
 * group and its reader of /proc/PID/cgroup knows neither v2's line nor a path with a blank.
 */
int cg_lib_init(void);

/* `group` "" is the root; `value` is not empty. */
int cg_lib_set(const char *group, const char *file, const char *value);

/* Writes the group's tasks (v1) or, where its type is threaded, its cgroup.threads (v2). */
int cg_lib_attach(const char *group, pid_t tid);

#endif
