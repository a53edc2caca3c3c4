# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench's VMs, each under a supervisor of its own in a directory that is gone afterwards."""
import contextlib
import os
import pwd
import shutil
import tempfile

import harness
import kernel


class Bench:
    """What the harness wants of a test, without the test."""

    def __init__(self):
        # Not a name that tests/run takes for something that a test left.
        self.directory = tempfile.mkdtemp(prefix="bench-vfio-sup-")
        self.stem = "b" + self.directory[-8:].replace("_", "-")
        self.vms = []
        os.chmod(self.directory, 0o755)
        os.mkdir(f"{self.directory}/out")
        user = pwd.getpwnam(harness.QEMU_USER)
        os.chown(f"{self.directory}/out", user.pw_uid, user.pw_gid)

    def assertEqual(self, first, second, words):  # pylint: disable=invalid-name
        if first != second:
            raise AssertionError(f"{words}: {first} is not {second}")

    def vm(self, **keys):
        number = len(self.vms)
        return harness.Vm(self, "ignore", name=f"{self.stem}-{number}", run=f"run{number}", **keys)

    def four(self, **keys):
        """4 vCPUs, wherever "auto" puts them."""
        return self.vm(smp="4", cpus=None, **keys)

    def pair(self):
        """2 vCPUs on a CPU each in a cpuset of two: here a foreign sched_setaffinity succeeds."""
        cpus = {"vcpu": f"{kernel.HOUSE},{kernel.VCPU}", "emulator": str(kernel.HOUSE),
                "policy": "other"}
        return self.vm(smp="2", cpus=cpus)

    def empty(self):
        """A QEMU without a machine: all of the supervisor's work but the vCPUs'."""
        vm = self.vm()
        vm.write({"accel": "tcg", "machine": "none"})
        return vm

    def let_go(self, vm):
        """Ends a VM; what had to be forced, or is left, is an error."""
        problems = vm.end()
        self.vms = [one if one is not vm else None for one in self.vms]
        if problems:
            raise AssertionError(f"{'; '.join(problems)}\n{vm.log}")

    def close(self):
        for vm in self.vms:
            with contextlib.suppress(AssertionError):
                if vm:
                    self.let_go(vm)
        shutil.rmtree(self.directory)
