/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-sup.conf: what concerns the supervisor itself. */
#include "config/config.h"
#include "config/file.h"
#include "config/reader.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define AT(field) offsetof(struct host_conf, field)

static const struct key metrics_keys[] = {
	{ "listen", read_listen, AT(metrics_listen), NULL, 0, "\"127.0.0.1:9848\"" },
};
static const struct key control_keys[] = {
	{ "read", read_user, AT(read), NULL, 0, "\"vfio-sup\"" },
	{ "operate", read_user, AT(operate), NULL, 0, "\"vfio-sup\"" },
};
static const struct key_table metrics_table = { "metrics", metrics_keys, ARRAY_SIZE(metrics_keys) };
static const struct key_table control_table = { "control", control_keys, ARRAY_SIZE(control_keys) };

static const struct key host_keys[] = {
	{ "run_dir", read_path, AT(run_dir), NULL, 0, "\"/run/vfio-sup\"" },
	{ "metrics", read_block, 0, &metrics_table, 0, "{ listen = \"127.0.0.1:9848\"; }" },
	{ "control", read_block, 0, &control_table, 0, "{ operate = \"vfio-sup\"; }" },
	{ "host_sleep", read_choice, AT(host_sleep), conf_host_sleeps, 0, "\"block\"" },
	{ "rt_throttle", read_choice, AT(rt_throttle), conf_rt_throttles, 0, "\"auto\"" },
};

const struct key_table conf_host_keys = { NULL, host_keys, ARRAY_SIZE(host_keys) };

int config_parse_host(const char *path, const char *text, size_t length, struct host_conf *ret_conf,
	struct err *err)
{
	struct host_conf conf;
	struct conf_text bytes = { .path = path, .bytes = text, .length = length };
	struct reader reader = { .text = &bytes, .target = &conf, .err = err };

	if (host_conf_init(&conf) < 0)
		return err_set(err, ENOMEM, "%s: out of memory", path);
	int r = conf_read_text(&reader, &conf_host_keys, NULL);
	if (r < 0)
		host_conf_free(&conf);
	else
		*ret_conf = conf;
	return r;
}

int config_load_host(const char *path, struct host_conf *ret_conf, struct err *err)
{
	char *text AUTO_FREE = NULL;
	size_t length = 0;
	int r = conf_read_file(path, &text, &length, err);

	/* A host that says nothing has all the defaults. */
	if (r == -ENOENT)
		return host_conf_init(ret_conf) < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
	return r < 0 ? r : config_parse_host(path, text, length, ret_conf, err);
}
