/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_ROLE_H
#define HOST_ROLE_H

#include "model/state.h"

/*
 * Role, index and id of a thread of process `pid`, by thread->tid and thread->comm alone. QEMU names
 * its threads only with debug-threads=on. A comm holds 15 bytes: an iothread's id that may have been
 * cut is left empty.
 */
void role_from_name(pid_t pid, struct thread *thread);

/* The pid or tid that a kernel thread's comm says it serves ("vhost-4711", "kvm-pit/4711"), with
 * its role; 0 for all others. */
pid_t role_of_kernel_thread(const char *comm, enum role *ret_role);

#endif
