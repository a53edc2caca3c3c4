# SPDX-License-Identifier: GPL-2.0-or-later
"""What a boot leads to: the VM with two real devices, its memory locked, everything in its place."""
import glob
import os
import pwd

import kernel
from lab import CGROUPS, MEDIA, Scenario, group, run, show, supervisor, systemctl, wait_for

DEVICES = ("0000:01:00.0", "0000:00:14.0")
MIB = 1 << 20


class Boot(Scenario):
    def test_all_units_are_well(self):
        wait_for("the end of the boot", lambda: systemctl("is-system-running", status=None).strip()
                 in ("running", "degraded"))
        self.assertEqual(systemctl("--failed", "--plain", "--no-legend").strip(), "")
        self.assertEqual(show("vfio-sup-guests", "ActiveState"), "active")

    def test_hardened(self):
        """At most 4.0: the unit file says why not less."""
        run("systemd-analyze", "security", "--threshold=40", "vfio-sup.service")
        self.assertEqual(kernel.about(supervisor())["Seccomp"], "2")

    def test_its_own_service(self):
        pid = MEDIA.pid
        self.assertEqual(show(MEDIA.unit, "MainPID"), str(pid))
        self.assertEqual(show(MEDIA.unit, "Slice"), "vfiosup.slice")
        self.assertEqual(kernel.stat(pid)[1], "1", "forked by PID 1")
        self.assertEqual(group(supervisor()), "/system.slice/vfio-sup.service")

    def test_what_is_set_there(self):
        """The environment is empty, what is open is meant to be, and the rest is what the unit asks for."""
        self.assertEqual(kernel.read(f"/proc/{MEDIA.pid}/environ"), "")
        first = [os.readlink(f"/proc/{MEDIA.pid}/fd/{number}") for number in range(3)]
        self.assertRegex(first[0], r"^socket:", "QMP's")
        self.assertEqual(first[1:], ["/run/vfio-sup/media/qemu.log"] * 2)
        self.assertEqual(kernel.read(f"/proc/{MEDIA.pid}/oom_score_adj").strip(), "-500")
        self.assertEqual(kernel.read(f"{CGROUPS}{MEDIA.group}/cpu.weight").strip(), "10000")
        self.assertEqual(kernel.read(f"{CGROUPS}/vfiosup.slice/cpu.weight").strip(), "1000")
        for name, value in (("Delegate", "yes"), ("RefuseManualStop", "yes"), ("IgnoreOnIsolate", "yes")):
            self.assertEqual(show(MEDIA.unit, name), value, name)

    def test_words_are_left_alone(self):
        """On the way through systemd, which has variables, specifiers and escapes of its own."""
        words = kernel.read(f"/proc/{MEDIA.pid}/cmdline").split("\0")
        self.assertIn("name=opt/lab,string=$HOME$$%n%%\\x", words)

    def test_nothing_of_the_supervisors_sandbox(self):
        """A mount namespace of its own, or MemoryDenyWriteExecute, would stop TCG; see facts of systemd."""
        self.assertEqual(os.readlink(f"/proc/{MEDIA.pid}/ns/mnt"), os.readlink("/proc/1/ns/mnt"))

    def test_no_rights(self):
        about = kernel.about(MEDIA.pid)
        user = pwd.getpwnam("vfio-sup-qemu")
        self.assertEqual(set(about["Uid"].split()), {str(user.pw_uid)})
        self.assertEqual(set(about["Gid"].split()), {str(user.pw_gid)})
        for held in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(about[held], 16), 0, held)
        self.assertEqual(about["Seccomp"], "2", "QEMU's own -sandbox")

    def test_two_devices(self):
        held = [os.readlink(path) for path in glob.glob(f"/proc/{MEDIA.pid}/fd/*")]
        interrupts = kernel.read("/proc/interrupts")
        for device in DEVICES:
            path = f"/sys/bus/pci/devices/{device}"
            self.assertEqual(os.path.basename(os.readlink(f"{path}/driver")), "vfio-pci")
            number = os.path.basename(os.readlink(f"{path}/iommu_group"))
            self.assertIn(f"/dev/vfio/{number}", held)
            self.assertRegex(interrupts, rf"vfio-\w+(\[\d+\])?\({device}\)")
        self.assertEqual(held.count("anon_inode:[vfio-device]"), 2)

    def test_memory_locked(self):
        locked = int(kernel.about(MEDIA.pid)["VmLck"].split()[0]) * 1024
        self.assertGreaterEqual(locked, 64 * MIB)
        limit = [line.split()[3] for line in kernel.read(f"/proc/{MEDIA.pid}/limits").splitlines()
                 if line.startswith("Max locked memory")][0]
        self.assertTrue(limit == "unlimited" or int(limit) >= locked, limit)

    def test_placed(self):
        self.assertEqual(MEDIA.misplaced(), [])
        for slot in ("vcpus", "emulator", "iothreads"):
            self.assertEqual(kernel.read(f"/sys/fs/cgroup{MEDIA.group}/vm/{slot}/cgroup.type").strip(),
                             "threaded")
        if kernel.read("/proc/sys/kernel/sched_autogroup_enabled").strip() == "1":  # not on Debian 12
            for tid in MEDIA.vcpus():
                self.assertRegex(kernel.read(f"/proc/{tid}/autogroup"), r"nice -20\b")

    def test_the_guest_runs(self):
        MEDIA.wait_serial("acpi: up")
