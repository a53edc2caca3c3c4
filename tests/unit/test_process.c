/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "base/clock.h"
#include "host/process.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct root root;

static int open_root(void **state)
{
	(void)state;
	return root_open(&root, "/");
}

static int close_root(void **state)
{
	(void)state;
	root_close(&root);
	return 0;
}

static void test_identity(void **state)
{
	struct process_identity first, second;
	struct stat exe;

	(void)state;
	assert_int_equal(process_identify(&root, getpid(), &first), 0);
	assert_int_equal(process_identify(&root, getpid(), &second), 0);
	assert_true(process_same(&first, &second));
	assert_int_equal(stat("/proc/self/exe", &exe), 0);
	assert_int_equal(first.exe_inode, exe.st_ino);
	assert_int_equal(first.exe_device, exe.st_dev);
	assert_int_equal(strlen(first.boot_id), 36);
	assert_true(first.start_ticks > 0);
}

static const struct other {
	const char *what;
	struct process_identity id;
} others[] = {
	{ "pid", { 6, 100, 1, 2, "a" } },
	{ "a reused pid", { 5, 101, 1, 2, "a" } },
	{ "device", { 5, 100, 9, 2, "a" } },
	{ "executable", { 5, 100, 1, 3, "a" } },
	{ "boot", { 5, 100, 1, 2, "b" } },
};

static void test_others(void **state)
{
	struct process_identity id = { 5, 100, 1, 2, "a" };
	struct process_identity same = id;

	(void)state;
	/* What lies behind the text does not count. */
	same.boot_id[5] = 'x';
	assert_true(process_same(&id, &same));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(process_same(&id, &others[i].id));
}

static void test_zombie_and_gone(void **state)
{
	struct process_identity id;
	siginfo_t info;

	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_identify(&root, pid, &id), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_identify(&root, pid, &id), -ESRCH);
	assert_int_equal(process_pidfd(pid), -ESRCH);
}

static void test_pidfd(void **state)
{
	int status;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	int pidfd = process_pidfd(pid);
	assert_true(pidfd >= 0);
	assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(process_signal(pidfd, SIGUSR1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGUSR1);
	assert_int_equal(process_signal(pidfd, SIGKILL), -ESRCH);
	close(pidfd);
}

static void test_users(void **state)
{
	struct user user;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(user_find("root", &user, &err), 0);
	assert_int_equal(user.uid, 0);
	assert_string_equal(user.name, "root");
	assert_int_equal(user_find("vfiosup-no-such", &user, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no user vfiosup-no-such"));
	assert_non_null(strstr(err.fix, "useradd --system --no-create-home"));
	assert_non_null(strstr(err.fix, "vfiosup-no-such"));
	assert_int_equal(user_find("", &user, &err), -ENOENT);
}

static void make_doors(struct tree *tree)
{
	char path[80], target[80];

	tree_make(tree);
	tree_write(tree, "open/file", "x");
	tree_write(tree, "open/secret", "x");
	tree_write(tree, "closed/file", "x");
	tree_write(tree, "closed/deep/file", "x");
	snprintf(path, sizeof(path), "%s/open/secret", tree->path);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/open/fifo", tree->path);
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_int_equal(chmod(path, 0666), 0);
	snprintf(target, sizeof(target), "%s/closed/file", tree->path);
	snprintf(path, sizeof(path), "%s/open/link", tree->path);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/open/dangling", tree->path);
	assert_int_equal(symlink("nowhere", path), 0);
	snprintf(path, sizeof(path), "%s/closed/out", tree->path);
	assert_int_equal(symlink("../open/file", path), 0);
	snprintf(path, sizeof(path), "%s/closed", tree->path);
	assert_int_equal(chmod(path, 0700), 0);
}

static const struct door {
	const char *path;
	bool write;
	int error;
	const char *why, *fix; /* of why: what follows the tree's path */
} doors[] = {
	{ "open/file", false, 0, NULL, NULL },
	{ "open/file", true, EACCES, "/open/file is 0644 root", "rw " },
	{ "open/secret", false, EACCES, "/open/secret is 0600 root", "setfacl -m u:nobody:r " },
	{ "open/fifo", false, 0, NULL, NULL },
	{ "open/fifo", true, 0, NULL, NULL },
	{ "closed/file", false, EACCES, "/closed is 0700 root", "u:nobody:x" },
	{ "closed/deep/file", true, EACCES, "/closed is 0700 root", "keep it where nobody may go" },
	{ "closed/missing", false, EACCES, "/closed is 0700 root", "keep it" },
	{ "closed/out", false, EACCES, "/closed is 0700 root", "keep it" },
	{ "open//link", false, EACCES, "/closed is 0700 root", "keep it" },
	{ "open/missing", false, ENOENT, "/open/missing does not exist", "create it" },
	{ "open/no/where", false, ENOENT, "/open/no does not exist", "create it" },
	{ "open/dangling", false, ENOENT, "/open/dangling does not exist", "create it" },
	{ "open/file/x", false, ENOTDIR, "", "" },
	{ "open", true, EISDIR, "", "" },
};

static void test_may_open(void **state)
{
	struct tree tree;
	struct user nobody;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(user_find("nobody", &nobody, NULL), 0);
	make_doors(&tree);
	unsigned fds = count_open_fds();
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		char path[80];
		struct err err = { 0 };
		uint64_t before = clock_now_ns();

		snprintf(path, sizeof(path), "%s/%s", tree.path, doors[i].path);
		int r = process_may_open(&nobody, path, doors[i].write, &err);
		assert_true(clock_now_ns() - before < NS_PER_SEC);
		assert_int_equal(r, -doors[i].error);
		if (r == 0)
			continue;
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, "nobody"));
		assert_non_null(strstr(err.why, doors[i].why));
		assert_non_null(strstr(err.fix, doors[i].fix));
	}
	assert_int_equal(count_open_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	tree_remove(&tree);
}

/* Root may open all; a user without a name in the database has only his own group. */
static void test_may_open_as_others(void **state)
{
	struct tree tree;
	struct user super = { .name = "root" }, nameless = { .name = "", .uid = 4242, .gid = 4242 };
	char path[80];

	(void)state;
	if (geteuid() != 0)
		skip();
	make_doors(&tree);
	snprintf(path, sizeof(path), "%s/closed/file", tree.path);
	assert_int_equal(process_may_open(&super, path, true, NULL), 0);
	assert_int_equal(process_may_open(&nameless, path, true, NULL), -EACCES);
	snprintf(path, sizeof(path), "%s/open/secret", tree.path);
	assert_int_equal(chown(path, 0, 4242), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(process_may_open(&nameless, path, false, NULL), 0);
	assert_int_equal(process_may_open(&nameless, path, true, NULL), -EACCES);
	tree_remove(&tree);
}

/* Exit status 0: a user who is not root is told that it cannot look as another, and can as itself. */
static int ask_as_nobody(const struct user *nobody)
{
	struct user other = { .name = "root" };
	struct err err = { 0 };

	if (setgid(nobody->gid) < 0 || setuid(nobody->uid) < 0)
		return 1;
	if (process_may_open(&other, "/dev/null", true, &err) != -EPERM || !strstr(err.why, "root"))
		return 2;
	return process_may_open(nobody, "/dev/null", true, &err) == 0 ? 0 : 3;
}

static void test_may_open_unprivileged(void **state)
{
	struct user nobody;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(user_find("nobody", &nobody, NULL), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(ask_as_nobody(&nobody));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Exit status 0: a mount that is read-only says nothing of a file on it, a file system that is does. */
static int ask_on_mounts(const struct user *nobody, const char *at)
{
	struct err err = { 0 };
	char file[128], closed[128];

	snprintf(file, sizeof(file), "%s/file", at);
	snprintf(closed, sizeof(closed), "%s/closed", at);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", at, "tmpfs", 0, NULL) < 0)
		return 77;
	close(open(file, O_CREAT | O_WRONLY, 0666));
	close(open(closed, O_CREAT | O_WRONLY, 0600));
	if (chmod(file, 0666) < 0 ||
		mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 1;
	if (process_may_open(nobody, file, true, &err) != 0 ||
		process_may_open(nobody, closed, true, &err) != -EACCES)
		return 2;
	if (mount(NULL, at, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 3;
	return process_may_open(nobody, file, true, &err) == -EROFS ? 0 : 4;
}

static void test_may_open_read_only(void **state)
{
	struct tree tree;
	struct user nobody;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(user_find("nobody", &nobody, NULL), 0);
	make_doors(&tree);
	pid_t pid = fork();
	if (pid == 0)
		_exit(ask_on_mounts(&nobody, tree.path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	tree_remove(&tree);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_usage(void **state)
{
	struct process_usage before, after;
	struct rlimit limit;
	volatile unsigned spin = 0;

	(void)state;
	assert_int_equal(process_usage(&root, &before), 0);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t size = 8u << 20;
	char *memory = malloc(size);
	assert_non_null(memory);
	memset(memory, 1, size);
	uint64_t end = clock_now_ns() + 20 * NS_PER_MS;
	while (clock_now_ns() < end)
		spin++;
	assert_int_equal(process_usage(&root, &after), 0);
	free(memory);
	close(fd);
	assert_true(after.cpu_ns > before.cpu_ns);
	assert_true(after.anon_bytes >= before.anon_bytes + size / 2);
	assert_true(after.rss_bytes >= after.anon_bytes);
	assert_true(after.virtual_bytes >= after.rss_bytes);
	assert_int_equal(after.open_fds, before.open_fds + 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(after.max_fds, limit.rlim_cur);
	assert_true(after.threads >= 1);
	assert_true(after.start_time == before.start_time);
	double age = clock_wall_seconds() - after.start_time;
	assert_true(age > -0.1 && age < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_zombie_and_gone),
		cmocka_unit_test(test_pidfd),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_may_open),
		cmocka_unit_test(test_may_open_as_others),
		cmocka_unit_test(test_may_open_unprivileged),
		cmocka_unit_test(test_may_open_read_only),
		cmocka_unit_test(test_usage),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, open_root, close_root);
}
