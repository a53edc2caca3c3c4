/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void parse(const char *text, struct spec *spec)
{
	struct err err = { 0 };

	if (config_parse_vm("vm.conf", text, strlen(text), spec, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_args(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		const char *words; /* each ended by | */
	} rows[] = {
		{ "args = \"\";", "" },
		{ "args = \"  -a\tb\\n c \";", "-a|b|c|" },
		{ "args = \"'a b'c \\\"d e\\\"\";", "a bc|d e|" },
		{ "args = \"a\\\\ b \\\\'c\";", "a b|'c|" },
		{ "args = \"\\\"\\\\$x \\\\a\\\" $HOME * ~\";", "$x \\a|$HOME|*|~|" },
		{ "args = \"'' x\";", "|x|" },
		{ "args = \"a\\\\\\nb\";", "ab|" },
		{ "args = ( \"a b\", \"\", \"c\" );", "a b||c|" },
		{ "args = [ \"-x\" ];", "-x|" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strbuf words AUTO_STRBUF = { 0 };
		struct spec spec;

		parse(rows[i].config, &spec);
		strbuf_add(&words, "");
		for (size_t j = 0; j < spec.args.count; j++)
			strbuf_addf(&words, "%s|", spec.args.items[j]);
		spec_free(&spec);
		assert_string_equal(words.text, rows[i].words);
	}
}

static void test_smp(void **state)
{
	(void)state;
	static const struct {
		const char *smp;
		unsigned vcpus, maxcpus;
	} rows[] = {
		{ "1", 1, 1 },
		{ "cpus=3", 3, 3 },
		{ "4,cores=2", 4, 4 },
		{ "2,maxcpus=8", 2, 8 },
		{ "maxcpus=6", 6, 6 },
		{ "sockets=2,cores=2,threads=2", 8, 8 },
		{ "cores=4", 4, 4 },
		{ "2,sockets=2,cores=2,threads=1", 2, 4 },
		{ "cpus=2,maxcpus=4,sockets=1,dies=2,cores=2,threads=1", 2, 4 },
		{ "255", 255, 255 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];
		struct spec spec;

		snprintf(text, sizeof(text), "smp = \"%s\";", rows[i].smp);
		parse(text, &spec);
		assert_string_equal(spec.smp, rows[i].smp);
		assert_int_equal(spec.vcpus, rows[i].vcpus);
		assert_int_equal(spec.maxcpus, rows[i].maxcpus);
		spec_free(&spec);
	}
}

static void test_lock(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		bool lock, vfio;
	} rows[] = {
		{ "devices = ( { driver = \"virtio-net-pci\"; } );", false, false },
		{ "devices = ( { driver = \"x\"; }, { driver = \"vfio-pci\"; } );", true, true },
		{ "devices = ( { driver = \"vfio-pci\"; } ); memory = { lock = false; };", false,
			true },
		{ "memory = { lock = true; };", true, false },
		{ "args = \"-device vfio-pci,host=01:00.0\";", false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spec spec;

		parse(rows[i].config, &spec);
		assert_int_equal(spec.memory.lock, rows[i].lock);
		assert_int_equal(spec.vfio, rows[i].vfio);
		spec_free(&spec);
	}
}

/* The last line needs no newline, whatever it is. */
static void test_last_line(void **state)
{
	(void)state;
	static const char *const rows[] = { "", "smp = \"2\"", "smp = \"2\";# c",
		"smp = \"2\" // c", "#", "//", "/* c */", "memory = { }" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spec spec;

		parse(rows[i], &spec);
		assert_string_equal(spec.text, rows[i]);
		spec_free(&spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_smp),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_last_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
