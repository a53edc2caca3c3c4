# SPDX-License-Identifier: GPL-2.0-or-later
"""The supervisor is restarted and killed, at rest and in the middle of things: the guests do not notice."""
import subprocess
import time

import kernel
from lab import (LINGER, MEDIA, STUBBORN, Census, Scenario, restart_supervisor, run, show, supervisor,
                 systemctl, wait_for)

ROUNDS = 20


class Restarts(Scenario):
    def go_on(self, kill):
        """ROUNDS supervisors, one after the other."""
        pid = MEDIA.pid
        before, seen = MEDIA.status(), {show("vfio-sup", "MainPID")}
        with Census() as census:
            for _ in range(ROUNDS):
                seen.add(restart_supervisor(kill))
                self.assertEqual(MEDIA.pids, [pid])
        self.assertEqual((len(seen), census.most["media"]), (ROUNDS + 1, 1))
        self.same(MEDIA, pid)
        after = MEDIA.status()
        self.assertEqual((after["since"], after["restarts"]), (before["since"], before["restarts"]))
        for one, other in zip(before["vcpus"], after["vcpus"]):
            for key in ("run_seconds", "wait_seconds", "stalls", "max_wait_seconds"):
                self.assertGreaterEqual(other[key], one[key], key)

    def test_restart(self):
        self.go_on(kill=False)

    def test_kill(self):
        self.go_on(kill=True)

    def test_counters_are_the_kernels(self):
        """What is shown after all this is what the kernel counted since the guest began."""
        for tid, shown in zip(MEDIA.vcpus(), MEDIA.status()["vcpus"]):
            ran, waited, _ = kernel.read(f"/proc/{tid}/schedstat").split()
            self.assertAlmostEqual(shown["run_seconds"], int(ran) / 1e9, delta=2)
            self.assertAlmostEqual(shown["wait_seconds"], int(waited) / 1e9, delta=2)

    def interrupt(self, delay, *words):
        """A verb whose supervisor is killed after so many seconds."""
        verb = subprocess.Popen(["vfio-sup", *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        restart_supervisor(kill=True)
        verb.wait(120)

    def test_killed_in_the_middle_of_a_start(self):
        """What was begun is finished or taken back; there is never a second QEMU."""
        media = MEDIA.pid
        with Census() as census:
            for delay in (0.1, 0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0):
                with self.subTest(delay=delay):
                    self.interrupt(delay, "start", "stubborn")
                    found = wait_for("a state that lasts", lambda: (
                        s := STUBBORN.status()["state"]) in ("running", "stopped", "failed") and s)
                    if found == "running":
                        STUBBORN.wait_placed()
                        self.assertEqual(len(STUBBORN.pids), 1)
                        STUBBORN.end()
                    else:
                        STUBBORN.wait_gone()
        STUBBORN.start()
        self.assertEqual((census.most.get("stubborn", 1), census.most["media"]), (1, 1))
        self.same(MEDIA, media)

    def test_killed_in_the_middle_of_a_stop(self):
        """The guest is being stopped, and the next supervisor knows it."""
        media = MEDIA.pid
        for delay in (0.3, 3.0):
            with self.subTest(delay=delay), Census() as census:
                LINGER.start()
                LINGER.wait_serial("acpi: up")
                self.interrupt(delay, "stop", "linger")
                LINGER.wait_state("stopped")
                LINGER.wait_gone()
                self.assertIn("acpi: off", LINGER.serial())
            self.assertEqual(census.most["linger"], 1)
        self.same(MEDIA, media)

    def test_stopped_for_a_while(self):
        """Nobody is there, and then somebody is."""
        pid = MEDIA.pid
        systemctl("stop", "vfio-sup")
        self.assertEqual(MEDIA.pids, [pid])
        tid = MEDIA.vcpus()[0]
        run("chrt", "-b", "-p", "0", str(tid))
        run("taskset", "-cp", "0-3", str(tid), status=None)
        systemctl("start", "vfio-sup")
        supervisor()
        self.same(MEDIA, pid)
