/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/props.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 63 };

void props_free(struct props *props)
{
	for (size_t i = 0; i < props->count; i++) {
		free(props->items[i].owner);
		free(props->items[i].name);
	}
	for (size_t i = 0; i < props->owner_count; i++)
		free(props->owners[i]);
	free(props->items);
	free(props->owners);
	free(props->default_machine_note);
	*props = (struct props){ 0 };
}

static int compare(const void *a, const void *b)
{
	const struct prop *one = a, *other = b;
	int order = strcmp(one->owner, other->owner);

	return order ? order : strcmp(one->name, other->name);
}

const struct prop *props_find(const struct props *props, const char *owner, const char *name)
{
	struct prop key = { .owner = (char *)(uintptr_t)owner, .name = (char *)(uintptr_t)name };

	return props->count ? bsearch(&key, props->items, props->count, sizeof(key), compare)
			    : NULL;
}

bool props_has_owner(const struct props *props, const char *owner)
{
	for (size_t i = 0; i < props->owner_count; i++)
		if (strcmp(props->owners[i], owner) == 0)
			return true;
	return false;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance of two short names, one row at a time. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_COMPARED + 1];
	size_t width = strlen(b);

	if (width > NAME_MAX_COMPARED || strlen(a) > NAME_MAX_COMPARED)
		return ~0u;
	for (size_t j = 0; j <= width; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < width; j++) {
			unsigned above = row[j + 1];

			row[j + 1] = least(above + 1, row[j] + 1, corner + (a[i] != b[j]));
			corner = above;
		}
	}
	return row[width];
}

const char *props_nearest(const struct props *props, const char *owner, const char *name)
{
	const char *nearest = NULL;
	unsigned best = (unsigned)strlen(name) / 3 + 1;

	for (size_t i = 0; i < props->count; i++) {
		if (strcmp(props->items[i].owner, owner) != 0)
			continue;
		unsigned far = distance(name, props->items[i].name);
		if (far <= best) {
			best = far;
			nearest = props->items[i].name;
		}
	}
	return nearest;
}

void props_sort(struct props *props)
{
	if (props->count)
		qsort(props->items, props->count, sizeof(*props->items), compare);
}

int props_add_owner(struct props *props, const char *owner)
{
	if (props_has_owner(props, owner))
		return 0;
	char **owners = realloc(props->owners, (props->owner_count + 1) * sizeof(*owners));

	if (!owners)
		return -1;
	props->owners = owners;
	owners[props->owner_count] = strdup(owner);
	if (!owners[props->owner_count])
		return -1;
	props->owner_count++;
	return 0;
}

int props_add(struct props *props, const char *owner, const char *name, enum prop_kind kind)
{
	struct prop *items = realloc(props->items, (props->count + 1) * sizeof(*items));

	if (!items)
		return -1;
	props->items = items;
	items[props->count] = (struct prop){ strdup(owner), strdup(name), kind };
	props->count++;
	return items[props->count - 1].owner && items[props->count - 1].name ? 0 : -1;
}
