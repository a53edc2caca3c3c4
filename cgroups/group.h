/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_GROUP_H
#define CGROUPS_GROUP_H

#include "model/state.h"

#include <stdbool.h>
#include <stddef.h>

/* A group's path below its hierarchy's root: "vfiosup/x/vcpus"; "" is the root itself. */

enum { GROUP_FILE_PATH = MODEL_PATH + 64 };

/* Without leading slashes; points into `group`. */
const char *group_tidy(const char *group);

/* Stays below the root and names each level: no "..", ".", empty level, trailing slash, newline. */
bool group_valid(const char *group);

/* `parent` has MODEL_PATH bytes and may be `group` itself. False for the root, which has none. */
bool group_parent(const char *group, char *parent);

/* One level below `group` ("" too) into MODEL_PATH bytes; false if it is too long. */
bool group_child(const char *group, const char *name, char *child);

/* "group/file" into GROUP_FILE_PATH bytes. 0, -EINVAL if either leads elsewhere, -ENAMETOOLONG. */
int group_file(const char *group, const char *file, char *path);

/* Where QEMU's threads go: one of emulator, iothreads, vcpus right below a level named "vm". A VM may
 * itself be named "vcpus". */
bool group_is_slot(const char *group);

/* For messages: the group, or "the root group". */
const char *group_words(const char *group);

#endif
