# SPDX-License-Identifier: GPL-2.0-or-later
"""A real-time vCPU on a shielded CPU: the kernel's throttle is lifted where it bites, and never for longer than
somebody looks after it."""
import os
import time

import kernel
from lab import CGROUPS, MEDIA, REALTIME, Scenario, restart_supervisor, run, systemctl, wait_for

RUNTIME = "/proc/sys/kernel/sched_rt_runtime_us"
CPU = 1
# Before 6.12 it takes 5 % whether anybody waits or not.
BITES = tuple(map(int, os.uname().release.split(".")[:2])) < (6, 12)


class RealTime(Scenario):
    def setUp(self):
        super().setUp()
        self.media = MEDIA.pid
        self.assertEqual(self.runtime(), "950000")
        REALTIME.start()
        self.addCleanup(self.end)

    def end(self):
        if REALTIME.pids:
            REALTIME.end()
        wait_for("the throttle", lambda: self.runtime() == "950000")
        for one in ("system.slice", "user.slice", "init.scope"):
            path = f"{CGROUPS}/{one}/cpuset.cpus.effective"
            if os.path.exists(path):
                self.assertEqual(kernel.cpus(kernel.read(path)), kernel.ALL, one)
        self.same(MEDIA, self.media)

    @staticmethod
    def runtime():
        return kernel.read(RUNTIME).strip()

    def assert_real_time(self):
        self.assertEqual(kernel.policy(REALTIME.vcpus()[0]), "fifo")
        self.assertEqual(self.runtime(), "-1" if BITES else "950000")
        self.assertNotIn(CPU, kernel.cpus(kernel.read(f"{CGROUPS}/system.slice/cpuset.cpus.effective")))

    def test_lifted_where_it_bites(self):
        self.assert_real_time()
        pid = REALTIME.pid
        restart_supervisor(kill=True)
        REALTIME.wait_state("running")
        self.assertEqual(REALTIME.pids, [pid])
        self.assert_real_time()

    def test_lease(self):
        """The supervisor is stopped and stays so: the guest runs on, the host's setting comes back."""
        pid = REALTIME.pid
        systemctl("stop", "vfio-sup")
        time.sleep(10)
        self.assertEqual(self.runtime(), "-1" if BITES else "950000")
        wait_for("the end of the lease", lambda: self.runtime() == "950000", 60)
        self.assertEqual(REALTIME.pids, [pid])
        systemctl("start", "vfio-sup")
        REALTIME.wait_state("running")
        self.assertEqual(REALTIME.pids, [pid])
        wait_for("all of it again", lambda: self.runtime() == ("-1" if BITES else "950000"))
        self.assert_real_time()
        run("vfio-sup", "stop", "realtime")
        REALTIME.wait_gone()
