/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_LOCK_H
#define SUPERVISOR_LOCK_H

#include <stddef.h>

/* A file in a directory, held by flock(2) until its descriptor is closed, with words in it on who
 * holds it. */

/* Descriptor; -EWOULDBLOCK with the holder's words in `holder` ("" if it has not written them yet);
 * -errno. */
int lock_take(int dirfd, const char *name, const char *words, char *holder, size_t size);

/* Removes the file while it is still held, then lets go. -1 is fine. */
void lock_drop(int dirfd, const char *name, int fd);

#endif
