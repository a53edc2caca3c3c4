# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator or a package does to systemd's units and slices: placement holds, or is repaired."""
from lab import MEDIA, Scenario, show, systemctl

OTHERS = ("system.slice", "user.slice", "init.scope")


class Slices(Scenario):
    def setUp(self):
        super().setUp()
        self.media = MEDIA.pid

    def tearDown(self):
        self.same(MEDIA, self.media)

    def test_daemon_reload(self):
        for _ in range(3):
            systemctl("daemon-reload")
            self.same(MEDIA, self.media)
            self.assertEqual(show(MEDIA.unit, "LoadState"), "loaded", "its file can be read again")

    def test_daemon_reexec(self):
        systemctl("daemon-reexec")
        self.same(MEDIA, self.media)
        self.assertEqual(show(MEDIA.unit, "MainPID"), str(self.media))

    def test_stop_user_slice(self):
        systemctl("stop", "user.slice")
        self.same(MEDIA, self.media)

    def test_other_slices_cut_back(self):
        for one in OTHERS:
            systemctl("set-property", "--runtime", one, "AllowedCPUs=0-1")
        self.same(MEDIA, self.media)
        systemctl("daemon-reload")
        self.same(MEDIA, self.media)
        # Cleared alone, systemd leaves the CPUs cut back.
        for value in ("0-3", ""):
            for one in OTHERS:
                systemctl("set-property", "--runtime", one, f"AllowedCPUs={value}")

    def test_its_own_properties(self):
        systemctl("set-property", "--runtime", "vfiosup.slice", "CPUWeight=50")
        systemctl("set-property", "--runtime", MEDIA.unit, "CPUWeight=200")
        self.same(MEDIA, self.media)
        systemctl("set-property", "--runtime", "vfiosup.slice", "CPUWeight=")
        systemctl("daemon-reload")

    def test_its_own_cpus(self):
        """Its slice loses the vCPUs' CPUs, and gets them back."""
        systemctl("set-property", "--runtime", "vfiosup.slice", "AllowedCPUs=0-1")
        self.assertEqual(MEDIA.pids, [self.media])
        systemctl("set-property", "--runtime", "vfiosup.slice", "AllowedCPUs=0-3")
        self.same(MEDIA, self.media)
        systemctl("set-property", "--runtime", "vfiosup.slice", "AllowedCPUs=")
