# SPDX-License-Identifier: GPL-2.0-or-later
"""stop, kill, SIGTERM: who asks nicely, and what happens to a guest that does not listen."""
import os
import signal
import subprocess
import time

import harness
import kernel


def ladder(**rungs):
    return {"powerdown": "1s", "presses": 1, "quit": "5s", "term": "5s"} | rungs


class Stop(harness.VmTest):
    def up(self, guest, **keys):
        vm = self.vm(guest, **keys).up()
        vm.wait_serial(f"{guest}: up")
        return vm

    def test_a_guest_that_listens(self):
        vm = self.up("acpi", stop=ladder(powerdown="20s"))
        done = vm.cli("stop", vm.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(vm.exit_status(), 0, vm.output())
        self.assertIn("acpi: off", vm.serial())
        self.assert_gone(vm)

    def test_a_guest_that_ignores(self):
        """It may be installing updates: `stop` reports, and pulls no plug."""
        vm = self.up("ignore", stop=ladder())
        pid = vm.pid
        done = vm.cli("stop", vm.name)
        self.assert_failed(done, r"--force")
        found = vm.wait_state("running")
        self.assertEqual(found["pid"], pid)
        self.assertTrue(kernel.alive(pid))
        time.sleep(1)
        self.assertEqual(vm.status()["state"], "running")

    def test_force(self):
        vm = self.up("ignore", stop=ladder())
        done = vm.cli("stop", vm.name, "--force")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(vm.exit_status(), 0, vm.output())
        self.assert_gone(vm)

    def test_force_for_one_that_listens(self):
        """--force still asks first."""
        vm = self.up("acpi", stop=ladder(powerdown="20s"))
        self.assertEqual(vm.cli("stop", vm.name, "--force").returncode, 0)
        vm.exit_status()
        self.assertIn("acpi: off", vm.serial())

    def test_force_while_a_stop_goes_on(self):
        vm = self.up("ignore", stop=ladder(powerdown="60s"))
        waiting = subprocess.Popen(
            [harness.BINARY, "--run-dir", vm.run_dir, "stop", vm.name], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(kernel.end, waiting)
        vm.wait_state("stopping")
        self.assertEqual(vm.cli("stop", vm.name, "--force").returncode, 0)
        self.assertEqual(waiting.wait(harness.DEADLINE), 0, "what it waited for has come about")
        vm.exit_status()

    def test_presses(self):
        vm = self.up("ignore", metrics=harness.free_port(),
                     stop=ladder(powerdown="2s", presses=3, press_every="300ms"))
        vm.cli("stop", vm.name)
        key = f'vfio_sup_qmp_events_total{{event="POWERDOWN",vm="{vm.name}"}}'
        self.assertEqual(vm.metrics()[key], 3)

    def test_a_paused_guest(self):
        """It cannot answer a button; `--force` ends it all the same."""
        vm = self.up("acpi", stop=ladder())
        vm.cli("pause", vm.name)
        vm.wait_state("paused")
        self.assertEqual(vm.cli("stop", vm.name, "--force").returncode, 0)
        vm.exit_status()
        self.assert_gone(vm)

    def test_kill(self):
        vm = self.up("ignore", stop=ladder(powerdown="60s"))
        began = time.monotonic()
        self.assertEqual(vm.cli("kill", vm.name).returncode, 0)
        vm.exit_status()
        self.assertLess(time.monotonic() - began, 10)
        self.assert_gone(vm)

    def test_kill_is_not_a_crash(self):
        vm = self.up("ignore", on_crash="restart")
        self.assertEqual(vm.cli("kill", vm.name).returncode, 0)
        vm.exit_status()
        self.assert_gone(vm)


class Terminate(harness.VmTest):
    """SIGTERM to `run` walks the whole ladder."""

    def up(self, guest, **rungs):
        vm = self.vm(guest, stop=ladder(**rungs)).up()
        vm.wait_serial(f"{guest}: up")
        return vm

    def test_asks_the_guest(self):
        vm = self.up("acpi", powerdown="20s")
        vm.process.terminate()
        self.assertEqual(vm.exit_status(), 0, vm.output())
        self.assertIn("acpi: off", vm.serial())
        self.assert_gone(vm)

    def test_goes_on_to_the_end(self):
        vm = self.up("ignore", powerdown="1s", host_shutdown="1s")
        pid = vm.pid
        vm.process.terminate()
        vm.exit_status()
        self.assertFalse(kernel.alive(pid))
        self.assert_gone(vm)

    def test_a_second_one_hurries(self):
        vm = self.up("ignore", powerdown="60s", host_shutdown="60s")
        began = time.monotonic()
        vm.process.terminate()
        vm.wait_state("stopping")
        time.sleep(1)
        vm.process.terminate()
        vm.exit_status()
        self.assertLess(time.monotonic() - began, 20)
        self.assert_gone(vm)

    def test_two_at_once_are_one(self):
        """A shell and `timeout` may send a signal twice: nobody meant to hurry."""
        vm = self.up("ignore", powerdown="60s", host_shutdown="60s")
        for _ in range(2):
            vm.process.terminate()
            time.sleep(0.05)
        time.sleep(1.5)
        self.assertEqual(vm.status()["stop"]["rung"], "powerdown")
        vm.cli("kill", vm.name)
        vm.exit_status()

    def test_after_a_gentle_stop(self):
        """The host shuts down while Windows installs updates: the stop goes on, no faster."""
        vm = self.up("ignore", powerdown="60s", host_shutdown="60s")
        stop = subprocess.Popen([harness.BINARY, "--run-dir", vm.run_dir, "stop", vm.name],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        vm.wait_state("stopping")
        vm.process.terminate()
        time.sleep(1.5)
        self.assertEqual((vm.status()["state"], vm.status()["stop"]["rung"]),
                         ("stopping", "powerdown"))
        vm.cli("kill", vm.name)
        self.assertEqual(stop.wait(harness.DEADLINE), 0)
        vm.exit_status()

    def test_the_terminal_goes(self):
        vm = self.up("ignore")
        vm.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        self.assertEqual(vm.status()["state"], "running")
        vm.cli("kill", vm.name)
        vm.exit_status()

    def test_interrupt_is_the_same(self):
        """Ctrl-C at a terminal."""
        vm = self.up("acpi", powerdown="20s")
        vm.process.send_signal(signal.SIGINT)
        vm.exit_status()
        self.assertIn("acpi: off", vm.serial())
        self.assert_gone(vm)

    def test_a_stopped_qemu(self):
        """QMP is deaf: the ladder still ends."""
        vm = self.up("ignore", powerdown="1s", host_shutdown="1s", quit="500ms", term="500ms")
        os.kill(vm.pid, signal.SIGSTOP)
        vm.process.terminate()
        vm.exit_status()
        self.assert_gone(vm)


if __name__ == "__main__":
    harness.main()
