/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What launch_argv makes is given to the real QEMU, which must come up to its QMP greeting. */
#include "tests/unit/launch_props.h"
#include "qmp/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

enum { DEADLINE_MS = 20000 };

struct fixture {
	char dir[64], disk[128], socket[128], log[128];
	struct spec spec;
	pid_t pid;
};

static char *text_of(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .dir = "/tmp/test-launch,'%-XXXXXX" };
	assert_non_null(mkdtemp(fixture.dir));
	snprintf(fixture.disk, sizeof(fixture.disk), "%s/a, \"b'%%s c.img", fixture.dir);
	snprintf(fixture.socket, sizeof(fixture.socket), "%s/q,mp.sock", fixture.dir);
	snprintf(fixture.log, sizeof(fixture.log), "%s/log", fixture.dir);
	int fd = open(fixture.disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	assert_int_equal(spec_init(&fixture.spec), 0);
	strcpy(fixture.spec.name, "test-launch");
	fixture.spec.file = text_of("test-launch.conf");
	fixture.spec.accel = ACCEL_TCG;
	fixture.spec.memory.size = 64 << 20;
	*state = &fixture;
	return 0;
}

static void end(struct fixture *fixture)
{
	int status;

	if (fixture->pid <= 0)
		return;
	kill(fixture->pid, SIGKILL);
	assert_int_equal(waitpid(fixture->pid, &status, 0), fixture->pid);
	fixture->pid = 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	end(fixture);
	unlink(fixture->disk);
	unlink(fixture->socket);
	unlink(fixture->log);
	assert_int_equal(rmdir(fixture->dir), 0);
	spec_free(&fixture->spec);
	return 0;
}

static void add(struct fixture *fixture, enum spec_list list, const char *json)
{
	assert_int_equal(spec_add_group(&fixture->spec, list, json, 1), 0);
}

/* In the child: nothing but the exec. */
static void become_qemu(const struct fixture *fixture, char *const argv[], int listener)
{
	char *const env[] = { NULL };
	int log = open(fixture->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(log, 1);
	dup2(log, 2);
	if (listener >= 0)
		fcntl(listener, F_SETFD, 0);
	execve(argv[0], argv, env);
	_exit(127);
}

static void start(
	struct fixture *fixture, const struct props *props, const char *socket, int listener)
{
	struct launch_host host = { .props = props, .qmp_socket = socket };
	struct strlist argv = { 0 }, warnings = { 0 };
	struct err err;

	if (launch_argv(&fixture->spec, &host, &argv, &warnings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(warnings.count, 0);
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (fixture->pid == 0)
		become_qemu(fixture, argv.items, listener);
	strlist_free(&argv);
}

static struct sockaddr_un address_of(const struct fixture *fixture)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(strlen(fixture->socket) < sizeof(address.sun_path));
	strcpy(address.sun_path, fixture->socket);
	return address;
}

static void fail_with_log(const struct fixture *fixture, const char *words)
{
	char log[2048] = "";
	FILE *file = fopen(fixture->log, "re");

	if (file) {
		log[fread(log, 1, sizeof(log) - 1, file)] = '\0';
		fclose(file);
	}
	fail_msg("%s; QEMU said: %s", words, log);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
}

static int connect_to(struct fixture *fixture)
{
	struct sockaddr_un address = address_of(fixture);

	for (int ms = 0; ms < DEADLINE_MS; ms += 10, nap()) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
		assert_true(fd >= 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		close(fd);
		if (waitpid(fixture->pid, &status, WNOHANG) == 0)
			continue;
		fixture->pid = 0;
		fail_with_log(fixture, "QEMU is gone");
	}
	fail_with_log(fixture, "no socket");
	return -1;
}

/* Reads until `word` was seen. */
static void expect(struct fixture *fixture, int fd, const char *word)
{
	char text[65536] = "";
	size_t length = 0;

	while (!strstr(text, word)) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		if (poll(&poll_fd, 1, DEADLINE_MS) <= 0)
			fail_with_log(fixture, "silence");
		ssize_t n = read(fd, text + length, sizeof(text) - 1 - length);
		if (n <= 0)
			fail_with_log(fixture, "closed");
		length += (size_t)n;
		text[length] = '\0';
	}
}

static void ask(struct fixture *fixture, int fd, const char *command, const char *word)
{
	assert_int_equal(write(fd, command, strlen(command)), (ssize_t)strlen(command));
	expect(fixture, fd, word);
}

static char *escaped(const char *path)
{
	struct strbuf text = { 0 };

	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			strbuf_add(&text, "\\");
		strbuf_add_bytes(&text, path, 1);
	}
	return strbuf_take(&text);
}

static void describe_whole_vm(struct fixture *fixture)
{
	struct strbuf drive = { 0 };
	AUTO_FREE char *path = escaped(fixture->disk);

	free(fixture->spec.smp);
	fixture->spec.smp = text_of("2");
	fixture->spec.vcpus = fixture->spec.maxcpus = 2;
	fixture->spec.on_reboot = ON_REBOOT_RESTART;
	strbuf_addf(&drive,
		"{\"node-name\":\"system\",\"driver\":\"raw\",\"offset\":\"4K\",\"cache\":{"
		"\"direct\":false},\"file\":{\"driver\":\"file\",\"filename\":\"%s\"}}",
		path);
	add(fixture, SPEC_BLOCKDEVS, drive.text);
	strbuf_free(&drive);
	add(fixture, SPEC_OBJECTS,
		"{\"id\":\"io0\",\"qom-type\":\"iothread\",\"poll-max-ns\":\"0\"}");
	add(fixture, SPEC_NETDEVS, "{\"id\":\"net0\",\"type\":\"user\",\"restrict\":\"on\"}");
	add(fixture, SPEC_DEVICES,
		"{\"driver\":\"virtio-blk-pci\",\"drive\":\"system\",\"iothread\":\"io0\","
		"\"bootindex\":\"0x0\",\"discard\":\"on\",\"write-cache\":true,\"serial\":12,"
		"\"logical_block_size\":\"512\",\"addr\":\"10\"}");
	add(fixture, SPEC_DEVICES,
		"{\"driver\":\"virtio-net-pci\",\"netdev\":\"net0\",\"mac\":\"52:54:00:9c:31:"
		"07\"}");
}

/* It is the VM that was described. */
static void check_whole_vm(struct fixture *fixture)
{
	AUTO_CLOSE int fd = connect_to(fixture);
	expect(fixture, fd, "\"QMP\"");
	ask(fixture, fd, "{\"execute\":\"qmp_capabilities\"}", "\"return\"");
	ask(fixture, fd, "{\"execute\":\"query-status\"}", "\"prelaunch\"");
	ask(fixture, fd, "{\"execute\":\"query-cpus-fast\"}", "\"cpu-index\": 1");
	ask(fixture, fd, "{\"execute\":\"query-iothreads\"}", "\"io0\"");
	ask(fixture, fd, "{\"execute\":\"query-name\"}", "\"test-launch\"");
	/* addr "10" is slot 0x10. */
	ask(fixture, fd, "{\"execute\":\"query-pci\"}", "\"slot\": 16");
}

static void test_whole_vm(void **state)
{
	struct fixture *fixture = *state;

	describe_whole_vm(fixture);
	start(fixture, &fixture_props, fixture->socket, -1);
	check_whole_vm(fixture);
}

/* The same by what this very binary says of itself. */
static void test_whole_vm_as_probed(void **state)
{
	struct fixture *fixture = *state;
	struct props props = { 0 };
	struct err err;

	describe_whole_vm(fixture);
	if (qmp_probe(&fixture->spec, -1, &props, &err) < 0)
		fail_msg("%s", err.text);
	start(fixture, &props, fixture->socket, -1);
	props_free(&props);
	check_whole_vm(fixture);
}

/* Twenty of these stand for twenty VMs in the bench. */
static void test_machine_none(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->spec.machine);
	fixture->spec.machine = text_of("none");
	start(fixture, &fixture_props, fixture->socket, -1);
	AUTO_CLOSE int fd = connect_to(fixture);
	expect(fixture, fd, "\"QMP\"");
}

static void test_inherited_listener(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un address = address_of(fixture);
	AUTO_CLOSE int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char socket_text[16];

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	snprintf(socket_text, sizeof(socket_text), "fd:%d", listener);
	fixture->spec.on_panic = ON_PANIC_STOP;
	start(fixture, &fixture_props, socket_text, listener);
	AUTO_CLOSE int fd = connect_to(fixture);
	expect(fixture, fd, "\"QMP\"");
}

/* accel = "auto" on a host without KVM, with the flags that Windows guests are given. */
static void test_host_cpu_becomes_max(void **state)
{
	struct fixture *fixture = *state;
	struct launch_host host = { .qmp_socket = fixture->socket };
	struct strlist argv = { 0 }, warnings = { 0 };

	fixture->spec.accel = ACCEL_AUTO;
	fixture->spec.cpu = text_of("host,migratable=no,hv-relaxed,hv-vapic,hv-vpindex,hv-time,"
				    "hv-synic,hv-stimer,hv-spinlocks=0x1fff");
	assert_int_equal(launch_argv(&fixture->spec, &host, &argv, &warnings, NULL), 0);
	assert_int_equal(warnings.count, 1);
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (fixture->pid == 0)
		become_qemu(fixture, argv.items, -1);
	strlist_free(&argv);
	strlist_free(&warnings);
	AUTO_CLOSE int fd = connect_to(fixture);
	expect(fixture, fd, "\"QMP\"");
	ask(fixture, fd, "{\"execute\":\"qmp_capabilities\"}", "\"return\"");
	ask(fixture, fd, "{\"execute\":\"query-status\"}", "\"prelaunch\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_vm),
		TEST(test_whole_vm_as_probed),
		TEST(test_machine_none),
		TEST(test_inherited_listener),
		TEST(test_host_cpu_becomes_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
