/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/smp.h"
#include "config/nearest.h"
#include "model/spec.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <string.h>

enum smp_item { SMP_CPUS, SMP_MAXCPUS, SMP_SOCKETS, SMP_CORES, SMP_THREADS };

static const char *const names[] = { "cpus", "maxcpus", "sockets", "cores", "threads", "dies",
	"clusters", "modules", "books", "drawers" };

static const char example[] = "smp = \"2,sockets=1,cores=2,threads=1\";";

static int fail(struct err *err, const char *words, const char *item)
{
	err_set(err, EINVAL, "\"%s\" %s", item, words);
	err_fix(err, "for example %s", example);
	return -EINVAL;
}

static int fail_name(struct err *err, const char *name)
{
	const char *near = nearest_name(name, names, ARRAY_SIZE(names));

	err_set(err, EINVAL, "\"%s\" is not known to -smp", name);
	if (near)
		err_fix(err, "did you mean %s?", near);
	else
		err_fix(err, "for example %s", example);
	return -EINVAL;
}

/* One "cores=2", or a number alone at the beginning, into values[]. */
static int parse_item(char *item, bool first, long *values, struct err *err)
{
	char *equals = strchr(item, '=');
	const char *name = "cpus", *number = item;
	size_t i = 0;

	if (equals) {
		*equals = '\0';
		name = item;
		number = equals + 1;
	} else if (!first) {
		return fail(err, "has no =", item);
	}
	while (i < ARRAY_SIZE(names) && strcmp(names[i], name) != 0)
		i++;
	if (i == ARRAY_SIZE(names))
		return fail_name(err, name);
	if (values[i])
		return fail(err, "is given twice", name);
	if (num_parse_long(number, 1, SPEC_VCPUS_MAX, &values[i]) < 0) {
		err_set(err, EINVAL, "\"%s\" is not a number from 1 to %d", number, SPEC_VCPUS_MAX);
		err_fix(err, "for example %s", example);
		return -EINVAL;
	}
	return 0;
}

/* QEMU fills in the parts of the topology that were not said; their product has to be maxcpus. */
static int complete(long *values, struct err *err)
{
	bool whole = values[SMP_SOCKETS] && values[SMP_CORES] && values[SMP_THREADS];
	long product = 1;

	for (size_t i = SMP_SOCKETS; i < ARRAY_SIZE(names); i++) {
		product *= values[i] ? values[i] : 1;
		if (product > SPEC_VCPUS_MAX) {
			err_set(err, EINVAL, "more than %d vCPUs", SPEC_VCPUS_MAX);
			err_fix(err, "for example %s", example);
			return -EINVAL;
		}
	}
	if (!values[SMP_MAXCPUS])
		values[SMP_MAXCPUS] = whole || !values[SMP_CPUS] ? product : values[SMP_CPUS];
	if (!values[SMP_CPUS])
		values[SMP_CPUS] = values[SMP_MAXCPUS];
	long max = values[SMP_MAXCPUS];
	if (whole ? product != max : max % product != 0) {
		err_set(err, EINVAL, "sockets, cores and threads make %ld, not %ld vCPUs", product,
			max);
		err_fix(err,
			"their product has to be the number of vCPUs (maxcpus if it is given)");
		return -EINVAL;
	}
	if (max < values[SMP_CPUS]) {
		err_set(err, EINVAL, "%ld vCPUs, but at most %ld", values[SMP_CPUS], max);
		err_fix(err, "raise maxcpus or the topology, or lower the number of vCPUs");
		return -EINVAL;
	}
	return 0;
}

int smp_parse(const char *text, unsigned *ret_vcpus, unsigned *ret_maxcpus, struct err *err)
{
	long values[ARRAY_SIZE(names)] = { 0 };
	char *copy AUTO_FREE = strdup(text);
	char *rest = copy;

	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	for (bool first = true; rest; first = false) {
		char *item = strsep(&rest, ",");
		int r = parse_item(item, first, values, err);

		if (r < 0)
			return r;
	}
	int r = complete(values, err);
	if (r < 0)
		return r;
	*ret_vcpus = (unsigned)values[SMP_CPUS];
	*ret_maxcpus = (unsigned)values[SMP_MAXCPUS];
	return 0;
}
