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
	bool unwanted; /* somebody has changed his mind meanwhile */
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
	vm->launch->unwanted = true;
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

int vm_enter_unit(struct vm *vm, struct err *err)
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

/* Without its groups a VM is placed by affinities. */
static void make_groups(struct vm *vm)
{
	struct err err = { 0 };
	int r = vm_enter_unit(vm, &err);

	if (r == 0)
		r = vm_place_process(vm, vm->identity.pid, &err);
	if (r == 0 || r == -ESRCH)
		return;
	log_warning(vm->spec.name, "no cgroups, affinities only: %s", err.text);
	place_without_groups(&vm->spec, &vm->sup->host, err.text, &vm->plan);
}

static void take(struct vm *vm, pid_t pid)
{
	int r = vm_hold_process(vm, pid);

	if (r < 0) {
		vm_drop_process(vm);
		if (r != -ESRCH)
			err_set(&vm->failure, -r, "QEMU, pid %d, cannot be watched: %s", (int)pid,
				strerror(-r));
		vm_spawn_failed(vm);
		return;
	}
	vm->spawned_ns = clock_now_ns();
	vm_save(vm);
	supervisor_keep_off(vm->sup);
	vm_watch_process(vm);
	make_groups(vm);
	vm_event(vm, LIFE_SPAWNED);
}

static void started(void *arg, pid_t pid, const struct err *err)
{
	struct vm *vm = arg;
	bool unwanted = vm->launch->unwanted;
	char words[64];

	if (pid == 0) {
		vm->failure = *err;
		vm_drop_launch(vm);
		/* What QEMU said itself says more. */
		vm_last_words(vm, words, sizeof(words));
		if (words[0])
			vm->failure = (struct err){ 0 };
		vm_spawn_failed(vm);
		return;
	}
	vm_drop_launch(vm);
	take(vm, pid);
	if (unwanted)
		vm_kill(vm);
}

static int order(struct vm *vm, struct err *err)
{
	struct vm_launch *launch = vm->launch;
	struct unit unit = { .user = vm->user.name,
		.argv = &vm->argv,
		.env = &vm->spec.env,
		.cpus = &vm->plan.emulator,
		.lock_memory = vm->spec.memory.lock,
		.kvm_group = user_has_group("kvm"),
		.stdin_fd = launch->listener_fd,
		.log_fd = launch->log_fd };

	snprintf(unit.name, sizeof(unit.name), "%s", vm->plan.unit);
	snprintf(unit.description, sizeof(unit.description), "%s, a virtual machine of vfio-sup's",
		vm->spec.name);
	int r = unit_start(&unit, started, vm, &launch->start, err);
	if (r < 0)
		return r;
	launch->source = loop_add(vm->sup->loop, &unit_start_source, launch->start);
	return launch->source ? 0 : err_set(err, ENOMEM, "out of memory");
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
	struct vm_launch *launch = vm->launch = calloc(1, sizeof(*launch));

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
		r = order(vm, err);
	if (r < 0)
		vm_drop_launch(vm);
	return r;
}
