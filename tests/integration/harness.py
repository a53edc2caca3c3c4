# SPDX-License-Identifier: GPL-2.0-or-later
"""What the integration tests share: a VM of the test's own under a supervisor of the test's own, in a
directory that is gone afterwards. Everything is ended by pid, and what is left behind is a failure."""
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import kernel

BUILD = os.environ.get("BUILD", "build")
BINARY = os.path.abspath(f"{BUILD}/vfio-sup")
GUESTS = os.path.abspath(f"{BUILD}/tests/guests")
QEMU_USER = "vfio-sup-qemu"
DEADLINE = 60 if "sanitize" in BUILD else 30  # for what mostly takes a tenth of a second


def render(value):
    """A Python value as libconfig has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + " ".join(f"{key} = {render(one)};" for key, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(render(one) for one in value) + " )"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def wait_for(what, check, deadline=None):
    """What check() returns as soon as that is true."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        got = check()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline or DEADLINE} s: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Vm:
    """A VM file, and what one does with it. `keys` are the file's; None leaves one out."""

    def __init__(self, test, guest="ignore", name=None, run="run", devices=(), args=(), **keys):
        self.test, self.directory = test, test.directory
        self.name = name or f"{test.stem}-{len(test.vms)}"
        self.file = f"{self.directory}/{self.name}.conf"
        self.run_dir = f"{self.directory}/{run}"
        self.serial_file = f"{self.directory}/out/{self.name}.serial"
        self.log_file = f"{self.directory}/{self.name}.log"
        self.process, self.log, self.qemus, self.port = None, "", {}, None
        test.vms.append(self)
        self.write(self.defaults(guest, devices, args) | keys)

    def defaults(self, guest, devices, args):
        """What the tests have in common. args=None leaves the key out, and the serial port with it."""
        image = f"{self.directory}/{guest}.img"
        if not os.path.exists(image):
            shutil.copy(f"{GUESTS}/{guest}.img", image)
        disk = {"driver": "virtio-blk-pci", "drive": "disk", "bootindex": 0}
        serial = ["-serial", f"file:{self.serial_file}"]
        return {
            "accel": "tcg", "memory": {"size": "64M"}, "cpus": {"vcpu": str(kernel.VCPU)},
            "blockdevs": [{"node-name": "disk", "driver": "raw", "read-only": True,
                           "file": {"driver": "file", "filename": image, "read-only": True}}],
            "devices": [disk, *devices],
            "args": None if args is None else [*serial, *args],
            "on_crash": "stop", "rt_throttle": "keep",
            "stop": {"powerdown": "2s", "presses": 1, "quit": "5s", "term": "5s"},
        }

    def write(self, keys):
        if isinstance(keys.get("metrics"), int):
            self.port = keys["metrics"]
            keys["metrics"] = {"listen": f"127.0.0.1:{self.port}"}
        lines = [f"{key} = {render(value)};\n" for key, value in keys.items() if value is not None]
        kernel.write(self.file, "".join(lines))
        os.chmod(self.file, 0o644)

    # The supervisor.

    def start(self, **popen):
        """Starts `run` and does not wait for anything."""
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "--run-dir", self.run_dir, "run", self.file], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, **popen)
        return self

    def up(self, **popen):
        """Starts it and waits until it runs."""
        self.start(**popen).wait_state("running")
        return self

    def output(self):
        return kernel.read(self.log_file) if os.path.exists(self.log_file) else self.log

    def exit_status(self, deadline=None):
        """Of the supervisor, once it ends by itself."""
        try:
            return self.process.wait(deadline or DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"vfio-sup run does not end: {self.output()}") from None

    # Its clients.

    def cli(self, *words, **options):
        return subprocess.run([BINARY, "--run-dir", self.run_dir, *words], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=2 * DEADLINE, **options)

    def status(self):
        """status --json, None while nobody answers."""
        done = self.cli("status", self.name, "--json")
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return None
        if found.get("pid"):
            self.qemus[found["pid"]] = kernel.born(found["pid"])
        return found

    def wait_status(self, what, check, deadline=None):
        """The first status for which check(status) is true."""
        def look():
            found = self.status()
            if found is None and self.process.poll() is not None:
                raise AssertionError(f"the supervisor ended ({self.process.returncode}) while a "
                                     f"test waited for {what}")
            return found if found is not None and check(found) else None
        return wait_for(what, look, deadline)

    def wait_state(self, state, deadline=None):
        return self.wait_status(f"state {state}", lambda s: s["state"] == state, deadline)

    def qmp(self, command, arguments=None):
        words = [json.dumps(arguments)] if arguments else []
        done = self.cli("qmp", self.name, command, *words)
        if done.returncode:
            raise AssertionError(f"qmp {command}: {done.stderr}")
        reply = json.loads(done.stdout)
        return reply["return"] if isinstance(reply, dict) and "return" in reply else reply

    # What the kernel and the guest say.

    @property
    def pid(self):
        return self.wait_status("QEMU's pid", lambda s: s["pid"])["pid"]

    def tid(self, index=0):
        """The thread of a vCPU, found by the name that QEMU gave it."""
        named = [tid for tid in kernel.tids(self.pid)
                 if kernel.comm(tid).startswith(f"CPU {index}/")]
        self.test.assertEqual(len(named), 1, f"threads of vCPU {index}")
        return named[0]

    def serial(self):
        return kernel.read(self.serial_file) if os.path.exists(self.serial_file) else ""

    def wait_serial(self, text):
        wait_for(f"{text!r} from the guest", lambda: text in self.serial())

    def metrics(self):
        """The page as {'name{label="x",...}': value}, labels in the order of their names."""
        return parse_metrics(self.page())

    def page(self, path="/metrics"):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as reply:
            return reply.read().decode()

    # The end.

    def end(self):
        """Ends all that is left; what had to be forced, or is left behind, is told."""
        problems = []
        if self.process:
            for pid in kernel.children(self.process.pid):
                self.qemus.setdefault(pid, kernel.born(pid))
            problems += self.end_supervisor()
        problems += self.end_qemus()
        self.log = self.output()
        return problems + self.end_groups()

    def end_supervisor(self):
        for step in (lambda: self.cli("kill", self.name), self.process.terminate,
                     self.process.terminate):
            if self.process.poll() is None:
                step()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(15)
        if self.process.poll() is not None:
            return []
        self.process.kill()
        self.process.wait()
        return ["the supervisor ended neither by kill nor by SIGTERM"]

    def end_qemus(self):
        problems = []
        for pid, start in self.qemus.items():
            if kernel.alive(pid, start):
                problems.append(f"QEMU {pid} outlived its supervisor")
                os.kill(pid, signal.SIGKILL)
                wait_for("QEMU's end", lambda p=pid, s=start: not kernel.alive(p, s))
        return problems

    def end_groups(self):
        left = kernel.groups_named(self.name)
        for group in left:
            for path, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(group))
        return [f"cgroup left behind: {group}" for group in left]


def parse_metrics(text):
    found = {}
    for line in text.splitlines():
        match = re.match(r"([a-z_]\w*)(?:\{(.*)\})? (\S+)$", line)
        if match and not line.startswith("#"):
            name, labels, value = match.groups()
            pairs = sorted(re.findall(r'\w+="(?:[^"\\]|\\.)*"', labels or ""))
            found[name + ("{" + ",".join(pairs) + "}" if pairs else "")] = float(value)
    return found


class VmTest(unittest.TestCase):
    """A test with a directory and any number of VMs."""

    def setUp(self):
        self.vms = []
        self.directory = tempfile.mkdtemp(prefix="vfio-sup-test-")
        self.stem = "t" + os.path.basename(self.directory)[-8:].lower().replace("_", "-")
        self.addCleanup(self.clean_up)
        os.chmod(self.directory, 0o755)
        os.mkdir(f"{self.directory}/out")
        user = pwd.getpwnam(QEMU_USER)
        os.chown(f"{self.directory}/out", user.pw_uid, user.pw_gid)

    def vm(self, guest="ignore", **keys):
        return Vm(self, guest, **keys)

    def clean_up(self):
        problems = [problem for vm in self.vms for problem in vm.end()]
        shutil.rmtree(self.directory)
        self.assertEqual(problems, [])

    def run(self, result=None):
        """As ever; and if it failed, what the supervisors had to say."""
        def bad(of):
            return len(of.failures) + len(of.errors) if of else 0
        before = bad(result)
        result = super().run(result)
        if bad(result) > before:
            for vm in self.vms:
                print(f"--- {self.id()}: log of {vm.name}\n{vm.log}---", file=sys.stderr)
        return result

    # Assertions that many files need.

    def assert_failed(self, done, *words, status=1):
        """A command that failed with this status and says these words (patterns) to a person."""
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        for word in words:
            self.assertRegex(said, word)
        self.assertNotRegex(said, r"AddressSanitizer|runtime error|core dumped")

    def assert_gone(self, vm):
        """Nothing of the VM is left on the host."""
        for pid, start in vm.qemus.items():
            self.assertFalse(kernel.alive(pid, start), f"QEMU {pid}")
        self.assertEqual(kernel.groups_named(vm.name), [])


def main():
    unittest.main(verbosity=2)
