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

#define LEASE_NS   (30 * NS_PER_SEC)
#define LOOK_NS    NS_PER_SEC
#define WATCHED_NS (3 * NS_PER_SEC) /* after the file is there */

static const char file_name[] = "lease";

/* systemd starts us as a service, and beside us the units of dist/. */
static bool systemd_watches(const struct supervisor *sup)
{
	return sup->host.units && getenv("INVOCATION_ID");
}

/* A watcher holds its lock. */
static bool is_watched(const struct supervisor *sup)
{
	AUTO_CLOSE int fd = openat(sup->run_fd, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int start_watcher(struct supervisor *sup)
{
	return child_start_self((const char *const[]){
		"vfio-sup", "--run-dir", sup->run_dir, "restore", "--lease", NULL });
}

int lease_begin(struct supervisor *sup, struct err *err)
{
	if (sup->leased_ns)
		return 0;
	AUTO_CLOSE int fd =
		openat(sup->run_fd, file_name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && !systemd_watches(sup))
		r = start_watcher(sup);
	sup->leased_ns = r == 0 ? clock_now_ns() : 0;
	return r < 0 ? err_set(err, -r, "the lease in %s: %s", sup->run_dir, strerror(-r)) : 0;
}

void lease_check(struct supervisor *sup, uint64_t now_ns)
{
	if (!sup->leased_ns || now_ns < sup->leased_ns + WATCHED_NS || is_watched(sup))
		return;
	log_warning(NULL, "nobody watches the lease in %s: starting a watcher", sup->run_dir);
	sup->leased_ns = now_ns;
	start_watcher(sup);
}

void lease_end(struct supervisor *sup)
{
	sup->leased_ns = 0;
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
	/* Whoever holds the host's lock now is in charge of the host's settings, too. */
	r = sup.host.host_owner ? 0 : -EWOULDBLOCK;
	if (r == 0 && throttle_give_back(&sup))
		strlist_add(words, "no supervisor for 30 s: the real-time throttle is given back");
	if (r == 0 && !sup.lifted)
		lease_end(&sup);
	r = sup.lifted ? -EWOULDBLOCK : r;
	supervisor_close(&sup);
	return r;
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

			/* Somebody has come at this very moment, or it did not work: once more. */
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
	if (lease_fd < 0)
		return 0;
	/* Beside another watcher it waits until that one has done the work. */
	while (flock(lease_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(
				err, errno, "%s/%s: %s", run_dir, file_name, strerror(errno));
	return watch(run_fd, lease_fd, options, ret_words, err);
}
