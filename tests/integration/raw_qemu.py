# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU without a supervisor, and the little QMP that it takes to try a guest."""
import json
import os
import socket
import subprocess
import time


class RawQemu:
    """One guest under TCG; what QMP said is in `events`, oldest first."""

    def __init__(self, image, directory, *extra):
        self.serial_file, self.events, self.buffer = f"{directory}/serial", [], b""
        ours, theirs = socket.socketpair()
        disk = {"node-name": "disk", "driver": "raw", "read-only": True,
                "file": {"driver": "file", "filename": image, "read-only": True}}
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-m", "64M", "-nodefaults",
             "-display", "none", "-S", "-name", "raw,debug-threads=on",
             "-serial", f"file:{self.serial_file}", "-blockdev", json.dumps(disk),
             "-device", "virtio-blk-pci,drive=disk,bootindex=0",
             "-chardev", f"socket,id=q,fd={theirs.fileno()}", "-mon", "q,mode=control", *extra],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.socket = ours
        self.send("qmp_capabilities")
        self.send("cont")

    def send(self, command):
        self.socket.sendall(json.dumps({"execute": command}).encode())

    def read(self, seconds):
        """Takes in what comes within so long; False at the end of the connection."""
        self.socket.settimeout(seconds)
        try:
            part = self.socket.recv(65536)
        except TimeoutError:
            return True
        except ConnectionError:
            return False
        *lines, self.buffer = (self.buffer + part).split(b"\n")
        self.events += [one for one in map(json.loads, lines) if "event" in one]
        return bool(part)

    def wait_event(self, name, seconds=20):
        """The data of the first event of that name."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.events:
                if event["event"] == name:
                    return event.get("data", {})
            if not self.read(0.2):
                break
        raise AssertionError(f"no {name}; events: {self.events}; serial: {self.serial()!r}")

    def wait_serial(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.serial():
            if time.monotonic() > end:
                raise AssertionError(f"no {text!r}; serial: {self.serial()!r}")
            self.read(0.05)

    def serial(self):
        if not os.path.exists(self.serial_file):
            return ""
        with open(self.serial_file, encoding="ascii", errors="replace") as file:
            return file.read()

    def close(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()
