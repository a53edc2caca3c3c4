/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Prometheus scrapes (design §6), built afresh each time: what is gone disappears. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/process.h"
#include "metrics/prom.h"
#include "supervisor/page.h"

#include <string.h>

struct page {
	struct prom prom;
	struct supervisor *sup;
};

/* Writes one family for all VMs. */
typedef void family_fn(struct prom *prom, const struct vm *vm);

static void each_vm(struct page *page, const char *name, enum prom_type type, const char *help,
	family_fn *write)
{
	prom_family(&page->prom, name, type, help);
	list_for_each (link, &page->sup->vms)
		write(&page->prom, list_entry(link, struct vm, link));
}

static void write_info(struct prom *prom, const struct vm *vm)
{
	prom_value(prom, 1,
		PROM_LABELS("vm", vm->spec.name, "qemu", vm->version, "accel",
			vm->kvm ? "kvm" : "tcg"));
}

static void write_state(struct prom *prom, const struct vm *vm)
{
	for (enum vm_phase phase = 0; phase < VM_PHASES; phase++)
		prom_value(prom, vm->phase == phase,
			PROM_LABELS("vm", vm->spec.name, "state", vm_phase_name(phase)));
}

static void write_start_time(struct prom *prom, const struct vm *vm)
{
	if (vm_lives(vm))
		prom_value(prom, vm->since, PROM_LABELS("vm", vm->spec.name));
}

static void write_restarts(struct prom *prom, const struct vm *vm)
{
	for (enum exit_reason reason = EXIT_REASON_NONE + 1; reason < EXIT_REASONS; reason++)
		prom_value(prom, (double)counter_read(&vm->counters->restarts[reason]),
			PROM_LABELS("vm", vm->spec.name, "cause", exit_reason_name(reason)));
}

static void write_shield(struct prom *prom, const struct vm *vm)
{
	bool boot = vm->plan.isolated && !vm->plan.shield;

	prom_value(prom, vm_lives(vm) && vm->plan.shield,
		PROM_LABELS("vm", vm->spec.name, "mode", "shield"));
	prom_value(prom, vm_lives(vm) && boot, PROM_LABELS("vm", vm->spec.name, "mode", "boot"));
}

static void write_role_wait(struct prom *prom, const struct vm *vm)
{
	for (enum role role = 0; role < ROLES; role++)
		if (role != ROLE_VCPU)
			prom_value(prom, (double)vm->wait_ns[role] / 1e9,
				PROM_LABELS("vm", vm->spec.name, "role", role_name(role)));
}

static void write_kinds(struct prom *prom, const struct vm *vm, const _Atomic uint64_t *counters)
{
	for (enum drift_kind kind = 0; kind < DRIFT_THREAD; kind++)
		prom_value(prom, (double)counter_read(&counters[kind]),
			PROM_LABELS("vm", vm->spec.name, "kind", drift_kind_name(kind)));
}

static void write_detected(struct prom *prom, const struct vm *vm)
{
	write_kinds(prom, vm, vm->counters->detected);
}

static void write_repaired(struct prom *prom, const struct vm *vm)
{
	write_kinds(prom, vm, vm->counters->repaired);
}

static void write_unfixable(struct prom *prom, const struct vm *vm)
{
	for (enum drift_kind kind = 0; kind < DRIFT_KINDS; kind++) {
		unsigned count = 0;

		for (size_t i = 0; i < vm->drift_count; i++)
			count += vm->drifts[i].open && vm->drifts[i].kind == kind &&
				 vm->drifts[i].remedy.unfixable;
		prom_value(prom, count,
			PROM_LABELS("vm", vm->spec.name, "kind", drift_kind_name(kind)));
	}
}

static void write_repair_seconds(struct prom *prom, const struct vm *vm)
{
	prom_histogram(prom, &vm->counters->repair, PROM_LABELS("vm", vm->spec.name));
}

static void write_events(struct prom *prom, const struct vm *vm)
{
	for (size_t i = 0; i < ARRAY_SIZE(vm->qmp_events); i++)
		prom_value(prom, (double)vm->qmp_events[i],
			PROM_LABELS(
				"vm", vm->spec.name, "event", qmp_event_name((enum qmp_event)i)));
}

static void write_vms(struct page *page)
{
	each_vm(page, "vm_info", PROM_GAUGE, "A VM, its QEMU's version and accelerator.",
		write_info);
	each_vm(page, "vm_state", PROM_GAUGE, "1 for the state that the VM is in.", write_state);
	each_vm(page, "vm_start_time_seconds", PROM_GAUGE, "Unix time at which QEMU was started.",
		write_start_time);
	each_vm(page, "vm_restarts_total", PROM_COUNTER,
		"Automatic restarts, by the reason of the end before.", write_restarts);
	page_write_vcpus(&page->prom, page->sup);
	each_vm(page, "thread_wait_seconds_total", PROM_COUNTER,
		"Run-queue wait of QEMU's other threads: /proc/PID/task/TID/schedstat, field 2.",
		write_role_wait);
	each_vm(page, "isolation_active", PROM_GAUGE,
		"1 if the vCPUs' CPUs are kept free of others this way.", write_shield);
	each_vm(page, "drift_detected_total", PROM_COUNTER,
		"Deviations from the planned placement that were seen.", write_detected);
	each_vm(page, "drift_repaired_total", PROM_COUNTER,
		"Deviations from the planned placement that were put right.", write_repaired);
	each_vm(page, "drift_unfixable", PROM_GAUGE,
		"Open deviations that the kernel refuses to have put right.", write_unfixable);
	each_vm(page, "drift_repair_seconds", PROM_HISTOGRAM,
		"From the tick that saw a deviation to its repair, read back.",
		write_repair_seconds);
	each_vm(page, "qmp_events_total", PROM_COUNTER, "Events received over QMP.", write_events);
}

static void one(
	struct page *page, const char *name, enum prom_type type, const char *help, double value)
{
	prom_family(&page->prom, name, type, help);
	prom_value(&page->prom, value, PROM_NO_LABELS);
}

static void write_supervisor(struct page *page)
{
	struct supervisor *sup = page->sup;
	uint64_t commands = sup->qmp_commands, failures = sup->qmp_failures;

	list_for_each (link, &sup->vms) {
		const struct qmp_stats *stats = qmp_stats(list_entry(link, struct vm, link)->qmp);

		commands += stats->commands;
		failures += stats->failures;
	}
	one(page, "qmp_commands_total", PROM_COUNTER, "Commands sent over QMP.", (double)commands);
	one(page, "qmp_command_failures_total", PROM_COUNTER,
		"QMP commands that ended in an error, too late, or with the connection.",
		(double)failures);
	prom_family(&page->prom, "qmp_command_seconds", PROM_HISTOGRAM,
		"Time from a QMP command to its answer.");
	prom_histogram(&page->prom, &sup->qmp_seconds, PROM_NO_LABELS);
	one(page, "tick_overruns_total", PROM_COUNTER,
		"Fast ticks left out because the one before came too late.",
		(double)watch_overruns(sup->watch));
}

static void write_process(struct page *page)
{
	struct process_usage usage;

	if (process_usage(&page->sup->root, &usage) < 0)
		return;
	one(page, "process_cpu_seconds_total", PROM_COUNTER,
		"Total user and system CPU time spent in seconds.", (double)usage.cpu_ns / 1e9);
	one(page, "process_resident_memory_bytes", PROM_GAUGE, "Resident memory size in bytes.",
		(double)usage.rss_bytes);
	one(page, "process_virtual_memory_bytes", PROM_GAUGE, "Virtual memory size in bytes.",
		(double)usage.virtual_bytes);
	one(page, "process_open_fds", PROM_GAUGE, "Number of open file descriptors.",
		usage.open_fds);
	one(page, "process_max_fds", PROM_GAUGE, "Maximum number of open file descriptors.",
		usage.max_fds);
	one(page, "process_start_time_seconds", PROM_GAUGE,
		"Start time of the process since the Unix epoch in seconds.", usage.start_time);
	one(page, "process_threads", PROM_GAUGE, "Number of threads of the process.",
		usage.threads);
}

void page_write(void *arg, struct strbuf *text)
{
	struct page page = { .sup = arg };
	uint64_t began = clock_now_ns();

	prom_family(&page.prom, "build_info", PROM_GAUGE, "The supervisor's version.");
	prom_value(&page.prom, 1, PROM_LABELS("version", VERSION));
	write_vms(&page);
	write_supervisor(&page);
	write_process(&page);
	/* The page cannot hold its own time to the end: it is nearly all of it. */
	one(&page, "scrape_duration_seconds", PROM_GAUGE, "Time that this page took to write.",
		(double)(clock_now_ns() - began) / 1e9);
	strbuf_free(text);
	*text = page.prom.text;
}
