/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/lock.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* A holder that went away removed the file: what was opened may no longer be the one at the path. */
static bool still_there(int dirfd, const char *name, int fd)
{
	struct stat open_file, named;

	return fstat(fd, &open_file) == 0 &&
	       fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

static void read_holder(int fd, char *holder, size_t size)
{
	ssize_t n = pread(fd, holder, size - 1, 0);

	holder[n > 0 ? n : 0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
}

/* What stands there only explains; the flock is what counts. */
static void write_holder(int fd, const char *words)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "%.150s\n", words);

	if (ftruncate(fd, 0) < 0 || pwrite(fd, line, (size_t)n, 0) < 0)
		return;
}

int lock_take(int dirfd, const char *name, const char *words, char *holder, size_t size)
{
	holder[0] = '\0';
	for (;;) {
		AUTO_CLOSE int fd =
			openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			int code = errno;

			if (code == EINTR)
				continue;
			read_holder(fd, holder, size);
			return -code;
		}
		if (!still_there(dirfd, name, fd))
			continue;
		write_holder(fd, words);
		return take_fd(&fd);
	}
}

void lock_drop(int dirfd, const char *name, int fd)
{
	if (fd < 0)
		return;
	unlinkat(dirfd, name, 0);
	close(fd);
}
