/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"
#include "config/text.h"
#include "config/token.h"

#include <string.h>

static bool ends(const struct token *token)
{
	return token->kind == TOKEN_END || token->kind >= TOKEN_BAD_WORD;
}

/* Steps behind the value that begins with the token `first`. */
static void skip_value(struct tokens *tokens, struct token first)
{
	int depth = 0;

	for (struct token token = first;; token = token_next(tokens)) {
		if (ends(&token))
			return;
		depth += token.kind == TOKEN_OPEN;
		depth -= token.kind == TOKEN_CLOSE;
		if (depth <= 0)
			return;
	}
}

/*
 * The line of a key, dotted for nested blocks, in the block whose inside begins at *tokens; 0 if it
 * has none. Leaves *tokens on the key's value, or behind the block.
 */
static int find_key(struct tokens *tokens, const char *path)
{
	size_t length = strcspn(path, ".");

	for (struct token token = token_next(tokens);; token = token_next(tokens)) {
		if (ends(&token) || token.kind == TOKEN_CLOSE)
			return 0;
		if (token.kind != TOKEN_NAME)
			continue;
		struct tokens inside = *tokens;
		struct token equals = token_next(&inside), value = token_next(&inside);
		if (token.length == length && memcmp(token.start, path, length) == 0) {
			if (path[length] == '\0')
				return token.line;
			if (equals.kind == TOKEN_EQUALS && value.kind == TOKEN_OPEN) {
				*tokens = inside;
				return find_key(tokens, path + length + 1);
			}
		}
		if (equals.kind == TOKEN_EQUALS) {
			skip_value(&inside, value);
			*tokens = inside;
		}
	}
}

int config_line_of(const char *text, int line, const char *key)
{
	struct tokens tokens = tokens_of(text, strlen(text));

	for (struct token token = token_next(&tokens); !ends(&token); token = token_next(&tokens)) {
		if (token.line > line)
			break;
		if (token.line != line || token.kind != TOKEN_OPEN || token.start[0] != '{')
			continue;
		struct tokens inside = tokens;
		int found = find_key(&inside, key);
		if (found)
			return found;
	}
	return line;
}

int conf_line_of_element(const char *text, int line, const char *key, int index)
{
	struct tokens tokens = tokens_of(text, strlen(text));

	if (!find_key(&tokens, key))
		return line;
	token_next(&tokens);
	struct token open = token_next(&tokens);
	if (open.kind != TOKEN_OPEN)
		return line;
	struct token token = token_next(&tokens);
	for (; index > 0 && !ends(&token) && token.kind != TOKEN_CLOSE; index--) {
		skip_value(&tokens, token);
		token_next(&tokens);
		token = token_next(&tokens);
	}
	return ends(&token) || token.kind == TOKEN_CLOSE ? line : token.line;
}
