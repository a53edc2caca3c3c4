/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU as a transient service of systemd's: PID 1 forks it, and it comes to us as a pid. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cgroups/units.h"
#include "host/user.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Between the order to systemd and the pid. */
struct vm_launch {
	struct unit_start *start;
	struct loop_source *source;
	int listener_fd, log_fd;
};

void vm_drop_launch(struct vm *vm)
{
	struct vm_launch *launch = TAKE(vm->launch);

	if (!launch)
		return;
	loop_remove(vm->sup->loop, launch->source);
	unit_start_free(launch->start);
	cleanup_close(&launch->listener_fd);
	cleanup_close(&launch->log_fd);
	free(launch);
}

bool vm_cancel_launch(struct vm *vm)
{
	if (!vm->launch)
		return false;
	/* Also for a supervisor that finds it. */
	vm->stop_asked = true;
	vm_save(vm);
	vm_tell(vm, false, true, "it is being started by systemd, and will be ended then");
	return true;
}

int vm_hold_process(struct vm *vm, pid_t pid)
{
	struct process_identity now;
	int r = process_identify(&vm->sup->root, pid, &vm->identity);

	if (r < 0)
		return r;
	vm->pidfd = process_pidfd(pid);
	if (vm->pidfd < 0)
		return vm->pidfd;
	r = process_identify(&vm->sup->root, pid, &now);
	return r == 0 && process_same(&vm->identity, &now) ? 0 : -ESRCH;
}

int vm_find_unit(struct vm *vm, struct err *err)
{
	char name[64];
	pid_t pid;

	snprintf(name, sizeof(name), "vfiosup-%s.service", vm->spec.name);
	int r = unit_main_pid(name, &pid, err);
	if (r <= 0)
		return r;
	r = vm_hold_process(vm, pid);
	if (r == -ESRCH)
		return 0;
	return r < 0 ? err_set(err, -r, "%s, pid %d: %s", name, (int)pid, strerror(-r)) : 1;
}

static int enter_unit(struct vm *vm, struct err *err)
{
	struct actions actions = { 0 };
	char group[MODEL_PATH];
	int r = cgroups_of_thread(vm->sup->cgroups, vm->identity.pid, group, sizeof(group));

	if (r == 0)
		r = place_enter_unit(&vm->plan, vm->identity.pid, group, &actions);
	if (r < 0)
		err_set(err, -r, "the groups of pid %d: %s", (int)vm->identity.pid, strerror(-r));
	for (size_t i = 0; r == 0 && i < actions.count; i++) {
		enum action_result result = supervisor_act(vm->sup, &actions.items[i], err);

		if (result != ACTION_DONE && result != ACTION_ALREADY)
			r = err->code ? -err->code : -EIO;
	}
	actions_free(&actions);
	return r;
}

void vm_make_unit_groups(struct vm *vm)
{
	struct err err = { 0 };
	int r = enter_unit(vm, &err);

	if (r == 0 && vm->fresh)
		r = vm_place_process(vm, vm->identity.pid, &err);
	/* Without its groups a VM is placed by affinities; one that has just ended needs none. */
	if (r < 0 && process_signal(vm->pidfd, 0) == 0) {
		log_warning(vm->spec.name, "no cgroups, affinities only: %s", err.text);
		place_without_groups(&vm->spec, &vm->sup->host, err.text, &vm->plan);
	}
	/* Only now has every slice its cpuset: systemd gives it to them with the first VM's unit. */
	vm_put_up_shield(vm);
}

static void started(void *arg, pid_t pid, const struct err *err);

static void describe(const struct vm *vm, struct unit *unit)
{
	*unit = (struct unit){ .user = vm->user.name,
		.argv = &vm->argv,
		.env = &vm->spec.env,
		.cpus = &vm->plan.emulator,
		.lock_memory = vm->spec.memory.lock,
		.kvm_group = user_has_group("kvm"),
		.stdin_fd = vm->launch->listener_fd,
		.log_fd = vm->launch->log_fd };
	snprintf(unit->name, sizeof(unit->name), "%s", vm->plan.unit);
	snprintf(unit->description, sizeof(unit->description),
		"%s, a virtual machine of vfio-sup's", vm->spec.name);
}

static int order(struct vm *vm, bool again, struct err *err)
{
	struct vm_launch *launch = vm->launch;
	struct unit unit;

	describe(vm, &unit);
	int r = again ? unit_find(&unit, started, vm, &launch->start, err)
		      : unit_start(&unit, started, vm, &launch->start, err);
	if (r < 0)
		return r;
	launch->source = loop_add(vm->sup->loop, &unit_start_source, launch->start);
	return launch->source ? 0 : err_set(err, ENOMEM, "out of memory");
}

static struct vm_launch *new_launch(void)
{
	struct vm_launch *launch = calloc(1, sizeof(*launch));

	if (launch)
		launch->listener_fd = launch->log_fd = -1;
	return launch;
}

/* It runs, and cannot be held now (no descriptors left): it is asked for again in a second, as often as it
 * takes. */
static void ask_again(struct vm *vm, pid_t pid, int r)
{
	struct err err = { 0 };

	if (!vm_has_alarm(vm, "not-held"))
		vm_alarm(vm, "not-held", "QEMU runs and cannot be watched", strerror(-r),
			"it is tried again every second");
	vm->launch = new_launch();
	if (vm->launch && order(vm, true, &err) == 0)
		return;
	vm_drop_launch(vm);
	log_error(vm->spec.name, "QEMU, pid %d, is lost sight of: %s", (int)pid, err.text);
}

static void take(struct vm *vm, pid_t pid)
{
	int r = vm_hold_process(vm, pid);

	if (r < 0) {
		vm_drop_process(vm);
		if (r == -ESRCH)
			vm_spawn_failed(vm);
		else
			ask_again(vm, pid, r);
		return;
	}
	vm_alarm_clear(vm, "not-held");
	vm->spawned_ns = clock_now_ns();
	vm_save(vm);
	supervisor_keep_off(vm->sup);
	vm_watch_process(vm);
	vm_make_unit_groups(vm);
	vm_event(vm, LIFE_SPAWNED);
	/* Somebody has changed his mind meanwhile. */
	if (vm->stop_asked)
		vm_kill(vm);
}

static void started(void *arg, pid_t pid, const struct err *err)
{
	struct vm *vm = arg;
	struct err why = *err;
	char words[64];

	vm_drop_launch(vm);
	if (pid > 0) {
		take(vm, pid);
		return;
	}
	/* What QEMU said itself says more. */
	vm_last_words(vm, words, sizeof(words));
	if (!words[0])
		vm->failure = why;
	vm_spawn_failed(vm);
}

/* vm.json says, before systemd hears of it, that there may be a QEMU. */
static int write_down(struct vm *vm, struct err *err)
{
	vm->since = clock_wall_seconds();
	int r = vm_save(vm);

	return r < 0 ? vm_not_written(r, err) : 0;
}

int vm_spawn_unit(struct vm *vm, struct err *err)
{
	struct vm_launch *launch = vm->launch = new_launch();

	if (!launch)
		return err_set(err, ENOMEM, "out of memory");
	launch->listener_fd = vm_bind_monitor(vm);
	launch->log_fd = vm_open_log(vm);
	int r = launch->listener_fd < 0 ? launch->listener_fd : launch->log_fd;
	if (r < 0)
		err_set(err, -r, "cannot start QEMU: %s", strerror(-r));
	else
		r = write_down(vm, err);
	if (r == 0)
		r = order(vm, false, err);
	if (r < 0)
		vm_drop_launch(vm);
	return r;
}
