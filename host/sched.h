/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_SCHED_H
#define HOST_SCHED_H

#include "model/state.h"

/* sched_getattr(2) and sched_setattr(2), which no library wraps on Debian 12. One system call each;
 * 0 or -errno. The second keeps the thread's reset-on-fork flag as `flags` has it from the first. */
int sched_read(pid_t tid, struct placement *ret_place, uint64_t *ret_flags);
int sched_write(pid_t tid, const struct placement *place, uint64_t flags);

/* Is the policy, with the number that matters under it, the same? */
bool sched_equal(const struct placement *a, const struct placement *b);

/* The kernel's number of a policy (SCHED_FIFO = 1, ...) as a class, and back (-1: none). */
enum sched_class sched_class_of(unsigned policy);
int sched_number_of(enum sched_class policy);

static inline bool sched_is_realtime(enum sched_class policy)
{
	return policy == SCHED_CLASS_FIFO || policy == SCHED_CLASS_RR;
}

#endif
