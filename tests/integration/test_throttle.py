# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's real-time throttle: lifted for isolated real-time vCPUs, given back, also when nobody is left
to do it. In a mount namespace whose sched_rt_runtime_us is a file of the test's: the host's stays as it is."""
import os
import subprocess
import time

import harness
import kernel

REAL = "/proc/sys/kernel/sched_rt_runtime_us"
SHELL = 'mount --bind "$1" ' + REAL + ' && shift && exec "$@"'


class Throttle(harness.VmTest):
    def setUp(self):
        super().setUp()
        if not kernel.CPUSET:
            self.skipTest("cpuset is not on cgroup v1 here")
        self.before = kernel.read(REAL)
        self.file = f"{self.directory}/runtime"
        kernel.write(self.file, "950000\n")
        every = kernel.read(f"{kernel.CPUSET}/cpuset.cpus").strip()
        self.group = kernel.Group(self, kernel.CPUSET, cpuset_cpus=every, cpuset_mems=kernel.read(
            f"{kernel.CPUSET}/cpuset.mems").strip())

    def tearDown(self):
        self.assertEqual(kernel.read(REAL), self.before, "the host's own is not touched")

    def value(self):
        return kernel.read(self.file).strip()

    def vm_of(self, **keys):
        vm = self.vm(**({"shield": [self.group.name], "rt_throttle": "auto"} | keys))
        return self.run_it(vm)

    def run_it(self, vm):
        with open(vm.log_file, "ab") as log:
            vm.process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", SHELL, "sh", self.file, harness.BINARY, "--run-dir",
                 vm.run_dir, "run", vm.file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        vm.wait_state("running")
        return vm

    def lost(self, vm):
        pid = vm.pid
        vm.process.kill()
        vm.process.wait()
        return pid

    def assert_given_back(self, vm):
        harness.wait_for("the throttle", lambda: self.value() == "950000", 60)
        harness.wait_for("the lease's end", lambda: not os.path.exists(f"{vm.run_dir}/lease"))
        harness.wait_for("the journal", lambda: "_host" not in self.journal(vm))

    def journal(self, vm):
        file = f"{vm.run_dir}/journal"
        return kernel.read(file) if os.path.exists(file) else ""

    def end_it(self, vm):
        self.assertEqual(vm.cli("kill", vm.name).returncode, 0)
        vm.exit_status()
        self.assert_given_back(vm)
        self.assert_gone(vm)

    def test_lifted_while_it_runs(self):
        vm = self.vm_of()
        self.assertEqual(kernel.policy(vm.tid()), "fifo")
        self.assertEqual(self.value(), "-1")
        self.assertIn("_host sysfs-write file=proc/sys/kernel/sched_rt_runtime_us value=-1 prior=950000",
                      self.journal(vm))
        self.end_it(vm)

    def test_not_where_it_is_to_be_kept(self):
        vm = self.vm_of(rt_throttle="keep")
        self.assertEqual(kernel.policy(vm.tid()), "other")
        self.assertEqual(self.value(), "950000")
        vm.cli("kill", vm.name)
        vm.exit_status()

    def test_not_where_nothing_is_isolated(self):
        vm = self.vm_of(shield=None, cpus={"vcpu": str(kernel.VCPU), "policy": "fifo"})
        self.assertEqual(kernel.policy(vm.tid()), "fifo")
        self.assertEqual(self.value(), "950000", "a runaway guest could take the host along")
        vm.cli("kill", vm.name)
        vm.exit_status()

    def test_the_next_supervisor_keeps_it(self):
        vm = self.vm_of()
        pid = self.lost(vm)
        time.sleep(0.5)
        self.assertEqual(self.value(), "-1")
        self.run_it(vm)
        self.assertEqual((vm.pid, self.value(), kernel.policy(vm.tid())), (pid, "-1", "fifo"))
        self.end_it(vm)

    def test_the_lease(self):
        """Nobody comes: within about 30 s it is as it was, and the guest goes on."""
        vm = self.vm_of()
        tid, pid = vm.tid(), self.lost(vm)
        began = time.monotonic()
        time.sleep(20)
        self.assertEqual(self.value(), "-1", "it has its 30 s")
        self.assert_given_back(vm)
        self.assertLess(time.monotonic() - began, 45)
        self.assertTrue(kernel.alive(pid, vm.qemus[pid]))
        self.run_it(vm)
        self.assertEqual((vm.pid, vm.tid(), self.value()), (pid, tid, "-1"))
        self.end_it(vm)

    def test_records_are_wiped(self):
        """Without the directory itself: what must be given back is written down again, and watched."""
        vm = self.vm_of()
        for name in ("lease", "journal", "lock"):
            os.unlink(f"{vm.run_dir}/{name}")
        for name in ("lease", "journal", "lock"):
            harness.wait_for(name, lambda n=name: os.path.exists(f"{vm.run_dir}/{n}"))
        harness.wait_for("the journal", lambda: "_host" in self.journal(vm))
        self.lost(vm)
        self.run_it(vm)
        self.assertEqual(self.value(), "-1")
        self.end_it(vm)

    def test_the_shield_is_gone(self):
        """A new supervisor looks before it believes in the isolation that its plan speaks of."""
        vm = self.vm_of()
        self.lost(vm)
        self.group.remove()
        self.group.remove = lambda: None
        self.run_it(vm)
        harness.wait_for("the policy", lambda: kernel.policy(vm.tid()) == "other")
        self.assertEqual(self.value(), "950000")
        self.assertNotEqual(vm.status()["isolation"]["actual"], "shield")
        vm.cli("kill", vm.name)
        vm.exit_status()

    def test_restore(self):
        vm = self.vm_of()
        pid = self.lost(vm)
        # In the namespace of the VM, where the file is.
        done = subprocess.run(
            ["nsenter", "-t", str(pid), "-m", harness.BINARY, "--run-dir", vm.run_dir, "restore"], text=True,
            capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("real-time throttle is given back", done.stdout)
        self.assert_given_back(vm)
        self.run_it(vm)
        self.end_it(vm)


if __name__ == "__main__":
    harness.main()
