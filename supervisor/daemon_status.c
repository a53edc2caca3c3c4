/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `systemctl status` shows of the daemon. */
#include "supervisor/daemon.h"

enum { NAMES = 12 };
#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static bool has_failed(const struct vm *vm)
{
	return vm->phase == VM_FAILED;
}

static unsigned count(const struct daemon *daemon, bool (*is)(const struct vm *vm))
{
	unsigned found = 0;

	list_for_each (link, &daemon->sup.vms)
		found += is(list_entry(link, struct vm, link));
	return found;
}

static void add_names(
	const struct daemon *daemon, bool (*is)(const struct vm *vm), struct strbuf *text)
{
	unsigned named = 0;

	list_for_each (link, &daemon->sup.vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		if (!is(vm))
			continue;
		if (named < NAMES)
			strbuf_addf(text, "%s%s", named > 0 ? ", " : "", vm->spec.name);
		named++;
	}
	if (named > NAMES)
		strbuf_addf(text, " and %u more", named - NAMES);
}

void daemon_status(const struct daemon *daemon, struct strbuf *text)
{
	unsigned running = count(daemon, vm_lives);

	if (running == 0)
		strbuf_add(text, "no VM runs");
	else
		strbuf_addf(text, running == 1 ? "1 VM runs: " : "%u VMs run: ", running);
	add_names(daemon, vm_lives, text);
	if (count(daemon, has_failed) == 0)
		return;
	strbuf_add(text, "; failed: ");
	add_names(daemon, has_failed, text);
}

uint64_t daemon_who_runs(const struct daemon *daemon)
{
	uint64_t sum = FNV_START;

	list_for_each (link, &daemon->sup.vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		sum = (sum ^ (uint64_t)(vm_lives(vm) | has_failed(vm) << 1)) * FNV_PRIME;
	}
	return sum;
}
