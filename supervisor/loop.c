/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/loop.h"
#include "base/clock.h"
#include "base/list.h"

#include <ev.h>
#include <poll.h>
#include <stdlib.h>

struct loop_source {
	struct list link; /* loop.sources */
	struct loop *loop;
	const struct source_ops *ops;
	void *source;
	ev_io io;
	bool removed; /* freed at the end of the turn */
};

struct loop {
	struct ev_loop *ev;
	struct list sources; /* loop_source.link */
	ev_prepare prepare;
	ev_timer timer;
	bool stop;
};

static short poll_events(int revents)
{
	return (short)((revents & EV_READ ? POLLIN : 0) | (revents & EV_WRITE ? POLLOUT : 0));
}

static int ev_events(short events)
{
	return (events & POLLIN ? EV_READ : 0) | (events & POLLOUT ? EV_WRITE : 0);
}

static void on_io(struct ev_loop *ev, ev_io *io, int revents)
{
	struct loop_source *source = io->data;

	/* Stopped until the turn's end: processing may close the descriptor and open another that
	 * has the same number. */
	ev_io_stop(ev, io);
	if (!source->removed)
		source->ops->process(source->source, poll_events(revents), clock_now_ns());
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct loop *loop = timer->data;
	uint64_t now = clock_now_ns();

	(void)ev;
	(void)revents;
	list_for_each (link, &loop->sources) {
		struct loop_source *source = list_entry(link, struct loop_source, link);

		if (!source->removed && source->ops->deadline_ns(source->source) <= now)
			source->ops->process(source->source, 0, now);
	}
}

static void sweep(struct loop *loop)
{
	list_for_each (link, &loop->sources) {
		struct loop_source *source = list_entry(link, struct loop_source, link);

		if (!source->removed)
			continue;
		ev_io_stop(loop->ev, &source->io);
		list_remove(&source->link);
		free(source);
	}
}

static void ask_descriptor(struct loop *loop, struct loop_source *source)
{
	int fd = source->ops->fd(source->source);
	int events = fd >= 0 ? ev_events(source->ops->events(source->source)) : 0;

	if (ev_is_active(&source->io)) {
		if (source->io.fd == fd && (source->io.events & (EV_READ | EV_WRITE)) == events)
			return;
		ev_io_stop(loop->ev, &source->io);
	}
	if (events == 0)
		return;
	ev_io_set(&source->io, fd, events);
	ev_io_start(loop->ev, &source->io);
}

/* Before each wait: what every source wants now. */
static void on_prepare(struct ev_loop *ev, ev_prepare *prepare, int revents)
{
	struct loop *loop = prepare->data;
	uint64_t earliest = CLOCK_NEVER, now = clock_now_ns();

	(void)revents;
	sweep(loop);
	list_for_each (link, &loop->sources) {
		struct loop_source *source = list_entry(link, struct loop_source, link);
		uint64_t deadline = source->ops->deadline_ns(source->source);

		ask_descriptor(loop, source);
		if (deadline < earliest)
			earliest = deadline;
	}
	ev_timer_stop(ev, &loop->timer);
	if (earliest == CLOCK_NEVER)
		return;
	ev_now_update(ev);
	ev_timer_set(&loop->timer, earliest > now ? (double)(earliest - now) / 1e9 : 0., 0.);
	ev_timer_start(ev, &loop->timer);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	list_init(&loop->sources);
	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!loop->ev) {
		free(loop);
		return NULL;
	}
	ev_init(&loop->timer, on_timer);
	loop->timer.data = loop;
	ev_prepare_init(&loop->prepare, on_prepare);
	loop->prepare.data = loop;
	ev_prepare_start(loop->ev, &loop->prepare);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	list_for_each (link, &loop->sources)
		list_entry(link, struct loop_source, link)->removed = true;
	sweep(loop);
	ev_prepare_stop(loop->ev, &loop->prepare);
	ev_timer_stop(loop->ev, &loop->timer);
	ev_loop_destroy(loop->ev);
	free(loop);
}

struct loop_source *loop_add(struct loop *loop, const struct source_ops *ops, void *arg)
{
	struct loop_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->loop = loop;
	source->ops = ops;
	source->source = arg;
	ev_init(&source->io, on_io);
	/* Before the timers: if we were stopped meanwhile, what has come in is not late. */
	ev_set_priority(&source->io, 1);
	source->io.data = source;
	list_add(&loop->sources, &source->link);
	return source;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (!source)
		return;
	/* Its descriptor may be closed next: nothing may wait on the number. */
	ev_io_stop(loop->ev, &source->io);
	source->removed = true;
}

void loop_run(struct loop *loop)
{
	loop->stop = false;
	while (!loop->stop)
		ev_run(loop->ev, EVRUN_ONCE);
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

int loop_no_fd(void *source)
{
	(void)source;
	return -1;
}

short loop_no_events(void *source)
{
	(void)source;
	return 0;
}

uint64_t loop_no_deadline(void *source)
{
	(void)source;
	return CLOCK_NEVER;
}
