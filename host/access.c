/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/child.h"
#include "host/process.h"
#include "host/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEADLINE_NS (2 * NS_PER_SEC)

struct question {
	const struct user *user;
	const char *path;
	bool write, become;
	const gid_t *groups;
	size_t group_count;
};

enum step { STEP_OPENED, STEP_BECOME, STEP_OPEN };

struct answer {
	enum step step; /* that failed */
	int error;
	char in_the_way[1024]; /* empty: not found */
	bool is_dir, missing;
	unsigned mode;
	uid_t uid;
	gid_t gid;
	uint64_t mount; /* its number, where that is read-only */
};

/* The raw calls: glibc's would signal threads that this child of a threaded process does not have. */
static int become_user(const struct question *q)
{
	unsigned uid = q->user->uid, gid = q->user->gid;

	if (!q->become)
		return 0;
	if (syscall(SYS_setgroups, q->group_count, q->groups) < 0 ||
		syscall(SYS_setresgid, gid, gid, gid) < 0 ||
		syscall(SYS_setresuid, uid, uid, uid) < 0)
		return errno;
	/* The change of user has cleared it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

/* Looks at one prefix of the path; true if it is what stands in the way. */
static bool look_at(const char *prefix, bool last, bool write, struct answer *answer)
{
	struct stat st;
	int need = !last ? X_OK : write ? R_OK | W_OK : R_OK;

	if (stat(prefix, &st) < 0) {
		answer->missing = errno == ENOENT;
		return answer->missing;
	}
	if (faccessat(AT_FDCWD, prefix, need, AT_EACCESS) == 0)
		return false;
	answer->is_dir = S_ISDIR(st.st_mode);
	answer->mode = st.st_mode & 07777;
	answer->uid = st.st_uid;
	answer->gid = st.st_gid;
	return true;
}

static bool find_in_the_way(const char *path, bool write, struct answer *answer)
{
	char prefix[sizeof(answer->in_the_way)];
	size_t length = strlen(path);

	if (length >= sizeof(prefix))
		return false;
	for (size_t end = 1; end <= length; end++) {
		if (path[end] != '/' && path[end] != '\0')
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		if (look_at(prefix, path[end] == '\0', write, answer)) {
			memcpy(answer->in_the_way, prefix, end + 1);
			return true;
		}
	}
	return false;
}

static void try_open(void *context, void *reply)
{
	const struct question *q = context;
	struct answer *answer = reply;
	char target[PATH_MAX];
	/* Only with the rights of before can a link be followed through what is closed. */
	bool resolved = realpath(q->path, target) != NULL;

	answer->step = STEP_BECOME;
	answer->error = become_user(q);
	if (answer->error)
		return;
	answer->step = STEP_OPEN;
	/* O_NONBLOCK: a FIFO without a peer, a device that waits. */
	int fd = open(q->path, (q->write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		answer->step = STEP_OPENED;
		return;
	}
	answer->error = errno;
	struct statx st;
	if (answer->error == EROFS && statx(AT_FDCWD, q->path, 0, STATX_MNT_ID, &st) == 0)
		answer->mount = st.stx_mnt_id;
	if (!find_in_the_way(q->path, q->write, answer) && resolved)
		find_in_the_way(target, q->write, answer);
}

static void explain_mode(const struct user *user, const struct answer *answer, struct err *err)
{
	char owner[64], group[64];

	user_name_of(answer->uid, owner, sizeof(owner));
	group_name_of(answer->gid, group, sizeof(group));
	err_why(err, "QEMU runs as %s; %s is %04o %s%s%s", user->name, answer->in_the_way,
		answer->mode, owner, answer->mode & 070 ? ":" : "",
		answer->mode & 070 ? group : "");
}

static void explain(const struct question *q, const struct answer *answer, struct err *err)
{
	const char *name = q->user->name, *at = answer->in_the_way;

	if (answer->missing) {
		err_why(err, "%s does not exist", at);
		err_fix(err, "create it, or correct the path");
		return;
	}
	if (!at[0]) {
		if (answer->error == EACCES || answer->error == EPERM)
			err_why(err,
				"QEMU runs as %s; its permission bits would do: a nodev mount, the "
				"devices cgroup or a security module is against it",
				name);
		return;
	}
	explain_mode(q->user, answer, err);
	if (answer->is_dir && strcmp(at, q->path) != 0)
		err_fix(err, "keep it where %s may go, or: setfacl -m u:%s:x %s", name, name, at);
	else if (strcmp(at, "/dev/kvm") == 0)
		err_fix(err,
			"chgrp kvm /dev/kvm && chmod 0660 /dev/kvm (udev does this where it runs)");
	else
		err_fix(err, "setfacl -m u:%s:%s %s", name, q->write ? "rw" : "r", at);
}

static int refused(const struct question *q, const struct answer *answer, struct err *err)
{
	if (answer->step == STEP_BECOME) {
		err_set(err, answer->error, "cannot become user %s to try %s: %s", q->user->name,
			q->path, strerror(answer->error));
		err_why(err, "only root can look with another user's eyes");
		return -answer->error;
	}
	err_set(err, answer->error, "%s cannot open %s for reading%s: %s", q->user->name, q->path,
		q->write ? " and writing" : "", strerror(answer->error));
	explain(q, answer, err);
	return -answer->error;
}

/* The service's sandbox (ProtectSystem=, ProtectHome=) mounts what it shows us read-only, and QEMU is not in
 * it. The kernel asks for a read-only file system first, then for the permission, and for a read-only mount
 * of a writable file system last: in that case the permission was given. */
static bool is_only_the_mount(const struct answer *answer)
{
	AUTO_FILE FILE *mounts = answer->mount ? fopen("/proc/self/mountinfo", "re") : NULL;
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	while (mounts && getline(&line, &size, mounts) > 0) {
		if (strtoull(line, NULL, 10) != answer->mount)
			continue;
		/* "... - TYPE SOURCE OPTIONS": those of the file system itself. */
		const char *options = strstr(line, " - ");

		for (int i = 0; options && i < 3; i++)
			options = strchr(options + 1, ' ');
		return options && strncmp(options, " rw", 3) == 0;
	}
	return false;
}

int process_may_open(const struct user *user, const char *path, bool write, struct err *err)
{
	AUTO_FREE gid_t *groups = NULL;
	struct question q = { .user = user, .path = path, .write = write };
	struct answer answer = { 0 };
	int r = user_groups(user, &groups, &q.group_count);

	q.groups = groups;
	q.become = geteuid() == 0 || geteuid() != user->uid;
	if (r == 0)
		r = child_ask(try_open, &q, &answer, sizeof(answer), DEADLINE_NS);
	if (r == -ETIMEDOUT) {
		err_set(err, ETIMEDOUT, "opening %s takes more than 2 s", path);
		err_why(err, "a device or a file system that does not answer");
		return r;
	}
	if (r < 0)
		return err_set(err, -r, "cannot try whether %s can open %s: %s", user->name, path,
			strerror(-r));
	return answer.step == STEP_OPENED || is_only_the_mount(&answer) ? 0
									: refused(&q, &answer, err);
}
