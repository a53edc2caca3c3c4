# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot work is refused in words, before anything on the host is changed."""
import os
import pwd
import socket
import subprocess

import harness
import kernel

OLD_QEMU = """#!/usr/bin/env python3
import os, sys
if "--version" in sys.argv or "-version" in sys.argv:
    print("QEMU emulator version 5.2.0")
    sys.exit(0)
os.write(3, b'{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 5}, "package": ""},'
            b' "capabilities": []}}\\r\\n')
while os.read(3, 4096):
    os.write(3, b'{"return": {}}\\r\\n')
"""


def host():
    """What a refusal must not change: the cpuset groups and their CPUs, as far as there are any."""
    seen = {}
    for base in filter(None, [kernel.CPUSET, kernel.CPU]):
        for path, folders, _ in os.walk(base):
            cpus = f"{path}/cpuset.cpus"
            seen[path] = kernel.read(cpus) if os.path.exists(cpus) else sorted(folders)
    return seen


class Refused(harness.VmTest):
    def refused(self, vm, *words, status=1, **popen):
        """`run` says these words, ends with this status, and has not touched the host."""
        before = host()
        vm.start(**popen)
        self.assertEqual(vm.exit_status(), status, vm.output())
        self.assertEqual(host(), before)
        self.assertFalse(kernel.groups_named(vm.name))
        self.assertFalse(os.path.exists(f"{vm.run_dir}/{vm.name}/qemu.log"), "no QEMU was started")
        for word in words:
            self.assertRegex(vm.output(), word)
        self.assertNotRegex(vm.output(), r"AddressSanitizer|runtime error")

    def refused_line(self, line, *words, **keys):
        """A file with this as its last line is refused, and the message names file and line."""
        vm = self.vm(**keys)
        with open(vm.file, "a", encoding="utf-8") as file:
            file.write(line + "\n")
        number = len(kernel.read(vm.file).splitlines())
        self.refused(vm, rf"{vm.name}\.conf:{number}\b", *words)


class Files(Refused):
    def test_missing(self):
        vm = self.vm()
        os.unlink(vm.file)
        self.refused(vm, rf"{vm.name}\.conf", "No such file")

    def test_unreadable(self):
        user = pwd.getpwnam(harness.QEMU_USER)
        vm = self.vm()
        os.chmod(vm.file, 0o600)
        self.refused(vm, rf"{vm.name}\.conf", "Permission denied", user=user.pw_uid,
                     group=user.pw_gid, extra_groups=[])

    def test_a_directory(self):
        vm = self.vm()
        os.unlink(vm.file)
        os.mkdir(vm.file)
        self.refused(vm, "not a regular file")

    def test_writable_by_others(self):
        vm = self.vm()
        os.chmod(vm.file, 0o666)
        self.refused(vm, "may write", "chmod")

    def test_name_that_is_none(self):
        self.refused(self.vm(name="Media.PC"), "cannot be the name of a VM")

    def test_disk_that_is_missing(self):
        vm = self.vm()
        os.unlink(f"{self.directory}/ignore.img")
        self.refused(vm, r"ignore\.img")

    def test_disk_that_qemu_may_not_read(self):
        vm = self.vm()
        os.chmod(f"{self.directory}/ignore.img", 0o600)
        self.refused(vm, r"ignore\.img", harness.QEMU_USER)


class Lines(Refused):
    def test_unknown_key(self):
        self.refused_line('memmory = { size = "1G"; };', "memmory", "memory")

    def test_wrong_type(self):
        self.refused_line("on_reboot = 5;", "on_reboot")

    def test_no_quotes(self):
        self.refused_line("on_reboot = reset;", "quotes")

    def test_unclosed(self):
        self.refused_line("latency = { tick = \"10ms\";", "closed")

    def test_vcpu_list_too_short(self):
        self.refused(self.vm(smp="2"), r"\.conf:\d+\b", "cpus.vcpu", "1 CPU for 2 vCPUs")

    def test_no_such_cpu(self):
        self.refused_line('cpus = { vcpu = "900"; };', "CPU 900", cpus=None)

    def test_the_same_cpu_twice(self):
        self.refused_line(f'cpus = {{ vcpu = "{kernel.VCPU},{kernel.VCPU}"; }};',
                          rf"CPU {kernel.VCPU}\b|{kernel.VCPU}", smp="2", cpus=None)

    def test_emulator_on_a_real_time_vcpu(self):
        self.refused_line(f'cpus = {{ vcpu = "{kernel.VCPU}"; emulator = "{kernel.VCPU}"; '
                          'policy = "fifo"; };', rf"CPU {kernel.VCPU}\b", "fifo", cpus=None)

    def test_no_cpu_left_for_the_emulator(self):
        every = ",".join(map(str, sorted(kernel.ALL)))
        self.refused_line(f'cpus = {{ vcpu = "{every}"; }};', "none is left|no CPU",
                          smp=str(len(kernel.ALL)), cpus=None)

    def test_a_drive_that_does_not_exist(self):
        self.refused(self.vm(devices=[{"driver": "virtio-blk-pci", "drive": "nowhere"}],
                             args=None), "nowhere")

    def test_a_backend_that_nobody_uses(self):
        self.refused(self.vm(netdevs=[{"id": "lonely", "type": "user"}], args=None), "lonely")

    def test_no_such_driver(self):
        self.refused(self.vm(devices=[{"driver": "no-such-driver"}]), "no-such-driver")

    def test_no_such_property(self):
        self.refused(self.vm(devices=[{"driver": "virtio-rng-pci", "colour": "red"}]), "colour")

    def test_a_value_that_is_no_number(self):
        self.refused(self.vm(devices=[{"driver": "virtio-rng-pci", "max-bytes": "many"}]),
                     "max-bytes")

    def test_daemonize(self):
        self.refused(self.vm(args=["-daemonize"]), "-daemonize")


class Host(Refused):
    def script(self, text):
        path = f"{self.directory}/qemu"
        kernel.write(path, text)
        os.chmod(path, 0o755)
        return path

    def test_no_binary(self):
        self.refused(self.vm(binary="/nonexistent/qemu"), "/nonexistent/qemu")

    def test_binary_that_is_none(self):
        self.refused(self.vm(binary=self.script("#!/bin/sh\necho hello\n")), "qemu")

    def test_binary_that_may_not_run(self):
        path = self.script("#!/bin/sh\n")
        os.chmod(path, 0o644)
        self.refused(self.vm(binary=path), "(?i)permission denied|execut")

    def test_binary_that_is_too_old(self):
        self.refused(self.vm(binary=self.script(OLD_QEMU)), r"5\.2", r"7\.2")

    def test_no_such_user(self):
        self.refused(self.vm(user="no-such-user"), "no-such-user", "useradd|adduser|sysusers")

    def test_no_permission(self):
        """Not root, and nowhere to write."""
        user = pwd.getpwnam(harness.QEMU_USER)
        self.refused(self.vm(), "(?i)permission denied", user=user.pw_uid, group=user.pw_gid,
                     extra_groups=[])

    def test_port_in_use(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            one.listen()
            port = one.getsockname()[1]
            self.refused(self.vm(metrics=port), rf"127\.0\.0\.1:{port}", "(?i)in use")

    def test_kvm_that_does_not_work(self):
        """It is there and opens, and is no KVM: in a mount namespace, whatever this machine has."""
        vm = self.vm(accel="kvm")
        made = not os.path.exists("/dev/kvm")
        hide = ("mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/kvm c 1 3"
                " && exec \"$0\" \"$@\"")
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", hide, harness.BINARY, "--run-dir", vm.run_dir, "run", vm.file],
            text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=harness.DEADLINE)
        self.assert_failed(done, r'accel = "kvm"', "(?i)kvm", 'accel = "auto"')
        self.assertEqual(made, not os.path.exists("/dev/kvm"))
        self.assert_gone(vm)


class RunDirectory(Refused):
    def test_symlink(self):
        vm = self.vm()
        os.mkdir(f"{self.directory}/elsewhere")
        os.symlink("elsewhere", vm.run_dir)
        self.refused(vm, "symbolic link")
        self.assertEqual(os.listdir(f"{self.directory}/elsewhere"), [])

    def test_not_ours(self):
        vm, user = self.vm(), pwd.getpwnam(harness.QEMU_USER)
        os.mkdir(vm.run_dir, 0o755)
        os.chown(vm.run_dir, user.pw_uid, user.pw_gid)
        self.refused(vm, "another user")
        self.assertEqual(os.listdir(vm.run_dir), [])

    def test_open_to_all(self):
        vm = self.vm()
        os.mkdir(vm.run_dir)
        os.chmod(vm.run_dir, 0o777)
        self.refused(vm, "may write")

    def test_a_file(self):
        vm = self.vm()
        kernel.write(vm.run_dir, "")
        self.refused(vm, "no directory")

    def test_nothing_to_hold_it(self):
        self.refused(self.vm(run="no/such/place"), "no/such/place")


if __name__ == "__main__":
    harness.main()
