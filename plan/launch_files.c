/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_file(struct launch_files *files, const char *path, bool write, int line)
{
	struct launch_file *items = realloc(files->items, (files->count + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	files->items = items;
	items[files->count] = (struct launch_file){ strdup(path), write, line };
	return items[files->count++].path ? 0 : -ENOMEM;
}

/* What is said of a node, else what it has from the node above. */
static bool is_read_only(const json_t *node, bool inherited)
{
	const json_t *value = json_object_get(node, "read-only");
	const char *text = json_string_value(value);

	if (text)
		return strcmp(text, "on") == 0 || strcmp(text, "yes") == 0 ||
		       strcmp(text, "true") == 0 || strcmp(text, "y") == 0;
	return json_is_boolean(value) ? json_is_true(value) : inherited;
}

static bool opens_file(const char *driver)
{
	return strcmp(driver, "file") == 0 || strcmp(driver, "host_device") == 0 ||
	       strcmp(driver, "host_cdrom") == 0;
}

static int add_node(struct launch_files *files, json_t *node, bool read_only, int line)
{
	const char *driver = launch_text(node, "driver"), *path = launch_text(node, "filename");
	const char *key;
	json_t *child;
	size_t i;
	int r = 0;

	read_only = is_read_only(node, read_only);
	/* /dev/fdset names a descriptor that QEMU was given. */
	if (driver && path && opens_file(driver) && strncmp(path, "/dev/fdset/", 11) != 0)
		r = add_file(files, path, !read_only && strcmp(driver, "host_cdrom") != 0, line);
	json_object_foreach(node, key, child) if (r == 0) r =
		add_node(files, child, read_only || strcmp(key, "backing") == 0, line);
	json_array_foreach(node, i, child) if (r == 0) r = add_node(files, child, read_only, line);
	return r;
}

static int add_rom(struct launch_files *files, const json_t *device, int line)
{
	const char *rom = launch_text(device, "romfile");

	return rom && strchr(rom, '/') ? add_file(files, rom, false, line) : 0;
}

int launch_files(const struct spec *spec, struct launch_files *ret_files)
{
	static const enum spec_list lists[] = { SPEC_DEVICES, SPEC_BLOCKDEVS };
	struct launch_files files = { 0 };
	int r = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct spec_groups *groups = &spec->lists[lists[l]];
		for (size_t i = 0; r == 0 && i < groups->count; i++) {
			json_t *object = json_loads(groups->items[i].json, 0, NULL);
			int line = groups->items[i].line;

			r = lists[l] == SPEC_DEVICES ? add_rom(&files, object, line)
						     : add_node(&files, object, false, line);
			json_decref(object);
		}
	}
	if (r < 0)
		launch_files_free(&files);
	else
		*ret_files = files;
	return r;
}

void launch_files_free(struct launch_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->items[i].path);
	free(files->items);
	*files = (struct launch_files){ 0 };
}
