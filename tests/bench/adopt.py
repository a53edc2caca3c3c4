# SPDX-License-Identifier: GPL-2.0-or-later
"""From a daemon's exec to all of its VMs adopted, read back and running again, after a SIGKILL of the one
before; and what one daemon costs by number of VMs."""
import json
import os
import signal
import socket
import statistics
import subprocess
import time

import harness
import kernel
from cost import cpu_seconds, memory
from table import Row


class Daemon:
    """One daemon over `count` VMs without a machine, in a directory of the bench's."""

    def __init__(self, bench, count):
        self.directory = f"{bench.directory}/daemon{count}"
        os.makedirs(f"{self.directory}/etc/vms")
        kernel.write(f"{self.directory}/etc/vfio-sup.conf",
                     'metrics = { listen = "127.0.0.1:0"; };\n')
        for number in range(count):
            kernel.write(f"{self.directory}/etc/vms/{bench.stem}d{count}x{number}.conf",
                         'accel = "tcg"; machine = "none"; autostart = true;\n')
        self.count, self.process = count, None

    def start(self):
        self.process = subprocess.Popen(
            [harness.BINARY, "--run-dir", f"{self.directory}/run", "--config-dir",
             f"{self.directory}/etc", "daemon"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, method, **parameters):
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(f"{self.directory}/run/control.sock")
            one.sendall(json.dumps({"method": f"io.vfiosup.{method}",
                                    "parameters": parameters}).encode() + b"\0")
            answer = b""
            while not answer.endswith(b"\0"):
                answer += one.recv(1 << 20) or b"\0"
        return json.loads(answer.rstrip(b"\0"))["parameters"]

    def states(self):
        try:
            return {vm["name"]: vm["state"] for vm in self.ask("Status")["vms"]}
        except (OSError, ValueError):
            return {}

    def wait(self, state):
        end = time.monotonic() + 300
        while list(self.states().values()) != [state] * self.count:
            if time.monotonic() > end:
                raise AssertionError(f"not all {state}: {self.states()}")
            time.sleep(0.0005)

    def adopt(self):
        """Seconds from exec to the last one running."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        began = time.monotonic()
        self.start()
        self.wait("running")
        return time.monotonic() - began

    def end(self):
        for name in self.states():
            self.ask("Kill", vm=name)
        self.wait("stopped")
        self.process.terminate()
        self.process.wait()


def start_looks(daemon, seconds):
    """The bare system calls for as many threads, where the daemon runs."""
    pids = [str(vm["pid"]) for vm in daemon.ask("Status")["vms"]]
    looks = subprocess.Popen([f"{harness.BUILD}/tests/bench/bare_looks", str(seconds), *pids],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(looks.pid, os.sched_getaffinity(daemon.process.pid))
    return looks


def cost(daemon, seconds):
    """Shares of a CPU in each window, of the daemon and of the bare looks; and its memory."""
    ours, bare, resident = [], [], []
    windows = max(1, min(6, int(seconds / 2)))  # several looks in each
    looks = start_looks(daemon, seconds + 10)
    both = ([daemon.process.pid], [looks.pid])
    try:
        time.sleep(1)
        for _ in range(windows):
            at, before = time.monotonic(), [cpu_seconds(pids) for pids in both]
            time.sleep(seconds / windows)
            share = [(cpu_seconds(pids) - had) / (time.monotonic() - at)
                     for pids, had in zip(both, before)]
            ours.append(share[0])
            bare.append(share[1])
            resident.append(memory(daemon.process.pid)[0])
    finally:
        looks.kill()
        looks.wait()
    return ours, bare, resident


def one_size(bench, count, plan, aim):
    daemon = Daemon(bench, count)
    daemon.start()
    try:
        daemon.wait("running")
        times = [daemon.adopt() for _ in range(max(3, plan.starts // (1 if count == 1 else 5)))]
        time.sleep(2)
        ours, bare, resident = cost(daemon, plan.seconds / 2)
    finally:
        daemon.end()
    name = f"{count} VM{'s' if count > 1 else ''} (-machine none)"
    ratio = [had / least for had, least in zip(ours, bare)]
    return [Row(f"exec to adopted, {name}", times, "ms", aim),
            Row(f"CPU, a daemon with {name}", ours, "%"),
            Row("CPU, bare looks at its QEMUs' threads", bare, "%"),
            Row(f"CPU, a daemon with {count} to bare looks", ratio, "x", {"median": 2}),
            Row(f"resident, a daemon with {name}", resident, "MB")], statistics.median(resident)


def measure(bench, plan, sizes):
    rows, found = [], {}
    for count in sizes:
        some, found[count] = one_size(bench, count, plan, {"median": 0.1} if count == 1 else {})
        rows += some
    for low, high in zip(sizes, sizes[1:]):
        growth = (found[high] - found[low]) / (high - low)
        rows.append(Row(f"resident, growth for each VM from {low} to {high}", [growth], "kB",
                        {"median": 64 * 1024}))
    return rows
