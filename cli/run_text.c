/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/run_text.h"
#include "cli/text.h"

#include <string.h>

static void add_what_is_left(const struct api_run_result *result, struct strbuf *text)
{
	if (result->given_back >= result->changed)
		strbuf_addf(text, "the host is as before (%u of %u given back).\n",
			result->given_back, result->changed);
	else
		strbuf_addf(text,
			"%u of %u changes of the host were given back; for the others: "
			"vfio-sup restore\n",
			result->given_back, result->changed);
}

/* The command that shows QEMU's own words, where they are kept. */
static void add_more(const struct api_run_result *result, struct strbuf *text)
{
	struct strbuf more AUTO_STRBUF = { 0 };

	if (!result->log_dir[0])
		return;
	strbuf_addf(&more, "vfio-sup log %s", result->name);
	if (strcmp(result->log_dir, API_RUN_DIR) != 0)
		strbuf_addf(&more, " --run-dir %s", result->log_dir);
	text_add_line(text, "more", more.failed ? "" : more.text);
}

/* Its text is the reason, unless there is one behind it. */
static void add_reasons(const struct api_run_result *result, struct strbuf *text)
{
	const struct err *err = &result->err;

	if (err->why[0])
		text_add_line(text, "what", err->text);
	text_add_line(text, "QEMU said", err->said);
	text_add_line(text, "why", err->why[0] ? err->why : err->text);
	text_add_line(text, "fix", err->fix);
	add_more(result, text);
}

void run_text(const struct api_run_result *result, struct strbuf *text)
{
	if (result->ran) {
		text_add_err(text, result->name, &result->err, NULL);
		add_more(result, text);
		return;
	}
	if (!result->name[0] || result->changed == 0) {
		text_add_err(text, "vfio-sup", &result->err, NULL);
		return;
	}
	text_add_clean(text, result->name);
	strbuf_add(text, " did not start; ");
	add_what_is_left(result, text);
	add_reasons(result, text);
}
