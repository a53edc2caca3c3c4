/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the host must not sleep. */
#include "base/cleanup.h"
#include "supervisor/inhibit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_words(void **state)
{
	static const struct {
		struct inhibit_vm vms[3];
		size_t count;
		const char *words;
	} cases[] = {
		{ { { 0 } }, 0, "" },
		{ { { "a", false, true } }, 1, "" },
		{ { { "a", true, false } }, 1, "" },
		{ { { "a", true, true } }, 1, "a uses devices of this host, and would lose them" },
		{ { { "a", true, true }, { "b", true, false }, { "c", true, true } }, 3,
			"a, c use devices of this host, and would lose them" },
		{ { { "a", false, true }, { "b", true, true } }, 2,
			"b uses devices of this host, and would lose them" },
	};
	char words[INHIBIT_WORDS];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			inhibit_words(cases[i].vms, cases[i].count, words), cases[i].words);
}

static void test_many(void **state)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz012345";
	struct inhibit_vm vms[200];
	char words[INHIBIT_WORDS];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vms); i++)
		vms[i] = (struct inhibit_vm){ name, true, true };
	inhibit_words(vms, ARRAY_SIZE(vms), words);
	assert_in_range(strlen(words), 150, INHIBIT_WORDS - 1);
	assert_non_null(strstr(words, "more use devices of this host, and would lose them"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
