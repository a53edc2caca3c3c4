# SPDX-License-Identifier: GPL-2.0-or-later
"""vfio-sup log: what happened to a VM, QEMU's own words included."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import unittest

import daemon
import harness
import kernel

TALKS = ("-trace", "runstate_set")  # QEMU says so whenever it pauses and goes on


class Log(daemon.DaemonTest):
    def history(self, vm, *options):
        done = self.cli("log", vm.name, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def said(self, text):
        """How often QEMU has."""
        return len(re.findall(r"QEMU said: .*runstate_set", text))

    def wait_said(self, vm, count):
        harness.wait_for(f"{count} words", lambda: self.said(self.history(vm)) >= count)

    def pause_and_resume(self, vm):
        for verb in ("pause", "resume"):
            self.assertEqual(self.cli(verb, vm.name).returncode, 0)

    def up(self, *args, guest="ignore", **keys):
        vm = self.add(guest, args=args, **keys)
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        vm.wait_state("running")
        return vm

    def test_survives(self):
        """The VM's end, its directory's, and the daemon's."""
        vm = self.up()
        self.assertRegex(self.history(vm), r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}   running$")
        self.assertEqual(self.cli("kill", vm.name).returncode, 0)
        vm.wait_state("stopped")
        self.assertFalse(os.path.exists(f"{vm.run_dir}/{vm.name}"))
        said = self.history(vm)
        self.assertRegex(said, r"(?s)preparing.*starting.*running.*stopping.*QEMU has ended: host-stop")
        self.kill_daemon()
        self.assertEqual(self.history(vm), said, "nobody need answer")
        self.start()
        self.cli("start", vm.name)
        vm.wait_state("running")
        self.assertTrue(self.history(vm).startswith(said))
        self.assertRegex(self.history(vm, "-n", "1"), r"\A.* running\n\Z")
        self.assertEqual(self.history(vm, "--lines=0"), "")
        self.assertEqual(os.stat(f"{vm.run_dir}/{vm.name}.log").st_mode & 0o777, 0o600)

    def test_what_went_wrong(self):
        vm = self.up()
        os.kill(vm.pid, signal.SIGKILL)
        vm.wait_state("stopped")
        self.assertRegex(self.history(vm), r"QEMU has ended: crash")
        tid_drift = self.up_again(vm)
        kernel.set_policy(tid_drift, "batch")
        harness.wait_for("its line", lambda: "policy" in self.history(vm))

    def up_again(self, vm):
        self.cli("start", vm.name)
        vm.wait_state("running")
        return vm.tid()

    def test_qemu_speaks(self):
        """Its words are in the log as they come, in order, and not again after an adoption."""
        def written():
            return kernel.read(f"{vm.run_dir}/{vm.name}/qemu.log").count("runstate_set")
        vm = self.up(*TALKS)
        self.wait_said(vm, 1)
        self.assertGreater(self.said(self.log()), 0, "for the journal, too")
        self.pause_and_resume(vm)
        self.wait_said(vm, written())
        self.assertRegex(self.history(vm), r"(?s) paused\n.* running\n.*QEMU said: .*paused")
        self.kill_daemon()
        self.start()
        vm.wait_state("running")
        self.pause_and_resume(vm)
        self.wait_said(vm, written())
        self.assertEqual(self.said(self.history(vm)), written())

    def test_last_words(self):
        """The directory goes with the VM, what QEMU said in its last second does not."""
        vm = self.up(*TALKS)
        self.wait_said(vm, 1)
        before = self.said(self.history(vm))
        self.pause_and_resume(vm)
        self.cli("kill", vm.name)
        vm.wait_state("stopped")
        self.assertGreaterEqual(self.said(self.history(vm)), before + 2)
        self.assertRegex(self.history(vm), r"(?s)QEMU said[^\n]*\n[^\n]*QEMU has ended: host-stop")

    def test_unheard(self):
        """What it says while no supervisor is there."""
        vm = self.up("-d", "cpu_reset", guest="reboot")
        harness.wait_for("words", lambda: "QEMU said" in self.history(vm))
        self.kill_daemon()
        harness.wait_for("words", lambda: re.search(
            r"(?s)QEMU's words since then:\n.*CPU Reset", self.history(vm)))
        self.assertNotIn("QEMU's words since then", self.history(vm, "-n", "2"))
        self.start()

    def test_follow(self):
        vm = self.up()
        with open(f"{self.directory}/followed", "wb") as out:
            one = subprocess.Popen([harness.BINARY, "--run-dir", vm.run_dir, "log", vm.name, "-n",
                                    "1", "-f"], stdin=subprocess.DEVNULL, stdout=out)
        self.addCleanup(kernel.end, one)
        self.cli("pause", vm.name)
        harness.wait_for("the news", lambda: re.search(
            r" paused\n", kernel.read(f"{self.directory}/followed")))
        self.assertEqual(kernel.read(f"{self.directory}/followed").count("starting"), 0)
        self.assertIsNone(one.poll())

    def test_flood(self):
        """A QEMU that does not stop talking drowns neither the log nor the events."""
        vm = self.up()
        with open(f"{vm.run_dir}/{vm.name}/qemu.log", "a", encoding="utf-8") as words:
            words.write("".join(f"line {i} \x1b[2J of a flood\n" for i in range(50000)))
        harness.wait_for("what is left out", lambda: re.search(
            r"QEMU said \d+ bytes more than are shown here", self.history(vm)))
        harness.wait_for("its end", lambda: "line 49999 ?[2J of a flood\n" in self.history(vm))
        # The first look may have come before all of it was written.
        harness.wait_for("the cut", lambda: "qemu.log was longer than 1 MiB" in self.history(vm))
        text = self.history(vm)
        self.assertLess(text.count("QEMU said"), 200)
        self.assertTrue("running" in text)
        self.assertLess(os.stat(f"{vm.run_dir}/{vm.name}/qemu.log").st_size, 1 << 20)
        self.assertEqual(vm.status()["alarms"], [])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to mount")
    def test_full(self):
        """No room costs lines, and not the VM."""
        vm = self.add()
        os.mkdir(f"{self.directory}/run", 0o755)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "vfio-sup-test",
                               f"{self.directory}/run"], check=False, capture_output=True, text=True)
        if done.returncode:
            self.skipTest(f"no mount: {done.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", f"{self.directory}/run"], check=True)
        self.addCleanup(self.end_daemon)
        self.start()
        self.cli("start", vm.name)
        vm.wait_state("running")
        with open(f"{self.directory}/run/fill", "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(b"x" * 4096):
                    pass
        for _ in range(60):
            self.cli("pause", vm.name)
            self.cli("resume", vm.name)
        self.assertEqual(self.log().count("cannot be written, `vfio-sup log` will miss lines"), 1)
        self.assertEqual(vm.wait_state("running")["alarms"], [])
        os.unlink(f"{self.directory}/run/fill")
        self.cli("pause", vm.name)
        self.assertRegex(self.history(vm), r" paused\n\Z")
        for line in self.history(vm).splitlines():
            self.assertRegex(line, r"^\d{4}-", "whole lines")

    def test_run_directory_wiped(self):
        """What was is gone; what comes is kept in the new one."""
        vm = self.up()
        shutil.rmtree(vm.run_dir)
        harness.wait_for("a new one", lambda: "made anew" in self.log())
        harness.wait_for("an answer", lambda: self.cli("pause", vm.name).returncode == 0)
        harness.wait_for("its line", lambda: self.cli("log", vm.name).stdout.endswith(" paused\n"))

    def test_no_such_vm(self):
        self.start()
        self.assert_failed(self.cli("log", "nobody"), "no log of nobody", status=4)
        self.assert_failed(self.cli("log", "A"), "cannot be the name", status=1)
        self.assert_failed(self.cli("log", "nobody", "-n", "x"), "number of lines", status=2)


class Run(harness.VmTest):
    def test_good_end(self):
        vm = self.vm("poweroff").start()
        self.assertEqual(vm.exit_status(), 0)
        self.assertFalse(os.path.exists(vm.run_dir), "nothing is left")

    def test_bad_end(self):
        vm = self.vm().up()
        os.kill(vm.pid, signal.SIGKILL)
        self.assertEqual(vm.exit_status(), 1)
        done = vm.cli("log", vm.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?s)running.*QEMU has ended: crash")

    def test_refused(self):
        """A QEMU that did not come up says why."""
        vm = self.vm(args=("-device", "virtio-net-pci,netdev=none")).start()
        self.assertEqual(vm.exit_status(), 1)
        self.assertRegex(vm.cli("log", vm.name).stdout, r"QEMU said: .*none")


if __name__ == "__main__":
    harness.main()
