/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_HISTORY_H
#define SUPERVISOR_HISTORY_H

#include "base/log.h"
#include "base/strbuf.h"

#include <sys/types.h>

/*
 * RUN_DIR/NAME.log: what the log said of a VM, with the time. It outlives the VM and the supervisor. What is
 * beyond 64 KiB is begun anew, and the old one kept as NAME.log.1. A run directory that is full costs lines
 * and nothing else.
 */
struct history {
	int run_fd;
	bool failing; /* said once */
};

/* A log_keep_fn; `arg` is the history. */
void history_keep(void *arg, enum log_level level, const char *vm, const char *words);

void history_remove(int run_fd, const char *vm);

/* How far somebody has read. Zero: nothing yet. */
struct history_place {
	ino_t inode;
	off_t offset;
};

/* Adds what has come since. 0 or -errno: -ENOENT there is none (yet). */
int history_read(int run_fd, const char *vm, struct history_place *place, struct strbuf *text);

#endif
