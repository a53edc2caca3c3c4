# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of `vfio-sup daemon` share."""
import os
import re
import signal
import socket
import subprocess

import harness
import kernel


class Notify:
    """The socket at which systemd listens; and all that was said there, a message each."""

    def __init__(self, path):
        self.path, self.heard = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def messages(self):
        while True:
            try:
                self.heard.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return self.heard

    def wait(self, pattern, since=0):
        """The first message from `since` on in which this is found."""
        return harness.wait_for(f"{pattern!r} at NOTIFY_SOCKET", lambda: next(
            (one for one in self.messages()[since:] if re.search(pattern, one)), None))


class DaemonTest(harness.VmTest):
    """A test with a daemon of its own; `self.env` is added to the daemon's environment."""
    def setUp(self):
        super().setUp()
        self.daemon, self.config = None, f"{self.directory}/etc"
        os.makedirs(f"{self.config}/vms", 0o755)
        self.env = {}
        self.write_conf()
        self.addCleanup(self.end_daemon)

    def write_conf(self, **keys):
        keys = {"metrics": {"listen": "127.0.0.1:0"}} | keys
        kernel.write(f"{self.config}/vfio-sup.conf",
                     "".join(f"{key} = {harness.render(one)};\n" for key, one in keys.items()))
        os.chmod(f"{self.config}/vfio-sup.conf", 0o644)

    def add(self, guest="ignore", **keys):
        """A VM whose file is the daemon's."""
        vm = self.vm(guest, **keys)
        os.rename(vm.file, f"{self.config}/vms/{vm.name}.conf")
        vm.file = f"{self.config}/vms/{vm.name}.conf"
        return vm

    def command(self, *words):
        return [harness.BINARY, "--run-dir", f"{self.directory}/run", "--config-dir", self.config,
                *words]

    def notify(self):
        """A NOTIFY_SOCKET for the next daemon, closed in the end."""
        one = Notify(f"{self.directory}/notify")
        self.addCleanup(one.socket.close)
        self.env["NOTIFY_SOCKET"] = one.path
        return one

    def start(self):
        with open(f"{self.directory}/daemon.log", "ab") as log:
            self.daemon = subprocess.Popen(self.command("daemon"), stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, env=os.environ | self.env)
        # Bare `vfio-sup` ends well where nobody answers; this one says so.
        harness.wait_for("the daemon", lambda: self.cli("status", "nobody").returncode == 4)
        for vm in self.vms:
            vm.process = self.daemon

    def cli(self, *words):
        return subprocess.run([harness.BINARY, "--run-dir", f"{self.directory}/run", *words],
                              text=True, capture_output=True, check=False, timeout=60)

    def background(self, *words):
        process = subprocess.Popen(
            [harness.BINARY, "--run-dir", f"{self.directory}/run", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(kernel.end, process)
        return process

    def log(self):
        return kernel.read(f"{self.directory}/daemon.log")

    def kill_daemon(self, how=signal.SIGKILL):
        self.daemon.send_signal(how)
        return self.daemon.wait(harness.DEADLINE)

    def end_daemon(self):
        for vm in self.vms:
            if self.daemon and self.daemon.poll() is None:
                self.cli("kill", vm.name)
                harness.wait_for("its end", lambda v=vm: not (v.status() or {}).get("pid"))
            vm.process = None
        if self.daemon and self.daemon.poll() is None:
            self.kill_daemon(signal.SIGTERM)
