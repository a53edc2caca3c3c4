/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/journal.h"
#include "base/cleanup.h"
#include "model/spec.h"
#include "supervisor/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char file_name[] = "journal";

static int append(int dirfd, const char *line, size_t length)
{
	AUTO_CLOSE int fd = openat(
		dirfd, file_name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t n = write(fd, line, length);
	if (n < 0)
		return -errno;
	if ((size_t)n != length) {
		/* Half a line would take the next one along. */
		if (end >= 0 && ftruncate(fd, end) < 0)
			return -errno;
		return -ENOSPC;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int journal_add(int dirfd, const char *vm, const struct action *action, struct err *err)
{
	AUTO_STRBUF struct strbuf line = { 0 };

	strbuf_addf(&line, "%s ", vm);
	action_format(action, &line);
	strbuf_add(&line, "\n");
	if (line.failed)
		return err_set(err, ENOMEM, "journal: out of memory");
	int r = append(dirfd, line.text, line.length);
	if (r < 0) {
		err_set(err, -r, "cannot write the journal: %s", strerror(-r));
		err_why(err, "nothing on the host is changed that is not written down before");
		err_fix(err, "make room in the run directory");
	}
	return r;
}

/* The journal's lines in place: *ret_text is the caller's. An absent journal is an empty one. */
static int read_text(int dirfd, char **ret_text)
{
	size_t length;
	int r = rundir_read(dirfd, file_name, ret_text, &length);

	if (r == -ENOENT) {
		*ret_text = strdup("");
		r = *ret_text ? 0 : -ENOMEM;
	}
	return r;
}

/* Cuts "NAME ACTION" in two; false if it is no such line. */
static bool split(char *line, const char **ret_vm, const char **ret_action)
{
	char *blank = strchr(line, ' ');

	if (!blank)
		return false;
	*blank = '\0';
	*ret_vm = line;
	*ret_action = blank + 1;
	return spec_name_valid(line) || strcmp(line, JOURNAL_HOST) == 0;
}

int journal_read(int dirfd, const char *vm, struct actions *ret_actions, size_t *ret_bad)
{
	AUTO_FREE char *text = NULL;
	const char *name, *words;
	char *rest = NULL;
	int r = read_text(dirfd, &text);

	*ret_bad = 0;
	for (char *line = r == 0 ? strtok_r(text, "\n", &rest) : NULL; line && r == 0;
		line = strtok_r(NULL, "\n", &rest)) {
		struct action action;

		/* Of many VMs each reads its own only. */
		bool sound = split(line, &name, &words);
		if (sound && vm && strcmp(vm, name) != 0)
			continue;
		if (sound && action_parse(words, &action, NULL) == 0)
			r = actions_add(ret_actions, &action);
		else
			(*ret_bad)++;
	}
	return r;
}

int journal_drop(int dirfd, const char *vm)
{
	AUTO_FREE char *text = NULL;
	AUTO_STRBUF struct strbuf kept = { 0 };
	size_t length = strlen(vm);
	char *rest = NULL;
	int r = read_text(dirfd, &text);

	for (char *line = r == 0 ? strtok_r(text, "\n", &rest) : NULL; line;
		line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, vm, length) != 0 || line[length] != ' ')
			strbuf_addf(&kept, "%s\n", line);
	if (r < 0)
		return r;
	if (kept.failed)
		return -ENOMEM;
	if (kept.length > 0)
		return rundir_write(dirfd, file_name, kept.text, kept.length);
	return unlinkat(dirfd, file_name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static bool listed(const struct strlist *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

int journal_vms(int dirfd, struct strlist *ret_names)
{
	AUTO_FREE char *text = NULL;
	const char *name, *words;
	char *rest = NULL;
	int r = read_text(dirfd, &text);

	for (char *line = r == 0 ? strtok_r(text, "\n", &rest) : NULL; line && r == 0;
		line = strtok_r(NULL, "\n", &rest))
		if (split(line, &name, &words) && strcmp(name, JOURNAL_HOST) != 0 &&
			!listed(ret_names, name))
			r = strlist_add(ret_names, name);
	return r;
}
