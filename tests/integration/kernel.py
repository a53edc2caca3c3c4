# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says of threads, processes and cgroups; and the groups and spinners that a test makes
for itself. Read here and not through vfio-sup: what it says is checked against this."""
import os
import signal
import subprocess
import sys
import time

POLICIES = {os.SCHED_OTHER: "other", os.SCHED_FIFO: "fifo", os.SCHED_RR: "rr",
            os.SCHED_BATCH: "batch", os.SCHED_IDLE: "idle"}


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(text))


def cpus(text):
    """The set of "0-1,3"."""
    found = set()
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return found


ALL = cpus(read("/sys/devices/system/cpu/online")) & os.sched_getaffinity(0)
HOUSE, VCPU = min(ALL), max(ALL)  # for everything else, and for the only vCPU of most tests


def mounted(controller):
    """Where a v1 hierarchy is mounted, or None."""
    for line in read("/proc/mounts").splitlines():
        _, where, kind, options = line.split()[:4]
        if kind == "cgroup" and controller in options.split(","):
            return where
    return None


CPUSET, CPU = mounted("cpuset"), mounted("cpu")


# Threads and processes.

def stat(pid):
    """The fields of /proc/PID/stat after the name, from the state on; None if it is gone."""
    try:
        return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    except OSError:
        return None


def born(pid):
    """When a process was started, in ticks since boot: with the pid it names one process for ever."""
    fields = stat(pid)
    return fields and fields[19]


def alive(pid, start=None):
    fields = stat(pid)
    return bool(fields) and fields[0] not in "ZX" and start in (None, fields[19])


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        fields = name.isdigit() and stat(name)
        if fields and int(fields[1]) == pid:
            found.append(int(name))
    return found


def tids(pid):
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))


def comm(tid):
    return read(f"/proc/{tid}/comm").strip()


def about(pid):
    """/proc/PID/status as a dictionary."""
    lines = read(f"/proc/{pid}/status").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def policy(tid):
    return POLICIES[os.sched_getscheduler(tid)]


def nice(tid):
    return os.getpriority(os.PRIO_PROCESS, tid)


def set_policy(tid, name, priority=0):
    number = {value: key for key, value in POLICIES.items()}[name]
    os.sched_setscheduler(tid, number, os.sched_param(priority))


def busy_seconds(tid):
    """CPU time that a thread has had."""
    fields = stat(tid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpuset_of(tid):
    """The thread's group in the v1 cpuset hierarchy, "/vfiosup/x/vcpus"."""
    for line in read(f"/proc/{tid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuset" in controllers.split(","):
            return path
    return None


def groups_named(name):
    """Every cgroup directory of a VM, in all hierarchies."""
    roots = [f"/sys/fs/cgroup/{one}" for one in os.listdir("/sys/fs/cgroup")] + ["/sys/fs/cgroup"]
    return [path for path in (f"{root}/vfiosup/{name}" for root in roots) if os.path.isdir(path)]


# What tests make.

class Group:
    """A v1 cgroup of the test's own, removed at its end."""

    def __init__(self, test, hierarchy, **files):
        self.name = f"vfio-sup-test-{os.getpid()}"
        self.path = f"{hierarchy}/{self.name}"
        os.mkdir(self.path)
        test.addCleanup(lambda: self.remove())
        for name, value in files.items():
            self.write(name.replace("_", ".", 1), value)

    def read(self, name):
        return read(f"{self.path}/{name}").strip()

    def write(self, name, value):
        write(f"{self.path}/{name}", value)

    def add(self, pid):
        self.write("tasks", pid)

    def remove(self):
        for _ in range(50):
            try:
                return os.rmdir(self.path)
            except OSError:  # what ended a moment ago is still on its way out
                time.sleep(0.1)
        return os.rmdir(self.path)


def sleeper(test):
    """A process that does nothing for as long as the test goes on."""
    process = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    test.addCleanup(end, process)
    return process


SPINNER = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
end = time.monotonic() + float(sys.argv[2])
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
while time.monotonic() < end:
    pass
"""


def intruder(test, cpu, seconds):
    """A real-time process that takes one CPU for itself, for so long and no longer."""
    process = subprocess.Popen([sys.executable, "-c", SPINNER, str(cpu), str(seconds)],
                               stdin=subprocess.DEVNULL)
    test.addCleanup(end, process)
    return process


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
