/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_TOKEN_H
#define CONFIG_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* The words that libconfig's syntax is made of, read the way its versions 1.5 to 1.8 all do; what
 * they read differently, or badly, is a TOKEN_BAD_... */
enum token_kind {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_BOOL,
	TOKEN_INTEGER,
	TOKEN_FLOAT,
	TOKEN_STRING, /* with its quotes */
	TOKEN_EQUALS, /* = or : */
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
	TOKEN_OPEN,  /* { ( [ */
	TOKEN_CLOSE, /* } ) ] */
	TOKEN_BAD_WORD,
	TOKEN_BAD_INTEGER,   /* needs more than 32 bits and has no L, or is hexadecimal: 1.8 reads
				   0x80000000L to 0xffffffffL as negative numbers */
	TOKEN_BAD_INTEGER64, /* needs more than 64 bits */
	TOKEN_BAD_LEADING_ZERO, /* 010: ten for libconfig 1.5, eight for 1.7 */
	TOKEN_BAD_STRING,       /* no quote before the end of the line */
	TOKEN_BAD_ESCAPE,
	TOKEN_BAD_COMMENT, /* never closed */
	TOKEN_BAD_QUOTE,   /* ' or a typographic one */
	TOKEN_BAD_INCLUDE,
	TOKEN_BAD_CHARACTER,
};

struct token {
	enum token_kind kind;
	const char *start;
	size_t length;
	int line;
};

struct tokens {
	const char *at, *end;
	int line;
};

/* `length` bytes without a NUL, and a NUL behind them. */
struct tokens tokens_of(const char *text, size_t length);

/* After TOKEN_END and after the bad kinds nothing sensible follows. */
struct token token_next(struct tokens *tokens);

bool token_is(const struct token *token, const char *name);

#endif
