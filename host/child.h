/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* fork(2) with all signals blocked in the child, so that no handler of ours runs there. */
pid_t child_fork(void);

/* Starts this program once more, with another command line, as a process that belongs to nobody: a session of its
 * own, signals as by default, the standard descriptors on /dev/null. 0 or -errno; whether it runs is not known. */
int child_start_self(const char *const *argv);

/*
 * Runs `work` in a forked child and waits for its answer: for what may block for ever or needs
 * another user's rights. `reply` is `size` bytes that the child fills; what the caller put there is
 * where the child starts from. The child has one thread, all signals blocked, and dies with the
 * caller. 0; -ETIMEDOUT past the deadline (it was killed); -ECHILD if it died without an answer;
 * -errno if it could not be made. `reply` is unchanged on failure. The child is reaped, unless it
 * sits in an uninterruptible system call: then the next wait for any child gets it.
 */
int child_ask(void (*work)(void *context, void *reply), void *context, void *reply, size_t size,
	uint64_t deadline_ns);

#endif
