/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_LOOP_H
#define SUPERVISOR_LOOP_H

#include "base/source.h"

/* The main thread's loop over libev. All that brings events is a source; a timer is a source without
 * a descriptor, a signal one with a signalfd. */
struct loop;
struct loop_source;

struct loop *loop_new(void); /* NULL: no memory, no epoll */
void loop_free(struct loop *loop);

/* From now on `ops` are asked and called with `source`, until loop_remove: also from within its own
 * process. NULL: no memory. The caller owns `source`. */
struct loop_source *loop_add(struct loop *loop, const struct source_ops *ops, void *source);
void loop_remove(struct loop *loop, struct loop_source *source); /* NULL is fine */

/* For sources that lack one of these: a timer has no descriptor, and not everything has a deadline. */
int loop_no_fd(void *source);
short loop_no_events(void *source);
uint64_t loop_no_deadline(void *source);

/* Until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
