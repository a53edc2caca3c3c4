/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/launch_fixture.h"

static const struct {
	struct wish wish;
	const char *option, *word; /* the last word that begins with `option` */
} groups_cases[] = {
	/* nested drivers, structs without one, lists */
	{ { .groups = { { SPEC_BLOCKDEVS,
				"{\"node-name\":\"d\",\"driver\":\"raw\",\"offset\":\"1M\","
				"\"cache\":{\"direct\":\"on\"},\"file\":{\"driver\":"
				"\"file\","
				"\"filename\":\"/a,b'c%d e\",\"read-only\":\"off\"}}" },
		    ON_DRIVE } },
		"{\"node-name\"",
		"{\"node-name\":\"d\",\"driver\":\"raw\",\"offset\":1048576,\"cache\":{"
		"\"direct\":true},\"file\":{\"driver\":\"file\",\"filename\":\"/a,b'c%d "
		"e\",\"read-only\":false}}" },
	{ { .groups = { { SPEC_BLOCKDEVS, "{\"node-name\":\"d\",\"driver\":\"quorum\","
					  "\"vote-threshold\":"
					  "\"1\",\"children\":[{\"driver\":\"null-co\","
					  "\"size\":\"1M\"},"
					  "\"e\"]}" },
		    { SPEC_BLOCKDEVS,
			    "{\"node-name\":\"e\",\"driver\":\"raw\",\"file\":{\"driver\":"
			    "\"null-co\"}}" },
		    ON_DRIVE } },
		"{\"node-name\":\"d\"",
		"{\"node-name\":\"d\",\"driver\":\"quorum\",\"vote-threshold\":1,"
		"\"children\":[{\"driver\":\"null-co\",\"size\":1048576},\"e\"]}" },
	{ { .groups = { { SPEC_BLOCKDEVS, "{\"node-name\":\"d\",\"driver\":\"raw\","
					  "\"file\":{\"filename\":"
					  "5,\"x\":{\"y\":1}}}" },
		    ON_DRIVE } },
		"{\"node-name\"",
		"{\"node-name\":\"d\",\"driver\":\"raw\",\"file\":{\"filename\":5,\"x\":{"
		"\"y\":1}}}" },
	{ { .groups = { { SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"user\",\"restrict\":\"on\","
					"\"hostfwd\":[{\"str\":\"tcp::2222-:22\"}]}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" } } },
		"{\"id\"",
		"{\"id\":\"n\",\"type\":\"user\",\"restrict\":true,\"hostfwd\":[{\"str\":"
		"\"tcp::2222-:22\"}]}" },
	{ { .groups = { { SPEC_OBJECTS,
		    "{\"id\":\"m\",\"qom-type\":\"memory-backend-ram\",\"size\":"
		    "\"64M\",\"share\":\"on\"}" } } },
		"{\"id\"",
		"{\"id\":\"m\",\"qom-type\":\"memory-backend-ram\",\"size\":67108864,"
		"\"share\":true}" },
	{ { .groups = { { SPEC_DEVICES, "{\"driver\":\"pc-dimm\",\"memdev\":\"m\",\"addr\":"
					"\"0x100000000\"}" } } },
		"{\"driver\"", "{\"driver\":\"pc-dimm\",\"memdev\":\"m\",\"addr\":4294967296}" },
	/* taps run no scripts */
	{ { .groups = { { SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"tap\",\"ifname\":\"tap0\"}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" } } },
		"{\"id\"",
		"{\"id\":\"n\",\"type\":\"tap\",\"ifname\":\"tap0\",\"script\":\"no\","
		"\"downscript\":\"no\"}" },
};

static void test_groups(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(groups_cases); i++) {
		struct strlist argv = { 0 };
		struct err err;

		if (argv_of(&groups_cases[i].wish, &argv, NULL, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(last_with(&argv, groups_cases[i].option), groups_cases[i].word);
		strlist_free(&argv);
	}
}

static void test_order(void **state)
{
	(void)state;
	const struct wish wish = {
		.groups = { ON_DRIVE, { SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"user\"}" },
			{ SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" }, DRIVE,
			{ SPEC_OBJECTS, "{\"id\":\"o\",\"qom-type\":\"memory-backend-ram\"}" } },
		.args = { "-rtc", "base=utc" },
	};
	struct strlist argv = { 0 };

	assert_int_equal(argv_of(&wish, &argv, NULL, NULL), 0);
	AUTO_FREE char *line = joined(&argv, 0);
	assert_string_equal(strstr(line, " -object"),
		" -object {\"id\":\"o\",\"qom-type\":\"memory-backend-ram\"} -blockdev "
		"{\"node-name\":\"d\",\"driver\":\"null-co\"} -netdev "
		"{\"id\":\"n\",\"type\":\"user\"} "
		"-device {\"driver\":\"virtio-blk-pci\",\"drive\":\"d\"} -device "
		"{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"} -rtc base=utc");
	strlist_free(&argv);
}

static const struct {
	struct wish wish;
	const char *text, *fix;
} refused_groups_cases[] = {
	{ { .groups = { { SPEC_DEVICES, "{\"id\":\"x\"}" } } },
		"media.conf:10: devices: a group without driver = \"...\"", "" },
	{ { .groups = { { SPEC_DEVICES, "{\"driver\":5}" } } },
		"media.conf:10: devices: a group without driver = \"...\"", "" },
	{ { .groups = { { SPEC_BLOCKDEVS, "{\"driver\":\"raw\"}" } } },
		"media.conf:10: blockdevs: a group without node-name = \"...\"", "" },
	{ { .groups = { { SPEC_NETDEVS, "{\"id\":\"n\"}" } } },
		"media.conf:10: netdevs: a group without type = \"...\"", "" },
	{ { .groups = { { SPEC_OBJECTS, "{\"qom-type\":\"iothread\"}" } } },
		"media.conf:10: objects: a group without id = \"...\"", "" },
	{ { .groups = { { SPEC_OBJECTS, "{\"qom-type\":\"iothread\",\"id\":1}" } } },
		"media.conf:10: objects: id must be text in double quotes", "" },
	{ { .groups = { { SPEC_DEVICES, "[1]" } } }, "media.conf:10: devices: not a group: ", "" },
	{ { .groups = { { SPEC_DEVICES, "{\"driver\":\"virtio-blkpci\"}" } } },
		"media.conf:10: devices: /usr/bin/qemu-system-x86_64 7.2.22 has no device "
		"\"virtio-blkpci\"",
		"`/usr/bin/qemu-system-x86_64 -device help` lists what there is" },
	{ { .groups = { { SPEC_BLOCKDEVS, "{\"node-name\":\"d\",\"driver\":\"raw\","
					  "\"file\":{\"driver\":"
					  "\"hostdevice\"}}" },
		    ON_DRIVE } },
		"media.conf:10: blockdevs: /usr/bin/qemu-system-x86_64 7.2.22 has no "
		"block driver \"hostdevice\"",
		"see the names in qemu-system-x86_64(1)" },
	{ { .groups = { { SPEC_DEVICES, DRIVE_ON ",\"botindex\":1}" }, DRIVE } },
		"media.conf:10: devices: virtio-blk-pci has no property \"botindex\"",
		"did you mean \"bootindex\"?" },
	{ { .groups = { { SPEC_DEVICES, DRIVE_ON ",\"zzz\":1}" }, DRIVE } },
		"media.conf:10: devices: virtio-blk-pci has no property \"zzz\"",
		"`/usr/bin/qemu-system-x86_64 -device virtio-blk-pci,help` lists them" },
	{ { .groups = { DRIVE, ON_DRIVE,
		    { SPEC_BLOCKDEVS,
			    "{\"node-name\":\"e\",\"driver\":\"raw\",\"file\":{\"driver\":"
			    "\"file\",\"filenam\":\"x\"}}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-blk-pci\",\"drive\":\"e\"}" } } },
		"media.conf:30: blockdevs: file has no property \"filenam\"",
		"did you mean \"filename\"?" },
	{ { .groups = { { SPEC_DEVICES, DRIVE_ON ",\"nested\":{\"a\":1}}" }, DRIVE } },
		"media.conf:10: devices: virtio-blk-pci has no property \"nested\"",
		"`/usr/bin/qemu-system-x86_64 -device virtio-blk-pci,help` lists them" },
	/* programs that QEMU may not start */
	{ { .groups = { { SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"tap\",\"script\":\"/etc/up\"}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" } } },
		"media.conf:10: netdevs: script would have QEMU start a program", NULL },
	{ { .groups = { { SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"tap\",\"br\":\"br0\"}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" } },
		  .no_props = true },
		"media.conf:10: netdevs: br in a tap would have QEMU start a program", NULL },
	{ { .groups = { { SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"bridge\"}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" } },
		  .no_props = true },
		"media.conf:10: netdevs: type \"bridge\" would have QEMU start a program", NULL },
};

static void test_refused_groups(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(refused_groups_cases); i++) {
		struct strlist argv = { 0 }, warnings = { 0 };
		struct err err = { 0 };

		if (argv_of(&refused_groups_cases[i].wish, &argv, &warnings, &err) != -EINVAL)
			fail_msg("accepted: case %zu", i);
		assert_string_equal(err.text, refused_groups_cases[i].text);
		if (refused_groups_cases[i].fix)
			assert_string_equal(err.fix, refused_groups_cases[i].fix);
		else
			assert_true(err.fix[0]);
		assert_int_equal(argv.count + warnings.count, 0);
	}
}

#define IOTHREAD                                                                                   \
	{                                                                                          \
		SPEC_OBJECTS, "{\"id\":\"io\",\"qom-type\":\"iothread\"}"                          \
	}
#define NET                                                                                        \
	{                                                                                          \
		SPEC_NETDEVS, "{\"id\":\"n\",\"type\":\"user\"}"                                   \
	}

static const struct {
	struct wish wish;
	const char *text; /* NULL: accepted */
	const char *fix;
} orphans_cases[] = {
	{ { .groups = { DRIVE, ON_DRIVE } }, NULL, NULL },
	{ { .groups = { ON_DRIVE } }, "media.conf:10: devices: drive = \"d\" names no blockdev",
		"the file has no blockdev; add one of this name" },
	{ { .groups = { { SPEC_DEVICES, "{\"driver\":\"virtio-blk-pci\",\"drive\":\"x\"}" },
		    DRIVE } },
		"media.conf:10: devices: drive = \"x\" names no blockdev", "there is d" },
	{ { .groups = { DRIVE } }, "media.conf:10: no device uses the blockdev \"d\"",
		"say drive = \"d\"; in a device, or take it out" },
	{ { .groups = { DRIVE }, .machine = "q35,pflash0=d" }, NULL, NULL },
	{ { .groups = { DRIVE }, .machine = "q35,pflash0=dd,pflash1=d,x=y" }, NULL, NULL },
	{ { .groups = { DRIVE }, .machine = "q35,pflash0=dd" },
		"media.conf:10: no device uses the blockdev \"d\"",
		"say drive = \"d\"; in a device, or take it out" },
	{ { .groups = { { SPEC_BLOCKDEVS, "{\"node-name\":\"p\",\"driver\":\"null-co\"}" },
		    { SPEC_BLOCKDEVS, "{\"node-name\":\"d\",\"driver\":\"raw\",\"file\":\"p\"}" },
		    ON_DRIVE } },
		NULL, NULL },
	{ { .groups = { { SPEC_BLOCKDEVS,
				"{\"node-name\":\"d\",\"driver\":\"raw\",\"file\":\"q\"}" },
		    ON_DRIVE } },
		"media.conf:10: blockdevs: file = \"q\" names no blockdev", "there is d" },
	{ { .groups = { { SPEC_BLOCKDEVS, "{\"node-name\":\"d\",\"driver\":\"raw\","
					  "\"file\":{\"driver\":"
					  "\"null-co\",\"node-name\":\"inner\"}}" },
		    ON_DRIVE } },
		NULL, NULL },
	{ { .groups = { DRIVE, DRIVE, ON_DRIVE } },
		"media.conf:20: the name \"d\" is already line 10's", "give each its own" },
	{ { .groups = { DRIVE, { SPEC_DEVICES, DRIVE_ON ",\"id\":\"a\"}" },
		    { SPEC_DEVICES, "{\"driver\":\"virtio-blk-pci\",\"id\":\"a\"}" } } },
		"media.conf:30: devices: the id \"a\" is already line 20's", "" },
	{ { .groups = { NET } }, "media.conf:10: no device uses the netdev \"n\"",
		"say netdev = \"n\"; in a device, or take it out" },
	{ { .groups = { { SPEC_DEVICES, "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n\"}" } } },
		"media.conf:10: devices: netdev = \"n\" names no netdev",
		"the file has no netdev; add one of this name" },
	{ { .groups = { IOTHREAD } }, "media.conf:10: no device uses the iothread \"io\"",
		"say iothread = \"io\"; in a device, or take it out" },
	{ { .groups = { IOTHREAD, DRIVE, { SPEC_DEVICES, DRIVE_ON ",\"iothread\":\"io\"}" } } },
		NULL, NULL },
	{ { .groups = { IOTHREAD, DRIVE,
		    { SPEC_DEVICES,
			    DRIVE_ON ",\"iothread-vq-mapping\":[{\"iothread\":\"io\"}]}" } } },
		NULL, NULL },
	{ { .groups = { DRIVE, { SPEC_DEVICES, DRIVE_ON ",\"iothread\":\"io9\"}" },
		    { SPEC_OBJECTS, "{\"id\":\"io9\",\"qom-type\":\"memory-backend-ram\"}" } } },
		"media.conf:20: devices: iothread = \"io9\" names no iothread",
		"the file has no iothread; add one of this name" },
	{ { .groups = { { SPEC_OBJECTS, "{\"id\":\"m\",\"qom-type\":\"memory-backend-ram\"}" } } },
		NULL, NULL },
};

static void test_orphans(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(orphans_cases); i++) {
		struct strlist argv = { 0 }, warnings = { 0 };
		struct err err = { 0 };
		int r = argv_of(&orphans_cases[i].wish, &argv, &warnings, &err);

		assert_string_equal(err.text, orphans_cases[i].text ? orphans_cases[i].text : "");
		assert_int_equal(r, orphans_cases[i].text ? -EINVAL : 0);
		if (orphans_cases[i].text)
			assert_string_equal(err.fix, orphans_cases[i].fix);
		assert_int_equal(warnings.count, 0);
		strlist_free(&argv);
	}
}

static void test_orphans_with_args(void **state)
{
	(void)state;
	const struct wish wish = {
		.groups = { { SPEC_DEVICES, "{\"driver\":\"virtio-blk-pci\",\"drive\":\"x\"}" },
			DRIVE, NET, IOTHREAD },
		.args = { "-drive", "if=none,id=x" },
	};
	static const char *const words[] = {
		"media.conf:10: devices: drive = \"x\" names no blockdev (unless args do)",
		"media.conf:20: no device uses the blockdev \"d\" (unless args do)",
		"media.conf:30: no device uses the netdev \"n\" (unless args do)",
		"media.conf:40: no device uses the iothread \"io\" (unless args do)",
	};
	struct strlist argv = { 0 }, warnings = { 0 };

	assert_int_equal(argv_of(&wish, &argv, &warnings, NULL), 0);
	assert_int_equal(warnings.count, ARRAY_SIZE(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_string_equal(warnings.items[i], words[i]);
	strlist_free(&argv);
	strlist_free(&warnings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_refused_groups),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_orphans_with_args),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
