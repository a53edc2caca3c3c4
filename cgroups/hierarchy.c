/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/hierarchy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A controller's line in /proc/cgroups: "cpuset 3 1 1". Kernels without CONFIG_CPUSETS_V1 do not list
 * it although v2 has it. */
struct listing {
	bool listed, enabled;
	int hierarchy; /* 0: bound to v2 or to none */
};

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; *at; at += strspn(at, " \n")) {
		size_t n = strcspn(at, " \n");

		if (n == length && strncmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}

static struct listing read_listing(const struct root *root, const char *controller)
{
	struct listing listing = { 0 };
	char text[4096], *rest = text, *line;
	size_t length = strlen(controller);

	if (root_read(root, "proc/cgroups", text, sizeof(text)) < 0)
		return listing;
	while ((line = strsep(&rest, "\n"))) {
		int enabled, hierarchy;

		if (strncmp(line, controller, length) != 0 || line[length] != '\t')
			continue;
		if (sscanf(line + length, "%d %*d %d", &hierarchy, &enabled) == 2)
			listing = (struct listing){ true, enabled != 0, hierarchy };
	}
	return listing;
}

static ssize_t read_controllers(const struct root *root, const struct mount *mount, char *text)
{
	return root_readf(root, text, 1024, "%s/cgroup.controllers", mount->dir);
}

/* A mount may be hidden below a later one, so look for a file of the controller's own. */
static bool visible(const struct root *root, const struct mount *mount, const char *controller)
{
	char path[PATH_MAX], controllers[1024];
	const char *file = strcmp(controller, "cpuset") == 0 ? "cpuset.cpus" : "cpu.shares";

	if (mount->v2)
		return read_controllers(root, mount, controllers) >= 0 &&
		       has_word(controllers, controller);
	int n = snprintf(path, sizeof(path), "%s/%s", mount->dir, file);
	return n > 0 && (size_t)n < sizeof(path) && root_exists(root, path);
}

static bool carries(const struct root *root, const struct mount *mount, const char *controller)
{
	return mount->v2 ? visible(root, mount, controller) : mount_has_option(mount, controller);
}

static void refuse(struct hierarchy *hierarchy, const char *words, const char *dir)
{
	snprintf(hierarchy->reason, sizeof(hierarchy->reason), "%s is mounted at /%.150s, %s",
		hierarchy->controller, dir, words);
}

/* True if this mount will do; else the hierarchy's reason says why not. */
static bool take(const struct root *root, const struct mount *mount, struct hierarchy *hierarchy)
{
	if (mount_has_option(mount, "noprefix"))
		refuse(hierarchy, "but with the option noprefix, under other file names",
			mount->dir);
	else if (mount->read_only)
		refuse(hierarchy, "but read-only", mount->dir);
	else if (!visible(root, mount, hierarchy->controller))
		refuse(hierarchy, "but another mount hides it", mount->dir);
	else if (strlen(mount->dir) >= sizeof(hierarchy->dir) ||
		 strlen(mount->top) >= sizeof(hierarchy->top))
		refuse(hierarchy, "a path too long to use", mount->dir);
	else
		return true;
	return false;
}

static void accept(const struct mount *mount, struct hierarchy *hierarchy)
{
	hierarchy->mode = mount->v2 ? CG_MODE_V2 : CG_MODE_V1;
	hierarchy->reason[0] = '\0';
	snprintf(hierarchy->dir, sizeof(hierarchy->dir), "%s", mount->dir);
	snprintf(hierarchy->top, sizeof(hierarchy->top), "%s",
		strcmp(mount->top, "/") == 0 ? "" : mount->top);
}

static bool find_version(
	const struct root *root, const struct mounts *mounts, bool v2, struct hierarchy *hierarchy)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *mount = &mounts->items[i];

		if (mount->v2 != v2 || !carries(root, mount, hierarchy->controller))
			continue;
		if (take(root, mount, hierarchy)) {
			accept(mount, hierarchy);
			return true;
		}
	}
	return false;
}

static const struct mount *first_v2(const struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->items[i].v2)
			return &mounts->items[i];
	return NULL;
}

static void explain(
	const struct root *root, const struct mounts *mounts, struct hierarchy *hierarchy)
{
	struct listing listing = read_listing(root, hierarchy->controller);
	const struct mount *v2 = first_v2(mounts);
	const char *name = hierarchy->controller;
	char *reason = hierarchy->reason;
	size_t size = sizeof(hierarchy->reason);

	if (mounts->count == 0)
		snprintf(reason, size, "no cgroup file system is mounted");
	else if (listing.listed && !listing.enabled)
		snprintf(reason, size,
			"the %s controller is switched off on the kernel's command line "
			"(cgroup_disable=)",
			name);
	else if (listing.listed && listing.hierarchy)
		snprintf(reason, size,
			"the %s controller is in a cgroup v1 hierarchy that is not mounted here",
			name);
	else if (v2)
		snprintf(reason, size, "cgroup v2 at /%.120s does not offer the %s controller",
			v2->dir, name);
	else if (listing.listed)
		snprintf(reason, size, "the %s controller is mounted nowhere", name);
	else
		snprintf(reason, size, "this kernel has no %s controller", name);
}

void hierarchy_find(const struct root *root, const struct mounts *mounts, const char *controller,
	struct hierarchy *ret_hierarchy)
{
	*ret_hierarchy = (struct hierarchy){ .mode = CG_MODE_NONE };
	snprintf(ret_hierarchy->controller, sizeof(ret_hierarchy->controller), "%s", controller);
	if (find_version(root, mounts, false, ret_hierarchy) ||
		find_version(root, mounts, true, ret_hierarchy))
		return;
	if (!ret_hierarchy->reason[0])
		explain(root, mounts, ret_hierarchy);
}

static bool list_has(const char *list, size_t length, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list, *end = list + length; at < end; at++) {
		size_t word = strcspn(at, ",:");

		if (word == n && strncmp(at, name, n) == 0)
			return true;
		at += word;
	}
	return false;
}

/* The path of a line "ID:CONTROLLERS:PATH" if it speaks of this hierarchy; v2's is "0::PATH". */
static const char *path_of_line(const struct hierarchy *hierarchy, const char *line)
{
	const char *list = line + strspn(line, "0123456789");
	const char *colon = *list == ':' ? strpbrk(list + 1, ":\n") : NULL;

	if (!colon || *colon != ':')
		return NULL;
	list++;
	if (hierarchy->mode == CG_MODE_V2)
		return strncmp(line, "0::", 3) == 0 ? colon + 1 : NULL;
	return list_has(list, (size_t)(colon - list), hierarchy->controller) ? colon + 1 : NULL;
}

/* Below what is mounted, the mounted group itself is the root. */
static int relative(const char *top, const char *path, size_t length, char *group, size_t size)
{
	size_t n = strlen(top);
	bool below = length >= n && strncmp(path, top, n) == 0 && (length == n || path[n] == '/');
	const char *from = below ? path + n : path;
	size_t rest = length - (size_t)(from - path);
	int written;

	while (below && rest && *from == '/')
		from++, rest--;
	written = snprintf(group, size, "%s%.*s", below ? "" : "..", (int)rest, from);
	return written >= 0 && (size_t)written < size ? 0 : -ENAMETOOLONG;
}

int hierarchy_group_of(
	const struct hierarchy *hierarchy, const char *text, char *group, size_t size)
{
	for (const char *line = text; *line; line += *line == '\n') {
		const char *path = path_of_line(hierarchy, line);

		if (path)
			return relative(hierarchy->top, path, strcspn(path, "\n"), group, size);
		line += strcspn(line, "\n");
	}
	return -ENOENT;
}
