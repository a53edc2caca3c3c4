/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IOMMU_TEXT_H
#define CLI_IOMMU_TEXT_H

#include "base/strbuf.h"
#include "model/iommu.h"

#include <jansson.h>

/* What `iommu` prints of groups in sorted order. As text, a line a device, as `lspci -nn` has it. */
void iommu_text(const struct iommu *iommu, struct strbuf *text);
json_t *iommu_json(const struct iommu *iommu); /* NULL: out of memory */

#endif
