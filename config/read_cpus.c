/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/reader.h"
#include "config/smp.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int *line_field(struct spec *spec, const char *key)
{
	switch (key[0]) {
	case 'v':
		return &spec->cpus.line_vcpu;
	case 'e':
		return &spec->cpus.line_emulator;
	default:
		return &spec->cpus.line_iothread;
	}
}

int read_smp(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	struct spec *spec = reader->spec;
	struct err inner = { 0 };
	int r = read_text(reader, key, setting);

	if (r == 0 && smp_parse(spec->smp, &spec->vcpus, &spec->maxcpus, &inner) < 0)
		r = setting_fail_by(reader, setting, &inner);
	return r;
}

/* The reason why cpuset_parse or the same for an ordered list refused `text`. */
static int fail_list(struct reader *reader, const struct key *key, const config_setting_t *setting,
	const char *text, int r)
{
	char packed[64];
	size_t n = 0;

	if (r == -ENOMEM)
		return reader_no_memory(reader);
	for (const char *at = text; *at && n < sizeof(packed) - 1; at++)
		if (*at != ' ' && *at != '\t')
			packed[n++] = *at;
	packed[n] = '\0';
	struct cpuset set;
	bool blanks = n < strlen(text) && cpuset_parse(packed, &set) == 0;
	if (r == -ERANGE)
		setting_fail(reader, setting, "\"%s\": CPUs are numbered 0 to %d", text,
			CPUSET_CPUS - 1);
	else if (blanks)
		setting_fail(reader, setting, "\"%s\": a CPU list has no blanks", text);
	else
		setting_fail(reader, setting, "\"%s\" is not a list of CPUs", text);
	if (blanks && r != -ERANGE)
		err_fix(reader->err, "%s = \"%s\";", key->name, packed);
	else
		err_fix(reader->err,
			"numbers and rising ranges with commas between, for example %s = %s;",
			key->name, key->example);
	return -EINVAL;
}

static const char *cpu_text(
	struct reader *reader, const struct key *key, const config_setting_t *setting)
{
	const char *text = setting_text(setting);
	int type = config_setting_type(setting);

	if (!text) {
		setting_fail_type(reader, key, setting, "a list of CPUs as text");
		if (type == CONFIG_TYPE_INT)
			err_fix(reader->err, "%s = \"%d\";", key->name,
				config_setting_get_int(setting));
	} else if (!*text) {
		setting_fail(reader, setting, "no CPU in it");
		err_fix(reader->err, "leave the key out for its default, or for example %s = %s;",
			key->name, key->example);
	}
	return text && *text ? text : NULL;
}

int read_cpus(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *text = cpu_text(reader, key, setting);

	if (!text)
		return -EINVAL;
	int r = cpuset_parse(text, key_field(reader, key));
	if (r < 0)
		return fail_list(reader, key, setting, text, r);
	*line_field(reader->spec, key->name) = setting_line(setting);
	return 0;
}

struct cpu_order {
	int cpus[CPUSET_CPUS];
	size_t count;
	struct cpuset seen;
	int twice; /* a CPU that was named before; -1: none */
};

static int add_range(struct cpu_order *order, const char *item)
{
	struct cpuset range;
	int r = cpuset_parse(item, &range);

	if (r < 0)
		return r;
	cpuset_for_each (cpu, &range) {
		if (cpuset_has(&order->seen, cpu)) {
			order->twice = cpu;
			return 0;
		}
		cpuset_add(&order->seen, cpu);
		order->cpus[order->count++] = cpu;
	}
	return 0;
}

/* Unlike cpuset_parse keeps the order: "3,2" puts vCPU 0 on CPU 3. */
static int parse_order(const char *text, struct cpu_order *order)
{
	char *copy AUTO_FREE = strdup(text);
	char *rest = copy;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && rest && order->twice < 0) {
		char *item = strsep(&rest, ",");

		r = *item ? add_range(order, item) : -EINVAL;
	}
	return r;
}

static int store_order(struct reader *reader, const struct cpu_order *order)
{
	struct spec *spec = reader->spec;

	spec->cpus.vcpu = malloc(order->count * sizeof(*order->cpus));
	if (!spec->cpus.vcpu)
		return reader_no_memory(reader);
	memcpy(spec->cpus.vcpu, order->cpus, order->count * sizeof(*order->cpus));
	spec->cpus.vcpu_count = order->count;
	spec->said |= SAID_VCPU;
	return 0;
}

int read_vcpu(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *text = cpu_text(reader, key, setting);
	struct cpu_order order = { .twice = -1 };

	if (!text)
		return -EINVAL;
	*line_field(reader->spec, key->name) = setting_line(setting);
	if (strcmp(text, "auto") == 0)
		return 0;
	int r = parse_order(text, &order);
	if (r < 0)
		return fail_list(reader, key, setting, text, r);
	if (order.twice >= 0) {
		setting_fail(reader, setting, "CPU %d is named twice", order.twice);
		err_fix(reader->err, "each vCPU needs a CPU of its own, for example %s = %s;",
			key->name, key->example);
		return -EINVAL;
	}
	return store_order(reader, &order);
}
