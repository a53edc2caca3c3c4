/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/child.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { REPLY_MAX = PIPE_BUF, REAP_MS = 200 };

/* Ends this process a little past the deadline, should the caller not be able to. */
static void limit_life(uint64_t deadline_ns)
{
	sigset_t alarm_only;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	alarm((unsigned)(deadline_ns / NS_PER_SEC) + 2);
}

static int wait_for_reply(int fd, void *reply, size_t size, uint64_t deadline_ns)
{
	uint64_t end = clock_now_ns() + deadline_ns;

	for (;;) {
		uint64_t now = clock_now_ns();
		if (now >= end)
			return -ETIMEDOUT;
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int r = poll(&wait, 1, (int)((end - now) / NS_PER_MS) + 1);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		char answer[REPLY_MAX];
		ssize_t n = read(fd, answer, size);
		if (n != (ssize_t)size)
			return n < 0 ? -errno : -ECHILD;
		memcpy(reply, answer, size);
		return 0;
	}
}

/* By descriptor: where SIGCHLD is ignored the pid may already be another's. */
static void reap(pid_t pid, int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0)
		return;
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	int r;
	do {
		r = poll(&end, 1, REAP_MS);
	} while (r < 0 && errno == EINTR);
	if (r == 1)
		waitpid(pid, NULL, WNOHANG);
}

pid_t child_fork(void)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t pid = fork();
	int saved = errno;
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

int child_ask(void (*work)(void *context, void *reply), void *context, void *reply, size_t size,
	uint64_t deadline_ns)
{
	pid_t self = getpid();
	int ends[2];

	if (size > REPLY_MAX)
		return -EINVAL;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	AUTO_CLOSE int from = ends[0];
	AUTO_CLOSE int to = ends[1];
	pid_t pid = child_fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* A change of credentials in `work` clears this. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		limit_life(deadline_ns);
		if (getppid() == self)
			work(context, reply);
		_exit(getppid() == self && write(to, reply, size) == (ssize_t)size ? 0 : 1);
	}
	AUTO_CLOSE int pidfd = pidfd_open(pid, 0);
	close(take_fd(&to));
	int r = wait_for_reply(from, reply, size, deadline_ns);
	reap(pid, pidfd);
	return r;
}

/* In the child's child. */
static void become_self(const char *const *argv)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
		chdir("/") < 0)
		_exit(1);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	_exit(1);
}

int child_start_self(const char *const *argv)
{
	pid_t pid = child_fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setsid();
		if (fork() == 0)
			become_self(argv);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return 0;
}
