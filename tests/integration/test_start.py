# SPDX-License-Identifier: GPL-2.0-or-later
"""How a VM starts: what QEMU is given and what not, and who may start what."""
import grp
import os
import pwd
import stat

import harness
import kernel


class Start(harness.VmTest):
    def assert_owner(self, path, user, mode):
        found = os.lstat(path)
        self.assertEqual(found.st_uid, pwd.getpwnam(user).pw_uid, path)
        self.assertEqual(oct(stat.S_IMODE(found.st_mode)), oct(mode), path)

    def test_qemu_is_confined(self):
        vm = self.vm().up()
        user, about = pwd.getpwnam(harness.QEMU_USER), kernel.about(vm.pid)
        self.assertEqual(about["Uid"].split(), [str(user.pw_uid)] * 4)
        self.assertEqual(about["Gid"].split(), [str(user.pw_gid)] * 4)
        allowed = {user.pw_gid} | {g.gr_gid for g in grp.getgrall()
                                   if g.gr_name == "kvm" or harness.QEMU_USER in g.gr_mem}
        self.assertLessEqual(set(map(int, about["Groups"].split())), allowed)
        self.assertEqual(about["Seccomp"], "2")
        for held in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(about[held], 16), 0, held)
        self.assertEqual(int(about["SigBlk"], 16) & ~0x10002240, 0,
                         "SIGBUS, SIGUSR1, SIGALRM, SIGIO: QEMU reads them from a signalfd")
        self.assertEqual(int(about["SigIgn"], 16) & ~(1 << 12), 0, "QEMU itself ignores SIGPIPE")
        self.assertEqual(os.getsid(vm.pid), vm.pid, "the autogroup of a session of its own")
        self.assertEqual(os.readlink(f"/proc/{vm.pid}/cwd"), "/")

    def test_command_line(self):
        vm = self.vm().up()
        argv = kernel.read(f"/proc/{vm.pid}/cmdline").split("\0")
        for option in ("-S", "-nodefaults", "-no-user-config"):
            self.assertIn(option, argv)
        self.assertEqual(argv[argv.index("-display") + 1], "none")
        self.assertEqual(argv[argv.index("-name") + 1], f"guest={vm.name},debug-threads=on")
        sandbox = argv[argv.index("-sandbox") + 1].split(",")
        self.assertIn("on", sandbox)
        for deny in ("elevateprivileges", "spawn", "resourcecontrol", "obsolete"):
            self.assertIn(f"{deny}=deny", sandbox)

    def test_nothing_is_inherited(self):
        """Neither the supervisor's environment nor what it had open."""
        vm = self.vm(env=["VFIO_SUP_TEST=a b", "EMPTY="])
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        vm.up(pass_fds=[reader], env={**os.environ, "SECRET": "1"})
        environ = kernel.read(f"/proc/{vm.pid}/environ").split("\0")
        self.assertEqual([one for one in environ if one], ["VFIO_SUP_TEST=a b", "EMPTY="])
        folder = f"/proc/{vm.pid}/fd"
        open_files = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
        self.assertNotIn(f"pipe:[{os.fstat(reader).st_ino}]", open_files)
        ours = [path for path in open_files if path.startswith(vm.run_dir)]
        self.assertLessEqual(set(ours), {f"{vm.run_dir}/{vm.name}/qemu.log"}, "the log at most")

    def test_run_directory(self):
        vm = self.vm().up()
        self.assert_owner(vm.run_dir, "root", 0o755)
        self.assert_owner(f"{vm.run_dir}/{vm.name}", "root", 0o755)
        self.assert_owner(f"{vm.run_dir}/{vm.name}/io", harness.QEMU_USER, 0o700)
        vm.cli("kill", vm.name)
        vm.exit_status()
        self.assert_gone(vm)
        self.assertFalse(os.path.exists(f"{vm.run_dir}/control.sock"))

    def test_the_guest_runs(self):
        """It was started with -S: somebody has sent cont."""
        vm = self.vm("ignore").up()
        vm.wait_serial("ignore: up")
        self.assertEqual(vm.qmp("query-status")["status"], "running")

    def test_disk_path_with_a_comma_and_quotes(self):
        odd = f"""{self.directory}/a,b="c" 'd'.img"""
        vm = self.vm("ignore", blockdevs=[
            {"node-name": "disk", "driver": "raw", "read-only": True,
             "file": {"driver": "file", "filename": odd, "read-only": True}}])
        os.rename(f"{self.directory}/ignore.img", odd)
        vm.up().wait_serial("ignore: up")

    def test_run_directory_with_a_comma(self):
        vm = self.vm("ignore", run="run,with=comma").up()
        vm.wait_serial("ignore: up")

    def test_values_are_converted_by_the_property(self):
        """What is text on a command line is text here: QEMU's JSON alone would refuse it."""
        self.vm(devices=[{"driver": "virtio-net-pci", "netdev": "n", "mq": "off",
                          "tx_queue_size": "0x100", "addr": "10"}],
                netdevs=[{"id": "n", "type": "user", "restrict": "on"}]).up()


class Locks(harness.VmTest):
    def second(self, **keys):
        other = self.vm(**keys).start()
        status = other.exit_status()
        return other, status

    def test_second_supervisor_in_the_same_run_directory(self):
        first = self.vm().up()
        other, status = self.second()
        self.assertEqual(status, 5, other.output())
        self.assertRegex(other.output(), rf"\b{first.process.pid}\b")
        self.assertEqual(first.status()["state"], "running")

    def test_the_same_vm_twice(self):
        """From another run directory too: its group is taken."""
        first = self.vm().up()
        other, status = self.second(name=first.name, run="other")
        self.assertIn(status, (1, 5), other.output())
        self.assertRegex(other.output(), rf"\b({first.process.pid}|{first.pid})\b")
        found = first.status()
        self.assertEqual((found["state"], found["drift"]["open"]), ("running", []))
        self.assertTrue(kernel.groups_named(first.name) or not kernel.CPUSET)
        self.vms.remove(other)

    def test_two_vms_side_by_side(self):
        """The one that comes second places its own threads and leaves the host to the first."""
        first = self.vm().up()
        other = self.vm(run="other", shield=["vfio-sup-test-none"]).up()
        self.assertEqual(os.sched_getaffinity(other.tid()), {kernel.VCPU})
        isolation = other.status()["isolation"]
        self.assertEqual(isolation["actual"], "off")
        self.assertRegex(isolation["reason"], rf"\b{first.process.pid}\b")
        other.cli("kill", other.name)
        other.exit_status()
        self.assertEqual(first.status()["drift"]["open"], [])

    def test_the_lock_goes_with_its_holder(self):
        first = self.vm().up()
        first.cli("kill", first.name)
        first.exit_status()
        again = self.vm().up()
        self.assertEqual(again.status()["state"], "running")


class WithoutRoot(harness.VmTest):
    """Affinities are all that an ordinary user can set; the rest is said."""

    def test_runs_as_itself(self):
        user = pwd.getpwnam(harness.QEMU_USER)
        os.chown(self.directory, user.pw_uid, user.pw_gid)
        vm = self.vm("acpi")
        os.chown(vm.file, user.pw_uid, user.pw_gid)
        vm.start(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
        found = vm.wait_state("running")
        self.assertEqual(kernel.about(found["pid"])["Uid"].split()[0], str(user.pw_uid))
        self.assertEqual(found["vcpus"][0]["cpus_actual"], str(kernel.VCPU))
        self.assertEqual(found["isolation"]["actual"], "off")
        vm.wait_serial("acpi: up")
        self.assertEqual(vm.cli("stop", vm.name).returncode, 0)
        self.assertEqual(vm.exit_status(), 0, vm.output())


if __name__ == "__main__":
    harness.main()
