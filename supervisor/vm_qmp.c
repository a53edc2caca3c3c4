/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QMP connection of a VM: what its events mean, and the heartbeat. */
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

#define BEAT_NS       (2 * NS_PER_SEC)
#define BEAT_LIMIT_NS (5 * NS_PER_SEC)
#define PANIC_WAIT_NS (600 * NS_PER_SEC)
#define LOST_GRACE_NS (300 * NS_PER_MS) /* within it the process mostly turns out to be gone */

static void answered(void *arg, uint64_t took_ns)
{
	struct supervisor *sup = arg;

	histogram_observe(&sup->qmp_seconds, took_ns, 1);
}

static void on_running(void *arg)
{
	struct vm *vm = arg;

	vm->greeting_ns = clock_now_ns();
	snprintf(vm->version, sizeof(vm->version), "%s", qmp_version(vm->qmp));
	qmp_on_answer(vm->qmp, answered, vm->sup);
	vm->beat_at = clock_now_ns() + BEAT_NS;
	if (vm->phase == VM_DEGRADED)
		vm_event(vm, LIFE_QMP_BACK);
	/* Answered before the threads are named: what is adopted may sleep. */
	if (!vm->fresh)
		vm_beat(vm, clock_now_ns());
	vm_ask_threads(vm);
}

static void on_disconnected(void *arg, const char *words)
{
	struct vm *vm = arg;

	vm->beat_at = CLOCK_NEVER;
	if (!vm_lives(vm))
		return;
	if (vm->phase == VM_DEGRADED || vm->phase == VM_STOPPING) {
		vm->reconnect_at = clock_now_ns() + NS_PER_SEC;
		return;
	}
	/* QEMU's end shows here first: its exit comes through the pidfd in a moment. */
	if (vm->evidence.shutdown_seen)
		return;
	snprintf(vm->lost_words, sizeof(vm->lost_words), "%s", words);
	vm->lost_at = clock_now_ns() + LOST_GRACE_NS;
}

void vm_qmp_lost(struct vm *vm)
{
	err_set(&vm->failure, EPIPE, "QMP: %s", vm->lost_words);
	vm_event(vm, vm->phase == VM_STARTING ? LIFE_FAILURE : LIFE_QMP_LOST);
}

void vm_reconnect(struct vm *vm, uint64_t now_ns)
{
	struct err err = { 0 };

	if (!vm_lives(vm) || qmp_state(vm->qmp) != QMP_DISCONNECTED)
		return;
	vm->reconnect_at = now_ns + NS_PER_SEC;
	int r = qmp_connect(vm->qmp, vm->iofd, "qmp.sock", vm->identity.pid, now_ns, &err);
	if (r == 0) {
		vm->reconnect_at = CLOCK_NEVER; /* its end says when again */
		return;
	}
	if (vm_connect_again(vm, r, now_ns))
		return;
	if (vm->phase != VM_DEGRADED)
		return;
	vm_alarm(vm, "qmp-lost", "the QMP connection is lost; the guest runs on", err.text,
		"it is tried again every second");
}

static void on_shutdown(struct vm *vm, json_t *data)
{
	struct life_evidence *evidence = &vm->evidence;

	evidence->shutdown_seen = true;
	switch (qmp_shutdown_parse(data)) {
	case QMP_SHUTDOWN_GUEST_SHUTDOWN:
		evidence->by_guest = true;
		break;
	case QMP_SHUTDOWN_GUEST_RESET:
	case QMP_SHUTDOWN_SUBSYSTEM_RESET:
		evidence->guest_reset = true;
		break;
	case QMP_SHUTDOWN_GUEST_PANIC:
		evidence->guest_panic = true;
		break;
	case QMP_SHUTDOWN_HOST_SIGNAL:
		evidence->host_signal = true;
		break;
	case QMP_SHUTDOWN_HOST_QMP_QUIT:
	case QMP_SHUTDOWN_HOST_OTHER:
		evidence->host_other = true;
		break;
	case QMP_SHUTDOWN_UNKNOWN:
		evidence->by_guest = json_is_true(json_object_get(data, "guest"));
		break;
	}
}

static void on_panic(struct vm *vm, json_t *data)
{
	char words[160];

	qmp_panic_words(data, words, sizeof(words));
	vm_alarm(vm, "guest-panic", "the guest panicked", words,
		vm->spec.on_panic == ON_PANIC_WAIT ? "it may write its dump and reboot by itself"
						   : "on_panic decides");
	if (vm->spec.on_panic == ON_PANIC_WAIT)
		vm->panic_at = clock_now_ns() + PANIC_WAIT_NS;
	else
		vm_end_for(vm, EXIT_REASON_GUEST_PANIC);
}

static void on_reset(struct vm *vm)
{
	log_info(vm->spec.name, "the guest was reset");
	vm->panic_at = CLOCK_NEVER;
	vm_alarm_clear(vm, "guest-panic");
	vm_ask_threads(vm);
}

static void on_io_error(struct vm *vm, json_t *data)
{
	char words[160];

	qmp_io_error_words(data, words, sizeof(words));
	vm_alarm(vm, "io-error", "a disk of the guest failed", words,
		"mend it, then `vfio-sup resume` if the guest is paused");
}

static void take_event(struct vm *vm, enum qmp_event event, json_t *data)
{
	switch (event) {
	case QMP_EVENT_SHUTDOWN:
		on_shutdown(vm, data);
		break;
	case QMP_EVENT_RESET:
		on_reset(vm);
		break;
	case QMP_EVENT_STOP:
		vm->run_state = QMP_RUN_PAUSED;
		vm_event(vm, LIFE_PAUSE);
		break;
	case QMP_EVENT_RESUME:
		vm->run_state = QMP_RUN_RUNNING;
		vm_alarm_clear(vm, "io-error");
		vm_event(vm, LIFE_RESUME);
		break;
	case QMP_EVENT_SUSPEND:
		vm->run_state = QMP_RUN_SUSPENDED;
		counter_set(&vm->counters->asleep_since_s, 0);
		vm_event(vm, LIFE_SUSPEND);
		break;
	case QMP_EVENT_WAKEUP:
		vm->run_state = QMP_RUN_RUNNING;
		vm_event(vm, LIFE_WAKE);
		break;
	case QMP_EVENT_GUEST_PANICKED:
		on_panic(vm, data);
		break;
	case QMP_EVENT_BLOCK_IO_ERROR:
		on_io_error(vm, data);
		break;
	case QMP_EVENT_DEVICE_DELETED:
		vm_ask_threads(vm);
		break;
	case QMP_EVENT_MEMORY_FAILURE:
		vm_alarm(vm, "memory", "the host's memory failed under the guest", "",
			"test the host's memory");
		break;
	case QMP_EVENT_POWERDOWN:
	case QMP_EVENT_SUSPEND_DISK:
	case QMP_EVENT_OTHER:
		break;
	}
}

static void on_event(void *arg, const char *name, json_t *data)
{
	struct vm *vm = arg;
	enum qmp_event event = qmp_event_parse(name);

	vm->qmp_events[event]++;
	take_event(vm, event, data);
}

const struct qmp_handlers vm_qmp_handlers = {
	.running = on_running, .event = on_event, .disconnected = on_disconnected
};

bool vm_is_halted(const struct vm *vm)
{
	return vm->run_state == QMP_RUN_PAUSED || vm->run_state == QMP_RUN_IO_ERROR ||
	       vm->run_state == QMP_RUN_INTERNAL_ERROR || vm->run_state == QMP_RUN_OTHER_STOPPED;
}

/* What the events may have been missed for. */
void vm_follow_run_state(struct vm *vm)
{
	enum qmp_run_state state = vm->run_state;

	if (vm->phase == VM_RUNNING && vm_is_halted(vm))
		vm_event(vm, LIFE_PAUSE);
	else if (vm->phase == VM_RUNNING && state == QMP_RUN_SUSPENDED)
		vm_event(vm, LIFE_SUSPEND);
	else if (vm->phase == VM_PAUSED && state == QMP_RUN_RUNNING)
		vm_event(vm, LIFE_RESUME);
	else if (vm->phase == VM_ASLEEP && state == QMP_RUN_RUNNING)
		vm_event(vm, LIFE_WAKE);
	if (state == QMP_RUN_INTERNAL_ERROR)
		vm_alarm(vm, "internal-error", "QEMU stopped the guest: internal error", "",
			"see qemu.log; `vfio-sup reset`");
}

/* Its vm.json is lost: only QEMU can tell that its guest never ran. It goes on as a start does. */
static void find_fresh(struct vm *vm)
{
	bool prelaunch = vm->maybe_fresh && vm->run_state == QMP_RUN_PRELAUNCH;

	vm->maybe_fresh = false;
	if (!prelaunch || vm->phase == VM_STOPPING)
		return;
	vm->fresh = true;
	vm_ask_threads(vm);
}

static void on_beat(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct vm *vm = arg;
	enum qmp_run_state state;

	(void)words;
	if (outcome == QMP_TIMEOUT) {
		vm_event(vm, LIFE_HUNG);
	} else if (outcome == QMP_OK || outcome == QMP_ERROR) {
		vm_event(vm, LIFE_ANSWERED);
		if (outcome == QMP_OK && qmp_parse_status(result, &state) == 0) {
			vm->run_state = state;
			find_fresh(vm);
			vm_follow_run_state(vm);
		}
	}
	if (outcome == QMP_LOST)
		return;
	vm->beat_at = vm_about(clock_now_ns() + BEAT_NS);
	/* Whether it must be woken is known, and the button can be pressed. */
	if (vm->phase == VM_STOPPING)
		vm->ladder_at = 0;
}

void vm_beat(struct vm *vm, uint64_t now_ns)
{
	if (qmp_state(vm->qmp) != QMP_RUNNING)
		return;
	if (qmp_send(vm->qmp, "query-status", NULL, BEAT_LIMIT_NS, now_ns, on_beat, vm) < 0)
		vm->beat_at = now_ns + BEAT_NS;
}
