/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must survive the supervisor: run directory, locks, journal, vm.json, counters. */
#include "base/cleanup.h"
#include "supervisor/counters.h"
#include "supervisor/journal.h"
#include "supervisor/lock.h"
#include "supervisor/record.h"
#include "supervisor/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

struct fixture {
	char dir[64], run[80];
	int fd; /* of run */
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	bool made;

	assert_non_null(fixture);
	strcpy(fixture->dir, "/tmp/vfio-sup-files-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	snprintf(fixture->run, sizeof(fixture->run), "%s/run", fixture->dir);
	fixture->fd = rundir_open(fixture->run, &made, NULL);
	assert_true(fixture->fd >= 0 && made);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	close(fixture->fd);
	snprintf(command, sizeof(command), "rm -rf %s", fixture->dir);
	assert_int_equal(system(command), 0);
	free(fixture);
	return 0;
}

static void test_rundir_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[128];
	struct err err;
	bool made;

	snprintf(path, sizeof(path), "%s/link", fixture->dir);
	assert_int_equal(symlink(fixture->run, path), 0);
	assert_int_equal(rundir_open(path, &made, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "symbolic link"));
	snprintf(path, sizeof(path), "%s/no/such", fixture->dir);
	assert_int_equal(rundir_open(path, &made, &err), -ENOENT);
	assert_true(err.fix[0]);
	assert_int_equal(chmod(fixture->run, 0775), 0);
	assert_int_equal(rundir_open(fixture->run, &made, &err), -EPERM);
	assert_non_null(strstr(err.text, "others may write"));
	assert_int_equal(chmod(fixture->run, 0755), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(fixture->run, 1, 0), 0);
		assert_int_equal(rundir_open(fixture->run, &made, &err), -EPERM);
		assert_non_null(strstr(err.text, "another user"));
	}
}

/* Another user's link in a directory of theirs must not be followed to a file of ours. */
static void test_write_replaces(void **state)
{
	struct fixture *fixture = *state;
	AUTO_FREE char *text = NULL;
	size_t length;

	assert_int_equal(symlinkat("/etc/hostname", fixture->fd, "file"), 0);
	assert_int_equal(rundir_write(fixture->fd, "file", "one", 3), 0);
	assert_int_equal(rundir_write(fixture->fd, "file", "two\n", 4), 0);
	assert_int_equal(rundir_read(fixture->fd, "file", &text, &length), 0);
	assert_string_equal(text, "two\n");
	assert_int_equal(length, 4);
	assert_int_equal(symlinkat("/etc/hostname", fixture->fd, "link"), 0);
	AUTO_FREE char *other = NULL;
	assert_int_equal(rundir_read(fixture->fd, "link", &other, &length), -ELOOP);
}

static void test_vm_directories(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;
	int dir, io;

	assert_int_equal(
		rundir_open_vm(fixture->fd, "a", geteuid(), getegid(), &dir, &io, NULL), 0);
	assert_int_equal(fstat(io, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(rundir_write(io, "socket", "", 0), 0);
	close(dir);
	close(io);
	rundir_remove_vm(fixture->fd, "a");
	assert_int_equal(faccessat(fixture->fd, "a", F_OK, 0), -1);
}

static void test_lock(void **state)
{
	struct fixture *fixture = *state;
	char holder[64];
	int fd = lock_take(fixture->fd, "lock", "vfio-sup, pid 1", holder, sizeof(holder));

	assert_true(fd >= 0);
	assert_int_equal(
		lock_take(fixture->fd, "lock", "other", holder, sizeof(holder)), -EWOULDBLOCK);
	assert_string_equal(holder, "vfio-sup, pid 1");
	lock_drop(fixture->fd, "lock", fd);
	assert_int_equal(faccessat(fixture->fd, "lock", F_OK, 0), -1);
	fd = lock_take(fixture->fd, "lock", "other", holder, sizeof(holder));
	assert_true(fd >= 0);
	lock_drop(fixture->fd, "lock", fd);
}

static void add(struct fixture *fixture, const char *vm, const char *group)
{
	struct action action = { .kind = ACTION_CG_CREATE };

	strcpy(action.group, group);
	assert_int_equal(journal_add(fixture->fd, vm, &action, NULL), 0);
}

static void test_journal(void **state)
{
	struct fixture *fixture = *state;
	struct actions actions = { 0 };
	AUTO_STRLIST struct strlist names = { 0 };
	size_t bad;

	assert_int_equal(journal_read(fixture->fd, NULL, &actions, &bad), 0);
	assert_int_equal(actions.count, 0);
	add(fixture, "a", "one");
	add(fixture, "ab", "two");
	add(fixture, "a", "three");
	assert_int_equal(journal_vms(fixture->fd, &names), 0);
	assert_int_equal(names.count, 2);
	assert_int_equal(journal_read(fixture->fd, "a", &actions, &bad), 0);
	assert_int_equal(actions.count, 2);
	assert_string_equal(actions.items[1].group, "three");
	actions_free(&actions);
	assert_int_equal(journal_drop(fixture->fd, "a"), 0);
	assert_int_equal(journal_read(fixture->fd, NULL, &actions, &bad), 0);
	assert_int_equal(actions.count, 1);
	assert_string_equal(actions.items[0].group, "two");
	actions_free(&actions);
	assert_int_equal(journal_drop(fixture->fd, "ab"), 0);
	assert_int_equal(faccessat(fixture->fd, "journal", F_OK, 0), -1);
}

/* SIGKILL in the middle of a write: the last line is cut off, the others count. */
static void test_journal_damaged(void **state)
{
	static const char text[] = "a cg-create group=one\nA bad name\n\n\na nonsense\na cg-cre";
	struct fixture *fixture = *state;
	struct actions actions = { 0 };
	size_t bad;

	assert_int_equal(rundir_write(fixture->fd, "journal", text, sizeof(text) - 1), 0);
	assert_int_equal(journal_read(fixture->fd, NULL, &actions, &bad), 0);
	assert_int_equal(actions.count, 1);
	assert_int_equal(bad, 3);
	actions_free(&actions);
}

static void test_record(void **state)
{
	struct fixture *fixture = *state;
	struct record written = { .identity = { .pid = 4711,
					  .start_ticks = 1ull << 40,
					  .exe_device = 5,
					  .exe_inode = 6,
					  .boot_id = "boot" },
		.since = 12.5,
		.running = true,
		.unit = true,
		.starting = true,
		.config_path = "/a \"b\".conf",
		.config_text = "# \xc3\xa9\n" };
	struct record read;

	assert_int_equal(record_read(fixture->fd, &read), -ENOENT);
	assert_int_equal(record_write(fixture->fd, &written), 0);
	assert_int_equal(record_read(fixture->fd, &read), 0);
	assert_true(process_same(&read.identity, &written.identity));
	assert_true(read.running && !read.stopping && read.since == 12.5);
	assert_true(read.unit && read.starting && !read.force);
	assert_string_equal(read.config_path, written.config_path);
	assert_string_equal(read.config_text, written.config_text);
	record_free(&read);
}

/* Set aside, reported, not trusted. */
static void test_record_damaged(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"version\": 1}",
		"{\"version\": 1, "
		"\"pid\": -1, \"start_ticks\": 1, \"exe_device\": 1, \"exe_inode\": 1, "
		"\"boot_id\": \"\", \"since\": 0, \"running\": true, \"stopping\": true, "
		"\"config_path\": \"\", \"config\": \"\"}" };
	struct fixture *fixture = *state;
	struct record read;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(
			rundir_write(fixture->fd, "vm.json", texts[i], strlen(texts[i])), 0);
		assert_int_equal(record_read(fixture->fd, &read), -EINVAL);
		assert_int_equal(faccessat(fixture->fd, "vm.json", F_OK, 0), -1);
		assert_int_equal(faccessat(fixture->fd, "vm.json.bad", F_OK, 0), 0);
	}
}

static void test_counters(void **state)
{
	struct fixture *fixture = *state;
	int lost;
	struct counters *counters = counters_open(fixture->fd, 2, &lost);

	assert_non_null(counters);
	assert_int_equal(lost, 0);
	counter_add(&counters->vcpu[1].stalls, 3);
	counters_close(counters);
	counters = counters_open(fixture->fd, 2, &lost);
	assert_int_equal(counter_read(&counters->vcpu[1].stalls), 3);
	counters_close(counters);
	counters = counters_open(fixture->fd, 4, &lost);
	assert_int_equal(counter_read(&counters->vcpu[1].stalls), 0);
	counters_close(counters);
}

/* A full file system costs the memory across restarts, never the VM. */
static void test_counters_without_file(void **state)
{
	struct fixture *fixture = *state;
	int lost;

	assert_int_equal(mkdirat(fixture->fd, "counters", 0755), 0);
	struct counters *counters = counters_open(fixture->fd, 2, &lost);
	assert_non_null(counters);
	assert_int_equal(lost, EISDIR);
	counter_add(&counters->vcpu[1].stalls, 3);
	assert_int_equal(counter_read(&counters->vcpu[1].stalls), 3);
	counters_close(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rundir_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vm_directories, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters_without_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
