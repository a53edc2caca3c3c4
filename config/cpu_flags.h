/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_CPU_FLAGS_H
#define CONFIG_CPU_FLAGS_H

#include <stdbool.h>

/* false: the -cpu text switches on a Hyper-V feature, *ret_flag, without *ret_needs, which KVM refuses
 * to start with (QEMU's target/i386/kvm/kvm.c). hv_x and hv-x are the same; the last word on a flag
 * counts; hv-passthrough brings all there are. */
bool cpu_flags_complete(const char *cpu, const char **ret_flag, const char **ret_needs);

#endif
