# SPDX-License-Identifier: GPL-2.0-or-later
"""host_sleep: an inhibitor of logind while a VM with VFIO devices runs. There are none here: what a VM
says in its file counts."""
import json
import os
import re
import signal
import subprocess

import daemon
import harness
import kernel

CONF = """<busconfig><type>session</type><listen>unix:path={path}</listen>
<auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow eavesdrop="true"/>
<allow send_destination="*" eavesdrop="true"/></policy></busconfig>
"""
VFIO = ("-global", "vfio-pci.x-vga=off")  # what a device needs, and no device


class Inhibit(daemon.DaemonTest):
    def setUp(self):
        super().setUp()
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.directory}/bus"}
        self.peer_log = f"{self.directory}/peer.log"

    def start_bus(self):
        kernel.write(f"{self.directory}/bus.conf", CONF.format(path=f"{self.directory}/bus"))
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self.directory}/bus.conf", "--nofork", "--nopidfile"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(kernel.end, bus)
        harness.wait_for("the bus", lambda: os.path.exists(f"{self.directory}/bus"))

    def start_peer(self, mode="give"):
        with open(self.peer_log, "ab") as log:
            peer = subprocess.Popen(
                [os.path.abspath(f"{harness.BUILD}/tests/peers/login1"), mode],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | self.env)
        self.addCleanup(kernel.end, peer)
        harness.wait_for("the peer", lambda: "ready" in kernel.read(self.peer_log))
        return peer

    def asked(self):
        return re.findall(r"^inhibit (.*)", kernel.read(self.peer_log), re.M)

    def released(self):
        return kernel.read(self.peer_log).count("released")

    def overview(self):
        return json.loads(self.cli("status", "--json").stdout)

    def wait_inhibitor(self, state):
        return harness.wait_for(f"inhibitor {state}", lambda: (
            found := self.overview()["host"]["sleep"])["inhibitor"] == state and found)

    def test_held_while_one_lives(self):
        one, other = self.add(args=VFIO), self.add(args=VFIO, cpus={"vcpu": "0"})
        plain = self.add(cpus={"vcpu": "0"})
        self.start_bus()
        self.start_peer()
        self.start()
        self.cli("start", plain.name)
        plain.wait_state("running")
        self.assertEqual(self.overview()["host"]["sleep"],
                         {"wanted": "block", "inhibitor": "none", "reason": ""})
        self.cli("kill", plain.name)
        plain.wait_state("stopped")
        self.assertEqual(self.asked(), [])
        self.cli("start", one.name)
        self.wait_inhibitor("held")
        self.assertEqual(self.asked(), [f"sleep|vfio-sup|block|{one.name} uses devices of this "
                                        "host, and would lose them"])
        self.assertIn("does not sleep meanwhile", self.cli().stdout)
        self.cli("start", other.name)
        harness.wait_for("both named", lambda: len(self.asked()) == 2 and self.released() == 1)
        self.assertRegex(self.asked()[1], rf"({one.name}, {other.name}|{other.name}, {one.name}) use ")
        self.cli("kill", one.name)
        harness.wait_for("one named", lambda: len(self.asked()) == 3 and self.released() == 2)
        self.cli("kill", other.name)
        harness.wait_for("none", lambda: self.released() == 3)
        self.assertEqual(self.wait_inhibitor("none")["reason"], "")
        self.assertEqual(len(self.asked()), 3)

    def test_taken_over(self):
        """Who is gone holds nothing; whoever takes the VM over does."""
        vm = self.add(args=VFIO)
        self.start_bus()
        self.start_peer()
        self.start()
        self.cli("start", vm.name)
        self.wait_inhibitor("held")
        self.kill_daemon(signal.SIGKILL)
        harness.wait_for("its end", lambda: self.released() == 1)
        self.start()
        self.wait_inhibitor("held")
        self.assertEqual(len(self.asked()), 2)

    def test_refused(self):
        vm = self.add(args=VFIO)
        self.start_bus()
        peer = self.start_peer("refuse")
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0, "never an error of the VM")
        self.assertEqual(self.wait_inhibitor("failed")["reason"], "not for you")
        self.assertIn("cannot be blocked (logind: not for you)", self.cli().stdout)
        self.assertEqual(self.log().count("not for you"), 1)
        kernel.end(peer)
        os.unlink(self.peer_log)
        self.start_peer()
        self.cli("kill", vm.name)
        vm.wait_state("stopped")
        self.assertEqual(self.asked(), [], "not tried in between")
        self.cli("start", vm.name)
        self.assertEqual(self.wait_inhibitor("held")["reason"], "")

    def test_no_bus(self):
        vm = self.add(args=VFIO)
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        self.assertRegex(self.wait_inhibitor("failed")["reason"], "No such file")
        self.assertEqual(self.cli("status", vm.name).returncode, 0, "no alarm either")
        self.assertEqual(self.log().count("can be put to sleep"), 1)

    def test_no_answer(self):
        """The main thread waits for nobody."""
        vm = self.add(args=VFIO)
        self.start_bus()
        self.start_peer("silent")
        self.start()
        self.assertEqual(self.cli("start", vm.name).returncode, 0)
        self.wait_inhibitor("asked")
        vm.wait_state("running")
        self.assertRegex(self.wait_inhibitor("failed")["reason"], "timed out")

    def test_allowed(self):
        self.write_conf(host_sleep="allow")
        vm = self.add(args=VFIO)
        self.start_bus()
        self.start_peer()
        self.start()
        self.cli("start", vm.name)
        vm.wait_state("running")
        self.assertEqual(self.overview()["host"]["sleep"],
                         {"wanted": "allow", "inhibitor": "none", "reason": ""})
        self.assertEqual(self.asked(), [])


if __name__ == "__main__":
    harness.main()
