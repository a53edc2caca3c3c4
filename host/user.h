/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_USER_H
#define HOST_USER_H

#include "host/process.h"

/* The groups QEMU gets: the user's own by the group database, and kvm where there is one. The caller
 * frees *ret_groups. 0 or -errno. */
int user_groups(const struct user *user, gid_t **ret_groups, size_t *ret_count);

bool user_has_group(const char *name); /* by the group database */

/* "root", or the number where nobody bears it. Return `text`. */
char *user_name_of(uid_t uid, char *text, size_t size);
char *group_name_of(gid_t gid, char *text, size_t size);

#endif
