/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"
#include "cli/text.h"

#include <errno.h>

static bool keep_reply(void *arg, json_t *parameters, bool continues)
{
	json_t **reply = arg;

	json_decref(*reply);
	*reply = json_incref(parameters);
	return continues;
}

int call_once(const struct cli *cli, const char *method, json_t *parameters, json_t **ret_reply,
	struct err *err)
{
	json_t *reply = NULL;
	int r = api_call(&cli->api, method, parameters, false, keep_reply, &reply, err);

	if (r == 0 && !json_is_object(reply))
		r = err_set(err, EPROTO, "the supervisor's answer to %s is none", method);
	if (r < 0)
		json_decref(reply);
	else
		*ret_reply = reply;
	return r;
}

json_t *call_vm(const struct cli *cli)
{
	struct strbuf name AUTO_STRBUF = { 0 };

	cli_vm_name(cli->words[0], &name);
	return name.text ? json_pack("{s:s}", "vm", name.text) : json_pack("{s:s}", "vm", "");
}

int call_for_words(const struct cli *cli, const char *method)
{
	struct strbuf text AUTO_STRBUF = { 0 };
	json_t *reply = NULL;
	struct err err;

	if (call_once(cli, method, call_vm(cli), &reply, &err) < 0)
		return cli_fail(&err);
	text_add_clean(&text, field_text(reply, "words"));
	strbuf_add(&text, "\n");
	json_decref(reply);
	return cli_print(&text, CLI_OK);
}

void steps_take(struct steps *steps, const json_t *reply, bool continues, struct strbuf *text)
{
	const char *words = field_text(reply, continues ? "step" : "words");

	if (!continues) {
		steps->done = json_is_object(reply);
		steps->ok = steps->done && !field_is_false(reply, "ok");
	}
	if (!words[0])
		return;
	text_add_clean(text, words);
	strbuf_add(text, "\n");
}

bool call_show_step(void *arg, json_t *parameters, bool continues)
{
	struct steps *steps = arg;
	struct strbuf text AUTO_STRBUF = { 0 };

	steps_take(steps, parameters, continues, &text);
	if (text.length > 0 && steps->done && !steps->ok)
		cli_complain(&text, CLI_FAILED);
	else if (text.length > 0)
		cli_print(&text, CLI_OK);
	return continues;
}

int call_end(int r, const struct steps *steps, struct err *err)
{
	if (r == 0 && !steps->done) {
		r = err_set(err, EPROTO, "the supervisor went away before it was done");
		err_fix(err, "vfio-sup status says how far it came");
	}
	if (r < 0)
		return cli_fail(err);
	return steps->ok ? CLI_OK : CLI_FAILED;
}

int call_for_steps(const struct cli *cli, const char *method, json_t *parameters)
{
	struct steps steps = { 0 };
	struct err err;
	int r = api_call(&cli->api, method, parameters, true, call_show_step, &steps, &err);

	return call_end(r, &steps, &err);
}
