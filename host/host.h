/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/err.h"
#include "base/root.h"
#include "model/action.h"
#include "model/iommu.h"
#include "model/state.h"

/*
 * Reads all of host_state but the cgroup fields (cg_*, rt_group_runtime_us, rt_group) and the lock's
 * (host_owner, host_holder), which stay as they are; kvm_works is false: host_kvm_works is too dear
 * to be asked each time. On a copied root `allowed` is all of `online`. RT_GROUP_SCHED is found by
 * looking at the kernel: the v1 cpu controller's cpu.rt_runtime_us, without that controller
 * /boot/config-RELEASE, else false. On failure *ret_state is unchanged.
 */
int host_read(const struct root *root, struct host_state *ret_state, struct err *err);

/* Only the CPUs that are online: what may change at any time. 0 or -errno. */
int host_read_online(const struct root *root, struct cpuset *ret_online);

/* Can KVM run guests here? Opens /dev/kvm, checks the API version, creates a VM with one vCPU and
 * runs a hundred bytes of guest from real mode over protected mode, SSE2 and a loop to their HLT
 * within a second (in a child process that is killed past it; about 3 ms). The kvm_pvm of some VMs
 * gets as far as SSE2. 0, or -errno with the reason and the fix in words (module, firmware,
 * permission, "opens but does not run guests"): as this process; QEMU's user may still be refused
 * (process_may_open). Never leaves anything behind. */
int host_kvm_works(const struct root *root, struct err *err);

/*
 * All functions of PCI `address` ("01:00", "0000:01:00" or one function "01:00.0") through libpci,
 * reading root's sysfs. Ordered by function. -EINVAL no address, -ENODEV none there. Never exits,
 * whatever libpci finds.
 */
int host_pci_functions(
	const struct root *root, const char *address, struct pci_functions *ret, struct err *err);

/*
 * The devices of all IOMMU groups, in no order; ret->count is 0 where there is no IOMMU, and only
 * then the fields that say why are filled in. Names are of the root's own usr/share/misc/pci.ids if a
 * copied root has one, else of this machine's. 0 or -errno; on success the caller frees ret
 * (iommu_free). Never exits, whatever libpci finds.
 */
int host_read_iommu(const struct root *root, struct iommu *ret, struct err *err);

#endif
