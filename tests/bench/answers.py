# SPDX-License-Identifier: GPL-2.0-or-later
"""How long `status --json` and a scrape of /metrics take, of 1 VM x 4 vCPUs."""
import http.client
import json
import os
import socket
import time

import harness
from table import Row

PAUSE = 0.01  # between two questions: not always in the same phase of the tick


def timed(count, ask):
    found = []
    for _ in range(count):
        time.sleep(PAUSE)
        began = time.monotonic()
        ask()
        found.append(time.monotonic() - began)
    return found


def command(vm):
    """The whole command, from fork to exit."""
    argv = [harness.BINARY, "--run-dir", vm.run_dir, "status", vm.name, "--json"]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]

    def ask():
        pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=quiet)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) not in (0, 1):
            raise AssertionError("status failed")
    return ask


def call(vm):
    """Connect, ask, and read the answer to its end."""
    request = json.dumps({"method": "io.vfiosup.Status", "parameters": {"vm": vm.name}}).encode()

    def ask():
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(f"{vm.run_dir}/control.sock")
            one.sendall(request + b"\0")
            answer = b""
            while not answer.endswith(b"\0"):
                answer += one.recv(1 << 16) or b"gone\0"
        if b'"state"' not in answer:
            raise AssertionError(f"status answered {answer!r}")
    return ask


def scrapes(vm, count):
    """Seconds of each scrape over a connection that stays, and what the page says of itself."""
    connection, own = http.client.HTTPConnection("127.0.0.1", vm.port, timeout=10), []

    def ask():
        connection.request("GET", "/metrics")
        reply = connection.getresponse()
        page = reply.read().decode()
        if reply.status != 200:
            raise AssertionError(f"/metrics: {reply.status}")
        own.append(page)
    found = timed(count, ask)
    connection.close()
    return found, [harness.parse_metrics(page)["vfio_sup_scrape_duration_seconds"] for page in own]


def measure(vm, plan):
    scraped, own = scrapes(vm, plan.questions)
    return [Row("status --json, the whole command", timed(plan.questions, command(vm)), "ms"),
            Row("status, over the socket", timed(plan.questions, call(vm)), "ms"),
            Row("scrape of /metrics", scraped, "ms", {"median": 0.001}),
            Row("of it, to write the page", own, "us")]
