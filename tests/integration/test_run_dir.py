# SPDX-License-Identifier: GPL-2.0-or-later
"""The run directory: wiped while VMs run, and what a daemon that died was about to do."""
import json
import os
import shutil
import signal
import time
import unittest

import daemon
import harness
import kernel


class RunDir(daemon.DaemonTest):
    def running(self, **keys):
        vm = self.add("spin", **keys)
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        return vm, vm.wait_state("running")

    def record(self, vm):
        try:
            return json.loads(kernel.read(f"{self.directory}/run/{vm.name}/vm.json"))
        except (OSError, ValueError):
            return None

    def wipe(self, itself):
        """As `rm -rf` does it; `itself`: the directory, too."""
        run = f"{self.directory}/run"
        for name in os.listdir(run):
            path = f"{run}/{name}"
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        if itself:
            os.rmdir(run)

    def check_wiped(self, itself):
        vm, before = self.running(autostart=True)
        kernel.set_policy(vm.tid(), "batch")
        repaired = vm.wait_status("a repair", lambda s: s["drift"]["repaired"])["drift"]["repaired"]
        self.wipe(itself)
        harness.wait_for("a new vm.json", lambda: (self.record(vm) or {}).get("pid") == before["pid"])
        found = vm.wait_status("an alarm", lambda s: s["alarms"])
        self.assertEqual(found["state"], "running")
        self.assertEqual([one["kind"] for one in found["alarms"]], ["qmp-socket"])
        self.assertEqual(self.cli("qmp", vm.name, "query-status").returncode, 0, "still connected")
        self.kill_daemon()
        self.start()
        found = vm.wait_state("degraded")
        self.assertEqual((found["pid"], found["since"]), (before["pid"], before["since"]))
        self.assertGreaterEqual(found["drift"]["repaired"], repaired, "counters go on")
        self.assertTrue(found["vcpus"][0]["placed"])
        kernel.set_policy(found["vcpus"][0]["tid"], "batch")
        harness.wait_for("the policy", lambda: kernel.policy(found["vcpus"][0]["tid"]) == "other")

    def test_wiped(self):
        self.check_wiped(itself=False)

    def test_wiped_with_the_directory(self):
        self.check_wiped(itself=True)

    def test_wiped_and_no_autostart_again(self):
        vm, _ = self.running(autostart=True)
        self.cli("kill", vm.name)
        vm.wait_state("stopped")
        self.wipe(itself=True)
        harness.wait_for("the mark", lambda: os.path.exists(
            f"{self.directory}/run/autostarted.{vm.name}"))
        self.kill_daemon()
        self.start()
        time.sleep(0.5)
        self.assertEqual(vm.status()["state"], "stopped")

    def test_backoff_goes_on(self):
        vm, before = self.running(on_crash="restart", restart={"delay": "2s"})
        os.kill(before["pid"], signal.SIGKILL)
        vm.wait_state("backoff")
        self.kill_daemon()
        self.assertTrue(self.record(vm)["starting"])
        self.start()
        found = vm.wait_state("running")
        self.assertNotEqual(found["pid"], before["pid"])
        self.assertEqual(found["restarts"], 1)

    def test_a_stop_in_backoff_is_the_last_word(self):
        vm, before = self.running(on_crash="restart", restart={"delay": "5s"})
        os.kill(before["pid"], signal.SIGKILL)
        vm.wait_state("backoff")
        self.assertEqual(self.cli("stop", vm.name).returncode, 0)
        vm.wait_state("stopped")
        self.kill_daemon()
        self.start()
        time.sleep(1)
        self.assertEqual(vm.status()["state"], "stopped")


if __name__ == "__main__":
    unittest.main()
