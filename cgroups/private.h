/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_PRIVATE_H
#define CGROUPS_PRIVATE_H

#include "base/strbuf.h"
#include "cgroups/cgroups.h"
#include "cgroups/group.h"
#include "cgroups/hierarchy.h"

/* What the files of this room share. Groups given to these are tidy and valid. */
struct cgroups {
	struct root root; /* a copy of its own */
	struct root tree; /* the mount point of cpuset; -1: none */
	struct hierarchy cpuset, cpu;
};

bool cg_exists(const struct cgroups *cgroups, const char *group);
bool cg_has_file(const struct cgroups *cgroups, const char *group, const char *file);

/* One write(2) to a file of a group, past libcgroup. An empty value is written as a bare newline,
 * which is how the kernel takes it. 0 or -errno. */
int cg_write(const struct cgroups *cgroups, const char *group, const char *file, const char *value);

/* A cpu or node list. 0, -EINVAL if it is none, or -errno of reading it. */
int cg_read_list(struct cgroups *cgroups, const char *group, const char *file, struct cpuset *ret);

/* The numbers of tasks, cgroup.procs or cgroup.threads; the caller frees *ret_ids. */
int cg_read_ids(struct cgroups *cgroups, const char *group, const char *file, pid_t **ret_ids,
	size_t *ret_count);

/* Names of the groups right below. 0 or -errno. */
int cg_children(const struct cgroups *cgroups, const char *group, struct strlist *ret_names);

/* v2: cgroup.type is "threaded". */
bool cg_is_threaded(struct cgroups *cgroups, const char *group);

/* The process that a thread belongs to, or -errno (-ESRCH). */
pid_t cg_process_of(const struct cgroups *cgroups, pid_t tid);

/* What an errno of the kernel's means for whoever asked: gone is REPLAN, passing is RETRY. */
enum action_result cg_result_of(int r);

/* The four actions: the mode is v1 or v2 and the root a live one. */
enum action_result cg_act_create(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err);
enum action_result cg_act_remove(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err);
enum action_result cg_act_set(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err);
enum action_result cg_act_attach(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err);

/* One thread into a group, whichever way the kernel takes it. 0 or -errno. */
int cg_move(struct cgroups *cgroups, const char *group, pid_t tid);

/* Writes a value through libcgroup, or directly where it cannot. 0 or -errno. */
int cg_set(struct cgroups *cgroups, const char *group, const char *file, const char *value);

/*
 * After the kernel refused (`r`, -errno) a cpuset.cpus or cpuset.mems: looks for the cause and says it
 * in err. REPLAN for CPUs that the host does not have (now).
 */
enum action_result cg_explain_list(struct cgroups *cgroups, const char *group, const char *file,
	const char *value, int r, struct err *err);

#endif
