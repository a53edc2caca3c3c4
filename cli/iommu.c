/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/iommu_text.h"
#include "cli/text.h"
#include "base/cleanup.h"
#include "host/host.h"
#include "plan/iommu.h"

#include <string.h>

static int read_groups(const char *path, struct iommu *ret, struct err *err)
{
	struct root root;
	int r = root_open(&root, path);

	if (r < 0)
		return err_set(err, -r, "cannot open %s: %s", path, strerror(-r));
	r = host_read_iommu(&root, ret, err);
	root_close(&root);
	if (r < 0)
		return r;
	iommu_sort(ret);
	return ret->count > 0 ? 0 : iommu_missing(ret, err);
}

int cli_iommu(const struct cli *cli)
{
	struct strbuf text AUTO_STRBUF = { 0 };
	struct iommu iommu;
	struct err err;

	if (read_groups(cli->api.root, &iommu, &err) < 0) {
		/* A root that is not there is no VM that is not there. */
		cli_fail(&err);
		return CLI_FAILED;
	}
	if (cli->flags & CLI_JSON)
		text_take_json(&text, iommu_json(&iommu));
	else
		iommu_text(&iommu, &text);
	iommu_free(&iommu);
	return cli_print(&text, CLI_OK);
}
