# SPDX-License-Identifier: GPL-2.0-or-later
"""/run is wiped, and /run is full, while a guest runs."""
import os
import shutil

import kernel
from lab import MEDIA, STUBBORN, Census, Scenario, restart_supervisor, run

FILL = "/run/lab-fill"


class RunDir(Scenario):
    def test_wiped(self):
        """QEMU is known by its unit. Its monitor's socket is lost and cannot be made again: that is said,
        placement goes on, and it is not started twice."""
        pid = MEDIA.pid
        with Census() as census:
            shutil.rmtree("/run/vfio-sup")
            restart_supervisor()
            run("vfio-sup", "start", "media", status=None)
            restart_supervisor(kill=True)
            self.assertEqual(MEDIA.pids, [pid])
            found = MEDIA.wait_state("degraded")
            self.assertEqual(found["pid"], pid)
            self.assertIn("QMP", " ".join(one["what"] for one in found["alarms"]))
            tid = MEDIA.vcpus()[0]
            kernel.set_policy(tid, "batch")
            MEDIA.wait_placed()
        self.assertEqual(census.most["media"], 1)
        MEDIA.end()
        MEDIA.start()
        MEDIA.wait_placed()

    def test_full(self):
        """Not one byte is left in /run. Guests run on; what cannot be started is refused in words."""
        pid = MEDIA.pid
        self.addCleanup(self.free)
        self.fill()
        with Census() as census:
            for kill in (False, True):
                restart_supervisor(kill)
                self.assertEqual(MEDIA.pids, [pid])
            self.same(MEDIA, pid)
            said = run("vfio-sup", "start", "stubborn", status=None)
            started = STUBBORN.pids
            if not started:
                self.assertRegex(said, "(?i)no space")
                STUBBORN.wait_gone()
            self.free()
            if not started:
                STUBBORN.start()
            run("vfio-sup", "stop", "stubborn", "--force")
            STUBBORN.wait_gone()
        self.assertEqual(census.most, {"media": 1, "stubborn": 1})
        self.same(MEDIA, pid)

    def test_stopped_while_full(self):
        """To end a guest needs no room."""
        STUBBORN.start()
        self.addCleanup(self.free)
        self.fill()
        run("vfio-sup", "stop", "stubborn", "--force")
        STUBBORN.wait_gone()

    def fill(self):
        """Down to the last byte, and the last file."""
        run("mount", "-o", "remount,size=40M", "/run")
        with open(FILL, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        self.assertEqual(os.statvfs("/run").f_bfree, 0)

    def free(self):
        if os.path.exists(FILL):
            os.unlink(FILL)
