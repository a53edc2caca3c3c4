# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody else changes comes back, is counted by kind, and a fight is not fought for ever."""
import os
import time
import unittest

import harness
import kernel

TWO = {"vcpu": f"{kernel.HOUSE},{kernel.VCPU}", "emulator": str(kernel.HOUSE), "policy": "other"}
FIFO = {"vcpu": str(kernel.VCPU), "policy": "fifo"}


class Repair(harness.VmTest):
    def up(self, **keys):
        vm = self.vm(metrics=harness.free_port(), **keys).up()
        vm.wait_status("all placed", lambda s: all(one["placed"] for one in s["vcpus"]))
        self.assertEqual(vm.status()["drift"]["repaired"], 0)
        return vm

    def assert_comes_back(self, vm, kind, break_it, is_well):
        """Breaks it, and wants it mended, counted in status, and counted by kind in the metrics."""
        self.assertTrue(is_well())
        break_it()
        harness.wait_for(f"repair of {kind}", is_well)
        found = vm.wait_status("the count", lambda s: s["drift"]["repaired"] >= 1
                               and not s["drift"]["open"])
        self.assertGreaterEqual(found["drift"]["detected"], found["drift"]["repaired"])
        metrics, labels = vm.metrics(), f'{{kind="{kind}",vm="{vm.name}"}}'
        self.assertGreaterEqual(metrics[f"vfio_sup_drift_repaired_total{labels}"], 1)
        self.assertGreaterEqual(metrics[f"vfio_sup_drift_detected_total{labels}"], 1)
        self.assertEqual(vm.cli("status", vm.name).returncode, 0)
        self.assertTrue(is_well())

    def test_affinity_of_a_vcpu(self):
        vm = self.up(smp="2", cpus=TWO)
        tid = vm.tid(1)
        self.assert_comes_back(vm, "affinity",
                               lambda: os.sched_setaffinity(tid, {kernel.HOUSE}),
                               lambda: os.sched_getaffinity(tid) == {kernel.VCPU})

    def test_affinity_widened(self):
        vm = self.up(smp="2", cpus=TWO)
        tid = vm.tid(0)
        self.assert_comes_back(vm, "affinity",
                               lambda: os.sched_setaffinity(tid, {kernel.HOUSE, kernel.VCPU}),
                               lambda: os.sched_getaffinity(tid) == {kernel.HOUSE})

    def test_fifo_taken_away(self):
        vm = self.up(cpus=FIFO)
        tid = vm.tid()
        self.assert_comes_back(vm, "policy", lambda: kernel.set_policy(tid, "other"),
                               lambda: kernel.policy(tid) == "fifo")

    def test_priority(self):
        vm = self.up(cpus=FIFO)
        tid = vm.tid()
        self.assert_comes_back(vm, "policy", lambda: kernel.set_policy(tid, "fifo", 7),
                               lambda: os.sched_getparam(tid).sched_priority == 1)

    def test_emulator_made_real_time(self):
        vm = self.up()
        self.assert_comes_back(vm, "policy", lambda: kernel.set_policy(vm.pid, "batch"),
                               lambda: kernel.policy(vm.pid) == "other")

    def test_nice(self):
        vm = self.up()
        tid = vm.tid()
        self.assert_comes_back(vm, "nice", lambda: os.setpriority(os.PRIO_PROCESS, tid, 10),
                               lambda: kernel.nice(tid) == -20)

    @unittest.skipUnless(kernel.CPUSET, "cpuset is not on cgroup v1 here")
    def test_vcpu_in_another_group(self):
        vm = self.up()
        tid, home = vm.tid(), kernel.cpuset_of(vm.tid())
        self.assert_comes_back(vm, "cgroup", lambda: kernel.write(f"{kernel.CPUSET}/tasks", tid),
                               lambda: kernel.cpuset_of(tid) == home
                               and os.sched_getaffinity(tid) == {kernel.VCPU})

    @unittest.skipUnless(kernel.CPUSET, "cpuset is not on cgroup v1 here")
    def test_emulator_in_another_group(self):
        vm = self.up()
        home = kernel.cpuset_of(vm.pid)
        self.assert_comes_back(vm, "cgroup",
                               lambda: kernel.write(f"{kernel.CPUSET}/tasks", vm.pid),
                               lambda: kernel.cpuset_of(vm.pid) == home
                               and os.sched_getaffinity(vm.pid) == {kernel.HOUSE})

    @unittest.skipUnless(kernel.CPUSET, "cpuset is not on cgroup v1 here")
    def test_cpuset_file(self):
        vm = self.up()
        file = f"{kernel.CPUSET}/vfiosup/{vm.name}/vcpus/cpuset.cpus"
        both = f"{kernel.HOUSE},{kernel.VCPU}"
        self.assert_comes_back(vm, "cpuset", lambda: kernel.write(file, both),
                               lambda: kernel.cpus(kernel.read(file)) == {kernel.VCPU}
                               and os.sched_getaffinity(vm.tid()) == {kernel.VCPU})

    def test_said_once(self):
        """One change is one line in the log, and it names the thread."""
        vm = self.up(cpus=FIFO)
        kernel.set_policy(vm.tid(), "other")
        vm.wait_status("the count", lambda s: s["drift"]["repaired"] >= 1)
        time.sleep(1.5)
        lines = [line for line in vm.output().splitlines() if "policy" in line and "vcpu 0" in line]
        self.assertEqual(len(lines), 1, vm.output())


class Fight(harness.VmTest):
    SECONDS = 4

    def fight(self, vm, tid):
        """Undoes the policy whenever it has come back; how often."""
        undone, end = 0, time.monotonic() + self.SECONDS
        while time.monotonic() < end:
            if kernel.policy(tid) != "batch":
                kernel.set_policy(tid, "batch")
                undone += 1
            time.sleep(0.002)
        return undone

    def test_backs_off_and_says_so(self):
        vm = self.vm(cpus={"vcpu": str(kernel.VCPU), "policy": "other"}).up()
        tid = vm.tid()
        undone = self.fight(vm, tid)
        self.assertLess(undone, 60, "without back-off it would be about 400")
        self.assertGreater(undone, 10)
        done = vm.cli("status", vm.name, "--json")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, "keeps undoing")
        self.assertLess(len([line for line in vm.output().splitlines() if "policy" in line]), 20,
                        "once a burst, not once a repair")
        harness.wait_for("peace", lambda: kernel.policy(tid) == "other", 15)
        vm.wait_status("all well", lambda s: not s["drift"]["open"], 15)


class Report(harness.VmTest):
    def test_leaves_it_and_says_it(self):
        vm = self.vm(on_drift="report", smp="2", cpus=TWO).up()
        os.sched_setaffinity(vm.tid(1), {kernel.HOUSE})
        found = vm.wait_status("open drift", lambda s: s["drift"]["open"])
        self.assertEqual(found["drift"]["open"][0]["kind"], "affinity")
        self.assertEqual(found["drift"]["repaired"], 0)
        self.assertEqual((found["vcpus"][1]["placed"], found["vcpus"][1]["cpus_actual"]),
                         (False, str(kernel.HOUSE)))
        for words in (["status", vm.name], ["status", vm.name, "--json"]):
            self.assertEqual(vm.cli(*words).returncode, 1)
        time.sleep(1.5)
        self.assertEqual(os.sched_getaffinity(vm.tid(1)), {kernel.HOUSE})
        os.sched_setaffinity(vm.tid(1), {kernel.VCPU})
        vm.wait_status("nothing open", lambda s: not s["drift"]["open"])
        self.assertEqual(vm.cli("status", vm.name).returncode, 0)


if __name__ == "__main__":
    harness.main()
