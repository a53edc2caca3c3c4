/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US   1000ull
#define NS_PER_MS   1000000ull
#define NS_PER_SEC  1000000000ull
#define CLOCK_NEVER UINT64_MAX

/* CLOCK_MONOTONIC in nanoseconds: every deadline and every interval. */
uint64_t clock_now_ns(void);

/* Seconds since 1970, for people and for `since` only. */
double clock_wall_seconds(void);

#endif
