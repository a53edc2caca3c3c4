# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install`, and what is in dist/: each file in its place, units that systemd takes, every hardening
line that is missing explained."""
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

import harness
import kernel

SANITIZE = ["SANITIZE=1"] if "sanitize" in harness.BUILD else []
UNITS = ("vfio-sup.service", "vfio-sup-guests.service", "vfio-sup-lease.path", "vfio-sup-lease.service",
         "vfiosup.slice")
MAX_EXPOSURE = 4.0


def run(*command, **options):
    return subprocess.run(command, text=True, capture_output=True, check=False, timeout=120,
                          **options)


def settings(unit):
    """{key: [values]} of a unit's file."""
    found = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", kernel.read(f"dist/{unit}"), re.M):
        found.setdefault(key, []).append(value)
    return found


class Installed(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="vfio-sup-test-")
        self.addCleanup(shutil.rmtree, self.root)

    def make(self, *words):
        env = {name: value for name, value in os.environ.items() if not name.startswith("M")}
        done = run("make", "-s", *words, *SANITIZE, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def found(self):
        return {os.path.relpath(f"{path}/{name}", self.root):
                oct(stat.S_IMODE(os.stat(f"{path}/{name}").st_mode))
                for path, directories, names in os.walk(self.root)
                for name in names + [one for one in directories
                                     if not os.listdir(f"{path}/{one}")]}

    def test_install(self):
        """Everything is in place, and nothing else."""
        self.make("install", f"DESTDIR={self.root}", "prefix=/usr")
        self.assertEqual(self.found(), {
            "etc/needrestart/conf.d/vfio-sup.conf": "0o644",
            "etc/vfio-sup/vms": "0o755",
            "usr/lib/systemd/system/vfio-sup-guests.service": "0o644",
            "usr/lib/systemd/system/vfio-sup-lease.path": "0o644",
            "usr/lib/systemd/system/vfio-sup-lease.service": "0o644",
            "usr/lib/systemd/system/vfio-sup.service": "0o644",
            "usr/lib/systemd/system/vfiosup.slice": "0o644",
            "usr/lib/sysusers.d/vfio-sup.conf": "0o644",
            "usr/lib/tmpfiles.d/vfio-sup.conf": "0o644",
            "usr/lib/udev/rules.d/60-vfio-sup.rules": "0o644",
            "usr/sbin/vfio-sup": "0o755",
            "usr/share/doc/vfio-sup/README.md": "0o644",
            "usr/share/doc/vfio-sup/vfio-sup.conf": "0o644",
            "usr/share/man/man5/vfio-sup.conf.5": "0o644",
            "usr/share/man/man8/vfio-sup.8": "0o644",
        })
        for unit in UNITS:
            self.assertEqual(kernel.read(f"{self.root}/usr/lib/systemd/system/{unit}"),
                             kernel.read(f"dist/{unit}"), "dist/ is for prefix=/usr")

    def test_what_is_the_operators_stays(self):
        etc = f"{self.root}/etc/vfio-sup"
        os.makedirs(f"{etc}/vms")
        for file in ("vfio-sup.conf", "vms/mediapc.conf"):
            kernel.write(f"{etc}/{file}", "mine\n")
        for target in ("install", "install", "uninstall"):
            self.make(target, f"DESTDIR={self.root}", "prefix=/usr")
        left = {name for name, mode in self.found().items() if name.startswith("etc/vfio")}
        self.assertEqual(left, {"etc/vfio-sup/vfio-sup.conf", "etc/vfio-sup/vms/mediapc.conf"})
        self.assertEqual(kernel.read(f"{etc}/vfio-sup.conf"), "mine\n")
        self.assertEqual([name for name in self.found() if "vfio" in name and name not in left], [])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_units_of_another_prefix(self):
        """Their programs are there, and systemd understands every line."""
        self.make("install", f"prefix={self.root}", f"sysconfdir={self.root}/etc")
        units = [f"{self.root}/lib/systemd/system/{unit}" for unit in UNITS]
        for unit in units:
            text = kernel.read(unit)
            self.assertNotIn("/usr/sbin/vfio-sup", text)
            for program in re.findall(r"^Exec\w+=(\S+)", text, re.M):
                self.assertTrue(os.access(program, os.X_OK), f"{unit}: {program}")
        done = run("systemd-analyze", "verify", "--man=no", *units)
        said = [line for line in done.stderr.splitlines() if "vfio" in line]
        self.assertEqual((done.returncode, said), (0, []))

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "no systemd-sysusers")
    def test_users_and_directories(self):
        os.makedirs(f"{self.root}/etc")
        for tool, file, words in (("systemd-sysusers", "sysusers", ()),
                                  ("systemd-tmpfiles", "tmpfiles", ("--create",))):
            done = run(tool, f"--root={self.root}", *words, os.path.abspath(f"dist/vfio-sup.{file}"))
            self.assertEqual(done.returncode, 0, done.stderr)
        users, groups = (kernel.read(f"{self.root}/etc/{file}") for file in ("passwd", "group"))
        self.assertRegex(users, rf"(?m)^{harness.QEMU_USER}:x:\d+:\d+:.*:/:/usr/sbin/nologin$")
        self.assertRegex(groups, rf"(?m)^kvm:x:\d+:{harness.QEMU_USER}$")
        self.assertRegex(groups, r"(?m)^vfio-sup:x:\d+:$")
        found = os.stat(f"{self.root}/run/vfio-sup")
        self.assertEqual((stat.S_IMODE(found.st_mode), found.st_uid), (0o755, 0))


class Files(unittest.TestCase):
    def test_the_guests_unit_stands_alone(self):
        """Nothing that happens to the supervisor stops it, and nobody may stop it by hand."""
        unit = settings("vfio-sup-guests.service")
        for key in ("Requires", "Requisite", "BindsTo", "PartOf", "PropagatesStopTo",
                    "StopWhenUnneeded"):
            self.assertNotIn(key, unit)
        self.assertEqual(unit["RefuseManualStop"], ["yes"])
        self.assertEqual((unit["Type"], unit["RemainAfterExit"]), (["oneshot"], ["yes"]))
        self.assertIn("vfio-sup.service", " ".join(unit["After"]).split())

    def test_the_supervisor_takes_nothing_along(self):
        unit = settings("vfio-sup.service")
        for key in ("Requires", "BindsTo", "PartOf", "RuntimeDirectory", "ExecStopPost"):
            self.assertNotIn(key, unit)
        self.assertEqual((unit["Type"], unit["KillMode"]), (["notify"], ["process"]))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_exposure(self):
        """At most 4.0; and whatever counts against it has its reason in a comment."""
        text = "\n".join(re.findall(r"^#.*", kernel.read("dist/vfio-sup.service"), re.M))
        done = run("systemd-analyze", "security", "--offline=true", "--json=short",
                   "dist/vfio-sup.service")
        if "unrecognized option" in done.stderr:
            self.skipTest("systemd-analyze before 250")
        for line in json.loads(done.stdout):
            if line["set"] is False:
                words = self.reasons(line["name"])
                self.assertTrue(words, line["name"])
                for word in words:
                    self.assertIn(word, re.findall(r"@?\w+=?", text), line["name"])
        for unit in (one for one in UNITS if one.endswith(".service")):
            done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                       f"--threshold={MAX_EXPOSURE * 10:.0f}", f"dist/{unit}")
            self.assertEqual(done.returncode, 0, done.stdout.splitlines()[-1:])

    @staticmethod
    def reasons(name):
        """What the comments have to name for CapabilityBoundingSet=~CAP_SET(UID|GID|PCAP) and the like."""
        key, _, value = name.partition("=")
        if value.startswith("~CAP_"):
            granted = " ".join(settings("vfio-sup.service")["CapabilityBoundingSet"]).split()
            pattern = value[1:].replace("*", ".*")
            return [cap.removeprefix("CAP_") for cap in granted if re.fullmatch(pattern, cap)]
        if value.startswith("~"):
            return re.findall(r"@\w+|INET6?|UNIX|NETLINK", value)
        return [re.split("[=/]", name)[0] + "="]

    def test_needrestart(self):
        """Read as needrestart does: the VMs and the guests' unit are left alone."""
        program = ('our %nrconf; eval do { local(@ARGV, $/) = shift; <> }; die $@ if $@;'
                   'for my $name (@ARGV) { print grep({ $name =~ /$_/ && !$nrconf{override_rc}{$_} }'
                   ' keys %{$nrconf{override_rc}}) ? "kept\n" : "restarted\n" }')
        done = run("perl", "-e", program, "dist/needrestart.conf", "vfiosup-mediapc.service",
                   "vfio-sup-guests.service", "vfio-sup.service", "ssh.service")
        self.assertEqual(done.stdout.split(), ["kept", "kept", "restarted", "restarted"], done.stderr)

    def test_example(self):
        """With its comments taken off, the example is a file that the daemon takes."""
        lines = [line.removeprefix("#") for line in kernel.read("dist/vfio-sup.conf").splitlines()
                 if re.match(r"#\w+ = ", line)]
        self.assertEqual({line.split()[0] for line in lines}, {"run_dir", "metrics", "control"})
        with tempfile.TemporaryDirectory(prefix="vfio-sup-test-") as directory:
            kernel.write(f"{directory}/vfio-sup.conf", "\n".join(lines) + "\nend = 1;\n")
            os.chmod(f"{directory}/vfio-sup.conf", 0o644)
            done = run(harness.BINARY, "--config-dir", directory, "--run-dir", f"{directory}/run",
                       "daemon")
        self.assertRegex(done.stderr, rf"vfio-sup\.conf:{len(lines) + 1}: .*end", "only this is wrong")


if __name__ == "__main__":
    harness.main()
