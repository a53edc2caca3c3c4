/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM may not have because another one has it. */
#include "base/log.h"
#include "host/sched.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

static bool holds(const struct vm *other, const struct vm *vm)
{
	return other != vm && vm_is_up(other);
}

/* What other VMs have is not there for "auto". */
struct host_state vm_host_without_others(const struct vm *vm)
{
	struct host_state host = vm->sup->host;

	host.units = vm->as_unit;

	list_for_each (link, &vm->sup->vms) {
		const struct vm *other = list_entry(link, struct vm, link);

		if (!holds(other, vm) || vm->spec.cpus.vcpu)
			continue;
		struct cpuset rest = cpuset_minus(&host.allowed, &other->plan.vcpus);
		/* With nothing left the refusal below names who has it all. */
		if (cpuset_count(&rest) > 1)
			host.allowed = rest;
		host.isolated = cpuset_minus(&host.isolated, &other->plan.vcpus);
	}
	return host;
}

static bool is_realtime(const struct vm *vm)
{
	return sched_is_realtime(vm->plan.policy);
}

/* Neither has asked for these CPUs, and neither would starve the other: "auto" on a small host. */
static bool may_share(const struct vm *vm, const struct vm *other)
{
	return !vm->spec.cpus.vcpu && !other->spec.cpus.vcpu && !is_realtime(vm) &&
	       !is_realtime(other);
}

int vm_check_cpus_free(const struct vm *vm, struct err *err)
{
	char text[CPUSET_TEXT];

	list_for_each (link, &vm->sup->vms) {
		const struct vm *other = list_entry(link, struct vm, link);
		struct cpuset both = cpuset_and(&vm->plan.vcpus, &other->plan.vcpus);

		if (!holds(other, vm) || cpuset_empty(&both))
			continue;
		cpuset_format(&both, text, sizeof(text));
		if (may_share(vm, other)) {
			log_warning(vm->spec.name,
				"its vCPUs share CPU %.80s with those of %s: cpus.vcpu is "
				"\"auto\", and "
				"no other CPU is left",
				text, other->spec.name);
			continue;
		}
		err_set(err, EBUSY, "%s and %s cannot run at once: both want CPU %.80s for vCPUs",
			vm->spec.name, other->spec.name, text);
		err_fix(err, "stop %s, or give %s other CPUs (cpus.vcpu)", other->spec.name,
			vm->spec.name);
		return -EBUSY;
	}
	return 0;
}

static bool same_function(const struct pci_function *a, const struct pci_function *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device &&
	       a->function == b->function;
}

/* The functions that this VM gets, and that no other VM may have. */
int vm_note_functions(struct vm *vm, const struct pci_functions *slots, size_t count)
{
	free(vm->pci.items);
	vm->pci = (struct pci_functions){ 0 };
	for (size_t i = 0; i < count; i++) {
		size_t size = (vm->pci.count + slots[i].count) * sizeof(*vm->pci.items);
		struct pci_function *items = realloc(vm->pci.items, size + 1);

		if (!items)
			return -ENOMEM;
		memcpy(items + vm->pci.count, slots[i].items, slots[i].count * sizeof(*items));
		vm->pci.items = items;
		vm->pci.count += slots[i].count;
	}
	return 0;
}

int vm_check_functions_free(const struct vm *vm, struct err *err)
{
	list_for_each (link, &vm->sup->vms) {
		const struct vm *other = list_entry(link, struct vm, link);

		for (size_t i = 0; holds(other, vm) && i < vm->pci.count * other->pci.count; i++) {
			const struct pci_function *mine = &vm->pci.items[i / other->pci.count];

			if (!same_function(mine, &other->pci.items[i % other->pci.count]))
				continue;
			err_set(err, EBUSY,
				"%s and %s cannot run at once: both want PCI device "
				"%04x:%02x:%02x.%x",
				vm->spec.name, other->spec.name, mine->domain, mine->bus,
				mine->device, mine->function);
			err_fix(err, "stop %s first", other->spec.name);
			return -EBUSY;
		}
	}
	return 0;
}
