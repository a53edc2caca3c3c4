/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-sup run: one VM in the foreground. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "config/config.h"
#include "supervisor/api.h"
#include "supervisor/control.h"
#include "supervisor/giveback.h"
#include "supervisor/host_down.h"
#include "supervisor/rundir.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#define SIGNAL_PAUSE_NS (500 * NS_PER_MS)

struct run {
	struct supervisor sup;
	struct vm *vm;
	bool lived; /* the loop has run */
	bool found; /* a QEMU that an earlier supervisor left */
	unsigned signals;
	uint64_t signalled_ns;
	struct loop_source *source;
};

static int run_fd(void *source)
{
	return ((struct run *)source)->sup.signal_fd;
}

static short run_events(void *source)
{
	(void)source;
	return POLLIN;
}

static bool is_over(const struct run *run)
{
	return !vm_lives(run->vm) && (run->vm->phase == VM_STOPPED || run->vm->phase == VM_FAILED);
}

/* Asked after each turn of the loop: the VM may have ended in any of them. */
static uint64_t run_deadline(void *source)
{
	return is_over(source) ? 0 : CLOCK_NEVER;
}

static void say_signal(const struct run *run, int signal)
{
	const struct spec *spec = &run->vm->spec;
	char limit[32];

	if (run->signals > 0) {
		log_notice(NULL, "%s: hurrying", strsignal(signal));
		return;
	}
	num_format_duration(
		signal == SIGTERM ? spec->stop.host_shutdown_ns : spec->stop.powerdown_ns, limit,
		sizeof(limit));
	log_notice(NULL, "%s: stopping the VM; the guest has %s (%s), once more to hurry",
		strsignal(signal), limit,
		signal == SIGTERM ? "stop.host_shutdown" : "stop.powerdown");
}

/* The whole ladder; a second signal takes the next rung. A terminal that is closed sends one or two
 * SIGHUP, `timeout` and a shell may send one signal twice: neither means to hurry. */
static void take_signal(struct run *run, int signal, uint64_t now_ns)
{
	if (signal == SIGHUP) {
		log_notice(NULL, "Hangup: the VM goes on; SIGTERM or `vfio-sup stop` ends it");
		return;
	}
	if (run->signals > 0 && now_ns < run->signalled_ns + SIGNAL_PAUSE_NS)
		return;
	run->signalled_ns = now_ns;
	say_signal(run, signal);
	if (run->signals++ > 0)
		vm_hurry(run->vm);
	else if (signal == SIGTERM)
		host_down_begin(&run->sup);
	else
		vm_insist(run->vm, false);
}

static void run_process(void *source, short revents, uint64_t now_ns)
{
	struct run *run = source;
	struct signalfd_siginfo info;

	if ((revents & POLLIN) &&
		read(run->sup.signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		take_signal(run, (int)info.ssi_signo, now_ns);
	if (is_over(run))
		loop_stop(run->sup.loop);
}

static const struct source_ops run_source = {
	.fd = run_fd, .events = run_events, .deadline_ns = run_deadline, .process = run_process
};

static void note_result(struct run *run, struct api_run_result *result)
{
	struct vm *vm = run->vm;

	result->ran = vm->evidence.ran || vm->restarts > 0;
	result->changed = vm->changed;
	result->given_back = vm->given_back;
	result->power_off_host = vm->power_off_host;
	result->status = vm->phase == VM_STOPPED && vm_ended_well(vm) ? 0 : 1;
	if (result->status == 0)
		return;
	result->err = vm->failure;
	if (!result->err.code)
		err_set(&result->err, ECHILD, "QEMU has ended: %s",
			exit_reason_name(vm->last_exit));
	if (vm->changed > 0)
		snprintf(result->log_dir, sizeof(result->log_dir), "%.255s", run->sup.run_dir);
}

static int bring_up(struct run *run, struct spec *spec, struct err *err)
{
	AUTO_FREE char *metrics = spec->metrics_listen ? strdup(spec->metrics_listen) : NULL;
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int r = supervisor_open_signals(&run->sup, signals, ARRAY_SIZE(signals), err);

	if (r == 0)
		r = supervisor_start(&run->sup, metrics, spec->host_sleep, err);
	if (r == 0 && metrics)
		log_info(NULL, "metrics at http://%s/metrics", http_address(run->sup.http));
	if (r == 0)
		r = vm_new(&run->sup, spec, &run->vm, err);
	if (r < 0)
		return r;
	/* Refused here, before anything is changed; a QEMU that runs already is past that. */
	r = vm_find_running(run->vm, err);
	run->found = r == 1;
	if (r == 0)
		r = vm_get_ready(run->vm, err);
	if (r < 0)
		return r;
	run->source = loop_add(run->sup.loop, &run_source, run);
	return run->source ? 0 : err_set(err, ENOMEM, "out of memory");
}

static void live(struct run *run)
{
	give_back_leftovers(&run->sup, NULL);
	throttle_keep(&run->sup);
	run->lived = true;
	if (run->found)
		vm_take_over(run->vm);
	else
		vm_event(run->vm, LIFE_START);
	/* What came in the last turn may have started it again. */
	do
		loop_run(run->sup.loop);
	while (!is_over(run));
}

/* Nothing is left but QEMU's words where they explain a failure. */
static void clean_up(struct run *run, const struct api_run_result *result)
{
	char name[SPEC_NAME_SIZE];

	if (!run->vm)
		return;
	memcpy(name, run->vm->spec.name, sizeof(name));
	/* Of a QEMU that lives, or of a start that failed, it is kept. */
	bool keep = !run->lived || run->vm->foreign || result->log_dir[0] != '\0';
	loop_remove(run->sup.loop, run->source);
	control_close(TAKE(run->sup.control)); /* who waits there waits for the VM */
	vm_free(run->vm);
	log_keep(NULL, NULL);
	if (!keep)
		rundir_remove_vm(run->sup.run_fd, name);
	if (run->sup.run_dir_made && result->log_dir[0] == '\0')
		history_remove(run->sup.run_fd, name);
}

static void run_spec(
	struct spec *spec, const struct api_options *options, struct api_run_result *result)
{
	const char *run_dir = options->run_dir ? options->run_dir
			      : spec->run_dir  ? spec->run_dir
					       : API_RUN_DIR;
	AUTO_FREE char *dir = strdup(run_dir);
	struct run run = { 0 };

	int r = supervisor_open(&run.sup, dir, options->root, &result->err);
	if (r < 0) {
		result->status = r == -EWOULDBLOCK ? 5 : 1;
		return;
	}
	run.sup.host.may_lift_rt = run.sup.host.host_owner && spec->rt_throttle == RT_THROTTLE_AUTO;
	if (bring_up(&run, spec, &result->err) < 0) {
		result->status = 1;
	} else {
		live(&run);
		note_result(&run, result);
	}
	clean_up(&run, result);
	supervisor_close(&run.sup);
}

void api_run(const char *file, const struct api_options *options, struct api_run_result *ret_result)
{
	struct spec spec;

	*ret_result = (struct api_run_result){ .status = 1 };
	if (config_load_vm(file, &spec, &ret_result->err) < 0)
		return;
	memcpy(ret_result->name, spec.name, sizeof(ret_result->name));
	run_spec(&spec, options, ret_result);
	spec_free(&spec);
}
