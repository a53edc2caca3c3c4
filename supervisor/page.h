/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_PAGE_H
#define SUPERVISOR_PAGE_H

#include "metrics/prom.h"
#include "supervisor/vm.h"

/* page_vcpus.c: the families that have a series for each vCPU. */
void page_write_vcpus(struct prom *prom, struct supervisor *sup);

#endif
