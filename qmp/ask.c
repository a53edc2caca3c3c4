/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/ask.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { LIMIT_S = 10, CHILD_FD = 3 };

static _Noreturn void become_qemu(const char *binary, int fd, int words_fd)
{
	/* TCG is made ready even where nothing runs. It maps its code twice, never writable and executable at
	 * once, for a service with MemoryDenyWriteExecute=; a binary without TCG takes the next. */
	char *const argv[] = { (char *)(uintptr_t)binary, "-machine", "none", "-accel",
		"tcg,split-wx=on", "-accel", "kvm", "-nodefaults", "-no-user-config", "-display",
		"none", "-S", "-chardev", "socket,id=q,fd=3", "-mon", "chardev=q,mode=control",
		NULL };
	char *const env[] = { NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* The socket may already be descriptor 3: dup2 to itself would keep close-on-exec. */
	int high = fcntl(fd, F_DUPFD, CHILD_FD + 1), words = fcntl(words_fd, F_DUPFD, CHILD_FD + 2);
	if (null < 0 || high < 0 || words < 0 || dup2(null, 0) < 0 || dup2(words, 1) < 0 ||
		dup2(words, 2) < 0 || dup2(high, CHILD_FD) < 0)
		_exit(127);
	for (int i = CHILD_FD + 1; i < 64; i++)
		close(i);
	execve(binary, argv, env);
	_exit(errno == ENOEXEC ? 125 : 127);
}

static int spawn(const char *binary, struct ask *ask, struct err *err)
{
	int pair[2], words[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "cannot ask %s: %s", binary, strerror(errno));
	if (pipe2(words, O_CLOEXEC) < 0) {
		close(pair[0]);
		close(pair[1]);
		return err_set(err, errno, "cannot ask %s: %s", binary, strerror(errno));
	}
	pid_t pid = fork();
	if (pid == 0)
		become_qemu(binary, pair[1], words[1]);
	close(pair[1]);
	close(words[1]);
	*ask = (struct ask){ .pid = pid,
		.fd = pair[0],
		.words_fd = words[0],
		.deadline_ns = clock_now_ns() + LIMIT_S * NS_PER_SEC };
	if (pid > 0)
		return 0;
	ask_end(ask);
	return err_set(err, EAGAIN, "cannot ask %s: fork: %s", binary, strerror(errno));
}

/* The first line of what it wrote, without what could harm a terminal. */
static void read_words(struct ask *ask)
{
	ssize_t n = read(ask->words_fd, ask->words, sizeof(ask->words) - 1);

	ask->words[n > 0 ? n : 0] = '\0';
	ask->words[strcspn(ask->words, "\n")] = '\0';
	for (char *c = ask->words; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static int more_bytes(struct ask *ask)
{
	struct pollfd ready = { .fd = ask->fd, .events = POLLIN };
	uint64_t now = clock_now_ns();
	size_t size;
	char *room = frame_room(&ask->frame, 64 << 10, &size);

	if (!room)
		return -ENOMEM;
	if (now >= ask->deadline_ns ||
		poll(&ready, 1, (int)((ask->deadline_ns - now) / NS_PER_MS) + 1) == 0)
		return -ETIMEDOUT;
	ssize_t n = recv(ask->fd, room, size, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	frame_added(&ask->frame, (size_t)n);
	return 0;
}

/* The next message that is no event. */
static int next_message(struct ask *ask, json_t **ret_message)
{
	const char *text;
	size_t length;

	for (;;) {
		int r = frame_next(&ask->frame, &text, &length);

		if (r == 0)
			r = more_bytes(ask);
		else if (r == 1) {
			json_t *message = json_loadb(text, length, 0, NULL);

			if (json_is_object(message) && !json_object_get(message, "event")) {
				*ret_message = message;
				return 0;
			}
			r = json_is_object(message) ? 0 : -EPROTO;
			json_decref(message);
		}
		if (r < 0)
			return r;
	}
}

int ask(struct ask *ask, const char *command, json_t *arguments, json_t **ret_result)
{
	json_t *json = json_pack("{s:s, s:o*}", "execute", command, "arguments", arguments);
	AUTO_FREE char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_t *message = NULL;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	if (send(ask->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return -errno;
	int r = next_message(ask, &message);
	if (r < 0)
		return r;
	*ret_result = json_incref(json_object_get(message, "return"));
	json_decref(message);
	return 0;
}

static int handshake(struct ask *talk, json_t **ret_greeting)
{
	json_t *message = NULL, *nothing = NULL;
	int r = next_message(talk, &message);

	if (r == 0 && !json_is_object(json_object_get(message, "QMP")))
		r = -EPROTO;
	if (r == 0)
		r = ask(talk, "qmp_capabilities", NULL, &nothing);
	json_decref(nothing);
	if (r < 0)
		json_decref(message);
	else
		*ret_greeting = message;
	return r;
}

int ask_start(const char *binary, struct ask *ret_ask, json_t **ret_greeting, struct err *err)
{
	int r = spawn(binary, ret_ask, err);

	if (r < 0)
		return r;
	r = handshake(ret_ask, ret_greeting);
	if (r == 0)
		return 0;
	if (r != -ETIMEDOUT)
		read_words(ret_ask);
	if (r == -ETIMEDOUT)
		err_set(err, ETIMEDOUT, "%s said nothing over QMP within %d s", binary, LIMIT_S);
	else
		err_set(err, ENOEXEC, "%s is not a QEMU that speaks QMP", binary);
	if (ret_ask->words[0])
		err_said(err, "%s", ret_ask->words);
	err_fix(err, "binary = \"/usr/bin/qemu-system-x86_64\";");
	ask_end(ret_ask);
	return -err->code;
}

void ask_end(struct ask *ask)
{
	if (ask->fd >= 0)
		close(ask->fd);
	if (ask->words_fd >= 0)
		close(ask->words_fd);
	if (ask->pid > 0) {
		kill(ask->pid, SIGKILL);
		while (waitpid(ask->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	frame_free(&ask->frame);
	*ask = (struct ask){ .fd = -1, .words_fd = -1 };
}
