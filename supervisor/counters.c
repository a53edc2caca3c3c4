/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/counters.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MAGIC = 0x70757376, VERSION_NUMBER = 3 };

static size_t size_for(unsigned vcpus)
{
	return sizeof(struct counters) + vcpus * sizeof(struct latency_counters);
}

/* On a full tmpfs a page that is not there yet would be a SIGBUS at its first write. */
static int open_file(int dirfd, size_t size)
{
	AUTO_CLOSE int fd =
		openat(dirfd, "counters", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size != size && ftruncate(fd, 0) < 0)
		return -errno;
	int r = posix_fallocate(fd, 0, (off_t)size);
	return r != 0 ? -r : take_fd(&fd);
}

static void *map(int dirfd, size_t size, int *ret_errno)
{
	AUTO_CLOSE int fd = open_file(dirfd, size);

	*ret_errno = fd < 0 ? -fd : 0;
	if (fd >= 0) {
		void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at != MAP_FAILED)
			return at;
		*ret_errno = errno;
	}
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

struct counters *counters_open(int dirfd, unsigned vcpus, int *ret_errno)
{
	size_t size = size_for(vcpus);
	struct counters *counters = map(dirfd, size, ret_errno);

	if (!counters)
		return NULL;
	if (!counters_ours(counters) || counters->vcpus != vcpus) {
		memset(counters, 0, size);
		counters->magic = MAGIC;
		counters->version = VERSION_NUMBER;
		counters->vcpus = vcpus;
	}
	return counters;
}

void counters_move(struct counters *counters, int dirfd)
{
	size_t size = size_for(counters->vcpus);
	AUTO_CLOSE int fd = open_file(dirfd, size);

	/* Both threads go on counting meanwhile: what comes between these two lines is lost. */
	if (fd >= 0 && pwrite(fd, counters, size, 0) == (ssize_t)size)
		mmap(counters, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
}

bool counters_ours(const struct counters *counters)
{
	return counters->magic == MAGIC && counters->version == VERSION_NUMBER;
}

void counters_close(struct counters *counters)
{
	if (counters)
		munmap(counters, size_for(counters->vcpus));
}
