# SPDX-License-Identifier: GPL-2.0-or-later
"""/metrics as its readers see it: promtool judges the text, a real Prometheus server scrapes it."""
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import harness
import kernel

CONFIG = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: vfio-sup
    static_configs: [ {{ targets: [ "127.0.0.1:{port}" ] }} ]
"""


class Metrics(harness.VmTest):
    def up(self, guest="ignore", **keys):
        return self.vm(guest, metrics=harness.free_port(), **keys).up()

    def test_promtool(self):
        vm = self.up()
        done = subprocess.run([shutil.which("promtool"), "check", "metrics"], input=vm.page(),
                              text=True, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_values(self):
        vm = self.up("spin")
        vm.wait_serial("spin: up")
        found, name = vm.metrics(), vm.name
        vcpu = f'{{vcpu="0",vm="{name}"}}'
        self.assertEqual(found[f"vfio_sup_vcpu_placed{vcpu}"], 1)
        self.assertGreater(found[f"vfio_sup_vcpu_run_seconds_total{vcpu}"], 0)
        for family in ("vcpu_wait_seconds_total", "vcpu_stalls_total"):
            self.assertIn(f"vfio_sup_{family}{vcpu}", found)
        states = {key: value for key, value in found.items() if key.startswith("vfio_sup_vm_state{")}
        self.assertEqual(sum(states.values()), 1)
        self.assertEqual(states[f'vfio_sup_vm_state{{state="running",vm="{name}"}}'], 1)
        for start in ("build_info{", "vm_info{", "vm_start_time_seconds{", "isolation_active{",
                      "thread_wait_seconds_total{", "qmp_commands_total", "tick_overruns_total",
                      "vcpu_sched_latency_seconds_bucket{", "drift_repair_seconds_count"):
            self.assertTrue(any(key.startswith(f"vfio_sup_{start}") for key in found), start)
        for key in ("process_resident_memory_bytes", "process_cpu_seconds_total",
                    "process_open_fds"):
            self.assertGreater(found[key], 0)
        self.assertNotIn("tid=", vm.page())

    def test_pages(self):
        vm = self.up()
        self.assertIn("/metrics", vm.page("/"))
        with self.assertRaises(urllib.error.HTTPError) as caught:
            vm.page("/other")
        self.assertEqual(caught.exception.code, 404)

    def test_without_a_word_no_port(self):
        """`run` serves metrics only if told."""
        vm = self.vm().up()
        listening = [line.split() for line in kernel.read("/proc/net/tcp").splitlines()[1:]]
        inodes = {one[9] for one in listening if one[3] == "0A"}
        folder = f"/proc/{vm.process.pid}/fd"
        held = {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
        self.assertFalse({f"socket:[{inode}]" for inode in inodes} & held)


class Prometheus(harness.VmTest):
    def serve(self, target):
        """A Prometheus server of the test's own; the port of its API."""
        folder, port = f"{self.directory}/prometheus", harness.free_port()
        os.mkdir(folder)
        kernel.write(f"{folder}/prometheus.yml", CONFIG.format(port=target))
        with open(f"{folder}/log", "wb") as log:
            server = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml",
                 f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(kernel.end, server)
        return port

    def query(self, port, text):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return json.load(reply)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):
            return None

    def test_a_real_server(self):
        vm = self.vm(metrics=harness.free_port()).up()
        port = self.serve(vm.port)
        found = harness.wait_for("a scrape", lambda: self.query(port, "vfio_sup_vcpu_placed"), 60)
        self.assertEqual(len(found), 1)
        self.assertEqual((found[0]["metric"]["vm"], found[0]["metric"]["vcpu"]), (vm.name, "0"))
        self.assertEqual(found[0]["value"][1], "1")
        state = self.query(port, f'vfio_sup_vm_state{{vm="{vm.name}"}} == 1')
        self.assertEqual([one["metric"]["state"] for one in state], ["running"])
        self.assertEqual(self.query(port, "up")[0]["value"][1], "1")


if __name__ == "__main__":
    harness.main()
