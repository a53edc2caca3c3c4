/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/scan.h"
#include "config/config.h"
#include "config/nearest.h"
#include "config/token.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int scan(const char *bytes, size_t length, struct err *err)
{
	struct conf_text text = { .path = "vm.conf", .bytes = bytes, .length = length };

	*err = (struct err){ 0 };
	return conf_scan(&text, err);
}

/* Bytes that a sample file with a comment on top cannot hold, or that no editor shows. */
static const struct {
	const char *bytes;
	size_t length;      /* 0: as strlen says */
	const char *expect; /* NULL: accepted */
} byte_rows[] = {
	{ "", 0, NULL },
	{ "\n\n", 0, NULL },
	{ "# only a comment", 0, NULL },
	{ "// only a comment", 0, NULL },
	{ "/**/", 0, NULL },
	{ "/***/ a = 1", 0, NULL },
	{ "a = \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x96\xa5\"", 0, NULL },
	{ "a = \"tab\there\"", 0, NULL },
	{ "a = 1\f;\r\n", 0, NULL },
	{ "\xef\xbb\xbf"
	  "a = 1;",
		0, "vm.conf:1: the file begins with a byte order mark" },
	{ "a = 1;\nb = \"x\0y\";", 17, "vm.conf:2: a NUL byte" },
	{ "a = 1;\n\0", 8, "vm.conf:2: a NUL byte" },
	{ "# caf\xe9\n", 0, "vm.conf:1: the byte 0xe9 is not UTF-8" },
	{ "a = \"\xc0\xaf\"", 0, "the byte 0xc0 is not UTF-8" },
	{ "a = \"\xe0\x80\xaf\"", 0, "the byte 0xe0 is not UTF-8" },
	{ "a = \"\xed\xa0\x80\"", 0, "the byte 0xed is not UTF-8" },
	{ "a = \"\xf0\x80\x80\x80\"", 0, "the byte 0xf0 is not UTF-8" },
	{ "a = \"\xf4\x90\x80\x80\"", 0, "the byte 0xf4 is not UTF-8" },
	{ "a = \"\xf5\x80\x80\x80\"", 0, "the byte 0xf5 is not UTF-8" },
	{ "# \xe2\x82", 0, "the byte 0xe2 is not UTF-8" },
	{ "a = 1;\rb = 2;\r", 0, "vm.conf:1: a carriage return" },
	{ "a = \"x\x01y\";", 0, "vm.conf:1: a: the control character 0x01" },
	{ "\x1b[A", 0, "vm.conf:1: the control character 0x1b" },
	{ "a = \xe2\x82\xac;", 0, "vm.conf:1: a: unexpected \xe2\x82\xac" },
	{ "a = $x;", 0, "vm.conf:1: a: unexpected $" },
	{ "a = \"x", 0, "vm.conf:1: a: the text that begins here is not closed" },
	{ "a = \"x\\", 0, "vm.conf:1: a: \\ in a text" },
	{ "a = \"\\x4\"", 0, "vm.conf:1: a: \\x in a text" },
	{ "a = \"\\x80\"", 0, "vm.conf:1: a: \\x in a text" },
	{ "a = \"\\\n\"", 0, "vm.conf:1: a: \\ in a text" },
	{ "a = \"x\r\ny\"", 0, "is not closed on its line" },
	{ "/* /* */ */", 0, "*" },
	{ "/", 0, "/ cannot be a key" },
	{ "/*", 0, "the comment that begins here is never closed" },
	{ "/*/", 0, "the comment that begins here is never closed" },
	{ "@", 0, "unexpected @" },
	{ "a", 0, "a: = is missing" },
	{ "a =", 0, "a: no value" },
	{ "a = (", 0, "the list opened at line 1 is never closed" },
	{ "a = [", 0, "the array opened at line 1 is never closed" },
	{ "a = { b = (\n { c", 0, "vm.conf:2: a.b.c: = is missing" },
	{ "true = 1;", 0, "true stands where a key should be" },
	{ "= 1;", 0, "a = without a setting" },
	{ ", a = 1;", 0, "a , without a setting" },
	{ "a = (};", 0, "} comes while the list" },
	{ "a = 1 2;", 0, "text needs double quotes" },
	{ "a = { b = 1; } \"c\"", 0, "behind the value" },
	{ "a = (1 2);", 0, "no comma before 2" },
	{ "a = (1 b);", 0, "no comma before b" },
	{ "a = [ 1, 2L ];", 0, "holds values of one kind" },
	{ "a = [ ( ) ];", 0, "holds only plain values" },
};

static void test_bytes(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(byte_rows); i++) {
		size_t length =
			byte_rows[i].length ? byte_rows[i].length : strlen(byte_rows[i].bytes);
		struct err err;
		int r = scan(byte_rows[i].bytes, length, &err);

		if (!byte_rows[i].expect && r < 0)
			fail_msg("row %zu refused: %s", i, err.text);
		if (byte_rows[i].expect && (r != -EINVAL || !strstr(err.text, byte_rows[i].expect)))
			fail_msg("row %zu: %d %s", i, r, err.text);
		if (r < 0 && !err.fix[0])
			fail_msg("row %zu has no fix: %s", i, err.text);
	}
}

static const struct {
	const char *text;
	enum token_kind kind;
	size_t length;
} token_rows[] = {
	{ "", TOKEN_END, 0 },
	{ "0", TOKEN_INTEGER, 1 },
	{ "-1;", TOKEN_INTEGER, 2 },
	{ "+1,", TOKEN_INTEGER, 2 },
	{ "2147483647", TOKEN_INTEGER, 10 },
	{ "2147483648", TOKEN_BAD_INTEGER, 10 },
	{ "-2147483648", TOKEN_INTEGER, 11 },
	{ "-2147483649", TOKEN_BAD_INTEGER, 11 },
	{ "2147483648L", TOKEN_INTEGER, 11 },
	{ "1LL", TOKEN_INTEGER, 3 },
	{ "1LLL", TOKEN_BAD_WORD, 4 },
	{ "1l", TOKEN_BAD_WORD, 2 },
	{ "9223372036854775807L", TOKEN_INTEGER, 20 },
	{ "9223372036854775808", TOKEN_BAD_INTEGER64, 19 },
	{ "0x7fffffff", TOKEN_INTEGER, 10 },
	{ "0X80000000", TOKEN_BAD_INTEGER, 10 },
	{ "0x7fffffffL", TOKEN_INTEGER, 11 },
	{ "0x80000000L", TOKEN_BAD_INTEGER, 11 },
	{ "0x7fffffffffffffffL", TOKEN_BAD_INTEGER, 19 },
	{ "0x8000000000000000L", TOKEN_BAD_INTEGER64, 19 },
	{ "0x", TOKEN_BAD_WORD, 2 },
	{ "0xg", TOKEN_BAD_WORD, 3 },
	{ "-0x1", TOKEN_BAD_WORD, 4 },
	{ "00", TOKEN_BAD_LEADING_ZERO, 2 },
	{ "-01", TOKEN_BAD_LEADING_ZERO, 3 },
	{ "0b1", TOKEN_BAD_WORD, 3 },
	{ "0o7", TOKEN_BAD_WORD, 3 },
	{ "1.5", TOKEN_FLOAT, 3 },
	{ ".5", TOKEN_FLOAT, 2 },
	{ "5.", TOKEN_FLOAT, 2 },
	{ "-1e-3", TOKEN_FLOAT, 5 },
	{ "1.e5", TOKEN_FLOAT, 4 },
	{ ".", TOKEN_BAD_WORD, 1 },
	{ "1e", TOKEN_BAD_WORD, 2 },
	{ "1e+", TOKEN_BAD_WORD, 3 },
	{ "1.5.2", TOKEN_BAD_WORD, 5 },
	{ "+", TOKEN_BAD_WORD, 1 },
	{ "01:00.0", TOKEN_BAD_WORD, 7 },
	{ "2-3", TOKEN_BAD_WORD, 3 },
	{ "8G", TOKEN_BAD_WORD, 2 },
	{ "5#c", TOKEN_INTEGER, 1 },
	{ "5/**/", TOKEN_INTEGER, 1 },
	{ "5//", TOKEN_INTEGER, 1 },
	{ "tRuE", TOKEN_BOOL, 4 },
	{ "FALSE;", TOKEN_BOOL, 5 },
	{ "truest", TOKEN_NAME, 6 },
	{ "node-name=", TOKEN_NAME, 9 },
	{ "a:b", TOKEN_NAME, 1 },
	{ "a.b", TOKEN_BAD_WORD, 3 },
	{ "_x", TOKEN_BAD_WORD, 2 },
	{ "*", TOKEN_NAME, 1 },
	{ "\"a;b\" c", TOKEN_STRING, 5 },
	{ "\"\\\"\"", TOKEN_STRING, 4 },
	{ "\"\\\\\"", TOKEN_STRING, 4 },
	{ "\"\\x41\"", TOKEN_STRING, 6 },
	{ "'", TOKEN_BAD_QUOTE, 1 },
	{ "@include \"x\"", TOKEN_BAD_INCLUDE, 8 },
	{ " \t# c\n /* { */ //x\n}", TOKEN_CLOSE, 1 },
};

static void test_tokens(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(token_rows); i++) {
		struct tokens tokens = tokens_of(token_rows[i].text, strlen(token_rows[i].text));
		struct token token = token_next(&tokens);

		if (token.kind != token_rows[i].kind || token.length != token_rows[i].length)
			fail_msg("\"%s\": kind %d, length %zu", token_rows[i].text, (int)token.kind,
				token.length);
	}
}

static void test_long_line(void **state)
{
	(void)state;
	struct strbuf text AUTO_STRBUF = { 0 };
	struct err err;

	strbuf_add(&text, "a = \"");
	for (int i = 0; i < 500; i++)
		strbuf_add(&text, "\xc3\xa4");
	assert_int_equal(scan(text.text, text.length, &err), -EINVAL);
	assert_true(strlen(err.why) < 200);
	size_t length = strlen(err.why);
	assert_string_equal(err.why + length - 3, "...");
	/* Not cut in the middle of a character. */
	assert_int_equal((unsigned char)err.why[length - 4], 0xa4);
}

static void test_many_keys(void **state)
{
	(void)state;
	struct strbuf text AUTO_STRBUF = { 0 };
	struct err err;

	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "k%d = { a = 1; };\n", i);
	assert_int_equal(scan(text.text, text.length, &err), 0);
	strbuf_add(&text, "k1000 = 1;");
	assert_int_equal(scan(text.text, text.length, &err), -EINVAL);
	assert_non_null(strstr(err.text, "vm.conf:1001: k1000: more than 1000 keys"));
}

static void test_deep(void **state)
{
	(void)state;
	struct strbuf text AUTO_STRBUF = { 0 };
	struct err err;

	strbuf_add(&text, "a = ");
	for (int i = 0; i < 100000; i++)
		strbuf_add(&text, "(");
	assert_int_equal(scan(text.text, text.length, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 32 levels"));
}

static void test_nearest(void **state)
{
	(void)state;
	static const char *const names[] = { "memory", "smp", "machine", "on_drift", "on_crash" };
	static const struct {
		const char *name, *near;
	} rows[] = {
		{ "memory", "memory" },
		{ "memroy", "memory" },
		{ "Memory", "memory" },
		{ "mem", NULL },
		{ "smb", "smp" },
		{ "sm", "smp" },
		{ "on-drift", "on_drift" },
		{ "on_crahs", "on_crash" },
		{ "machines", "machine" },
		{ "xyz", NULL },
		{ "", NULL },
		{ "machinemachinemachinemachinemachinemachine", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *near = nearest_name(rows[i].name, names, ARRAY_SIZE(names));

		if (rows[i].near)
			assert_string_equal(near, rows[i].near);
		else
			assert_null(near);
	}
}

/* The scanner is right about libconfig: what it lets through, libconfig takes, whatever comes. */
static void test_agrees_with_libconfig(void **state)
{
	(void)state;
	static const char *const parts[] = { "a", "bc", "=", "=", "=", ":", ";", ",", "{", "}", "(",
		")", "[", "]", "1", "-2", "3L", "0xf", "1.5", ".5", "true", "\"x\"", "\"\"", "\n",
		"#c\n", "/*c*/", " ", " ", "d", "e = 1;", "f = \"y\"" };
	unsigned seed = 20240229;
	int accepted = 0;

	for (int round = 0; round < 200000; round++) {
		struct strbuf text AUTO_STRBUF = { 0 };
		struct spec spec;
		struct err err = { 0 };

		seed = seed * 1103515245u + 12345u;
		for (unsigned left = 1 + (seed >> 16) % 12; left > 0; left--) {
			seed = seed * 1103515245u + 12345u;
			strbuf_add(&text, parts[(seed >> 16) % ARRAY_SIZE(parts)]);
		}
		if (config_parse_vm("vm.conf", text.text, text.length, &spec, &err) == 0) {
			spec_free(&spec);
			continue;
		}
		accepted += strstr(err.text, "unknown key") != NULL;
		if (strstr(err.text, "syntax error") || strstr(err.text, "duplicate setting") ||
			strstr(err.text, "mismatched"))
			fail_msg("%s: %s", text.text, err.text);
	}
	assert_in_range(accepted, 1000, 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_agrees_with_libconfig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
