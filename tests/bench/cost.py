# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time and memory of the supervisors, beside an empty loop at the same tick in the same seconds."""
import os
import re
import subprocess
import time

import harness
import kernel
from table import Row

TICK_MS, SETTLE, VMS = 10, 3, 20


def cpu_seconds(pids):
    """What all threads have had so far. schedstat counts what stat does, in ns and not in ticks."""
    return sum(int(kernel.read(f"/proc/{pid}/task/{tid}/schedstat").split()[0])
               for pid in pids for tid in kernel.tids(pid)) / 1e9


def memory(pid):
    """(resident, anonymous) bytes."""
    text = kernel.read(f"/proc/{pid}/smaps_rollup")
    return [int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1)) * 1024
            for key in ("Rss", "Anonymous")]


def start_loop(seconds, cpus):
    loop = subprocess.Popen([f"{harness.BUILD}/tests/bench/empty_loop", str(TICK_MS), str(seconds)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(loop.pid, cpus)
    return loop


def watch(pids, plan):
    """Shares of a CPU in each window, of the supervisors and of the loop; and their memory."""
    loop = start_loop(plan.seconds + 10, os.sched_getaffinity(pids[0]))
    shares, empty, sizes = [], [], []
    try:
        time.sleep(0.5)
        at, ours, its = time.monotonic(), cpu_seconds(pids), cpu_seconds([loop.pid])
        for _ in range(plan.windows):
            time.sleep(max(0, at + plan.seconds / plan.windows - time.monotonic()))
            now, ours_now, its_now = time.monotonic(), cpu_seconds(pids), cpu_seconds([loop.pid])
            shares.append((ours_now - ours) / (now - at))
            empty.append((its_now - its) / (now - at))
            sizes.append([sum(column) for column in zip(*map(memory, pids))])
            at, ours, its = now, ours_now, its_now
    finally:
        loop.kill()
        loop.wait()
    return shares, empty, sizes


def rows(name, found, aims):
    shares, empty, sizes = found
    resident, anonymous = zip(*sizes)
    ratio = [ours / its for ours, its in zip(shares, empty)]
    return [Row(f"CPU, {name}", shares, "%"),
            Row("CPU, an empty loop beside it", empty, "%"),
            Row(f"CPU, {name} to empty loop", ratio, "x", {"median": 2}),
            Row(f"resident, {name}", resident, "MB", aims[0]),
            Row(f"anonymous, {name}", anonymous, "MB", aims[1])]


def one_vm(vm, plan):
    time.sleep(SETTLE)
    return rows("1 VM x 4 vCPUs", watch([vm.process.pid], plan), ({"median": 10e6}, {"median": 3e6}))


def many_vms(bench, plan):
    vms = [bench.empty() for _ in range(VMS)]
    for vm in vms:
        vm.start()
    for vm in vms:
        vm.wait_state("running")
    time.sleep(SETTLE)
    found = watch([vm.process.pid for vm in vms], plan)
    for vm in vms:
        bench.let_go(vm)
    return rows(f"{VMS} VMs (-machine none) together", found, ({}, {}))
