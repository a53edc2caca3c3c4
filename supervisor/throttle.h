/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_THROTTLE_H
#define SUPERVISOR_THROTTLE_H

#include "supervisor/supervisor.h"

/*
 * The kernel's real-time throttle (sched_rt_runtime_us), lifted while a VM runs whose plan wants it
 * (place_plan.lift_throttle), given back when the last of them has ended. Without a supervisor it would be
 * dangerous: RUN_DIR/lease stands for that time, and `restore --lease` (lease.h) gives it back if nobody
 * takes the VMs over within 30 s.
 */

/* What an earlier supervisor has lifted is ours to give back. Before the VMs are looked for. */
void throttle_find(struct supervisor *sup);

/* Plans are made for the host as it is without us: its value, where we have lifted it. */
void throttle_as_before(const struct supervisor *sup, struct host_state *host);

/* Lifts it, gives it back, or neither: as the VMs that run now want it. */
void throttle_keep(struct supervisor *sup);

/* The journal and the lease once more, in a new run directory. */
void throttle_write_again(struct supervisor *sup);

/* Given back at once, whoever runs. True if there was something. */
bool throttle_give_back(struct supervisor *sup);

#endif
