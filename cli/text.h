/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "base/err.h"
#include "base/strbuf.h"

#include <jansson.h>

/* What the writers of text share. All of it is pure: time is passed in. */

/* Adds foreign text for a terminal: each byte of a control character (C0, DEL, C1) becomes '?'. */
void text_add_clean(struct strbuf *buf, const char *text);

/* A JSON string of foreign text; JSON holds UTF-8 only, so that what is not gets '?' for what is beyond
 * ASCII. NULL: out of memory. */
json_t *text_json(const char *text);

/* Adds the whole of it, indented, as the last thing of its output; takes `json` over. NULL: out of memory, and
 * `buf` has failed. */
void text_take_json(struct strbuf *buf, json_t *json);

/* A copy of foreign JSON in which all strings are clean in that sense (keys are never shown). NULL:
 * out of memory, or `json` is NULL. */
json_t *text_clean_json(const json_t *json);

/* "3 d 4 h", "12 min", "45 s"; "0.2 ms", "12.0 s"; "0.30 %" of a share 0..1. */
void text_add_duration(struct strbuf *buf, double seconds);
void text_add_wait(struct strbuf *buf, double seconds);
void text_add_share(struct strbuf *buf, double share);

/* "14:02" if that was within the last 12 h, else with its date; both in Unix seconds, shown in local
 * time. */
void text_add_clock(struct strbuf *buf, double when, double now);

/* "1 alarm", "2 alarms". */
void text_add_count(struct strbuf *buf, size_t count, const char *what);

/* "HEAD: what went wrong", then the lines that are there: what QEMU said, why, the fix, where more is
 * to be read (`more` may be NULL). */
void text_add_err(struct strbuf *buf, const char *head, const struct err *err, const char *more);

/* "  LABEL  words" of these lines; nothing if there are no words. */
void text_add_line(struct strbuf *buf, const char *label, const char *words);

/* Fields of foreign JSON: `object` may be anything, NULL too. */
const char *field_text(const json_t *object, const char *key); /* "" if it is no text */
bool field_number(const json_t *object, const char *key, double *ret_number);
double field_number_or(const json_t *object, const char *key, double otherwise);
bool field_is_false(const json_t *object, const char *key);

/* Columns as wide as what is in them. Cells go in row by row. */
struct text_table {
	size_t columns;
	unsigned right; /* bit N: column N is aligned to the right */
	struct strlist cells;
	bool failed; /* out of memory */
};

void text_table_add(struct text_table *table, const char *cell);
void text_table_take(struct text_table *table, struct strbuf *cell); /* and empties it */
void text_table_write(const struct text_table *table, struct strbuf *buf);
void text_table_free(struct text_table *table);

#endif
