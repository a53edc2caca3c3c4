/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef METRICS_PROM_H
#define METRICS_PROM_H

#include "base/strbuf.h"
#include "metrics/latency.h"

enum prom_type { PROM_COUNTER, PROM_GAUGE, PROM_HISTOGRAM };

/* Writes Prometheus text format 0.0.4, family by family. Names come without the prefix
 * "vfio_sup_" unless they begin with "process_". */
struct prom {
	struct strbuf text;
	char family[96]; /* the one being written */
};

/* Begins a family: its HELP and TYPE lines. */
void prom_family(struct prom *prom, const char *name, enum prom_type type, const char *help);

/* One sample of the family. `labels`: NULL-terminated list of pairs, name, value, name, value, NULL;
 * values are escaped (\, ", newline) and may hold any UTF-8. */
void prom_value(struct prom *prom, double value, const char *const *labels);

/* All lines of one histogram series: cumulative buckets, _sum in seconds, _count. */
void prom_histogram(
	struct prom *prom, const struct histogram *histogram, const char *const *labels);

#define PROM_LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define PROM_NO_LABELS   ((const char *const[]){ NULL })

#endif
