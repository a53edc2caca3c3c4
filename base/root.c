/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/root.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

int root_open(struct root *root, const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	root->fd = fd;
	root->live = strcmp(path, "/") == 0;
	return 0;
}

void root_close(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

int root_open_file(const struct root *root, const char *path, int flags)
{
	int fd = openat(root->fd, path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static ssize_t read_text(
	const struct root *root, const char *path, bool once, char *text, size_t size)
{
	AUTO_CLOSE int fd = root_open_file(root, path, O_RDONLY);
	size_t length = 0;
	ssize_t n = 1;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	while (length < size && n > 0) {
		n = read(fd, text + length, size - length);
		if (n < 0 && errno != EINTR)
			return -errno;
		length += n > 0 ? (size_t)n : 0;
		if (n > 0 && once)
			break;
		if (n < 0)
			n = 1;
	}
	if (length >= size) {
		text[size - 1] = '\0';
		return -EFBIG;
	}
	while (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return (ssize_t)length;
}

ssize_t root_read(const struct root *root, const char *path, char *text, size_t size)
{
	return read_text(root, path, false, text, size);
}

ssize_t root_read_once(const struct root *root, const char *path, char *text, size_t size)
{
	return read_text(root, path, true, text, size);
}

ssize_t root_readf(const struct root *root, char *text, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	text[0] = '\0';
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return root_read(root, path, text, size);
}

int root_read_long(const struct root *root, const char *path, long *ret_value)
{
	char text[64];
	ssize_t n = root_read(root, path, text, sizeof(text));

	return n < 0 ? (int)n : num_parse_long(text, LONG_MIN, LONG_MAX, ret_value);
}

ssize_t root_readlink(const struct root *root, const char *path, char *target, size_t size)
{
	ssize_t n = readlinkat(root->fd, path, target, size);

	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	target[n] = '\0';
	return n;
}

bool root_exists(const struct root *root, const char *path)
{
	return faccessat(root->fd, path, F_OK, 0) == 0;
}

int root_write(const struct root *root, const char *path, const char *text)
{
	AUTO_CLOSE int fd = root_open_file(root, path, O_WRONLY | O_TRUNC);
	size_t length = strlen(text);
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = write(fd, text, length);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}
