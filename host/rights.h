/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_RIGHTS_H
#define HOST_RIGHTS_H

#include "base/err.h"
#include "base/root.h"
#include "model/state.h"

/* What this process may do to a thread's scheduling, and why the kernel refuses it. */

bool rights_sys_nice(const struct root *root); /* CAP_SYS_NICE is in the effective set */
bool rights_may_rt(const struct root *root);   /* it, or an RLIMIT_RTPRIO */
bool rights_may_nice(const struct root *root); /* it, or an RLIMIT_NICE that reaches -20 */

/* Where the v1 cpu controller is mounted, relative to the root. 0 or -ENOENT. */
int rights_v1_cpu_mount(const struct root *root, char *ret_path, size_t size);

/* The kernel has CONFIG_RT_GROUP_SCHED, and uses it. */
bool rights_rt_group_sched(const struct root *root);

/* Explains an EPERM of sched_setattr(2) for `place` on thread `tid`: fills why and fix. */
void rights_explain(
	const struct root *root, pid_t tid, const struct placement *place, struct err *err);

#endif
