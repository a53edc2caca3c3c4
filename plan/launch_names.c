/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One name that something else refers to. */
struct name {
	const char *text;
	int line;
	bool used, iothread;
	bool inner; /* a node within another's group, which uses it */
};

enum { NODES, NETDEVS, OBJECTS, NAME_KINDS };

/* All names of the file. The texts stay the groups'. */
struct names {
	struct launch *launch;
	struct name *items[NAME_KINDS];
	size_t count[NAME_KINDS];
};

static const char *const kind_words[NAME_KINDS] = {
	[NODES] = "blockdev",
	[NETDEVS] = "netdev",
	[OBJECTS] = "iothread",
};

static void free_names(struct names *names)
{
	for (int kind = 0; kind < NAME_KINDS; kind++)
		free(names->items[kind]);
}

static struct name *find(const struct names *names, int kind, const char *text)
{
	for (size_t i = 0; i < names->count[kind]; i++)
		if (strcmp(names->items[kind][i].text, text) == 0)
			return &names->items[kind][i];
	return NULL;
}

static int add_name(struct names *names, int kind, const struct name *name)
{
	const struct name *other = find(names, kind, name->text);
	struct name *items;

	if (other) {
		launch_refuse(names->launch, name->line, "the name \"%s\" is already line %d's",
			name->text, other->line);
		err_fix(names->launch->err, "give each its own");
		return -EINVAL;
	}
	items = realloc(names->items[kind], (names->count[kind] + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items[kind] = items;
	items[names->count[kind]++] = *name;
	return 0;
}

/* The node-names of a blockdev and of those within it. */
static int add_nodes(struct names *names, json_t *value, int line, bool inner)
{
	const char *text = launch_text(value, "node-name"), *key;
	struct name name = { .text = text, .line = line, .inner = inner };
	int r = text ? add_name(names, NODES, &name) : 0;
	json_t *item;
	size_t i;

	json_object_foreach(value, key, item) if (r == 0) r = add_nodes(names, item, line, true);
	json_array_foreach(value, i, item) if (r == 0) r = add_nodes(names, item, line, true);
	return r;
}

static int collect(struct names *names)
{
	struct launch *launch = names->launch;
	int r = 0;

	for (size_t i = 0; r == 0 && i < launch->lists[SPEC_BLOCKDEVS].count; i++) {
		const struct launch_group *group = &launch->lists[SPEC_BLOCKDEVS].items[i];
		r = add_nodes(names, group->object, group->line, false);
	}
	for (size_t i = 0; r == 0 && i < launch->lists[SPEC_NETDEVS].count; i++) {
		const struct launch_group *group = &launch->lists[SPEC_NETDEVS].items[i];
		struct name name = { launch_text(group->object, "id"), .line = group->line };
		r = add_name(names, NETDEVS, &name);
	}
	for (size_t i = 0; r == 0 && i < launch->lists[SPEC_OBJECTS].count; i++) {
		const struct launch_group *group = &launch->lists[SPEC_OBJECTS].items[i];
		struct name name = { launch_text(group->object, "id"), .line = group->line };
		name.iothread = strcmp(launch_owner(SPEC_OBJECTS, group->object), "iothread") == 0;
		r = add_name(names, OBJECTS, &name);
	}
	return r;
}

/* What args hold may be what is missing here: then it is only a warning. */
static int orphan(struct names *names, int line, const char *words, const char *fix)
{
	struct launch *launch = names->launch;
	struct strbuf text = { 0 };

	if (launch->spec->args.count == 0) {
		launch_refuse(launch, line, "%s", words);
		err_fix(launch->err, "%s", fix);
		return -EINVAL;
	}
	strbuf_addf(&text, "%s:%d: %s (unless args do)", launch->spec->file, line, words);
	return strlist_take(&launch->warnings, strbuf_take(&text));
}

static bool fits(const struct name *name, int kind)
{
	return kind != OBJECTS || name->iothread;
}

/* "system, data", for the fix. */
static void list_names(const struct names *names, int kind, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < names->count[kind] && at + 1 < size; i++)
		if (fits(&names->items[kind][i], kind))
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "",
				names->items[kind][i].text);
}

static int use(struct names *names, int kind, int line, const char *list, const char *key,
	const char *text)
{
	struct name *name = find(names, kind, text);
	char words[256], fix[256], known[160];

	if (name && fits(name, kind)) {
		name->used = true;
		return 0;
	}
	list_names(names, kind, known, sizeof(known));
	snprintf(words, sizeof(words), "%s: %s = \"%.80s\" names no %s", list, key, text,
		kind_words[kind]);
	if (known[0])
		snprintf(fix, sizeof(fix), "there is %s", known);
	else
		snprintf(fix, sizeof(fix), "the file has no %s; add one of this name",
			kind_words[kind]);
	return orphan(names, line, words, fix);
}

/* The keys of a device that name a backend, wherever in it they stand (iothread-vq-mapping). */
static int use_in_device(struct names *names, int line, const json_t *device)
{
	static const struct {
		const char *key;
		int kind;
	} keys[] = { { "drive", NODES }, { "netdev", NETDEVS }, { "iothread", OBJECTS } };
	const char *text;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
		text = launch_text(device, keys[i].key);
		if (text)
			r = use(names, keys[i].kind, line, "devices", keys[i].key, text);
	}
	return r;
}

static int use_in_devices(struct names *names, int line, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;
	int r = json_is_object(value) ? use_in_device(names, line, value) : 0;

	json_object_foreach(value, key, item) if (r == 0) r = use_in_devices(names, line, item);
	json_array_foreach(value, i, item) if (r == 0) r = use_in_devices(names, line, item);
	return r;
}

/* Does this key of this block driver refer to another node when it is text? */
static bool is_child(const char *driver, const char *key)
{
	static const struct {
		const char *driver, *key; /* driver NULL: of any */
	} children[] = {
		{ NULL, "file" },
		{ NULL, "backing" },
		{ NULL, "data-file" },
		{ "blkdebug", "image" },
		{ "blklogwrites", "log" },
		{ "blkverify", "raw" },
		{ "blkverify", "test" },
		{ "copy-before-write", "target" },
		{ "copy-on-read", "bottom" },
		{ "quorum", "children" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		if (strcmp(children[i].key, key) == 0 &&
			(!children[i].driver || (driver && !strcmp(children[i].driver, driver))))
			return true;
	return false;
}

static int use_in_blockdev(struct names *names, int line, json_t *object);

static int use_child(
	struct names *names, int line, const char *driver, const char *key, json_t *value)
{
	json_t *item;
	size_t i;
	int r = 0;

	if (json_is_string(value) && is_child(driver, key))
		return use(names, NODES, line, "blockdevs", key, json_string_value(value));
	if (json_is_object(value))
		return use_in_blockdev(names, line, value);
	json_array_foreach(value, i, item) if (r == 0) r =
		use_child(names, line, driver, key, item);
	return r;
}

static int use_in_blockdev(struct names *names, int line, json_t *object)
{
	const char *driver = launch_text(object, "driver"), *key;
	json_t *value;
	int r = 0;

	json_object_foreach(object, key, value) if (r == 0) r =
		use_child(names, line, driver, key, value);
	return r;
}

/* machine = "q35,pflash0=code": whatever stands behind an equals sign. */
static void use_in_machine(struct names *names)
{
	const char *machine = names->launch->spec->machine;

	for (size_t i = 0; i < names->count[NODES]; i++) {
		struct name *node = &names->items[NODES][i];
		size_t length = strlen(node->text);
		const char *at = machine;
		while ((at = strchr(at, '='))) {
			at++;
			if (strncmp(at, node->text, length) == 0 &&
				(at[length] == ',' || at[length] == '\0'))
				node->used = true;
		}
	}
}

static int use_all(struct names *names)
{
	const struct launch_groups *lists = names->launch->lists;
	int r = 0;

	use_in_machine(names);
	for (size_t i = 0; r == 0 && i < lists[SPEC_DEVICES].count; i++)
		r = use_in_devices(names, lists[SPEC_DEVICES].items[i].line,
			lists[SPEC_DEVICES].items[i].object);
	for (size_t i = 0; r == 0 && i < lists[SPEC_BLOCKDEVS].count; i++)
		r = use_in_blockdev(names, lists[SPEC_BLOCKDEVS].items[i].line,
			lists[SPEC_BLOCKDEVS].items[i].object);
	for (size_t i = 0; r == 0 && i < lists[SPEC_NETDEVS].count; i++) {
		const char *text = launch_text(lists[SPEC_NETDEVS].items[i].object, "netdev");
		if (text)
			r = use(names, NETDEVS, lists[SPEC_NETDEVS].items[i].line, "netdevs",
				"netdev", text);
	}
	return r;
}

static int check_used(struct names *names, int kind)
{
	static const char *const keys[NAME_KINDS] = {
		[NODES] = "drive",
		[NETDEVS] = "netdev",
		[OBJECTS] = "iothread",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count[kind]; i++) {
		const struct name *name = &names->items[kind][i];
		char words[160], fix[160];

		if (name->used || name->inner || !fits(name, kind))
			continue;
		snprintf(words, sizeof(words), "no device uses the %s \"%.80s\"", kind_words[kind],
			name->text);
		snprintf(fix, sizeof(fix), "say %s = \"%.80s\"; in a device, or take it out",
			keys[kind], name->text);
		r = orphan(names, name->line, words, fix);
	}
	return r;
}

/* The ids of devices share nothing with the others', but must differ among themselves. */
static int check_device_ids(struct launch *launch)
{
	const struct launch_groups *devices = &launch->lists[SPEC_DEVICES];

	for (size_t i = 0; i < devices->count; i++) {
		const char *id = launch_text(devices->items[i].object, "id");
		for (size_t j = 0; id && j < i; j++) {
			const char *other = launch_text(devices->items[j].object, "id");
			if (other && strcmp(id, other) == 0)
				return launch_refuse(launch, devices->items[i].line,
					"devices: the id \"%s\" is already line %d's", id,
					devices->items[j].line);
		}
	}
	return 0;
}

int launch_check_names(struct launch *launch)
{
	struct names names = { .launch = launch };
	int r = check_device_ids(launch);

	if (r == 0)
		r = collect(&names);
	if (r == 0)
		r = use_all(&names);
	for (int kind = 0; r == 0 && kind < NAME_KINDS; kind++)
		r = check_used(&names, kind);
	free_names(&names);
	return r;
}
