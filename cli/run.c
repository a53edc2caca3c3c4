/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/run_text.h"
#include "cli/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Comes back only if it cannot. */
static int power_off_host(const char *name)
{
	static const char *const paths[] = { "/usr/sbin/poweroff", "/sbin/poweroff" };
	struct err err;

	printf("%s has powered off, and the host goes with it (on_poweroff = \"host-poweroff\")\n",
		name);
	fflush(stdout);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		execl(paths[i], "poweroff", (char *)NULL);
	err_set(&err, errno, "cannot power off the host: %s: %s", paths[0], strerror(errno));
	return cli_fail(&err);
}

int cli_run(const struct cli *cli)
{
	struct api_run_result result = { 0 };
	struct strbuf path AUTO_STRBUF = { 0 }, text AUTO_STRBUF = { 0 };

	cli_vm_file(cli, cli->words[0], &path);
	if (path.failed || !path.text)
		return cli_complain(&path, CLI_FAILED);
	api_run(path.text, &cli->api, &result);
	if (result.status != CLI_OK) {
		run_text(&result, &text);
		cli_complain(&text, result.status);
	}
	if (result.power_off_host)
		return power_off_host(result.name);
	return result.status;
}
