# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that is killed, one that never starts, and a supervisor that is killed."""
import os
import signal
import time

import harness
import kernel


class Killed(harness.VmTest):
    def test_stop(self):
        vm = self.vm(on_crash="stop").up()
        os.kill(vm.pid, signal.SIGKILL)
        self.assertEqual(vm.exit_status(), 1, vm.output())
        self.assertRegex(vm.output(), r"(?i)crash|SIGKILL|signal 9|killed")
        self.assert_gone(vm)

    def test_restart_backs_off_and_gives_up(self):
        restart = {"delay": "200ms", "max_delay": "10s", "burst": 2, "interval": "1min"}
        vm = self.vm(on_crash="restart", restart=restart).up()
        delays = []
        for count in (1, 2):
            pid = vm.pid
            os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            found = vm.wait_status(f"restart {count}", lambda s, p=pid: (
                s["state"] == "running" and s["pid"] != p))
            delays.append(time.monotonic() - began)
            self.assertEqual((found["restarts"], found["last_exit"]["reason"]), (count, "crash"))
        self.assertGreater(delays[0], 0.2)
        self.assertGreater(delays[1], 0.4)
        os.kill(vm.pid, signal.SIGKILL)
        self.assertEqual(vm.exit_status(), 1)
        self.assertRegex(vm.output(), r"(?i)gave up|gives up|2 (re)?starts|burst")
        self.assert_gone(vm)

    def test_backoff_is_a_state(self):
        vm = self.vm(on_crash="restart", restart={"delay": "40s"}).up()
        os.kill(vm.pid, signal.SIGKILL)
        found = vm.wait_state("backoff")
        self.assertEqual(found["last_exit"]["reason"], "crash")
        self.assertFalse(found["pid"])
        vm.process.terminate()
        vm.exit_status()
        self.assert_gone(vm)

    def test_terminated_by_somebody(self):
        """SIGTERM to QEMU is a wish to end it, and no crash."""
        vm = self.vm(on_crash="restart").up()
        os.kill(vm.pid, signal.SIGTERM)
        vm.exit_status()
        self.assertRegex(vm.output(), "host-signal|SIGTERM|signal")
        self.assert_gone(vm)


class NeverStarts(harness.VmTest):
    def assert_shape(self, vm, qemu_said):
        """The four lines of a failure, QEMU's own words in them; and the host is as before."""
        status, said = vm.exit_status(), vm.output()
        self.assertEqual(status, 1, said)
        self.assertRegex(said, rf"(?m)^{vm.name} did not start; the host is as before")
        self.assertRegex(said, rf"(?m)^  QEMU said +.*{qemu_said}")
        for line in ("fix", "more"):
            self.assertRegex(said, rf"(?m)^  {line} +\S")
        self.assertIn(f"vfio-sup log {vm.name}", said)
        self.assert_gone(vm)

    def test_bad_argument(self):
        vm = self.vm(args=["-device", "nonexistent"]).start()
        self.assert_shape(vm, "nonexistent.*not a valid device model name")

    def test_dies_after_the_greeting(self):
        """A machine that this CPU count is too much for."""
        vm = self.vm(machine="no-such-machine").start()
        self.assert_shape(vm, "unsupported machine type")

    def test_not_tried_again(self):
        """A first start that fails is final, whatever on_crash says."""
        vm = self.vm(args=["-device", "nonexistent"], on_crash="restart",
                     restart={"delay": "100ms", "max_delay": "1s"}).start()
        self.assert_shape(vm, "nonexistent")
        self.assertEqual(vm.output().count("did not start"), 1)

    def test_the_shield_comes_down_again(self):
        if not kernel.CPUSET:
            self.skipTest("cpuset is not on cgroup v1 here")
        every = kernel.read(f"{kernel.CPUSET}/cpuset.cpus").strip()
        group = kernel.Group(self, kernel.CPUSET, cpuset_cpus=every, cpuset_mems=kernel.read(
            f"{kernel.CPUSET}/cpuset.mems").strip())
        vm = self.vm(args=["-device", "nonexistent"], shield=[group.name]).start()
        self.assert_shape(vm, "nonexistent")
        self.assertEqual(group.read("cpuset.cpus"), every)


if __name__ == "__main__":
    harness.main()
