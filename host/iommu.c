/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"
#include "host/libpci.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define GROUPS  "sys/kernel/iommu_groups"
#define DEVICES "sys/bus/pci/devices"

/* For each name in a directory but dot files; 0 too if there is no such directory. */
static int each_name(const struct root *root, const char *path,
	int (*use)(const char *name, void *data), void *data)
{
	AUTO_CLOSE int fd = root_open_file(root, path, O_RDONLY | O_DIRECTORY);
	AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return fd == -ENOENT ? 0 : fd < 0 ? fd : -errno;
	take_fd(&fd);
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		r = entry->d_name[0] == '.' ? 0 : use(entry->d_name, data);
	return r ? r : -errno;
}

struct reading {
	const struct root *root;
	struct libpci lib;
	struct iommu found;
	unsigned group;
	char failed[96]; /* what could not be read */
};

/* libpci's name, "" if it knows none. */
#define NAME(lib, buffer, flags, ...)                                                              \
	name_of(buffer, sizeof(buffer),                                                            \
		pci_lookup_name((lib)->access, buffer, (int)sizeof(buffer),                        \
			(flags) | PCI_LOOKUP_NO_NUMBERS | (lib)->lookup, __VA_ARGS__))

/* What libpci gives is the buffer, NULL, or a constant that says how it failed. */
static void name_of(char *buffer, size_t size, const char *name)
{
	if (name != buffer)
		snprintf(buffer, size, "%s", name ? name : "");
}

/* Where libpci knows only the base class, the number is in the name whatever the flags. */
static void cut_number(char *name, unsigned class_id)
{
	char number[16];
	size_t length = strlen(name);
	size_t n = (size_t)snprintf(number, sizeof(number), " [%04x]", class_id & 0xffff);

	if (length > n && strcmp(name + length - n, number) == 0)
		name[length - n] = '\0';
}

static void take_device(const struct libpci *lib, struct pci_dev *device, void *data)
{
	struct iommu_device *ret = data;

	ret->function.vendor_id = device->vendor_id;
	ret->function.device_id = device->device_id;
	ret->class_id = device->device_class;
	ret->revision = device->known_fields & PCI_FILL_CLASS_EXT ? device->rev_id : 0;
	NAME(lib, ret->class_name, PCI_LOOKUP_CLASS, device->device_class);
	cut_number(ret->class_name, ret->class_id);
	NAME(lib, ret->vendor_name, PCI_LOOKUP_VENDOR, device->vendor_id);
	NAME(lib, ret->device_name, PCI_LOOKUP_DEVICE, device->vendor_id, device->device_id);
}

/* The last part of a link's target, "" if there is no such link. */
static void read_link_name(const struct root *root, const char *path, char *ret, size_t size)
{
	char target[PATH_MAX];
	const char *slash = NULL;

	ret[0] = '\0';
	if (root_readlink(root, path, target, sizeof(target)) < 0)
		return;
	slash = strrchr(target, '/');
	snprintf(ret, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}

static int read_function(
	struct reading *reading, const struct pci_slot *slot, struct iommu_device *ret)
{
	const struct root *root = reading->root;
	const char *name = ret->address;

	ret->pci = true;
	ret->function = (struct pci_function){ .domain = slot->domain,
		.bus = slot->bus,
		.device = slot->device,
		.function = (unsigned)slot->function };
	root_readf(root, ret->reset_methods, sizeof(ret->reset_methods), DEVICES "/%s/reset_method",
		name);
	root_readf(
		root, ret->power_state, sizeof(ret->power_state), DEVICES "/%s/power_state", name);
	return libpci_read(&reading->lib, &ret->function,
		PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT, take_device, ret);
}

static bool is_function(const struct root *root, const char *name, struct pci_slot *ret_slot)
{
	char path[96];

	snprintf(path, sizeof(path), DEVICES "/%.63s", name);
	return pci_slot_parse(name, ret_slot) == 0 && ret_slot->function >= 0 &&
	       root_exists(root, path);
}

static int read_device(struct reading *reading, const char *name, struct iommu_device *ret)
{
	char path[160];
	struct pci_slot slot;
	bool pci = is_function(reading->root, name, &slot);

	*ret = (struct iommu_device){ .group = reading->group };
	snprintf(ret->address, sizeof(ret->address), "%.63s", name);
	if (pci)
		snprintf(path, sizeof(path), DEVICES "/%s/driver", ret->address);
	else
		snprintf(path, sizeof(path), GROUPS "/%u/devices/%s/driver", ret->group,
			ret->address);
	read_link_name(reading->root, path, ret->driver, sizeof(ret->driver));
	int r = pci ? read_function(reading, &slot, ret) : 0;
	if (r < 0)
		snprintf(reading->failed, sizeof(reading->failed), "PCI device %s", ret->address);
	return r;
}

static int add_device(const char *name, void *data)
{
	struct reading *reading = data;
	struct iommu *found = &reading->found;
	struct iommu_device *more =
		reallocarray(found->items, found->count + 1, sizeof(*found->items));

	if (!more)
		return -ENOMEM;
	found->items = more;
	int r = read_device(reading, name, &more[found->count]);
	struct pci_slot slot;
	/* Unplugged while it was read? Then it is not in the group any more. */
	if (r == -EIO && !is_function(reading->root, name, &slot))
		return 0;
	if (r == 0)
		found->count++;
	return r;
}

static int add_group(const char *name, void *data)
{
	struct reading *reading = data;
	char path[64];
	long number;

	if (num_parse_long(name, 0, INT_MAX, &number) < 0)
		return 0;
	reading->group = (unsigned)number;
	snprintf(path, sizeof(path), GROUPS "/%ld/devices", number);
	return each_name(reading->root, path, add_device, reading);
}

/* As lspci does it: one function in another domain, and all are shown with theirs. */
static int note_domain(const char *name, void *data)
{
	struct pci_slot slot;

	if (pci_slot_parse(name, &slot) == 0 && slot.domain != 0)
		*(bool *)data = true;
	return 0;
}

static void read_why(const struct root *root, struct iommu *ret)
{
	char text[4096], *at;

	ret->sysfs = root_exists(root, "sys");
	/* Only the first CPU's lines fit in. */
	root_read(root, "proc/cpuinfo", text, sizeof(text));
	at = strstr(text, "vendor_id");
	at = at ? strchr(at, ':') : NULL;
	if (at)
		sscanf(at, ": %15s", ret->cpu_vendor);
	root_read(root, "proc/cmdline", text, sizeof(text));
	ret->intel_on = strstr(text, "intel_iommu=on");
}

static int read_all(struct reading *reading)
{
	int r = libpci_open(&reading->lib, reading->root);

	if (r == 0)
		r = each_name(reading->root, GROUPS, add_group, reading);
	if (r == 0)
		r = each_name(reading->root, DEVICES, note_domain, &reading->found.domains);
	if (r == 0 && reading->found.count == 0)
		read_why(reading->root, &reading->found);
	libpci_close(&reading->lib);
	return r;
}

int host_read_iommu(const struct root *root, struct iommu *ret, struct err *err)
{
	struct reading reading = { .root = root, .failed = "the IOMMU groups" };
	int r = read_all(&reading);

	if (r < 0) {
		iommu_free(&reading.found);
		return err_set(err, -r, "cannot read %s: %s", reading.failed,
			reading.lib.words[0] ? reading.lib.words : strerror(-r));
	}
	*ret = reading.found;
	return 0;
}
