/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_COUNTERS_H
#define SUPERVISOR_COUNTERS_H

#include "metrics/latency.h"
#include "model/state.h"
#include "plan/diff.h"

/*
 * RUN_DIR/NAME/counters, mapped: what must go on counting when the supervisor is killed and another
 * takes over. Written by both threads with relaxed atomics.
 */
struct counters {
	uint32_t magic, version, vcpus, unused;
	_Atomic uint64_t detected[DRIFT_KINDS], repaired[DRIFT_KINDS];
	_Atomic uint64_t restarts[EXIT_REASONS];
	struct histogram repair; /* from seen to repaired */
	_Atomic uint64_t
		asleep_since_s; /* Unix seconds at which the guest fell asleep; 0: not known */
	_Atomic uint64_t qemu_log_seen; /* bytes of qemu.log that the log has */
	struct latency_counters vcpu[];
};

/* Opens or makes the file in dirfd for `vcpus` vCPUs; one of another shape is made anew. Never NULL but
 * for want of memory: where the file cannot be had, *ret_errno says why and the counters live in
 * memory only. */
struct counters *counters_open(int dirfd, unsigned vcpus, int *ret_errno);

/* From where they are into a new file in dirfd, at the same address; what fails leaves them in memory. */
void counters_move(struct counters *counters, int dirfd);
void counters_close(struct counters *counters);
bool counters_ours(const struct counters *counters); /* of this version */

static inline void counter_add(_Atomic uint64_t *counter, uint64_t value)
{
	__atomic_fetch_add((uint64_t *)counter, value, __ATOMIC_RELAXED);
}

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
	return __atomic_load_n((const uint64_t *)counter, __ATOMIC_RELAXED);
}

static inline void counter_set(_Atomic uint64_t *counter, uint64_t value)
{
	__atomic_store_n((uint64_t *)counter, value, __ATOMIC_RELAXED);
}

#endif
