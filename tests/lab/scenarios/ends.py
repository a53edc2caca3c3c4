# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests end, by themselves and when asked, or do not: the host has everything back."""
import glob
import os

import kernel
from lab import CGROUPS, LINGER, MEDIA, QUICK, STUBBORN, Scenario, run, show, systemctl, wait_for


class Ends(Scenario):
    def clean(self):
        """Nothing has failed, and systemd says so."""
        self.assertEqual(systemctl("--failed", "--plain", "--no-legend").strip(), "")
        systemctl("status", "vfio-sup")

    def test_powers_itself_off(self):
        media = MEDIA.pid
        run("vfio-sup", "start", "quick")
        QUICK.wait_serial("poweroff: off")
        QUICK.wait_gone()
        found = QUICK.wait_state("stopped")
        self.assertEqual(found["last_exit"]["reason"], "guest-shutdown")
        self.assertEqual(show(QUICK.unit, "LoadState"), "not-found")
        self.assertEqual(glob.glob("/run/vfio-sup/quick/io/*"), [])
        self.clean()
        self.same(MEDIA, media)

    def test_asked_to_power_off(self):
        MEDIA.wait_serial("acpi: up")
        run("vfio-sup", "stop", "media")
        self.assertIn("acpi: off", MEDIA.serial())
        MEDIA.wait_gone()
        self.assertNotIn("vfio-", kernel.read("/proc/interrupts"))
        self.assertEqual(kernel.cpus(kernel.read(f"{CGROUPS}/cpuset.cpus.effective")), kernel.ALL)
        self.assertEqual(kernel.cpus(kernel.read(f"{CGROUPS}/system.slice/cpuset.cpus.effective"))
                         if os.path.exists(f"{CGROUPS}/system.slice/cpuset.cpus.effective")
                         else kernel.ALL, kernel.ALL)
        self.clean()
        MEDIA.start()
        MEDIA.wait_placed()

    def test_takes_its_time(self):
        LINGER.start()
        LINGER.wait_serial("acpi: up")
        run("vfio-sup", "stop", "linger")
        self.assertIn("acpi: off", LINGER.serial())
        LINGER.wait_gone()
        self.clean()

    def test_ignores_the_button(self):
        pid = STUBBORN.start()
        STUBBORN.wait_serial("ignore: up")
        run("vfio-sup", "stop", "stubborn", status=1)
        self.assertEqual(STUBBORN.pids, [pid], "stop alone never pulls the plug")
        run("vfio-sup", "stop", "stubborn", "--force")
        STUBBORN.wait_gone()
        self.clean()

    def test_qemu_is_killed(self):
        """on_crash = "stop"."""
        pid = STUBBORN.start()
        os.kill(pid, 9)
        STUBBORN.wait_gone()
        wait_for("the end", lambda: STUBBORN.status()["state"] in ("stopped", "failed"))
        self.assertEqual(STUBBORN.status()["last_exit"]["reason"], "crash")
        STUBBORN.start()
        STUBBORN.end()
        self.clean()

    def test_systemctl_stop_the_slice(self):
        """All VMs at once, with no power button."""
        media = MEDIA.pid
        for verb in ("stop", "restart"):
            systemctl(verb, "vfiosup.slice", status=None)
        self.same(MEDIA, media)

    def test_systemctl_stop(self):
        """Package tools and operators send it, and would pull the plug."""
        pid = STUBBORN.start()
        for verb in ("stop", "restart", "try-restart"):
            systemctl(verb, STUBBORN.unit, status=None)
        self.same(STUBBORN, pid)
        STUBBORN.end()
        self.clean()
