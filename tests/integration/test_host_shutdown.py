# SPDX-License-Identifier: GPL-2.0-or-later
"""stop --host-shutdown, which vfio-sup-guests.service calls: all guests at once, each with its time."""
import os
import pwd
import signal
import subprocess
import time
import unittest

import daemon
import harness
import kernel


def ladder(**rungs):
    return {"powerdown": "60s", "host_shutdown": "60s", "presses": 1, "quit": "5s",
            "term": "5s"} | rungs


class HostShutdown(daemon.DaemonTest):
    def up(self, guest, **keys):
        """One more VM, on a CPU of its own."""
        vm = self.add(guest, **keys)
        self.daemon.send_signal(signal.SIGHUP)
        harness.wait_for("its file", vm.status)
        vm.process = self.daemon
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        vm.wait_serial(f"{guest}: up")
        self.assertTrue(vm.pid)
        return vm

    def shut_down(self, **env):
        """Begins it, and does not wait."""
        client = subprocess.Popen(self.command("stop", "--host-shutdown"), text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, env=os.environ | env)
        self.addCleanup(client.stdout.close)
        self.addCleanup(kernel.end, client)
        return client

    def ended(self, client, status=0):
        """What it has said by its end."""
        words, _ = client.communicate(timeout=2 * harness.DEADLINE)
        self.assertEqual(client.returncode, status, words)
        self.assertNotRegex(words, r"AddressSanitizer|runtime error")
        return words

    @unittest.skipIf(len(kernel.ALL) < 2, "two VMs need two CPUs")
    def test_all_at_once(self):
        """One that listens, one that does not: each is asked, and each ends."""
        self.start()
        good = self.up("acpi", stop=ladder())
        bad = self.up("ignore", cpus={"vcpu": str(kernel.HOUSE)}, stop=ladder(host_shutdown="2s"))
        words = self.ended(self.shut_down())
        self.assertIn("acpi: off", good.serial())
        for vm in (good, bad):
            self.assertIn(f"{vm.name}: pressing the power button (1 of 1)\n", words)
            self.assertRegex(words, rf"(?m)^{vm.name} is stopped: ")
            self.assertEqual(vm.status()["state"], "stopped")
            self.assert_gone(vm)
        self.assertIn(f"{bad.name}: telling QEMU to quit\n", words)
        self.assertNotIn(f"{good.name}: telling QEMU to quit\n", words)
        self.assertTrue(words.endswith("no VM runs any more\n"), words)
        for vm in (good, bad):
            self.assert_failed(self.cli("start", vm.name), "host goes down")
            self.assertEqual(vm.status()["state"], "stopped")

    def test_systemd_waits(self):
        """As long as a guest has time left, and not for nothing after that."""
        self.start()
        vm = self.up("ignore", stop=ladder(host_shutdown="12s"))
        heard = self.notify()
        began = time.monotonic()
        self.ended(self.shut_down(NOTIFY_SOCKET=heard.path))
        asked = [one for one in heard.messages() if "EXTEND_TIMEOUT_USEC=100000000" in one]
        self.assertGreaterEqual(len(asked), 2, heard.heard)
        self.assertRegex(asked[0], rf"STATUS=waiting for {vm.name}, at most 1 min")
        self.assertGreaterEqual(time.monotonic() - began, 12, "its own time, not powerdown")
        self.assert_gone(vm)

    def test_one_that_waits_for_its_restart(self):
        """It does not come up again in the middle."""
        self.start()
        vm = self.up("ignore", on_crash="restart", restart={"delay": "2s", "max_delay": "2s"})
        os.kill(vm.pid, signal.SIGKILL)
        vm.wait_state("backoff")
        self.assertIn(f"{vm.name} is stopped", self.ended(self.shut_down()))
        time.sleep(2.5)
        self.assertEqual(vm.status()["state"], "stopped")

    def test_nothing_runs(self):
        vm = self.add()
        self.start()
        self.assertEqual(self.ended(self.shut_down()), "no VM runs any more\n")
        self.assertEqual(vm.status()["state"], "stopped")

    def test_the_client_goes(self):
        """What was begun goes on, and a second call joins in without any hurry."""
        self.start()
        vm = self.up("ignore", stop=ladder(powerdown="1s"))
        client = self.shut_down()
        vm.wait_state("stopping")
        client.kill()
        client.wait()
        second = self.shut_down()
        time.sleep(2)
        self.assertEqual((vm.status()["state"], vm.status()["stop"]["rung"]),
                         ("stopping", "powerdown"))
        self.assertEqual(self.cli("kill", vm.name).returncode, 0)
        self.assertIn(f"{vm.name} is stopped", self.ended(second))

    def test_while_a_stop_goes_on(self):
        """The guest installs updates since a `stop`: no button, no force any sooner."""
        self.start()
        vm = self.up("ignore", stop=ladder(host_shutdown="4s"))
        stop = subprocess.Popen(self.command("stop", vm.name), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(kernel.end, stop)
        vm.wait_state("stopping")
        words = self.ended(self.shut_down())
        self.assertNotIn("pressing", words)
        self.assertIn(f"{vm.name}: telling QEMU to quit\n", words)
        self.assertEqual(stop.wait(harness.DEADLINE), 0, "what it waited for has come about")

    def test_no_supervisor(self):
        """Nobody is there to press the button but this command."""
        self.start()
        vm = self.up("acpi", stop=ladder())
        vm.wait_serial("acpi: up")
        self.kill_daemon()
        heard = self.notify()
        words = self.ended(self.shut_down(NOTIFY_SOCKET=heard.path))
        self.assertIn("no supervisor answers: taking the VMs over", words)
        self.assertIn("EXTEND_TIMEOUT_USEC=60000000", heard.messages()[0])
        self.assertIn("acpi: off", vm.serial())
        self.assertFalse(kernel.alive(*list(vm.qemus.items())[0]))

    def test_no_supervisor_and_no_vm(self):
        self.assertIn("no VM runs any more", self.ended(self.shut_down()))

    def test_the_supervisor_dies_meanwhile(self):
        """The guest keeps its time, and then it is ended all the same."""
        self.start()
        vm = self.up("ignore", stop=ladder(host_shutdown="6s"))
        began = time.monotonic()
        client = self.shut_down()
        vm.wait_state("stopping")
        self.kill_daemon()
        self.assertIn("taking the VMs over", self.ended(client))
        self.assertGreaterEqual(time.monotonic() - began, 5)
        self.assertFalse(kernel.alive(*list(vm.qemus.items())[0]))

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_not_for_operators(self):
        self.write_conf(control={"read": "games", "operate": "dialout"})
        self.start()
        done = subprocess.run(
            ["setpriv", f"--reuid={pwd.getpwnam('nobody').pw_uid}", "--regid=nogroup",
             "--groups=dialout", *self.command("stop", "--host-shutdown")], text=True,
            capture_output=True, check=False, timeout=60)
        self.assert_failed(done, "does not let you")


class Run(harness.VmTest):
    def test_under_run(self):
        """`vfio-sup run` has the same socket: it ends with its VM."""
        vm = self.vm("acpi", stop=ladder()).up()
        vm.wait_serial("acpi: up")
        self.assertEqual(vm.cli("stop", "--host-shutdown").returncode, 0)
        self.assertEqual(vm.exit_status(), 0, vm.output())
        self.assertIn("acpi: off", vm.serial())
        self.assert_gone(vm)


if __name__ == "__main__":
    harness.main()
