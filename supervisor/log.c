/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "supervisor/api.h"
#include "supervisor/counters.h"
#include "supervisor/history.h"
#include "supervisor/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { UNHEARD_MAX = 64 << 10 };

struct api_log {
	int run_fd;
	char name[SPEC_NAME_SIZE];
	struct history_place place;
};

int api_log_open(const char *name, const struct api_options *options, struct api_log **ret_log,
	struct err *err)
{
	const char *run_dir = options->run_dir ? options->run_dir : API_RUN_DIR;

	if (!spec_name_valid(name))
		return err_set(err, EINVAL, "\"%s\" cannot be the name of a VM", name);
	struct api_log *log = calloc(1, sizeof(*log));
	if (!log)
		return err_set(err, ENOMEM, "out of memory");
	snprintf(log->name, sizeof(log->name), "%s", name);
	log->run_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_STRBUF struct strbuf text = { 0 };
	struct history_place nothing = { 0 };
	int r = log->run_fd < 0 ? -errno : history_read(log->run_fd, name, &nothing, &text);
	if (r < 0) {
		api_log_close(log);
		return err_set(
			err, -r, "there is no log of %s in %s: %s", name, run_dir, strerror(-r));
	}
	*ret_log = log;
	return 0;
}

void api_log_close(struct api_log *log)
{
	if (!log)
		return;
	cleanup_close(&log->run_fd);
	free(log);
}

int api_log_read(struct api_log *log, struct strbuf *text)
{
	int r = history_read(log->run_fd, log->name, &log->place, text);

	return r == -ENOENT ? 0 : r;
}

/* How much of qemu.log the supervisor has taken over. */
static uint64_t heard(int dirfd)
{
	AUTO_CLOSE int fd = openat(dirfd, "counters", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct counters counters;

	if (fd < 0 || pread(fd, &counters, sizeof(counters), 0) != (ssize_t)sizeof(counters) ||
		!counters_ours(&counters))
		return 0;
	return counter_read(&counters.qemu_log_seen);
}

void api_log_unheard(const struct api_log *log, struct strbuf *text)
{
	AUTO_CLOSE int dir =
		openat(log->run_fd, log->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FREE char *words = NULL;
	size_t length, from;

	if (dir < 0 || rundir_read(dir, "qemu.log", &words, &length) < 0)
		return;
	from = heard(dir) <= length ? (size_t)heard(dir) : 0;
	if (length - from > UNHEARD_MAX)
		from = length - UNHEARD_MAX;
	if (from == length)
		return;
	strbuf_add(text, "QEMU's words since then:\n");
	strbuf_add_bytes(text, words + from, length - from);
	if (words[length - 1] != '\n')
		strbuf_add(text, "\n");
}
