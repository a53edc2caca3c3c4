# SPDX-License-Identifier: GPL-2.0-or-later
"""A supervisor that dies: the guest goes on, the next supervisor takes it over, nothing is lost."""
import os
import signal
import subprocess
import time

import harness
import kernel


class DeadSupervisor(harness.VmTest):
    """SIGKILL to the supervisor: the guest does not notice, and nothing is lost."""

    def orphan(self, **keys):
        vm = self.vm("spin", **keys).up()
        vm.wait_serial("spin: up")
        pid = vm.pid
        vm.process.kill()
        vm.process.wait()
        time.sleep(0.5)
        self.assertTrue(kernel.alive(pid, vm.qemus[pid]), "the VM comes first")
        self.assertEqual(os.sched_getaffinity(pid), {kernel.HOUSE})
        return vm, pid

    def end_qemu(self, vm, pid):
        os.kill(pid, signal.SIGKILL)
        harness.wait_for("QEMU's end", lambda: not kernel.alive(pid, vm.qemus[pid]))

    def end_it(self, vm):
        self.assertEqual(vm.cli("kill", vm.name).returncode, 0)
        vm.exit_status()
        self.assert_gone(vm)

    def test_another_takes_over(self):
        vm, pid = self.orphan()
        busy = kernel.busy_seconds(pid)
        found = vm.up().status()
        self.assertEqual((found["pid"], found["restarts"]), (pid, 0), "the same guest goes on")
        harness.wait_for("the guest's work", lambda: kernel.busy_seconds(pid) > busy)
        self.assertTrue(found["vcpus"][0]["placed"])
        self.assertEqual(vm.cli("kill", vm.name).returncode, 0)
        vm.exit_status()
        self.assert_gone(vm)

    def test_what_both_left_is_used_again(self):
        vm, pid = self.orphan()
        self.end_qemu(vm, pid)
        self.assertNotEqual(vm.up().pid, pid)
        vm.cli("kill", vm.name)
        vm.exit_status()
        self.assert_gone(vm)

    def test_restore(self):
        if not kernel.CPUSET:
            self.skipTest("cpuset is not on cgroup v1 here")
        every = kernel.read(f"{kernel.CPUSET}/cpuset.cpus").strip()
        group = kernel.Group(self, kernel.CPUSET, cpuset_cpus=every, cpuset_mems=kernel.read(
            f"{kernel.CPUSET}/cpuset.mems").strip())
        vm, pid = self.orphan(shield=[group.name])
        self.assertNotEqual(group.read("cpuset.cpus"), every)
        self.end_qemu(vm, pid)
        done = vm.cli("restore")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(group.read("cpuset.cpus"), every)
        self.assert_gone(vm)
        self.assertEqual(vm.cli("restore").returncode, 0, "nothing left to do is fine")

    def test_the_supervisor_keeps_off_again(self):
        vm, _ = self.orphan()
        vm.up()
        for tid in kernel.tids(vm.process.pid):
            self.assertEqual(os.sched_getaffinity(tid), {kernel.HOUSE}, kernel.comm(tid))
        self.end_it(vm)

    def test_a_changed_file_waits(self):
        """The guest goes on as it was started."""
        vm, pid = self.orphan()
        text = kernel.read(vm.file)
        kernel.write(vm.file, text.replace('"64M"', '"80M"'))
        found = vm.up().status()
        self.assertEqual(found["pid"], pid)
        self.assertEqual([one["what"] for one in found["pending"]], ["memory"])
        self.end_it(vm)

    def test_a_wish_to_stop_survives(self):
        vm = self.vm("ignore", on_poweroff="restart", stop={"powerdown": "60s", "presses": 1}).up()
        pid = vm.pid
        stop = subprocess.Popen([harness.BINARY, "--run-dir", vm.run_dir, "stop", vm.name],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        vm.wait_state("stopping")
        vm.process.kill()
        vm.process.wait()
        self.assertNotEqual(stop.wait(harness.DEADLINE), 0, "nobody knows how it went on")
        vm.start().wait_state("stopping")
        self.assertEqual(vm.pid, pid)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(vm.exit_status(), 0, "it was to end, and it has: no restart")

    def test_a_lost_state_file(self):
        """Nothing of a QEMU that nobody can vouch for is touched, and no second one is started."""
        vm, pid = self.orphan()
        with open(f"{vm.run_dir}/{vm.name}/vm.json", "w", encoding="utf-8"):
            pass
        for _ in range(2):
            self.assertEqual(vm.start().exit_status(), 1)
            self.assertTrue(kernel.alive(pid, vm.qemus[pid]))
            self.assertTrue(os.path.exists(f"{vm.run_dir}/{vm.name}/io/qmp.sock"))
            self.assertTrue(os.path.exists(f"{vm.run_dir}/journal"))
        self.assertRegex(vm.output(), "answers on its monitor|holds pid")
        self.assertEqual(vm.cli("restore").returncode, 0)
        self.assertIn(vm.name, kernel.cpuset_of(pid), "not taken out of its groups")
        self.end_qemu(vm, pid)
        # Its last threads may take a moment longer than the process.
        harness.wait_for("all given back", lambda: vm.cli("restore").returncode == 0 and
                         not kernel.groups_named(vm.name))
        self.assert_gone(vm)

    def test_the_monitor_is_gone(self):
        """Watched and placed without QMP, and that is said; an end that nobody could see is no crash."""
        vm, pid = self.orphan(on_crash="restart")
        os.unlink(f"{vm.run_dir}/{vm.name}/io/qmp.sock")
        found = vm.start().wait_status("degraded", lambda s: s["state"] == "degraded")
        self.assertIn("qmp-lost", [one["kind"] for one in found["alarms"]])
        tid = vm.tid()
        os.sched_setscheduler(tid, os.SCHED_BATCH, os.sched_param(0))
        harness.wait_for("the policy", lambda: os.sched_getscheduler(tid) == os.SCHED_OTHER)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(vm.exit_status(), 1)
        self.assertNotRegex(vm.output().split("taking over")[1], "starting again")
        self.assert_gone(vm)


if __name__ == "__main__":
    harness.main()
