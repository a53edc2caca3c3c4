/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

/* One VM file as it was read, and what it is called in messages. */
struct conf_text {
	const char *path;
	const char *bytes; /* NUL-terminated behind `length` */
	size_t length;
};

enum { CONF_LINE_SIZE = 128 };

/* "path:line: key: words", -EINVAL. `key` may be NULL. A very long path is shown by its end. */
int conf_fail(const struct conf_text *text, struct err *err, int line, const char *key,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
int conf_vfail(const struct conf_text *text, struct err *err, int line, const char *key,
	const char *format, va_list args) __attribute__((format(printf, 5, 0)));

/* err.why becomes what stands on that line of the file. */
void conf_why_line(const struct conf_text *text, struct err *err, int line);

/* Copies at most size - 1 bytes of one line's worth of text, blanks at both ends cut, control
 * characters as '?', a cut marked with "...", never in the middle of a UTF-8 character. */
char *conf_copy_shown(const char *start, size_t length, char *shown, size_t size);

/* The whole file is UTF-8, without NUL bytes, a byte order mark or lone carriage returns. */
int conf_check_bytes(const struct conf_text *text, struct err *err);

/* Line of the `index`th element (from 0) of the list or array that is the value of the top-level key
 * `key`; `line` if there is none. */
int conf_line_of_element(const char *text, int line, const char *key, int index);

#endif
