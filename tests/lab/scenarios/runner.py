# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs all scenarios on the media host, writes TAP, and powers the host off with three guests running: what
comes of that is told by /opt/lab/witness and judged by tests/lab/run."""
import importlib
import re
import subprocess
import time
import traceback
import unittest

import kernel
import lab

SCENARIOS = ("boot", "restarts", "slices", "upgrade", "ends", "cpus", "realtime", "rivals", "iommu", "run_dir")
STATE = ("vfio-sup; vfio-sup status media; systemctl --failed; systemctl status vfio-sup 'vfiosup-*'; "
         "journalctl -b -q -n 40 -o short-monotonic; df /run")


class Tap(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number, self.began, self.told = 0, 0, None

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, test, good):
        if self.told is test:  # it has failed, and so has its clean-up
            return
        self.told = test
        self.number += 1
        seconds = time.monotonic() - self.began
        print(f"{'' if good else 'not '}ok {self.number} - {title(test)} ({seconds:.1f} s)", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line(test, True)

    def addFailure(self, test, err):
        self.line(test, False)
        say("".join(traceback.format_exception(*err)[-3:]))
        say(subprocess.run(STATE, shell=True, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False).stdout)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            say(str(subtest))
            self.addFailure(test, err)

    addError = addFailure


def say(text):
    for line in text.splitlines():
        print(f"# {line}", flush=True)


def title(test):
    module, _, name = test.id().split(".")
    return f"{module}: {name.removeprefix('test_').replace('_', ' ')}"


def scenarios(pattern):
    """Files in the order above, scenarios in the order of their lines."""
    for name in SCENARIOS:
        module = importlib.import_module(name)
        found = [test for suite in unittest.defaultTestLoader.loadTestsFromModule(module)
                 for test in suite if type(test).__module__ == name and re.search(pattern, title(test))]
        yield from sorted(found, key=lambda one: getattr(
            one, one.id().rsplit(".", 1)[1]).__code__.co_firstlineno)


def word(name):
    """A word of the kernel's command line."""
    for one in kernel.read("/proc/cmdline").split():
        if one.startswith(name + "="):
            return one.partition("=")[2]
    return ""


def main():
    pattern, result = word("lab.scenarios"), Tap()
    suite = list(scenarios(pattern))
    for test in suite:
        test.run(result)
    print(f"1..{len(suite)}", flush=True)
    if re.search(pattern, "poweroff"):
        for vm in (lab.MEDIA, lab.LINGER, lab.STUBBORN):
            if not vm.pids:
                vm.start()
    say(f"poweroff at {kernel.read('/proc/uptime').split()[0]}: {sorted(lab.qemus().values())}")
    subprocess.run(["systemctl", "poweroff"], check=True)


if __name__ == "__main__":
    try:
        main()
    except Exception:
        say(traceback.format_exc())
        subprocess.run(["systemctl", "poweroff"], check=True)
