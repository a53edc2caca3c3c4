/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_PROBE_CACHE_H
#define QMP_PROBE_CACHE_H

#include "model/props.h"

#include <sys/stat.h>

/* props-DEVICE-INODE-SIZE-MTIME.json in a directory: what a binary said, and to which questions. */
void probe_cache_name(const struct stat *binary, char *name, size_t size);

/* 0, or -errno: not there, not whole, or the answer to other questions. */
int probe_cache_read(int dir_fd, const char *name, const char *questions, struct props *ret_props);

/* Best effort; caches of other binaries go. */
void probe_cache_write(
	int dir_fd, const char *name, const char *questions, const struct props *props);

#endif
