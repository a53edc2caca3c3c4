/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/mounts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

typedef bool (*parse_line)(char *line, struct mount *ret_mount);

static bool is_octal(const char *text)
{
	return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
	       text[2] >= '0' && text[2] <= '7';
}

/* The kernel writes blank, tab, newline, backslash and '#' as \ooo. */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && is_octal(from + 1)) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		if (n == length && strncmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}

bool mount_has_option(const struct mount *mount, const char *option)
{
	return has_word(mount->options, option) || has_word(mount->super_options, option);
}

static bool set_type(struct mount *mount, const char *type)
{
	mount->v2 = type && strcmp(type, "cgroup2") == 0;
	return mount->v2 || (type && strcmp(type, "cgroup") == 0);
}

static void finish(struct mount *mount, char *line, char *dir, char *top)
{
	unescape(dir);
	mount->line = line;
	mount->dir = dir + strspn(dir, "/");
	mount->top = unescape(top);
	mount->read_only = mount_has_option(mount, "ro");
}

/* "36 35 0:25 TOP DIR OPTIONS optional... - TYPE SOURCE SUPER_OPTIONS", proc_pid_mountinfo(5). */
bool mount_parse_mountinfo(char *line, struct mount *ret_mount)
{
	struct mount mount = { 0 };
	char *rest = line, *fields[6], *field;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!(fields[i] = strsep(&rest, " ")))
			return false;
	while ((field = strsep(&rest, " ")) && strcmp(field, "-") != 0)
		;
	if (!set_type(&mount, strsep(&rest, " ")) || !strsep(&rest, " "))
		return false;
	mount.options = fields[5];
	mount.super_options = rest ? rest : "";
	finish(&mount, line, fields[4], fields[3]);
	*ret_mount = mount;
	return true;
}

/* "SOURCE DIR TYPE OPTIONS 0 0" */
bool mount_parse_mounts(char *line, struct mount *ret_mount)
{
	static char top[] = "/";
	struct mount mount = { 0 };
	char *rest = line;

	strsep(&rest, " ");
	char *dir = strsep(&rest, " ");
	if (!set_type(&mount, strsep(&rest, " ")))
		return false;
	mount.options = strsep(&rest, " ");
	mount.super_options = "";
	if (!mount.options)
		return false;
	finish(&mount, line, dir, top);
	*ret_mount = mount;
	return true;
}

static int add(struct mounts *mounts, const char *text, parse_line parse)
{
	AUTO_FREE char *line = strdup(text);
	struct mount mount;

	if (!line)
		return -ENOMEM;
	line[strcspn(line, "\n")] = '\0';
	if (!parse(line, &mount))
		return 0;
	struct mount *items = realloc(mounts->items, (mounts->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	mounts->items = items;
	items[mounts->count++] = mount;
	TAKE(line);
	return 0;
}

static int read_file(
	const struct root *root, const char *path, parse_line parse, struct mounts *mounts)
{
	AUTO_CLOSE int fd = root_open_file(root, path, O_RDONLY);
	AUTO_FILE FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (fd < 0)
		return fd;
	if (!file)
		return -errno;
	take_fd(&fd);
	while (r == 0 && getline(&line, &size, file) >= 0)
		r = add(mounts, line, parse);
	if (r == 0 && ferror(file))
		r = -errno;
	return r;
}

int mounts_read(const struct root *root, struct mounts *ret_mounts)
{
	struct mounts mounts = { 0 };
	int r = read_file(root, "proc/self/mountinfo", mount_parse_mountinfo, &mounts);

	if (r == -ENOENT)
		r = read_file(root, "proc/mounts", mount_parse_mounts, &mounts);
	if (r == -ENOENT)
		r = read_file(root, "proc/self/mounts", mount_parse_mounts, &mounts);
	if (r < 0)
		mounts_free(&mounts);
	else
		*ret_mounts = mounts;
	return r;
}

void mounts_free(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		free(mounts->items[i].line);
	free(mounts->items);
	*mounts = (struct mounts){ 0 };
}
