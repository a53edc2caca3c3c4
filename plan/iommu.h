/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_IOMMU_H
#define PLAN_IOMMU_H

#include "base/err.h"
#include "base/strbuf.h"
#include "model/iommu.h"

/* By group, then by PCI address, both as numbers; what is no PCI function comes last in its group. */
void iommu_sort(struct iommu *iommu);

/* One past the last device of the group that begins at `first`, in sorted order. */
size_t iommu_group_end(const struct iommu *iommu, size_t first);

/* A group is viable, that is fit for a guest, when none of its devices is in the way. */
bool iommu_in_the_way(const struct iommu_device *device);

/* Adds what makes the group of items [first, end) viable, a line of words a device; nothing if it is.
 * 0 or -ENOMEM. */
int iommu_needed(const struct iommu *iommu, size_t first, size_t end, struct strlist *needed);

/* There are no groups: says so, and what to do on this host. Returns -ENODEV. */
int iommu_missing(const struct iommu *iommu, struct err *err);

#endif
