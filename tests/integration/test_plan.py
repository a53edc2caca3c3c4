# SPDX-License-Identifier: GPL-2.0-or-later
"""plan says all that run would do, and does none of it."""
import json
import os
import shlex

import harness
import kernel


class Plan(harness.VmTest):
    def plan(self, *words, status=0, **keys):
        vm = self.vm(**keys)
        done = vm.cli("plan", vm.file, *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertFalse(kernel.groups_named(vm.name))
        self.assertFalse(os.path.exists(f"{vm.run_dir}/{vm.name}"))
        return vm, done.stdout

    def test_names_what_it_would_do(self):
        vm, said = self.plan(cpus={"vcpu": str(kernel.VCPU), "isolate": "off", "policy": "other"})
        self.assertIn("qemu-system-x86_64", said)
        self.assertIn("-sandbox", said)
        self.assertIn(f"guest={vm.name}", said)
        if kernel.CPUSET:
            self.assertIn(f"vfiosup/{vm.name}/vcpus", said)
            self.assertLess(said.index("cg-create"), said.index("-nodefaults"), "in order")
        self.assertNotIn("cannot:", said)

    def test_run_does_what_it_said(self):
        """QEMU's argv, word for word, but for where its monitor is."""
        vm, said = self.plan()
        vm.up()
        for word in kernel.read(f"/proc/{vm.pid}/cmdline").split("\0"):
            if "fd=" not in word:
                self.assertTrue(word in said or shlex.quote(word) in said, word)

    def test_cannot(self):
        _, said = self.plan(shield=["vfio-sup-test-none"], status=1)
        self.assertRegex(said, r"(?m)^ *cannot: .*vfio-sup-test-none")

    def test_bad_file(self):
        vm = self.vm(smp="2")
        self.assert_failed(vm.cli("plan", vm.file), rf"{vm.name}\.conf:\d+", "smp")

    def test_json(self):
        vm, said = self.plan("--json", cpus={"vcpu": str(kernel.VCPU), "isolate": "off",
                                             "policy": "other"})
        self.assertIn(f"guest={vm.name}", json.dumps(json.loads(said)))


if __name__ == "__main__":
    harness.main()
