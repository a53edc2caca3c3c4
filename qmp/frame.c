/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_SMALL = 4 << 10 };

static void compact(struct frame *frame)
{
	size_t length = frame->end - frame->start;

	if (frame->start == 0)
		return;
	memmove(frame->bytes, frame->bytes + frame->start, length);
	frame->start = 0;
	frame->end = length;
}

/* A large message is over: what it needed is given back. */
static void shrink(struct frame *frame)
{
	size_t length = frame->end - frame->start;

	if (frame->size <= FRAME_SMALL || length > FRAME_SMALL / 2)
		return;
	compact(frame);
	char *bytes = realloc(frame->bytes, FRAME_SMALL);
	if (bytes) {
		frame->bytes = bytes;
		frame->size = FRAME_SMALL;
	}
}

static void drop_message(struct frame *frame)
{
	if (frame->message == 0)
		return;
	frame->start += frame->message + 1;
	frame->message = 0;
	if (frame->start == frame->end)
		frame->start = frame->end = 0;
	shrink(frame);
}

char *frame_room(struct frame *frame, size_t want, size_t *ret_size)
{
	drop_message(frame);
	if (frame->size - frame->end < want)
		compact(frame);
	if (frame->size - frame->end < want) {
		size_t size = frame->size ? frame->size : FRAME_SMALL;

		while (size - frame->end < want)
			size *= 2;
		char *bytes = realloc(frame->bytes, size);
		if (!bytes)
			return NULL;
		frame->bytes = bytes;
		frame->size = size;
	}
	*ret_size = frame->size - frame->end;
	return frame->bytes + frame->end;
}

void frame_added(struct frame *frame, size_t count)
{
	frame->end += count;
}

/* Depth is judged outside of strings only. */
static int look_at(struct frame *frame, char c)
{
	if (frame->in_string) {
		if (frame->escaped)
			frame->escaped = false;
		else if (c == '\\')
			frame->escaped = true;
		else if (c == '"')
			frame->in_string = false;
		return 0;
	}
	if (c == '"')
		frame->in_string = true;
	else if (c == '{' || c == '[')
		frame->depth++;
	else if ((c == '}' || c == ']') && frame->depth > 0)
		frame->depth--;
	return frame->depth > FRAME_DEPTH_MAX ? -ELOOP : 0;
}

static void begin_line(struct frame *frame)
{
	frame->scanned = 0;
	frame->depth = 0;
	frame->in_string = frame->escaped = false;
}

int frame_next(struct frame *frame, const char **ret_text, size_t *ret_length)
{
	drop_message(frame);
	while (frame->start + frame->scanned < frame->end) {
		char c = frame->bytes[frame->start + frame->scanned];

		/* QEMU escapes control characters: a newline always ends a message. */
		if (c == '\n') {
			size_t length = frame->scanned;

			begin_line(frame);
			if (length == 0 || (length == 1 && frame->bytes[frame->start] == '\r')) {
				frame->start += length + 1;
				continue;
			}
			frame->message = length;
			*ret_text = frame->bytes + frame->start;
			*ret_length = length;
			return 1;
		}
		int r = look_at(frame, c);
		if (r < 0)
			return r;
		if (++frame->scanned > FRAME_MAX)
			return -EMSGSIZE;
	}
	return 0;
}

void frame_free(struct frame *frame)
{
	free(frame->bytes);
	*frame = (struct frame){ 0 };
}
