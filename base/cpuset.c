/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cpuset.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = CPUSET_CPUS / 64 };

static int parse_cpu(const char **text)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	unsigned long cpu = strtoul(*text, &end, 10);
	*text = end;
	return cpu < CPUSET_CPUS ? (int)cpu : -ERANGE;
}

int cpuset_parse(const char *text, struct cpuset *ret_set)
{
	struct cpuset set = { 0 };

	while (*text) {
		int first = parse_cpu(&text), last = first;

		if (first >= 0 && *text == '-') {
			text++;
			last = parse_cpu(&text);
		}
		if (first < 0 || last < 0)
			return first < 0 ? first : last;
		if (last < first || (*text == ',' && !text[1]))
			return -EINVAL;
		for (int cpu = first; cpu <= last; cpu++)
			cpuset_add(&set, cpu);
		if (*text == ',')
			text++;
		else if (*text)
			return -EINVAL;
	}
	*ret_set = set;
	return 0;
}

char *cpuset_format(const struct cpuset *set, char *text, size_t size)
{
	size_t at = 0;

	if (size > 0)
		text[0] = '\0';
	for (int first = cpuset_next(set, 0); first >= 0 && at < size;) {
		int last = first;

		while (cpuset_has(set, last + 1))
			last++;
		int n = last == first ? snprintf(text + at, size - at, "%s%d", at ? "," : "", first)
				      : snprintf(text + at, size - at, "%s%d-%d", at ? "," : "",
						first, last);
		at += (size_t)n;
		first = cpuset_next(set, last + 1);
	}
	return text;
}

struct cpuset cpuset_one(int cpu)
{
	struct cpuset set = { 0 };

	cpuset_add(&set, cpu);
	return set;
}

struct cpuset cpuset_or(const struct cpuset *a, const struct cpuset *b)
{
	struct cpuset set;

	for (int i = 0; i < WORDS; i++)
		set.bits[i] = a->bits[i] | b->bits[i];
	return set;
}

struct cpuset cpuset_and(const struct cpuset *a, const struct cpuset *b)
{
	struct cpuset set;

	for (int i = 0; i < WORDS; i++)
		set.bits[i] = a->bits[i] & b->bits[i];
	return set;
}

struct cpuset cpuset_minus(const struct cpuset *a, const struct cpuset *b)
{
	struct cpuset set;

	for (int i = 0; i < WORDS; i++)
		set.bits[i] = a->bits[i] & ~b->bits[i];
	return set;
}

bool cpuset_equal(const struct cpuset *a, const struct cpuset *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool cpuset_empty(const struct cpuset *set)
{
	return cpuset_next(set, 0) < 0;
}

bool cpuset_subset(const struct cpuset *inner, const struct cpuset *outer)
{
	struct cpuset rest = cpuset_minus(inner, outer);

	return cpuset_empty(&rest);
}

bool cpuset_overlap(const struct cpuset *a, const struct cpuset *b)
{
	struct cpuset both = cpuset_and(a, b);

	return !cpuset_empty(&both);
}

int cpuset_count(const struct cpuset *set)
{
	int count = 0;

	for (int i = 0; i < WORDS; i++)
		count += __builtin_popcountll(set->bits[i]);
	return count;
}

int cpuset_next(const struct cpuset *set, int from)
{
	if (from < 0 || from >= CPUSET_CPUS)
		return -1;
	uint64_t word = set->bits[from / 64] & (~0ull << (from % 64));

	for (int i = from / 64;;) {
		if (word)
			return i * 64 + __builtin_ctzll(word);
		if (++i == WORDS)
			return -1;
		word = set->bits[i];
	}
}
