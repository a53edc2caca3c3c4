/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/daemon.h"

#include <errno.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct strlist *a, const struct strlist *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static bool same_groups(const struct spec_groups *a, const struct spec_groups *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].json, b->items[i].json) != 0)
			return false;
	return true;
}

static bool same_memory(const struct spec *a, const struct spec *b)
{
	return a->memory.size == b->memory.size && a->memory.lock == b->memory.lock &&
	       a->memory.hugepages == b->memory.hugepages;
}

static bool same_cpus(const struct spec *a, const struct spec *b)
{
	size_t size = a->cpus.vcpu_count * sizeof(*a->cpus.vcpu);

	return a->cpus.vcpu_count == b->cpus.vcpu_count &&
	       (size == 0 || memcmp(a->cpus.vcpu, b->cpus.vcpu, size) == 0) &&
	       cpuset_equal(&a->cpus.emulator, &b->cpus.emulator) &&
	       cpuset_equal(&a->cpus.iothread, &b->cpus.iothread) &&
	       a->cpus.isolate == b->cpus.isolate && a->cpus.policy == b->cpus.policy &&
	       a->cpus.priority == b->cpus.priority;
}

static void note(struct strlist *list, bool same, const char *key, int *r)
{
	if (!same && *r == 0)
		*r = strlist_add(list, key);
}

int spec_news(const struct spec *old, const struct spec *new, struct strlist *ret_later)
{
	int r = 0;

	note(ret_later, old->accel == new->accel, "accel", &r);
	note(ret_later, same_text(old->binary, new->binary), "binary", &r);
	note(ret_later, same_text(old->user, new->user), "user", &r);
	note(ret_later, same_list(&old->env, &new->env), "env", &r);
	note(ret_later, same_text(old->machine, new->machine), "machine", &r);
	note(ret_later, same_text(old->cpu, new->cpu), "cpu", &r);
	note(ret_later, same_text(old->smp, new->smp), "smp", &r);
	note(ret_later, same_memory(old, new), "memory", &r);
	note(ret_later, same_cpus(old, new), "cpus", &r);
	for (enum spec_list list = 0; list < SPEC_LISTS; list++)
		note(ret_later, same_groups(&old->lists[list], &new->lists[list]),
			spec_list_name(list), &r);
	note(ret_later, same_list(&old->args, &new->args), "args", &r);
	note(ret_later,
		old->latency.tick_ns == new->latency.tick_ns &&
			old->latency.stall_ns == new->latency.stall_ns,
		"latency", &r);
	note(ret_later, same_list(&old->shield, &new->shield), "shield", &r);
	/* What QEMU was told of its command line. */
	note(ret_later, old->on_reboot == new->on_reboot, "on_reboot", &r);
	note(ret_later, (old->on_panic == ON_PANIC_WAIT) == (new->on_panic == ON_PANIC_WAIT),
		"on_panic", &r);
	return r;
}

void spec_take_now(struct spec *old, const struct spec *new)
{
	old->autostart = new->autostart;
	old->on_drift = new->on_drift;
	old->on_poweroff = new->on_poweroff;
	old->on_crash = new->on_crash;
	old->on_hang = new->on_hang;
	if ((old->on_panic == ON_PANIC_WAIT) == (new->on_panic == ON_PANIC_WAIT))
		old->on_panic = new->on_panic;
	old->restart.delay_ns = new->restart.delay_ns;
	old->restart.max_delay_ns = new->restart.max_delay_ns;
	old->restart.interval_ns = new->restart.interval_ns;
	old->restart.burst = new->restart.burst;
	old->stop.powerdown_ns = new->stop.powerdown_ns;
	old->stop.presses = new->stop.presses;
	old->stop.press_every_ns = new->stop.press_every_ns;
	old->stop.host_shutdown_ns = new->stop.host_shutdown_ns;
	old->stop.quit_ns = new->stop.quit_ns;
	old->stop.term_ns = new->stop.term_ns;
}
