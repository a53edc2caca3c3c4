/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

/* Everything happens in a directory of the test's own; it is the current one. */
static char home[] = "/tmp/vfio-sup-config-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(home) && chdir(home) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", home);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void make(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_directory(const char *path, mode_t mode)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(const char *path, struct err *err)
{
	struct spec spec;

	*err = (struct err){ 0 };
	int r = config_load_vm(path, &spec, err);
	spec_free(&spec);
	return r;
}

static void assert_refused(const char *path, int code, const char *text, const char *fix)
{
	struct err err;
	int r = load(path, &err);

	if (r != -code || !strstr(err.text, text) || !strstr(err.fix, fix))
		fail_msg("%s: %d %s (%s)", path, r, err.text, err.fix);
}

static void assert_loads(const char *path)
{
	struct err err;

	if (load(path, &err) < 0)
		fail_msg("%s: %s", path, err.text);
}

static void test_modes(void **state)
{
	(void)state;
	static const struct {
		mode_t mode;
		const char *fix; /* NULL: loads */
	} rows[] = {
		{ 0600, NULL },
		{ 0644, NULL },
		{ 0444, NULL },
		{ 0755, NULL },
		{ 0664, "chmod g-w vm.conf" },
		{ 0620, "chmod g-w vm.conf" },
		{ 0646, "chmod o-w vm.conf" },
		{ 0602, "chmod o-w vm.conf" },
		{ 0666, "chmod go-w vm.conf" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make("vm.conf", "smp = \"2\";\n", rows[i].mode);
		if (rows[i].fix)
			assert_refused("vm.conf", EPERM, "may write it (mode 06", rows[i].fix);
		else
			assert_loads("vm.conf");
		assert_int_equal(unlink("vm.conf"), 0);
	}
}

static void test_contents(void **state)
{
	(void)state;
	char path[128];
	struct spec spec;
	struct err err = { 0 };

	snprintf(path, sizeof(path), "%s/media-pc.conf", home);
	make(path, "\nmachine = \"pc\";\n", 0644);
	assert_int_equal(config_load_vm(path, &spec, &err), 0);
	assert_string_equal(spec.name, "media-pc");
	assert_string_equal(spec.file, path);
	assert_string_equal(spec.text, "\nmachine = \"pc\";\n");
	assert_string_equal(spec.machine, "pc");
	spec_free(&spec);
	make(path, "\nmachine = pc;\n", 0644);
	assert_refused(path, EINVAL, "media-pc.conf:2: machine: pc: text needs", "\"pc\"");
	assert_int_equal(unlink(path), 0);
}

static void test_directories(void **state)
{
	(void)state;
	static const struct {
		mode_t mode;
		const char *fix;
	} rows[] = {
		{ 0700, NULL },
		{ 0755, NULL },
		{ 01777, NULL },
		{ 0775, "chmod g-w d" },
		{ 0777, "chmod go-w d" },
		{ 02757, "chmod o-w d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_directory("d", rows[i].mode);
		make("d/vm.conf", "", 0644);
		if (rows[i].fix)
			assert_refused("d/vm.conf", EPERM, "in the file's directory", rows[i].fix);
		else
			assert_loads("d/vm.conf");
		assert_int_equal(unlink("d/vm.conf"), 0);
		assert_int_equal(rmdir("d"), 0);
	}
}

static void test_owners(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make_directory("d", 0755);
	make("d/vm.conf", "", 0644);
	assert_int_equal(chown("d/vm.conf", NOBODY, 0), 0);
	assert_refused("d/vm.conf", EPERM, "belongs to uid 65534", "chown root d/vm.conf");
	assert_int_equal(chown("d/vm.conf", 0, NOBODY), 0);
	assert_loads("d/vm.conf");
	assert_int_equal(chown("d", NOBODY, 0), 0);
	assert_refused("d/vm.conf", EPERM, "the file's directory belongs to uid", "chown root d");
	assert_int_equal(unlink("d/vm.conf"), 0);
	assert_int_equal(rmdir("d"), 0);
}

/* Not as root: own files and root's, nobody else's. */
static void test_not_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make_directory("d", 01777);
	make("d/mine.conf", "", 0600);
	make("d/roots.conf", "", 0644);
	make("d/secret.conf", "", 0600);
	make("d/others.conf", "", 0644);
	assert_int_equal(chown("d/mine.conf", NOBODY, NOBODY), 0);
	assert_int_equal(chown("d/others.conf", 12345, 12345), 0);
	assert_int_equal(chmod(home, 0755), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	struct err mine, roots, secret, others;
	int r_mine = load("d/mine.conf", &mine), r_roots = load("d/roots.conf", &roots);
	int r_secret = load("d/secret.conf", &secret), r_others = load("d/others.conf", &others);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r_mine, 0);
	assert_int_equal(r_roots, 0);
	assert_int_equal(r_secret, -EACCES);
	assert_non_null(strstr(secret.fix, "run as root"));
	assert_int_equal(r_others, -EPERM);
	assert_non_null(strstr(others.fix, "chown 65534 d/others.conf"));
	assert_int_equal(system("rm -rf d"), 0);
}

static void test_links(void **state)
{
	(void)state;
	make_directory("safe", 0755);
	make_directory("open", 0777);
	make("safe/target.conf", "", 0644);
	make("open/target.conf", "", 0644);
	make("safe/writable.conf", "", 0666);
	assert_int_equal(symlink("safe/target.conf", "good.conf"), 0);
	assert_int_equal(symlink("../good.conf", "safe/twice.conf"), 0);
	assert_int_equal(symlink("open/target.conf", "bad-dir.conf"), 0);
	assert_int_equal(symlink("safe/writable.conf", "bad-file.conf"), 0);
	assert_int_equal(symlink("../safe/target.conf", "open/link.conf"), 0);
	assert_int_equal(symlink("loop.conf", "loop.conf"), 0);
	assert_int_equal(symlink("gone.conf", "dangling.conf"), 0);
	assert_loads("good.conf");
	assert_loads("safe/twice.conf");
	assert_refused("bad-dir.conf", EPERM, "in the file's directory", "chmod go-w open");
	assert_refused("bad-file.conf", EPERM, "group and others may write", "chmod go-w");
	assert_refused("open/link.conf", EPERM, "in the file's directory", "chmod go-w open");
	assert_refused("loop.conf", ELOOP, "loop.conf: ", "");
	assert_refused("dangling.conf", ENOENT, "dangling.conf: ", "NAME.conf");
	if (geteuid() == 0) {
		assert_int_equal(lchown("good.conf", NOBODY, NOBODY), 0);
		assert_refused("good.conf", EPERM, "this link belongs to uid", "chown root");
	}
	/* The VM is named after the link: that is what the operator calls it. */
	assert_int_equal(symlink("safe/target.conf", "named.conf"), 0);
	struct spec spec;
	assert_int_equal(config_load_vm("named.conf", &spec, NULL), 0);
	assert_string_equal(spec.name, "named");
	spec_free(&spec);
}

static void test_kinds(void **state)
{
	(void)state;
	make_directory("dir.conf", 0755);
	assert_int_equal(mkfifo("fifo.conf", 0600), 0);
	make("big.conf", "", 0644);
	make("whole.conf", "", 0644);
	assert_int_equal(truncate("big.conf", (1 << 20) + 1), 0);
	FILE *file = fopen("whole.conf", "we");
	assert_non_null(file);
	for (int i = 0; i < 1 << 20; i++)
		fputc(i % 64 == 63 ? '\n' : '#', file);
	assert_int_equal(fclose(file), 0);
	alarm(20); /* a FIFO must not hold us */
	assert_refused("dir.conf", EINVAL, "not a regular file", "NAME.conf");
	assert_refused("dir.conf/", EINVAL, "not a regular file", "NAME.conf");
	assert_refused("fifo.conf", EINVAL, "not a regular file", "NAME.conf");
	assert_refused("/dev/null", EINVAL, "not a regular file", "NAME.conf");
	assert_refused("big.conf", EFBIG, "larger than 1 MiB", "VM's file");
	assert_refused("none.conf", ENOENT, "none.conf: No such file", "NAME.conf");
	assert_refused("none/none.conf", ENOENT, "none/none.conf: No such file", "NAME.conf");
	assert_refused("big.conf/x.conf", ENOTDIR, "Not a directory", "NAME.conf");
	assert_refused("", ENOENT, "", "");
	assert_loads("whole.conf");
	alarm(0);
}

static void test_quoting(void **state)
{
	(void)state;
	make_directory("my dir's", 0755);
	make("my dir's/vm.conf", "", 0666);
	assert_refused(
		"my dir's/vm.conf", EPERM, "may write it", "chmod go-w 'my dir'\\''s/vm.conf'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_not_root),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
