/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/host_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int host_conf_init(struct host_conf *conf)
{
	*conf = (struct host_conf){ .run_dir = strdup("/run/vfio-sup"),
		.metrics_listen = strdup("127.0.0.1:9848"),
		.read = strdup("vfio-sup"),
		.operate = strdup("vfio-sup") };
	if (conf->run_dir && conf->metrics_listen && conf->read && conf->operate)
		return 0;
	host_conf_free(conf);
	return -ENOMEM;
}

void host_conf_free(struct host_conf *conf)
{
	free(conf->run_dir);
	free(conf->metrics_listen);
	free(conf->read);
	free(conf->operate);
	*conf = (struct host_conf){ 0 };
}
