# SPDX-License-Identifier: GPL-2.0-or-later
"""vfio-sup daemon: several VMs, taken over and let go, files that change."""
import os
import pwd
import signal
import subprocess
import time
import unittest

import daemon
import harness
import kernel


class Daemon(daemon.DaemonTest):
    def test_autostart_once_per_boot(self):
        vm, idle = self.add(autostart=True), self.add(cpus={"vcpu": "0"})
        self.start()
        pid = vm.wait_state("running")["pid"]
        self.assertEqual(idle.status()["state"], "stopped")
        self.assertEqual(self.cli("kill", vm.name).returncode, 0)
        vm.wait_state("stopped")
        self.assertEqual(self.kill_daemon(signal.SIGTERM), 0)
        self.start()
        time.sleep(0.5)
        self.assertEqual(vm.status()["state"], "stopped", "an operator's stop is the last word")
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        self.assertNotEqual(vm.wait_state("running")["pid"], pid)

    def test_guests_do_not_notice(self):
        vm = self.add("spin")
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        pid, since = vm.pid, vm.status()["since"]
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            stalls = vm.status()["vcpus"][0]["run_seconds"]
            self.kill_daemon(how)
            self.assertTrue(kernel.alive(pid, vm.qemus[pid]))
            self.start()
            found = vm.wait_state("running")
            self.assertEqual((found["pid"], found["since"]), (pid, since))
            self.assertGreaterEqual(found["vcpus"][0]["run_seconds"], stalls, "counters go on")
            self.assertTrue(found["vcpus"][0]["placed"])
        tid = vm.tid()
        ran = int(kernel.read(f"/proc/{tid}/schedstat").split()[0]) / 1e9
        self.assertAlmostEqual(vm.status()["vcpus"][0]["run_seconds"], ran, delta=0.5,
                               msg="also while nobody looked")
        kernel.set_policy(tid, "batch")
        harness.wait_for("the policy", lambda: kernel.policy(tid) == "other")

    def test_a_start_outlives_its_terminal(self):
        """Who asked for it may go; who stays sees the steps."""
        vm = self.add()
        self.start()
        client = subprocess.Popen(self.command("start", vm.name), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(client.stdout.close)
        self.assertEqual(client.stdout.readline(), "preparing\n")
        client.send_signal(signal.SIGHUP)
        client.wait(harness.DEADLINE)
        vm.wait_state("running")
        self.assertEqual(self.cli("kill", vm.name).returncode, 0)
        vm.wait_state("stopped")
        steps = self.cli("start", vm.name).stdout.splitlines()
        self.assertEqual(steps[:3], ["preparing", "starting", "running"])
        self.assertRegex(steps[-1], rf"{vm.name} runs, pid \d+")

    def test_what_drifted_meanwhile(self):
        vm = self.add("spin")
        self.start()
        self.cli("start", vm.name)
        tid = vm.tid()
        self.kill_daemon()
        kernel.set_policy(tid, "batch")
        self.start()
        vm.wait_state("running")
        self.assertEqual(kernel.policy(tid), "other")

    def test_the_same_cpu_twice(self):
        one, two = self.add(), self.add()
        self.start()
        self.assertEqual(self.cli("start", one.name).returncode, 0)
        self.assert_failed(self.cli("start", two.name), one.name, two.name,
                           f"CPU {kernel.VCPU}", status=1)
        self.assertEqual(two.status()["state"], "failed")
        self.assertEqual(self.cli("kill", one.name).returncode, 0)
        one.wait_state("stopped")
        self.assertEqual(self.cli("start", two.name).returncode, 0, "now it is free")

    def test_reload(self):
        vm = self.add()
        self.start()
        self.cli("start", vm.name)
        text = kernel.read(vm.file)
        kernel.write(vm.file, text.replace('"64M"', '"80M"'))
        self.daemon.send_signal(signal.SIGHUP)
        found = vm.wait_status("news", lambda s: s["pending"])
        self.assertEqual([one["what"] for one in found["pending"]], ["memory"])
        kernel.write(vm.file, "memory = 7;\n")
        self.daemon.send_signal(signal.SIGHUP)
        found = vm.wait_status("an alarm", lambda s: s["alarms"])
        self.assertRegex(found["alarms"][0]["what"], r"\.conf:1: memory")
        self.assertEqual(found["state"], "running")
        kernel.write(vm.file, text)
        self.daemon.send_signal(signal.SIGHUP)
        vm.wait_status("all as before", lambda s: not s["alarms"] and not s["pending"])

    def test_a_bad_file_from_the_start(self):
        """It makes no VM, and whoever asks for it is told why."""
        bad, good = self.add(), self.add(cpus={"vcpu": "0"})
        text = kernel.read(bad.file)
        kernel.write(bad.file, "memory = 7;\n")
        self.start()
        where = rf"{bad.name}\.conf:1: memory"
        self.assert_failed(self.cli("start", bad.name), where)
        self.assertRegex(self.cli().stdout, rf"(?m)^! {bad.name} is left out: .*{where}")
        self.assertEqual(good.status()["state"], "stopped")
        kernel.write(bad.file, text)
        self.daemon.send_signal(signal.SIGHUP)
        self.assertEqual(harness.wait_for("its file", bad.status)["state"], "stopped")
        self.assertNotIn("left out", self.cli().stdout)

    def test_files_come_and_go(self):
        vm, other = self.add(), self.add(cpus={"vcpu": "0"})
        self.start()
        self.cli("start", vm.name)
        for one in (vm, other):
            os.unlink(one.file)
        self.daemon.send_signal(signal.SIGHUP)
        found = vm.wait_status("an alarm", lambda s: s["alarms"])
        self.assertRegex(found["alarms"][0]["what"], "file is gone")
        harness.wait_for("the other is forgotten", lambda: self.cli(
            "status", other.name).returncode == 4)
        self.kill_daemon()
        self.start()
        self.assertEqual(vm.wait_state("running")["pid"], found["pid"], "vm.json has its text")

    def test_a_bad_file_is_no_obstacle(self):
        vm = self.add(autostart=True)
        kernel.write(f"{self.config}/vms/bad.conf", "nonsense\n")
        self.start()
        vm.wait_state("running")
        self.assertRegex(self.log(), r"bad\.conf:1")

    def test_bad_host_conf(self):
        kernel.write(f"{self.config}/vfio-sup.conf", "metrics = 7;\n")
        done = subprocess.run([harness.BINARY, "--run-dir", f"{self.directory}/run", "--config-dir",
                               self.config, "daemon"], text=True, capture_output=True, check=False,
                              timeout=60)
        self.assert_failed(done, r"vfio-sup\.conf:1: metrics")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_groups(self):
        """Members of `read` may ask, of `operate` stop, others neither."""
        self.write_conf(control={"read": "games", "operate": "dialout"})
        vm = self.add()
        self.start()
        self.cli("start", vm.name)
        nobody = pwd.getpwnam("nobody").pw_uid
        def ask(group, *words):
            return subprocess.run(
                ["setpriv", f"--reuid={nobody}", "--regid=nogroup", f"--groups={group}",
                 harness.BINARY, "--run-dir", f"{self.directory}/run", *words], text=True,
                capture_output=True, check=False, timeout=60)
        self.assertEqual(ask("games", "status", vm.name).returncode, 0)
        self.assert_failed(ask("nogroup", "status", vm.name), "does not let you")
        self.assert_failed(ask("games", "stop", vm.name), "does not let you")
        self.assert_failed(ask("dialout", "kill", vm.name), "does not let you")
        self.assertEqual(ask("dialout", "pause", vm.name).returncode, 0)
        vm.wait_state("paused")
        self.assertEqual(ask("dialout", "start", vm.name).returncode, 0)
        vm.wait_state("running")


if __name__ == "__main__":
    harness.main()
