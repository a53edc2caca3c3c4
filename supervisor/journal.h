/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_JOURNAL_H
#define SUPERVISOR_JOURNAL_H

#include "base/err.h"
#include "model/action.h"

/*
 * RUN_DIR/journal: a line for each change of the host, "NAME ACTION" with the action's one text form,
 * synced before the change is made. The lines of a VM go when all of it is given back; a journal that
 * is empty is removed.
 */

/* In the place of a VM's name, which cannot be this: what is the host's, and changed for all. */
#define JOURNAL_HOST "_host"

/* Appends and syncs. 0 or -errno with words; then the change must not be made. */
int journal_add(int dirfd, const char *vm, const struct action *action, struct err *err);

/* All lines of one VM (NULL: all), in the order of the changes. Lines that cannot be read are counted in
 * *ret_bad. 0, also if there is no journal; -errno. */
int journal_read(int dirfd, const char *vm, struct actions *ret_actions, size_t *ret_bad);

/* Removes the lines of one VM. 0 or -errno. */
int journal_drop(int dirfd, const char *vm);

/* Names of the VMs that have lines, each once, without JOURNAL_HOST. 0 or -errno. */
int journal_vms(int dirfd, struct strlist *ret_names);

#endif
