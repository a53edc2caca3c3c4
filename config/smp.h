/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_SMP_H
#define CONFIG_SMP_H

#include "base/err.h"

/* What QEMU's -smp text means for the number of vCPUs: as QEMU (since 6.2) completes it. -EINVAL with
 * words that name no file. */
int smp_parse(const char *text, unsigned *ret_vcpus, unsigned *ret_maxcpus, struct err *err);

#endif
