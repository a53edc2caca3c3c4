/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdint.h>

/*
 * What the loop knows of anything that brings events (QMP, control, HTTP): a descriptor, what to
 * poll it for, when to look without being asked, and what to do then. The loop asks the first three
 * anew after each turn, so a source may change them at any time. All are called with `source`.
 */
struct source_ops {
	int (*fd)(void *source);               /* -1: none now */
	short (*events)(void *source);         /* POLLIN | POLLOUT as in poll(2) */
	uint64_t (*deadline_ns)(void *source); /* monotonic; CLOCK_NEVER: none */
	void (*process)(void *source, short revents, uint64_t now_ns);
};

#endif
