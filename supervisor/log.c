/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "supervisor/api.h"
#include "supervisor/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int api_log(const char *name, const struct api_options *options, struct strbuf *ret_text,
	struct err *err)
{
	static const char *const files[] = { "qemu.log.1", "qemu.log" };
	const char *run_dir = options->run_dir ? options->run_dir : API_RUN_DIR;
	int r = -ENOENT;

	if (!spec_name_valid(name))
		return err_set(err, EINVAL, "\"%s\" cannot be the name of a VM", name);
	AUTO_CLOSE int top = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int dir =
		top < 0 ? -1 : openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(files); i++) {
		AUTO_FREE char *text = NULL;
		size_t length;
		int one = rundir_read(dir, files[i], &text, &length);

		if (one == 0)
			strbuf_add_bytes(ret_text, text, length);
		if (one != -ENOENT)
			r = one;
	}
	if (r < 0)
		err_set(err, -r, "there are no words of %s's QEMU in %s: %s", name, run_dir,
			strerror(-r));
	return r;
}
