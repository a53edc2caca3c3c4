/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/err.h"

#include <stddef.h>

enum { CONF_FILE_MAX = 1 << 20 };

/*
 * Reads a file that only root and the caller can have written: a regular file of theirs that nobody
 * else may write, in a directory for which the same holds (a sticky one that others may write will do,
 * as nobody can replace another's file there). A symbolic link is followed by hand and each step
 * judged alike. Everything is judged on the descriptor that is then read. *ret_text is the caller's
 * to free, NUL-terminated behind *ret_length.
 */
int conf_read_file(const char *path, char **ret_text, size_t *ret_length, struct err *err);

#endif
