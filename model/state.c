/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vm_state_free(struct vm_state *state)
{
	free(state->threads.items);
	*state = (struct vm_state){ 0 };
}

struct thread *threads_find(const struct threads *threads, pid_t tid)
{
	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].tid == tid)
			return &threads->items[i];
	return NULL;
}

int threads_add(struct threads *threads, const struct thread *thread)
{
	struct thread *items =
		realloc(threads->items, (threads->count + 1) * sizeof(*threads->items));

	if (!items)
		return -ENOMEM;
	threads->items = items;
	items[threads->count++] = *thread;
	return 0;
}

const char *role_name(enum role role)
{
	static const char *const names[ROLES] = {
		[ROLE_VCPU] = "vcpu",
		[ROLE_IOTHREAD] = "iothread",
		[ROLE_MAIN] = "emulator",
		[ROLE_WORKER] = "worker",
		[ROLE_VHOST] = "vhost",
		[ROLE_KVM_PIT] = "kvm-pit",
		[ROLE_UNKNOWN] = "unknown",
	};

	return names[role];
}

const char *sched_class_name(enum sched_class policy)
{
	static const char *const names[] = {
		[SCHED_CLASS_OTHER] = "other",
		[SCHED_CLASS_FIFO] = "fifo",
		[SCHED_CLASS_RR] = "rr",
		[SCHED_CLASS_BATCH] = "batch",
		[SCHED_CLASS_IDLE] = "idle",
		[SCHED_CLASS_DEADLINE] = "deadline",
		[SCHED_CLASS_UNKNOWN] = "unknown",
	};

	return names[policy];
}

const char *cg_slot_name(enum cg_slot slot)
{
	static const char *const names[] = {
		[SLOT_NONE] = "",
		[SLOT_EMULATOR] = "emulator",
		[SLOT_IOTHREADS] = "iothreads",
		[SLOT_VCPUS] = "vcpus",
		[SLOT_OUTSIDE] = "outside",
	};

	return names[slot];
}

const char *vm_phase_name(enum vm_phase phase)
{
	static const char *const names[VM_PHASES] = {
		[VM_STOPPED] = "stopped",
		[VM_PREPARING] = "preparing",
		[VM_STARTING] = "starting",
		[VM_ADOPTING] = "adopting",
		[VM_RUNNING] = "running",
		[VM_DEGRADED] = "degraded",
		[VM_ASLEEP] = "asleep",
		[VM_PAUSED] = "paused",
		[VM_STOPPING] = "stopping",
		[VM_BACKOFF] = "backoff",
		[VM_FAILED] = "failed",
		[VM_UNRESPONSIVE] = "unresponsive",
	};

	return names[phase];
}

const char *exit_reason_name(enum exit_reason reason)
{
	static const char *const names[EXIT_REASONS] = {
		[EXIT_REASON_NONE] = "none",
		[EXIT_REASON_GUEST_SHUTDOWN] = "guest-shutdown",
		[EXIT_REASON_GUEST_RESET] = "guest-reset",
		[EXIT_REASON_GUEST_PANIC] = "guest-panic",
		[EXIT_REASON_HOST_STOP] = "host-stop",
		[EXIT_REASON_HOST_SIGNAL] = "host-signal",
		[EXIT_REASON_CRASH] = "crash",
		[EXIT_REASON_HANG] = "hang",
		[EXIT_REASON_BREACH] = "breach",
		[EXIT_REASON_DRIFT] = "drift",
		[EXIT_REASON_START_FAILED] = "start-failed",
	};

	return names[reason];
}
