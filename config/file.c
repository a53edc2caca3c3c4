/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/file.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINKS_MAX = 8 };

/* For the shell: as it stands where that is safe, else in single quotes. */
static char *quoted(const char *path, struct strbuf *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789/._-+:@%,";
	bool plain = strspn(path, safe) == strlen(path) && path[0] != '-';

	if (!plain)
		strbuf_add(text, "'");
	for (; *path; path++)
		if (*path == '\'')
			strbuf_add(text, "'\\''");
		else
			strbuf_add_bytes(text, path, 1);
	if (!plain)
		strbuf_add(text, "'");
	return text->failed || !text->text ? "FILE" : text->text;
}

static int fail_owner(const char *path, const struct stat *st, const char *what, struct err *err)
{
	struct strbuf name AUTO_STRBUF = { 0 };

	err_set(err, EPERM, "%s: %sbelongs to uid %u, who could change it at any time", path, what,
		(unsigned)st->st_uid);
	const char *shown = quoted(path, &name);
	if (geteuid() == 0)
		err_fix(err, "chown root %s", shown);
	else
		err_fix(err, "chown root %s, or chown %u %s", shown, (unsigned)geteuid(), shown);
	return -EPERM;
}

static int fail_mode(const char *path, const struct stat *st, const char *what, struct err *err)
{
	struct strbuf name AUTO_STRBUF = { 0 };
	bool group = st->st_mode & S_IWGRP, other = st->st_mode & S_IWOTH;

	err_set(err, EPERM, "%s: %s%s may write it (mode %04o)", path, what,
		group && other ? "its group and others"
		: group        ? "its group"
			       : "others",
		(unsigned)st->st_mode & 07777u);
	err_why(err, "who writes a VM's file decides what the supervisor runs");
	err_fix(err, "chmod %s-w %s",
		group && other ? "go"
		: group        ? "g"
			       : "o",
		quoted(path, &name));
	return -EPERM;
}

static bool trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static int fail_errno(const char *path, int error, struct err *err)
{
	err_set(err, error, "%s: %s", path, strerror(error));
	if (error == ENOENT || error == ENOTDIR)
		err_fix(err, "check the name; a VM's file is /etc/vfio-sup/vms/NAME.conf");
	else if (error == EACCES)
		err_fix(err, "run as root, or as a user who may read it");
	return -error;
}

static int fail_large(const char *path, struct err *err)
{
	err_set(err, EFBIG, "%s: larger than 1 MiB", path);
	err_fix(err, "check that this is a VM's file");
	return -EFBIG;
}

static int open_directory(const char *path, int at, const char *directory, struct err *err)
{
	int fd = openat(at, directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return fail_errno(path, error, err);
	}
	int r = 0;
	if (!trusted(st.st_uid))
		r = fail_owner(directory, &st, "the file's directory ", err);
	else if (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))
		r = fail_mode(directory, &st, "in the file's directory ", err);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* "." and "x.conf" of "x.conf", "/" and "x.conf" of "/x.conf". */
static int split(const char *path, char *directory, const char **ret_base)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(directory, path, length);
	directory[length] = '\0';
	if (length == 0)
		strcpy(directory, slash ? "/" : ".");
	*ret_base = slash ? slash + 1 : path;
	return 0;
}

static int check_file(const char *path, int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno(path, errno, err);
	if (!S_ISREG(st.st_mode)) {
		err_set(err, EINVAL, "%s: not a regular file", path);
		err_fix(err, "give the VM's file, for example /etc/vfio-sup/vms/NAME.conf");
		return -EINVAL;
	}
	if (!trusted(st.st_uid))
		return fail_owner(path, &st, "", err);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail_mode(path, &st, "", err);
	if (st.st_size > CONF_FILE_MAX)
		return fail_large(path, err);
	return 0;
}

/* One step: the directory is checked, then the file in it opened, or the link in it read into
 * `target` (then -ELOOP). */
static int open_step(const char *path, int *directory_fd, const char *step, char *target,
	size_t size, struct err *err)
{
	char directory[PATH_MAX];
	const char *base;
	struct stat st;
	int r = split(step, directory, &base);

	if (r < 0)
		return fail_errno(path, -r, err);
	int at = open_directory(path, *directory_fd, directory, err);
	if (at < 0)
		return at;
	if (*directory_fd >= 0)
		close(*directory_fd);
	*directory_fd = at;
	/* O_NONBLOCK: a FIFO must not hold us. */
	int fd = openat(
		at, *base ? base : ".", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		return fd;
	if (errno != ELOOP)
		return fail_errno(path, errno, err);
	if (fstatat(at, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(path, errno, err);
	if (!trusted(st.st_uid))
		return fail_owner(path, &st, "this link ", err);
	ssize_t n = readlinkat(at, base, target, size - 1);
	if (n < 0)
		return fail_errno(path, errno, err);
	target[n] = '\0';
	return -ELOOP;
}

static int open_checked(const char *path, struct err *err)
{
	char step[PATH_MAX], target[PATH_MAX];
	int directory_fd = AT_FDCWD, fd = -ELOOP;

	if (!*path)
		return fail_errno(path, ENOENT, err);
	if (strlen(path) >= sizeof(step))
		return fail_errno(path, ENAMETOOLONG, err);
	strcpy(step, path);
	for (int links = 0; fd == -ELOOP && links <= LINKS_MAX; links++) {
		fd = open_step(path, &directory_fd, step, target, sizeof(target), err);
		if (fd == -ELOOP)
			strcpy(step, target);
	}
	if (directory_fd >= 0)
		close(directory_fd);
	if (fd == -ELOOP)
		return fail_errno(path, ELOOP, err);
	int r = fd < 0 ? fd : check_file(path, fd, err);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int read_all(const char *path, int fd, struct strbuf *text, struct err *err)
{
	char part[16384];

	while (true) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(path, errno, err);
		if (n == 0)
			return text->failed ? err_set(err, ENOMEM, "%s: out of memory", path) : 0;
		strbuf_add_bytes(text, part, (size_t)n);
		/* It may have grown since fstat. */
		if (text->length > CONF_FILE_MAX)
			return fail_large(path, err);
	}
}

int conf_read_file(const char *path, char **ret_text, size_t *ret_length, struct err *err)
{
	int fd AUTO_CLOSE = open_checked(path, err);
	struct strbuf text AUTO_STRBUF = { 0 };

	if (fd < 0)
		return fd;
	int r = read_all(path, fd, &text, err);
	if (r < 0)
		return r;
	size_t length = text.length;
	char *taken = strbuf_take(&text);
	if (!taken)
		return err_set(err, ENOMEM, "%s: out of memory", path);
	*ret_text = taken;
	*ret_length = length;
	return 0;
}
