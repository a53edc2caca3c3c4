/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/launch_fixture.h"

static const struct {
	const char *from, *to;
} values_cases[] = {
	{ "\"discard\":\"on\"", "\"discard\":true" },
	{ "\"discard\":\"yes\"", "\"discard\":true" },
	{ "\"discard\":\"true\"", "\"discard\":true" },
	{ "\"discard\":\"off\"", "\"discard\":false" },
	{ "\"discard\":\"no\"", "\"discard\":false" },
	{ "\"discard\":\"false\"", "\"discard\":false" },
	{ "\"discard\":true", "\"discard\":true" },
	{ "\"bootindex\":1", "\"bootindex\":1" },
	{ "\"bootindex\":\"1\"", "\"bootindex\":1" },
	{ "\"bootindex\":\"0x10\"", "\"bootindex\":16" },
	{ "\"bootindex\":\"-1\"", "\"bootindex\":-1" },
	{ "\"bootindex\":\"0x7fffffffffffffff\"", "\"bootindex\":9223372036854775807" },
	{ "\"logical_block_size\":4096", "\"logical_block_size\":4096" },
	{ "\"logical_block_size\":\"4K\"", "\"logical_block_size\":4096" },
	{ "\"logical_block_size\":\"4k\"", "\"logical_block_size\":4096" },
	{ "\"logical_block_size\":\"512\"", "\"logical_block_size\":512" },
	{ "\"logical_block_size\":\"512b\"", "\"logical_block_size\":512" },
	{ "\"logical_block_size\":\"0x200\"", "\"logical_block_size\":512" },
	{ "\"logical_block_size\":\"1M\"", "\"logical_block_size\":1048576" },
	{ "\"logical_block_size\":\"3G\"", "\"logical_block_size\":3221225472" },
	{ "\"logical_block_size\":\"2T\"", "\"logical_block_size\":2199023255552" },
	{ "\"logical_block_size\":\"1P\"", "\"logical_block_size\":1125899906842624" },
	{ "\"logical_block_size\":\"1E\"", "\"logical_block_size\":1152921504606846976" },
	{ "\"serial\":\"0012\"", "\"serial\":\"0012\"" },
	{ "\"serial\":12", "\"serial\":\"12\"" },
	{ "\"serial\":true", "\"serial\":\"on\"" },
	{ "\"serial\":\"a,b\\\"c%\"", "\"serial\":\"a,b\\\"c%\"" },
	{ "\"write-cache\":true", "\"write-cache\":\"on\"" },
	{ "\"write-cache\":false", "\"write-cache\":\"off\"" },
	{ "\"write-cache\":\"auto\"", "\"write-cache\":\"auto\"" },
	{ "\"x-speed\":16", "\"x-speed\":\"16\"" },
	{ "\"addr\":\"10\"", "\"addr\":\"10\"" },
	{ "\"addr\":\"1f.2\"", "\"addr\":\"1f.2\"" },
	{ "\"id\":\"disk0\",\"bus\":\"pcie.0\"", "\"id\":\"disk0\",\"bus\":\"pcie.0\"" },
};

static void test_values(void **state)
{
	(void)state;
	/* What stands in the file for one property of virtio-blk-pci, and what QEMU gets. */

	for (size_t i = 0; i < ARRAY_SIZE(values_cases); i++) {
		char from[256], to[256];
		struct strlist argv = { 0 };
		struct err err;

		snprintf(from, sizeof(from), DRIVE_ON ",%s}", values_cases[i].from);
		snprintf(to, sizeof(to), DRIVE_ON ",%s}", values_cases[i].to);
		struct wish wish = { .groups = { { SPEC_DEVICES, from }, DRIVE } };
		if (argv_of(&wish, &argv, NULL, &err) < 0)
			fail_msg("%s: %s", from, err.text);
		assert_string_equal(argv.items[argv.count - 1], to);
		strlist_free(&argv);
		wish.no_props = true;
		assert_int_equal(argv_of(&wish, &argv, NULL, &err), 0);
		assert_string_equal(argv.items[argv.count - 1], from);
		strlist_free(&argv);
	}
}

static const struct {
	const char *from, *text;
} refused_values_cases[] = {
	{ "\"discard\":\"maybe\"", "discard wants true or false, not \"maybe\"" },
	{ "\"discard\":1", "discard wants true or false, not 1" },
	{ "\"discard\":\"On\"", "discard wants true or false, not \"On\"" },
	{ "\"bootindex\":\"first\"", "bootindex wants a number, not \"first\"" },
	{ "\"bootindex\":\"\"", "bootindex wants a number, not \"\"" },
	{ "\"bootindex\":\"--1\"", "bootindex wants a number, not \"--1\"" },
	{ "\"bootindex\":\"1 \"", "bootindex wants a number, not \"1 \"" },
	{ "\"bootindex\":\"4K\"", "bootindex wants a number, not \"4K\"" },
	{ "\"bootindex\":true", "bootindex wants a number, not true" },
	{ "\"bootindex\":1.5", "bootindex wants a number, not 1.5" },
	{ "\"bootindex\":[1]", "bootindex wants a number, not a list" },
	{ "\"bootindex\":{\"a\":1}", "bootindex wants a number, not a group" },
	{ "\"bootindex\":\"0x8000000000000000\"",
		"bootindex wants a number below 2^63, not \"0x8000000000000000\"" },
	{ "\"logical_block_size\":\"4Q\"", "logical_block_size wants a size, not \"4Q\"" },
	{ "\"logical_block_size\":\"4KB\"", "logical_block_size wants a size, not \"4KB\"" },
	{ "\"logical_block_size\":\"K\"", "logical_block_size wants a size, not \"K\"" },
	{ "\"logical_block_size\":\"99E\"",
		"logical_block_size wants a number below 2^63, not \"99E\"" },
	{ "\"logical_block_size\":\"8E\"",
		"logical_block_size wants a number below 2^63, not \"8E\"" },
	{ "\"serial\":1.5", "serial wants text, not 1.5" },
	{ "\"serial\":[]", "serial wants text, not a list" },
	{ "\"addr\":10", "addr must be text in double quotes" },
	{ "\"id\":5", "id must be text in double quotes" },
	{ "\"bus\":0", "bus must be text in double quotes" },
};

static void test_refused_values(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(refused_values_cases); i++) {
		char from[256], text[256];
		struct strlist argv = { 0 };
		struct err err;

		snprintf(from, sizeof(from), DRIVE_ON ",%s}", refused_values_cases[i].from);
		snprintf(text, sizeof(text), "media.conf:10: devices: virtio-blk-pci.%s",
			refused_values_cases[i].text);
		if (strncmp(refused_values_cases[i].from, "\"id\"", 4) == 0)
			snprintf(text, sizeof(text), "media.conf:10: devices: %s",
				refused_values_cases[i].text);
		struct wish wish = { .groups = { { SPEC_DEVICES, from }, DRIVE } };
		if (argv_of(&wish, &argv, NULL, &err) != -EINVAL)
			fail_msg("accepted: %s", from);
		assert_string_equal(err.text, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
