/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE_SLOT = 8 };

/* The next hexadecimal number of exactly `digits` digits; false if there is none. */
static bool hex(const char **text, int digits, unsigned max, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		unsigned char c = (unsigned char)**text;
		if (!isxdigit(c))
			return false;
		value = value * 16 + (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*ret = value;
	return value <= max;
}

/* "[DDDD:]BB:DD[.F]"; function WHOLE_SLOT without ".F". */
static bool parse_address(const char *text, struct pci_function *ret)
{
	struct pci_function at = { .function = WHOLE_SLOT };

	if (strlen(text) > 4 && text[4] == ':' &&
		(!hex(&text, 4, 0xffff, &at.domain) || *text++ != ':'))
		return false;
	if (!hex(&text, 2, 0xff, &at.bus) || *text++ != ':' || !hex(&text, 2, 0x1f, &at.device))
		return false;
	if (*text == '.' && (text++, !hex(&text, 1, 7, &at.function)))
		return false;
	*ret = at;
	return *text == '\0';
}

static void format_address(const struct pci_function *at, char *text, size_t size)
{
	snprintf(text, size, "%04x:%02x:%02x.%x", at->domain & 0xffff, at->bus & 0xff,
		at->device & 0x1f, at->function & 7);
}

static bool same_slot(const struct pci_function *a, const struct pci_function *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}

static bool is_vfio(const json_t *device)
{
	return strcmp(launch_owner(SPEC_DEVICES, device), "vfio-pci") == 0;
}

/* The functions of this address's slot that the host was found to have. */
static const struct pci_functions *find_slot(
	const struct launch *launch, const struct pci_function *at)
{
	const struct pci_functions *best = NULL;

	for (size_t i = 0; i < launch->host->slot_count; i++) {
		const struct pci_functions *slot = &launch->host->slots[i];
		if (slot->count > 0 && same_slot(&slot->items[0], at) &&
			(!best || slot->count > best->count))
			best = slot;
	}
	return best;
}

/* The function that `expect` speaks of: the one that is named, or the slot's first. */
static const struct pci_function *find_function(
	const struct launch *launch, const struct pci_function *at)
{
	const struct pci_functions *slot = find_slot(launch, at);

	if (at->function == WHOLE_SLOT)
		return slot ? &slot->items[0] : NULL;
	for (size_t i = 0; i < launch->host->slot_count; i++) {
		slot = &launch->host->slots[i];
		for (size_t f = 0; f < slot->count; f++)
			if (same_slot(&slot->items[f], at) &&
				slot->items[f].function == at->function)
				return &slot->items[f];
	}
	return NULL;
}

static int read_address(
	const struct launch *launch, const struct launch_group *group, struct pci_function *ret)
{
	const json_t *host = json_object_get(group->object, "host");
	const char *text = json_string_value(host);

	if (text && parse_address(text, ret))
		return 0;
	if (!host)
		launch_refuse(launch, group->line, "devices: vfio-pci without host = \"...\"");
	else
		launch_refuse(launch, group->line, "devices: host = %s%s%s is no PCI address",
			text ? "\"" : "", text ? text : "(no text)", text ? "\"" : "");
	err_fix(launch->err,
		"host = \"01:00\" for all functions of a slot, \"01:00.0\" for one of them");
	return -EINVAL;
}

static int not_there(const struct launch *launch, const struct launch_group *group)
{
	launch_refuse(launch, group->line, "devices: there is no PCI device at %s",
		launch_text(group->object, "host"));
	err_fix(launch->err, "`lspci` shows what is where; a new card can shift the addresses");
	return -EINVAL;
}

static int compare(const struct launch *launch, const struct launch_group *group,
	const char *expect, const struct pci_function *found)
{
	const char *text = expect;
	unsigned vendor, device;
	char address[32];

	if (!hex(&text, 4, 0xffff, &vendor) || *text++ != ':' || !hex(&text, 4, 0xffff, &device) ||
		*text) {
		launch_refuse(launch, group->line, "devices: expect = \"%s\" is no vendor:device",
			expect);
		err_fix(launch->err, "as `lspci -n` shows it, \"10de:1b81\"");
		return -EINVAL;
	}
	if (!found)
		return not_there(launch, group);
	if (vendor == found->vendor_id && device == found->device_id)
		return 0;
	format_address(found, address, sizeof(address));
	launch_refuse(launch, group->line, "devices: at %s is %04x:%04x, not the expected %s",
		address, found->vendor_id, found->device_id, expect);
	err_why(launch->err, "PCI addresses shift when a card is added or taken out");
	err_fix(launch->err, "correct host, or expect = \"%04x:%04x\";", found->vendor_id,
		found->device_id);
	return -EINVAL;
}

static int expect_one(const struct launch *launch, const struct launch_group *group)
{
	const json_t *expect = json_object_get(group->object, "expect");
	struct pci_function at;

	if (!expect)
		return 0;
	if (!json_is_string(expect))
		return launch_refuse(
			launch, group->line, "devices: expect must be text in double quotes");
	int r = read_address(launch, group, &at);
	if (r == 0)
		r = compare(launch, group, json_string_value(expect), find_function(launch, &at));
	json_object_del(group->object, "expect");
	return r;
}

int launch_vfio_expect(struct launch *launch)
{
	const struct launch_groups *devices = &launch->lists[SPEC_DEVICES];
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->count; i++)
		if (is_vfio(devices->items[i].object))
			r = expect_one(launch, &devices->items[i]);
	return r;
}

/* Is `value` the text or the number at `key` of any device, ours included? */
static bool in_use(const struct launch_groups *devices, const char *key, const char *value)
{
	for (size_t i = 0; i < devices->count; i++) {
		const json_t *there = json_object_get(devices->items[i].object, key);
		char number[32] = "";
		if (json_is_integer(there))
			snprintf(number, sizeof(number), "%lld",
				(long long)json_integer_value(there));
		if (strcmp(json_is_string(there) ? json_string_value(there) : number, value) == 0)
			return true;
	}
	return false;
}

static bool taken(const struct launch *launch, const struct launch_groups *done, const char *key,
	const char *text)
{
	return in_use(&launch->lists[SPEC_DEVICES], key, text) || in_use(done, key, text);
}

static int add_root_port(
	const struct launch *launch, struct launch_groups *done, int line, char *id, size_t size)
{
	char chassis[16];
	int n = 1, c = 1;

	do
		snprintf(id, size, "vfio-sup-rp%d", n++);
	while (taken(launch, done, "id", id));
	do
		snprintf(chassis, sizeof(chassis), "%d", c++);
	while (taken(launch, done, "chassis", chassis));
	return launch_groups_add(done,
		json_pack(
			"{s:s, s:s, s:i}", "driver", "pcie-root-port", "id", id, "chassis", c - 1),
		line);
}

static bool has_pcie(const char *machine)
{
	size_t length = strcspn(machine, ",");

	return !((length == 2 && strncmp(machine, "pc", 2) == 0) ||
		 strncmp(machine, "pc-i440fx", 9) == 0);
}

/* Where the functions of a whole slot go in the guest. */
struct target {
	char bus[128];
	char slot[16]; /* "00" behind a root port of its own */
};

static int choose_target(const struct launch *launch, const struct launch_group *group,
	struct launch_groups *done, struct target *target)
{
	const char *bus = launch_text(group->object, "bus");
	const char *addr = launch_text(group->object, "addr");

	if (addr && (!bus || strchr(addr, '.') || strlen(addr) > 2)) {
		launch_refuse(launch, group->line,
			"devices: addr = \"%s\" for all functions of a slot", addr);
		err_fix(launch->err, "leave addr out: they get a root port of their own; or name "
				     "bus as well, and only the slot in addr");
		return -EINVAL;
	}
	snprintf(target->slot, sizeof(target->slot), "%.8s", addr ? addr : "00");
	if (bus) {
		snprintf(target->bus, sizeof(target->bus), "%.120s", bus);
		return 0;
	}
	if (has_pcie(launch->spec->machine))
		return add_root_port(launch, done, group->line, target->bus, sizeof(target->bus));
	launch_refuse(launch, group->line,
		"devices: all functions of a slot need a PCIe root port, which machine \"%s\" "
		"has not",
		launch->spec->machine);
	err_fix(launch->err, "machine = \"q35\"; or one group for each function");
	return -EINVAL;
}

static int set_text(json_t *object, const char *key, const char *text)
{
	return json_object_set_new(object, key, json_string(text)) < 0 ? -ENOMEM : 0;
}

/* One function of a slot; the first carries what the group says besides. */
static int add_function(const struct launch_group *group, const struct pci_functions *slot,
	size_t i, const struct target *target, struct launch_groups *done)
{
	json_t *device =
		i == 0 ? json_copy(group->object) : json_pack("{s:s}", "driver", "vfio-pci");
	bool keep = slot->items[0].function == 0;
	char host[32], addr[32];

	format_address(&slot->items[i], host, sizeof(host));
	snprintf(addr, sizeof(addr), "%s.%u", target->slot,
		keep ? slot->items[i].function : (unsigned)i & 7);
	if (!device || set_text(device, "host", host) < 0 ||
		set_text(device, "bus", target->bus) < 0 || set_text(device, "addr", addr) < 0) {
		json_decref(device);
		return -ENOMEM;
	}
	if (i == 0 && slot->count > 1 &&
		json_object_set_new(device, "multifunction", json_true()) < 0) {
		json_decref(device);
		return -ENOMEM;
	}
	return launch_groups_add(done, device, group->line);
}

static int add_slot(const struct launch *launch, const struct launch_group *group,
	const struct pci_function *at, struct launch_groups *done)
{
	const struct pci_functions *slot = find_slot(launch, at);
	struct target target;

	if (!slot)
		return not_there(launch, group);
	int r = choose_target(launch, group, done, &target);
	for (size_t i = 0; r == 0 && i < slot->count; i++)
		r = add_function(group, slot, i, &target, done);
	return r;
}

static int add_device(
	const struct launch *launch, const struct launch_group *group, struct launch_groups *done)
{
	struct pci_function at;
	char host[32];

	if (!is_vfio(group->object) || json_object_get(group->object, "sysfsdev"))
		return launch_groups_add(done, json_incref(group->object), group->line);
	int r = read_address(launch, group, &at);
	if (r < 0)
		return r;
	if (at.function == WHOLE_SLOT)
		return add_slot(launch, group, &at, done);
	format_address(&at, host, sizeof(host));
	if (set_text(group->object, "host", host) < 0)
		return -ENOMEM;
	return launch_groups_add(done, json_incref(group->object), group->line);
}

int launch_vfio(struct launch *launch)
{
	struct launch_groups *devices = &launch->lists[SPEC_DEVICES], done = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->count; i++)
		r = add_device(launch, &devices->items[i], &done);
	if (r == 0) {
		struct launch_groups old = *devices;
		*devices = done;
		done = old;
	}
	launch_groups_free(&done);
	return r;
}

int launch_pci_addresses(const struct spec *spec, struct strlist *ret_addresses)
{
	const struct spec_groups *devices = &spec->lists[SPEC_DEVICES];
	struct strlist addresses = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->count; i++) {
		json_t *device = json_loads(devices->items[i].json, 0, NULL);
		const char *driver = launch_text(device, "driver");
		const char *host = launch_text(device, "host");
		struct pci_function at;

		if (driver && strcmp(driver, "vfio-pci") == 0 && host && parse_address(host, &at))
			r = strlist_add(&addresses, host);
		json_decref(device);
	}
	if (r < 0)
		strlist_free(&addresses);
	else
		*ret_addresses = addresses;
	return r;
}
