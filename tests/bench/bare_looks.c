/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bare_looks SECONDS PID...: once a second, of each thread of these processes, the system calls without which
 * nobody can say where it runs and how long it has waited, and nothing else: its stat, schedstat and cgroup,
 * affinity and policy. Prints the CPU time that it took, in seconds. */
#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

static void read_file(int task, const char *tid, const char *file)
{
	char path[64], bytes[1024];

	snprintf(path, sizeof(path), "%.20s/%s", tid, file);
	AUTO_CLOSE int fd = openat(task, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, bytes, sizeof(bytes)) < 0)
		perror(path);
}

static void look_at_thread(int task, const char *name)
{
	uint8_t cpus[128], attr[64];
	pid_t tid = atoi(name);

	read_file(task, name, "stat");
	read_file(task, name, "schedstat");
	read_file(task, name, "cgroup");
	syscall(SYS_sched_getaffinity, tid, sizeof(cpus), cpus);
	syscall(SYS_sched_getattr, tid, attr, 48, 0);
}

static void look_at(const char *pid)
{
	char path[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	AUTO_DIR DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at_thread(dirfd(dir), entry->d_name);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0;
	uint64_t end = clock_now_ns() + (uint64_t)(seconds * NS_PER_SEC);
	struct timespec used, pause = { .tv_sec = 1 };

	if (seconds <= 0) {
		fputs("usage: bare_looks SECONDS PID...\n", stderr);
		return 2;
	}
	while (clock_now_ns() < end) {
		for (int i = 2; i < argc; i++)
			look_at(argv[i]);
		nanosleep(&pause, NULL);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	printf("%.6f\n", (double)used.tv_sec + (double)used.tv_nsec / 1e9);
	return 0;
}
