/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_WATCH_TICK_H
#define SUPERVISOR_WATCH_TICK_H

#include "host/threads.h"
#include "supervisor/watch.h"

#include <stdatomic.h>

/* The main thread fills a FREE slot and hands it over as WATCHED, asks for it back with LEAVING, and
 * has it again when the watch thread has answered LEFT. */
enum slot_state { SLOT_FREE, SLOT_WATCHED, SLOT_LEAVING, SLOT_LEFT };

enum { WATCHED_KINDS = DRIFT_NICE + 1 }; /* affinity, policy, nice */

struct watch_slot {
	_Atomic enum slot_state state;
	struct watch_order order;
	int schedstat_fd, stat_fd;
	_Atomic uint64_t every_ns;

	/* The watch thread's own. */
	uint64_t next_ns;
	struct latency latency;
	struct remedy remedies[WATCHED_KINDS];
	uint64_t seen_ns[WATCHED_KINDS]; /* when a drift that is open was first seen */

	/* Written by the watch thread, read by the main thread. */
	_Atomic unsigned open, failing, fighting;
	_Atomic bool gone;
	_Atomic uint64_t repaired[WATCHED_KINDS], worst_ns;
};

/* One look at one thread: samples, compares, repairs. True if the main thread should hear of it. */
bool watch_tick_slot(struct watch_slot *slot, uint64_t now_ns);

#endif
