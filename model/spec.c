/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/spec.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int spec_init(struct spec *spec)
{
	*spec = (struct spec){
		.accel = ACCEL_KVM,
		.vcpus = 1,
		.maxcpus = 1,
		.memory.size = 1ull << 30,
		.cpus.priority = 1,
		.restart = { NS_PER_SEC, 60 * NS_PER_SEC, 600 * NS_PER_SEC, 5 },
		.stop = { .powerdown_ns = 180 * NS_PER_SEC,
			.presses = 3,
			.press_every_ns = 25 * NS_PER_SEC,
			.host_shutdown_ns = 1200 * NS_PER_SEC,
			.quit_ns = 10 * NS_PER_SEC,
			.term_ns = 10 * NS_PER_SEC },
		.latency = { 10 * NS_PER_MS, NS_PER_MS },
		.binary = strdup("/usr/bin/qemu-system-x86_64"),
		.user = strdup("vfio-sup-qemu"),
		.machine = strdup("q35"),
		.smp = strdup("1"),
	};
	if (spec->binary && spec->user && spec->machine && spec->smp)
		return 0;
	spec_free(spec);
	return -ENOMEM;
}

void spec_free(struct spec *spec)
{
	free(spec->file);
	free(spec->text);
	free(spec->binary);
	free(spec->user);
	free(spec->machine);
	free(spec->cpu);
	free(spec->smp);
	free(spec->cpus.vcpu);
	free(spec->run_dir);
	free(spec->metrics_listen);
	strlist_free(&spec->env);
	strlist_free(&spec->args);
	strlist_free(&spec->shield);
	for (int list = 0; list < SPEC_LISTS; list++) {
		for (size_t i = 0; i < spec->lists[list].count; i++)
			free(spec->lists[list].items[i].json);
		free(spec->lists[list].items);
	}
	*spec = (struct spec){ 0 };
}

int spec_add_group(struct spec *spec, enum spec_list list, const char *json, int line)
{
	struct spec_groups *groups = &spec->lists[list];
	struct spec_group *items =
		realloc(groups->items, (groups->count + 1) * sizeof(*groups->items));

	if (!items)
		return -ENOMEM;
	groups->items = items;
	items[groups->count] = (struct spec_group){ .json = strdup(json), .line = line };
	if (!items[groups->count].json)
		return -ENOMEM;
	groups->count++;
	return 0;
}

const char *spec_list_name(enum spec_list list)
{
	static const char *const names[SPEC_LISTS] = {
		[SPEC_DEVICES] = "devices",
		[SPEC_BLOCKDEVS] = "blockdevs",
		[SPEC_NETDEVS] = "netdevs",
		[SPEC_OBJECTS] = "objects",
	};

	return names[list];
}

bool spec_name_valid(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);

	return length > 0 && length < SPEC_NAME_SIZE && strchr(first, name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}
