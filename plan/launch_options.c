/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RAM_ID     "vfio-sup-ram"
#define MONITOR_ID "vfio-sup"

/* Does "a,key=b" hold `key`? A doubled comma is part of a value. */
static bool has_key(const char *text, const char *key)
{
	size_t length = strlen(key);
	bool begins = true;

	for (; *text; text++) {
		if (begins && strncmp(text, key, length) == 0 && text[length] == '=')
			return true;
		begins = false;
		if (text[0] != ',')
			continue;
		if (text[1] == ',')
			text++;
		else
			begins = true;
	}
	return false;
}

static const char *accel_name(const struct launch *launch)
{
	return launch->host->kvm ? "kvm" : "tcg";
}

static int check_machine(const struct launch *launch)
{
	const struct spec *spec = launch->spec;

	if (has_key(spec->machine, "accel")) {
		err_set(launch->err, EINVAL, "%s: machine = \"%s\": accel is a key of its own",
			spec->file, spec->machine);
		err_fix(launch->err, "take accel=... out of machine; accel = \"%s\";",
			accel_name(launch));
		return -EINVAL;
	}
	if (spec->memory.hugepages != HUGEPAGES_OFF && has_key(spec->machine, "memory-backend")) {
		err_set(launch->err, EINVAL,
			"%s: machine names a memory-backend, and memory.hugepages makes one",
			spec->file);
		err_fix(launch->err, "use one of the two");
		return -EINVAL;
	}
	return 0;
}

static bool is_host_cpu(const char *cpu)
{
	return cpu && strncmp(cpu, "host", 4) == 0 && (cpu[4] == '\0' || cpu[4] == ',');
}

/* The Hyper-V features are KVM's. Under TCG QEMU 7.2 ignores them, but dies of hv-vpindex. */
static bool is_hyperv(const char *feature)
{
	return strncmp(feature, "hv-", 3) == 0 || strncmp(feature, "hv_", 3) == 0;
}

static bool has_vpindex(const char *cpu)
{
	for (const char *at = cpu; (at = strchr(at, ','));) {
		at++;
		if (is_hyperv(at) && strncmp(at + 3, "vpindex", 7) == 0)
			return strncmp(at + 10, "=off", 4) != 0;
	}
	return false;
}

/* The nearest that TCG has to a CPU that was meant for KVM. */
static void add_tcg_cpu(struct strbuf *text, const char *cpu)
{
	size_t n = strcspn(cpu, ",");

	if (is_host_cpu(cpu))
		strbuf_add(text, "max");
	else
		strbuf_add_bytes(text, cpu, n);
	for (cpu += n; *cpu == ','; cpu += n) {
		n = 1 + strcspn(cpu + 1, ",");
		if (!is_hyperv(cpu + 1))
			strbuf_add_bytes(text, cpu, n);
	}
}

static int check_cpu(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	struct strbuf instead = { 0 };

	if (launch->host->kvm || spec->accel == ACCEL_AUTO || !spec->cpu ||
		!(is_host_cpu(spec->cpu) || has_vpindex(spec->cpu)))
		return 0;
	add_tcg_cpu(&instead, spec->cpu);
	err_set(launch->err, EINVAL, "%s: cpu = \"%s\" needs KVM, and accel = \"tcg\"", spec->file,
		spec->cpu);
	err_fix(launch->err, "cpu = \"%s\";", instead.failed ? "max" : instead.text);
	strbuf_free(&instead);
	return -EINVAL;
}

/* Options that cannot work below a supervisor. */
static int check_args(const struct launch *launch)
{
	static const struct {
		const char *option, *why, *fix;
	} bad[] = {
		{ "daemonize", "the supervisor holds on to QEMU's process and places its threads",
			"take it out; `vfio-sup daemon` runs VMs in the background" },
		{ "runas", "QEMU is already its own user when it starts",
			"take it out; user = \"...\"; says who" },
		{ "pidfile", "the supervisor knows the pid, and QEMU's user may not write to /run",
			"take it out; `vfio-sup status` shows the pid" },
		{ "enable-kvm", "QEMU refuses it beside -accel", "take it out; accel = \"kvm\";" },
	};
	const struct spec *spec = launch->spec;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (launch_find_arg(spec, bad[i].option) < 0)
			continue;
		launch_refuse(
			launch, spec->line_args, "args: -%s cannot be used here", bad[i].option);
		err_why(launch->err, "%s", bad[i].why);
		err_fix(launch->err, "%s", bad[i].fix);
		return -EINVAL;
	}
	return 0;
}

/* The accelerator that args name: NULL if they do not. *ret_length: of its name. */
static const char *arg_accel(const struct spec *spec, size_t *ret_length)
{
	int i = launch_find_arg(spec, "accel");

	if (i < 0 || (size_t)i + 1 >= spec->args.count)
		return NULL;
	const char *name = spec->args.items[i + 1];
	if (strncmp(name, "accel=", 6) == 0)
		name += 6;
	*ret_length = strcspn(name, ",");
	return name;
}

/* QEMU takes the first -accel that works: another one in args would be ignored in silence. */
static int check_arg_accel(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	const char *ours = accel_name(launch);
	size_t length = 0;
	const char *name = arg_accel(spec, &length);

	if (!name || (length == strlen(ours) && strncmp(name, ours, length) == 0))
		return 0;
	launch_refuse(
		launch, spec->line_args, "args: -accel %s, but accel comes to \"%s\"", name, ours);
	err_fix(launch->err, "accel = \"%.*s\";", (int)length, name);
	return -EINVAL;
}

static int check_arg_machine(const struct launch *launch)
{
	static const char *const options[] = { "machine", "M" };
	const struct spec *spec = launch->spec;

	for (size_t o = 0; o < ARRAY_SIZE(options); o++) {
		int i = launch_find_arg(spec, options[o]);
		if (i < 0 || (size_t)i + 1 >= spec->args.count ||
			!has_key(spec->args.items[i + 1], "accel"))
			continue;
		launch_refuse(launch, spec->line_args, "args: -%s %s: accel is a key of its own",
			options[o], spec->args.items[i + 1]);
		err_fix(launch->err, "accel = \"%s\";", accel_name(launch));
		return -EINVAL;
	}
	return 0;
}

static int check_memory(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	uint64_t page = spec->memory.hugepages == HUGEPAGES_1G ? 1ull << 30 : 2ull << 20;

	if (spec->memory.hugepages == HUGEPAGES_OFF || spec->memory.size % page == 0)
		return 0;
	err_set(launch->err, EINVAL, "%s: memory.size %" PRIu64 " is no multiple of its hugepages",
		spec->file, spec->memory.size);
	err_fix(launch->err, "round it to a multiple of %s", page == 2ull << 20 ? "2M" : "1G");
	return -EINVAL;
}

int launch_check_options(const struct launch *launch)
{
	int (*const checks[])(const struct launch *) = {
		check_machine,
		check_cpu,
		check_args,
		check_arg_accel,
		check_arg_machine,
		check_memory,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(checks); i++)
		r = checks[i](launch);
	return r;
}

/* The argv under construction; the first error stays. */
struct words {
	struct launch *launch;
	int r;
};

static void add(struct words *words, const char *text)
{
	if (words->r == 0)
		words->r = strlist_add(&words->launch->argv, text);
}

static void add_taken(struct words *words, char *text)
{
	if (words->r < 0)
		free(text);
	else
		words->r = strlist_take(&words->launch->argv, text);
}

static void addf(struct words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void addf(struct words *words, const char *format, ...)
{
	struct strbuf text = { 0 };
	va_list args;

	va_start(args, format);
	strbuf_vaddf(&text, format, args);
	va_end(args);
	add_taken(words, strbuf_take(&text));
}

static void add_accel(struct words *words)
{
	if (launch_find_arg(words->launch->spec, "accel") >= 0)
		return;
	add(words, "-accel");
	add(words, accel_name(words->launch));
}

static void warn(struct words *words, char *text)
{
	if (words->r < 0)
		free(text);
	else
		words->r = strlist_take(&words->launch->warnings, text);
}

/* accel = "auto" came to TCG: what needs KVM is left out, aloud. */
static void add_cpu_for_tcg(struct words *words)
{
	const struct spec *spec = words->launch->spec;
	struct strbuf cpu = { 0 }, warning = { 0 };

	add_tcg_cpu(&cpu, spec->cpu);
	if (!cpu.failed && strcmp(cpu.text, spec->cpu) != 0) {
		strbuf_addf(&warning,
			"%s: cpu = \"%s\" needs KVM, which does not work here: \"%s\" instead",
			spec->file, spec->cpu, cpu.text);
		warn(words, strbuf_take(&warning));
	}
	add_taken(words, strbuf_take(&cpu));
}

static void add_cpu(struct words *words)
{
	const struct spec *spec = words->launch->spec;
	bool kvm = words->launch->host->kvm;

	/* "-machine none" has no CPU and dies of one. */
	if (!spec->cpu && strcmp(spec->machine, "none") == 0)
		return;
	add(words, "-cpu");
	if (!spec->cpu)
		add(words, kvm ? "host" : "max");
	else if (!kvm && spec->accel == ACCEL_AUTO)
		add_cpu_for_tcg(words);
	else
		add(words, spec->cpu);
}

static bool has_vfio(const struct launch *launch)
{
	const struct launch_groups *devices = &launch->lists[SPEC_DEVICES];

	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(launch_owner(SPEC_DEVICES, devices->items[i].object), "vfio-pci") == 0)
			return true;
	return false;
}

static void add_memory(struct words *words)
{
	const struct spec *spec = words->launch->spec;
	uint64_t size = spec->memory.size;
	bool lock =
		spec->memory.lock || (!(spec->said & SAID_MEMORY_LOCK) && has_vfio(words->launch));

	add(words, "-m");
	if (size % (1 << 20) == 0)
		addf(words, "%" PRIu64 "M", size >> 20);
	else
		addf(words, "%" PRIu64 "B", size);
	if (lock) {
		add(words, "-overcommit");
		add(words, "mem-lock=on");
	}
	if (spec->memory.hugepages == HUGEPAGES_OFF)
		return;
	add(words, "-object");
	addf(words,
		"{\"qom-type\":\"memory-backend-memfd\",\"id\":\"" RAM_ID "\",\"size\":%" PRIu64
		",\"hugetlb\":true,\"hugetlbsize\":%llu}",
		size, spec->memory.hugepages == HUGEPAGES_1G ? 1ull << 30 : 2ull << 20);
	add(words, "-machine");
	add(words, "memory-backend=" RAM_ID);
}

static void add_groups(struct words *words, enum spec_list list, const char *option)
{
	const struct launch_groups *groups = &words->launch->lists[list];

	for (size_t i = 0; i < groups->count; i++) {
		add(words, option);
		add_taken(words, json_dumps(groups->items[i].object, JSON_COMPACT));
	}
}

static void add_actions(struct words *words)
{
	const struct spec *spec = words->launch->spec;
	/* Paused, the guest stays as it is until the supervisor has decided; with "none" it writes
	 * its dump and reboots. */
	const char *panic = spec->on_panic == ON_PANIC_WAIT ? "none" : "pause";
	const char *reboot = spec->on_reboot == ON_REBOOT_RESTART ? "reboot=shutdown," : "";

	add(words, "-action");
	addf(words, "%sshutdown=poweroff,panic=%s", reboot, panic);
}

static void add_monitor(struct words *words)
{
	const char *socket = words->launch->host->qmp_socket;
	struct strbuf text = { 0 };

	strbuf_add(&text, "socket,id=" MONITOR_ID);
	if (strncmp(socket, "fd:", 3) == 0) {
		strbuf_addf(&text, ",fd=%s", socket + 3);
	} else {
		strbuf_add(&text, ",path=");
		for (const char *c = socket; *c; c++)
			strbuf_add(&text, (char[3]){ *c, *c == ',' ? ',' : '\0', '\0' });
	}
	strbuf_add(&text, ",server=on,wait=off");
	add(words, "-chardev");
	add_taken(words, strbuf_take(&text));
	add(words, "-mon");
	add(words, "chardev=" MONITOR_ID ",mode=control");
}

int launch_write_options(struct launch *launch)
{
	struct words words = { launch, 0 };
	const struct spec *spec = launch->spec;
	static const char *const fixed[] = { "-nodefaults", "-no-user-config", "-display", "none",
		"-S" };

	add(&words, spec->binary);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		add(&words, fixed[i]);
	add(&words, "-name");
	addf(&words, "guest=%s,debug-threads=on", spec->name);
	add(&words, "-sandbox");
	add(&words, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	add(&words, "-machine");
	add(&words, spec->machine);
	add_accel(&words);
	add_cpu(&words);
	add(&words, "-smp");
	add(&words, spec->smp);
	add_memory(&words);
	add_actions(&words);
	add_monitor(&words);
	add_groups(&words, SPEC_OBJECTS, "-object");
	add_groups(&words, SPEC_BLOCKDEVS, "-blockdev");
	add_groups(&words, SPEC_NETDEVS, "-netdev");
	add_groups(&words, SPEC_DEVICES, "-device");
	for (size_t i = 0; i < spec->args.count; i++)
		add(&words, spec->args.items[i]);
	return words.r;
}
