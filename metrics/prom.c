/* SPDX-License-Identifier: GPL-2.0-or-later */
/* https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4 */
#include "metrics/prom.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_escaped(struct strbuf *text, const char *value, bool quotes)
{
	for (; *value; value++) {
		if (*value == '\n')
			strbuf_add(text, "\\n");
		else if (*value == '\\')
			strbuf_add(text, "\\\\");
		else if (*value == '"' && quotes)
			strbuf_add(text, "\\\"");
		else
			strbuf_add_bytes(text, value, 1);
	}
}

static void put_labels(struct strbuf *text, const char *const *labels, const char *le)
{
	const char *separator = "{";

	for (; labels[0]; labels += 2) {
		strbuf_addf(text, "%s%s=\"", separator, labels[0]);
		put_escaped(text, labels[1], true);
		strbuf_add(text, "\"");
		separator = ",";
	}
	if (le) {
		strbuf_addf(text, "%sle=\"%s\"", separator, le);
		separator = ",";
	}
	if (separator[0] == ',')
		strbuf_add(text, "}");
}

static void put_number(struct strbuf *text, double value)
{
	if (isnan(value))
		strbuf_add(text, "NaN");
	else if (isinf(value))
		strbuf_add(text, value > 0 ? "+Inf" : "-Inf");
	else if (fabs(value) < 9007199254740992.0 && floor(value) == value)
		strbuf_addf(text, "%.0f", value);
	else
		strbuf_addf(text, "%.12g", value);
}

void prom_family(struct prom *prom, const char *name, enum prom_type type, const char *help)
{
	static const char *const types[] = {
		[PROM_COUNTER] = "counter",
		[PROM_GAUGE] = "gauge",
		[PROM_HISTOGRAM] = "histogram",
	};
	bool standard = strncmp(name, "process_", 8) == 0;

	snprintf(prom->family, sizeof(prom->family), "%s%s", standard ? "" : "vfio_sup_", name);
	strbuf_addf(&prom->text, "# HELP %s ", prom->family);
	put_escaped(&prom->text, help, false);
	strbuf_addf(&prom->text, "\n# TYPE %s %s\n", prom->family, types[type]);
}

static void put_sample(struct prom *prom, const char *suffix, const char *const *labels,
	const char *le, double value)
{
	strbuf_addf(&prom->text, "%s%s", prom->family, suffix);
	put_labels(&prom->text, labels, le);
	strbuf_add(&prom->text, " ");
	put_number(&prom->text, value);
	strbuf_add(&prom->text, "\n");
}

void prom_value(struct prom *prom, double value, const char *const *labels)
{
	put_sample(prom, "", labels, NULL, value);
}

void prom_histogram(struct prom *prom, const struct histogram *histogram, const char *const *labels)
{
	uint64_t sum = 0;
	char le[32];

	/* _count is the sum of what was read, so that the page agrees with itself while it is written. */
	for (int i = 0; i <= LATENCY_BUCKETS; i++) {
		sum += histogram->buckets[i];
		if (i < LATENCY_BUCKETS)
			snprintf(le, sizeof(le), "%g", latency_bounds[i]);
		put_sample(prom, "_bucket", labels, i < LATENCY_BUCKETS ? le : "+Inf", (double)sum);
	}
	put_sample(prom, "_sum", labels, NULL, (double)histogram->sum_ns / 1e9);
	put_sample(prom, "_count", labels, NULL, (double)sum);
}
