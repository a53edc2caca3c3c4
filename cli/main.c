/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "base/cleanup.h"

static const struct cli_verb verbs[] = {
	{ "run", "FILE", "run one VM in the foreground until it ends",
		"Starts QEMU, places its threads, and keeps them there. SIGTERM walks the whole "
		"ladder of\n"
		"`stop`; a second one goes to the next rung. Exit 0 on a guest's power-off.\n",
		0, 1, 1, cli_run },
	{ "daemon", "", "all VMs of CONFIG_DIR/vms",
		"Takes over those that run, starts those with autostart once per boot. They go on "
		"when it ends\n"
		"(SIGTERM). SIGHUP reads the files again.\n",
		0, 0, 0, cli_daemon },
	{ "plan", "FILE [--json]", "everything `run` would do, in order, and QEMU's argv",
		"Changes nothing. Ends with each thing that `cannot:` be done here; exits 1 if "
		"there is one.\n",
		CLI_JSON, 1, 1, cli_plan },
	{ "iommu", "[--json]", "the IOMMU groups and what is in them",
		"A line for each device, as lspci has it. --json: also drivers, resets, whether a "
		"group is fit\n"
		"for a guest (`viable`), and what is needed first. Exit 1 without an IOMMU.\n",
		CLI_JSON, 0, 0, cli_iommu },
	{ "status", "[NAME] [--json]", "what is wanted beside what is",
		"Exit 0 running and healthy, 1 running with open drift or alarms, 3 not running, 4 "
		"no such\n"
		"VM. Without NAME: a line for each VM.\n",
		CLI_JSON, 0, 1, cli_status },
	{ "start", "NAME", "starts a VM, wakes a sleeping guest, resumes a paused one",
		"Shows its steps. The start goes on in the supervisor if this terminal is "
		"closed.\n",
		0, 1, 1, cli_start },
	{ "resume", "NAME", "the same as start", "Shows its steps.\n", 0, 1, 1, cli_start },
	{ "stop", "NAME [--force] | --host-shutdown", "asks the guest to power off",
		"Presses the power button; after `powerdown` it reports and leaves the guest "
		"alone. --force\n"
		"goes on: quit, SIGTERM, SIGKILL. --host-shutdown: all VMs at once, as --force, "
		"each with its\n"
		"time of `host_shutdown`; nothing is started any more. For root.\n",
		CLI_FORCE | CLI_HOST_SHUTDOWN, 1, 1, cli_stop },
	{ "kill", "NAME", "ends QEMU at once",
		"The guest is not asked: as if the plug were pulled.\n", 0, 1, 1, cli_kill },
	{ "reset", "NAME", "presses the guest's reset button", "The guest is not asked.\n", 0, 1, 1,
		cli_reset },
	{ "pause", "NAME", "halts the vCPUs until `resume`", "", 0, 1, 1, cli_pause },
	{ "qmp", "NAME COMMAND [JSON]", "one QMP command through the supervisor's connection",
		"For root. JSON is the command's arguments, an object.\n", 0, 2, 3, cli_qmp },
	{ "log", "NAME [--lines N] [--follow]", "what happened to it, QEMU's own words included",
		"The last --lines (-n) only; --follow (-f) goes on until it is interrupted. A ! is "
		"before what\n"
		"is not as it should be. Of the daemon's VMs it is kept until the host boots.\n",
		CLI_LINES | CLI_FOLLOW, 1, 1, cli_log },
	{ "restore", "[--lease]", "give back what a dead supervisor left changed",
		"VMs that still run keep what is theirs. Exit 5: a supervisor works there.\n"
		"--lease waits: what must not outlive a supervisor is given back once none has\n"
		"answered for 30 s.\n",
		CLI_LEASE, 0, 0, cli_restore },
	{ "help", "[VERB]", "this list, or one verb's page", "", 0, 0, 1, cli_help },
};

int main(int argc, char **argv)
{
	return cli_main(verbs, ARRAY_SIZE(verbs), argc, argv);
}
