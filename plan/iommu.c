/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/iommu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_PCI_BRIDGE = 0x0604 };

static int order(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
	const struct iommu_device *a = left, *b = right;
	const struct pci_function *x = &a->function, *y = &b->function;
	const int steps[] = { order(a->group, b->group), order(b->pci, a->pci),
		order(x->domain, y->domain), order(x->bus, y->bus), order(x->device, y->device),
		order(x->function, y->function) };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i])
			return steps[i];
	return strcmp(a->address, b->address);
}

void iommu_sort(struct iommu *iommu)
{
	if (iommu->count > 0)
		qsort(iommu->items, iommu->count, sizeof(*iommu->items), compare);
}

size_t iommu_group_end(const struct iommu *iommu, size_t first)
{
	size_t end = first;

	while (end < iommu->count && iommu->items[end].group == iommu->items[first].group)
		end++;
	return end;
}

/* The driver of PCI bridges does no DMA of its own, and the kernel lets it be. An ISA or host bridge
 * is a device like others. */
bool iommu_in_the_way(const struct iommu_device *device)
{
	bool bridge = device->pci && device->class_id == CLASS_PCI_BRIDGE;

	return !bridge && device->driver[0] && strcmp(device->driver, "vfio-pci") != 0;
}

static int add_need(const struct iommu_device *device, struct strlist *needed)
{
	struct strbuf words = { 0 };

	if (device->pci)
		strbuf_addf(&words, "bind %s to vfio-pci instead of %s", device->address,
			device->driver);
	else
		strbuf_addf(&words, "unbind %s from %s", device->address, device->driver);
	return strlist_take(needed, strbuf_take(&words));
}

int iommu_needed(const struct iommu *iommu, size_t first, size_t end, struct strlist *needed)
{
	for (size_t i = first; i < end; i++) {
		const struct iommu_device *device = &iommu->items[i];
		int r = iommu_in_the_way(device) ? add_need(device, needed) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int iommu_missing(const struct iommu *iommu, struct err *err)
{
	const char *vendor = iommu->cpu_vendor;

	err_set(err, ENODEV, "no IOMMU: this host has no IOMMU groups");
	if (!iommu->sysfs) {
		err_why(err, "there is no /sys to read");
		return -ENODEV;
	}
	err_why(err, "the kernel has made none: /sys/kernel/iommu_groups is empty or not there");
	if (strcmp(vendor, "GenuineIntel") == 0)
		err_fix(err, "%s VT-d in the firmware's setup%s",
			iommu->intel_on ? "intel_iommu=on is set already: switch on" : "switch on",
			iommu->intel_on ? "" : ", and boot the kernel with intel_iommu=on");
	else if (strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0)
		err_fix(err, "switch on the IOMMU (AMD-Vi, with SVM) in the firmware's setup, and "
			     "boot the "
			     "kernel with iommu=pt");
	else
		err_fix(err,
			"switch on the IOMMU in the firmware's setup (VT-d, AMD-Vi), and boot the "
			"kernel with intel_iommu=on (Intel) or iommu=pt (AMD)");
	return -ENODEV;
}
