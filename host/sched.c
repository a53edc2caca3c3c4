/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/sched.h"

#include <errno.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The first version of the kernel's struct sched_attr; all kernels take it. */
struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static const int numbers[] = {
	[SCHED_CLASS_OTHER] = SCHED_NORMAL,
	[SCHED_CLASS_FIFO] = SCHED_FIFO,
	[SCHED_CLASS_RR] = SCHED_RR,
	[SCHED_CLASS_BATCH] = SCHED_BATCH,
	[SCHED_CLASS_IDLE] = SCHED_IDLE,
	[SCHED_CLASS_DEADLINE] = SCHED_DEADLINE,
};

enum sched_class sched_class_of(unsigned policy)
{
	for (unsigned i = 0; i < SCHED_CLASS_UNKNOWN; i++)
		if (numbers[i] == (int)policy)
			return (enum sched_class)i;
	return SCHED_CLASS_UNKNOWN;
}

int sched_number_of(enum sched_class policy)
{
	return policy < SCHED_CLASS_UNKNOWN ? numbers[policy] : -1;
}

int sched_read(pid_t tid, struct placement *ret_place, uint64_t *ret_flags)
{
	struct attr attr = { .size = sizeof(attr) };

	if (syscall(SYS_sched_getattr, tid, &attr, sizeof(attr), 0) < 0)
		return -errno;
	ret_place->policy = sched_class_of(attr.policy);
	ret_place->priority = (int)attr.priority;
	ret_place->nice = attr.nice;
	*ret_flags = attr.flags;
	return 0;
}

/* Since 6.12 sched_getattr reports a fair thread's slice as `runtime`, and a runtime written back
 * would become a fixed slice of its own: so nothing but the flag is handed on. */
int sched_write(pid_t tid, const struct placement *place, uint64_t flags)
{
	struct attr attr = { .size = sizeof(attr), .flags = flags & SCHED_FLAG_RESET_ON_FORK };
	int number = sched_number_of(place->policy);

	if (number < 0 || number == SCHED_DEADLINE || place->priority < 0)
		return -EINVAL;
	attr.policy = (uint32_t)number;
	if (sched_is_realtime(place->policy))
		attr.priority = (uint32_t)place->priority;
	else
		attr.nice = place->nice;
	return syscall(SYS_sched_setattr, tid, &attr, 0) < 0 ? -errno : 0;
}

bool sched_equal(const struct placement *a, const struct placement *b)
{
	if (a->policy != b->policy)
		return false;
	if (sched_is_realtime(a->policy))
		return a->priority == b->priority;
	if (a->policy == SCHED_CLASS_OTHER || a->policy == SCHED_CLASS_BATCH)
		return a->nice == b->nice;
	return true;
}
