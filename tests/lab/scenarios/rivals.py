# SPDX-License-Identifier: GPL-2.0-or-later
"""Two VMs that want the same device."""
from lab import MEDIA, Scenario, restart_supervisor, run, show


class Rivals(Scenario):
    def refused(self):
        pid = MEDIA.pid
        said = run("vfio-sup", "start", "rival", status=1)
        for word in ("rival", "media", "0000:01:00.0"):
            self.assertIn(word, said)
        self.assertEqual(show("vfiosup-rival.service", "LoadState"), "not-found")
        self.same(MEDIA, pid)

    def test_the_same_device(self):
        self.refused()

    def test_the_same_device_after_a_restart(self):
        """Who has it was found out by another supervisor."""
        restart_supervisor(kill=True)
        MEDIA.wait_state("running")
        self.refused()
