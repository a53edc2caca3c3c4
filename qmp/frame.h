/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_FRAME_H
#define QMP_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum { FRAME_MAX = 1 << 20, FRAME_DEPTH_MAX = 64 };

/* Cuts a byte stream into JSON messages, one a line. Zero-initialise; frame_free. */
struct frame {
	char *bytes;
	size_t start, end, size; /* unread bytes are [start, end) */
	size_t scanned;          /* of them, looked at already */
	size_t message;          /* length of the message handed out last */
	unsigned depth;
	bool in_string, escaped;
};

/* Room for at least `want` more bytes: returns where to read to, and how many fit. NULL: no memory. */
char *frame_room(struct frame *frame, size_t want, size_t *ret_size);

/* `count` bytes were put there. */
void frame_added(struct frame *frame, size_t count);

/*
 * The next whole message (without its newline; not NUL-terminated; valid until the next call).
 * 1: there is one; 0: more bytes are needed; -EMSGSIZE: longer than FRAME_MAX; -ELOOP: nested deeper
 * than FRAME_DEPTH_MAX (judged while it arrives, before it is whole). After an error the stream
 * cannot be trusted: drop the connection. Empty lines are skipped.
 */
int frame_next(struct frame *frame, const char **ret_text, size_t *ret_length);

void frame_free(struct frame *frame);

#endif
