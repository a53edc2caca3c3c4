# SPDX-License-Identifier: GPL-2.0-or-later
"""status for people and as JSON, its exit statuses, and the socket behind it."""
import json
import os
import pwd
import re
import socket
import subprocess
import time

import harness
import kernel

KEYS = {
    "": {"name": str, "state": str, "since": (int, float), "pid": int, "qemu": str, "accel": str,
         "user": str, "vcpus": list, "threads": list, "isolation": dict, "irqs": list,
         "devices": list, "drift": dict, "restarts": int, "alarms": list, "pending": list},
    "vcpus": {"index": int, "tid": int, "cpus_wanted": str, "cpus_actual": str,
              "policy_wanted": str, "policy_actual": str, "priority_actual": int, "cgroup": str,
              "placed": bool, "run_seconds": (int, float), "wait_seconds": (int, float),
              "stalls": int, "max_wait_seconds": (int, float)},
    "threads": {"tid": int, "role": str, "cpus_wanted": str, "cpus_actual": str,
                "policy_actual": str, "placed": bool},
    "isolation": {"wanted": str, "actual": str, "cpus": str, "reason": str},
    "drift": {"open": list, "detected": int, "repaired": int, "unfixable": list},
}


class Status(harness.VmTest):
    def assert_keys(self, found, where):
        for key, kind in KEYS[where].items():
            self.assertIn(key, found, where)
            self.assertIsInstance(found[key], kind, f"{where}.{key}")

    def test_json(self):
        vm = self.vm().up()
        found = vm.status()
        self.assert_keys(found, "")
        self.assertIn("last_exit", found)
        for where in ("vcpus", "threads", "isolation", "drift"):
            for one in found[where] if isinstance(found[where], list) else [found[where]]:
                self.assert_keys(one, where)
        self.assertEqual((found["name"], found["accel"], found["user"], found["last_exit"]),
                         (vm.name, "tcg", harness.QEMU_USER, None))
        self.assertLess(abs(time.time() - found["since"]), 60)
        version = subprocess.run(["qemu-system-x86_64", "--version"], text=True,
                                 capture_output=True, check=True).stdout
        self.assertIn(found["qemu"], version)

    def test_text(self):
        vm = self.vm(smp="1").up()
        said = vm.cli("status", vm.name).stdout
        for pattern in (rf"^{vm.name} +RUNNING .*healthy", rf"QEMU \d+\.\d+.* tcg, pid {vm.pid}",
                        r"^feels ", r"^THREAD +WANTED +ACTUAL +WAITED",
                        rf"^vcpu 0 +CPU {kernel.VCPU} nice -20 +CPU {kernel.VCPU} nice -20",
                        rf"^emulator.* {kernel.HOUSE}\b", r"^cpus ", r"repaired"):
            self.assertRegex(said, re.compile(pattern, re.M))
        self.assertNotIn("\x1b", said)

    def test_all_vms(self):
        vm = self.vm().up()
        found = json.loads(vm.cli("status", "--json").stdout)
        self.assertEqual([one["name"] for one in found["vms"]], [vm.name])
        self.assertIsInstance(found["host"], dict)
        bare = vm.cli()
        self.assertIn(vm.name, bare.stdout)

    def test_exit_statuses(self):
        vm = self.vm(on_crash="restart", restart={"delay": "40s"})
        self.assertEqual(vm.cli("status", vm.name).returncode, 6, "nobody answers")
        vm.up()
        self.assertEqual(vm.cli("status", vm.name).returncode, 0)
        self.assertEqual(vm.cli("status", "no-such-vm").returncode, 4)
        self.assertEqual(vm.cli("stop", "no-such-vm").returncode, 4)
        os.kill(vm.pid, 9)
        vm.wait_state("backoff")
        self.assertEqual(vm.cli("status", vm.name).returncode, 3, "not running")
        self.assertEqual(vm.cli("stop", vm.name).returncode, 0)
        vm.exit_status()

    def test_usage(self):
        vm = self.vm()
        for words in (["no-such-verb"], ["run"], ["stop"], ["status", "a", "b", "c"],
                      ["run", vm.file, "--no-such-option"]):
            done = vm.cli(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr, words)
        self.assertEqual(vm.cli("--version").returncode, 0)
        self.assertIn("run FILE", vm.cli("--help").stdout)

    def test_qmp_verb(self):
        vm = self.vm().up()
        self.assertEqual(vm.qmp("query-name"), {"name": vm.name})
        done = vm.cli("qmp", vm.name, "no-such-command")
        self.assert_failed(done, "no-such-command")
        self.assert_failed(vm.cli("qmp", vm.name, "query-name", "{not json"), "(?i)json", status=2)
        self.assertEqual(vm.status()["state"], "running")


class Socket(harness.VmTest):
    """The varlink wire: a JSON object and a NUL byte, each way."""

    def connect(self, vm):
        one = socket.socket(socket.AF_UNIX)
        self.addCleanup(one.close)
        one.settimeout(harness.DEADLINE)
        one.connect(f"{vm.run_dir}/control.sock")
        return one

    def answer(self, one):
        got = b""
        while not got.endswith(b"\0"):
            part = one.recv(65536)
            if not part:
                return None
            got += part
        return json.loads(got[:-1])

    def call(self, one, method, **parameters):
        one.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
        return self.answer(one)

    def test_get_info(self):
        one = self.connect(self.vm().up())
        info = self.call(one, "org.varlink.service.GetInfo")["parameters"]
        for key in ("vendor", "product", "version", "url"):
            self.assertIsInstance(info[key], str)
        self.assertLessEqual({"org.varlink.service", "io.vfiosup"}, set(info["interfaces"]))

    def test_interface_description(self):
        one = self.connect(self.vm().up())
        for name in ("io.vfiosup", "org.varlink.service"):
            reply = self.call(one, "org.varlink.service.GetInterfaceDescription", interface=name)
            self.assertRegex(reply["parameters"]["description"], rf"(?m)^interface {name}$")
        reply = self.call(one, "org.varlink.service.GetInterfaceDescription", interface="x.y")
        self.assertEqual(reply["error"], "org.varlink.service.InterfaceNotFound")

    def test_unknown_method(self):
        one = self.connect(self.vm().up())
        self.assertEqual(self.call(one, "io.vfiosup.NoSuchMethod")["error"],
                         "org.varlink.service.MethodNotFound")
        self.assertIn("interfaces", self.call(one, "org.varlink.service.GetInfo")["parameters"],
                      "the connection goes on")

    def test_byte_by_byte(self):
        one = self.connect(self.vm().up())
        for byte in b'{"method":"org.varlink.service.GetInfo"}\0':
            one.sendall(bytes([byte]))
        self.assertIn("parameters", self.answer(one))

    def test_garbage_does_not_hurt(self):
        vm = self.vm().up()
        for bad in (b"\xff\xfe\0", b"[]\0", b"{}\0", b'{"method":1}\0', b"[" * 100_000 + b"\0",
                    b"x" * (4 << 20)):
            one = self.connect(vm)
            try:
                one.sendall(bad)
                one.shutdown(socket.SHUT_WR)
                while one.recv(65536):
                    pass
            except ConnectionError:
                pass
        idle = [self.connect(vm) for _ in range(20)]
        self.assertEqual(vm.status()["state"], "running")
        for one in idle:
            one.close()

    def test_who_may(self):
        """QEMU's own user, were it taken over, must not command the supervisor."""
        vm = self.vm().up()
        user = pwd.getpwnam(harness.QEMU_USER)
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        for words in (["kill", vm.name], ["stop", vm.name], ["qmp", vm.name, "quit"]):
            done = vm.cli(*words, **options)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertTrue(done.stderr)
        self.assertEqual(vm.status()["state"], "running")


if __name__ == "__main__":
    harness.main()
