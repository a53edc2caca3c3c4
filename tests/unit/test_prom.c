/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prometheus text, judged by Prometheus' own tool. */
#include "base/cleanup.h"
#include "metrics/prom.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_text(void **state)
{
	struct prom prom = { 0 };

	(void)state;
	prom_family(&prom, "vm_info", PROM_GAUGE, "a\\b\nc");
	prom_value(&prom, 1, PROM_LABELS("vm", "a\"b\\c\nd", "accel", "tcg"));
	prom_family(&prom, "process_open_fds", PROM_GAUGE, "x");
	prom_value(&prom, 12, PROM_NO_LABELS);
	assert_string_equal(prom.text.text,
		"# HELP vfio_sup_vm_info a\\\\b\\nc\n# TYPE vfio_sup_vm_info gauge\n"
		"vfio_sup_vm_info{vm=\"a\\\"b\\\\c\\nd\",accel=\"tcg\"} 1\n"
		"# HELP process_open_fds x\n# TYPE process_open_fds gauge\nprocess_open_fds 12\n");
	strbuf_free(&prom.text);
}

static void test_numbers(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1764000000, "1764000000" },
		{ 9007199254740991, "9007199254740991" },
		{ 0.00025, "0.00025" },
		{ 1.5, "1.5" },
		{ INFINITY, "+Inf" },
		{ NAN, "NaN" },
	};
	char line[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prom prom = { .family = "x" };

		prom_value(&prom, cases[i].value, PROM_NO_LABELS);
		snprintf(line, sizeof(line), "x %s\n", cases[i].text);
		assert_string_equal(prom.text.text, line);
		strbuf_free(&prom.text);
	}
}

static void test_histogram(void **state)
{
	struct prom prom = { 0 };
	struct histogram histogram = { 0 };

	(void)state;
	histogram_observe(&histogram, 5000, 2);
	histogram_observe(&histogram, 2000000, 1);
	histogram_observe(&histogram, 5000000000, 1);
	prom_family(&prom, "vcpu_sched_latency_seconds", PROM_HISTOGRAM, "h");
	prom_histogram(&prom, &histogram, PROM_LABELS("vcpu", "0"));
	assert_non_null(strstr(prom.text.text, "_bucket{vcpu=\"0\",le=\"1e-05\"} 2\n"));
	assert_non_null(strstr(prom.text.text, "_bucket{vcpu=\"0\",le=\"0.001\"} 2\n"));
	assert_non_null(strstr(prom.text.text, "_bucket{vcpu=\"0\",le=\"0.0025\"} 3\n"));
	assert_non_null(strstr(prom.text.text, "_bucket{vcpu=\"0\",le=\"+Inf\"} 4\n"));
	assert_non_null(strstr(prom.text.text, "_sum{vcpu=\"0\"} 5.00201\n"));
	assert_non_null(strstr(prom.text.text, "_count{vcpu=\"0\"} 4\n"));
	strbuf_free(&prom.text);
}

static void test_promtool(void **state)
{
	struct prom prom = { 0 };
	struct histogram histogram = { 0 };

	(void)state;
	if (access("/usr/bin/promtool", X_OK) != 0) {
		print_message("promtool is not here: skipped\n");
		skip();
	}
	histogram_observe(&histogram, 5000, 2);
	prom_family(&prom, "vcpu_stalls_total", PROM_COUNTER, "Stalls");
	prom_value(&prom, 3, PROM_LABELS("vm", "we\"ird\\\n", "vcpu", "0"));
	prom_family(&prom, "vcpu_sched_latency_seconds", PROM_HISTOGRAM, "Waits");
	prom_histogram(&prom, &histogram, PROM_LABELS("vm", "a", "vcpu", "0"));
	prom_histogram(&prom, &histogram, PROM_NO_LABELS);
	FILE *tool = popen("/usr/bin/promtool check metrics", "w");
	assert_non_null(tool);
	fwrite(prom.text.text, 1, prom.text.length, tool);
	assert_int_equal(pclose(tool), 0);
	tool = popen("/usr/bin/promtool check metrics 2>/dev/null", "w");
	fputs("this is no metric\n", tool);
	assert_int_not_equal(pclose(tool), 0);
	strbuf_free(&prom.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_promtool),
	};

	return cmocka_run_group_tests_name("prom", tests, NULL, NULL);
}
