/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/inhibit.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cgroups/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ASK_LIMIT_NS (20 * NS_PER_SEC)

struct inhibit {
	struct loop *loop;
	struct loop_source *source;
	sd_bus *bus;       /* a question is on its way; NULL: none is */
	uint64_t until_ns; /* for its answer */
	bool answered;
	int fd; /* the inhibitor; -1: none */
	char wanted[INHIBIT_WORDS];
	char reason[160], said[160];
};

static size_t add(char *words, size_t at, const char *before, const char *name)
{
	int n = snprintf(words + at, INHIBIT_WORDS - at, "%s%s", before, name);

	return at + (size_t)n;
}

const char *inhibit_words(const struct inhibit_vm *vms, size_t count, char words[INHIBIT_WORDS])
{
	enum { LONGEST = sizeof(", 12345678 more use devices of this host, and would lose them") };
	size_t at = 0, left = 0, named = 0;
	char more[24];

	words[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (!vms[i].lives || !vms[i].vfio)
			continue;
		if (left > 0 || at + strlen(vms[i].name) + 2 + LONGEST > INHIBIT_WORDS) {
			left++;
			continue;
		}
		at = add(words, at, named++ > 0 ? ", " : "", vms[i].name);
	}
	if (named == 0)
		return words;
	snprintf(more, sizeof(more), "%zu more", left);
	if (left > 0)
		at = add(words, at, ", ", more);
	add(words, at, named + left > 1 ? " use" : " uses",
		" devices of this host, and would lose them");
	return words;
}

static void close_bus(struct inhibit *inhibit)
{
	inhibit->bus = sd_bus_close_unref(inhibit->bus);
}

static void fail(struct inhibit *inhibit, const char *words)
{
	snprintf(inhibit->reason, sizeof(inhibit->reason), "%s", words);
	inhibit->answered = true;
	if (strcmp(inhibit->said, inhibit->reason) == 0)
		return;
	memcpy(inhibit->said, inhibit->reason, sizeof(inhibit->said));
	log_warning(NULL, "the host can be put to sleep under VMs with VFIO devices: logind: %s",
		inhibit->reason);
}

static int answer(sd_bus_message *message, void *arg, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(message);
	struct inhibit *inhibit = arg;
	int fd = -1, r = error ? 0 : sd_bus_message_read(message, "h", &fd);

	(void)ret_error;
	if (error) {
		fail(inhibit, error->message && error->message[0] ? error->message : error->name);
		return 0;
	}
	/* The message owns its own. */
	fd = r < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0) {
		fail(inhibit, r < 0 ? "its answer is no inhibitor" : strerror(errno));
		return 0;
	}
	cleanup_close(&inhibit->fd);
	inhibit->fd = fd;
	inhibit->answered = true;
	inhibit->reason[0] = inhibit->said[0] = '\0';
	log_info(NULL, "the host does not sleep: %s", inhibit->wanted);
	return 0;
}

static void ask(struct inhibit *inhibit)
{
	inhibit->answered = false;
	inhibit->until_ns = clock_now_ns() + ASK_LIMIT_NS;
	int r = sd_bus_open_system(&inhibit->bus);
	if (r >= 0)
		r = sd_bus_call_method_async(inhibit->bus, NULL, "org.freedesktop.login1",
			"/org/freedesktop/login1", "org.freedesktop.login1.Manager", "Inhibit",
			answer, inhibit, "ssss", "sleep", "vfio-sup", inhibit->wanted, "block");
	if (r >= 0)
		return;
	fail(inhibit, strerror(-r));
	close_bus(inhibit);
}

static int inhibit_fd(void *source)
{
	const struct inhibit *inhibit = source;
	int fd = inhibit->bus ? sd_bus_get_fd(inhibit->bus) : -1;

	return fd < 0 ? -1 : fd;
}

static short inhibit_events(void *source)
{
	const struct inhibit *inhibit = source;

	return inhibit->bus ? bus_events(inhibit->bus) : 0;
}

static uint64_t inhibit_deadline(void *source)
{
	const struct inhibit *inhibit = source;

	if (!inhibit->bus)
		return CLOCK_NEVER;
	uint64_t deadline = bus_deadline_ns(inhibit->bus);
	return deadline < inhibit->until_ns ? deadline : inhibit->until_ns;
}

static void inhibit_process(void *source, short revents, uint64_t now_ns)
{
	struct inhibit *inhibit = source;
	int r = 1;

	(void)revents;
	if (!inhibit->bus)
		return;
	while (r > 0 && !inhibit->answered)
		r = sd_bus_process(inhibit->bus, NULL);
	if (r < 0 && !inhibit->answered)
		fail(inhibit, strerror(-r));
	if (now_ns >= inhibit->until_ns && !inhibit->answered)
		fail(inhibit, strerror(ETIMEDOUT));
	if (inhibit->answered)
		close_bus(inhibit);
}

static const struct source_ops inhibit_source = { .fd = inhibit_fd,
	.events = inhibit_events,
	.deadline_ns = inhibit_deadline,
	.process = inhibit_process };

struct inhibit *inhibit_new(struct loop *loop)
{
	struct inhibit *inhibit = calloc(1, sizeof(*inhibit));

	if (!inhibit)
		return NULL;
	inhibit->loop = loop;
	inhibit->fd = -1;
	inhibit->source = loop_add(loop, &inhibit_source, inhibit);
	if (!inhibit->source) {
		free(inhibit);
		return NULL;
	}
	return inhibit;
}

void inhibit_free(struct inhibit *inhibit)
{
	if (!inhibit)
		return;
	loop_remove(inhibit->loop, inhibit->source);
	close_bus(inhibit);
	cleanup_close(&inhibit->fd);
	free(inhibit);
}

void inhibit_want(struct inhibit *inhibit, const char *words)
{
	if (strcmp(inhibit->wanted, words) == 0)
		return;
	snprintf(inhibit->wanted, sizeof(inhibit->wanted), "%s", words);
	/* The answer to an older question would come for nothing: logind takes it back. */
	close_bus(inhibit);
	if (words[0]) {
		ask(inhibit);
		return;
	}
	if (inhibit->fd >= 0)
		log_info(NULL, "the host may sleep again");
	cleanup_close(&inhibit->fd);
	inhibit->reason[0] = '\0';
}

enum inhibit_state inhibit_state(const struct inhibit *inhibit)
{
	if (!inhibit->wanted[0])
		return INHIBIT_NONE;
	if (inhibit->fd >= 0)
		return INHIBIT_HELD;
	return inhibit->bus ? INHIBIT_ASKED : INHIBIT_FAILED;
}

const char *inhibit_state_name(enum inhibit_state state)
{
	static const char *const names[] = { [INHIBIT_NONE] = "none",
		[INHIBIT_ASKED] = "asked",
		[INHIBIT_HELD] = "held",
		[INHIBIT_FAILED] = "failed" };

	return names[state];
}

const char *inhibit_reason(const struct inhibit *inhibit)
{
	return inhibit->reason;
}
