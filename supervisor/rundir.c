/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rundir.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 2 << 20 };

static int open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int refuse_open(const char *path, int code, struct err *err)
{
	err_set(err, code, "run directory %s: %s", path,
		code == ENOTDIR || code == ELOOP ? "it is a symbolic link or no directory"
						 : strerror(code));
	if (code == ENOENT)
		err_fix(err, "make the directory that holds it, or name another with --run-dir");
	else if (code == ENOTDIR || code == ELOOP)
		err_fix(err, "remove it, or name another with --run-dir");
	else
		err_fix(err, "run as root, or name a directory of yours with --run-dir");
	return -code;
}

static int check_ours(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "run directory %s: %s", path, strerror(errno));
	if (st.st_uid != geteuid()) {
		err_set(err, EPERM, "run directory %s belongs to another user (uid %u)", path,
			st.st_uid);
		err_fix(err, "chown it, or name another with --run-dir");
		return -EPERM;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		err_set(err, EPERM, "run directory %s: others may write there (mode %04o)", path,
			st.st_mode & 07777);
		err_fix(err, "chmod go-w %s", path);
		return -EPERM;
	}
	return 0;
}

int rundir_open(const char *path, bool *ret_made, struct err *err)
{
	*ret_made = mkdir(path, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return refuse_open(path, errno, err);
	AUTO_CLOSE int fd = open_directory(AT_FDCWD, path);
	if (fd < 0)
		return refuse_open(path, -fd, err);
	int r = check_ours(fd, path, err);
	return r < 0 ? r : take_fd(&fd);
}

void rundir_unmake(int dirfd, const char *path)
{
	AUTO_CLOSE int fd = open_directory(dirfd, ".");
	AUTO_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return;
	take_fd(&fd); /* the stream's now */
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, "props-", 6) == 0)
			unlinkat(dirfd, entry->d_name, 0);
	rmdir(path); /* not empty: then it stays */
}

static int open_below(int dirfd, const char *name, mode_t mode, struct err *err)
{
	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return err_set(err, errno, "cannot make %s in the run directory: %s", name,
			strerror(errno));
	int fd = open_directory(dirfd, name);
	if (fd < 0)
		return err_set(
			err, -fd, "cannot open %s in the run directory: %s", name, strerror(-fd));
	return fd;
}

int rundir_open_vm(int dirfd, const char *name, uid_t uid, gid_t gid, int *ret_fd, int *ret_io_fd,
	struct err *err)
{
	AUTO_CLOSE int fd = open_below(dirfd, name, 0755, err);
	if (fd < 0)
		return fd;
	AUTO_CLOSE int io = open_below(fd, "io", 0700, err);
	if (io < 0)
		return io;
	if (fchown(io, uid, gid) < 0)
		return err_set(
			err, errno, "cannot give %s/io to QEMU's user: %s", name, strerror(errno));
	*ret_fd = take_fd(&fd);
	*ret_io_fd = take_fd(&io);
	return 0;
}

static void empty(int dirfd, const char *name)
{
	AUTO_CLOSE int fd = open_directory(dirfd, name);
	AUTO_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return;
	int at = take_fd(&fd); /* the stream's now */
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(at, entry->d_name, 0);
}

void rundir_remove_vm(int dirfd, const char *name)
{
	AUTO_CLOSE int fd = open_directory(dirfd, name);

	if (fd < 0)
		return;
	empty(fd, "io");
	unlinkat(fd, "io", AT_REMOVEDIR);
	empty(dirfd, name);
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int rundir_write(int dirfd, const char *name, const char *bytes, size_t length)
{
	char temporary[64];

	snprintf(temporary, sizeof(temporary), ".%.50s.new", name);
	unlinkat(dirfd, temporary, 0);
	AUTO_CLOSE int fd = openat(
		dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, bytes, length);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	else
		fsync(dirfd);
	return r;
}

int rundir_read(int dirfd, const char *name, char **ret_bytes, size_t *ret_length)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t length = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	AUTO_FREE char *bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (length < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + length, (size_t)st.st_size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	bytes[length] = '\0';
	*ret_bytes = TAKE(bytes);
	*ret_length = length;
	return 0;
}

int rundir_note_autostart(int dirfd, const char *name, const char *boot_id)
{
	AUTO_FREE char *text = NULL;
	char file[64];
	size_t length;

	snprintf(file, sizeof(file), "autostarted.%.40s", name);
	if (rundir_read(dirfd, file, &text, &length) == 0 && strcmp(text, boot_id) == 0)
		return 1;
	return rundir_write(dirfd, file, boot_id, strlen(boot_id));
}
