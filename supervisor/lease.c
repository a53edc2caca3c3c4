/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/lease.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "host/child.h"
#include "supervisor/api.h"
#include "supervisor/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define LEASE_NS (30 * NS_PER_SEC)
#define LOOK_NS  NS_PER_SEC

static const char file_name[] = "lease";

/* systemd starts us as a service, and beside us the units of dist/. */
static bool systemd_watches(const struct supervisor *sup)
{
	return sup->host.units && getenv("INVOCATION_ID");
}

int lease_begin(struct supervisor *sup, struct err *err)
{
	if (sup->leased)
		return 0;
	AUTO_CLOSE int fd =
		openat(sup->run_fd, file_name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && !systemd_watches(sup))
		r = child_start_self((const char *const[]){
			"vfio-sup", "--run-dir", sup->run_dir, "restore", "--lease", NULL });
	sup->leased = r == 0;
	return r < 0 ? err_set(err, -r, "the lease in %s: %s", sup->run_dir, strerror(-r)) : 0;
}

void lease_end(struct supervisor *sup)
{
	sup->leased = false;
	unlinkat(sup->run_fd, file_name, 0);
}

/* A supervisor that hangs still has its socket open: it is not gone. */
static bool somebody_serves(int run_fd)
{
	AUTO_CLOSE int fd = sock_connect_at(run_fd, "control.sock");

	return fd >= 0 || fd == -EAGAIN;
}

static bool still_stands(int lease_fd)
{
	struct stat st;

	return fstat(lease_fd, &st) == 0 && st.st_nlink > 0;
}

static int give_back(const struct api_options *options, struct strlist *words, struct err *err)
{
	struct supervisor sup;
	int r = supervisor_open(
		&sup, options->run_dir ? options->run_dir : API_RUN_DIR, options->root, err);

	if (r < 0)
		return r;
	if (throttle_give_back(&sup))
		strlist_add(words, "no supervisor for 30 s: the real-time throttle is given back");
	lease_end(&sup);
	supervisor_close(&sup);
	return 0;
}

/* Until the lease is over, one way or the other. */
static int watch(int run_fd, int lease_fd, const struct api_options *options, struct strlist *words,
	struct err *err)
{
	const struct timespec pause = { .tv_sec = LOOK_NS / NS_PER_SEC };
	uint64_t alone_since = 0;

	while (still_stands(lease_fd)) {
		uint64_t now = clock_now_ns();

		if (somebody_serves(run_fd))
			alone_since = 0;
		else if (alone_since == 0)
			alone_since = now;
		else if (now - alone_since >= LEASE_NS) {
			int r = give_back(options, words, err);

			/* Somebody has come at this very moment. */
			if (r != -EWOULDBLOCK)
				return r;
			alone_since = 0;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

int api_lease(const struct api_options *options, struct strlist *ret_words, struct err *err)
{
	const char *run_dir = options->run_dir ? options->run_dir : API_RUN_DIR;
	AUTO_CLOSE int run_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int lease_fd =
		run_fd < 0 ? -1 : openat(run_fd, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (lease_fd < 0 && errno != ENOENT)
		return err_set(err, errno, "%s/%s: %s", run_dir, file_name, strerror(errno));
	/* None, or watched already. */
	if (lease_fd < 0 || flock(lease_fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	return watch(run_fd, lease_fd, options, ret_words, err);
}
