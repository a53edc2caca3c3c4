/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_STAT_H
#define HOST_STAT_H

#include "base/root.h"
#include "model/state.h"

/* Flags of field 9, from the kernel's include/linux/sched.h. */
enum { TASK_KTHREAD = 0x00200000, TASK_NO_SETAFFINITY = 0x04000000 };

/* What is used of /proc/PID/stat and /proc/PID/task/TID/stat, proc_pid_stat(5). */
struct task_stat {
	char comm[64]; /* kernel workers have more than COMM_SIZE */
	char state;
	unsigned flags;
	int nice;
	uint64_t start_ticks; /* since boot */
	int priority;         /* of real time, 0 for the others */
	unsigned policy;
};

/* Survives anything in comm: blanks, brackets, newlines. 0 or -EINVAL. */
int task_stat_parse(const char *text, struct task_stat *ret);

/* `task` is relative to the root: "proc/4711", "proc/4711/task/4712". -ESRCH if it is gone. */
int task_stat_read(const struct root *root, const char *task, struct task_stat *ret);

#endif
