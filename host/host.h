/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/err.h"
#include "base/root.h"
#include "model/action.h"
#include "model/state.h"

/*
 * Reads all of host_state but the cgroup fields (cg_*, rt_group*) and the lock's (host_owner,
 * host_holder). RT_GROUP_SCHED is found by looking at the kernel: the v1 cpu controller's
 * cpu.rt_runtime_us, else /proc/config.gz or /boot/config-RELEASE, else false.
 */
int host_read(const struct root *root, struct host_state *ret_state, struct err *err);

/* Can KVM run guests here? Opens /dev/kvm, checks the API version, creates a VM with one vCPU and
 * runs a few real-mode instructions to their HLT within a second (in a child process that is killed
 * past it). 0, or -errno with the reason and the fix in words (module, firmware, permission,
 * "opens but does not run guests"). Never leaves anything behind. */
int host_kvm_works(const struct root *root, struct err *err);

/*
 * All functions of PCI `address` ("01:00", "0000:01:00" or one function "01:00.0") through libpci,
 * reading root's sysfs. Ordered by function. -EINVAL no address, -ENODEV none there. Never exits,
 * whatever libpci finds.
 */
int host_pci_functions(
	const struct root *root, const char *address, struct pci_functions *ret, struct err *err);

#endif
