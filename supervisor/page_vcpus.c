/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/page.h"

typedef void vcpu_fn(struct prom *prom, const struct vm *vm, const struct thread *thread,
	const char *const *labels);

static void each_vcpu(struct prom *prom, struct supervisor *sup, vcpu_fn *write)
{
	char index[16];

	list_for_each (link, &sup->vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		for (size_t i = 0; i < vm->seen.threads.count; i++) {
			const struct thread *thread = &vm->seen.threads.items[i];

			if (thread->role != ROLE_VCPU || thread->index < 0 ||
				(unsigned)thread->index >= vm->counters->vcpus)
				continue;
			snprintf(index, sizeof(index), "%d", thread->index);
			write(prom, vm, thread, PROM_LABELS("vm", vm->spec.name, "vcpu", index));
		}
	}
}

static const struct latency_counters *latency_of(const struct vm *vm, const struct thread *thread)
{
	return &vm->counters->vcpu[thread->index];
}

static void write_run(struct prom *prom, const struct vm *vm, const struct thread *thread,
	const char *const *labels)
{
	prom_value(prom, (double)counter_read(&latency_of(vm, thread)->run_ns) / 1e9, labels);
}

static void write_wait(struct prom *prom, const struct vm *vm, const struct thread *thread,
	const char *const *labels)
{
	prom_value(prom, (double)counter_read(&latency_of(vm, thread)->wait_ns) / 1e9, labels);
}

static void write_stalls(struct prom *prom, const struct vm *vm, const struct thread *thread,
	const char *const *labels)
{
	prom_value(prom, (double)counter_read(&latency_of(vm, thread)->stalls), labels);
}

static void write_latency(struct prom *prom, const struct vm *vm, const struct thread *thread,
	const char *const *labels)
{
	prom_histogram(prom, &latency_of(vm, thread)->histogram, labels);
}

/* As the last slow tick saw it, and the watch thread since. */
static void write_placed(struct prom *prom, const struct vm *vm, const struct thread *thread,
	const char *const *labels)
{
	const struct tracked *tracked = vm_tracked(vm, thread->tid);
	bool open = tracked && tracked->slot >= 0 && watch_see(vm->sup->watch, tracked->slot).open;

	for (size_t i = 0; i < vm->drift_count; i++)
		open |= vm->drifts[i].open && vm->drifts[i].role == ROLE_VCPU &&
			vm->drifts[i].index == thread->index;
	prom_value(prom, !open, labels);
}

void page_write_vcpus(struct prom *prom, struct supervisor *sup)
{
	prom_family(prom, "vcpu_run_seconds_total", PROM_COUNTER,
		"Time the vCPU's thread ran: /proc/PID/task/TID/schedstat, field 1.");
	each_vcpu(prom, sup, write_run);
	prom_family(prom, "vcpu_wait_seconds_total", PROM_COUNTER,
		"Time the vCPU's thread was runnable and waited for its CPU: schedstat, field 2, "
		"and state R in stat.");
	each_vcpu(prom, sup, write_wait);
	prom_family(prom, "vcpu_stalls_total", PROM_COUNTER,
		"Waits for the CPU that were longer than latency.stall.");
	each_vcpu(prom, sup, write_stalls);
	prom_family(prom, "vcpu_placed", PROM_GAUGE,
		"1 if the vCPU's thread has the planned CPU, policy and cgroup.");
	each_vcpu(prom, sup, write_placed);
	prom_family(prom, "vcpu_sched_latency_seconds", PROM_HISTOGRAM,
		"Wait for the CPU per timeslice: schedstat, growth of field 2 over that of field "
		"3.");
	each_vcpu(prom, sup, write_latency);
}
