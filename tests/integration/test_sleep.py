# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest sleeps (ACPI S3), and the supervisor does: stopped for a while, it must not take its own gap for
the VM's."""
import os
import signal
import time

import daemon
import harness
import kernel


class GuestSleeps(daemon.DaemonTest):
    def asleep(self, **keys):
        vm = self.add("sleep", **keys)
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        vm.wait_state("asleep")
        return vm

    def wake(self, vm):
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        vm.wait_serial("sleep: awake")
        return vm.wait_state("running")

    def test_wake(self):
        began = time.time()
        vm = self.asleep()
        found = vm.status()
        self.assertTrue(began - 1 < found["state_since"] <= time.time() + 1)
        self.assertEqual(vm.serial().split(), ["sleep:", "up"])
        self.assertRegex(self.cli("status", vm.name).stdout, r"ASLEEP \d+ s")
        self.assertEqual(self.cli("status", vm.name).returncode, 0, "asleep is well")
        awake = self.wake(vm)
        self.assertEqual(awake["pid"], found["pid"])
        self.assertGreater(awake["state_since"], found["state_since"])

    def test_taken_over(self):
        """Whoever comes next says asleep at once, and since when."""
        vm = self.asleep()
        found = vm.status()
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.kill_daemon(how)
            self.start()
            seen = vm.wait_status("it is taken over", lambda s: s["state"] != "adopting")
            self.assertEqual((seen["state"], seen["pid"]), ("asleep", found["pid"]))
            self.assertEqual(int(seen["state_since"]), int(found["state_since"]))
        self.wake(vm)

    def test_paused_and_taken_over(self):
        vm = self.add()
        self.start()
        self.cli("start", vm.name)
        self.cli("pause", vm.name)
        vm.wait_state("paused")
        self.kill_daemon()
        self.start()
        self.assertEqual(vm.wait_status("it is taken over", lambda s: s["state"] != "adopting")
                         ["state"], "paused")

    def test_stop(self):
        """It is woken, and pressed once it can see the button."""
        vm = self.asleep(stop={"powerdown": "20s", "presses": 1})
        done = self.cli("stop", vm.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, r"(?s)waking the guest.*power button")
        self.assertEqual(vm.wait_state("stopped")["last_exit"]["reason"], "host-stop")
        self.assertIn("sleep: off", vm.serial())

    def test_stop_of_one_that_is_taken_over(self):
        """Who wanted it to stop did not die with the daemon, and what it has to be woken from neither."""
        vm = self.asleep(stop={"powerdown": "25s", "presses": 3, "press_every": "5s"})
        # What it was told lies in its socket until it goes on: it may be waking then, or sleep still.
        os.kill(vm.pid, signal.SIGSTOP)
        stop = self.background("stop", vm.name)
        vm.wait_state("stopping")
        self.kill_daemon()
        stop.wait(harness.DEADLINE)
        os.kill(next(iter(vm.qemus)), signal.SIGCONT)
        self.start()
        vm.wait_state("stopped")
        self.assertIn("sleep: off", vm.serial())


class SupervisorSleeps(harness.VmTest):
    def stop_for(self, vm, seconds, meanwhile=None):
        os.kill(vm.process.pid, signal.SIGSTOP)
        if meanwhile:
            meanwhile()
        time.sleep(seconds)
        os.kill(vm.process.pid, signal.SIGCONT)

    def test_no_false_stalls(self):
        """What was not looked at is no stall, whatever happened then."""
        vm = self.vm("spin", latency={"tick": "10ms", "stall": "900ms"}).up()
        vm.wait_serial("spin: up")
        before = vm.status()["vcpus"][0]
        self.stop_for(vm, 3, lambda: kernel.intruder(self, kernel.VCPU, 1.5))
        time.sleep(1.5)
        found = vm.status()
        after = found["vcpus"][0]
        self.assertEqual(after["stalls"], before["stalls"])
        self.assertLess(after["max_wait_seconds"], 0.9)
        self.assertLess(after["wait_seconds"] - before["wait_seconds"], 0.9)
        self.assertGreater(after["run_seconds"], before["run_seconds"])
        self.assertEqual((found["state"], found["alarms"], found["restarts"]), ("running", [], 0))

    def test_no_false_hang(self):
        """An answer that has waited for us is not late."""
        vm = self.vm("spin", on_hang="restart").up()
        pid = vm.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2.5)  # a question is on its way
        self.stop_for(vm, 6, lambda: os.kill(pid, signal.SIGCONT))
        time.sleep(1)
        found = vm.status()
        self.assertEqual((found["state"], found["pid"], found["alarms"]), ("running", pid, []))
        self.assertNotIn("unresponsive", vm.output())


if __name__ == "__main__":
    harness.main()
