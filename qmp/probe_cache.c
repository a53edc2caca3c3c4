/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/probe_cache.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

enum { CACHE_MAX = 1 << 20 };

void probe_cache_name(const struct stat *binary, char *name, size_t size)
{
	snprintf(name, size, "props-%llx-%llu-%lld-%lld.json", (unsigned long long)binary->st_dev,
		(unsigned long long)binary->st_ino, (long long)binary->st_size,
		(long long)binary->st_mtim.tv_sec * 1000000000 + binary->st_mtim.tv_nsec);
}

static int take_props(json_t *json, struct props *props)
{
	json_t *owner, *prop;
	size_t i;

	json_array_foreach(json_object_get(json, "owners"), i,
		owner) if (!json_is_string(owner) ||
			   props_add_owner(props, json_string_value(owner)) < 0) return -EBADMSG;
	json_array_foreach(json_object_get(json, "props"), i, prop)
	{
		const char *of, *name;
		int kind;

		if (json_unpack(prop, "[s, s, i]", &of, &name, &kind) < 0 || kind < 0 ||
			kind > PROP_OTHER || props_add(props, of, name, (enum prop_kind)kind) < 0)
			return -EBADMSG;
	}
	props_sort(props);
	return json_unpack(json, "{s:[i, i, i]}", "version", &props->version_major,
		       &props->version_minor, &props->version_micro) < 0
		       ? -EBADMSG
		       : 0;
}

int probe_cache_read(int dir_fd, const char *name, const char *questions, struct props *ret_props)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > CACHE_MAX)
		return -EBADMSG;
	json_t *json = json_loadfd(fd, 0, NULL);
	const char *asked = json_string_value(json_object_get(json, "questions"));
	int r = asked && strcmp(asked, questions) == 0 ? take_props(json, ret_props) : -ESTALE;
	json_decref(json);
	if (r < 0)
		props_free(ret_props);
	return r;
}

static void remove_others(int dir_fd, const char *keep)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "props-", 6) == 0 && strcmp(entry->d_name, keep) != 0)
			unlinkat(dir_fd, entry->d_name, 0);
}

static json_t *to_json(const char *questions, const struct props *props)
{
	json_t *owners = json_array(), *list = json_array();

	for (size_t i = 0; i < props->owner_count; i++)
		json_array_append_new(owners, json_string(props->owners[i]));
	for (size_t i = 0; i < props->count; i++)
		json_array_append_new(
			list, json_pack("[s, s, i]", props->items[i].owner, props->items[i].name,
				      (int)props->items[i].kind));
	return json_pack("{s:s, s:[i, i, i], s:o, s:o}", "questions", questions, "version",
		props->version_major, props->version_minor, props->version_micro, "owners", owners,
		"props", list);
}

void probe_cache_write(
	int dir_fd, const char *name, const char *questions, const struct props *props)
{
	char tmp[160];

	snprintf(tmp, sizeof(tmp), "%s.tmp", name);
	remove_others(dir_fd, name);
	AUTO_CLOSE int fd =
		openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	json_t *json = fd >= 0 ? to_json(questions, props) : NULL;
	bool whole = json && json_dumpfd(json, fd, JSON_COMPACT) == 0;

	json_decref(json);
	if (!whole || renameat(dir_fd, tmp, dir_fd, name) < 0)
		unlinkat(dir_fd, tmp, 0);
}
