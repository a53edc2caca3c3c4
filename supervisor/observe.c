/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is: read from the kernel, never from what was asked for. */
#include "base/clock.h"
#include "host/threads.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

/* vhost and kvm-pit live outside QEMU, and finding them means walking all of /proc. */
static bool has_kernel_threads(const struct vm *vm)
{
	if (vm->kvm)
		return true;
	for (size_t i = 0; i < vm->spec.lists[SPEC_NETDEVS].count; i++)
		if (strstr(vm->spec.lists[SPEC_NETDEVS].items[i].json, "vhost"))
			return true;
	return false;
}

/* QMP knows the vCPUs and iothreads for certain; names are only what QEMU calls them. */
static void name_thread(const struct vm *vm, struct thread *thread)
{
	for (size_t i = 0; i < vm->named_count; i++) {
		const struct qmp_thread *named = &vm->named[i];

		if (named->tid != thread->tid)
			continue;
		thread->role = i < vm->named_vcpus ? ROLE_VCPU : ROLE_IOTHREAD;
		thread->index = named->index;
		snprintf(thread->id, sizeof(thread->id), "%s", named->id);
		return;
	}
}

static void locate_thread(struct vm *vm, struct thread *thread)
{
	thread->place.slot = SLOT_NONE;
	if (!vm->plan.group[0] || thread->role == ROLE_KVM_PIT)
		return;
	if (cgroups_of_thread(
		    vm->sup->cgroups, thread->tid, thread->cgroup, sizeof(thread->cgroup)) == 0)
		thread->place.slot =
			place_slot_of(&vm->plan, vm->sup->host.cg_mode, thread->cgroup);
	else
		thread->place.slot = SLOT_OUTSIDE;
}

static void read_group(struct vm *vm, const char *group, struct cpuset *ret_cpus)
{
	char text[CPUSET_TEXT];

	*ret_cpus = (struct cpuset){ 0 };
	if (cgroups_read(vm->sup->cgroups, group, "cpuset.cpus", text, sizeof(text)) > 0)
		cpuset_parse(text, ret_cpus);
}

static void read_groups(struct vm *vm, struct vm_groups *groups)
{
	enum cg_mode mode = vm->sup->host.cg_mode;
	char group[MODEL_PATH];

	*groups = (struct vm_groups){ 0 };
	if (!vm->plan.group[0])
		return;
	read_group(vm, place_vm_group(&vm->plan, mode, group), &groups->vm);
	read_group(vm, place_slot_group(&vm->plan, mode, SLOT_EMULATOR, group), &groups->emulator);
	read_group(
		vm, place_slot_group(&vm->plan, mode, SLOT_IOTHREADS, group), &groups->iothreads);
	read_group(vm, place_slot_group(&vm->plan, mode, SLOT_VCPUS, group), &groups->vcpus);
}

int vm_observe(struct vm *vm, struct err *err)
{
	struct vm_state seen = { .autogroup_nice = AUTOGROUP_UNKNOWN };
	struct host_state *host = &vm->sup->host;
	int r = host_threads_read(
		&vm->sup->root, vm->identity.pid, has_kernel_threads(vm), &seen.threads, err);

	if (r < 0) {
		vm_state_free(&seen);
		return r;
	}
	for (size_t i = 0; i < seen.threads.count; i++) {
		name_thread(vm, &seen.threads.items[i]);
		locate_thread(vm, &seen.threads.items[i]);
	}
	read_groups(vm, &seen.groups);
	if (host->autogroup && host->may_nice)
		host_autogroup_read(&vm->sup->root, vm->identity.pid, &seen.autogroup_nice);
	vm_state_free(&vm->seen);
	vm->seen = seen;
	return 0;
}
