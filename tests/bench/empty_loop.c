/* SPDX-License-Identifier: GPL-2.0-or-later */
/* empty_loop TICK_MS SECONDS: a timerfd that is read and nothing else, the least that a tick can cost.
 * Prints the CPU time that it took, in seconds. */
#include "base/clock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int open_timer(long tick_ms)
{
	struct timespec tick = { .tv_sec = tick_ms / 1000, .tv_nsec = tick_ms % 1000 * 1000000 };
	struct itimerspec when = { .it_interval = tick, .it_value = tick };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0 && timerfd_settime(fd, 0, &when, NULL) == 0)
		return fd;
	perror("timerfd");
	exit(1);
}

int main(int argc, char **argv)
{
	long tick_ms = argc == 3 ? atol(argv[1]) : 0;
	double seconds = argc == 3 ? atof(argv[2]) : 0;
	uint64_t expirations, end = clock_now_ns() + (uint64_t)(seconds * NS_PER_SEC);
	struct timespec used;

	if (tick_ms <= 0 || seconds <= 0) {
		fputs("usage: empty_loop TICK_MS SECONDS\n", stderr);
		return 2;
	}
	int fd = open_timer(tick_ms);
	while (clock_now_ns() < end)
		if (read(fd, &expirations, sizeof(expirations)) != sizeof(expirations))
			return 1;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	printf("%.6f\n", (double)used.tv_sec + (double)used.tv_nsec / 1e9);
	return 0;
}
