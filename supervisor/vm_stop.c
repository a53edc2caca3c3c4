/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every way in which a VM is ended: the ladder of design §5, `stop`. */
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "supervisor/vm.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>

#define COMMAND_LIMIT_NS (5 * NS_PER_SEC)

static bool qmp_usable(const struct vm *vm)
{
	return qmp_state(vm->qmp) == QMP_RUNNING && vm->phase != VM_UNRESPONSIVE;
}

static void begin(struct vm *vm, bool asked, bool force, enum stop_rung first)
{
	stop_begin(&vm->ladder, force, first, clock_now_ns());
	vm->restart_at = CLOCK_NEVER;
	vm->stop_asked = asked;
	vm_event(vm, LIFE_STOP);
	vm->ladder_at = vm_lives(vm) ? 0 : CLOCK_NEVER;
}

/* Between two tries, or after the last: there is no process to end, and nothing else will tell. */
static void stop_without_process(struct vm *vm)
{
	vm->last_exit = EXIT_REASON_HOST_STOP;
	begin(vm, true, false, STOP_NONE);
	vm_close(vm, true);
	vm_tell(vm, true, true, "%s is stopped", vm->spec.name);
}

void vm_stop(struct vm *vm, bool force)
{
	if (vm->phase == VM_STOPPING) {
		/* Also where it was being ended to be started again. */
		vm->stop_asked = true;
		if (force)
			vm_hurry(vm);
		return;
	}
	vm->cause = EXIT_REASON_NONE;
	if (vm_cancel_launch(vm))
		return;
	if (!vm_lives(vm)) {
		stop_without_process(vm);
		return;
	}
	begin(vm, true, force, vm->fresh ? STOP_KILL : STOP_POWERDOWN);
}

void vm_insist(struct vm *vm, bool host_shutdown)
{
	if (vm->phase != VM_STOPPING)
		vm_stop(vm, true);
	vm->stop_asked = vm->ladder.force = true;
	vm->ladder.host_shutdown |= host_shutdown;
	vm->ladder_at = vm_lives(vm) ? 0 : CLOCK_NEVER;
}

void vm_hurry(struct vm *vm)
{
	if (vm->phase != VM_STOPPING)
		return;
	stop_hurry(&vm->ladder, clock_now_ns());
	vm->ladder_at = 0;
}

void vm_kill(struct vm *vm)
{
	if (vm->phase == VM_STOPPING) {
		stop_begin(&vm->ladder, true, STOP_KILL, clock_now_ns());
		vm->ladder_at = 0;
	} else if (vm_lives(vm)) {
		begin(vm, true, true, STOP_KILL);
	} else if (!vm_cancel_launch(vm)) {
		stop_without_process(vm);
	}
}

/* Not asked for by anybody: what follows is decided by `cause`. */
void vm_end_for(struct vm *vm, enum exit_reason cause)
{
	if (!vm_lives(vm) || vm->phase == VM_STOPPING)
		return;
	vm->cause = cause;
	log_warning(vm->spec.name, "ending QEMU: %s", exit_reason_name(cause));
	begin(vm, false, true, cause == EXIT_REASON_HANG ? STOP_TERM : STOP_QUIT);
}

void vm_take_up_intent(struct vm *vm, bool stop, bool force, enum exit_reason cause)
{
	if (stop)
		vm_stop(vm, force);
	else if (cause > EXIT_REASON_NONE && cause < EXIT_REASONS)
		vm_end_for(vm, cause);
}

static void signal_process(struct vm *vm, int sig)
{
	int r = process_signal(vm->pidfd, sig);

	if (r < 0)
		log_warning(vm->spec.name, "cannot send %s to QEMU: %s",
			sig == SIGTERM ? "SIGTERM" : "SIGKILL", strerror(-r));
}

static void ignore_reply(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct vm *vm = arg;

	(void)result;
	/* `quit` loses the connection, and that is how it should be. */
	if (outcome == QMP_ERROR || outcome == QMP_TIMEOUT)
		log_warning(vm->spec.name, "stop: %s", words);
}

static void command(struct vm *vm, const char *name, uint64_t now_ns)
{
	qmp_send(vm->qmp, name, NULL, COMMAND_LIMIT_NS, now_ns, ignore_reply, vm);
}

static void say_step(struct vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say_step(struct vm *vm, const char *format, ...)
{
	char words[128];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	vm_tell(vm, false, true, "%s", words);
	log_info(vm->spec.name, "%s", words);
}

static void wake(struct vm *vm, uint64_t now_ns)
{
	say_step(vm, "waking the guest");
	command(vm, "system_wakeup", now_ns);
}

static void press(struct vm *vm, uint64_t now_ns)
{
	/* A paused guest sees no power button. */
	if (vm_is_halted(vm))
		command(vm, "cont", now_ns);
	say_step(vm, "pressing the power button (%u of %u)", vm->ladder.presses,
		vm->spec.stop.presses);
	command(vm, "system_powerdown", now_ns);
}

static void give_up(struct vm *vm)
{
	char limit[32];

	num_format_duration(vm->spec.stop.powerdown_ns, limit, sizeof(limit));
	log_warning(vm->spec.name,
		"the guest has not powered off within %s and is left alone; --force goes on",
		limit);
	bool pressed = vm->ladder.presses > 0;
	vm_event(vm, LIFE_STOP_GIVEN_UP);
	/* It is as alive as before; whether it can be asked is another matter. */
	if (qmp_state(vm->qmp) != QMP_RUNNING)
		vm_event(vm, LIFE_QMP_LOST);
	else
		vm->beat_at = clock_now_ns();
	if (!pressed) {
		vm_tell(vm, true, false,
			"%s could not be asked: there is no QMP connection; it is left alone",
			vm->spec.name);
		return;
	}
	vm_tell(vm, true, false,
		"%s has not powered off within %s and is left alone: it may be installing updates, "
		"ask a question, or ignore the power button; `vfio-sup stop %s --force` ends it",
		vm->spec.name, limit, vm->spec.name);
}

void vm_climb(struct vm *vm, uint64_t now_ns)
{
	uint64_t next;

	if (vm->phase != VM_STOPPING || !vm_lives(vm))
		return;
	vm->ladder.asleep = vm->run_state == QMP_RUN_SUSPENDED;
	switch (stop_next(&vm->ladder, &vm->spec, qmp_usable(vm), now_ns, &next)) {
	case STOP_DO_WAKE:
		wake(vm, now_ns);
		break;
	case STOP_DO_PRESS:
		press(vm, now_ns);
		break;
	case STOP_DO_QUIT:
		say_step(vm, "telling QEMU to quit");
		command(vm, "quit", now_ns);
		break;
	case STOP_DO_TERM:
		say_step(vm, "sending SIGTERM");
		signal_process(vm, SIGTERM);
		break;
	case STOP_DO_KILL:
		say_step(vm, "sending SIGKILL");
		signal_process(vm, SIGKILL);
		break;
	case STOP_DO_GIVE_UP:
		give_up(vm);
		return;
	case STOP_DO_NOTHING:
		break;
	}
	vm->ladder_at = next;
}
