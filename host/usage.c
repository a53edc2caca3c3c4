/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/process.h"
#include "host/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* "VmRSS:\t   25500 kB" -> bytes; "Threads:\t3" -> 3. 0 where there is none. */
static uint64_t status_value(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	if (!line)
		return 0;
	char *end;
	uint64_t value = strtoull(line + strlen(key), &end, 10);
	return strncmp(end, " kB", 3) == 0 ? value * 1024 : value;
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* To the tick it is known in, or the two clocks' difference would let it jitter. */
static double start_time(uint64_t start_ticks)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	double boot = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME);

	return round((boot + (double)start_ticks / ticks) * ticks) / ticks;
}

static int count_fds(const struct root *root, unsigned *ret_count)
{
	int fd = root_open_file(root, "proc/self/fd", O_RDONLY | O_DIRECTORY);
	AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned count = 0;

	if (!dir) {
		int r = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	*ret_count = count > 0 ? count - 1 : 0; /* the directory's own */
	return 0;
}

int process_usage(const struct root *root, struct process_usage *ret)
{
	struct process_usage usage = { 0 };
	struct task_stat stat;
	struct timespec cpu;
	struct rlimit limit;
	char status[8192];
	ssize_t n = root_read(root, "proc/self/status", status, sizeof(status));

	if (n < 0)
		return (int)n;
	int r = task_stat_read(root, "proc/self", &stat);
	if (r == 0)
		r = count_fds(root, &usage.open_fds);
	if (r < 0)
		return r;
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) < 0 ||
		getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	usage.cpu_ns = (uint64_t)cpu.tv_sec * NS_PER_SEC + (uint64_t)cpu.tv_nsec;
	usage.rss_bytes = status_value(status, "\nVmRSS:");
	usage.anon_bytes = status_value(status, "\nRssAnon:");
	usage.virtual_bytes = status_value(status, "\nVmSize:");
	usage.threads = (unsigned)status_value(status, "\nThreads:");
	usage.max_fds = (unsigned)limit.rlim_cur;
	usage.start_time = start_time(stat.start_ticks);
	*ret = usage;
	return 0;
}
