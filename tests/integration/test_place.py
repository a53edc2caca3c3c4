# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the threads of a VM run, asked of the kernel and held against what status says."""
import os
import unittest

import harness
import kernel

TWO_VCPUS = {"smp": "2", "cpus": {"vcpu": f"{kernel.HOUSE},{kernel.VCPU}",
                                  "emulator": str(kernel.HOUSE), "policy": "other"}}


class Threads(harness.VmTest):
    def slot(self, tid):
        """The last two levels of a thread's group: VM and slot."""
        return "/".join(kernel.cpuset_of(tid).split("/")[-2:])

    def assert_placed(self, vm, tid, cpus, slot):
        self.assertEqual(os.sched_getaffinity(tid), cpus, kernel.comm(tid))
        if kernel.CPUSET:
            self.assertEqual(self.slot(tid), f"{vm.name}/{slot}", kernel.comm(tid))

    def wait_settled(self, vm):
        """Workers come and go: a moment in which everything is in its place."""
        return vm.wait_status("all threads placed", lambda s: s["threads"] and all(
            one["placed"] for one in s["threads"] + s["vcpus"]))

    def test_every_thread(self):
        vm = self.vm(**TWO_VCPUS, objects=[{"id": "io0", "qom-type": "iothread"}],
                     devices=[{"driver": "virtio-scsi-pci", "iothread": "io0"}]).up()
        self.wait_settled(vm)
        seen = {"vcpus": 0, "iothreads": 0, "emulator": 0}
        for tid in kernel.tids(vm.pid):
            name = kernel.comm(tid)
            if name.startswith("CPU "):
                cpu = kernel.VCPU if name.startswith("CPU 1/") else kernel.HOUSE
                slot, cpus = "vcpus", {cpu}
            else:
                slot, cpus = "iothreads" if "io0" in name else "emulator", {kernel.HOUSE}
            self.assert_placed(vm, tid, cpus, slot)
            seen[slot] += 1
        self.assertEqual((seen["vcpus"], seen["iothreads"]), (2, 1))
        self.assertGreaterEqual(seen["emulator"], 1)

    def test_status_says_what_the_kernel_says(self):
        vm = self.vm(**TWO_VCPUS).up()
        found = self.wait_settled(vm)
        self.assertEqual([one["index"] for one in found["vcpus"]], [0, 1])
        for one in found["vcpus"] + found["threads"]:
            tid = one["tid"]
            self.assertEqual(kernel.cpus(one["cpus_actual"]), os.sched_getaffinity(tid))
            self.assertEqual(kernel.cpus(one["cpus_wanted"]), os.sched_getaffinity(tid))
            self.assertEqual(one["policy_actual"], kernel.policy(tid))
        for one in found["vcpus"] if kernel.CPUSET else []:
            self.assertEqual(one["cgroup"].strip("/"), kernel.cpuset_of(one["tid"]).strip("/"))
        listed = {one["tid"] for one in found["vcpus"] + found["threads"]}
        self.assertLessEqual({vm.pid, vm.tid(0), vm.tid(1)}, listed)

    def test_groups_hold_the_cpus(self):
        if not kernel.CPUSET:
            self.skipTest("cpuset is not on cgroup v1 here")
        vm = self.vm().up()
        base = f"{kernel.CPUSET}/vfiosup/{vm.name}"
        for slot, cpus in (("vcpus", {kernel.VCPU}), ("emulator", {kernel.HOUSE}),
                           ("iothreads", {kernel.HOUSE})):
            self.assertEqual(kernel.cpus(kernel.read(f"{base}/{slot}/cpuset.cpus")), cpus, slot)

    def test_the_supervisor_keeps_off(self):
        vm = self.vm().up()
        for tid in kernel.tids(vm.process.pid):
            self.assertNotIn(kernel.VCPU, os.sched_getaffinity(tid), kernel.comm(tid))

    def test_auto_leaves_the_first_cpu_to_the_host(self):
        vm = self.vm(cpus=None).up()
        self.assertEqual(os.sched_getaffinity(vm.tid()), {kernel.VCPU})
        self.assertEqual(os.sched_getaffinity(vm.pid), kernel.ALL - {kernel.VCPU})


class Policy(harness.VmTest):
    def vcpu(self, vm):
        return vm.wait_state("running")["vcpus"][0]

    def test_fifo_as_asked(self):
        vm = self.vm("spin", cpus={"vcpu": str(kernel.VCPU), "policy": "fifo", "priority": 3}).up()
        tid, said = vm.tid(), self.vcpu(vm)
        self.assertEqual(kernel.policy(tid), "fifo")
        self.assertEqual(os.sched_getparam(tid).sched_priority, 3)
        self.assertEqual((said["policy_wanted"], said["policy_actual"], said["priority_actual"]),
                         ("fifo", "fifo", 3))
        for other in set(kernel.tids(vm.pid)) - {tid}:
            self.assertEqual(kernel.policy(other), "other", kernel.comm(other))

    def test_rr_as_asked(self):
        vm = self.vm(cpus={"vcpu": str(kernel.VCPU), "policy": "rr"}).up()
        self.assertEqual(kernel.policy(vm.tid()), "rr")

    def test_other_is_nice(self):
        vm = self.vm(cpus={"vcpu": str(kernel.VCPU), "policy": "other"}).up()
        self.assertEqual(kernel.policy(vm.tid()), "other")
        self.assertEqual(kernel.nice(vm.tid()), -20)
        self.assertEqual(kernel.nice(vm.pid), 0)
        autogroup = f"/proc/{vm.pid}/autogroup"
        if os.path.exists(autogroup) and kernel.read("/proc/sys/kernel/sched_autogroup_enabled"
                                                     ).strip() == "1":
            self.assertIn("nice -20", kernel.read(autogroup))

    def test_auto_says_why(self):
        """Nothing is isolated here: real time would cost more than it gives."""
        vm = self.vm().up()
        self.assertEqual(self.vcpu(vm)["policy_actual"], "other")
        self.assertRegex(vm.cli("status", vm.name).stdout, r"SCHED_FIFO would")

    @unittest.skipUnless(kernel.CPU and os.path.exists(f"{kernel.CPU}/cpu.rt_runtime_us"),
                         "no cpu cgroups with a real-time budget here")
    def test_no_real_time_budget(self):
        """EPERM of RT_GROUP_SCHED, in words: the cgroup and the file that is zero."""
        group = kernel.Group(self, kernel.CPU, cpu_rt_runtime_us=0)
        vm = self.vm(cpus={"vcpu": str(kernel.VCPU), "policy": "fifo"})
        vm.up(preexec_fn=lambda: group.add(os.getpid()))
        self.assertEqual(kernel.policy(vm.tid()), "other")
        said = vm.cli("status", vm.name).stdout
        self.assertRegex(said, rf"/{group.name}\b.*cpu\.rt_runtime_us")
        vm.cli("kill", vm.name)
        vm.exit_status()


@unittest.skipUnless(kernel.CPUSET, "cpuset is not on cgroup v1 here")
class Shield(harness.VmTest):
    def shielded(self, **keys):
        """A group of the test's own on all CPUs, a process in it, and a VM that shields itself."""
        mems = kernel.read(f"{kernel.CPUSET}/cpuset.mems").strip()
        group = kernel.Group(self, kernel.CPUSET, cpuset_mems=mems,
                             cpuset_cpus=kernel.read(f"{kernel.CPUSET}/cpuset.cpus").strip())
        other = kernel.sleeper(self)
        group.add(other.pid)
        return group, other, self.vm(shield=[group.name], **keys)

    def test_cut_back_and_given_back(self):
        group, other, vm = self.shielded()
        before = group.read("cpuset.cpus")
        found = vm.up().status()
        self.assertNotIn(kernel.VCPU, kernel.cpus(group.read("cpuset.cpus")))
        self.assertNotIn(kernel.VCPU, os.sched_getaffinity(other.pid))
        self.assertEqual(found["isolation"]["actual"], "shield")
        self.assertEqual(kernel.cpus(found["isolation"]["cpus"]), {kernel.VCPU})
        vm.cli("kill", vm.name)
        vm.exit_status()
        self.assertEqual(group.read("cpuset.cpus"), before)
        self.assertIn(kernel.VCPU, os.sched_getaffinity(other.pid))

    def test_opened_by_somebody(self):
        group, _, vm = self.shielded()
        before = group.read("cpuset.cpus")
        vm.up()
        group.write("cpuset.cpus", before)
        harness.wait_for("the shield's repair",
                         lambda: kernel.VCPU not in kernel.cpus(group.read("cpuset.cpus")))
        vm.wait_status("the count", lambda s: s["drift"]["repaired"] >= 1)

    def test_a_group_that_is_not_there(self):
        vm = self.vm(shield=["vfio-sup-test-none"]).up()
        isolation = vm.status()["isolation"]
        self.assertNotEqual(isolation["actual"], "shield")
        self.assertIn("vfio-sup-test-none", isolation["reason"])


if __name__ == "__main__":
    harness.main()
