# SPDX-License-Identifier: GPL-2.0-or-later
"""The guests by themselves, on a QEMU without a supervisor: each does what its header says."""
import os
import re
import shutil
import signal
import tempfile
import time
import unittest

import harness
import kernel
from raw_qemu import RawQemu


class Guests(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="vfio-sup-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def boot(self, guest, *extra):
        qemu = RawQemu(f"{harness.GUESTS}/{guest}.img", self.directory, *extra)
        self.addCleanup(qemu.close)
        return qemu

    def test_poweroff(self):
        qemu = self.boot("poweroff")
        self.assertEqual(qemu.wait_event("SHUTDOWN"), {"guest": True, "reason": "guest-shutdown"})
        self.assertEqual(qemu.serial().split("\n"), ["poweroff: up", "poweroff: off", ""])

    def test_reboot_resets_once(self):
        qemu = self.boot("reboot")
        self.assertEqual(qemu.wait_event("RESET")["reason"], "guest-reset")
        qemu.wait_serial("second boot")
        time.sleep(1)
        self.assertEqual(qemu.serial(), "reboot: first boot\nreboot: second boot\n")

    def test_spin_keeps_all_cpus_busy(self):
        qemu = self.boot("spin", "-smp", "2")
        qemu.wait_serial("spin: up")
        vcpus = [tid for tid in kernel.tids(qemu.process.pid)
                 if kernel.comm(tid).startswith("CPU ")]
        before = [kernel.busy_seconds(tid) for tid in vcpus]
        time.sleep(1)
        after = [kernel.busy_seconds(tid) for tid in vcpus]
        self.assertEqual(len(vcpus), 2)
        self.assertTrue(all(b - a > 0.1 for a, b in zip(before, after)), (before, after))

    def test_acpi_answers_the_button(self):
        qemu = self.boot("acpi")
        qemu.wait_serial("acpi: up")
        qemu.send("system_powerdown")
        self.assertEqual(qemu.wait_event("SHUTDOWN"), {"guest": True, "reason": "guest-shutdown"})

    def test_ignore_does_not(self):
        qemu = self.boot("ignore")
        qemu.wait_serial("ignore: up")
        qemu.send("system_powerdown")
        qemu.wait_event("POWERDOWN")
        time.sleep(1)
        qemu.read(0.1)
        self.assertNotIn("SHUTDOWN", [event["event"] for event in qemu.events])
        self.assertIsNone(qemu.process.poll())

    def test_panic_goes_on(self):
        qemu = self.boot("panic", "-device", "pvpanic", "-action", "panic=none")
        self.assertEqual(qemu.wait_event("GUEST_PANICKED")["action"], "run")
        qemu.wait_serial("panic: still here")

    def test_stall_sees_a_stall(self):
        qemu = self.boot("stall")
        qemu.wait_serial("worst")
        os.kill(qemu.process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(qemu.process.pid, signal.SIGCONT)
        time.sleep(2)
        windows = [(int(worst), int(stolen)) for worst, stolen in
                   re.findall(r"worst (\d+) stolen (\d+)\n", qemu.serial())]
        self.assertGreater(max(worst for worst, _ in windows), 250_000)
        self.assertTrue(all(stolen >= worst for worst, stolen in windows if worst > 200), windows)


if __name__ == "__main__":
    harness.main()
