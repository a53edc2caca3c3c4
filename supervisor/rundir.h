/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_RUNDIR_H
#define SUPERVISOR_RUNDIR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The run directory (design §8): RUN_DIR/ and RUN_DIR/NAME/ belong to the supervisor's user and
 * nobody else may write there; RUN_DIR/NAME/io/ is QEMU's user's. All are held open as descriptors,
 * no symbolic link is followed at the last step of a path.
 */

/* Opens it, makes it (0755) if only the last step is missing. Descriptor or -errno with words: a
 * symbolic link, another user's, writable by others. */
int rundir_open(const char *path, bool *ret_made, struct err *err);

/* Takes away one that rundir_open has made: what QEMU binaries said of themselves, and the directory
 * if nothing else is in it. */
void rundir_unmake(int dirfd, const char *path);

/* Makes and opens NAME/ and NAME/io/ (0700, uid and gid). 0 or -errno with words. */
int rundir_open_vm(int dirfd, const char *name, uid_t uid, gid_t gid, int *ret_fd, int *ret_io_fd,
	struct err *err);

/* Writes down that the VM was started by itself in this boot, if that does not stand there yet. 1: it did;
 * 0: written now; -errno. */
int rundir_note_autostart(int dirfd, const char *name, const char *boot_id);

/* Removes NAME/ with all that is in it, one level deep in io/. */
void rundir_remove_vm(int dirfd, const char *name);

/* Replaces a file's content: after a crash there is the old or the new, whole. 0 or -errno. */
int rundir_write(int dirfd, const char *name, const char *bytes, size_t length);

/* The whole file, NUL-terminated, the caller's; at most 2 MiB. 0 or -errno. */
int rundir_read(int dirfd, const char *name, char **ret_bytes, size_t *ret_length);

#endif
