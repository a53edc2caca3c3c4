/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_HOST_FIXTURE_H
#define TESTS_UNIT_HOST_FIXTURE_H

#include "base/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* A copied root in a temporary directory. */
struct tree {
	char path[40];
	struct root root;
};

static inline void tree_make(struct tree *tree)
{
	*tree = (struct tree){ .path = "/tmp/vfiosup-test-XXXXXX" };
	assert_non_null(mkdtemp(tree->path));
	assert_int_equal(chmod(tree->path, 0755), 0);
	assert_int_equal(root_open(&tree->root, tree->path), 0);
}

static inline int tree_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static inline void tree_remove(struct tree *tree)
{
	root_close(&tree->root);
	nftw(tree->path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file with all its directories. */
static inline void tree_write(const struct tree *tree, const char *path, const char *text)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", tree->path, path);
	for (char *at = full + strlen(tree->path) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*at = '/';
	}
	FILE *file = fopen(full, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline unsigned count_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#endif
