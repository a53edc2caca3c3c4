# SPDX-License-Identifier: GPL-2.0-or-later
"""From the spawn of QEMU to its greeting, to all threads placed, to `cont`: 4 vCPUs, TCG."""
import time

from table import Row

SETTLE = 0.4  # asking is work for the supervisor, too: not while it starts


def one(bench):
    vm = bench.four()
    vm.start()
    time.sleep(SETTLE)
    found = vm.wait_state("running")["start"]
    bench.let_go(vm)
    return [found[f"{step}_seconds"] for step in ("greeting", "placed", "cont")]


def measure(bench, plan):
    greeting, placed, cont = zip(*[one(bench) for _ in range(plan.starts)])
    between = [after - before for before, after in zip(greeting, placed)]
    return [Row("QEMU's spawn to its greeting", greeting, "ms"),
            Row("spawn to all placed", placed, "ms"),
            Row("spawn to cont", cont, "ms"),
            Row("greeting to all placed", between, "ms", {"median": 0.025})]
