/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forks QEMU without systemd: into its group, as its user, with nothing but what is meant. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "host/child.h"
#include "host/user.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What the child works with: all made before the fork, for after it only system calls are safe. */
struct spawn {
	const struct vm *vm;
	char *const *env;
	gid_t *groups;
	size_t group_count;
	int log_fd, null_fd, listener_fd;
	int ready[2], go[2]; /* pipes: the child is ready; it may go */
};

enum { CHILD_LISTENER = 3, CHILD_GO = 4, CHILD_READY = 5, READY_MS = 2000 };

static bool set_descriptors(const struct spawn *spawn)
{
	/* First all out of the way of the numbers they are to have. */
	int from[] = { spawn->null_fd, spawn->log_fd, spawn->log_fd, spawn->listener_fd,
		spawn->go[0], spawn->ready[1] };

	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		from[i] = fcntl(from[i], F_DUPFD, 32);
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		if (from[i] < 0 || dup2(from[i], (int)i) < 0)
			return false;
	fcntl(CHILD_GO, F_SETFD, FD_CLOEXEC);
	fcntl(CHILD_READY, F_SETFD, FD_CLOEXEC);
	return syscall(SYS_close_range, CHILD_READY + 1, ~0u, 0) == 0;
}

/* The raw call: glibc keeps 32 and 33 to itself, and whoever started us may have had them ignored. */
static void set_signals(void)
{
	const unsigned long by_default[4] = {
		0
	}; /* the kernel's struct sigaction, its mask 8 bytes */
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, by_default, NULL, sizeof(unsigned long));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool become_user(const struct spawn *spawn)
{
	const struct user *user = &spawn->vm->user;
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY }, no_core = { 0, 0 };

	/* The guest's memory is locked: mem-lock, or VFIO. */
	if (spawn->vm->spec.memory.lock && setrlimit(RLIMIT_MEMLOCK, &all) < 0) {
		dprintf(STDERR_FILENO,
			"vfio-sup: memory.lock: cannot raise RLIMIT_MEMLOCK, which needs "
			"CAP_SYS_RESOURCE: %s\n",
			strerror(errno));
		return false;
	}
	setrlimit(RLIMIT_CORE, &no_core);
	if (geteuid() != 0)
		return true;
	return syscall(SYS_setgroups, spawn->group_count, spawn->groups) == 0 &&
	       syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
	       syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0;
}

/* In the child. Ends in QEMU, or in words on what failed. */
static void become_qemu(const struct spawn *spawn)
{
	char go = 0;

	setsid();
	umask(077);
	if (!set_descriptors(spawn) || !become_user(spawn) || chdir("/") < 0) {
		dprintf(STDERR_FILENO, "vfio-sup: cannot become QEMU: %s\n", strerror(errno));
		_exit(126);
	}
	set_signals();
	/* Here and not before: who listens is whom SO_PEERCRED names. */
	if (listen(CHILD_LISTENER, 1) < 0 || write(CHILD_READY, "r", 1) != 1 ||
		read(CHILD_GO, &go, 1) != 1)
		_exit(125);
	execve(spawn->vm->argv.items[0], spawn->vm->argv.items, spawn->env);
	dprintf(STDERR_FILENO, "%s: %s\n", spawn->vm->argv.items[0], strerror(errno));
	_exit(127);
}

int vm_open_log(struct vm *vm)
{
	int fd = openat(vm->dirfd, "qemu.log",
		O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

int vm_bind_monitor(struct vm *vm)
{
	AUTO_CLOSE int fd = sock_bind_at(vm->iofd, "qmp.sock", 0600);

	if (fd < 0)
		return fd;
	int flags = fcntl(fd, F_GETFL);
	return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : take_fd(&fd);
}

int vm_not_written(int r, struct err *err)
{
	err_set(err, -r, "cannot write vm.json: %s", strerror(-r));
	err_why(err, "a QEMU that is not written down could not be found again");
	err_fix(err, "make room in the run directory");
	return r;
}

static void close_all(struct spawn *spawn)
{
	int *const fds[] = { &spawn->log_fd, &spawn->null_fd, &spawn->listener_fd, &spawn->ready[0],
		&spawn->ready[1], &spawn->go[0], &spawn->go[1] };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(fds[i]);
	free(spawn->groups);
}

static int open_all(struct vm *vm, struct spawn *spawn)
{
	int r = user_groups(&vm->user, &spawn->groups, &spawn->group_count);

	if (r < 0)
		return r;
	if (pipe2(spawn->ready, O_CLOEXEC) < 0 || pipe2(spawn->go, O_CLOEXEC) < 0)
		return -errno;
	spawn->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (spawn->null_fd < 0)
		return -errno;
	spawn->log_fd = vm_open_log(vm);
	if (spawn->log_fd < 0)
		return spawn->log_fd;
	spawn->listener_fd = vm_bind_monitor(vm);
	return spawn->listener_fd < 0 ? spawn->listener_fd : 0;
}

int vm_place_process(struct vm *vm, pid_t pid, struct err *err)
{
	struct action attach = { .kind = ACTION_CG_ATTACH, .tid = pid };
	struct action affinity = { .kind = ACTION_THREAD_AFFINITY, .tid = pid };

	place_slot_group(&vm->plan, vm->sup->host.cg_mode, SLOT_EMULATOR, attach.group);
	if (attach.group[0]) {
		enum action_result result = supervisor_act(vm->sup, &attach, err);

		if (result != ACTION_DONE && result != ACTION_ALREADY)
			return err->code ? -err->code : -EIO;
	}
	affinity.place.cpus = vm->plan.emulator;
	supervisor_act(vm->sup, &affinity, NULL);
	return 0;
}

static int identify(struct vm *vm, pid_t pid)
{
	struct stat binary;
	int r = process_identify(&vm->sup->root, pid, &vm->identity);

	if (r < 0 || stat(vm->spec.binary, &binary) < 0)
		return r < 0 ? r : -errno;
	/* What it will be after exec. */
	vm->identity.exe_device = binary.st_dev;
	vm->identity.exe_inode = binary.st_ino;
	vm->pidfd = process_pidfd(pid);
	return vm->pidfd < 0 ? vm->pidfd : 0;
}

static int wait_ready(const struct spawn *spawn)
{
	struct pollfd wait = { .fd = spawn->ready[0], .events = POLLIN };
	char ready;
	int r;

	do {
		r = poll(&wait, 1, READY_MS);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r == 0 ? -ETIMEDOUT : -errno;
	return read(spawn->ready[0], &ready, 1) == 1 ? 0 : -ECHILD;
}

/* Everything is written down, and only then does it become a QEMU. */
static int let_go(struct vm *vm, struct spawn *spawn, pid_t pid, struct err *err)
{
	int r = identify(vm, pid);

	if (r == 0)
		r = wait_ready(spawn);
	if (r == -ECHILD)
		return err_set(err, -r, "QEMU's process ended before it could be QEMU");
	if (r < 0)
		return err_set(err, -r, "cannot start QEMU: %s", strerror(-r));
	r = vm_place_process(vm, pid, err);
	if (r < 0)
		return r;
	vm->child = true;
	vm->since = clock_wall_seconds();
	r = vm_save(vm);
	if (r < 0)
		return vm_not_written(r, err);
	vm->spawned_ns = clock_now_ns();
	if (write(spawn->go[1], "g", 1) != 1)
		return err_set(err, errno, "cannot start QEMU: %s", strerror(errno));
	return 0;
}

int vm_spawn(struct vm *vm, struct err *err)
{
	static char *const no_env[] = { NULL };
	struct spawn spawn = { .vm = vm,
		.env = vm->spec.env.items ? vm->spec.env.items : no_env,
		.log_fd = -1,
		.null_fd = -1,
		.listener_fd = -1,
		.ready = { -1, -1 },
		.go = { -1, -1 } };
	int r = open_all(vm, &spawn);
	pid_t pid = r < 0 ? -1 : child_fork();

	if (pid == 0)
		become_qemu(&spawn);
	if (pid < 0) {
		r = r < 0 ? r : -errno;
		err_set(err, -r, "cannot start QEMU: %s", strerror(-r));
	} else {
		cleanup_close(&spawn.ready[1]);
		r = let_go(vm, &spawn, pid, err);
		cleanup_close(&spawn.go[1]);
		if (r < 0) {
			vm_drop_process(vm);
			kill(pid, SIGKILL); /* not reaped yet: still ours */
			waitpid(pid, NULL, 0);
		}
	}
	close_all(&spawn);
	return r;
}
