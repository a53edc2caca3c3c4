/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include "base/err.h"
#include "base/root.h"
#include "base/strbuf.h"

#include <stdint.h>
#include <sys/types.h>

/* What makes a pid the same process after a while: field 22 of stat (clock ticks since boot) and the
 * executable's device and inode. */
struct process_identity {
	pid_t pid;
	uint64_t start_ticks;
	uint64_t exe_device, exe_inode;
	char boot_id[40];
};

/* -ESRCH if it is gone or a zombie. */
int process_identify(const struct root *root, pid_t pid, struct process_identity *ret);
bool process_same(const struct process_identity *a, const struct process_identity *b);

/* pidfd_open(2), and pidfd_send_signal(2). */
int process_pidfd(pid_t pid);
int process_signal(int pidfd, int signal);

/* A user of the password database. */
struct user {
	char name[64];
	unsigned uid, gid;
};
int user_find(
	const char *name, struct user *ret, struct err *err); /* -ENOENT: fix says how to make it */

/*
 * Can `user` open the file for reading (and writing)? Tried for real in a child that has become this
 * user (with the group kvm besides, as QEMU will have). 0; -EACCES, -ENOENT, ... with the first
 * directory on the way that stands against it named in err.why, and what would help in err.fix.
 */
int process_may_open(const struct user *user, const char *path, bool write, struct err *err);

/* This process's CPU time so far in ns (all threads), its resident and anonymous memory in bytes. */
struct process_usage {
	uint64_t cpu_ns, rss_bytes, anon_bytes, virtual_bytes;
	unsigned open_fds, max_fds, threads;
	double start_time; /* Unix seconds */
};
int process_usage(const struct root *root, struct process_usage *ret);

#endif
