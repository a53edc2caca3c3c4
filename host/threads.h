/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_THREADS_H
#define HOST_THREADS_H

#include "base/err.h"
#include "base/root.h"
#include "model/action.h"
#include "model/state.h"

/*
 * The threads of process `pid` and the kernel threads that serve it ("vhost-PID", "kvm-pit/PID"
 * with `kernel_threads`, which walks all of /proc). Filled in: tid, comm, place.cpus, policy,
 * priority, nice; role from the name alone (main thread, "CPU N/KVM", "CPU N/TCG", "IO id", "worker",
 * "vhost-"), which the caller overrules with what QMP says; not cgroup and slot. Threads that vanish
 * meanwhile are left out. -ESRCH if the process is gone. ret is appended to, ordered by tid.
 */
int host_threads_read(const struct root *root, pid_t pid, bool kernel_threads, struct threads *ret,
	struct err *err);

/* One thread's affinity, policy, priority, nice. -ESRCH if it is gone. */
int host_placement_read(pid_t tid, struct placement *ret_place);

/* Nice value of pid's autogroup: 0, -ENOENT where there are none. */
int host_autogroup_read(const struct root *root, pid_t pid, int *ret_nice);

/*
 * Carries out THREAD_AFFINITY, THREAD_SCHED, AUTOGROUP and SIGNAL: looks (ALREADY), acts, reads back.
 * ESRCH is REPLAN, EINVAL of an affinity REPLAN (CPU gone, or outside the cpuset), EPERM GIVE_UP
 * with the reason as far as this room can know it (no CAP_SYS_NICE, RLIMIT_RTPRIO, RT group budget).
 * A thread that the kernel itself keeps on its CPUs is GIVE_UP, too. All other kinds are GIVE_UP.
 */
enum action_result host_act(const struct root *root, const struct action *action, struct err *err);

/* What the watch thread does each tick, on numbers and open descriptors only: no allocation, no open,
 * one system call each. */
int host_watch_affinity(pid_t tid, struct cpuset *ret_cpus);
int host_watch_policy(
	pid_t tid, struct placement *ret_place); /* sched_getattr: policy, priority, nice */
/* sched_setaffinity + read back. -EINVAL also where only a part of the CPUs was taken. */
int host_fix_affinity(pid_t tid, const struct cpuset *cpus);
/* sched_setattr + read back. -EAGAIN where it reads back as something else. */
int host_fix_policy(pid_t tid, const struct placement *place);

/* /proc/PID/task/TID/schedstat. */
struct schedstat {
	uint64_t run_ns, wait_ns, count; /* count: timeslices */
};
/* Opened with host_open_schedstat / host_open_stat; pread, parsed by hand. 0 or -errno (-ESRCH). */
int host_open_schedstat(const struct root *root, pid_t pid, pid_t tid);
int host_open_stat(const struct root *root, pid_t pid, pid_t tid);
int host_read_schedstat(int fd, struct schedstat *ret);
/* The state letter of /proc/PID/task/TID/stat: 'R', 'S', ... */
int host_read_run_state(int fd, char *ret_state);

#endif
