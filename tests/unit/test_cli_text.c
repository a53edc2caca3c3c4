/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small writers, and the shape of a failure. */
#include "cli/run_text.h"
#include "cli/text.h"
#include "base/cleanup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_clean(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "plain, \xc3\xa9\xe2\x82\xac", "plain, \xc3\xa9\xe2\x82\xac" },
		{ "\x1b[31mred\r\n\t\x7f", "?[31mred????" },
		{ "\xc2\x9b"
		  "2J\xc2\xa0",
			"??2J\xc2\xa0" },
		{ "cut \xc2", "cut \xc2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf text AUTO_STRBUF = { 0 };

		strbuf_add(&text, "\n");
		text_add_clean(&text, cases[i][0]);
		assert_int_equal(text.text[0], '\n');
		assert_string_equal(text.text + 1, cases[i][1]);
	}
}

static void test_clean_json(void **state)
{
	json_t *foreign = json_loads(
		"{\"a\": [\"x\\u0007\", {\"b\": \"\\u001b\"}, 1, 1.5, true, null], \"c\": \"d\"}",
		0, NULL);
	json_t *want = json_loads(
		"{\"a\": [\"x?\", {\"b\": \"?\"}, 1, 1.5, true, null], \"c\": \"d\"}", 0, NULL);
	json_t *clean = text_clean_json(foreign);

	(void)state;
	assert_true(json_equal(clean, want));
	assert_null(text_clean_json(NULL));
	json_decref(foreign);
	json_decref(want);
	json_decref(clean);
}

static void test_numbers(void **state)
{
	static const struct {
		void (*add)(struct strbuf *buf, double value);
		double value;
		const char *text;
	} cases[] = {
		{ text_add_duration, 0, "0 s" },
		{ text_add_duration, 59.9, "59 s" },
		{ text_add_duration, 60, "1 min" },
		{ text_add_duration, 7500, "2 h 5 min" },
		{ text_add_duration, 273600, "3 d 4 h" },
		{ text_add_duration, -5, "0 s" },
		{ text_add_duration, 1e300, "11574074 d 1 h" },
		{ text_add_wait, 0, "0.0 ms" },
		{ text_add_wait, 0.00002, "0.02 ms" },
		{ text_add_wait, 0.0002, "0.2 ms" },
		{ text_add_wait, 1.5, "1500.0 ms" },
		{ text_add_wait, 12, "12.0 s" },
		{ text_add_wait, 1e300, "1000000000.0 s" },
		{ text_add_share, 0, "0.00 %" },
		{ text_add_share, 0.003, "0.30 %" },
		{ text_add_share, 1, "100.00 %" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf text AUTO_STRBUF = { 0 };

		cases[i].add(&text, cases[i].value);
		assert_string_equal(text.text, cases[i].text);
	}
}

static void test_clock(void **state)
{
	static const struct {
		double when, now;
		const char *text;
	} cases[] = {
		{ 50520, 50530, "14:02" },
		{ 50520, 50520 + 86400, "1970-01-01 14:02" },
		{ -1e300, 50520, "1970-01-01 00:00" },
		{ 1e300, 50520, "9999-12-31 23:59" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf text AUTO_STRBUF = { 0 };

		text_add_clock(&text, cases[i].when, cases[i].now);
		assert_string_equal(text.text, cases[i].text);
	}
}

static void test_table(void **state)
{
	static const char *const cells[] = { "A", "NUMBER", "", "b\xc3\xa9", "1", "note", "cc",
		"" };
	struct text_table table = { .columns = 3, .right = 1 << 1 };
	struct strbuf text AUTO_STRBUF = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		text_table_add(&table, cells[i]);
	text_table_write(&table, &text);
	assert_string_equal(text.text, "A    NUMBER\n"
				       "b\xc3\xa9        1   note\n"
				       "cc\n");
	text_table_free(&table);
}

static const struct {
	struct api_run_result result;
	const char *text;
} run_cases[] = {
	{ { .name = "mediapc",
		  .status = 1,
		  .changed = 14,
		  .given_back = 14,
		  .log_dir = "/run/vfio-sup",
		  .err = { .text = "QEMU ended before it was ready",
			  .said = "failed to find romfile \"/root/gpu.rom\"",
			  .why = "QEMU runs as vfio-sup-qemu; /root is 0700 root",
			  .fix = "install it elsewhere" } },
		"mediapc did not start; the host is as before (14 of 14 given back).\n"
		"  what       QEMU ended before it was ready\n"
		"  QEMU said  failed to find romfile \"/root/gpu.rom\"\n"
		"  why        QEMU runs as vfio-sup-qemu; /root is 0700 root\n"
		"  fix        install it elsewhere\n"
		"  more       vfio-sup log mediapc\n" },
	{ { .name = "a", .status = 1, .changed = 3, .given_back = 1, .err = { .text = "no\x1b" } },
		"a did not start; 1 of 3 changes of the host were given back; for the others: "
		"vfio-sup restore\n"
		"  why        no?\n" },
	{ { .name = "a", .status = 1, .err = { .text = "a.conf:2: no", .why = "because" } },
		"vfio-sup: a.conf:2: no\n  why        because\n" },
	{ { .status = 5, .err = { .text = "held by pid 7", .fix = "ask it" } },
		"vfio-sup: held by pid 7\n  fix        ask it\n" },
	{ { .name = "a",
		  .status = 1,
		  .ran = true,
		  .log_dir = "/tmp/run",
		  .changed = 3,
		  .given_back = 3,
		  .err = { .text = "QEMU crashed" } },
		"a: QEMU crashed\n"
		"  more       vfio-sup log a --run-dir /tmp/run\n" },
};

static void test_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(run_cases); i++) {
		struct strbuf text AUTO_STRBUF = { 0 };

		run_text(&run_cases[i].result, &text);
		assert_string_equal(text.text, run_cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_clean_json),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_run),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
