/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process is gone: why, and what follows. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "supervisor/rundir.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

static int pid_fd(void *source)
{
	return ((struct vm *)source)->pidfd;
}

static short pid_events(void *source)
{
	(void)source;
	return POLLIN;
}

/* What QEMU said last is still in the socket: read before the reason is judged. */
static void drain_qmp(struct vm *vm)
{
	for (int turn = 0; turn < 64 && qmp_state(vm->qmp) != QMP_DISCONNECTED; turn++)
		qmp_source.process(vm->qmp, POLLIN, clock_now_ns());
	qmp_disconnect(vm->qmp, "QEMU has ended");
}

static void pid_process(void *source, short revents, uint64_t now_ns)
{
	struct vm *vm = source;
	int status = 0;

	(void)revents;
	(void)now_ns;
	/* Lost a moment ago is its end itself. */
	vm->evidence.blind = qmp_state(vm->qmp) != QMP_RUNNING && vm->lost_at == CLOCK_NEVER;
	drain_qmp(vm);
	if (vm->child && waitpid(vm->identity.pid, &status, WNOHANG) > 0)
		vm->evidence.signalled = WIFSIGNALED(status);
	vm_exited(vm);
}

static const struct source_ops pid_source = {
	.fd = pid_fd, .events = pid_events, .deadline_ns = loop_no_deadline, .process = pid_process
};

void vm_watch_process(struct vm *vm)
{
	vm->pid_source = loop_add(vm->sup->loop, &pid_source, vm);
}

void vm_drop_process(struct vm *vm)
{
	if (vm->pid_source)
		loop_remove(vm->sup->loop, TAKE(vm->pid_source));
	cleanup_close(&vm->pidfd);
	vm->identity = (struct process_identity){ 0 };
	vm->child = false;
}

void vm_exited(struct vm *vm)
{
	struct life_evidence *evidence = &vm->evidence;

	vm_untrack(vm);
	vm_drop_process(vm);
	throttle_keep(vm->sup);
	vm_hear(vm, true);
	vm_no_timers(vm);
	vm_state_free(&vm->wanted);
	vm_state_free(&vm->seen);
	vm_drifts_forget(vm);
	evidence->asked_stop = vm->stop_asked || (vm->pressed && evidence->by_guest);
	vm->stop_asked = evidence->asked_stop;
	evidence->cause = vm->cause;
	vm->last_exit = life_classify(evidence);
	vm->last_exit_at = clock_wall_seconds();
	/* What went wrong before the guest ran says nothing of a later end. */
	if (vm->last_exit != EXIT_REASON_START_FAILED)
		vm->failure = (struct err){ 0 };
	if (vm_ended_well(vm))
		log_notice(vm->spec.name, "QEMU has ended: %s", exit_reason_name(vm->last_exit));
	else
		log_warning(vm->spec.name, "QEMU has ended: %s", exit_reason_name(vm->last_exit));
	vm_event(vm, LIFE_EXITED);
}

/* Why the start failed, as the person at the terminal is told. */
static void explain_failure(struct vm *vm)
{
	char words[512];

	vm_last_words(vm, words, sizeof(words));
	if (!vm->failure.code)
		err_set(&vm->failure, ECHILD, "QEMU ended before the guest ran");
	if (words[0])
		err_said(&vm->failure, "%s", words);
	if (!vm->failure.fix[0])
		err_fix(&vm->failure,
			"`vfio-sup plan %s` shows the whole command line that QEMU "
			"got from the file",
			vm->spec.file);
}

static void restart(struct vm *vm, uint64_t delay_ns)
{
	char text[32];

	vm->restarts++;
	counter_add(&vm->counters->restarts[vm->last_exit], 1);
	if (delay_ns == 0) {
		vm_event(vm, LIFE_START);
		return;
	}
	log_notice(vm->spec.name, "starting again in %s",
		num_format_duration(delay_ns, text, sizeof(text)));
	vm_event(vm, LIFE_RETRY);
	vm_save(vm); /* a supervisor that comes now must know of it */
	vm->restart_at = clock_now_ns() + delay_ns;
}

static void give_up(struct vm *vm)
{
	char words[400];

	vm_last_words(vm, words, sizeof(words));
	if (!vm->failure.code)
		err_set(&vm->failure, ECHILD, "gave up after %u restarts: %s", vm->restarts,
			exit_reason_name(vm->last_exit));
	if (words[0] && !vm->failure.said[0])
		err_said(&vm->failure, "%s", words);
	vm_alarm(vm, "failed", vm->failure.text, words,
		vm->failure.fix[0] ? vm->failure.fix : "see the log; `vfio-sup start` tries again");
	vm_event(vm, LIFE_GAVE_UP);
	vm_close(vm, false); /* qemu.log stays: it explains */
	vm_tell(vm, true, false, "%s%s%s%s%s", vm->failure.text,
		vm->failure.said[0] ? "; QEMU said: " : "", vm->failure.said,
		vm->failure.fix[0] ? "; fix: " : "", vm->failure.fix);
}

bool vm_ended_well(const struct vm *vm)
{
	return vm->last_exit == EXIT_REASON_GUEST_SHUTDOWN ||
	       vm->last_exit == EXIT_REASON_GUEST_RESET || vm->last_exit == EXIT_REASON_HOST_STOP;
}

void vm_decide(struct vm *vm)
{
	uint64_t now = clock_now_ns(), delay = 0;
	struct life_exit end = { .reason = vm->last_exit,
		.asked_stop = vm->stop_asked,
		.started_before = vm->restarts > 0,
		.ran_ns = vm->cont_ns ? now - vm->cont_ns : 0,
		.now_ns = now };

	if (end.reason == EXIT_REASON_START_FAILED)
		explain_failure(vm);
	switch (life_after_exit(&vm->spec, &end, &vm->memory, &delay)) {
	case LIFE_VERDICT_RESTART_NOW:
		restart(vm, 0);
		return;
	case LIFE_VERDICT_RESTART_LATER:
		restart(vm, delay);
		return;
	case LIFE_VERDICT_GIVE_UP:
		give_up(vm);
		return;
	case LIFE_VERDICT_POWER_OFF_HOST:
		vm->power_off_host = true;
		break;
	case LIFE_VERDICT_END:
		break;
	}
	vm_event(vm, LIFE_ENDED);
	/* Where it ended badly its words explain. */
	vm_close(vm, vm_ended_well(vm));
	vm_tell(vm, true, true, "%s is stopped: %s", vm->spec.name,
		exit_reason_name(vm->last_exit));
}
