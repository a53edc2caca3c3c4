/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/nearest.h"

#include <ctype.h>
#include <string.h>

enum { NAME_LONGEST = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits from a to b, where swapping two neighbours is one edit. Both at most NAME_LONGEST long. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t cost[NAME_LONGEST + 1][NAME_LONGEST + 1];

	for (size_t i = 0; i <= a_length; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b_length; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = cost[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);

			best = least(best, least(cost[i - 1][j], cost[i][j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				best = least(best, cost[i - 2][j - 2] + 1);
			cost[i][j] = best;
		}
	}
	return cost[a_length][b_length];
}

const char *nearest_name(const char *name, const char *const *names, size_t count)
{
	const char *found = NULL;
	size_t length = strlen(name);
	size_t best = (length < 3 ? 3 : length) / 3 + 1;

	for (size_t i = 0; i < count && length <= NAME_LONGEST; i++) {
		size_t other = strlen(names[i]);

		if (other > NAME_LONGEST)
			continue;
		size_t edits = distance(name, length, names[i], other);
		if (edits < best) {
			best = edits;
			found = names[i];
		}
	}
	return found;
}
