/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that can be found out before the first change of the host. */
#include "base/cleanup.h"
#include "base/log.h"
#include "host/host.h"
#include "qmp/probe.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

static int check_user(struct vm *vm, struct err *err)
{
	struct spec *spec = &vm->spec;

	if (geteuid() == 0) {
		int r = user_find(spec->user, &vm->user, err);

		return r < 0 ? err_prefix(err, "%s: user", spec->file) : 0;
	}
	const struct passwd *self = getpwuid(geteuid());
	vm->user = (struct user){ .uid = geteuid(), .gid = getegid() };
	snprintf(vm->user.name, sizeof(vm->user.name), "%s", self ? self->pw_name : "");
	if (!(spec->said & SAID_USER) || strcmp(spec->user, vm->user.name) == 0)
		return 0;
	err_set(err, EPERM, "%s: user = \"%s\": only root can run QEMU as somebody else",
		spec->file, spec->user);
	err_fix(err, "run as root, or take the line out");
	return -EPERM;
}

/* Asked once per supervisor: it starts a little guest. */
static void ask_kvm(struct supervisor *sup)
{
	struct err err = { 0 };

	if (sup->host.kvm_works || sup->host.kvm_reason[0])
		return;
	sup->host.kvm_works = host_kvm_works(&sup->root, &err) == 0;
	if (!sup->host.kvm_works)
		snprintf(sup->host.kvm_reason, sizeof(sup->host.kvm_reason), "%.200s",
			err.why[0] ? err.why : err.text);
}

static int check_accel(struct vm *vm, struct err *err)
{
	const struct spec *spec = &vm->spec;

	vm->kvm = false;
	if (spec->accel == ACCEL_TCG)
		return 0;
	ask_kvm(vm->sup);
	int r = vm->sup->host.kvm_works ? process_may_open(&vm->user, "/dev/kvm", true, err)
					: err_set(err, ENODEV, "KVM: %s", vm->sup->host.kvm_reason);
	if (r == 0) {
		vm->kvm = true;
		return 0;
	}
	if (spec->accel == ACCEL_AUTO) {
		log_notice(spec->name, "accel = \"auto\" comes to tcg: %s", err->text);
		*err = (struct err){ 0 };
		return 0;
	}
	err_prefix(err, "%s: accel = \"kvm\"", spec->file);
	if (!err->fix[0])
		err_fix(err, "accel = \"auto\"; to try it out without KVM");
	return r;
}

/* What is at each address that the file names. */
struct slots {
	struct strlist addresses;
	struct pci_functions *items; /* one for each */
};

static void free_slots(struct slots *slots)
{
	for (size_t i = 0; slots->items && i < slots->addresses.count; i++)
		free(slots->items[i].items);
	free(slots->items);
	strlist_free(&slots->addresses);
}

static int find_slots(struct vm *vm, struct slots *slots, struct err *err)
{
	int r = launch_pci_addresses(&vm->spec, &slots->addresses);
	size_t count = slots->addresses.count;

	slots->items = calloc(count + 1, sizeof(*slots->items));
	if (r < 0 || !slots->items)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = host_pci_functions(
			&vm->sup->root, slots->addresses.items[i], &slots->items[i], err);
	if (r < 0)
		return err_prefix(err, "%s: devices", vm->spec.file);
	return vm_note_functions(vm, slots->items, count) < 0
		       ? err_set(err, ENOMEM, "out of memory")
		       : 0;
}

static int make_argv(
	struct vm *vm, const struct props *props, const struct slots *slots, struct err *err)
{
	AUTO_STRLIST struct strlist warnings = { 0 };
	struct launch_host host = { .props = props,
		.kvm = vm->kvm,
		.qmp_socket = vm->plan.unit[0] ? "fd:0" : "fd:3",
		.slots = slots->items,
		.slot_count = slots->addresses.count };

	strlist_free(&vm->argv);
	int r = launch_argv(&vm->spec, &host, &vm->argv, &warnings, err);
	for (size_t i = 0; r == 0 && i < warnings.count; i++)
		log_warning(vm->spec.name, "%s", warnings.items[i]);
	return r;
}

static int check_launch(struct vm *vm, struct err *err)
{
	struct slots slots = { 0 };
	struct props props = { 0 };
	int r = qmp_probe(&vm->spec, vm->sup->run_fd, &props, err);

	if (r < 0)
		return err_prefix(err, "%s", vm->spec.file);
	r = find_slots(vm, &slots, err);
	if (r == 0)
		r = vm_check_functions_free(vm, err);
	if (r == 0)
		r = make_argv(vm, &props, &slots, err);
	free_slots(&slots);
	props_free(&props);
	return r;
}

static int check_files(struct vm *vm, struct err *err)
{
	struct launch_files files = { 0 };
	int r = launch_files(&vm->spec, &files);

	if (r < 0)
		return err_set(err, -r, "out of memory");
	for (size_t i = 0; r == 0 && i < files.count; i++) {
		const struct launch_file *file = &files.items[i];

		r = process_may_open(&vm->user, file->path, file->write, err);
		if (r < 0)
			err_prefix(err, "%s:%d", vm->spec.file, file->line);
	}
	launch_files_free(&files);
	return r;
}

/* Another QEMU, or the rest of one, in the group that this VM's threads would have. */
int vm_check_group_free(struct vm *vm, struct err *err)
{
	pid_t pid = 0;

	vm->foreign = false;
	if (!vm->plan.group[0] || cgroups_busy(vm->sup->cgroups, vm->plan.group, &pid) != 1)
		return 0;
	vm->foreign = true;
	err_set(err, EBUSY, "cgroup %s holds pid %d already", vm->plan.group, (int)pid);
	err_why(err, "a VM of this name runs under another supervisor, or was left behind by one");
	err_fix(err, "stop it there, or rename this file: its name is the VM's name");
	return -EBUSY;
}

static int check_shield(struct vm *vm, struct err *err)
{
	struct actions actions = { 0 };
	AUTO_FREE struct cpuset *have = calloc(vm->spec.shield.count + 1, sizeof(*have));

	if (!have)
		return err_set(err, ENOMEM, "out of memory");
	vm_read_shield(vm, have);
	int r = place_shield(&vm->plan, &vm->spec, have, &actions, err);
	actions_free(&actions);
	return r;
}

static int check_place(struct vm *vm, bool runs, struct err *err)
{
	struct host_state host = vm_host_without_others(vm);

	/* A CPU that went offline under a VM may come back; until then its vCPU is where the kernel puts it. */
	if (runs)
		host.online = cpuset_or(&host.online, &host.present);
	int r = place_plan(&vm->spec, &host, &vm->plan, err);

	return r == 0 ? check_user(vm, err) : r;
}

int vm_check_running(struct vm *vm, struct err *err)
{
	struct slots slots = { 0 };
	struct err none = { 0 };
	int r = check_place(vm, true, err);

	/* So that no other VM gets them. One that is gone meanwhile is no reason to let the VM alone. */
	if (r == 0 && find_slots(vm, &slots, &none) < 0)
		log_err(vm->spec.name, &none);
	free_slots(&slots);
	return r;
}

int vm_check(struct vm *vm, struct err *err)
{
	int r = check_place(vm, false, err);

	if (r == 0)
		r = vm_check_cpus_free(vm, err);
	if (r == 0)
		r = check_accel(vm, err);
	if (r == 0)
		r = check_launch(vm, err);
	if (r == 0)
		r = check_files(vm, err);
	if (r == 0)
		r = check_shield(vm, err);
	return r;
}
