/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One VM: its life as the table in plan/life says. */
#include "supervisor/vm.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/record.h"
#include "supervisor/rundir.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <string.h>

#define HANG_GRACE_NS (30 * NS_PER_SEC) /* a storage stall looks like death at first */

struct vm *vm_find(struct supervisor *sup, const char *name)
{
	list_for_each (link, &sup->vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		if (strcmp(vm->spec.name, name) == 0)
			return vm;
	}
	return NULL;
}

bool vm_lives(const struct vm *vm)
{
	return vm->pidfd >= 0;
}

bool vm_is_up(const struct vm *vm)
{
	return vm_lives(vm) || (vm->phase != VM_STOPPED && vm->phase != VM_FAILED);
}

int vm_open(struct vm *vm, struct err *err)
{
	int lost = 0;

	if (vm->dirfd >= 0)
		return 0;
	int r = rundir_open_vm(vm->sup->run_fd, vm->spec.name, vm->user.uid, vm->user.gid,
		&vm->dirfd, &vm->iofd, err);
	if (r < 0)
		return r;
	struct counters *counters = counters_open(vm->dirfd, vm->counters->vcpus, &lost);
	if (!counters)
		return err_set(err, ENOMEM, "out of memory");
	counters_close(vm->counters);
	vm->counters = counters;
	if (lost)
		vm_alarm(vm, "counters", "the counters are in memory only", strerror(lost),
			"make room in the run directory");
	return 0;
}

void vm_close(struct vm *vm, bool remove)
{
	/* They go on in memory, for whoever scrapes them next. */
	if (vm->dirfd >= 0 && !vm->foreign)
		unlinkat(vm->dirfd, "vm.json", 0); /* there is no QEMU to be found */
	cleanup_close(&vm->dirfd);
	cleanup_close(&vm->iofd);
	if (remove && !vm->foreign)
		rundir_remove_vm(vm->sup->run_fd, vm->spec.name);
}

/* What every VM has, whether it runs or not. */
static int make_parts(struct vm *vm)
{
	unsigned most = vm->spec.maxcpus > vm->spec.vcpus ? vm->spec.maxcpus : vm->spec.vcpus;
	int no_file;

	vm->counters = counters_open(-1, most, &no_file);
	vm->qmp = qmp_new(&vm_qmp_handlers, vm);
	vm->timer_source = loop_add(vm->sup->loop, &vm_timer_source, vm);
	vm->qmp_source = vm->qmp ? loop_add(vm->sup->loop, &qmp_source, vm->qmp) : NULL;
	return vm->counters && vm->timer_source && vm->qmp_source ? 0 : -ENOMEM;
}

int vm_new(struct supervisor *sup, struct spec *spec, struct vm **ret_vm, struct err *err)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm) {
		spec_free(spec);
		return err_set(err, ENOMEM, "out of memory");
	}
	vm->sup = sup;
	vm->as_unit = sup->host.units;
	vm->spec = *spec;
	*spec = (struct spec){ 0 };
	vm->dirfd = vm->iofd = vm->pidfd = -1;
	vm->since = vm->phase_since = clock_wall_seconds();
	list_init(&vm->watchers);
	list_add(&sup->vms, &vm->link);
	vm_no_timers(vm);
	if (make_parts(vm) < 0) {
		vm_free(vm);
		return err_set(err, ENOMEM, "out of memory");
	}
	*ret_vm = vm;
	return 0;
}

int vm_get_ready(struct vm *vm, struct err *err)
{
	int r = vm_check(vm, err);

	/* What a binary says of itself is megabytes of JSON, and gone now. */
	malloc_trim(0);
	if (r == 0)
		r = vm_check_group_free(vm, err);
	if (r == 0)
		r = vm_open(vm, err);
	vm->checked = r == 0;
	return r;
}

void vm_free(struct vm *vm)
{
	vm_untrack(vm);
	vm_drop_launch(vm);
	vm_drop_process(vm);
	loop_remove(vm->sup->loop, vm->timer_source);
	loop_remove(vm->sup->loop, vm->qmp_source);
	qmp_free(vm->qmp);
	list_remove(&vm->link);
	vm_state_free(&vm->wanted);
	vm_state_free(&vm->seen);
	strlist_free(&vm->done);
	free(vm->named);
	strlist_free(&vm->argv);
	counters_close(vm->counters);
	cleanup_close(&vm->dirfd);
	cleanup_close(&vm->iofd);
	free(vm->pci.items);
	free(vm->drifts);
	free(vm->tracked);
	spec_free(&vm->pending);
	spec_free(&vm->spec);
	free(vm);
}

void vm_tell(struct vm *vm, bool done, bool ok, const char *format, ...)
{
	char words[512];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	list_for_each (link, &vm->watchers) {
		struct vm_watcher *watcher = list_entry(link, struct vm_watcher, link);

		watcher->tell(watcher, done, ok, words);
	}
}

/* A file that cannot be written is an alarm, never the VM's end: what stands there stays. */
int vm_save(struct vm *vm)
{
	struct record record = { .identity = vm->identity,
		.since = vm->since,
		.unit = vm->as_unit,
		.starting = !(vm_lives(vm) && vm->evidence.ran) && !vm->stop_asked,
		.running = vm->evidence.ran,
		.kvm = vm->kvm,
		.restarts = vm->restarts,
		.stopping = vm->stop_asked,
		.force = vm->ladder.force,
		.cause = (int)vm->cause,
		.config_path = vm->spec.file,
		.config_text = vm->spec.text };
	if (!vm_lives(vm))
		memcpy(record.identity.boot_id, vm->sup->boot_id, sizeof(record.identity.boot_id));
	int r = record_write(vm->dirfd, &record);

	if (r < 0)
		vm_alarm(vm, "state-file", "vm.json cannot be written", strerror(-r),
			"make room in the run directory");
	else
		vm_alarm_clear(vm, "state-file");
	return r;
}

/* No process came of it: nothing will exit. */
static void fail_start(struct vm *vm)
{
	vm->last_exit = EXIT_REASON_START_FAILED;
	vm->last_exit_at = clock_wall_seconds();
	vm_event(vm, LIFE_FAILURE);
}

/* The file has changed since: now is the time. */
static void take_pending(struct vm *vm)
{
	unsigned most;

	if (!vm->pending.text)
		return;
	spec_free(&vm->spec);
	vm->spec = vm->pending;
	vm->pending = (struct spec){ 0 };
	vm->checked = false;
	most = vm->spec.maxcpus > vm->spec.vcpus ? vm->spec.maxcpus : vm->spec.vcpus;
	if (most == vm->counters->vcpus)
		return;
	/* Of another shape: they begin anew. */
	int no_file;
	struct counters *counters = counters_open(-1, most, &no_file);
	if (!counters)
		return;
	counters_close(vm->counters);
	vm->counters = counters;
	vm_close(vm, false);
}

static void prepare(struct vm *vm)
{
	struct err *err = &vm->failure;

	vm_alarms_forget(vm);

	*err = (struct err){ 0 };
	vm->evidence = (struct life_evidence){ 0 };
	vm->pressed = false;
	vm->cause = EXIT_REASON_NONE;
	vm->spawned_ns = vm->greeting_ns = vm->placed_ns = vm->cont_ns = 0;
	supervisor_read_host(vm->sup, NULL);
	vm->as_unit = vm->sup->host.units;
	take_pending(vm);
	int r = vm->checked ? 0 : vm_get_ready(vm, err);
	vm->checked = false;
	if (r == 0)
		r = vm_prepare(vm, err);
	if (r == 0)
		vm_event(vm, LIFE_PREPARED);
	else
		fail_start(vm);
}

void vm_spawn_failed(struct vm *vm)
{
	vm->phase = VM_PREPARING;
	fail_start(vm);
}

static void spawn(struct vm *vm)
{
	vm->fresh = true;
	vm->run_state = QMP_RUN_UNKNOWN;
	counter_set(&vm->counters->qemu_log_seen, 0);
	int r = vm->plan.unit[0] ? vm_spawn_unit(vm, &vm->failure) : vm_spawn(vm, &vm->failure);

	if (r < 0)
		vm_spawn_failed(vm);
	if (r < 0 || vm->launch)
		return;
	supervisor_keep_off(vm->sup);
	vm_watch_process(vm);
	vm_event(vm, LIFE_SPAWNED);
}

static void begin_stop(struct vm *vm)
{
	vm_save(vm);
	vm->ladder_at = 0;
	if (vm->slow_at == CLOCK_NEVER)
		vm->slow_at = 0; /* not yet placed: its last minutes are the guest's, too */
}

static void end_stop(struct vm *vm)
{
	vm->stop_asked = false;
	vm->pressed |= vm->ladder.presses > 0;
	vm->ladder = (struct stop_ladder){ 0 };
	vm->ladder_at = CLOCK_NEVER;
	vm_save(vm);
}

static void clear_phase_alarms(struct vm *vm)
{
	vm_alarm_clear(vm, "qmp-lost");
	vm_alarm_clear(vm, "unresponsive");
	vm->hang_at = CLOCK_NEVER;
}

static void raise_phase_alarm(struct vm *vm)
{
	if (vm->phase == VM_UNRESPONSIVE)
		vm_alarm(vm, "unresponsive", "QEMU does not answer over QMP", "",
			vm->spec.on_hang == ON_HANG_RESTART ? "it will be restarted"
							    : "vfio-sup kill, if it never does");
	else
		vm_alarm(vm, "qmp-lost", "the QMP connection is lost; the guest runs on",
			vm->failure.text, "it is tried again every second");
}

static void slow_watch(struct vm *vm)
{
	bool slow = vm->phase == VM_PAUSED || vm->phase == VM_ASLEEP;

	for (size_t i = 0; i < vm->tracked_count; i++)
		watch_slow_down(vm->sup->watch, vm->tracked[i].slot, slow);
}

/* Without QMP nobody can say that it hangs; placement is held all the same. */
static void degrade(struct vm *vm, uint64_t now_ns)
{
	vm_alarm_clear(vm, "unresponsive");
	/* Nor whether it has rebooted after its panic. */
	vm->hang_at = vm->panic_at = CLOCK_NEVER;
	qmp_disconnect(vm->qmp, "it is begun anew");
	vm->reconnect_at = now_ns + NS_PER_SEC;
	if (vm->slow_at == CLOCK_NEVER)
		vm->slow_at = now_ns;
}

static void apply(struct vm *vm, unsigned effects)
{
	uint64_t now = clock_now_ns();

	if (effects & LIFE_CLEAR)
		clear_phase_alarms(vm);
	if (effects & LIFE_ALARM)
		raise_phase_alarm(vm);
	if (effects & LIFE_RECONNECT)
		degrade(vm, now);
	if (effects & LIFE_END_STOP)
		end_stop(vm);
	if (effects & LIFE_BEGIN_STOP)
		begin_stop(vm);
	if (effects & LIFE_KILL)
		vm_kill(vm);
	if (effects & LIFE_PREPARE)
		prepare(vm);
	if (effects & LIFE_SPAWN)
		spawn(vm);
	if (effects & LIFE_ADOPT)
		vm_adopt(vm);
	if (effects & LIFE_DECIDE)
		vm_decide(vm);
	if (effects & LIFE_RELEASE)
		vm_release(vm);
}

/* Since when it sleeps is not forgotten with us. */
static void note_phase(struct vm *vm, enum vm_phase old)
{
	_Atomic uint64_t *asleep = &vm->counters->asleep_since_s;

	vm->phase_ns = clock_now_ns();
	vm->phase_since = clock_wall_seconds();
	if (old == VM_ASLEEP && vm->phase == VM_RUNNING)
		counter_set(asleep, 0);
	if (vm->phase != VM_ASLEEP)
		return;
	if (counter_read(asleep) == 0)
		counter_set(asleep, (uint64_t)vm->phase_since);
	vm->phase_since = (double)counter_read(asleep);
}

void vm_event(struct vm *vm, enum life_event event)
{
	struct life_step step = life_next(vm->phase, event);
	enum vm_phase old = vm->phase;

	if (!step.valid)
		return;
	vm->phase = step.next;
	if (old != step.next) {
		note_phase(vm, old);
		if (event != LIFE_EXITED)
			log_info(vm->spec.name, "%s", vm_phase_name(step.next));
		vm_tell(vm, false, true, "%s", vm_phase_name(step.next));
		slow_watch(vm);
	}
	if (event == LIFE_HUNG && vm->spec.on_hang == ON_HANG_RESTART)
		vm->hang_at = clock_now_ns() + HANG_GRACE_NS;
	apply(vm, step.effects);
	/* Who was adopted may sleep. */
	if (event == LIFE_PLACED)
		vm_follow_run_state(vm);
	supervisor_guard_sleep(vm->sup);
}
