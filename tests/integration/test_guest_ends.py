# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest does to itself: power-off, reboot, panic; and what on_* makes of it."""
import os
import subprocess
import time

import harness
import kernel

QUICK = {"delay": "100ms", "max_delay": "1s", "burst": 3}
PANIC = [{"driver": "pvpanic"}]


class Poweroff(harness.VmTest):
    def test_ends_it(self):
        vm = self.vm("poweroff").start()
        self.assertEqual(vm.exit_status(), 0, vm.output())
        self.assertIn("poweroff: off", vm.serial())
        self.assert_gone(vm)
        self.assertNotIn("did not start", vm.output())

    def test_restart(self):
        vm = self.vm("poweroff", on_poweroff="restart").up()
        pid = vm.pid
        found = vm.wait_status("a new QEMU", lambda s: s["state"] == "running" and s["pid"] != pid)
        self.assertGreaterEqual(found["restarts"], 1)
        self.assertEqual(found["last_exit"]["reason"], "guest-shutdown")
        vm.cli("kill", vm.name)
        self.assertIn(vm.exit_status(), (0, 1), vm.output())
        self.assert_gone(vm)


class HostPoweroff(harness.VmTest):
    """In a mount namespace of its own, where /usr/sbin is empty but for a poweroff that only writes
    down that it was called."""

    def test_the_host_is_next(self):
        vm, marker = self.vm("poweroff", on_poweroff="host-poweroff"), f"{self.directory}/called"
        script = (f"mount -t tmpfs none /usr/sbin && printf '#!/bin/sh\\necho called >{marker}\\n'"
                  f" >/usr/sbin/poweroff && chmod 755 /usr/sbin/poweroff && exec \"$0\" \"$@\"")
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, harness.BINARY, "--run-dir", vm.run_dir, "run",
             vm.file], text=True, capture_output=True, check=False, timeout=harness.DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(marker), done.stdout + done.stderr)
        self.assertRegex(done.stdout, "host goes with it")


class Reboot(harness.VmTest):
    def test_reset_stays_inside(self):
        vm = self.vm("reboot").up()
        pid = vm.pid
        vm.wait_serial("second boot")
        found = vm.status()
        self.assertEqual((found["state"], found["pid"], found["restarts"]), ("running", pid, 0))
        self.assertEqual(os.sched_getaffinity(vm.tid()), {kernel.VCPU})

    def test_restart_makes_a_new_qemu(self):
        """However often: a guest's reboot is no failure, so the burst limit says nothing to it."""
        vm = self.vm("reboot", on_reboot="restart", restart=QUICK | {"burst": 1}).up()
        pids = {vm.pid}
        for count in (2, 3, 4):
            found = vm.wait_status(f"QEMU number {count}", lambda s: (
                s["state"] == "running" and s["pid"] not in pids))
            pids.add(found["pid"])
        self.assertEqual(found["last_exit"]["reason"], "guest-reset")
        vm.cli("kill", vm.name)
        vm.exit_status()
        self.assertNotIn("second boot", vm.serial())
        self.assert_gone(vm)


class Panic(harness.VmTest):
    def test_wait(self):
        """The guest goes on: Windows writes its dump now."""
        vm = self.vm("panic", devices=PANIC, on_panic="wait", metrics=harness.free_port()).up()
        pid = vm.pid
        vm.wait_serial("panic: still here")
        vm.wait_status("the panic", lambda s: any("panic" in a["kind"] for a in s["alarms"]))
        found = vm.status()
        self.assertEqual((found["state"], found["pid"]), ("running", pid))
        self.assertEqual(vm.cli("status", vm.name).returncode, 1)
        key = f'vfio_sup_qmp_events_total{{event="GUEST_PANICKED",vm="{vm.name}"}}'
        self.assertEqual(vm.metrics()[key], 1)

    def test_stop(self):
        vm = self.vm("panic", devices=PANIC, on_panic="stop").start()
        self.assertEqual(vm.exit_status(), 1, vm.output())
        self.assertRegex(vm.output(), "guest-panic|panicked")
        self.assert_gone(vm)

    def test_restart(self):
        vm = self.vm("panic", devices=PANIC, on_panic="restart", restart=QUICK).up()
        pid = vm.pid
        found = vm.wait_status("a new QEMU", lambda s: s["state"] == "running" and s["pid"] != pid)
        self.assertEqual(found["last_exit"]["reason"], "guest-panic")
        self.assertEqual(found["restarts"], 1)

    def test_restart_gives_up(self):
        vm = self.vm("panic", devices=PANIC, on_panic="restart", restart=QUICK | {"burst": 1})
        began = time.monotonic()
        vm.start()
        self.assertEqual(vm.exit_status(), 1, vm.output())
        self.assertGreater(time.monotonic() - began, 1, "two lives of half a second each")
        self.assert_gone(vm)


if __name__ == "__main__":
    harness.main()
