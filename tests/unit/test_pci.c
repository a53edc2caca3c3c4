/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "host/host.h"

static const struct file {
	const char *name, *text;
} files[] = {
	{ "class", "0x030000\n" },
	{ "revision", "0xa1\n" },
	{ "irq", "11\n" },
	{ "resource", "" },
	{ "config", "" },
	{ "subsystem_vendor", "0x1462\n" },
	{ "subsystem_device", "0x3306\n" },
};

static void add_device(
	const struct tree *tree, const char *address, const char *vendor, const char *device)
{
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, files[i].name);
		tree_write(tree, path, files[i].text);
	}
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vendor", address);
	if (vendor)
		tree_write(tree, path, vendor);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/device", address);
	if (device)
		tree_write(tree, path, device);
}

static void make_bus(struct tree *tree)
{
	tree_make(tree);
	add_device(tree, "0000:00:14.0", "0x8086\n", "0xa36d\n");
	add_device(tree, "0000:01:00.1", "0x10de\n", "0x10f0\n");
	add_device(tree, "0000:01:00.0", "0x10de\n", "0x1b81\n");
	add_device(tree, "0001:01:00.0", "0x1000\n", "0x0001\n");
	add_device(tree, "10000:e1:1f.7", "0x8086\n", "0x2030\n");
	add_device(tree, "0000:02:00.0", NULL, "0x0001\n");
	add_device(tree, "0000:03:00.0", "green\n", "0x0001\n");
	add_device(tree, "0000:04:00.0", "0x1af4\n", NULL);
	add_device(tree, "0000:04:00.1", "0x1af4\n", "0x1041\n");
}

static const struct found_case {
	const char *address;
	size_t count;
	struct pci_function functions[2];
} found_cases[] = {
	{ "01:00", 2, { { 0, 1, 0, 0, 0x10de, 0x1b81 }, { 0, 1, 0, 1, 0x10de, 0x10f0 } } },
	{ "0000:01:00", 2, { { 0, 1, 0, 0, 0x10de, 0x1b81 }, { 0, 1, 0, 1, 0x10de, 0x10f0 } } },
	{ "01:00.1", 1, { { 0, 1, 0, 1, 0x10de, 0x10f0 } } },
	{ "0001:01:00", 1, { { 1, 1, 0, 0, 0x1000, 0x0001 } } },
	{ "00:14.0", 1, { { 0, 0, 0x14, 0, 0x8086, 0xa36d } } },
	{ "10000:E1:1F.7", 1, { { 0x10000, 0xe1, 0x1f, 7, 0x8086, 0x2030 } } },
	{ "04:00.1", 1, { { 0, 4, 0, 1, 0x1af4, 0x1041 } } },
};

static void test_found(void **state)
{
	struct tree tree;
	unsigned fds;

	(void)state;
	make_bus(&tree);
	fds = count_open_fds();
	for (size_t i = 0; i < sizeof(found_cases) / sizeof(found_cases[0]); i++) {
		const struct found_case *c = &found_cases[i];
		struct pci_functions found = { 0 };
		struct err err = { 0 };

		assert_int_equal(host_pci_functions(&tree.root, c->address, &found, &err), 0);
		assert_int_equal(found.count, c->count);
		assert_memory_equal(found.items, c->functions, c->count * sizeof(c->functions[0]));
		free(found.items);
	}
	assert_int_equal(count_open_fds(), fds);
	tree_remove(&tree);
}

static const struct refused_case {
	const char *address;
	int error;
	const char *text;
} refused_cases[] = {
	{ "", EINVAL, "no PCI address" },
	{ "01", EINVAL, "no PCI address" },
	{ "01:", EINVAL, "no PCI address" },
	{ ":00", EINVAL, "no PCI address" },
	{ "01:00.", EINVAL, "no PCI address" },
	{ "01:00.8", EINVAL, "no PCI address" },
	{ "01:00.00", EINVAL, "no PCI address" },
	{ "01:20", EINVAL, "no PCI address" },
	{ "100:00", EINVAL, "no PCI address" },
	{ "01:00 ", EINVAL, "no PCI address" },
	{ " 01:00", EINVAL, "no PCI address" },
	{ "0x1:00", EINVAL, "no PCI address" },
	{ "-1:00", EINVAL, "no PCI address" },
	{ "0:0:0:0", EINVAL, "no PCI address" },
	{ "ffffffff:00:00", EINVAL, "no PCI address" },
	{ "123456789:00:00", EINVAL, "no PCI address" },
	{ "../..:00", EINVAL, "no PCI address" },
	{ "01:00.2", ENODEV, "no PCI device 01:00.2" },
	{ "05:00", ENODEV, "no PCI device 05:00" },
	{ "0002:01:00", ENODEV, "no PCI device" },
	{ "02:00", EIO, "02:00" },
	{ "04:00", EIO, "04:00" },
};

static void test_refused(void **state)
{
	struct tree tree;
	unsigned fds;

	(void)state;
	make_bus(&tree);
	fds = count_open_fds();
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
		const struct refused_case *c = &refused_cases[i];
		struct pci_functions found = { .count = 77 };
		struct err err = { 0 };

		assert_int_equal(
			host_pci_functions(&tree.root, c->address, &found, &err), -c->error);
		assert_non_null(strstr(err.text, c->text));
		assert_int_equal(found.count, 77);
	}
	assert_int_equal(count_open_fds(), fds);
	tree_remove(&tree);
}

/* Whatever libpci makes of a vendor that is no number, it says so or answers; it does not exit. */
static void test_malformed_number(void **state)
{
	struct tree tree;
	struct pci_functions found = { 0 };

	(void)state;
	make_bus(&tree);
	int r = host_pci_functions(&tree.root, "03:00", &found, NULL);
	assert_true(r == -EIO || (r == 0 && found.count == 1));
	free(found.items);
	tree_remove(&tree);
}

/* Never this machine's devices in place of a copied tree without any. */
static void test_no_bus(void **state)
{
	struct tree tree;
	struct pci_functions found = { 0 };
	struct err err = { 0 };

	(void)state;
	tree_make(&tree);
	assert_int_equal(host_pci_functions(&tree.root, "00:00", &found, &err), -ENODEV);
	assert_non_null(strstr(err.why, "no PCI bus"));
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_malformed_number),
		cmocka_unit_test(test_no_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
