/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When something of a VM is due: its timers, and the slow tick. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "host/host.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#define SLOW_TICK_NS   NS_PER_SEC
#define HOST_READ_NS   (30 * NS_PER_SEC)
#define ABOUT_NS       (50 * NS_PER_MS)
#define ONLINE_READ_NS (NS_PER_SEC / 4)

/* The phases in which placement is held. */
static bool is_held(const struct vm *vm)
{
	return vm_lives(vm) && vm->phase != VM_STARTING && vm->phase != VM_ADOPTING &&
	       vm->phase != VM_PREPARING;
}

static uint64_t timer_deadline(void *source)
{
	const struct vm *vm = source;
	const uint64_t all[] = { vm->slow_at, vm->beat_at, vm->restart_at, vm->ladder_at,
		vm->place_at, vm->reconnect_at, vm->panic_at, vm->hang_at, vm->lost_at };
	uint64_t earliest = CLOCK_NEVER;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < earliest)
			earliest = all[i];
	return earliest;
}

/* True once, when the time has come. */
static bool due(uint64_t *at, uint64_t now_ns)
{
	if (now_ns < *at)
		return false;
	*at = CLOCK_NEVER;
	return true;
}

/* CPUs come and go at any time; the rest of the host is looked at more rarely. */
static void read_host(struct supervisor *sup, uint64_t now_ns)
{
	struct err err = { 0 };

	if (now_ns >= sup->online_read_at) {
		sup->online_read_at = now_ns + ONLINE_READ_NS;
		host_read_online(&sup->root, &sup->host.online);
	}
	if (now_ns < sup->host_read_at)
		return;
	sup->host_read_at = now_ns + HOST_READ_NS;
	if (supervisor_read_host(sup, &err) < 0)
		log_err(NULL, &err);
	throttle_keep(sup);
}

uint64_t vm_about(uint64_t at_ns)
{
	return (at_ns + ABOUT_NS / 2) / ABOUT_NS * ABOUT_NS;
}

/* The kernel has moved the vCPU elsewhere; when the CPU is back, so is the vCPU. */
static void look_for_offline(struct vm *vm)
{
	struct cpuset gone = cpuset_minus(&vm->plan.vcpus, &vm->sup->host.online);
	char cpus[CPUSET_TEXT], what[160];

	if (cpuset_empty(&gone)) {
		vm_alarm_clear(vm, "cpu-offline");
		return;
	}
	snprintf(what, sizeof(what), "CPU %.100s of the vCPUs is offline",
		cpuset_format(&gone, cpus, sizeof(cpus)));
	vm_alarm(vm, "cpu-offline", what, "its vCPU runs on another CPU meanwhile",
		"write 1 to /sys/devices/system/cpu/cpuN/online");
}

static void slow_tick(struct vm *vm, uint64_t now_ns)
{
	vm->slow_at = vm_about(now_ns + SLOW_TICK_NS);
	if (!is_held(vm))
		return;
	read_host(vm->sup, now_ns);
	look_for_offline(vm);
	vm_reconcile(vm, false);
	vm_track(vm);
	vm_report_repairs(vm);
	vm_sample(vm, now_ns);
	vm_hear(vm, false);
}

void vm_news(struct vm *vm, uint64_t now_ns)
{
	if (!is_held(vm))
		return;
	vm_report_repairs(vm);
	/* At most one look ahead of time in 50 ms: a fight must not take the main thread along. */
	if (vm->slow_at > now_ns + 50 * NS_PER_MS &&
		now_ns + SLOW_TICK_NS > vm->slow_at + 50 * NS_PER_MS)
		vm->slow_at = now_ns;
}

static void timer_process(void *source, short revents, uint64_t now_ns)
{
	struct vm *vm = source;

	(void)revents;
	if (due(&vm->place_at, now_ns))
		vm_try_place(vm, now_ns);
	if (due(&vm->reconnect_at, now_ns))
		vm_reconnect(vm, now_ns);
	if (due(&vm->lost_at, now_ns))
		vm_qmp_lost(vm);
	if (due(&vm->ladder_at, now_ns))
		vm_climb(vm, now_ns);
	if (due(&vm->beat_at, now_ns))
		vm_beat(vm, now_ns);
	if (due(&vm->slow_at, now_ns))
		slow_tick(vm, now_ns);
	if (due(&vm->panic_at, now_ns))
		vm_end_for(vm, EXIT_REASON_GUEST_PANIC);
	if (due(&vm->hang_at, now_ns))
		vm_end_for(vm, EXIT_REASON_HANG);
	if (due(&vm->restart_at, now_ns))
		vm_event(vm, LIFE_START);
}

const struct source_ops vm_timer_source = { .fd = loop_no_fd,
	.events = loop_no_events,
	.deadline_ns = timer_deadline,
	.process = timer_process };

void vm_no_timers(struct vm *vm)
{
	vm->slow_at = vm->beat_at = vm->restart_at = vm->ladder_at = CLOCK_NEVER;
	vm->place_at = vm->reconnect_at = vm->panic_at = vm->hang_at = CLOCK_NEVER;
	vm->lost_at = CLOCK_NEVER;
}
