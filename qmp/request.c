/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/request.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

enum {
	IN_FLIGHT_MAX = 8, /* QEMU's own limit of in-band commands */
	WAITING_MAX = 256
};

void requests_init(struct requests *requests, struct qmp_stats *stats)
{
	*requests = (struct requests){ .stats = stats };
	list_init(&requests->waiting);
	list_init(&requests->flying);
}

static char *command_text(uint64_t id, const char *command, json_t *arguments)
{
	json_t *json = json_pack("{s:s, s:I}", "execute", command, "id", (json_int_t)id);

	if (arguments && (!json || json_object_set(json, "arguments", arguments) < 0)) {
		json_decref(json);
		json = NULL;
	}
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static struct request *new_request(uint64_t id, const char *command, json_t *arguments)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->id = id;
	request->text = command_text(id, command, arguments);
	if (request->text)
		return request;
	free(request);
	return NULL;
}

int requests_add(struct requests *requests, const char *command, json_t *arguments,
	uint64_t timeout_ns, uint64_t now_ns, qmp_reply_fn *reply, void *arg)
{
	if (requests->waiting_count >= WAITING_MAX)
		return -ENOBUFS;
	struct request *request = new_request(requests->next_id, command, arguments);
	if (!request)
		return -ENOMEM;
	request->sent_ns = now_ns;
	request->deadline_ns = now_ns + timeout_ns;
	request->reply = reply;
	request->arg = arg;
	list_add(&requests->waiting, &request->link);
	requests->next_id++;
	requests->waiting_count++;
	requests->stats->commands++;
	return 0;
}

void requests_launch(struct requests *requests, struct strbuf *out)
{
	while (requests->flying_count < IN_FLIGHT_MAX && !list_empty(&requests->waiting)) {
		struct request *request = list_entry(requests->waiting.next, struct request, link);

		strbuf_add(out, request->text);
		strbuf_add(out, "\r\n");
		free(request->text);
		request->text = NULL;
		list_remove(&request->link);
		list_add(&requests->flying, &request->link);
		requests->waiting_count--;
		requests->flying_count++;
	}
}

struct request *requests_find(struct requests *requests, json_t *id)
{
	json_int_t number = json_is_integer(id) ? json_integer_value(id) : -1;

	list_for_each (link, &requests->flying) {
		struct request *request = list_entry(link, struct request, link);

		if ((json_int_t)request->id == number)
			return request;
	}
	/* A number we gave out came after its deadline; anything else is nobody's. */
	if (number >= 0 && (uint64_t)number < requests->next_id)
		requests->stats->overdue++;
	else
		requests->stats->unknown_ids++;
	return NULL;
}

void requests_end(struct requests *requests, struct request *request, enum qmp_outcome outcome,
	json_t *result, const char *words)
{
	qmp_reply_fn *reply = request->reply;
	void *arg = request->arg;

	if (request->text)
		requests->waiting_count--;
	else
		requests->flying_count--;
	list_remove(&request->link);
	free(request->text);
	free(request);
	if (outcome != QMP_OK)
		requests->stats->failures++;
	reply(arg, outcome, result, words);
}

static void end_list(struct requests *requests, struct list *list, const char *words)
{
	while (!list_empty(list))
		requests_end(requests, list_entry(list->next, struct request, link), QMP_LOST, NULL,
			words);
}

void requests_end_all(struct requests *requests, const char *words)
{
	end_list(requests, &requests->flying, words);
	end_list(requests, &requests->waiting, words);
}

static void expire_list(struct requests *requests, struct list *list, uint64_t now_ns)
{
	bool again = true;

	/* From the start each time: a callback may have ended any other request. */
	while (again) {
		again = false;
		list_for_each (link, list) {
			struct request *request = list_entry(link, struct request, link);

			if (request->deadline_ns > now_ns)
				continue;
			requests_end(requests, request, QMP_TIMEOUT, NULL,
				"QEMU did not answer in time");
			again = true;
			break;
		}
	}
}

void requests_expire(struct requests *requests, uint64_t now_ns)
{
	expire_list(requests, &requests->flying, now_ns);
	expire_list(requests, &requests->waiting, now_ns);
}

static uint64_t earliest(const struct list *list, uint64_t deadline)
{
	list_for_each (link, list) {
		const struct request *request = list_entry(link, struct request, link);

		if (request->deadline_ns < deadline)
			deadline = request->deadline_ns;
	}
	return deadline;
}

uint64_t requests_deadline(const struct requests *requests)
{
	return earliest(&requests->waiting, earliest(&requests->flying, CLOCK_NEVER));
}
