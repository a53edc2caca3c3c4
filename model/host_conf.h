/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_HOST_CONF_H
#define MODEL_HOST_CONF_H

#include "model/spec.h"

/* What vfio-sup.conf says of the supervisor itself. Owns its texts: host_conf_free. */
struct host_conf {
	char *run_dir;        /* "/run/vfio-sup" */
	char *metrics_listen; /* "127.0.0.1:9848" */
	char *read, *operate; /* groups that may ask, and start and stop; "vfio-sup" */
	enum spec_host_sleep host_sleep;
	enum spec_rt_throttle rt_throttle;
};

/* The documented defaults. 0 or -ENOMEM. */
int host_conf_init(struct host_conf *conf);
void host_conf_free(struct host_conf *conf);

#endif
