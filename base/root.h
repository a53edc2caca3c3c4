/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The directory below which /proc, /sys and /dev are looked for: "/" on a live host, a copied tree
 * in tests and with --root. All paths given to root_* are relative to it ("proc/1/comm").
 */
struct root {
	int fd;
	bool live; /* it is "/": system calls on pids and CPUs speak of the same machine */
};

int root_open(struct root *root, const char *path);
void root_close(struct root *root);

/* O_CLOEXEC is added. Returns the descriptor or -errno. */
int root_open_file(const struct root *root, const char *path, int flags);

/*
 * Reads a small text file, at most size - 1 bytes, always NUL-terminated, trailing newlines cut.
 * Returns its length or -errno (-EFBIG if the file is longer).
 */
ssize_t root_read(const struct root *root, const char *path, char *text, size_t size);

/* The same of a file that the kernel hands out in one piece (a task's stat and cgroup, a cpuset's CPUs): what
 * is looked at each second need not be asked for its end. */
ssize_t root_read_once(const struct root *root, const char *path, char *text, size_t size);

/* As root_read, for a path made by printf. */
ssize_t root_readf(const struct root *root, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Reads one decimal number. Returns 0, or -errno (-EINVAL if it is none). */
int root_read_long(const struct root *root, const char *path, long *ret_value);

/* Target of a symbolic link, NUL-terminated. Returns its length or -errno. */
ssize_t root_readlink(const struct root *root, const char *path, char *target, size_t size);

bool root_exists(const struct root *root, const char *path);

/* One write(2) of the whole text, as a shell's redirection does it; -errno as the kernel said it, -EIO if it took only a part. */
int root_write(const struct root *root, const char *path, const char *text);

#endif
