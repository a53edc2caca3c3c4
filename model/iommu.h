/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_IOMMU_H
#define MODEL_IOMMU_H

#include "model/state.h"

/* A device of an IOMMU group. What is not known, or not there, is "". */
struct iommu_device {
	unsigned group;
	char address[64]; /* as sysfs has it: "0000:01:00.0" */
	char driver[64];

	/* What follows is empty unless it is a PCI function; few others have groups. */
	bool pci;
	struct pci_function function;
	unsigned class_id, revision; /* class: base and sub class, 0x0300 */
	char class_name[128], vendor_name[128], device_name[128];
	char reset_methods[96]; /* the kernel's words: "flr bus" */
	char power_state[16];   /* "D0" */
};

struct iommu {
	struct iommu_device *items;
	size_t count;
	bool domains; /* the host has more than PCI domain 0: addresses are shown with theirs */

	/* Without an IOMMU. */
	bool sysfs;          /* there is a /sys that could have shown one */
	char cpu_vendor[16]; /* "GenuineIntel" */
	bool intel_on;       /* intel_iommu=on is on the kernel's command line */
};

void iommu_free(struct iommu *iommu);

#endif
