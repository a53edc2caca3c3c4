/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/strbuf.h"
#include "supervisor/api.h"

/* Exit statuses (design §6). */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1, /* the job; status: it runs, and something is not as it should be */
	CLI_USAGE = 2,
	CLI_NOT_RUNNING = 3,
	CLI_NO_VM = 4,
	CLI_LOCKED = 5, /* by another supervisor */
	CLI_NO_SUPERVISOR = 6,
};

/* Options that only some verbs take. */
enum cli_flag {
	CLI_JSON = 1 << 0,
	CLI_FORCE = 1 << 1,
	CLI_HOST_SHUTDOWN = 1 << 2,
	CLI_LEASE = 1 << 3,
	CLI_LINES = 1 << 4,
	CLI_FOLLOW = 1 << 5,
};

enum { CLI_WORDS = 3 };

struct cli;

struct cli_verb {
	const char *name;
	const char *usage;                 /* what follows the name: "NAME [--force]" */
	const char *summary;               /* one line, for the list */
	const char *help;                  /* whole lines, for the verb alone */
	unsigned flags;                    /* of enum cli_flag: what it takes */
	size_t least, most;                /* words after the name */
	int (*run)(const struct cli *cli); /* exit status */
};

/* A command line that has been read. */
struct cli {
	const struct cli_verb *verbs;
	size_t verb_count;

	struct api_options api; /* --run-dir, --root */
	const char *config_dir;
	unsigned flags;
	size_t lines; /* with CLI_LINES */
	bool help, version;
	const struct cli_verb *verb;  /* NULL: none was named */
	const char *words[CLI_WORDS]; /* what follows it */
	size_t word_count;
};

/* Reads a command line. `cli` has its verbs, all else is filled in; the words stay argv's. 0, or
 * -EINVAL with whole lines for the user in `complaint`. */
int cli_parse(struct cli *cli, int argc, char **argv, struct strbuf *complaint);

/* The list of verbs and options, or one verb's own page. */
void cli_usage(const struct cli *cli, struct strbuf *text);
void cli_verb_usage(const struct cli_verb *verb, struct strbuf *text);

/* All of main(): its exit status. */
int cli_main(const struct cli_verb *verbs, size_t count, int argc, char **argv);

/* A verb takes a VM's name or its file: `word` as a name ("./mediapc.conf" is mediapc), and as the path
 * of a file (a bare name is CONFIG_DIR/vms/NAME.conf if there is such a file). */
void cli_vm_name(const char *word, struct strbuf *name);
void cli_vm_file(const struct cli *cli, const char *word, struct strbuf *path);

/* Writes to standard output and empties `text`; `status` again, or CLI_FAILED if it could not. */
int cli_print(struct strbuf *text, int status);

/* The same on standard error. */
int cli_complain(struct strbuf *text, int status);

/* An error for a person on standard error; the exit status that belongs to its code. */
int cli_fail(const struct err *err);
int cli_exit_of(int code);

/* The guest called `name` has asked for it: becomes poweroff(8). Comes back only if it cannot. */
int cli_power_off(const char *name);

/* The verbs; one file each. */
int cli_daemon(const struct cli *cli);
int cli_help(const struct cli *cli);
int cli_iommu(const struct cli *cli);
int cli_log(const struct cli *cli);
int cli_kill(const struct cli *cli);
int cli_pause(const struct cli *cli);
int cli_plan(const struct cli *cli);
int cli_qmp(const struct cli *cli);
int cli_reset(const struct cli *cli);
int cli_restore(const struct cli *cli);
int cli_run(const struct cli *cli);
int cli_start(const struct cli *cli);
int cli_status(const struct cli *cli);
int cli_stop(const struct cli *cli);

#endif
