/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/token.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct tokens tokens_of(const char *text, size_t length)
{
	return (struct tokens){ .at = text, .end = text + length, .line = 1 };
}

bool token_is(const struct token *token, const char *name)
{
	return token->length == strlen(name) && memcmp(token->start, name, token->length) == 0;
}

static bool starts_comment(const char *at)
{
	return *at == '#' || (at[0] == '/' && (at[1] == '/' || at[1] == '*'));
}

/* false: a comment is never closed; then `at` stays on its first character. */
static bool skip_comment(struct tokens *tokens)
{
	const char *at = tokens->at;
	int line = tokens->line;

	if (at[0] != '/' || at[1] != '*') {
		while (tokens->at < tokens->end && *tokens->at != '\n')
			tokens->at++;
		return true;
	}
	for (at += 2; at < tokens->end; at++) {
		if (at[0] == '*' && at[1] == '/') {
			tokens->at = at + 2;
			tokens->line = line;
			return true;
		}
		line += *at == '\n';
	}
	return false;
}

static bool skip_blanks(struct tokens *tokens)
{
	while (tokens->at < tokens->end) {
		if (starts_comment(tokens->at)) {
			if (!skip_comment(tokens))
				return false;
		} else if (*tokens->at && strchr(" \t\r\n\f", *tokens->at)) {
			tokens->line += *tokens->at == '\n';
			tokens->at++;
		} else {
			break;
		}
	}
	return true;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '*';
}

/* What people write without quotes although it is text: "8G", "01:00.0", "/dev/sda", "2-3". */
static size_t word_length(const char *at)
{
	const char *end = at;

	while (*end && !strchr(" \t\r\n\f;,(){}[]\"'=", *end) && !starts_comment(end))
		end++;
	return (size_t)(end - at);
}

static size_t name_length(const char *at)
{
	size_t n = 0;

	while (is_name(at[n]))
		n++;
	return n;
}

static enum token_kind integer_kind(const char *word, size_t length)
{
	size_t longs = length - strcspn(word, "L");
	size_t digits = length - longs;
	bool hex = digits > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *first = hex ? word + 2 : word + (word[0] == '-' || word[0] == '+');
	size_t valid = strspn(first, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (longs > 2 || valid == 0 || first + valid != word + digits ||
		strspn(word + digits, "L") != longs)
		return TOKEN_BAD_WORD;
	if (!hex && first[0] == '0' && valid > 1)
		return TOKEN_BAD_LEADING_ZERO;
	errno = 0;
	long long value = strtoll(hex ? first : word, NULL, hex ? 16 : 10);
	if (errno == ERANGE)
		return TOKEN_BAD_INTEGER64;
	if ((longs == 0 || hex) && (value > INT_MAX || value < INT_MIN))
		return TOKEN_BAD_INTEGER;
	return TOKEN_INTEGER;
}

static bool is_float(const char *word)
{
	const char *at = word + (*word == '-' || *word == '+');
	size_t before = strspn(at, "0123456789"), after = 0;
	bool dot = at[before] == '.';

	at += before;
	if (dot) {
		after = strspn(at + 1, "0123456789");
		at += 1 + after;
	}
	if (before + after == 0)
		return false;
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '-' || at[1] == '+');
		size_t exponent = strspn(at, "0123456789");

		return exponent > 0 && at[exponent] == '\0';
	}
	return dot && *at == '\0';
}

static enum token_kind number_kind(const char *start, size_t length)
{
	char word[64];

	if (length >= sizeof(word))
		return strspn(start, "0123456789") == length ? TOKEN_BAD_INTEGER64 : TOKEN_BAD_WORD;
	memcpy(word, start, length);
	word[length] = '\0';
	return is_float(word) ? TOKEN_FLOAT : integer_kind(word, length);
}

/* What libconfig 1.5 to 1.8 agree on; a NUL or half a character cannot come in by \x either. */
static size_t escape_length(const char *at)
{
	if (at[1] && strchr("\\\"nrtf", at[1]))
		return 2;
	if ((at[1] == 'x' || at[1] == 'X') && isxdigit((unsigned char)at[2]) &&
		isxdigit((unsigned char)at[3]) && at[2] >= '0' && at[2] <= '7' &&
		(at[2] != '0' || at[3] != '0'))
		return 4;
	return 0;
}

static void read_string(struct token *token)
{
	const char *at = token->start + 1;

	token->kind = TOKEN_STRING;
	while (*at != '"') {
		size_t escape = *at == '\\' ? escape_length(at) : 1;

		if (*at == '\0' || *at == '\n' || *at == '\r')
			token->kind = TOKEN_BAD_STRING;
		else if (escape == 0)
			token->kind = TOKEN_BAD_ESCAPE;
		else if ((unsigned char)*at < 0x20 && *at != '\t')
			token->kind = TOKEN_BAD_CHARACTER;
		if (token->kind != TOKEN_STRING) {
			token->length = (size_t)(at - token->start);
			if (token->kind != TOKEN_BAD_STRING) {
				token->start = at;
				token->length = *at == '\\' && at[1] && at[1] != '\n' ? 2 : 1;
			}
			return;
		}
		at += escape;
	}
	token->length = (size_t)(at - token->start) + 1;
}

static void read_name(struct token *token)
{
	size_t length = name_length(token->start), word = word_length(token->start);
	char after = token->start[length];

	token->kind = TOKEN_NAME;
	token->length = length;
	if (word > length && after != ':') {
		token->kind = TOKEN_BAD_WORD;
		token->length = word;
	} else if ((length == 4 && strncasecmp(token->start, "true", 4) == 0) ||
		   (length == 5 && strncasecmp(token->start, "false", 5) == 0)) {
		token->kind = TOKEN_BOOL;
	}
}

static bool is_curly_quote(const char *at)
{
	return strncmp(at, "\xe2\x80", 2) == 0 && (unsigned char)at[2] >= 0x98 &&
	       (unsigned char)at[2] <= 0x9f;
}

static void read_other(struct token *token)
{
	const char *at = token->start;
	static const char include[] = "@include";

	if (strncmp(at, include, sizeof(include) - 1) == 0) {
		token->kind = TOKEN_BAD_INCLUDE;
		token->length = sizeof(include) - 1;
	} else if (*at == '\'' || is_curly_quote(at)) {
		token->kind = TOKEN_BAD_QUOTE;
		token->length = *at == '\'' ? 1 : 3;
	} else if (*at == '/' || *at == '_' || *at == '~') {
		token->kind = TOKEN_BAD_WORD;
		token->length = word_length(at);
	} else {
		token->kind = TOKEN_BAD_CHARACTER;
		while (((unsigned char)at[token->length] & 0xc0) == 0x80)
			token->length++;
	}
}

static enum token_kind punctuation(char c)
{
	switch (c) {
	case '=':
	case ':':
		return TOKEN_EQUALS;
	case ',':
		return TOKEN_COMMA;
	case ';':
		return TOKEN_SEMICOLON;
	case '{':
	case '(':
	case '[':
		return TOKEN_OPEN;
	case '}':
	case ')':
	case ']':
		return TOKEN_CLOSE;
	default:
		return TOKEN_END;
	}
}

struct token token_next(struct tokens *tokens)
{
	bool closed = skip_blanks(tokens);
	struct token token = { .start = tokens->at, .length = 1, .line = tokens->line };

	if (!closed) {
		token.kind = TOKEN_BAD_COMMENT;
		token.length = 2;
	} else if (tokens->at >= tokens->end) {
		token.kind = TOKEN_END;
		token.length = 0;
	} else if ((token.kind = punctuation(*tokens->at)) != TOKEN_END) {
		token.length = 1;
	} else if (*tokens->at == '"') {
		read_string(&token);
	} else if (isalpha((unsigned char)*tokens->at) || *tokens->at == '*') {
		read_name(&token);
	} else if (strchr("0123456789+-.", *tokens->at)) {
		token.length = word_length(token.start);
		token.kind = number_kind(token.start, token.length);
	} else {
		read_other(&token);
	}
	tokens->at = token.start + token.length;
	return token;
}
