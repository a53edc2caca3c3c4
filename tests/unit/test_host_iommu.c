/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "host/host.h"
#include "plan/iommu.h"

static const char names[] = "10de  NVIDIA Corporation\n"
			    "\t1b81  GP104 [GeForce GTX 1070]\n"
			    "C 03  Display controller\n"
			    "\t00  VGA compatible controller\n"
			    "C 06  Bridge\n"
			    "\t04  PCI bridge\n";

static const struct device {
	unsigned group;
	const char *address, *class, *vendor, *device, *driver;
} devices[] = {
	{ 10, "0000:00:1f.2", "0x010601", "0x8086", "0x1e02", "ahci" },
	{ 10, "0000:00:1f.0", "0x060100", "0x8086", "0x1e44", "lpc_ich" },
	{ 1, "0000:01:00.1", "0x040300", "0x10de", "0x10f0", "vfio-pci" },
	{ 1, "0000:01:00.0", "0x030000", "0x10de", "0x1b81", "vfio-pci" },
	{ 1, "0000:00:01.0", "0x060400", "0x8086", "0x0101", "pcieport" },
	{ 9, "0000:00:1d.0", "0x068000", "0x8086", "0x1e26", NULL },
};
enum { DEVICES = sizeof(devices) / sizeof(devices[0]) };

static void add_file(
	const struct tree *tree, const char *address, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
	tree_write(tree, path, text);
}

static void add_link(const struct tree *tree, const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, tree->root.fd, path), 0);
}

static void add_to_group(const struct tree *tree, unsigned group, const char *address)
{
	char target[128], path[128];

	/* The file makes the directories, too. */
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/type", group);
	tree_write(tree, path, "DMA\n");
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices/.keep", group);
	tree_write(tree, path, "");
	snprintf(target, sizeof(target), "../../../../bus/pci/devices/%s", address);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices/%s", group, address);
	add_link(tree, target, path);
}

static void add_device(const struct tree *tree, const struct device *device)
{
	char target[128], path[128];

	add_file(tree, device->address, "class", device->class);
	add_file(tree, device->address, "vendor", device->vendor);
	add_file(tree, device->address, "device", device->device);
	add_file(tree, device->address, "revision", "0xa1\n");
	add_file(tree, device->address, "irq", "11\n");
	add_file(tree, device->address, "resource", "");
	add_file(tree, device->address, "config", "");
	if (device->driver) {
		snprintf(target, sizeof(target), "../../drivers/%s", device->driver);
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", device->address);
		add_link(tree, target, path);
	}
	add_to_group(tree, device->group, device->address);
}

static void make_groups(struct tree *tree)
{
	tree_make(tree);
	tree_write(tree, "usr/share/misc/pci.ids", names);
	for (size_t i = 0; i < DEVICES; i++)
		add_device(tree, &devices[i]);
	add_file(tree, "0000:01:00.0", "reset_method", "flr bus\n");
	add_file(tree, "0000:01:00.0", "power_state", "D3hot\n");
}

static void check_gpu(const struct iommu_device *gpu)
{
	assert_int_equal(gpu->group, 1);
	assert_true(gpu->pci);
	assert_int_equal(gpu->class_id, 0x0300);
	assert_int_equal(gpu->revision, 0xa1);
	assert_int_equal(gpu->function.vendor_id, 0x10de);
	assert_int_equal(gpu->function.device_id, 0x1b81);
	assert_string_equal(gpu->class_name, "VGA compatible controller");
	assert_string_equal(gpu->vendor_name, "NVIDIA Corporation");
	assert_string_equal(gpu->device_name, "GP104 [GeForce GTX 1070]");
	assert_string_equal(gpu->driver, "vfio-pci");
	assert_string_equal(gpu->reset_methods, "flr bus");
	assert_string_equal(gpu->power_state, "D3hot");
}

static void test_groups(void **state)
{
	const char *const sorted[] = { "0000:00:01.0", "0000:01:00.0", "0000:01:00.1",
		"0000:00:1d.0", "0000:00:1f.0", "0000:00:1f.2" };
	struct tree tree;
	struct iommu iommu;
	struct err err;

	(void)state;
	make_groups(&tree);
	unsigned fds = count_open_fds();
	assert_int_equal(host_read_iommu(&tree.root, &iommu, &err), 0);
	assert_int_equal(count_open_fds(), fds);
	iommu_sort(&iommu);
	assert_int_equal(iommu.count, DEVICES);
	for (size_t i = 0; i < DEVICES; i++)
		assert_string_equal(iommu.items[i].address, sorted[i]);
	check_gpu(&iommu.items[1]);
	/* Without a name of its own, a driver, or what this kernel lacks. */
	assert_string_equal(iommu.items[2].vendor_name, "NVIDIA Corporation");
	assert_string_equal(iommu.items[2].device_name, "");
	assert_string_equal(iommu.items[2].reset_methods, "");
	assert_string_equal(iommu.items[3].driver, "");
	/* Of a sub class and a vendor without a name: the base class's, and none. */
	assert_string_equal(iommu.items[3].class_name, "Bridge");
	assert_string_equal(iommu.items[3].vendor_name, "");
	assert_false(iommu.domains);
	iommu_free(&iommu);
	tree_remove(&tree);
}

static void test_viable(void **state)
{
	struct tree tree;
	struct iommu iommu;
	struct strlist needed = { 0 };

	(void)state;
	make_groups(&tree);
	assert_int_equal(host_read_iommu(&tree.root, &iommu, NULL), 0);
	iommu_sort(&iommu);
	assert_int_equal(iommu_group_end(&iommu, 0), 3);
	assert_int_equal(iommu_needed(&iommu, 0, 4, &needed), 0);
	assert_int_equal(needed.count, 0);
	assert_int_equal(iommu_needed(&iommu, 4, 6, &needed), 0);
	assert_int_equal(needed.count, 2);
	assert_string_equal(needed.items[1], "bind 0000:00:1f.2 to vfio-pci instead of ahci");
	strlist_free(&needed);
	iommu_free(&iommu);
	tree_remove(&tree);
}

/* A function in another domain, in a group or not; a device of another bus; one that is unplugged. */
static void test_odd_ones(void **state)
{
	struct tree tree;
	struct iommu iommu;

	(void)state;
	make_groups(&tree);
	add_file(&tree, "10000:e1:00.0", "class", "0x010802");
	add_to_group(&tree, 11, "AMDI0010:00");
	add_to_group(&tree, 12, "0000:7f:00.0");
	assert_int_equal(host_read_iommu(&tree.root, &iommu, NULL), 0);
	iommu_sort(&iommu);
	assert_true(iommu.domains);
	assert_int_equal(iommu.count, DEVICES + 2);
	assert_string_equal(iommu.items[DEVICES].address, "AMDI0010:00");
	assert_false(iommu.items[DEVICES].pci);
	assert_string_equal(iommu.items[DEVICES + 1].address, "0000:7f:00.0");
	assert_false(iommu.items[DEVICES + 1].pci);
	iommu_free(&iommu);
	tree_remove(&tree);
}

static void test_unreadable(void **state)
{
	struct tree tree;
	struct iommu iommu = { .count = 77 };
	struct err err;

	(void)state;
	make_groups(&tree);
	assert_int_equal(unlinkat(tree.root.fd, "sys/bus/pci/devices/0000:00:1d.0/vendor", 0), 0);
	unsigned fds = count_open_fds();
	assert_int_equal(host_read_iommu(&tree.root, &iommu, &err), -EIO);
	assert_int_equal(count_open_fds(), fds);
	assert_non_null(strstr(err.text, "0000:00:1d.0"));
	assert_non_null(strstr(err.text, "vendor"));
	assert_int_equal(iommu.count, 77);
	tree_remove(&tree);
}

static const struct none_case {
	const char *path, *text;
	const char *cpuinfo, *cmdline;
	struct iommu found;
} none_cases[] = {
	{ "etc/empty", "", NULL, NULL, { 0 } },
	{ "sys/bus/pci/devices/0000:00:00.0/class", "0x060000",
		"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t: fpu\n", "quiet\n",
		{ .sysfs = true, .cpu_vendor = "GenuineIntel" } },
	{ "sys/kernel/iommu_groups/.keep", "", "vendor_id\t: AuthenticAMD\n",
		"quiet intel_iommu=on iommu=pt\n",
		{ .sysfs = true, .cpu_vendor = "AuthenticAMD", .intel_on = true } },
};

/* Never this machine's devices, CPU or command line in place of a copied tree without any. */
static void test_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(none_cases) / sizeof(none_cases[0]); i++) {
		const struct none_case *c = &none_cases[i];
		struct tree tree;
		struct iommu iommu;

		tree_make(&tree);
		tree_write(&tree, c->path, c->text);
		if (c->cpuinfo)
			tree_write(&tree, "proc/cpuinfo", c->cpuinfo);
		if (c->cmdline)
			tree_write(&tree, "proc/cmdline", c->cmdline);
		assert_int_equal(host_read_iommu(&tree.root, &iommu, NULL), 0);
		assert_int_equal(iommu.count, 0);
		assert_int_equal(iommu.sysfs, c->found.sysfs);
		assert_string_equal(iommu.cpu_vendor, c->found.cpu_vendor);
		assert_int_equal(iommu.intel_on, c->found.intel_on);
		iommu_free(&iommu);
		tree_remove(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_viable),
		cmocka_unit_test(test_odd_ones),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
