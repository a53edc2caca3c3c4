/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_LEASE_H
#define SUPERVISOR_LEASE_H

#include "supervisor/supervisor.h"

/*
 * RUN_DIR/lease is there while a change of the host is in force that must not outlive its supervisor. A small
 * process watches it: vfio-sup-lease.path starts it under systemd, else the supervisor itself does.
 */
int lease_begin(struct supervisor *sup,
	struct err *err); /* 0, also if it stands already; -errno with words */
void lease_end(struct supervisor *sup);

/* Once a second: there must be a watcher, whoever was to start it. */
void lease_check(struct supervisor *sup, uint64_t now_ns);

#endif
