/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return -code;
	/* The arguments may point into *err itself. */
	struct err fresh = { .code = code };

	va_start(args, format);
	vsnprintf(fresh.text, sizeof(fresh.text), format, args);
	va_end(args);
	*err = fresh;
	return -code;
}

static void fill(char *field, size_t size, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	snprintf(field, size, "%s", text);
}

void err_why(struct err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	fill(err->why, sizeof(err->why), format, args);
	va_end(args);
}

void err_fix(struct err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	fill(err->fix, sizeof(err->fix), format, args);
	va_end(args);
}

void err_said(struct err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	fill(err->said, sizeof(err->said), format, args);
	va_end(args);
}

int err_prefix(struct err *err, const char *format, ...)
{
	char words[512], old[512];
	va_list args;

	if (!err)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	memcpy(old, err->text, sizeof(old));
	size_t at = (size_t)snprintf(err->text, sizeof(err->text), "%s: ", words);
	if (at < sizeof(err->text)) {
		size_t length = strnlen(old, sizeof(err->text) - at - 1);

		memcpy(err->text + at, old, length);
		err->text[at + length] = '\0';
	}
	return -err->code;
}
