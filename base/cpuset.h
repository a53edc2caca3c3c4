/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CPUSET_H
#define BASE_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CPUSET_CPUS = 1024, CPUSET_TEXT = 4096 };

/* A set of host CPU numbers 0..1023, a plain value: assign it, compare it with cpuset_equal. The
 * bits lie as sched_setaffinity(2) wants them on x86-64. */
struct cpuset {
	uint64_t bits[CPUSET_CPUS / 64];
};

/* The kernel's list format, "0-3,8", strictly: no blanks, no empty item, no reversed range. The
 * empty text is the empty set. 0, -EINVAL, or -ERANGE for a CPU above 1023. */
int cpuset_parse(const char *text, struct cpuset *ret_set);

/* Writes the kernel's list format; returns `text`. CPUSET_TEXT bytes always suffice. */
char *cpuset_format(const struct cpuset *set, char *text, size_t size);

static inline bool cpuset_has(const struct cpuset *set, int cpu)
{
	return cpu >= 0 && cpu < CPUSET_CPUS && (set->bits[cpu / 64] >> (cpu % 64) & 1);
}

static inline void cpuset_add(struct cpuset *set, int cpu)
{
	if (cpu >= 0 && cpu < CPUSET_CPUS)
		set->bits[cpu / 64] |= 1ull << (cpu % 64);
}

static inline void cpuset_remove(struct cpuset *set, int cpu)
{
	if (cpu >= 0 && cpu < CPUSET_CPUS)
		set->bits[cpu / 64] &= ~(1ull << (cpu % 64));
}

struct cpuset cpuset_one(int cpu);
struct cpuset cpuset_or(const struct cpuset *a, const struct cpuset *b);
struct cpuset cpuset_and(const struct cpuset *a, const struct cpuset *b);
struct cpuset cpuset_minus(const struct cpuset *a, const struct cpuset *b);
bool cpuset_equal(const struct cpuset *a, const struct cpuset *b);
bool cpuset_empty(const struct cpuset *set);
bool cpuset_subset(const struct cpuset *inner, const struct cpuset *outer);
bool cpuset_overlap(const struct cpuset *a, const struct cpuset *b);
int cpuset_count(const struct cpuset *set);

/* The first member at or above `from`, -1 if there is none. */
int cpuset_next(const struct cpuset *set, int from);

#define cpuset_for_each(cpu, set)                                                                  \
	for (int cpu = cpuset_next(set, 0); cpu >= 0; cpu = cpuset_next(set, cpu + 1))

#endif
