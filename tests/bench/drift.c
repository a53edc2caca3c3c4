/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift ROUNDS ROUND_MS (TID affinity|policy)...: takes a thread's CPU or its policy away and prints how
 * long it took until it was back, "affinity 0.004123" a line. Each of the pairs once a round, at a
 * moment that has nothing to do with anybody's tick. */
#include "base/clock.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { POLL_NS = 20000, LIMIT_S = 2, PAIRS_MAX = 64 };

struct pair {
	pid_t tid;
	bool policy; /* else affinity */
	cpu_set_t cpus;
	int wanted;
};

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = { .tv_sec = (time_t)(at_ns / NS_PER_SEC),
		.tv_nsec = (long)(at_ns % NS_PER_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		continue;
}

static bool remember(struct pair *pair)
{
	pair->wanted = sched_getscheduler(pair->tid);
	return pair->wanted >= 0 &&
	       sched_getaffinity(pair->tid, sizeof(pair->cpus), &pair->cpus) == 0;
}

/* To any CPU of its cpuset but its own; or to the class that runs when nobody else does. */
static bool disturb(const struct pair *pair)
{
	struct sched_param param = { 0 };
	cpu_set_t other;

	if (pair->policy)
		return sched_setscheduler(pair->tid, SCHED_IDLE, &param) == 0;
	memset(&other, 0xff, sizeof(other));
	CPU_XOR(&other, &other, &pair->cpus);
	return sched_setaffinity(pair->tid, sizeof(other), &other) == 0;
}

static bool is_well(const struct pair *pair)
{
	cpu_set_t cpus;

	if (pair->policy)
		return sched_getscheduler(pair->tid) == pair->wanted;
	return sched_getaffinity(pair->tid, sizeof(cpus), &cpus) == 0 &&
	       CPU_EQUAL(&cpus, &pair->cpus);
}

static bool change(const struct pair *pair)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	const char *kind = pair->policy ? "policy" : "affinity";
	uint64_t began = clock_now_ns();

	if (!disturb(pair)) {
		fprintf(stderr, "drift: %s of %d: %s\n", kind, (int)pair->tid, strerror(errno));
		return false;
	}
	while (!is_well(pair)) {
		if (clock_now_ns() - began > LIMIT_S * NS_PER_SEC) {
			fprintf(stderr, "drift: %s of %d: not repaired within %d s\n", kind,
				(int)pair->tid, LIMIT_S);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	printf("%s %.6f\n", kind, (double)(clock_now_ns() - began) / 1e9);
	return true;
}

/* Each pair has a part of the round for itself and is changed somewhere in that part's first half. */
static bool change_all(const struct pair *pairs, size_t count, long rounds, uint64_t round_ns)
{
	uint64_t start = clock_now_ns(), part_ns = round_ns / count;

	for (size_t i = 0; i < (size_t)rounds * count; i++) {
		sleep_until(start + i * part_ns + (uint64_t)(drand48() * (double)part_ns / 2));
		if (!change(&pairs[i % count]))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct pair pairs[PAIRS_MAX];
	size_t count = argc > 3 ? (size_t)(argc - 3) / 2 : 0;
	long rounds = argc > 3 ? atol(argv[1]) : 0, round_ms = argc > 3 ? atol(argv[2]) : 0;

	if (count == 0 || count > PAIRS_MAX || argc % 2 == 0 || rounds <= 0 || round_ms <= 0) {
		fputs("usage: drift ROUNDS ROUND_MS (TID affinity|policy)...\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < count; i++) {
		pairs[i].tid = (pid_t)atol(argv[3 + 2 * i]);
		pairs[i].policy = strcmp(argv[4 + 2 * i], "policy") == 0;
		if (!remember(&pairs[i])) {
			fprintf(stderr, "drift: thread %s: %s\n", argv[3 + 2 * i], strerror(errno));
			return 1;
		}
	}
	prctl(PR_SET_TIMERSLACK, 1);
	srand48((long)clock_now_ns());
	return change_all(pairs, count, rounds, (uint64_t)round_ms * NS_PER_MS) ? 0 : 1;
}
