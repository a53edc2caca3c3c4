# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest feels, and whether QEMU still answers."""
import os
import signal
import time

import harness
import kernel


class Waits(harness.VmTest):
    def test_a_starving_vcpu(self):
        """A real-time process on its CPU: schedstat stands still, and yet the wait is seen."""
        vm = self.vm("spin").up()
        vm.wait_serial("spin: up")
        before = vm.status()["vcpus"][0]
        kernel.intruder(self, kernel.VCPU, 2.5).wait()
        after = vm.wait_status("the wait", lambda s: (
            s["vcpus"][0]["wait_seconds"] > before["wait_seconds"] + 1))["vcpus"][0]
        self.assertGreater(after["stalls"], before["stalls"])
        self.assertGreater(after["max_wait_seconds"], 0.1)
        self.assertLess(after["wait_seconds"] - before["wait_seconds"], 4)
        self.assertRegex(vm.cli("status", vm.name).stdout, r"feels +worst wait \d")

    def test_run_time_grows_with_work(self):
        vm = self.vm("spin").up()
        vm.wait_serial("spin: up")
        first = vm.status()["vcpus"][0]["run_seconds"]
        busy = kernel.busy_seconds(vm.tid())
        time.sleep(2)
        grown = vm.status()["vcpus"][0]["run_seconds"] - first
        self.assertGreater(grown, 0.5 * (kernel.busy_seconds(vm.tid()) - busy))

    def test_an_idle_guest_does_not_stall(self):
        vm = self.vm("ignore", latency={"tick": "10ms", "stall": "500ms"}).up()
        vm.wait_serial("ignore: up")
        time.sleep(2)
        self.assertEqual(vm.status()["vcpus"][0]["stalls"], 0)


class Heartbeat(harness.VmTest):
    def stop_qemu(self, vm):
        os.kill(vm.pid, signal.SIGSTOP)
        self.addCleanup(self.cont, vm.pid, kernel.born(vm.pid))

    def cont(self, pid, start):
        if kernel.alive(pid, start):
            os.kill(pid, signal.SIGCONT)

    def test_unresponsive_and_back(self):
        vm = self.vm().up()
        pid = vm.pid
        self.stop_qemu(vm)
        found = vm.wait_state("unresponsive")
        self.assertEqual(found["pid"], pid)
        self.assertTrue(found["alarms"])
        self.assertEqual(vm.cli("status", vm.name).returncode, 1)
        self.cont(pid, kernel.born(pid))
        found = vm.wait_state("running")
        self.assertEqual((found["pid"], found["alarms"], found["restarts"]), (pid, [], 0))

    def test_on_hang_restart(self):
        vm = self.vm(on_hang="restart", restart={"delay": "100ms", "max_delay": "1s"}).up()
        pid, start = vm.pid, kernel.born(vm.pid)
        self.stop_qemu(vm)
        found = vm.wait_status("a new QEMU", lambda s: (
            s["state"] == "running" and s["pid"] != pid), 60)
        self.assertFalse(kernel.alive(pid, start))
        self.assertEqual((found["restarts"], found["last_exit"]["reason"]), (1, "hang"))


class Pause(harness.VmTest):
    def test_pause_and_resume(self):
        vm = self.vm().up()
        self.assertEqual(vm.cli("pause", vm.name).returncode, 0)
        vm.wait_state("paused")
        self.assertEqual(vm.qmp("query-status")["status"], "paused")
        self.assertEqual(vm.cli("resume", vm.name).returncode, 0)
        vm.wait_state("running")
        self.assertEqual(vm.qmp("query-status")["status"], "running")

    def test_paused_by_somebody_else(self):
        """Over QMP: it is an event for us like any other."""
        vm = self.vm().up()
        vm.qmp("stop")
        vm.wait_state("paused")
        vm.qmp("cont")
        vm.wait_state("running")

    def test_reset(self):
        vm = self.vm("ignore").up()
        vm.wait_serial("ignore: up")
        pid = vm.pid
        self.assertEqual(vm.cli("reset", vm.name).returncode, 0)
        harness.wait_for("a second boot", lambda: vm.serial().count("ignore: up") == 2)
        found = vm.status()
        self.assertEqual((found["state"], found["pid"], found["restarts"]), ("running", pid, 0))


if __name__ == "__main__":
    harness.main()
