/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/launch_fixture.h"

static const struct {
	struct wish wish;
	const char *line; /* the -device part */
} vfio_cases[] = {
	{ { .groups = { { SPEC_DEVICES, VFIO "\"host\":\"00:14.0\"}" } } },
		VFIO "\"host\":\"0000:00:14.0\"}" },
	{ { .groups = { { SPEC_DEVICES,
		    VFIO "\"host\":\"0000:00:14.0\",\"expect\":\"8086:31A8\"}" } } },
		VFIO "\"host\":\"0000:00:14.0\"}" },
	{ { .groups = { { SPEC_DEVICES, VFIO "\"host\":\"0000:3C:1f.7\"}" } } },
		VFIO "\"host\":\"0000:3c:1f.7\"}" },
	{ { .groups = { { SPEC_DEVICES,
		    VFIO "\"host\":\"01:00\",\"expect\":\"10de:1b81\",\"x-vga\":"
			 "\"on\",\"x-pci-vendor-id\":\"0x10de\",\"romfile\":\"/r,"
			 "x\"}" } } },
		"{\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp1\",\"chassis\":1} "
		"-device " VFIO "\"host\":\"0000:01:00.0\",\"x-vga\":true,\"x-pci-vendor-id\":4318,"
		"\"romfile\":\"/r,x\",\"bus\":\"vfio-sup-rp1\",\"addr\":\"00.0\","
		"\"multifunction\":true} -device " VFIO
		"\"host\":\"0000:01:00.1\",\"bus\":\"vfio-sup-rp1\",\"addr\":\"00.1\"}" },
	/* a slot with one function; ids and chassis that are taken */
	{ { .groups = { { SPEC_DEVICES, VFIO "\"host\":\"0000:00:14\"}" },
		    { SPEC_DEVICES, "{\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp1\","
				    "\"chassis\":1}" } },
		  .no_props = true },
		"{\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp2\",\"chassis\":2} "
		"-device " VFIO
		"\"host\":\"0000:00:14.0\",\"bus\":\"vfio-sup-rp2\",\"addr\":\"00.0\"} "
		"-device {\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp1\","
		"\"chassis\":1}" },
	{ { .groups = { { SPEC_DEVICES, VFIO "\"host\":\"01:00\"}" },
		    { SPEC_DEVICES, VFIO "\"host\":\"00:14\"}" } } },
		"{\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp1\",\"chassis\":1} "
		"-device " VFIO
		"\"host\":\"0000:01:00.0\",\"bus\":\"vfio-sup-rp1\",\"addr\":\"00.0\","
		"\"multifunction\":true} -device " VFIO
		"\"host\":\"0000:01:00.1\",\"bus\":\"vfio-sup-rp1\",\"addr\":\"00.1\"} "
		"-device "
		"{\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp2\",\"chassis\":2} "
		"-device " VFIO
		"\"host\":\"0000:00:14.0\",\"bus\":\"vfio-sup-rp2\",\"addr\":\"00.0\"}" },
	/* the first function there is not function 0 */
	{ { .groups = { { SPEC_DEVICES, VFIO "\"host\":\"00:1f\"}" } } },
		"{\"driver\":\"pcie-root-port\",\"id\":\"vfio-sup-rp1\",\"chassis\":1} "
		"-device " VFIO
		"\"host\":\"0000:00:1f.3\",\"bus\":\"vfio-sup-rp1\",\"addr\":\"00.0\"}" },
	/* a bus that the file names */
	{ { .groups = { { SPEC_DEVICES,
		    VFIO "\"host\":\"01:00\",\"bus\":\"pcie.0\",\"addr\":\"05\"}" } } },
		VFIO "\"host\":\"0000:01:00.0\",\"bus\":\"pcie.0\",\"addr\":\"05.0\","
		     "\"multifunction\":true} -device " VFIO
		     "\"host\":\"0000:01:00.1\",\"bus\":\"pcie.0\",\"addr\":\"05.1\"}" },
};

static void test_vfio(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(vfio_cases); i++) {
		struct strlist argv = { 0 };
		struct err err;

		if (argv_of(&vfio_cases[i].wish, &argv, NULL, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		AUTO_FREE char *line = joined(&argv, 0);
		assert_string_equal(strstr(line, " -device ") + 9, vfio_cases[i].line);
		/* Without a word on it, memory is locked: VFIO pins it all anyway. */
		assert_non_null(strstr(line, "-overcommit mem-lock=on"));
		strlist_free(&argv);
	}
}

static void test_vfio_unlocked(void **state)
{
	(void)state;
	const struct wish wish = {
		.groups = { { SPEC_DEVICES, VFIO "\"host\":\"00:14.0\"}" } },
		.no_lock = true,
	};
	struct strlist argv = { 0 };

	assert_int_equal(argv_of(&wish, &argv, NULL, NULL), 0);
	AUTO_FREE char *line = joined(&argv, 0);
	assert_null(strstr(line, "mem-lock"));
	strlist_free(&argv);
}

static const struct {
	const char *json, *machine, *text, *fix;
} refused_vfio_cases[] = {
	{ VFIO "\"x-vga\":true}", NULL, "media.conf:10: devices: vfio-pci without host = \"...\"",
		NULL },
	{ VFIO "\"host\":100}", NULL, "media.conf:10: devices: host = \"100\" is no PCI address",
		NULL },
	{ VFIO "\"host\":\"1:0\"}", NULL,
		"media.conf:10: devices: host = \"1:0\" is no PCI address", NULL },
	{ VFIO "\"host\":\"\"}", NULL, "media.conf:10: devices: host = \"\" is no PCI address",
		NULL },
	{ VFIO "\"host\":\"01:20.0\"}", NULL,
		"media.conf:10: devices: host = \"01:20.0\" is no PCI address", NULL },
	{ VFIO "\"host\":\"01:00.8\"}", NULL,
		"media.conf:10: devices: host = \"01:00.8\" is no PCI address", NULL },
	{ VFIO "\"host\":\"01:00.\"}", NULL,
		"media.conf:10: devices: host = \"01:00.\" is no PCI address", NULL },
	{ VFIO "\"host\":\"01:00.0,x-vga=on\"}", NULL,
		"media.conf:10: devices: host = \"01:00.0,x-vga=on\" is no PCI address", NULL },
	{ VFIO "\"host\":\"02:00\"}", NULL,
		"media.conf:10: devices: there is no PCI device at 02:00",
		"`lspci` shows what is where; a new card can shift the addresses" },
	{ VFIO "\"host\":\"01:00.5\",\"expect\":\"10de:1b81\"}", NULL,
		"media.conf:10: devices: there is no PCI device at 01:00.5",
		"`lspci` shows what is where; a new card can shift the addresses" },
	{ VFIO "\"host\":\"01:00\",\"expect\":\"10de:1c03\"}", NULL,
		"media.conf:10: devices: at 0000:01:00.0 is 10de:1b81, not the expected "
		"10de:1c03",
		"correct host, or expect = \"10de:1b81\";" },
	{ VFIO "\"host\":\"00:14.0\",\"expect\":\"8086:0000\"}", NULL,
		"media.conf:10: devices: at 0000:00:14.0 is 8086:31a8, not the expected "
		"8086:0000",
		"correct host, or expect = \"8086:31a8\";" },
	{ VFIO "\"host\":\"01:00\",\"expect\":\"10de\"}", NULL,
		"media.conf:10: devices: expect = \"10de\" is no vendor:device",
		"as `lspci -n` shows it, \"10de:1b81\"" },
	{ VFIO "\"host\":\"01:00\",\"expect\":5}", NULL,
		"media.conf:10: devices: expect must be text in double quotes", "" },
	{ VFIO "\"host\":\"01:00\",\"addr\":\"05\"}", NULL,
		"media.conf:10: devices: addr = \"05\" for all functions of a slot", NULL },
	{ VFIO "\"host\":\"01:00\",\"addr\":\"05.0\",\"bus\":\"pcie.0\"}", NULL,
		"media.conf:10: devices: addr = \"05.0\" for all functions of a slot", NULL },
	{ VFIO "\"host\":\"01:00\"}", "pc",
		"media.conf:10: devices: all functions of a slot need a PCIe root port, "
		"which machine \"pc\" has not",
		"machine = \"q35\"; or one group for each function" },
	{ VFIO "\"host\":\"01:00\"}", "pc-i440fx-7.2,vmport=off",
		"media.conf:10: devices: all functions of a slot need a PCIe root port, "
		"which machine \"pc-i440fx-7.2,vmport=off\" has not",
		"machine = \"q35\"; or one group for each function" },
};

static void test_refused_vfio(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(refused_vfio_cases); i++) {
		struct wish wish = { .groups = { { SPEC_DEVICES, refused_vfio_cases[i].json } },
			.machine = refused_vfio_cases[i].machine };
		struct strlist argv = { 0 };
		struct err err = { 0 };

		if (argv_of(&wish, &argv, NULL, &err) != -EINVAL)
			fail_msg("accepted: %s", refused_vfio_cases[i].json);
		assert_string_equal(err.text, refused_vfio_cases[i].text);
		if (refused_vfio_cases[i].fix)
			assert_string_equal(err.fix, refused_vfio_cases[i].fix);
		else
			assert_true(err.fix[0]);
	}
}

static void test_pci_addresses(void **state)
{
	(void)state;
	const struct wish wish = { .groups = {
					   { SPEC_DEVICES, VFIO "\"host\":\"01:00\"}" },
					   { SPEC_DEVICES, VFIO "\"host\":\"nonsense\"}" },
					   { SPEC_DEVICES,
						   "{\"driver\":\"x\",\"host\":\"02:00\"}" },
					   { SPEC_DEVICES, VFIO "\"host\":\"0000:00:14.0\"}" },
					   { SPEC_DEVICES, "not json" },
				   } };
	struct strlist addresses = { 0 };
	struct spec spec;

	make_spec(&wish, &spec);
	assert_int_equal(launch_pci_addresses(&spec, &addresses), 0);
	assert_int_equal(addresses.count, 2);
	assert_string_equal(addresses.items[0], "01:00");
	assert_string_equal(addresses.items[1], "0000:00:14.0");
	strlist_free(&addresses);
	spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vfio),
		cmocka_unit_test(test_vfio_unlocked),
		cmocka_unit_test(test_refused_vfio),
		cmocka_unit_test(test_pci_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
