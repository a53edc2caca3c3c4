/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/history.h"
#include "base/cleanup.h"
#include "model/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { HISTORY_MAX = 64 << 10, LINE = 2048 + 64, FILE_NAME = SPEC_NAME_SIZE + 16 };

static const char *file_of(const char *vm, bool old, char name[FILE_NAME])
{
	snprintf(name, FILE_NAME, "%.32s.log%s", vm, old ? ".1" : "");
	return name;
}

/* Local time, a mark for what is not as it should be, the words on one line. */
static size_t format_line(enum log_level level, const char *words, char line[LINE])
{
	struct timespec now;
	struct tm local;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	size_t at = strftime(line, LINE, "%Y-%m-%d %H:%M:%S", &local);
	at += (size_t)snprintf(line + at, LINE - at, ".%03ld %c ", now.tv_nsec / 1000000,
		level <= LOG_LEVEL_WARNING ? '!' : ' ');
	for (; *words && at < LINE - 1; words++)
		line[at++] = *words == '\n' ? ' ' : *words;
	line[at++] = '\n';
	return at;
}

/* A whole line or none. */
static int append(int run_fd, const char *vm, const char *line, size_t length)
{
	char name[FILE_NAME], old[FILE_NAME];
	struct stat st;
	AUTO_CLOSE int fd = openat(run_fd, file_of(vm, false, name),
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	ssize_t n = write(fd, line, length);
	if (n < 0)
		return -errno;
	if ((size_t)n < length)
		return ftruncate(fd, st.st_size) < 0 ? -errno : -ENOSPC;
	if (st.st_size + n > HISTORY_MAX)
		renameat(run_fd, name, run_fd, file_of(vm, true, old));
	return 0;
}

void history_keep(void *arg, enum log_level level, const char *vm, const char *words)
{
	struct history *history = arg;
	char line[LINE];
	int r = append(history->run_fd, vm, line, format_line(level, words, line));

	if (r < 0 && !history->failing)
		log_warning(NULL, "%s.log cannot be written, `vfio-sup log` will miss lines: %s",
			vm, strerror(-r));
	history->failing = r < 0;
}

void history_remove(int run_fd, const char *vm)
{
	char name[FILE_NAME];

	unlinkat(run_fd, file_of(vm, false, name), 0);
	unlinkat(run_fd, file_of(vm, true, name), 0);
}

static int open_file(int run_fd, const char *vm, bool old, struct stat *ret_stat)
{
	char name[FILE_NAME];
	AUTO_CLOSE int fd = openat(
		run_fd, file_of(vm, old, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret_stat) < 0)
		return -errno;
	return S_ISREG(ret_stat->st_mode) ? take_fd(&fd) : -EINVAL;
}

static int read_from(int fd, off_t *offset, struct strbuf *text)
{
	char bytes[4096];
	ssize_t n;

	while ((n = pread(fd, bytes, sizeof(bytes), *offset)) > 0) {
		strbuf_add_bytes(text, bytes, (size_t)n);
		*offset += n;
	}
	return n < 0 ? -errno : 0;
}

int history_read(int run_fd, const char *vm, struct history_place *place, struct strbuf *text)
{
	struct stat now, before;
	AUTO_CLOSE int fd = open_file(run_fd, vm, false, &now);
	AUTO_CLOSE int old = open_file(run_fd, vm, true, &before);
	int r = 0;

	if (fd < 0 && old < 0)
		return fd;
	/* First the end of one that was renamed meanwhile; all of it for who has read nothing. */
	if (old >= 0 && (place->inode == 0 || place->inode == before.st_ino)) {
		r = read_from(old, &place->offset, text);
		if (fd < 0)
			place->inode = before.st_ino;
	}
	if (r < 0 || fd < 0)
		return r;
	if (place->inode != now.st_ino)
		*place = (struct history_place){ .inode = now.st_ino };
	return read_from(fd, &place->offset, text);
}
