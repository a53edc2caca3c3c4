/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's own words: heard, bounded, and quoted where they explain. */
#include "base/cleanup.h"
#include "base/log.h"
#include "supervisor/rundir.h"
#include "supervisor/vm.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LOG_MAX = 1 << 20,
	LOG_KEPT = 64 << 10,
	BEHIND_MAX = 64 << 10, /* further back it is left out */
	TURN_BYTES = 4096,
	KEPT_BYTES = 1024, /* of what is left out */
	BURST_LINES = 60,
	LINES_A_TURN = 2,
};

static char printable(char c)
{
	return c < ' ' || c > '~' ? '?' : c;
}

/* The last lines of qemu.log that are not blank, joined, printable. */
void vm_last_words(struct vm *vm, char *words, size_t size)
{
	AUTO_FREE char *text = NULL;
	size_t length = 0;

	words[0] = '\0';
	if (vm->dirfd < 0 || rundir_read(vm->dirfd, "qemu.log", &text, &length) < 0)
		return;
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	const char *from = length >= size ? text + length - size + 1 : text;
	const char *line = strrchr(from, '\n');
	/* QEMU explains in one line, sometimes with a hint below it. */
	while (line && line > from && (size_t)(text + length - line) < size / 2) {
		const char *before = memrchr(from, '\n', (size_t)(line - from));

		if (!before)
			break;
		line = before;
	}
	from = line && line - from > (ptrdiff_t)size / 2 ? line + 1 : from;
	size_t at = 0;
	for (; *from && at + 3 < size; from++) {
		if (*from == '\n')
			words[at++] = ';';
		words[at++] = *from == '\n' ? ' ' : printable(*from);
	}
	words[at] = '\0';
}

static void say(const struct vm *vm, const char *line, size_t length)
{
	char words[1024];
	size_t at = 0;

	while (length > 0 && isspace((unsigned char)line[length - 1]))
		length--;
	for (size_t i = 0; i < length && at < sizeof(words) - 1; i++)
		words[at++] = printable(line[i] == '\t' ? ' ' : line[i]);
	words[at] = '\0';
	if (at > 0)
		log_notice(vm->spec.name, "QEMU said: %s", words);
}

/* Whole lines, one that is too long in pieces; at the end also the last. Returns the bytes that are done. */
static size_t say_lines(struct vm *vm, const char *text, size_t length, bool ended)
{
	size_t done = 0;

	for (; vm->heard_lines < BURST_LINES && done < length; vm->heard_lines++) {
		const char *end = memchr(text + done, '\n', length - done);
		size_t size = end ? (size_t)(end - text) - done + 1 : length - done;

		if (!end && !ended && size < TURN_BYTES)
			break;
		say(vm, text + done, size);
		done += size;
	}
	return done;
}

static bool hear_some(struct vm *vm, int fd, uint64_t size, bool ended)
{
	_Atomic uint64_t *counter = &vm->counters->qemu_log_seen;
	uint64_t seen = counter_read(counter);
	char text[TURN_BYTES];

	if (vm->heard_lines >= BURST_LINES)
		return false;
	if (size > seen + (ended ? 2 * TURN_BYTES : BEHIND_MAX)) {
		log_notice(vm->spec.name, "QEMU said %llu bytes more than are shown here",
			(unsigned long long)(size - seen - KEPT_BYTES));
		seen = size - KEPT_BYTES;
	}
	ssize_t n = pread(fd, text, sizeof(text), (off_t)seen);
	size_t done = n > 0 ? say_lines(vm, text, (size_t)n, ended) : 0;
	counter_set(counter, seen + done);
	return done > 0;
}

/* QEMU appends; what was cut off is begun anew, with the end of the old kept beside it. */
static void bound(struct vm *vm, int fd, uint64_t size)
{
	char kept[LOG_KEPT];
	ssize_t n = pread(fd, kept, sizeof(kept), (off_t)size - LOG_KEPT);

	if (ftruncate(fd, 0) < 0)
		return;
	counter_set(&vm->counters->qemu_log_seen, 0);
	if (n > 0)
		rundir_write(vm->dirfd, "qemu.log.1", kept, (size_t)n);
	if (vm->heard_lines < BURST_LINES)
		log_notice(vm->spec.name, "qemu.log was longer than 1 MiB: begun anew");
}

/* It may talk, and must not drown what happened. */
static void refill(struct vm *vm, bool ended)
{
	unsigned used = ended ? 0 : vm->heard_lines;

	vm->heard_lines = used > LINES_A_TURN ? used - LINES_A_TURN : 0;
}

void vm_hear(struct vm *vm, bool ended)
{
	struct stat st;

	if (vm->dirfd < 0 || fstatat(vm->dirfd, "qemu.log", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	uint64_t size = (uint64_t)st.st_size;
	refill(vm, ended);
	if (size < counter_read(&vm->counters->qemu_log_seen))
		counter_set(&vm->counters->qemu_log_seen, 0);
	if (size == counter_read(&vm->counters->qemu_log_seen))
		return;
	AUTO_CLOSE int fd = openat(vm->dirfd, "qemu.log", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	while (hear_some(vm, fd, size, ended))
		continue;
	if (size > LOG_MAX)
		bound(vm, fd, size);
}
