# SPDX-License-Identifier: GPL-2.0-or-later
"""From a foreign change of a vCPU's affinity or policy to its repair, the change made at any phase of the
tick. 20 repairs of a kind and thread in 10 s are free of back-off: more than ROUND_MS apart is less."""
import subprocess

import harness
from table import Row

VMS, ROUND_MS, TICK = 2, 600, 0.01


def changes(vms, rounds):
    """{kind: [seconds]} of all changes that drift.c makes."""
    tids = [vm.tid(index) for vm in vms for index in (0, 1)]
    pairs = [word for kind in ("affinity", "policy") for tid in tids for word in (str(tid), kind)]
    done = subprocess.run([f"{harness.BUILD}/tests/bench/drift", str(rounds), str(ROUND_MS), *pairs],
                          text=True, capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    found = {"affinity": [], "policy": []}
    for line in done.stdout.splitlines():
        kind, seconds = line.split()
        found[kind].append(float(seconds))
    return found


def check_free(vms, rounds):
    """Each change was repaired once, and none was held back."""
    for vm in vms:
        drift = vm.wait_status("nothing open", lambda s: not s["drift"]["open"])["drift"]
        counts = drift["repaired_by_kind"]
        for kind in ("affinity", "policy"):
            if counts.get(kind) != 2 * rounds:
                raise AssertionError(f"{vm.name}: {counts.get(kind)} repairs of {kind}, made were "
                                     f"{2 * rounds} changes\n{vm.output()}")


def measure(bench, plan):
    vms = [bench.pair().up() for _ in range(VMS)]
    found = changes(vms, plan.rounds)
    check_free(vms, plan.rounds)
    for vm in vms:
        bench.let_go(vm)
    return [Row(f"foreign change of {kind} to repaired", samples, "ms",
                {"median": TICK, "p99": 2 * TICK}) for kind, samples in found.items()]
