/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-sup.conf, and what a changed VM file means for a VM that runs. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config.h"
#include "supervisor/daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static int parse(const char *text, struct host_conf *conf, struct err *err)
{
	return config_parse_host("vfio-sup.conf", text, strlen(text), conf, err);
}

static void test_defaults(void **state)
{
	struct host_conf conf;
	struct err err;

	(void)state;
	assert_int_equal(parse("", &conf, &err), 0);
	assert_string_equal(conf.run_dir, "/run/vfio-sup");
	assert_string_equal(conf.metrics_listen, "127.0.0.1:9848");
	assert_string_equal(conf.read, "vfio-sup");
	assert_string_equal(conf.operate, "vfio-sup");
	assert_int_equal(conf.host_sleep, HOST_SLEEP_BLOCK);
	host_conf_free(&conf);
	/* A host that says nothing. */
	assert_int_equal(config_load_host("/nonexistent/vfio-sup.conf", &conf, &err), 0);
	assert_string_equal(conf.run_dir, "/run/vfio-sup");
	host_conf_free(&conf);
}

static void test_every_key(void **state)
{
	struct host_conf conf;
	struct err err;

	(void)state;
	assert_int_equal(parse("run_dir = \"/tmp/x\";\nmetrics = { listen = \"[::1]:0\"; };\n"
			       "control = { read = \"adm\"; operate = \"wheel\"; };\n"
			       "host_sleep = \"allow\";\n",
				 &conf, &err),
		0);
	assert_string_equal(conf.run_dir, "/tmp/x");
	assert_string_equal(conf.metrics_listen, "[::1]:0");
	assert_string_equal(conf.read, "adm");
	assert_string_equal(conf.operate, "wheel");
	assert_int_equal(conf.host_sleep, HOST_SLEEP_ALLOW);
	host_conf_free(&conf);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "accel = \"kvm\";", ":1: accel: unknown key" },
		{ "\nmetrics = 7;", ":2: metrics: needs a block" },
		{ "metrics = { listen = \"localhost\"; };", ":1: metrics.listen" },
		{ "run_dir = \"run\";", ":1: run_dir" },
		{ "control = { read = \"a b\"; };", ":1: control.read" },
		{ "control = { start = \"adm\"; };", ":1: control.start: unknown key" },
		{ "host_sleep = \"never\";", ":1: host_sleep" },
		{ "host_sleep = false;", ":1: host_sleep" },
		{ "@include \"x\"", ":1:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_conf conf;
		struct err err = { 0 };

		assert_int_equal(parse(cases[i].text, &conf, &err), -EINVAL);
		if (!strstr(err.text, cases[i].words))
			fail_msg("%s\nwanted %s", err.text, cases[i].words);
	}
}

static void load(const char *text, struct spec *spec)
{
	struct err err = { 0 };

	if (config_parse_vm("vm.conf", text, strlen(text), spec, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_news(void **state)
{
	static const struct {
		const char *old, *new, *later; /* the first key that waits; NULL: none does */
	} cases[] = {
		{ "", "", NULL },
		{ "", "# a comment", NULL },
		{ "", "memory = { size = \"2G\"; };", "memory" },
		{ "", "smp = \"2\";", "smp" },
		{ "cpus = { vcpu = \"1\"; };", "cpus = { vcpu = \"2\"; };", "cpus" },
		{ "", "cpus = { policy = \"other\"; };", "cpus" },
		{ "", "devices = ( { driver = \"virtio-rng-pci\"; } );", "devices" },
		{ "args = \"-a\";", "args = \"-b\";", "args" },
		{ "", "shield = ( \"user.slice\" );", "shield" },
		{ "", "latency = { tick = \"20ms\"; };", "latency" },
		{ "", "cpu = \"max\";", "cpu" },
		{ "", "on_reboot = \"restart\";", "on_reboot" },
		{ "", "on_panic = \"stop\";", "on_panic" },
		{ "on_panic = \"restart\";", "on_panic = \"stop\";", NULL },
		{ "", "on_crash = \"stop\"; on_hang = \"restart\"; autostart = true;", NULL },
		{ "", "stop = { presses = 1; }; restart = { burst = 1; };", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRLIST struct strlist later = { 0 };
		struct spec old, new;

		load(cases[i].old, &old);
		load(cases[i].new, &new);
		assert_int_equal(spec_news(&old, &new, &later), 0);
		assert_int_equal(later.count, cases[i].later ? 1 : 0);
		if (cases[i].later)
			assert_string_equal(later.items[0], cases[i].later);
		spec_free(&old);
		spec_free(&new);
	}
}

static void test_taken_now(void **state)
{
	struct spec old, new;

	(void)state;
	load("", &old);
	load("on_crash = \"stop\"; on_poweroff = \"restart\"; on_panic = \"stop\"; "
	     "memory = { size = \"2G\"; }; stop = { presses = 1; }; restart = { burst = 9; };",
		&new);
	spec_take_now(&old, &new);
	assert_int_equal(old.on_crash, ON_CRASH_STOP);
	assert_int_equal(old.on_poweroff, ON_POWEROFF_RESTART);
	/* QEMU was started with panic=none: it would go on. */
	assert_int_equal(old.on_panic, ON_PANIC_WAIT);
	assert_int_equal(old.memory.size, 1ull << 30);
	assert_int_equal(old.stop.presses, 1);
	assert_int_equal(old.restart.burst, 9);
	spec_free(&old);
	spec_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_taken_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
