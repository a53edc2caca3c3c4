/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/iommu.h"

#include <stdlib.h>

void iommu_free(struct iommu *iommu)
{
	free(iommu->items);
	*iommu = (struct iommu){ 0 };
}
