/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/api.h"
#include "supervisor/giveback.h"
#include "supervisor/throttle.h"

#include <errno.h>
#include <string.h>

int api_restore(const struct api_options *options, struct strlist *ret_words, struct err *err)
{
	const char *run_dir = options->run_dir ? options->run_dir : API_RUN_DIR;
	struct supervisor sup;
	int r = supervisor_open(&sup, run_dir, options->root, err);

	if (r < 0)
		return r;
	if (throttle_give_back(&sup))
		strlist_add(ret_words, "the real-time throttle is given back");
	r = give_back_leftovers(&sup, ret_words);
	if (r < 0)
		err_set(err, -r, "cannot read the journal in %s: %s", run_dir, strerror(-r));
	supervisor_close(&sup);
	return r;
}
