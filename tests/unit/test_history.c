/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RUN_DIR/NAME.log. */
#include "base/cleanup.h"
#include "supervisor/history.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char dir[64];
static struct history history;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/vfio-sup-history-XXXXXX");
	assert_non_null(mkdtemp(dir));
	history.run_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(history.run_fd >= 0);
	log_keep(history_keep, &history);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	log_keep(NULL, NULL);
	history_remove(history.run_fd, "a");
	history_remove(history.run_fd, "b");
	close(history.run_fd);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void test_lines(void **state)
{
	AUTO_STRBUF struct strbuf text = { 0 };
	struct history_place place = { 0 };

	(void)state;
	assert_int_equal(history_read(history.run_fd, "a", &place, &text), -ENOENT);
	log_info("a", "one");
	log_warning("a", "two\nlines");
	log_info(NULL, "of nobody");
	log_info("b", "of another");
	assert_int_equal(history_read(history.run_fd, "a", &place, &text), 0);
	assert_non_null(strstr(text.text, "   one\n"));
	assert_non_null(strstr(text.text, " ! two lines\n"));
	assert_null(strstr(text.text, "of "));
	strbuf_free(&text);
	assert_int_equal(history_read(history.run_fd, "a", &place, &text), 0);
	assert_null(text.text);
	log_info("a", "three");
	assert_int_equal(history_read(history.run_fd, "a", &place, &text), 0);
	assert_non_null(strstr(text.text, "three\n"));
	assert_null(strstr(text.text, "one"));
}

/* Whoever follows misses nothing, and what is kept has its bound. */
static void test_begun_anew(void **state)
{
	AUTO_STRBUF struct strbuf followed = { 0 }, all = { 0 };
	struct history_place place = { 0 }, from_start = { 0 };
	char words[1024], wanted[32];
	struct stat st;

	(void)state;
	memset(words, 'x', sizeof(words));
	for (int i = 0; i < 150; i++) {
		snprintf(words, sizeof(words), "line %d %0900d", i, i);
		history_keep(&history, LOG_LEVEL_INFO, "a", words);
		if (i % 10 == 9)
			assert_int_equal(history_read(history.run_fd, "a", &place, &followed), 0);
	}
	for (int i = 0; i < 150; i++) {
		snprintf(wanted, sizeof(wanted), " line %d 0", i);
		assert_non_null(strstr(followed.text, wanted));
		assert_null(strstr(strstr(followed.text, wanted) + 1, wanted));
	}
	assert_int_equal(history_read(history.run_fd, "a", &from_start, &all), 0);
	assert_null(strstr(all.text, " line 0 0"));
	assert_non_null(strstr(all.text, " line 149 0"));
	assert_int_equal(fstatat(history.run_fd, "a.log.1", &st, 0), 0);
	assert_in_range(st.st_size, 64 << 10, 66 << 10);
	assert_in_range(all.length, 64 << 10, 132 << 10);
}

/* Nothing that is there is followed or waited for. */
static void test_odd_files(void **state)
{
	AUTO_STRBUF struct strbuf text = { 0 };
	struct history_place place = { 0 };
	char name[80];

	(void)state;
	assert_int_equal(symlinkat("elsewhere", history.run_fd, "a.log"), 0);
	log_info("a", "one");
	assert_true(history.failing);
	assert_int_equal(history_read(history.run_fd, "a", &place, &text), -ELOOP);
	assert_int_equal(unlinkat(history.run_fd, "a.log", 0), 0);
	snprintf(name, sizeof(name), "%s/a.log", dir);
	assert_int_equal(mkfifo(name, 0600), 0);
	log_info("a", "one");
	assert_true(history.failing);
	assert_int_equal(history_read(history.run_fd, "a", &place, &text), -EINVAL);
	assert_int_equal(unlinkat(history.run_fd, "a.log", 0), 0);
	log_info("a", "two");
	assert_false(history.failing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_begun_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
