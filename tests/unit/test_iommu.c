/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `iommu` makes of the groups: order, viability, text and JSON. No libpci, no files. */
#include "cli/iommu_text.h"
#include "base/cleanup.h"
#include "plan/iommu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct iommu of(struct iommu_device *items, size_t count)
{
	return (struct iommu){ .items = items, .count = count };
}

static void test_order(void **state)
{
	struct iommu_device items[] = {
		{ .group = 10,
			.address = "0000:00:1f.0",
			.pci = true,
			.function = { .device = 0x1f } },
		{ .group = 2, .address = "AMDI0010:00" },
		{ .group = 2,
			.address = "10000:e1:00.0",
			.pci = true,
			.function = { .domain = 0x10000 } },
		{ .group = 2, .address = "0001:00:00.0", .pci = true, .function = { .domain = 1 } },
		{ .group = 2, .address = "0000:0a:00.0", .pci = true, .function = { .bus = 10 } },
		{ .group = 2,
			.address = "0000:09:00.1",
			.pci = true,
			.function = { 0, 9, 0, 1, 0, 0 } },
		{ .group = 2,
			.address = "0000:09:00.0",
			.pci = true,
			.function = { 0, 9, 0, 0, 0, 0 } },
		{ .group = 0, .address = "0000:ff:1f.7", .pci = true, .function = { .bus = 0xff } },
	};
	const char *const sorted[] = { "0000:ff:1f.7", "0000:09:00.0", "0000:09:00.1",
		"0000:0a:00.0", "0001:00:00.0", "10000:e1:00.0", "AMDI0010:00", "0000:00:1f.0" };
	struct iommu iommu = of(items, ARRAY_SIZE(items));

	(void)state;
	iommu_sort(&iommu);
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		assert_string_equal(items[i].address, sorted[i]);
	assert_int_equal(iommu_group_end(&iommu, 0), 1);
	assert_int_equal(iommu_group_end(&iommu, 1), 7);
	assert_int_equal(iommu_group_end(&iommu, 7), 8);
	iommu_sort(&(struct iommu){ 0 });
}

static const struct way_case {
	struct iommu_device device;
	const char *needed; /* NULL: not in the way */
} way_cases[] = {
	{ { .pci = true, .class_id = 0x0300 }, NULL },
	{ { .pci = true, .class_id = 0x0300, .driver = "vfio-pci" }, NULL },
	{ { .pci = true, .class_id = 0x0604, .driver = "pcieport" }, NULL },
	{ { .address = "0000:01:00.0", .pci = true, .class_id = 0x0300, .driver = "nouveau" },
		"bind 0000:01:00.0 to vfio-pci instead of nouveau" },
	{ { .address = "0000:00:1f.0", .pci = true, .class_id = 0x0601, .driver = "lpc_ich" },
		"bind 0000:00:1f.0 to vfio-pci instead of lpc_ich" },
	{ { .address = "0000:00:00.0", .pci = true, .class_id = 0x0600, .driver = "agpgart" },
		"bind 0000:00:00.0 to vfio-pci instead of agpgart" },
	{ { .address = "AMDI0010:00", .driver = "i2c_designware" },
		"unbind AMDI0010:00 from i2c_designware" },
	{ { .address = "AMDI0010:00" }, NULL },
};

static void test_in_the_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(way_cases); i++) {
		struct iommu_device device = way_cases[i].device;
		struct iommu iommu = of(&device, 1);
		struct strlist needed AUTO_STRLIST = { 0 };
		const char *wanted = way_cases[i].needed;

		assert_int_equal(iommu_in_the_way(&device), wanted != NULL);
		assert_int_equal(iommu_needed(&iommu, 0, 1, &needed), 0);
		assert_int_equal(needed.count, wanted ? 1 : 0);
		if (wanted)
			assert_string_equal(needed.items[0], wanted);
	}
}

static const struct missing_case {
	struct iommu iommu;
	const char *fix, *never;
} missing_cases[] = {
	{ { .sysfs = true, .cpu_vendor = "GenuineIntel" }, "intel_iommu=on", "iommu=pt" },
	{ { .sysfs = true, .cpu_vendor = "GenuineIntel", .intel_on = true }, "switch on VT-d",
		"boot" },
	{ { .sysfs = true, .cpu_vendor = "AuthenticAMD" }, "iommu=pt", "intel" },
	{ { .sysfs = true, .cpu_vendor = "HygonGenuine" }, "iommu=pt", "intel" },
	{ { .sysfs = true }, "intel_iommu=on (Intel)", "here" },
	{ { .cpu_vendor = "GenuineIntel" }, "", "intel" },
};

static void test_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(missing_cases); i++) {
		const struct missing_case *c = &missing_cases[i];
		struct err err = { 0 };

		assert_int_equal(iommu_missing(&c->iommu, &err), -ENODEV);
		assert_int_equal(err.code, ENODEV);
		assert_non_null(strstr(err.text, "no IOMMU"));
		assert_non_null(strstr(err.fix, c->fix));
		assert_null(strstr(err.fix, c->never));
	}
}

static struct iommu_device a_gpu(void)
{
	return (struct iommu_device){ .group = 1,
		.address = "0000:01:00.0",
		.driver = "nouveau",
		.pci = true,
		.function = { 0, 1, 0, 0, 0x10de, 0x1b81 },
		.class_id = 0x0300,
		.revision = 0xa1,
		.class_name = "VGA compatible controller",
		.vendor_name = "NVIDIA Corporation",
		.device_name = "GP104 [GeForce GTX 1070]",
		.reset_methods = "flr bus",
		.power_state = "D0" };
}

static void check_line(const struct iommu_device *device, bool domains, const char *wanted)
{
	struct iommu_device copy = *device;
	struct iommu iommu = of(&copy, 1);
	struct strbuf text AUTO_STRBUF = { 0 };

	iommu.domains = domains;
	iommu_text(&iommu, &text);
	assert_string_equal(text.text, wanted);
}

/* Each as lspci -nn writes it. */
static void test_text(void **state)
{
	struct iommu_device device = a_gpu();

	(void)state;
	check_line(&device, false,
		"IOMMU Group 1 01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GP104 "
		"[GeForce GTX 1070] [10de:1b81] (rev a1)\n");
	device.revision = 0;
	check_line(&device, true,
		"IOMMU Group 1 0000:01:00.0 VGA compatible controller [0300]: NVIDIA Corporation "
		"GP104 [GeForce GTX 1070] [10de:1b81]\n");
	device.revision = 1;
	device.device_name[0] = '\0';
	check_line(&device, false,
		"IOMMU Group 1 01:00.0 VGA compatible controller [0300]: NVIDIA Corporation Device "
		"[10de:1b81] (rev 01)\n");
	device.vendor_name[0] = device.class_name[0] = '\0';
	check_line(&device, false,
		"IOMMU Group 1 01:00.0 Class [0300]: Device [10de:1b81] (rev 01)\n");
	strcpy(device.class_name, "a\nb\x1b");
	check_line(
		&device, false, "IOMMU Group 1 01:00.0 a?b? [0300]: Device [10de:1b81] (rev 01)\n");
	device = (struct iommu_device){ .group = 70, .address = "AMDI0010:00" };
	check_line(&device, false, "IOMMU Group 70 AMDI0010:00: no PCI device\n");
}

static void test_json(void **state)
{
	struct iommu_device items[] = { a_gpu(), { .group = 12, .address = "AMDI0010:00" } };
	struct iommu iommu = of(items, 2);
	json_t *json = iommu_json(&iommu);
	json_t *wanted = json_loads(
		"{\"groups\": ["
		"{\"number\": 1, \"viable\": false,"
		" \"needed\": [\"bind 0000:01:00.0 to vfio-pci instead of nouveau\"],"
		" \"devices\": [{\"address\": \"0000:01:00.0\","
		" \"class\": \"VGA compatible controller\", \"class_id\": \"0300\","
		" \"vendor\": \"NVIDIA Corporation\", \"vendor_id\": \"10de\","
		" \"device\": \"GP104 [GeForce GTX 1070]\", \"device_id\": \"1b81\","
		" \"revision\": \"a1\", \"driver\": \"nouveau\","
		" \"reset_methods\": [\"flr\", \"bus\"], \"power_state\": \"D0\"}]},"
		"{\"number\": 12, \"viable\": true, \"needed\": [],"
		" \"devices\": [{\"address\": \"AMDI0010:00\", \"class\": null,"
		" \"class_id\": null, \"vendor\": null, \"vendor_id\": null, \"device\": null,"
		" \"device_id\": null, \"revision\": null, \"driver\": null,"
		" \"reset_methods\": [], \"power_state\": null}]}]}",
		0, NULL);

	(void)state;
	assert_non_null(wanted);
	assert_true(json_equal(json, wanted));
	json_decref(json);
	json_decref(wanted);
}

/* A copied tree may hold anything. */
static void test_json_of_bytes(void **state)
{
	struct iommu_device device = a_gpu();
	struct iommu iommu = of(&device, 1);

	(void)state;
	strcpy(device.driver, "n\xff");
	strcpy(device.reset_methods, " \xff  bus\n");
	json_t *json = iommu_json(&iommu);
	char *dump AUTO_FREE = json_dumps(json, JSON_COMPACT);

	assert_non_null(dump);
	assert_non_null(strstr(dump, "\"driver\":\"n?\""));
	assert_non_null(strstr(dump, "\"reset_methods\":[\"bus\"]"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
