/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_WATCH_H
#define SUPERVISOR_WATCH_H

#include "base/root.h"
#include "plan/remedy.h"
#include "supervisor/counters.h"

/*
 * The watch thread (design §2, §4): each tick, of every vCPU thread it was given, the run-queue wait,
 * the affinity and the policy; what drifted is put right in the tick that sees it. It allocates
 * nothing, opens nothing, waits for nobody. All functions here are the main thread's.
 */
struct watch;

enum { WATCH_SLOTS = 1024 };

/* What the watch thread looks after. */
struct watch_order {
	pid_t pid, tid;
	struct placement place; /* wanted; cpus within what is online */
	bool compare_nice;
	enum spec_on_drift on_drift;
	uint64_t tick_ns, stall_ns;
	struct counters *counters; /* of the VM: must live until watch_remove */
	struct latency_counters *latency;
};

/* What it sees of a thread, read at any time. */
struct watch_view {
	unsigned open;     /* bits of 1 << drift_kind: seen and not (yet) repaired */
	unsigned failing;  /* the same: the kernel refused the last repair: the slow tick's turn */
	unsigned fighting; /* the same: something keeps undoing it, repairs are in back-off */
	bool gone;         /* the thread is no more */
	uint64_t repaired[DRIFT_NICE + 1]; /* repairs of this thread, by kind, since it was added */
};

/* `wake_fd`: an eventfd that is written to whenever something was repaired, failed or went. 0 or
 * -errno. */
int watch_start(const struct root *root, int wake_fd, struct watch **ret_watch);
void watch_stop(struct watch *watch); /* all slots must be removed */

/* A slot, or -errno (-ENOSPC: all are taken; -ESRCH). */
int watch_add(struct watch *watch, const struct watch_order *order);

/* Takes it from the thread, waiting until it has let go (less than a tick). -1 is fine. */
void watch_remove(struct watch *watch, int slot);

/* Looks less often while the VM is paused or asleep. */
void watch_slow_down(struct watch *watch, int slot, bool slow);

/* The longest wait of the thread within one tick since the last call, in ns. */
uint64_t watch_take_worst(struct watch *watch, int slot);

struct watch_view watch_see(const struct watch *watch, int slot);

/* Has it ticked lately? Also true while it has nothing to watch. */
bool watch_alive(const struct watch *watch, uint64_t now_ns);

/* Ticks that came so late that others were left out; the thread's own CPU clock. */
uint64_t watch_overruns(const struct watch *watch);

#endif
