/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_LAUNCH_FIXTURE_H
#define TESTS_UNIT_LAUNCH_FIXTURE_H

#include "tests/unit/launch_props.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* One group of a case: line 10, 20, 30 ... in the order of the table. */
struct group {
	enum spec_list list;
	const char *json;
};

struct wish {
	const char *machine, *cpu;
	struct group groups[6];
	const char *args[4];
	bool kvm, lock, no_lock, no_props;
	enum spec_accel accel;
	enum spec_hugepages hugepages;
	uint64_t size;
	enum spec_on_panic on_panic;
	enum spec_on_reboot on_reboot;
	const char *socket;
};

static inline char *text_of(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

static inline void make_spec(const struct wish *wish, struct spec *spec)
{
	assert_int_equal(spec_init(spec), 0);
	strcpy(spec->name, "media");
	spec->file = text_of("media.conf");
	spec->line_args = 90;
	spec->accel = wish->accel ? wish->accel : wish->kvm ? ACCEL_KVM : ACCEL_TCG;
	spec->memory.size = wish->size ? wish->size : 64 << 20;
	spec->memory.lock = wish->lock;
	spec->memory.hugepages = wish->hugepages;
	spec->said |= wish->no_lock ? SAID_MEMORY_LOCK : 0;
	spec->on_panic = wish->on_panic;
	spec->on_reboot = wish->on_reboot;
	if (wish->machine) {
		free(spec->machine);
		spec->machine = text_of(wish->machine);
	}
	if (wish->cpu)
		spec->cpu = text_of(wish->cpu);
	for (size_t i = 0; i < ARRAY_SIZE(wish->groups) && wish->groups[i].json; i++)
		assert_int_equal(spec_add_group(spec, wish->groups[i].list, wish->groups[i].json,
					 (int)(i + 1) * 10),
			0);
	for (size_t i = 0; i < ARRAY_SIZE(wish->args) && wish->args[i]; i++)
		assert_int_equal(strlist_add(&spec->args, wish->args[i]), 0);
}

/* A graphics card with its sound, a USB controller, and a lone second function elsewhere. */
static struct pci_function card[] = {
	{ 0, 1, 0, 0, 0x10de, 0x1b81 },
	{ 0, 1, 0, 1, 0x10de, 0x10f0 },
};
static struct pci_function usb[] = { { 0, 0, 0x14, 0, 0x8086, 0x31a8 } };
static struct pci_function odd[] = { { 0, 0, 0x1f, 3, 0x8086, 0x3198 } };
static const struct pci_functions slots[] = { { usb, 1 }, { card, 1 }, { card, 2 }, { odd, 1 } };

static inline int argv_of(
	const struct wish *wish, struct strlist *argv, struct strlist *warnings, struct err *err)
{
	struct launch_host host = {
		.props = wish->no_props ? NULL : &fixture_props,
		.kvm = wish->kvm,
		.qmp_socket = wish->socket ? wish->socket : "/run/q",
		.slots = slots,
		.slot_count = ARRAY_SIZE(slots),
	};
	struct spec spec;

	make_spec(wish, &spec);
	int r = launch_argv(&spec, &host, argv, warnings, err);
	spec_free(&spec);
	return r;
}

/* argv from `from` on as one text with blanks between. */
static inline char *joined(const struct strlist *argv, size_t from)
{
	struct strbuf text = { 0 };

	for (size_t i = from; i < argv->count; i++) {
		strbuf_add(&text, i > from ? " " : "");
		strbuf_add(&text, argv->items[i]);
	}
	char *line = strbuf_take(&text);
	assert_non_null(line);
	return line;
}

/* Beside a case's own group, what makes it whole. */
#define DRIVE                                                                                      \
	{                                                                                          \
		SPEC_BLOCKDEVS, "{\"node-name\":\"d\",\"driver\":\"null-co\"}"                     \
	}
#define DRIVE_ON "{\"driver\":\"virtio-blk-pci\",\"drive\":\"d\""
#define ON_DRIVE                                                                                   \
	{                                                                                          \
		SPEC_DEVICES, DRIVE_ON "}"                                                         \
	}

/* The last word of argv that begins with `begin`. */
static inline const char *last_with(const struct strlist *argv, const char *begin)
{
	for (size_t i = argv->count; i-- > 0;)
		if (strncmp(argv->items[i], begin, strlen(begin)) == 0)
			return argv->items[i];
	return "";
}

#define VFIO "{\"driver\":\"vfio-pci\","

#endif
