/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "base/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES_PER_SECOND = 200, LINE = 2048 };

static bool journal_priorities;
static uint64_t window_start_ns, window_lines, dropped_now, dropped_ever;

static log_keep_fn *keeper;
static void *keeper_arg;

void log_keep(log_keep_fn *keep, void *arg)
{
	keeper = keep;
	keeper_arg = arg;
}

void log_use_journal_priorities(void)
{
	journal_priorities = true;
}

uint64_t log_dropped(void)
{
	return dropped_ever;
}

/* JOURNAL_STREAM names the device and inode of what the journal gave: it says nothing of a standard error that
 * was redirected since, sd-daemon(3). */
bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char ours[48];

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

static void put(enum log_level level, const char *vm, const char *words)
{
	char line[LINE + 64];
	int at = 0;

	if (journal_priorities)
		at += snprintf(line, sizeof(line), "<%d>", level);
	at += snprintf(line + at, sizeof(line) - (size_t)at, "%s%s", vm ? vm : "", vm ? ": " : "");
	for (; *words && at < LINE + 62; words++)
		line[at++] = *words == '\n' ? ' ' : *words;
	line[at++] = '\n';
	/* A log that cannot be written, a full pipe or a terminal that was stopped, is no reason to
	 * stop watching the VM. */
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT) ||
		write(STDERR_FILENO, line, (size_t)at) < 0)
		dropped_ever++;
}

static bool allowed(void)
{
	uint64_t now = clock_now_ns();

	if (now - window_start_ns >= NS_PER_SEC) {
		window_start_ns = now;
		window_lines = 0;
	}
	if (window_lines >= LINES_PER_SECOND) {
		dropped_now++;
		dropped_ever++;
		return false;
	}
	window_lines++;
	if (dropped_now > 0) {
		char words[64];

		snprintf(words, sizeof(words), "%" PRIu64 " log lines dropped", dropped_now);
		dropped_now = 0;
		put(LOG_LEVEL_WARNING, NULL, words);
	}
	return true;
}

void log_write(enum log_level level, const char *vm, const char *format, ...)
{
	char words[LINE];
	va_list args;

	if (!allowed())
		return;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	put(level, vm, words);
	if (vm && keeper)
		keeper(keeper_arg, level, vm, words);
}

void log_err(const char *vm, const struct err *err)
{
	log_error(vm, "%s%s%s%s%s%s%s", err->text, err->said[0] ? "; said: " : "", err->said,
		err->why[0] ? "; why: " : "", err->why, err->fix[0] ? "; fix: " : "", err->fix);
}
