/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines: what is read from them, and what is said of those that are wrong. */
#include "cli/call.h"
#include "cli/cli.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int nothing(const struct cli *cli)
{
	(void)cli;
	return CLI_OK;
}

static const struct cli_verb verbs[] = {
	{ "run", "FILE", "runs", "", 0, 1, 1, nothing },
	{ "status", "[NAME] [--json]", "shows", "", CLI_JSON, 0, 1, nothing },
	{ "stop", "NAME [--force]", "stops", "At length.\n", CLI_FORCE | CLI_HOST_SHUTDOWN, 1, 1,
		nothing },
	{ "qmp", "NAME COMMAND [JSON]", "asks", "", 0, 2, 3, nothing },
	{ "restore", "", "gives back", "", 0, 0, 0, nothing },
};

enum { MOST = 8 };

static struct cli parse(const char *const *words, int *ret_result, struct strbuf *complaint)
{
	struct cli cli = { .verbs = verbs, .verb_count = ARRAY_SIZE(verbs) };
	const char *argv[MOST + 2] = { "vfio-sup" };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = words[argc - 1];
	*ret_result = cli_parse(&cli, argc, (char **)(uintptr_t)argv, complaint);
	return cli;
}

static void test_well(void **state)
{
	static const struct {
		const char *words[MOST];
		const char *verb, *first, *run_dir;
		unsigned flags;
		size_t count;
	} cases[] = {
		{ { NULL }, NULL, NULL, NULL, 0, 0 },
		{ { "--run-dir", "/r" }, NULL, NULL, "/r", 0, 0 },
		{ { "--run-dir", "/r", "status", "a" }, "status", "a", "/r", 0, 1 },
		{ { "status", "a", "--run-dir=/r" }, "status", "a", "/r", 0, 1 },
		{ { "status", "--run-dir", "--json" }, "status", NULL, "--json", 0, 0 },
		{ { "--run-dir=/a", "--run-dir=/b=c", "restore" }, "restore", NULL, "/b=c", 0, 0 },
		{ { "--json", "status" }, "status", NULL, NULL, CLI_JSON, 0 },
		{ { "stop", "--force", "a" }, "stop", "a", NULL, CLI_FORCE, 1 },
		{ { "stop", "--host-shutdown" }, "stop", NULL, NULL, CLI_HOST_SHUTDOWN, 0 },
		{ { "qmp", "a", "b", "{\"--x\": 1}" }, "qmp", "a", NULL, 0, 3 },
		{ { "run", "--", "--odd.conf" }, "run", "--odd.conf", NULL, 0, 1 },
		{ { "run", "-" }, "run", "-", NULL, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf complaint AUTO_STRBUF = { 0 };
		int r;
		struct cli cli = parse(cases[i].words, &r, &complaint);

		if (r < 0)
			fail_msg("case %zu: %s", i, complaint.text);
		assert_int_equal(cli.flags, cases[i].flags);
		assert_int_equal(cli.word_count, cases[i].count);
		if (cases[i].verb)
			assert_string_equal(cli.verb->name, cases[i].verb);
		else
			assert_null(cli.verb);
		if (cases[i].first)
			assert_string_equal(cli.words[0], cases[i].first);
		if (cases[i].run_dir)
			assert_string_equal(cli.api.run_dir, cases[i].run_dir);
		else
			assert_null(cli.api.run_dir);
	}
}

static void test_wrong(void **state)
{
	static const struct {
		const char *words[MOST];
		const char *said;
	} cases[] = {
		{ { "stauts" }, "unknown verb \"stauts\"; did you mean status?" },
		{ { "frobnicate" }, "unknown verb \"frobnicate\"\n  try    vfio-sup help\n" },
		{ { "" }, "unknown verb \"\"" },
		{ { "a\x1b[2J" }, "unknown verb \"a?[2J\"" },
		{ { "status", "--jsno" }, "unknown option \"--jsno\"; did you mean --json?" },
		{ { "status", "--json=yes" }, "--json takes no value" },
		{ { "status", "-x" }, "unknown option \"-x\"" },
		{ { "--run-dir" }, "--run-dir needs a directory" },
		{ { "--run-dir=", "status" }, "--run-dir needs a directory" },
		{ { "--root", "" }, "--root needs a directory" },
		{ { "stop" }, "usage  vfio-sup stop NAME [--force]" },
		{ { "stop", "a", "--json" }, "stop does not take --json" },
		{ { "stop", "a", "--host-shutdown" }, "it stands alone" },
		{ { "stop", "--force", "--host-shutdown" }, "it stands alone" },
		{ { "run", "a", "--host-shutdown" }, "run does not take --host-shutdown" },
		{ { "--force", "run", "a" }, "run does not take --force" },
		{ { "--json" }, "--json needs a verb" },
		{ { "run", "a", "b" }, "run: \"b\" is one word too many" },
		{ { "restore", "a" }, "one word too many" },
		{ { "qmp", "a" }, "usage  vfio-sup qmp NAME COMMAND [JSON]" },
		{ { "qmp", "a", "b", "{}", "{}" }, "one word too many" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf complaint AUTO_STRBUF = { 0 };
		int r;

		parse(cases[i].words, &r, &complaint);
		assert_int_equal(r, -EINVAL);
		if (!strstr(complaint.text, cases[i].said))
			fail_msg("case %zu: %s", i, complaint.text);
		assert_int_equal(strncmp(complaint.text, "vfio-sup: ", 10), 0);
	}
}

/* Whoever asks for help has not yet to know what a verb needs. */
static void test_help(void **state)
{
	static const char *const words[][MOST] = {
		{ "--help" },
		{ "stop", "--help" },
		{ "-h", "stop" },
		{ "run", "--json", "--help" },
	};
	struct cli cli = { .verbs = verbs, .verb_count = ARRAY_SIZE(verbs) };
	struct strbuf text AUTO_STRBUF = { 0 }, complaint AUTO_STRBUF = { 0 };
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_true(parse(words[i], &r, &complaint).help);
		assert_int_equal(r, 0);
	}
	assert_true(parse((const char *const[]){ "--version", NULL }, &r, &complaint).version);
	cli_usage(&cli, &text);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		assert_non_null(strstr(text.text, verbs[i].usage));
	assert_non_null(strstr(text.text, "--config-dir DIR"));
	cli_verb_usage(&verbs[2], &text);
	assert_non_null(strstr(text.text, "vfio-sup stop NAME [--force]\n  stops\n\nAt length.\n"));
}

static void test_exit_of(void **state)
{
	(void)state;
	assert_int_equal(cli_exit_of(EWOULDBLOCK), 5);
	assert_int_equal(cli_exit_of(ECONNREFUSED), 6);
	assert_int_equal(cli_exit_of(ENOENT), 4);
	assert_int_equal(cli_exit_of(EACCES), 1);
	assert_int_equal(cli_exit_of(EREMOTEIO), 1);
	assert_int_equal(cli_exit_of(0), 1);
}

static void test_names_and_files(void **state)
{
	static const char *const names[][2] = {
		{ "a", "a" },
		{ "a.conf", "a" },
		{ "./dir.conf/a.conf", "a" },
		{ "/etc/vfio-sup/vms/media-pc.conf", "media-pc" },
		{ ".conf", ".conf" },
		{ "", "" },
		{ "a/", "" },
	};
	struct cli cli = { .config_dir = "/nonexistent/dir" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct strbuf name AUTO_STRBUF = { 0 }, path AUTO_STRBUF = { 0 };

		cli_vm_name(names[i][0], &name);
		assert_string_equal(name.text, names[i][1]);
		cli_vm_file(&cli, names[i][0], &path);
		assert_string_equal(path.text, names[i][0]);
	}
}

static void test_file_by_name(void **state)
{
	char directory[] = "/tmp/test-cli-XXXXXX", vms[64], file[80];
	struct cli cli = { .config_dir = directory };
	struct strbuf path AUTO_STRBUF = { 0 };

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(vms, sizeof(vms), "%s/vms", directory);
	snprintf(file, sizeof(file), "%s/a.conf", vms);
	assert_int_equal(mkdir(vms, 0755), 0);
	FILE *made = fopen(file, "w");
	assert_non_null(made);
	fclose(made);
	cli_vm_file(&cli, "a", &path);
	assert_string_equal(path.text, file);
	unlink(file);
	rmdir(vms);
	rmdir(directory);
}

static void test_steps(void **state)
{
	static const struct {
		const char *reply, *text;
		bool continues, done, ok;
	} cases[] = {
		{ "{\"step\": \"pressing\"}", "pressing\n", true, false, false },
		{ "{\"step\": \"a\\u001bb\\nc\"}", "a?b?c\n", true, false, false },
		{ "{\"step\": 7}", "", true, false, false },
		{ "{\"done\": true, \"ok\": true, \"words\": \"gone\"}", "gone\n", false, true,
			true },
		{ "{\"done\": true, \"ok\": false, \"words\": \"no\"}", "no\n", false, true,
			false },
		{ "{\"words\": \"it does not run\"}", "it does not run\n", false, true, true },
		{ "{}", "", false, true, true },
		{ "[]", "", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf text AUTO_STRBUF = { 0 };
		struct steps steps = { 0 };
		json_t *reply = json_loads(cases[i].reply, 0, NULL);

		steps_take(&steps, reply, cases[i].continues, &text);
		assert_string_equal(text.text ? text.text : "", cases[i].text);
		assert_int_equal(steps.done, cases[i].done);
		assert_int_equal(steps.ok, cases[i].ok);
		json_decref(reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_exit_of),
		cmocka_unit_test(test_names_and_files),
		cmocka_unit_test(test_file_by_name),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
