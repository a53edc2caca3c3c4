/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SAMPLES "tests/unit/config"

static char *read_sample(const char *name, size_t *ret_length)
{
	char path[512];
	struct strbuf text = { 0 };
	char part[4096];
	size_t n;

	snprintf(path, sizeof(path), SAMPLES "/%s", name);
	FILE *file AUTO_FILE = fopen(path, "re");
	assert_non_null(file);
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		strbuf_add_bytes(&text, part, n);
	*ret_length = text.length;
	char *taken = strbuf_take(&text);
	assert_non_null(taken);
	return taken;
}

/* Behind "# WORD: " on one of the first two lines, up to the end of the line; NULL without it. */
static char *head_line(const char *text, const char *word)
{
	char start[32];

	snprintf(start, sizeof(start), "# %s: ", word);
	for (int line = 0; line < 2 && text; line++) {
		if (strncmp(text, start, strlen(start)) == 0)
			return strndup(text + strlen(start), strcspn(text, "\n") - strlen(start));
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

static bool check_pass(const char *name, const char *text, size_t length)
{
	struct spec spec;
	struct err err = { 0 };
	int r = config_parse_vm(name, text, length, &spec, &err);

	if (r < 0)
		print_error("%s: refused: %s (%s; %s)\n", name, err.text, err.why, err.fix);
	spec_free(&spec);
	return r == 0;
}

static bool check_fail(const char *name, const char *text, size_t length)
{
	char *expect AUTO_FREE = head_line(text, "expect");
	char *fix AUTO_FREE = head_line(text, "fix");
	struct spec spec;
	struct err err = { 0 };
	int r = config_parse_vm(name, text, length, &spec, &err);

	assert_non_null(expect);
	spec_free(&spec); /* harmless after a failure */
	bool good = r == -EINVAL && err.code == EINVAL && strstr(err.text, expect) &&
		    strncmp(err.text, name, strlen(name)) == 0 && !strchr(err.text, '\n') &&
		    !strchr(err.why, '\n') && !strchr(err.fix, '\n') &&
		    (!fix || strstr(err.fix, fix)) && err.fix[0];
	if (!good)
		print_error("%s: %d\n  expect %s | %s\n  text   %s\n  why    %s\n  fix    %s\n",
			name, r, expect, fix ? fix : "", err.text, err.why, err.fix);
	if (getenv("SHOW"))
		print_message("%s\n    why %s\n    fix %s\n", err.text, err.why, err.fix);
	return good;
}

static void test_samples(void **state)
{
	(void)state;
	DIR *dir AUTO_DIR = opendir(SAMPLES);
	int passes = 0, fails = 0, bad = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		bool pass = strncmp(entry->d_name, "pass-", 5) == 0;
		bool fail = strncmp(entry->d_name, "fail-", 5) == 0;
		size_t length;

		if (entry->d_name[0] == '.')
			continue;
		assert_true(pass || fail);
		char *text AUTO_FREE = read_sample(entry->d_name, &length);
		if (pass ? !check_pass(entry->d_name, text, length)
			 : !check_fail(entry->d_name, text, length))
			bad++;
		passes += pass;
		fails += fail;
	}
	assert_int_equal(bad, 0);
	assert_in_range(passes, 10, 1000);
	assert_in_range(fails, 100, 1000);
}

static void parse_sample(const char *name, struct spec *spec)
{
	size_t length;
	char *text AUTO_FREE = read_sample(name, &length);
	struct err err = { 0 };

	assert_int_equal(config_parse_vm(name, text, length, spec, &err), 0);
}

static void parse(const char *text, struct spec *spec)
{
	struct err err = { 0 };

	if (config_parse_vm("vm.conf", text, strlen(text), spec, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_defaults(void **state)
{
	(void)state;
	struct spec spec;

	parse("", &spec);
	assert_string_equal(spec.name, "vm");
	assert_string_equal(spec.file, "vm.conf");
	assert_string_equal(spec.text, "");
	assert_int_equal(spec.said, 0);
	assert_int_equal(spec.accel, ACCEL_KVM);
	assert_string_equal(spec.user, "vfio-sup-qemu");
	assert_string_equal(spec.machine, "q35");
	assert_null(spec.cpu);
	assert_int_equal(spec.vcpus, 1);
	assert_int_equal(spec.memory.size, 1ull << 30);
	assert_false(spec.memory.lock);
	assert_null(spec.cpus.vcpu);
	assert_int_equal(spec.cpus.line_vcpu, 0);
	assert_int_equal(spec.cpus.line_policy, 0);
	assert_int_equal(spec.cpus.isolate, ISOLATE_AUTO);
	assert_int_equal(spec.cpus.policy, SPEC_POLICY_AUTO);
	assert_int_equal(spec.cpus.priority, 1);
	assert_int_equal(spec.stop.presses, 3);
	assert_int_equal(spec.stop.powerdown_ns, 180 * NS_PER_SEC);
	assert_int_equal(spec.latency.tick_ns, 10 * NS_PER_MS);
	assert_null(spec.metrics_listen);
	assert_null(spec.run_dir);
	spec_free(&spec);
}

static void test_mediapc(void **state)
{
	(void)state;
	struct spec spec;

	parse_sample("pass-mediapc.conf", &spec);
	assert_string_equal(spec.name, "pass-mediapc");
	assert_string_equal(spec.machine, "pc-q35-7.2,vmport=off");
	assert_int_equal(spec.memory.size, 8ull << 30);
	assert_true(spec.memory.lock); /* by vfio-pci */
	assert_true(spec.vfio);
	assert_int_equal(spec.vcpus, 2);
	assert_int_equal(spec.maxcpus, 2);
	assert_int_equal(spec.cpus.vcpu_count, 2);
	assert_int_equal(spec.cpus.vcpu[0], 2);
	assert_int_equal(spec.cpus.vcpu[1], 3);
	assert_int_equal(spec.cpus.line_vcpu, 6);
	assert_int_equal(spec.said, SAID_CPU | SAID_VCPU);
	const struct spec_groups *devices = &spec.lists[SPEC_DEVICES];
	assert_int_equal(devices->count, 4);
	assert_int_equal(devices->items[0].line, 8);
	assert_string_equal(devices->items[0].json,
		"{\"driver\":\"vfio-pci\",\"host\":\"01:00\",\"expect\":\"10de:1b81\","
		"\"x-vga\":true,\"romfile\":\"/etc/vfio-sup/rom/gtx1070.rom\"}");
	assert_int_equal(devices->items[3].line, 11);
	assert_string_equal(spec.lists[SPEC_BLOCKDEVS].items[0].json,
		"{\"node-name\":\"system\",\"driver\":\"raw\",\"file\":{\"driver\":\"host_device\","
		"\"filename\":\"/dev/vmpool/mediapc\"}}");
	assert_string_equal(spec.lists[SPEC_NETDEVS].items[0].json,
		"{\"id\":\"net0\",\"type\":\"tap\",\"br\":\"br0\"}");
	assert_int_equal(spec.lists[SPEC_OBJECTS].items[0].line, 14);
	assert_int_equal(spec.args.count, 2);
	assert_string_equal(spec.args.items[1], "base=localtime,driftfix=slew");
	assert_int_equal(spec.line_args, 15);
	assert_int_equal(config_line_of(spec.text, devices->items[2].line, "bootindex"), 10);
	assert_int_equal(config_line_of(spec.text, 12, "file.filename"), 12);
	spec_free(&spec);
}

static void test_every_key(void **state)
{
	(void)state;
	struct spec spec;

	parse_sample("pass-every-key.conf", &spec);
	assert_int_equal(spec.accel, ACCEL_TCG);
	assert_string_equal(spec.binary, "/opt/qemu, \"the\" one/qemu-system-x86_64");
	assert_string_equal(spec.user, "nobody");
	assert_int_equal(spec.env.count, 2);
	assert_string_equal(spec.env.items[1], "EMPTY=");
	assert_string_equal(spec.cpu, "max");
	assert_int_equal(spec.vcpus, 2);
	assert_int_equal(spec.maxcpus, 4);
	assert_int_equal(spec.memory.size, 1536ull << 20);
	assert_false(spec.memory.lock);
	assert_int_equal(spec.memory.hugepages, HUGEPAGES_2M);
	assert_int_equal(spec.cpus.vcpu_count, 3);
	assert_int_equal(spec.cpus.vcpu[0], 5);
	assert_int_equal(spec.cpus.vcpu[1], 2);
	assert_int_equal(spec.cpus.vcpu[2], 3);
	assert_int_equal(cpuset_count(&spec.cpus.emulator), 1);
	assert_int_equal(cpuset_count(&spec.cpus.iothread), 2);
	assert_int_equal(spec.cpus.line_emulator, 11);
	assert_int_equal(spec.cpus.line_iothread, 11);
	assert_int_equal(spec.cpus.line_policy, 12);
	assert_int_equal(spec.cpus.isolate, ISOLATE_SHIELD);
	assert_int_equal(spec.cpus.policy, SPEC_POLICY_FIFO);
	assert_int_equal(spec.cpus.priority, 2);
	assert_int_equal(spec.lists[SPEC_DEVICES].count, 1);
	assert_int_equal(spec.lists[SPEC_BLOCKDEVS].count, 0);
	assert_int_equal(spec.args.count, 2);
	assert_int_equal(spec.on_drift, ON_DRIFT_REPORT);
	assert_int_equal(spec.on_poweroff, ON_POWEROFF_HOST_POWEROFF);
	assert_int_equal(spec.on_reboot, ON_REBOOT_RESTART);
	assert_int_equal(spec.on_panic, ON_PANIC_STOP);
	assert_int_equal(spec.on_crash, ON_CRASH_STOP);
	assert_int_equal(spec.on_hang, ON_HANG_RESTART);
	assert_int_equal(spec.restart.delay_ns, 2 * NS_PER_SEC);
	assert_int_equal(spec.restart.max_delay_ns, 30 * NS_PER_SEC);
	assert_int_equal(spec.restart.burst, 3);
	assert_int_equal(spec.restart.interval_ns, 300 * NS_PER_SEC);
	assert_int_equal(spec.stop.powerdown_ns, 60 * NS_PER_SEC);
	assert_int_equal(spec.stop.presses, 1);
	assert_int_equal(spec.stop.press_every_ns, 10 * NS_PER_SEC);
	assert_int_equal(spec.stop.host_shutdown_ns, 300 * NS_PER_SEC);
	assert_int_equal(spec.stop.quit_ns, 5 * NS_PER_SEC);
	assert_int_equal(spec.stop.term_ns, 500 * NS_PER_MS);
	assert_int_equal(spec.latency.tick_ns, 5 * NS_PER_MS);
	assert_int_equal(spec.latency.stall_ns, 500 * NS_PER_US);
	assert_int_equal(spec.shield.count, 2);
	assert_int_equal(spec.line_shield, 24);
	assert_string_equal(spec.run_dir, "/tmp/vfio-sup");
	assert_string_equal(spec.metrics_listen, "[::1]:0");
	assert_int_equal(spec.host_sleep, HOST_SLEEP_ALLOW);
	assert_int_equal(spec.said, (1 << 10) - 1);
	spec_free(&spec);
}

static void test_json(void **state)
{
	(void)state;
	struct spec spec;

	parse_sample("pass-syntax.conf", &spec);
	assert_string_equal(spec.lists[SPEC_DEVICES].items[0].json,
		"{\"driver\":\"x\",\"bool\":true,\"off\":false,\"int\":-2147483648,\"plus\":7,"
		"\"hex\":2147483647,\"long\":3000000000,\"longer\":-9000000000000000000,"
		"\"hexlong\":16,\"f\":1.5,\"g\":-0.5,\"h\":1000.0,\"i\":2.0,"
		"\"text\":\"a \\\"b\\\" \\\\ \\n\\t\\r\\fA \u00e4, % ' #no comment //none /*none*/ "
		"@include\",\"list\":[1,\"two\",true,[],{}],\"array\":[1,2,3],"
		"\"texts\":[\"a\",\"b\"],\"a-b_c*\":0}");
	spec_free(&spec);
	parse_sample("pass-order.conf", &spec);
	assert_string_equal(spec.lists[SPEC_OBJECTS].items[0].json,
		"{\"qom-type\":\"x\",\"z\":1,\"id\":\"o\",\"a\":2,\"m\":{\"y\":1,\"b\":2}}");
	spec_free(&spec);
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *path, *name; /* NULL: refused */
		const char *fix;
	} rows[] = {
		{ "vm.conf", "vm", NULL },
		{ "/etc/vfio-sup/vms/media-pc_2.conf", "media-pc_2", NULL },
		{ "dir/9", "9", NULL },
		{ "a234567890123456789012345678901b.conf", "a234567890123456789012345678901b",
			NULL },
		{ "a234567890123456789012345678901bc.conf", NULL,
			"a234567890123456789012345678901b.conf" },
		{ "Media PC.conf", NULL, "media-pc.conf" },
		{ "vm.conf~", NULL, "vm-conf-.conf" },
		{ ".conf", NULL, "conf.conf" },
		{ "dir/", NULL, "vm.conf" },
		{ "-x.conf", NULL, "x.conf" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spec spec;
		struct err err = { 0 };
		int r = config_parse_vm(rows[i].path, "", 0, &spec, &err);

		assert_int_equal(r, rows[i].name ? 0 : -EINVAL);
		if (rows[i].name) {
			assert_string_equal(spec.name, rows[i].name);
		} else {
			assert_non_null(strstr(err.why, "[a-z0-9][a-z0-9_-]{0,31}"));
			assert_non_null(strstr(err.fix, rows[i].fix));
		}
		spec_free(&spec);
	}
}

static void test_long_path(void **state)
{
	(void)state;
	char path[3000];
	struct spec spec;
	struct err err = { 0 };

	memset(path, 'd', sizeof(path));
	strcpy(path + sizeof(path) - sizeof("/vm.conf"), "/vm.conf");
	assert_int_equal(config_parse_vm(path, "smp = 1;", 8, &spec, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/vm.conf:1: smp: needs text"));
	assert_int_equal(config_parse_vm(path, "smp = 1;", 8, &spec, NULL), -EINVAL);
}

static void test_line_of(void **state)
{
	(void)state;
	static const char text[] = "devices = (\n"
				   "  { driver = \"a\"; }, { driver = \"b\";\n"
				   "    # romfile = \"x\";\n"
				   "    note = \"romfile = 1\"; sub = { romfile = 1;\n"
				   "      addr = 2; };\n"
				   "    romfile = \"y\"; },\n"
				   "  { driver = \"c\"; } );\n"
				   "romfile = 3;\n";
	static const struct {
		int line;
		const char *key;
		int found;
	} rows[] = {
		{ 2, "driver", 2 },
		{ 2, "romfile", 6 },
		{ 2, "sub", 4 },
		{ 2, "sub.addr", 5 },
		{ 2, "sub.none", 2 },
		{ 2, "none", 2 },
		{ 2, "note.x", 2 },
		{ 4, "romfile", 4 },
		{ 7, "romfile", 7 },
		{ 99, "romfile", 99 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(config_line_of(text, rows[i].line, rows[i].key), rows[i].found);
	assert_int_equal(config_line_of("x = { a = \"", 1, "b"), 1);
	assert_int_equal(config_line_of("x = { a b = } c", 1, "c"), 1);
}

/* Half a file is what an editor that was killed leaves: no crash, no leak, an error in words. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	size_t length;
	char *text AUTO_FREE = read_sample("pass-every-key.conf", &length);

	for (size_t cut = 0; cut < length; cut++) {
		struct spec spec;
		struct err err = { 0 };
		int r = config_parse_vm("vm.conf", text, cut, &spec, &err);

		if (r < 0)
			assert_memory_equal(err.text, "vm.conf:", 8);
		spec_free(&spec);
	}
}

static void test_change_anywhere(void **state)
{
	(void)state;
	static const char bytes[] = { '\0', '"', '{', ')', ';', ',', '=', '\\', '\n', '0', 'x',
		'\xff', '*', '/' };
	size_t length;
	char *text AUTO_FREE = read_sample("pass-syntax.conf", &length);

	for (size_t at = 0; at < length; at++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			struct spec spec;
			struct err err = { 0 };
			char old = text[at];

			text[at] = bytes[i];
			int r = config_parse_vm("vm.conf", text, length, &spec, &err);
			text[at] = old;
			if (r < 0)
				assert_memory_equal(err.text, "vm.conf:", 8);
			/* What the scanner lets through, libconfig takes. */
			assert_null(strstr(err.text, "syntax error"));
			spec_free(&spec);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_mediapc),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_line_of),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_change_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
