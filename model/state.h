/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "base/cpuset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a thread of a VM does. The first three are known from QMP, the rest from names. */
enum role {
	ROLE_VCPU,
	ROLE_IOTHREAD,
	ROLE_MAIN,
	ROLE_WORKER,
	ROLE_VHOST,   /* kernel thread or, since 6.4, a thread of QEMU's */
	ROLE_KVM_PIT, /* kernel thread kvm-pit/PID */
	ROLE_UNKNOWN, /* goes with the emulator */
	ROLES,
};

/* The three cgroups below a VM's own, and where a thread may be besides. */
enum cg_slot { SLOT_NONE, SLOT_EMULATOR, SLOT_IOTHREADS, SLOT_VCPUS, SLOT_OUTSIDE };

enum sched_class {
	SCHED_CLASS_OTHER,
	SCHED_CLASS_FIFO,
	SCHED_CLASS_RR,
	SCHED_CLASS_BATCH,
	SCHED_CLASS_IDLE,
	SCHED_CLASS_DEADLINE,
	SCHED_CLASS_UNKNOWN,
};

/* Where and how a thread runs: the same type for wanted and for seen. */
struct placement {
	struct cpuset cpus;
	enum sched_class policy;
	int priority;      /* real-time priority 1..99; 0 for the others */
	int nice;          /* meaningful for other and batch */
	enum cg_slot slot; /* wanted SLOT_NONE: no cgroups here, do not compare */
};

enum { COMM_SIZE = 16, MODEL_PATH = 256 };

struct thread {
	pid_t tid;
	enum role role;
	int index;               /* of the vCPU or iothread; -1 elsewhere */
	char comm[COMM_SIZE];    /* for iothreads also its id where comm is cut: see `id` */
	char id[64];             /* iothread's object id; empty elsewhere */
	char cgroup[MODEL_PATH]; /* seen: path in the cpuset hierarchy, "/vfiosup/x/vcpus" */
	struct placement place;
};

/* Threads of one VM, wanted or seen, ordered by tid. Owns `threads` (free). */
struct threads {
	struct thread *items;
	size_t count;
};

/* cpuset files of one VM's groups, wanted or seen. Empty set: not there. */
struct vm_groups {
	struct cpuset vm, emulator, iothreads, vcpus;
};

/* One VM's placement: what a diff compares. */
struct vm_state {
	struct threads threads;
	struct vm_groups groups;
	int autogroup_nice; /* of QEMU's session; AUTOGROUP_UNKNOWN: not there, or not ours to set */
};

enum { AUTOGROUP_UNKNOWN = 1000 };

void vm_state_free(struct vm_state *state);

/* The thread with this tid, or NULL. */
struct thread *threads_find(const struct threads *threads, pid_t tid);

/* Appends a copy; 0 or -ENOMEM. The caller adds in the order of tids. */
int threads_add(struct threads *threads, const struct thread *thread);

/* Where the cpuset controller is, and what kernel this is: read once, and on change. */
enum cg_mode { CG_MODE_NONE, CG_MODE_V1, CG_MODE_V2 };

/* What placement needs to know of the host. */
struct host_state {
	struct cpuset online, allowed; /* allowed: what the supervisor itself may use */
	struct cpuset present;         /* online, or could be */
	struct cpuset isolated;        /* boot-time isolcpus */
	enum cg_mode cg_mode;
	char cg_reason[MODEL_PATH]; /* CG_MODE_NONE: why */
	int kernel_major, kernel_minor;
	bool rt_group_sched;       /* the kernel has CONFIG_RT_GROUP_SCHED */
	long rt_runtime_us;        /* sched_rt_runtime_us; -1: no throttle; LONG_MIN: unreadable */
	long rt_group_runtime_us;  /* of our cpu group under RT_GROUP_SCHED; LONG_MIN: unknown */
	char rt_group[MODEL_PATH]; /* that group */
	bool autogroup;            /* sched_autogroup_enabled */
	bool may_lift_rt;      /* the throttle is ours to lift: rt_throttle = "auto", host_owner */
	bool may_rt, may_nice; /* CAP_SYS_NICE, or the rlimits suffice */
	bool root_user;
	bool units;                   /* systemd runs QEMU for us, as a transient service */
	bool host_owner;              /* we hold the host-wide lock */
	char host_holder[MODEL_PATH]; /* else: who does, in words */
	bool kvm_works;
	char kvm_reason[MODEL_PATH]; /* !kvm_works: module, firmware, permission */
};

/* PCI function as the plan needs it. */
struct pci_function {
	unsigned domain, bus, device, function;
	unsigned vendor_id, device_id;
};

struct pci_functions {
	struct pci_function *items;
	size_t count;
};

/* The VM's lifecycle (design §6). The table is in plan/life. */
enum vm_phase {
	VM_STOPPED,
	VM_PREPARING,
	VM_STARTING,
	VM_ADOPTING,
	VM_RUNNING,
	VM_DEGRADED,
	VM_ASLEEP,
	VM_PAUSED,
	VM_STOPPING,
	VM_BACKOFF,
	VM_FAILED,
	VM_UNRESPONSIVE,
	VM_PHASES,
};

enum exit_reason {
	EXIT_REASON_NONE,
	EXIT_REASON_GUEST_SHUTDOWN,
	EXIT_REASON_GUEST_RESET,
	EXIT_REASON_GUEST_PANIC,
	EXIT_REASON_HOST_STOP,
	EXIT_REASON_HOST_SIGNAL,
	EXIT_REASON_CRASH,
	EXIT_REASON_HANG,
	EXIT_REASON_BREACH,
	EXIT_REASON_DRIFT,
	EXIT_REASON_START_FAILED,
	EXIT_REASONS,
};

/* The texts of status --json and of the metrics' labels. Never NULL. */
const char *role_name(enum role role); /* "vcpu", "iothread", "emulator", "worker", ... */
const char *sched_class_name(enum sched_class policy); /* "other", "fifo", ... */
const char *cg_slot_name(enum cg_slot slot);           /* "emulator", "iothreads", "vcpus", "" */
const char *vm_phase_name(enum vm_phase phase);
const char *exit_reason_name(enum exit_reason reason);

#endif
