# SPDX-License-Identifier: GPL-2.0-or-later
"""The media host as its scenarios see it: VMs by their cgroups and processes, units by systemctl, CPUs and
policies by the kernel. What vfio-sup says is only waited for, and is then looked up."""
import json
import os
import re
import signal
import subprocess
import threading
import time
import unittest

import kernel

CGROUPS = "/sys/fs/cgroup"
SERIALS = "/var/lib/lab"
DEADLINE = 60  # of things that take seconds; all here is 20 times slower than on a real machine


def run(*words, status=0, timeout=DEADLINE, **options):
    """What a command printed. It must end with `status`; None: however it likes."""
    done = subprocess.run(words, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False, **options)
    if status not in (None, done.returncode):
        raise AssertionError(f"{' '.join(words)}: exit status {done.returncode}: {done.stdout}")
    return done.stdout


def systemctl(*words, **options):
    return run("systemctl", *words, **options)


def show(unit, name):
    return systemctl("show", unit, "-p", name, "--value").strip()


def wait_for(what, check, deadline=DEADLINE):
    """What check() returns as soon as that is true."""
    end = time.monotonic() + deadline
    while True:
        got = check()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what}")
        time.sleep(0.2)


def group(tid):
    """A thread's cgroup."""
    return kernel.read(f"/proc/{tid}/cgroup").strip().removeprefix("0::")


def qemus():
    """{pid: name of the VM} of all QEMUs that live."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = kernel.read(f"/proc/{pid}/cmdline").split("\0")
        except OSError:
            continue
        if "qemu-system" in words[0] and "-name" in words and kernel.alive(int(pid)):
            name = words[words.index("-name") + 1]
            found[int(pid)] = re.match(r"guest=([^,]*)", name).group(1)
    return found


def supervisor():
    """The daemon's pid, once it is ready."""
    wait_for("the supervisor", lambda: show("vfio-sup", "ActiveState") == "active")
    return int(show("vfio-sup", "MainPID"))


def restart_supervisor(kill=False):
    """The pid of the new one, once it is ready."""
    old = show("vfio-sup", "MainPID")
    if kill:
        systemctl("kill", "-s", "KILL", "vfio-sup")
        wait_for("another supervisor", lambda: show("vfio-sup", "MainPID") not in ("0", old))
    else:
        systemctl("restart", "vfio-sup")
    return supervisor()


class Vm:
    """A VM of /etc/vfio-sup/vms."""

    def __init__(self, name):
        self.name, self.unit = name, f"vfiosup-{name}.service"
        self.group = f"/vfiosup.slice/{self.unit}"

    # What the kernel says.

    @property
    def pids(self):
        return [pid for pid, name in qemus().items() if name == self.name]

    @property
    def pid(self):
        pids = self.pids
        if len(pids) != 1:
            raise AssertionError(f"{self.name} has {len(pids)} QEMUs: {pids}")
        return pids[0]

    def vcpus(self):
        """tids, by the index of the vCPU."""
        named = {kernel.comm(tid): tid for tid in kernel.tids(self.pid)}
        found = [named.get(f"CPU {index}/TCG") for index in range(len(self.cpus()))]
        if None in found:
            raise AssertionError(f"{self.name} has these threads: {sorted(named)}")
        return found

    def cpus(self):
        """Host CPUs by the index of the vCPU, as its file asks for them."""
        text = kernel.read(f"/etc/vfio-sup/vms/{self.name}.conf")
        return [int(cpu) for cpu in re.search(r'vcpu = "([\d,]+)"', text).group(1).split(",")]

    def misplaced(self):
        """Everything that is not where the plan has it, in words."""
        try:
            return list(self.find_misplaced())
        except (AssertionError, OSError) as error:  # gone, or a thread ended meanwhile
            return [str(error)]

    def find_misplaced(self):
        vcpus = self.vcpus()
        rest = kernel.ALL - set(self.cpus())
        for tid, cpu in zip(vcpus, self.cpus()):
            yield from self.odd(tid, {cpu}, "vcpus")
            if (kernel.policy(tid), kernel.nice(tid)) != ("other", -20):
                yield f"{kernel.comm(tid)}: policy {kernel.policy(tid)}, nice {kernel.nice(tid)}"
        for tid in set(kernel.tids(self.pid)) - set(vcpus):
            slot = "iothreads" if kernel.comm(tid).startswith("IO io") else "emulator"
            yield from self.odd(tid, rest, slot)
            if kernel.policy(tid) != "other":
                yield f"{kernel.comm(tid)}: policy {kernel.policy(tid)}"
        for slot, cpus in (("vcpus", set(self.cpus())), ("emulator", rest), ("iothreads", rest)):
            path = f"{CGROUPS}{self.group}/vm/{slot}"
            if os.path.isdir(path) and kernel.cpus(kernel.read(f"{path}/cpuset.cpus.effective")) != cpus:
                yield f"{path}: CPUs {kernel.read(path + '/cpuset.cpus.effective').strip()}"

    def odd(self, tid, cpus, slot):
        if os.sched_getaffinity(tid) != cpus:
            yield f"{kernel.comm(tid)}: CPUs {os.sched_getaffinity(tid)} and not {cpus}"
        if group(tid) != f"{self.group}/vm/{slot}":
            yield f"{kernel.comm(tid)}: group {group(tid)} and not {slot}"

    def wait_placed(self, deadline=30):
        end = time.monotonic() + deadline
        while odd := self.misplaced():
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} is not placed: {'; '.join(odd)}")
            time.sleep(0.2)

    def serial(self):
        try:
            return kernel.read(f"{SERIALS}/{self.name}.serial")
        except FileNotFoundError:
            return ""

    def wait_serial(self, text):
        wait_for(f"{text!r} from {self.name}", lambda: text in self.serial())

    # What one does with it.

    def start(self):
        run("vfio-sup", "start", self.name)
        self.wait_state("running")
        return self.pid

    def end(self):
        run("vfio-sup", "kill", self.name, status=None)
        self.wait_gone()

    def wait_gone(self):
        """No process, no unit, no group."""
        wait_for(f"{self.name} is gone", lambda: not self.pids)
        wait_for(f"{self.unit} is gone", lambda: show(self.unit, "ActiveState") == "inactive")
        wait_for(f"{self.group} is gone", lambda: not os.path.exists(CGROUPS + self.group))

    def status(self):
        try:
            return json.loads(run("vfio-sup", "status", self.name, "--json", status=None))
        except ValueError:
            return {"state": ""}

    def wait_state(self, state):
        return wait_for(f"{self.name} is {state}", lambda: (
            found := self.status())["state"] == state and found)


class Census(threading.Thread):
    """Counts QEMUs all the time, beside what a scenario does: `most` {VM: at once}."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.done = {}, threading.Event()

    def run(self):
        while not self.done.wait(0.2):
            names = list(qemus().values())
            for name in names:
                self.most[name] = max(self.most.get(name, 0), names.count(name))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


MEDIA = Vm("media")
SPARE = [Vm(name) for name in ("quick", "linger", "stubborn", "realtime")]
QUICK, LINGER, STUBBORN, REALTIME = SPARE


class Scenario(unittest.TestCase):
    """Begins with a host as after its boot: the supervisor is there, MEDIA runs, the others do not."""

    def setUp(self):
        try:
            self.settle()
        except (AssertionError, subprocess.TimeoutExpired):
            # What an earlier scenario left; this one is to tell of itself.
            for pid in qemus():
                os.kill(pid, signal.SIGKILL)
            systemctl("reset-failed")
            systemctl("stop", "vfio-sup")
            wait_for("no QEMU", lambda: not qemus())
            systemctl("start", "vfio-sup")
            self.settle()

    @staticmethod
    def settle():
        supervisor()
        for vm in SPARE:
            if vm.pids:
                vm.end()
        if not MEDIA.pids:
            MEDIA.start()
        MEDIA.wait_state("running")
        MEDIA.wait_placed()

    def same(self, vm, pid):
        """A VM lives on, in the same QEMU, with everything in its place."""
        self.assertEqual(vm.pids, [pid])
        vm.wait_state("running")
        vm.wait_placed()
        self.assertEqual(vm.pids, [pid])
