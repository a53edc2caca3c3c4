/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"
#include "cli/text.h"
#include "base/cleanup.h"

#include <string.h>

/* What the user typed as arguments; NULL with a complaint if it is no object. */
static json_t *arguments_of(const char *word, struct strbuf *complaint)
{
	json_error_t error;
	json_t *arguments = json_loads(word, JSON_REJECT_DUPLICATES, &error);

	if (json_is_object(arguments))
		return arguments;
	strbuf_add(complaint, "vfio-sup: qmp: the arguments are no JSON object: ");
	text_add_clean(complaint, arguments ? word : error.text);
	strbuf_add(complaint, "\n  fix        like '{\"id\": \"disk0\"}'\n");
	json_decref(arguments);
	return NULL;
}

static int show_result(const json_t *reply)
{
	const json_t *result = json_object_get(reply, "result");
	struct strbuf text AUTO_STRBUF = { 0 };
	char *dump AUTO_FREE =
		result ? json_dumps(result, JSON_INDENT(2) | JSON_ENCODE_ANY) : strdup("{}");

	text.failed = !dump;
	strbuf_addf(&text, "%s\n", dump ? dump : "");
	return cli_print(&text, CLI_OK);
}

int cli_qmp(const struct cli *cli)
{
	struct strbuf complaint AUTO_STRBUF = { 0 };
	json_t *parameters = call_vm(cli), *arguments = NULL, *reply = NULL;
	struct err err;

	if (cli->word_count > 2) {
		arguments = arguments_of(cli->words[2], &complaint);
		if (!arguments) {
			json_decref(parameters);
			return cli_complain(&complaint, CLI_USAGE);
		}
		json_object_set_new(parameters, "arguments", arguments);
	}
	json_object_set_new(parameters, "command", json_string(cli->words[1]));
	if (call_once(cli, "Qmp", parameters, &reply, &err) < 0)
		return cli_fail(&err);
	int status = show_result(reply);

	json_decref(reply);
	return status;
}
