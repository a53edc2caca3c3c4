# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as systemd has it: what it tells, the watchdog, priorities in the log."""
import os
import re
import signal
import subprocess
import time

import daemon
import harness
import kernel


class Service(daemon.DaemonTest):
    def test_status(self):
        """READY, and a line for people whenever who runs has changed."""
        heard = self.notify()
        vm = self.add("spin")
        self.start()
        self.assertRegex(heard.wait("READY=1"), r"STATUS=no VM runs$")
        self.cli("start", vm.name)
        self.assertEqual(heard.wait("1 VM"), f"STATUS=1 VM runs: {vm.name}")
        said = len(heard.messages())
        time.sleep(1.5)
        self.assertEqual(heard.messages()[said:], [], "only when it changes")
        os.kill(vm.pid, signal.SIGKILL)
        self.assertEqual(heard.wait("", said), "STATUS=no VM runs")

    def test_failed(self):
        """A VM that gave up is named."""
        heard = self.notify()
        vm = self.add("spin", on_crash="restart", restart={"burst": 1, "delay": "100ms"})
        self.start()
        self.cli("start", vm.name)
        for _ in range(2):
            pid = vm.wait_state("running")["pid"]
            os.kill(pid, signal.SIGKILL)
            harness.wait_for("its end", lambda p=pid: not kernel.alive(p, vm.qemus[p]))
        heard.wait(f"STATUS=no VM runs; failed: {vm.name}")

    def test_reload_and_end(self):
        heard = self.notify()
        self.start()
        heard.wait("READY=1")
        said = len(heard.messages())
        self.daemon.send_signal(signal.SIGHUP)
        heard.wait("READY=1", said)
        self.assertIn("RELOADING=1", heard.heard[said])
        self.kill_daemon(signal.SIGTERM)
        heard.wait("STOPPING=1", said)

    def test_watchdog(self):
        """Three times as often as systemd wants it."""
        heard = self.notify()
        self.env["WATCHDOG_USEC"] = "3000000"
        self.start()
        heard.wait("WATCHDOG=1")
        time.sleep(3.5)
        self.assertGreaterEqual(heard.messages().count("WATCHDOG=1"), 3)

    def write_to(self, path, stream):
        """The daemon's log with JOURNAL_STREAM as systemd sets it; `stream` is its inode."""
        with open(path, "ab") as log:
            found = os.fstat(log.fileno())
            env = os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{stream or found.st_ino}"}
            return subprocess.Popen(self.command("daemon"), stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log, env=env)

    def lines(self, stream=None):
        path = f"{self.directory}/daemon.log"
        self.daemon = self.write_to(path, stream)
        harness.wait_for("the daemon", lambda: self.cli("status", "nobody").returncode == 4)
        self.daemon.send_signal(signal.SIGHUP)
        harness.wait_for("its log", lambda: "again" in kernel.read(path))
        self.kill_daemon(signal.SIGTERM)
        return kernel.read(path).splitlines()

    def test_priorities(self):
        """Each line of the journal has its own."""
        kernel.write(f"{self.config}/vms/bad.conf", "nonsense\n")
        lines = self.lines()
        for line in lines:
            self.assertRegex(line, r"^<[3-6]>\S")
        for level, words in ((3, r"bad\.conf:1"), (5, "reading .* again"), (6, "metrics at")):
            self.assertTrue([line for line in lines if re.match(rf"<{level}>.*{words}", line)], words)

    def test_no_priorities_elsewhere(self):
        """Standard error was redirected since: the stream is another."""
        for line in self.lines(stream=1):
            self.assertNotRegex(line, r"^<\d>")

    def test_last_words(self):
        """What ends it at once is an error in the journal, line by line."""
        self.write_conf(metrics=7)
        path = f"{self.directory}/daemon.log"
        self.assertEqual(self.write_to(path, None).wait(harness.DEADLINE), 1)
        self.assertRegex(kernel.read(path), r"^<3>.*vfio-sup\.conf:1: metrics")
        for line in kernel.read(path).splitlines():
            self.assertRegex(line, r"^<3>")


if __name__ == "__main__":
    harness.main()
