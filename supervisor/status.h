/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_STATUS_H
#define SUPERVISOR_STATUS_H

#include "supervisor/vm.h"

#include <jansson.h>

/* The documents of design §6, read anew from the kernel. New references, NULL without memory. */
json_t *status_vm(struct vm *vm);
json_t *status_all(struct supervisor *sup);

/* status_drift.c: { open, detected, repaired, unfixable } and the alarms. */
json_t *status_drift(const struct vm *vm);
json_t *status_alarms(const struct vm *vm);

/* "vcpu 0", "io0", "worker" */
void status_thread_name(const struct thread *thread, char *name, size_t size);

#endif
