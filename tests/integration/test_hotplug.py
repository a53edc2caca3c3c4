# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that come after the start: each is found and put in its place."""
import os

import harness
import kernel


class Hotplug(harness.VmTest):
    def named(self, vm, text):
        return [tid for tid in kernel.tids(vm.pid) if text in kernel.comm(tid)]

    def wait_in_place(self, vm, tid, cpus, slot):
        def there():
            group = kernel.cpuset_of(tid) if kernel.CPUSET else f"/{slot}"
            return os.sched_getaffinity(tid) == cpus and group.endswith(f"/{slot}")
        harness.wait_for(f"{kernel.comm(tid)} on {cpus} in {slot}", there)

    def test_vcpu(self):
        vm = self.vm(smp="1,maxcpus=2").up()
        free = [one for one in vm.qmp("query-hotpluggable-cpus") if "qom-path" not in one][0]
        vm.qmp("device_add", {"driver": free["type"], "id": "more", **free["props"]})
        tid = harness.wait_for("its thread", lambda: self.named(vm, "CPU 1/"))[0]
        self.wait_in_place(vm, tid, {kernel.VCPU}, "vcpus")
        found = vm.wait_status("both placed", lambda s: len(s["vcpus"]) == 2 and all(
            one["placed"] for one in s["vcpus"]))
        self.assertEqual(found["vcpus"][1]["tid"], tid)
        self.assertEqual(found["vcpus"][1]["policy_actual"], kernel.policy(tid))
        self.assertEqual(found["drift"]["repaired"], 0, "a new thread is no drift")

    def test_vcpu_comes_and_goes(self):
        """Its CPU is listed: it gets that one."""
        cpus = {"vcpu": f"{kernel.VCPU},{kernel.HOUSE}", "emulator": str(kernel.HOUSE)}
        vm = self.vm(smp="1,maxcpus=2", cpus=cpus).up()
        free = [one for one in vm.qmp("query-hotpluggable-cpus") if "qom-path" not in one][0]
        vm.qmp("device_add", {"driver": free["type"], "id": "more", **free["props"]})
        tid = harness.wait_for("its thread", lambda: self.named(vm, "CPU 1/"))[0]
        self.wait_in_place(vm, tid, {kernel.HOUSE}, "vcpus")
        self.assertEqual(os.sched_getaffinity(vm.tid(0)), {kernel.VCPU})

    def test_iothread(self):
        vm = self.vm().up()
        vm.qmp("object-add", {"qom-type": "iothread", "id": "late"})
        tid = harness.wait_for("its thread", lambda: self.named(vm, "late"))[0]
        self.wait_in_place(vm, tid, {kernel.HOUSE}, "iothreads")
        vm.wait_status("an iothread in status", lambda s: any(
            one["tid"] == tid and one["role"] == "iothread" and one["placed"]
            for one in s["threads"]))
        vm.qmp("object-del", {"id": "late"})
        found = vm.wait_status("and gone", lambda s: all(
            one["tid"] != tid for one in s["threads"]))
        self.assertEqual((found["drift"]["open"], found["drift"]["unfixable"]), ([], []))


if __name__ == "__main__":
    harness.main()
