/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_GIVEBACK_H
#define SUPERVISOR_GIVEBACK_H

#include "supervisor/supervisor.h"

/* Takes back what was done for the VM called `name`, the last first: only where the value is still ours;
 * what other VMs use stays. Returns the number of changes given back. What cannot be given back now is said
 * in the log and stays in the journal, for `restore`; all other lines of this VM go. */
unsigned give_back_all(struct supervisor *sup, const char *name, const struct actions *done);

/* Is it one to count? Files of our own groups come and go with them, and what all VMs share stays. */
bool give_back_counts(const struct action *action);

/* After a supervisor that died: for each VM in the journal whose QEMU is gone, gives back and forgets.
 * `words` (may be NULL) gets a line for each. 0 or -errno. */
int give_back_leftovers(struct supervisor *sup, struct strlist *words);

#endif
