/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Variables that let go of what they hold at the end of their scope. errno survives. */
#define AUTO_FREE  __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))
#define AUTO_FILE  __attribute__((cleanup(cleanup_file)))
#define AUTO_DIR   __attribute__((cleanup(cleanup_dir)))

void cleanup_free(void *pointer_to_pointer);
void cleanup_close(int *fd);
void cleanup_file(FILE **file);
void cleanup_dir(DIR **dir);

/* Hands the pointer's value over and leaves NULL behind. */
#define TAKE(p)                                                                                    \
	__extension__({                                                                            \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

/* The same for a file descriptor: leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
