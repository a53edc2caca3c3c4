/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_UNITS_H
#define CGROUPS_UNITS_H

#include "base/cpuset.h"
#include "base/err.h"
#include "base/root.h"
#include "base/source.h"
#include "base/strbuf.h"

#include <sys/types.h>

/*
 * QEMU as a transient service of systemd's (design §2): forked by PID 1 from a clean environment, in a
 * cgroup that outlives us. Connections to systemd are made for each use and closed after it: a bus that
 * is restarted meanwhile does no harm.
 */

/* What the service is. Everything is borrowed until `started` was called, or unit_start_free. */
struct unit {
	char name[64]; /* "vfiosup-mediapc.service" */
	char description[128];
	const char *user;
	const struct strlist *argv, *env; /* the environment is this and nothing else */
	const struct cpuset *cpus;        /* where its threads are born */
	bool lock_memory;                 /* RLIMIT_MEMLOCK without a limit */
	bool kvm_group;                   /* the group kvm besides the user's own */
	int stdin_fd;                     /* the service's descriptor 0 */
	int log_fd;                       /* its 1 and 2 */
};

/* systemd is PID 1 of this host and takes orders from us (root); root is the live one. */
bool units_here(const struct root *root);

struct unit_start;

/* The service runs, its program executed: its main pid; or pid 0 and why it does not. Called once. */
typedef void unit_started_fn(void *arg, pid_t pid, const struct err *err);

/*
 * Asks systemd to start it; `started` comes from within process of unit_start_source, which the caller
 * puts into the loop with *ret_start. A unit of this name that is just being cleared away is waited for.
 * Pid 0 is certain: there is no such service. As long as systemd does not say so it is asked again.
 * 0 or -errno with words. unit_start_free at any time: what was asked for may happen all the same.
 */
int unit_start(const struct unit *unit, unit_started_fn *started, void *arg,
	struct unit_start **ret_start, struct err *err);

/* The same, where the order was given already and nobody knows what has come of it. */
int unit_find(const struct unit *unit, unit_started_fn *started, void *arg,
	struct unit_start **ret_start, struct err *err);
void unit_start_free(struct unit_start *start); /* NULL is fine */
extern const struct source_ops unit_start_source;

/* The main process of a service that runs, or is about to (then it is waited for, 2 s at most). 1 and the
 * pid; 0 there is none; -errno with words: nobody can tell. Blocks. */
int unit_main_pid(const char *name, pid_t *ret_pid, struct err *err);

#endif
