/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where the walk through one group of the file is. */
struct walk {
	const struct launch *launch;
	enum spec_list list;
	int line;
	const char *owner;
	char prefix[128]; /* "cache." within a nested group that has no driver of its own */
};

static const struct props *props_of(const struct launch *launch)
{
	const struct props *props = launch->host->props;

	return props && props->owner_count > 0 ? props : NULL;
}

/* Keys that say what and which a group is: no properties of it. */
static bool is_common(const struct walk *walk, const char *key)
{
	static const char *const common[SPEC_LISTS][4] = {
		[SPEC_DEVICES] = { "driver", "id", "bus" },
		[SPEC_BLOCKDEVS] = { "driver", "node-name" },
		[SPEC_NETDEVS] = { "type", "id" },
		[SPEC_OBJECTS] = { "qom-type", "id" },
	};

	for (size_t i = 0; !walk->prefix[0] && i < ARRAY_SIZE(common[0]); i++)
		if (common[walk->list][i] && strcmp(common[walk->list][i], key) == 0)
			return true;
	return false;
}

static bool is_addr(const struct walk *walk, const char *key)
{
	return walk->list == SPEC_DEVICES && strcmp(key, "addr") == 0;
}

/* DIMMs have an address where PCI devices have a slot. */
static bool is_dimm(const char *owner)
{
	return strcmp(owner, "pc-dimm") == 0 || strcmp(owner, "nvdimm") == 0;
}

/* Does the owner have properties "name.something"? */
static bool has_nested(const struct props *props, const char *owner, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < props->count; i++) {
		const struct prop *prop = &props->items[i];
		if (strcmp(prop->owner, owner) == 0 && strncmp(prop->name, name, length) == 0 &&
			prop->name[length] == '.')
			return true;
	}
	return false;
}

static int unknown_property(const struct walk *walk, const char *name)
{
	const struct launch *launch = walk->launch;
	const char *near = props_nearest(launch->host->props, walk->owner, name);
	const char *option = walk->list == SPEC_DEVICES ? "-device" : "-object";

	launch_refuse(launch, walk->line, "%s: %s has no property \"%s\"",
		spec_list_name(walk->list), walk->owner, name);
	if (near)
		err_fix(launch->err, "did you mean \"%s\"?", near);
	else if (walk->list == SPEC_DEVICES || walk->list == SPEC_OBJECTS)
		err_fix(launch->err, "`%s %s %s,help` lists them", launch->spec->binary, option,
			walk->owner);
	return -EINVAL;
}

static int check_owner(const struct walk *walk)
{
	const struct launch *launch = walk->launch;
	const struct props *props = props_of(launch);
	static const char *const kinds[SPEC_LISTS] = { "device", "block driver", "netdev type",
		"object type" };

	if (!props || props_has_owner(props, walk->owner))
		return 0;
	launch_refuse(launch, walk->line, "%s: %s %d.%d.%d has no %s \"%s\"",
		spec_list_name(walk->list), launch->spec->binary, props->version_major,
		props->version_minor, props->version_micro, kinds[walk->list], walk->owner);
	if (walk->list == SPEC_DEVICES || walk->list == SPEC_OBJECTS)
		err_fix(launch->err, "`%s %s help` lists what there is", launch->spec->binary,
			walk->list == SPEC_DEVICES ? "-device" : "-object");
	else
		err_fix(launch->err, "see the names in qemu-system-x86_64(1)");
	return -EINVAL;
}

static int convert_object(const struct walk *walk, json_t *object);

/* A group within a group: of another driver, or a struct of this one. */
static int convert_nested(const struct walk *walk, const char *name, json_t *object)
{
	const char *driver = launch_text(object, "driver");
	struct walk inner = *walk;

	if (walk->list == SPEC_BLOCKDEVS && driver) {
		inner.owner = driver;
		inner.prefix[0] = '\0';
		int r = check_owner(&inner);
		return r < 0 ? r : convert_object(&inner, object);
	}
	snprintf(inner.prefix, sizeof(inner.prefix), "%.120s.", name);
	return convert_object(&inner, object);
}

static int convert_list(const struct walk *walk, const char *name, json_t *list)
{
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, item) if (r == 0 && json_is_object(item)) r =
		convert_nested(walk, name, item);
	return r;
}

static int convert_scalar(const struct walk *walk, json_t *object, const char *key,
	const char *name, enum prop_kind kind)
{
	const json_t *value = json_object_get(object, key);
	char what[300];
	json_t *new = NULL;

	if (is_addr(walk, key))
		kind = PROP_NUMBER;
	/* An enumeration's member, such as a link's width. */
	if (walk->list == SPEC_DEVICES && kind == PROP_OTHER && json_is_integer(value))
		kind = PROP_STRING;
	snprintf(what, sizeof(what), "%s: %s.%s", spec_list_name(walk->list), walk->owner, name);
	int r = launch_value(walk->launch, walk->line, what, kind, value, &new);
	if (r < 0)
		return r;
	return json_object_set_new(object, key, new) < 0 ? -ENOMEM : 0;
}

/* A PCI device's slot: the number 80 would be slot 0xa, "80" is slot 0x80. */
static int check_slot(const struct walk *walk, const json_t *value)
{
	if (json_is_string(value))
		return 0;
	launch_refuse(walk->launch, walk->line, "%s: %s.addr must be text in double quotes",
		spec_list_name(walk->list), walk->owner);
	err_why(walk->launch->err, "QEMU reads the text as a hexadecimal slot and a number as slot "
				   "and function in one");
	err_fix(walk->launch->err, "addr = \"10\"; is slot 0x10");
	return -EINVAL;
}

static int check_common(const struct walk *walk, const char *key, const json_t *value)
{
	if (json_is_string(value))
		return 0;
	return launch_refuse(walk->launch, walk->line, "%s: %s.%s must be text in double quotes",
		spec_list_name(walk->list), walk->owner, key);
}

static int convert_key(const struct walk *walk, json_t *object, const char *key)
{
	const struct props *props = props_of(walk->launch);
	json_t *value = json_object_get(object, key);
	char name[256];

	if (is_common(walk, key))
		return check_common(walk, key, value);
	if (is_addr(walk, key) && !is_dimm(walk->owner))
		return check_slot(walk, value);
	snprintf(name, sizeof(name), "%s%.120s", walk->prefix, key);
	const struct prop *prop = props ? props_find(props, walk->owner, name) : NULL;
	bool nested = json_is_object(value) || json_is_array(value);
	if (props && !prop && !walk->prefix[0] && !(nested && has_nested(props, walk->owner, name)))
		return unknown_property(walk, name);
	if (nested && (!prop || prop->kind == PROP_OTHER))
		return json_is_object(value) ? convert_nested(walk, name, value)
					     : convert_list(walk, name, value);
	return prop ? convert_scalar(walk, object, key, name, prop->kind) : 0;
}

static int convert_object(const struct walk *walk, json_t *object)
{
	const char *key;
	json_t *value;
	void *next;
	int r = 0;

	/* Setting the value of a key that is there keeps its place. */
	json_object_foreach_safe(object, next, key, value) if (r == 0) r =
		convert_key(walk, object, key);
	return r;
}

int launch_convert(struct launch *launch)
{
	int r = 0;

	for (enum spec_list list = 0; list < SPEC_LISTS; list++) {
		for (size_t i = 0; r == 0 && i < launch->lists[list].count; i++) {
			const struct launch_group *group = &launch->lists[list].items[i];
			struct walk walk = { .launch = launch,
				.list = list,
				.line = group->line,
				.owner = launch_owner(list, group->object) };
			r = check_owner(&walk);
			if (r == 0)
				r = convert_object(&walk, group->object);
		}
	}
	return r;
}
