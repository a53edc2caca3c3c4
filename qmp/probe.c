/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/probe.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "qmp/ask.h"
#include "qmp/probe_cache.h"
#include "qmp/schema.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAJOR_MIN = 7, MINOR_MIN = 2 };

static const char *type_of(json_t *group, enum spec_list list)
{
	static const char *const keys[SPEC_LISTS] = {
		[SPEC_DEVICES] = "driver",
		[SPEC_BLOCKDEVS] = "driver",
		[SPEC_NETDEVS] = "type",
		[SPEC_OBJECTS] = "qom-type",
	};

	return json_string_value(json_object_get(group, keys[list]));
}

/* Is the owner named anywhere in the list, nested or not? */
struct wanted {
	const struct spec_groups *groups;
};

static bool is_named(void *arg, const char *owner)
{
	const struct wanted *wanted = arg;
	char quoted[96];

	snprintf(quoted, sizeof(quoted), "\"%s\"", owner);
	for (size_t i = 0; i < wanted->groups->count; i++)
		if (strstr(wanted->groups->items[i].json, quoted))
			return true;
	return false;
}

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* The type words of device-list-properties and qom-list-properties. */
static enum prop_kind kind_of_type(const char *type)
{
	if (strcmp(type, "bool") == 0 || strcmp(type, "boolean") == 0)
		return PROP_BOOL;
	if (strcmp(type, "size") == 0 || strcmp(type, "size32") == 0)
		return PROP_SIZE;
	if (begins(type, "int") || begins(type, "uint"))
		return PROP_NUMBER;
	if (strcmp(type, "str") == 0 || strcmp(type, "string") == 0)
		return PROP_STRING;
	return PROP_OTHER;
}

static int add_listed(struct props *props, const char *owner, json_t *list)
{
	static const char *const always[] = { "driver", "id", "bus", "qom-type" };
	json_t *one;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		if (props_add(props, owner, always[i], PROP_STRING) < 0)
			return -ENOMEM;
	json_array_foreach(list, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "name"));
		const char *type = json_string_value(json_object_get(one, "type"));
		enum prop_kind kind = type ? kind_of_type(type) : PROP_OTHER;

		/* PCI addresses are text: "10" is slot 0x10. */
		if (name && strcmp(name, "addr") == 0 && kind == PROP_NUMBER)
			kind = PROP_STRING;
		if (name && props_add(props, owner, name, kind) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int ask_type(struct ask *talk, struct props *props, const char *command, const char *owner)
{
	json_t *list = NULL;

	if (props_has_owner(props, owner))
		return 0;
	int r = ask(talk, command, json_pack("{s:s}", "typename", owner), &list);
	if (r == 0 && json_is_array(list)) {
		r = props_add_owner(props, owner) < 0 ? -ENOMEM : 0;
		if (r == 0)
			r = add_listed(props, owner, list);
	}
	json_decref(list);
	return r;
}

static int ask_list(struct ask *talk, const struct spec *spec, enum spec_list list,
	const char *command, struct props *props)
{
	const struct spec_groups *groups = &spec->lists[list];
	int r = 0;

	for (size_t i = 0; r == 0 && i < groups->count; i++) {
		json_t *group = json_loads(groups->items[i].json, 0, NULL);
		const char *owner = type_of(group, list);

		if (owner)
			r = ask_type(talk, props, command, owner);
		json_decref(group);
	}
	return r;
}

static int ask_schema(struct ask *talk, const struct spec *spec, struct props *props)
{
	struct wanted blockdevs = { &spec->lists[SPEC_BLOCKDEVS] };
	struct wanted netdevs = { &spec->lists[SPEC_NETDEVS] };
	json_t *schema = NULL;

	if (!blockdevs.groups->count && !netdevs.groups->count)
		return 0;
	int r = ask(talk, "query-qmp-schema", NULL, &schema);
	if (r == 0 && schema_add(schema, "blockdev-add", is_named, &blockdevs, props) < 0)
		r = -ENOMEM;
	if (r == 0 && schema_add(schema, "netdev_add", is_named, &netdevs, props) < 0)
		r = -ENOMEM;
	json_decref(schema);
	return r;
}

static int note_version(json_t *greeting, const char *binary, struct props *props, struct err *err)
{
	json_t *version = json_object_get(
		json_object_get(json_object_get(greeting, "QMP"), "version"), "qemu");

	props->version_major = (int)json_integer_value(json_object_get(version, "major"));
	props->version_minor = (int)json_integer_value(json_object_get(version, "minor"));
	props->version_micro = (int)json_integer_value(json_object_get(version, "micro"));
	if (props->version_major > MAJOR_MIN ||
		(props->version_major == MAJOR_MIN && props->version_minor >= MINOR_MIN))
		return 0;
	err_set(err, EOPNOTSUPP, "%s is QEMU %d.%d.%d; %d.%d or newer is needed", binary,
		props->version_major, props->version_minor, props->version_micro, MAJOR_MIN,
		MINOR_MIN);
	err_fix(err, "install the distribution's qemu-system-x86");
	return -EOPNOTSUPP;
}

static int ask_all(const struct spec *spec, struct props *props, struct err *err)
{
	struct ask talk;
	json_t *greeting = NULL;
	int r = ask_start(spec->binary, &talk, &greeting, err);

	if (r < 0)
		return r;
	r = note_version(greeting, spec->binary, props, err);
	json_decref(greeting);
	if (r == 0) {
		r = ask_list(&talk, spec, SPEC_DEVICES, "device-list-properties", props);
		if (r == 0)
			r = ask_list(&talk, spec, SPEC_OBJECTS, "qom-list-properties", props);
		if (r == 0)
			r = ask_schema(&talk, spec, props);
		if (r < 0)
			err_set(err, -r, "%s does not say what it knows: %s", spec->binary,
				strerror(-r));
	}
	ask_end(&talk);
	props_sort(props);
	return r;
}

static int check_binary(const struct spec *spec, struct stat *st, struct err *err)
{
	if (stat(spec->binary, st) < 0) {
		int code = errno;

		err_set(err, code, "binary %s: %s", spec->binary, strerror(code));
		err_fix(err, code == ENOENT ? "apt install qemu-system-x86"
					    : "look at the directories on the way to it");
		return -code;
	}
	if (S_ISREG(st->st_mode) && access(spec->binary, X_OK) == 0)
		return 0;
	err_set(err, EACCES, "binary %s is not an executable file", spec->binary);
	err_fix(err, "binary = \"/usr/bin/qemu-system-x86_64\";");
	return -EACCES;
}

/* Everything that was asked for, in a fixed order: a cache answers only the same questions. */
static void write_questions(const struct spec *spec, struct strbuf *text)
{
	for (int list = 0; list < SPEC_LISTS; list++)
		for (size_t i = 0; i < spec->lists[list].count; i++)
			strbuf_addf(text, "%d %s\n", list, spec->lists[list].items[i].json);
}

int qmp_probe(const struct spec *spec, int cache_dir, struct props *ret_props, struct err *err)
{
	AUTO_STRBUF struct strbuf questions = { 0 };
	struct stat st;
	char name[128];
	int r = check_binary(spec, &st, err);

	*ret_props = (struct props){ 0 };
	if (r < 0)
		return r;
	write_questions(spec, &questions);
	if (questions.failed)
		return err_set(err, ENOMEM, "out of memory");
	probe_cache_name(&st, name, sizeof(name));
	const char *asked = questions.text ? questions.text : "";
	if (cache_dir >= 0 && probe_cache_read(cache_dir, name, asked, ret_props) == 0)
		return 0;
	r = ask_all(spec, ret_props, err);
	if (r < 0)
		props_free(ret_props);
	else if (cache_dir >= 0)
		probe_cache_write(cache_dir, name, asked, ret_props);
	return r;
}
