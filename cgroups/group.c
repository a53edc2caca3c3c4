/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/group.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *group_tidy(const char *group)
{
	return group + strspn(group, "/");
}

static bool level_valid(const char *level, size_t length)
{
	if (length == 0 || (length == 1 && level[0] == '.'))
		return false;
	return !(length == 2 && level[0] == '.' && level[1] == '.');
}

bool group_valid(const char *group)
{
	if (!group[0])
		return true;
	if (strlen(group) >= MODEL_PATH || strchr(group, '\n'))
		return false;
	for (const char *at = group;; at++) {
		size_t length = strcspn(at, "/");

		if (!level_valid(at, length))
			return false;
		at += length;
		if (!*at)
			return true;
	}
}

bool group_parent(const char *group, char *parent)
{
	const char *slash = strrchr(group, '/');

	if (!group[0])
		return false;
	size_t length = slash ? (size_t)(slash - group) : 0;
	memmove(parent, group, length);
	parent[length] = '\0';
	return true;
}

bool group_child(const char *group, const char *name, char *child)
{
	int n = snprintf(child, MODEL_PATH, "%s%s%s", group, group[0] ? "/" : "", name);

	return n > 0 && n < MODEL_PATH;
}

int group_file(const char *group, const char *file, char *path)
{
	if (!group_valid(group) || !level_valid(file, strlen(file)) || strchr(file, '/'))
		return -EINVAL;
	int n = snprintf(path, GROUP_FILE_PATH, "%s%s%s", group, group[0] ? "/" : "", file);

	return n > 0 && n < GROUP_FILE_PATH ? 0 : -ENAMETOOLONG;
}

static const char *last_level(const char *group)
{
	const char *slash = strrchr(group, '/');

	return slash ? slash + 1 : group;
}

bool group_is_slot(const char *group)
{
	char parent[MODEL_PATH];

	if (!group_parent(group, parent) || strcmp(last_level(parent), "vm") != 0)
		return false;
	for (enum cg_slot slot = SLOT_EMULATOR; slot <= SLOT_VCPUS; slot++)
		if (strcmp(last_level(group), cg_slot_name(slot)) == 0)
			return true;
	return false;
}

const char *group_words(const char *group)
{
	return group[0] ? group : "the root group";
}
