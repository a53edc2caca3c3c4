/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/cpu_flags.h"
#include "config/reader.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <string.h>

static int fail_at(struct reader *reader, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail_at(struct reader *reader, const char *path, const char *format, ...)
{
	int line = reader_line(reader, path);
	va_list args;

	va_start(args, format);
	conf_vfail(reader->text, reader->err, line ? line : 1, path, format, args);
	va_end(args);
	return -EINVAL;
}

static int check_vcpu_count(struct reader *reader)
{
	const struct spec *spec = reader->spec;
	size_t count = spec->cpus.vcpu_count;

	if (!spec->cpus.vcpu || (count >= spec->vcpus && count <= spec->maxcpus))
		return 0;
	if (count < spec->vcpus) {
		fail_at(reader, "cpus.vcpu", "%zu CPU%s for %u vCPUs (smp = \"%s\")", count,
			count == 1 ? "" : "s", spec->vcpus, spec->smp);
		err_fix(reader->err,
			"name %u CPUs, in the order of the vCPUs, or ask for fewer in smp",
			spec->vcpus);
	} else {
		fail_at(reader, "cpus.vcpu", "%zu CPUs for %s%u vCPU%s (smp = \"%s\")", count,
			spec->maxcpus > spec->vcpus ? "at most " : "", spec->maxcpus,
			spec->maxcpus == 1 ? "" : "s", spec->smp);
		err_fix(reader->err, "name %u, or ask for more in smp", spec->maxcpus);
	}
	return -EINVAL;
}

/* A real-time vCPU that spins leaves nothing to what shares its CPU, and waits for it. */
static int check_real_time(struct reader *reader, const char *path, const struct cpuset *others)
{
	const struct spec *spec = reader->spec;

	if (spec->cpus.policy != SPEC_POLICY_FIFO && spec->cpus.policy != SPEC_POLICY_RR)
		return 0;
	for (size_t i = 0; i < spec->cpus.vcpu_count; i++) {
		if (!cpuset_has(others, spec->cpus.vcpu[i]))
			continue;
		fail_at(reader, path, "CPU %d is also vCPU %zu's, which has policy \"%s\"",
			spec->cpus.vcpu[i], i,
			spec->cpus.policy == SPEC_POLICY_FIFO ? "fifo" : "rr");
		err_why(reader->err, "a busy real-time vCPU would starve QEMU itself there");
		err_fix(reader->err,
			"name other CPUs, leave the key out, or take policy = \"auto\";");
		return -EINVAL;
	}
	return 0;
}

static int check_cpu_flags(struct reader *reader)
{
	const struct spec *spec = reader->spec;
	const char *flag, *needs;

	if (!spec->cpu || spec->accel == ACCEL_TCG || cpu_flags_complete(spec->cpu, &flag, &needs))
		return 0;
	fail_at(reader, "cpu", "%s without %s, which KVM refuses", flag, needs);
	err_fix(reader->err, "add %s: cpu = \"%s,%s\";", needs, spec->cpu, needs);
	return -EINVAL;
}

static int check_restart(struct reader *reader)
{
	const struct spec *spec = reader->spec;
	char delay[32], most[32];

	if (spec->restart.delay_ns <= spec->restart.max_delay_ns)
		return 0;
	bool said = reader_line(reader, "restart.max_delay") > 0;
	num_format_duration(spec->restart.delay_ns, delay, sizeof(delay));
	num_format_duration(spec->restart.max_delay_ns, most, sizeof(most));
	fail_at(reader, said ? "restart.max_delay" : "restart.delay",
		"max_delay (%s) is less than delay (%s)", most, delay);
	err_fix(reader->err, "max_delay = \"%s\"; or more", delay);
	return -EINVAL;
}

static int check_hugepages(struct reader *reader)
{
	const struct spec *spec = reader->spec;
	uint64_t page = spec->memory.hugepages == HUGEPAGES_1G ? 1ull << 30 : 1ull << 21;
	char size[32];

	if (spec->memory.hugepages == HUGEPAGES_OFF || spec->memory.size % page == 0)
		return 0;
	fail_at(reader, "memory.size", "%s is not a multiple of the hugepages' size (%s)",
		num_format_size(spec->memory.size, size, sizeof(size)),
		page == 1ull << 30 ? "1G" : "2M");
	uint64_t whole = (spec->memory.size / page + 1) * page;
	err_fix(reader->err, "size = \"%s\";", num_format_size(whole, size, sizeof(size)));
	return -EINVAL;
}

static int check_metrics(struct reader *reader)
{
	if (!config_setting_get_member(reader->root, "metrics") || reader->spec->metrics_listen)
		return 0;
	fail_at(reader, "metrics", "listen is missing");
	err_fix(reader->err, "metrics = { listen = \"127.0.0.1:9848\"; };");
	return -EINVAL;
}

static bool has_vfio_device(const config_setting_t *root)
{
	const config_setting_t *devices = config_setting_get_member(root, "devices");
	int count = devices ? config_setting_length(devices) : 0;

	for (unsigned i = 0; i < (unsigned)count; i++) {
		const config_setting_t *driver =
			config_setting_get_member(config_setting_get_elem(devices, i), "driver");

		if (driver && strncmp(setting_text(driver), "vfio-pci", 8) == 0)
			return true;
	}
	return false;
}

/* In args anything goes: `-device vfio-pci,...`. */
static bool has_vfio_arg(const struct spec *spec)
{
	for (size_t i = 0; i < spec->args.count; i++)
		if (strncmp(spec->args.items[i], "vfio-pci", 8) == 0)
			return true;
	return false;
}

int conf_check_spec(struct reader *reader)
{
	struct spec *spec = reader->spec;

	spec->cpus.line_policy = reader_line(reader, "cpus.policy");
	spec->vfio = has_vfio_device(reader->root);
	/* VFIO pins the guest's memory anyway. */
	if (!(spec->said & SAID_MEMORY_LOCK) && spec->vfio)
		spec->memory.lock = true;
	spec->vfio |= has_vfio_arg(spec);
	int r = check_vcpu_count(reader);
	if (r == 0)
		r = check_real_time(reader, "cpus.emulator", &spec->cpus.emulator);
	if (r == 0)
		r = check_real_time(reader, "cpus.iothread", &spec->cpus.iothread);
	if (r == 0)
		r = check_cpu_flags(reader);
	if (r == 0)
		r = check_restart(reader);
	if (r == 0)
		r = check_hugepages(reader);
	return r == 0 ? check_metrics(reader) : r;
}
