/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/launch_fixture.h"

#define HEAD                                                                                       \
	"/usr/bin/qemu-system-x86_64 -nodefaults -no-user-config -display none -S "                \
	"-name guest=media,debug-threads=on -sandbox "                                             \
	"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -machine "
#define TAIL                                                                                       \
	" -chardev socket,id=vfio-sup,path=/run/q,server=on,wait=off "                             \
	"-mon chardev=vfio-sup,mode=control"
#define PANIC " -action shutdown=poweroff,panic=none"

static const struct {
	struct wish wish;
	const char *line;
} options_cases[] = {
	{ { 0 }, HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M" PANIC TAIL },
	{ { .kvm = true }, HEAD "q35 -accel kvm -cpu host -smp 1 -m 64M" PANIC TAIL },
	{ { .machine = "none" }, HEAD "none -accel tcg -smp 1 -m 64M" PANIC TAIL },
	{ { .machine = "pc-q35-7.2,vmport=off",
		  .cpu = "host,migratable=no",
		  .kvm = true,
		  .lock = true,
		  .size = 8ull << 30 },
		HEAD "pc-q35-7.2,vmport=off -accel kvm -cpu host,migratable=no -smp 1 -m "
		     "8192M -overcommit mem-lock=on" PANIC TAIL },
	{ { .size = (64 << 20) + 4096 },
		HEAD "q35 -accel tcg -cpu max -smp 1 -m 67112960B" PANIC TAIL },
	{ { .hugepages = HUGEPAGES_2M },
		HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M -object "
		     "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"vfio-sup-ram\","
		     "\"size\":67108864,\"hugetlb\":true,\"hugetlbsize\":2097152} "
		     "-machine memory-backend=vfio-sup-ram" PANIC TAIL },
	{ { .hugepages = HUGEPAGES_1G, .size = 2ull << 30 },
		HEAD "q35 -accel tcg -cpu max -smp 1 -m 2048M -object "
		     "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"vfio-sup-ram\","
		     "\"size\":2147483648,\"hugetlb\":true,\"hugetlbsize\":1073741824} "
		     "-machine memory-backend=vfio-sup-ram" PANIC TAIL },
	{ { .on_panic = ON_PANIC_STOP, .on_reboot = ON_REBOOT_RESTART },
		HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M -action "
		     "reboot=shutdown,shutdown=poweroff,panic=pause" TAIL },
	{ { .on_panic = ON_PANIC_RESTART }, HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M -action "
						 "shutdown=poweroff,panic=pause" TAIL },
	{ { .socket = "/tmp/a,b/q,,.sock" },
		HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M" PANIC
		     " -chardev socket,id=vfio-sup,path=/tmp/a,,b/q,,,,.sock,server=on,"
		     "wait=off -mon chardev=vfio-sup,mode=control" },
	{ { .socket = "fd:7" }, HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M" PANIC
				     " -chardev socket,id=vfio-sup,fd=7,server=on,wait=off -mon "
				     "chardev=vfio-sup,mode=control" },
	{ { .args = { "-rtc", "base=localtime,driftfix=slew", "-display", "gtk" } },
		HEAD "q35 -accel tcg -cpu max -smp 1 -m 64M" PANIC TAIL
		     " -rtc base=localtime,driftfix=slew -display gtk" },
	{ { .args = { "-accel", "tcg,thread=single" } },
		HEAD "q35 -cpu max -smp 1 -m 64M" PANIC TAIL " -accel tcg,thread=single" },
};

static void test_options(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(options_cases); i++) {
		struct strlist argv = { 0 }, warnings = { 0 };
		struct err err;

		if (argv_of(&options_cases[i].wish, &argv, &warnings, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		AUTO_FREE char *line = joined(&argv, 0);
		assert_string_equal(line, options_cases[i].line);
		assert_int_equal(warnings.count, 0);
		assert_null(argv.items[argv.count]);
		strlist_free(&argv);
	}
}

static const struct {
	const char *cpu, *instead; /* NULL: as it is, without a word */
} cpu_when_auto_is_tcg_cases[] = {
	{ "host", "max" },
	{ "host,migratable=no", "max,migratable=no" },
	{ "host,hv-relaxed,hv_vapic,kvm=off,hv-spinlocks=0x1fff", "max,kvm=off" },
	{ "Skylake-Client,hv-vpindex", "Skylake-Client" },
	{ "Skylake-Client,+pcid", NULL },
	{ "hostile", NULL },
};

static void test_cpu_when_auto_is_tcg(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cpu_when_auto_is_tcg_cases); i++) {
		const struct wish wish = { .cpu = cpu_when_auto_is_tcg_cases[i].cpu,
			.accel = ACCEL_AUTO };
		struct strlist argv = { 0 }, warnings = { 0 };
		char want[256];

		assert_int_equal(argv_of(&wish, &argv, &warnings, NULL), 0);
		AUTO_FREE char *line = joined(&argv, 0);
		snprintf(want, sizeof(want), " -cpu %s -smp",
			cpu_when_auto_is_tcg_cases[i].instead
				? cpu_when_auto_is_tcg_cases[i].instead
				: cpu_when_auto_is_tcg_cases[i].cpu);
		assert_non_null(strstr(line, want));
		assert_int_equal(warnings.count, cpu_when_auto_is_tcg_cases[i].instead != NULL);
		snprintf(want, sizeof(want),
			"media.conf: cpu = \"%s\" needs KVM, which does not work here: \"%s\" "
			"instead",
			cpu_when_auto_is_tcg_cases[i].cpu,
			cpu_when_auto_is_tcg_cases[i].instead
				? cpu_when_auto_is_tcg_cases[i].instead
				: "");
		if (warnings.count > 0)
			assert_string_equal(warnings.items[0], want);
		strlist_free(&argv);
		strlist_free(&warnings);
	}
}

static const struct {
	struct wish wish;
	const char *text, *fix;
} refused_options_cases[] = {
	{ { .machine = "q35,accel=kvm", .kvm = true },
		"media.conf: machine = \"q35,accel=kvm\": accel is a key of its own",
		"take accel=... out of machine; accel = \"kvm\";" },
	{ { .machine = "accel=tcg,type=q35" },
		"media.conf: machine = \"accel=tcg,type=q35\": accel is a key of its own",
		"take accel=... out of machine; accel = \"tcg\";" },
	{ { .cpu = "host,pmu=on" },
		"media.conf: cpu = \"host,pmu=on\" needs KVM, and accel = \"tcg\"",
		"cpu = \"max,pmu=on\";" },
	{ { .cpu = "max,hv-time,hv_vpindex=on,x2apic=on" },
		"media.conf: cpu = \"max,hv-time,hv_vpindex=on,x2apic=on\" needs KVM, and "
		"accel = \"tcg\"",
		"cpu = \"max,x2apic=on\";" },
	{ { .args = { "-daemonize" } }, "media.conf:90: args: -daemonize cannot be used here",
		"take it out; `vfio-sup daemon` runs VMs in the background" },
	{ { .args = { "--runas", "x" } }, "media.conf:90: args: -runas cannot be used here",
		"take it out; user = \"...\"; says who" },
	{ { .args = { "-vga", "none", "-pidfile", "/x" } },
		"media.conf:90: args: -pidfile cannot be used here",
		"take it out; `vfio-sup status` shows the pid" },
	{ { .args = { "-enable-kvm" }, .kvm = true },
		"media.conf:90: args: -enable-kvm cannot be used here",
		"take it out; accel = \"kvm\";" },
	{ { .args = { "-accel", "tcg" }, .kvm = true },
		"media.conf:90: args: -accel tcg, but accel comes to \"kvm\"", "accel = \"tcg\";" },
	{ { .args = { "-accel", "accel=kvm,x=1" } },
		"media.conf:90: args: -accel kvm,x=1, but accel comes to \"tcg\"",
		"accel = \"kvm\";" },
	{ { .args = { "-machine", "hpet=off,accel=tcg" } },
		"media.conf:90: args: -machine hpet=off,accel=tcg: accel is a key of its "
		"own",
		"accel = \"tcg\";" },
	{ { .hugepages = HUGEPAGES_2M, .size = 3 << 20 },
		"media.conf: memory.size 3145728 is no multiple of its hugepages",
		"round it to a multiple of 2M" },
	{ { .hugepages = HUGEPAGES_2M, .machine = "q35,memory-backend=m" },
		"media.conf: machine names a memory-backend, and memory.hugepages makes "
		"one",
		"use one of the two" },
};

static void test_refused_options(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(refused_options_cases); i++) {
		struct strlist argv = { 0 }, warnings = { 0 };
		struct err err = { 0 };

		assert_int_equal(
			argv_of(&refused_options_cases[i].wish, &argv, &warnings, &err), -EINVAL);
		assert_string_equal(err.text, refused_options_cases[i].text);
		assert_string_equal(err.fix, refused_options_cases[i].fix);
		assert_int_equal(argv.count + warnings.count, 0);
	}
	/* A doubled comma does not begin a key. */
	struct strlist argv = { 0 };
	assert_int_equal(
		argv_of(&(struct wish){ .machine = "q35,firmware=a,,accel=b" }, &argv, NULL, NULL),
		0);
	strlist_free(&argv);
}

static const struct launch_file files_want[] = {
	{ (char *)"/etc/rom", false, 50 },
	{ (char *)"/dev/vg/x", true, 10 },
	{ (char *)"/a,b", true, 20 },
	{ (char *)"/base", false, 20 },
	{ (char *)"/ro", false, 30 },
	{ (char *)"/q1", false, 40 },
	{ (char *)"/dev/sr0", false, 40 },
};

static void test_files(void **state)
{
	(void)state;
	const struct wish
		wish = { .groups = {
				 { SPEC_BLOCKDEVS,
					 "{\"driver\":\"raw\",\"file\":{\"driver\":\"host_"
					 "device\",\"filename\":\"/dev/vg/x\"}}" },
				 { SPEC_BLOCKDEVS,
					 "{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\","
					 "\"filename\":\"/a,b\"},\"backing\":{\"driver\":"
					 "\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":"
					 "\"/base\"}}}" },
				 { SPEC_BLOCKDEVS,
					 "{\"driver\":\"raw\",\"read-only\":\"on\",\"file\":{"
					 "\"driver\":\"file\",\"filename\":\"/ro\"}}" },
				 { SPEC_BLOCKDEVS,
					 "{\"driver\":\"quorum\",\"children\":[{\"driver\":"
					 "\"file\",\"filename\":\"/q1\",\"read-only\":true},{"
					 "\"driver\":\"host_cdrom\",\"filename\":\"/dev/sr0\"},{"
					 "\"driver\":\"nfs\",\"filename\":\"no\"},{\"driver\":"
					 "\"file\",\"filename\":\"/dev/fdset/3\"}]}" },
				 { SPEC_DEVICES,
					 VFIO "\"romfile\":\"/etc/rom\",\"filename\":\"no\"}" },
				 { SPEC_DEVICES, VFIO "\"romfile\":\"efi-e1000.rom\"}" },
			 } };
	struct launch_files files = { 0 };
	struct spec spec;

	make_spec(&wish, &spec);
	assert_int_equal(launch_files(&spec, &files), 0);
	assert_int_equal(files.count, ARRAY_SIZE(files_want));
	for (size_t i = 0; i < files.count; i++) {
		assert_string_equal(files.items[i].path, files_want[i].path);
		assert_int_equal(files.items[i].write, files_want[i].write);
		assert_int_equal(files.items[i].line, files_want[i].line);
	}
	launch_files_free(&files);
	spec_free(&spec);
}

/* What a shell reads of the printed form must be argv again: asked of the shell itself. */
static void test_format(void **state)
{
	(void)state;
	static const char *const words[] = { "/usr/bin/qemu", "-name", "a b", "-x", "", "-device",
		"{\"a\":\"it's $HOME `id` \\ %s\"}", "-n", "line\nbreak'\\\t", "-u", "\xc3\xa4" };
	struct strlist argv = { 0 };
	struct strbuf text = { 0 }, command = { 0 };
	char back[512] = "", want[512] = "";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(strlist_add(&argv, words[i]), 0);
		strcat(strcat(strcat(want, "<"), words[i]), ">");
	}
	launch_format(&argv, &text);
	assert_ptr_equal(
		strstr(text.text, "/usr/bin/qemu \\\n  -name 'a b' \\\n  -x '' \\\n"), text.text);
	strbuf_addf(&command, "/bin/bash -c \"$(cat <<'END'\nprintf '<%%s>' %sEND\n)\"", text.text);
	FILE *shell = popen(command.text, "r");
	assert_non_null(shell);
	assert_true(fread(back, 1, sizeof(back) - 1, shell) > 0);
	assert_int_equal(pclose(shell), 0);
	assert_string_equal(back, want);
	strbuf_free(&text);
	strbuf_free(&command);
	strlist_free(&argv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_cpu_when_auto_is_tcg),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
