# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUs go and come below a vCPU, and irqbalance is about."""
import os
import time

import kernel
from lab import MEDIA, Scenario, restart_supervisor, run, show, systemctl, wait_for

CPU = "/sys/devices/system/cpu/cpu3/online"


class Cpus(Scenario):
    def setUp(self):
        super().setUp()
        self.media = MEDIA.pid
        self.addCleanup(self.end)

    def end(self):
        kernel.write(CPU, 1)
        self.same(MEDIA, self.media)

    def test_offline_and_online(self):
        tid = MEDIA.vcpus()[1]
        for _ in range(2):
            kernel.write(CPU, 0)
            self.assertNotIn(3, os.sched_getaffinity(tid), "the kernel has taken it elsewhere")
            wait_for("it is said", lambda: MEDIA.status()["drift"]["unfixable"] or MEDIA.status()["alarms"]
                     or MEDIA.status()["drift"]["open"])
            self.assertEqual(MEDIA.pids, [self.media])
            kernel.write(CPU, 1)
            self.same(MEDIA, self.media)

    def test_restart_while_offline(self):
        kernel.write(CPU, 0)
        restart_supervisor()
        wait_for("it is taken over", lambda: MEDIA.status()["state"] == "running")
        self.assertEqual(MEDIA.pids, [self.media])
        kernel.write(CPU, 1)
        self.same(MEDIA, self.media)

    def test_irqbalance(self):
        """It scans every 10 s by itself, and once more when asked; threads stay where they are."""
        systemctl("restart", "irqbalance")
        self.assertEqual(show("irqbalance", "ActiveState"), "active")
        run("irqbalance", "--oneshot", status=None)
        end = time.monotonic() + 12
        while time.monotonic() < end:
            self.assertEqual(MEDIA.misplaced(), [])
            time.sleep(1)
        self.assertEqual(show("irqbalance", "ActiveState"), "active")
