/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch.h"
#include "plan/launch_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int launch_refuse(const struct launch *launch, int line, const char *format, ...)
{
	char words[512];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	return err_set(launch->err, EINVAL, "%s:%d: %s", launch->spec->file, line, words);
}

const char *launch_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const char *launch_owner(enum spec_list list, const json_t *object)
{
	if (list == SPEC_OBJECTS)
		return launch_text(object, "qom-type");
	return launch_text(object, list == SPEC_NETDEVS ? "type" : "driver");
}

int launch_find_arg(const struct spec *spec, const char *option)
{
	for (size_t i = 0; i < spec->args.count; i++) {
		const char *arg = spec->args.items[i];
		if (arg[0] != '-')
			continue;
		if (strcmp(arg + (arg[1] == '-' ? 2 : 1), option) == 0)
			return (int)i;
	}
	return -1;
}

int launch_groups_add(struct launch_groups *groups, json_t *object, int line)
{
	struct launch_group *items = NULL;

	if (object)
		items = realloc(groups->items, (groups->count + 1) * sizeof(*items));
	if (!items) {
		json_decref(object);
		return -ENOMEM;
	}
	groups->items = items;
	items[groups->count++] = (struct launch_group){ object, line };
	return 0;
}

void launch_groups_free(struct launch_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		json_decref(groups->items[i].object);
	free(groups->items);
	*groups = (struct launch_groups){ 0 };
}

/* What a group must say to be one at all. */
static int check_group(
	const struct launch *launch, enum spec_list list, const json_t *object, int line)
{
	static const char *const kind_key[] = { "driver", "driver", "type", "qom-type" };
	static const char *const name_key[] = { "id", "node-name", "id", "id" };
	const char *list_name = spec_list_name(list);
	const json_t *name = json_object_get(object, name_key[list]);

	if (!launch_owner(list, object))
		return launch_refuse(launch, line, "%s: a group without %s = \"...\"", list_name,
			kind_key[list]);
	if (name && !json_is_string(name))
		return launch_refuse(launch, line, "%s: %s must be text in double quotes",
			list_name, name_key[list]);
	if (!name && list != SPEC_DEVICES)
		return launch_refuse(launch, line, "%s: a group without %s = \"...\"", list_name,
			name_key[list]);
	return 0;
}

int launch_read_groups(struct launch *launch)
{
	for (enum spec_list list = 0; list < SPEC_LISTS; list++) {
		const struct spec_groups *groups = &launch->spec->lists[list];
		for (size_t i = 0; i < groups->count; i++) {
			int line = groups->items[i].line;
			json_error_t error;
			json_t *object = json_loads(groups->items[i].json, 0, &error);

			if (!json_is_object(object)) {
				json_decref(object);
				return launch_refuse(launch, line, "%s: not a group: %s",
					spec_list_name(list), error.text);
			}
			if (launch_groups_add(&launch->lists[list], object, line) < 0)
				return -ENOMEM;
			int r = check_group(launch, list, object, line);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int build(struct launch *launch)
{
	int (*const steps[])(struct launch *) = {
		launch_read_groups,
		launch_check_names,
		launch_vfio_expect,
		launch_convert,
		launch_netdevs,
		launch_vfio,
		launch_write_options,
	};
	int r = launch_check_options(launch);

	for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](launch);
	return r;
}

int launch_argv(const struct spec *spec, const struct launch_host *host, struct strlist *ret_argv,
	struct strlist *ret_warnings, struct err *err)
{
	struct launch launch = { .spec = spec, .host = host, .err = err };
	int r = build(&launch);

	for (enum spec_list list = 0; list < SPEC_LISTS; list++)
		launch_groups_free(&launch.lists[list]);
	if (r < 0) {
		strlist_free(&launch.argv);
		strlist_free(&launch.warnings);
		return r == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : r;
	}
	*ret_argv = launch.argv;
	if (ret_warnings)
		*ret_warnings = launch.warnings;
	else
		strlist_free(&launch.warnings);
	return 0;
}
