# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages are upgraded below running guests."""
import glob
import os
import shutil

from lab import MEDIA, Scenario, run, show, supervisor, systemctl

INSTALLED = "/opt/lab/installed"
# What QEMU and the supervisor use; of every library the one file behind its links.
FOREIGN = ["/usr/bin/qemu-system-x86_64",
           *map(os.path.realpath, glob.glob("/usr/lib/x86_64-linux-gnu/libjansson.so.4")),
           *map(os.path.realpath, glob.glob("/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0"))]


def replace(path, source):
    """As dpkg does: a new file beside the old one, and a rename."""
    shutil.copy2(source, f"{path}.dpkg-new", follow_symlinks=False)
    os.rename(f"{path}.dpkg-new", path)


def reinstall():
    for directory, _, names in os.walk(INSTALLED):
        for name in names:
            source = f"{directory}/{name}"
            replace(source.removeprefix(INSTALLED), source)


class Upgrade(Scenario):
    def test_reinstalled(self):
        pid, old = MEDIA.pid, supervisor()
        reinstall()
        systemctl("daemon-reload")
        systemctl("try-restart", "vfio-sup")
        run("udevadm", "control", "--reload")
        run("systemd-sysusers")
        run("systemd-tmpfiles", "--create", status=None)
        self.assertNotEqual(supervisor(), old)
        self.same(MEDIA, pid)

    def test_guests_unit_is_not_restarted(self):
        """A package's scripts restart what it ships: this one would stop all guests."""
        pid = MEDIA.pid
        for verb in ("try-restart", "restart", "stop"):
            systemctl(verb, "vfio-sup-guests", status=None)
        self.same(MEDIA, pid)

    def test_needrestart(self):
        """QEMU's program, its libraries and the supervisor are all new: QEMU runs on in the old ones."""
        pid, old = MEDIA.pid, supervisor()
        for path in FOREIGN:
            replace(path, path)
        reinstall()
        systemctl("daemon-reload")
        said = run("needrestart", "-r", "a", "-l", timeout=300,
                   env=dict(os.environ, DEBIAN_FRONTEND="noninteractive", NEEDRESTART_MODE="a"))
        self.assertNotEqual(supervisor(), old, said)
        self.assertIn("(deleted)", os.readlink(f"/proc/{pid}/exe"), "QEMU is of the old file")
        self.same(MEDIA, pid)
        self.assertEqual(show(MEDIA.unit, "NRestarts"), "0")
