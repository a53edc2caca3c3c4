/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_API_H
#define SUPERVISOR_API_H

#include "base/err.h"
#include "base/strbuf.h"
#include "model/action.h"
#include "model/spec.h"
#include "plan/place.h"

#include <jansson.h>

/* All that cli/ sees of the supervisor. */

#define API_RUN_DIR "/run/vfio-sup" /* unless somebody says otherwise */

struct api_options {
	const char *run_dir; /* NULL: the file's, or /run/vfio-sup */
	const char *root;    /* where the host is read from: "/" */
};

/* --- vfio-sup run --- */

struct api_run_result {
	char name[SPEC_NAME_SIZE];    /* "" if the file could not even be read */
	bool ran;                     /* the guest has run */
	int status;                   /* exit status of design §6: 0, 1, 5 */
	unsigned changed, given_back; /* host changes of a start that failed */
	struct err err;               /* why, where status is not 0 */
	char log_dir[256];   /* run directory in which QEMU's own words are kept; "": none */
	bool power_off_host; /* on_poweroff = "host-poweroff", and the guest has: the host is next */
};

/* Runs one VM in the foreground until it ends. SIGTERM (the host goes down) and SIGINT walk its stop ladder,
 * a second one goes to the next rung; SIGHUP ends nothing. */
void api_run(
	const char *file, const struct api_options *options, struct api_run_result *ret_result);

/* --- vfio-sup daemon --- */

/* All VMs of CONFIG_DIR/vms, until SIGTERM; they go on without it. SIGHUP reads the files again. 0, or
 * -errno with words: -EWOULDBLOCK another supervisor works in the run directory. *ret_power_off: a guest with
 * on_poweroff = "host-poweroff" has powered off, no other VM runs, and the host is next. */
int api_daemon(const char *config_dir, const struct api_options *options, bool *ret_power_off,
	struct err *err);

/* --- vfio-sup plan --- */

/* Everything `run` would do, in order. Owns all it points to: api_plan_free. */
struct api_plan {
	struct spec spec;
	struct place_plan place;
	struct actions prepare, release; /* groups, shield; and what takes them back */
	struct strlist argv;
	struct strlist cannot; /* what cannot be done here, each with its reason */
	struct strlist warnings;
	enum cg_mode cg_mode;
	bool kvm;
};

/* 0, or -errno with words: a file that `run` would refuse. Changes nothing. */
int api_plan(const char *file, const struct api_options *options, struct api_plan *ret_plan,
	struct err *err);
void api_plan_free(struct api_plan *plan);

/* --- clients of the control socket --- */

/*
 * Called for each reply; `continues`: more will come. `parameters` borrowed. Returning false ends the
 * call early.
 */
typedef bool api_reply_fn(void *arg, json_t *parameters, bool continues);

/*
 * One call of interface io.vfiosup over RUN_DIR/control.sock: `method` without the interface's name
 * ("Status"), `parameters` taken over (may be NULL), `more`: replies until it is done. Blocks, at most
 * 10 s for the first reply without `more`. 0, or -errno with words: -ECONNREFUSED no supervisor answers any more, or
 * -ENOTCONN none was there (exit status 6), -ENOENT no such VM (4), -EACCES, -EREMOTEIO (1) what the supervisor says.
 *
 * Methods and what they answer:
 *   Status(vm?: string) -> design §6: the VM's object, or { "host": {}, "vms": [] }
 *   Stop(vm, force: bool)  more: { "step": string } ..., at the end { "done": true, "ok": bool, "words": string }
 *   Start(vm)              the same (wakes a sleeping guest, resumes a paused one)
 *   Kill(vm), Reset(vm), Pause(vm), Resume(vm) -> { "words": string }
 *   HostShutdown()         see api_host_shutdown
 *   Qmp(vm, command: string, arguments: object?) -> { "result": any }
 */
int api_call(const struct api_options *options, const char *method, json_t *parameters, bool more,
	api_reply_fn *reply, void *arg, struct err *err);

/* The host goes down: every VM is stopped, and nothing is started any more. Replies { "step" }, { "waiting", "left" }
 * at least every 10 s, then the end as above. Where systemd waits for this process (NOTIFY_SOCKET), it is asked for
 * 100 s more with each { "waiting" }. -ETIMEDOUT: no reply came for that long. Where no supervisor answers, or it goes
 * away meanwhile, the VMs of `config_dir` and of the run directory are taken over and stopped by this process. */
int api_host_shutdown(const struct api_options *options, const char *config_dir,
	api_reply_fn *reply, void *arg, struct err *err);

/* --- vfio-sup log --- */

/* Reads what RUN_DIR keeps of a VM's history; needs no supervisor. */
struct api_log;

/* 0, or -errno with words: -ENOENT there is no history of it. */
int api_log_open(const char *name, const struct api_options *options, struct api_log **ret_log,
	struct err *err);
void api_log_close(struct api_log *log); /* NULL is fine */

/* Adds the lines that have come since the last call; the first time all of them, the older ones first. 0 or
 * -errno. */
int api_log_read(struct api_log *log, struct strbuf *text);

/* Adds what QEMU has said and no supervisor has taken into the history yet. */
void api_log_unheard(const struct api_log *log, struct strbuf *text);

/* --- vfio-sup restore --- */

/* Gives back what a supervisor that died left changed in this run directory; VMs that still run keep what
 * is theirs. `ret_words`: a line for each thing done or left alone. -EWOULDBLOCK (exit 5): a supervisor
 * works there. */
int api_restore(const struct api_options *options, struct strlist *ret_words, struct err *err);

/* Watches over what must not outlive a supervisor, until it is given back: by a supervisor, or here, once none
 * has answered in this run directory for 30 s. Returns at once if there is nothing, or a watcher already. */
int api_lease(const struct api_options *options, struct strlist *ret_words, struct err *err);

#endif
