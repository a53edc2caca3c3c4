/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_SCAN_STATE_H
#define CONFIG_SCAN_STATE_H

#include "config/text.h"
#include "config/token.h"

enum { SCAN_DEPTH = 32, SCAN_KEYS = 1000, SCAN_KEY_PATH = 160, SCAN_SHOWN = 64 };

enum scan_state {
	SCAN_KEY,        /* in a block: a key, or its end */
	SCAN_EQUALS,     /* after a key */
	SCAN_VALUE,      /* after the = */
	SCAN_AFTER,      /* after a value */
	SCAN_FIRST_ITEM, /* in a list: a value, or its end */
	SCAN_ITEM,       /* after a comma: a value */
	SCAN_AFTER_ITEM,
	SCAN_STATES,
};

struct scan_frame {
	char open; /* '{' also for the whole file */
	int line;
	enum scan_state state;
	size_t first_key; /* in scan.keys */
	struct token key; /* the last one; length 0: none yet */
	struct token value;
};

struct scan {
	const struct conf_text *text;
	struct err *err;
	struct tokens tokens;
	struct token last; /* the token before this one */
	struct scan_frame frames[SCAN_DEPTH + 1];
	int depth; /* frames[depth] is the innermost */
	struct token *keys;
	size_t key_count, key_size;
};

static inline struct scan_frame *scan_top(struct scan *scan)
{
	return &scan->frames[scan->depth];
}

/* "devices" or "devices.file.filename" of where the scan is; `path` has SCAN_KEY_PATH bytes. NULL at
 * the top. */
const char *scan_key_path(const struct scan *scan, char *path);

/* conf_fail for this place, with the line's text in why. */
int scan_fail(struct scan *scan, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The token's text, cut short: SCAN_SHOWN bytes. */
const char *scan_show(const struct token *token, char *shown);

/* What to say of a token that cannot stand where it is; all return -EINVAL. */
int scan_say_bad(struct scan *scan, const struct token *token);
int scan_say_unquoted(struct scan *scan, const struct token *token);
int scan_say_word_for_key(struct scan *scan, const struct token *token);
int scan_say_joined(struct scan *scan, const struct token *token);
int scan_say_unclosed(struct scan *scan);
int scan_say_mismatch(struct scan *scan, const struct token *token);
int scan_say_duplicate(struct scan *scan, const struct token *first, const struct token *token);
int scan_say_too_much(struct scan *scan, const struct token *token, const char *what, int limit);
int scan_say_no_key(struct scan *scan, const struct token *token);
int scan_say_no_equals(struct scan *scan, const struct token *token);
int scan_say_no_value(struct scan *scan, const struct token *token);
int scan_say_no_semicolon(struct scan *scan, const struct token *token);
int scan_say_no_item(struct scan *scan, const struct token *token);
int scan_say_no_comma(struct scan *scan, const struct token *token);

#endif
