/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing text. Zero-initialise it. Out of memory sets `failed` and stops it growing; check once
 * at the end. `text` is NULL while nothing was added, else NUL-terminated. */
struct strbuf {
	char *text;
	size_t length, size;
	bool failed;
};

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_add_bytes(struct strbuf *buf, const char *bytes, size_t count);
void strbuf_addf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args);

/* Hands the text over (the caller frees it; "" if nothing was added) and empties the buffer; NULL if
 * memory ran out. */
char *strbuf_take(struct strbuf *buf);
void strbuf_free(struct strbuf *buf);

#define AUTO_STRBUF __attribute__((cleanup(strbuf_free)))

/* A list of texts, owned. Zero-initialise it; `items` is NULL-terminated once it is not NULL, fit
 * for execve(2). */
struct strlist {
	char **items;
	size_t count;
};

int strlist_add(struct strlist *list, const char *text); /* copies; 0 or -ENOMEM */
int strlist_take(struct strlist *list, char *text); /* owns text, also on failure; NULL: -ENOMEM */
void strlist_free(struct strlist *list);

#define AUTO_STRLIST __attribute__((cleanup(strlist_free)))

#endif
