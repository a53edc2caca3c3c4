# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-sup iommu` on a copied root: the listing of a media host, and hosts that have no IOMMU."""
import json
import os
import subprocess
import tempfile
import unittest

import harness
import kernel

PCI_IDS = """\
1969  Qualcomm Atheros
\t1083  AR8151 v2.0 Gigabit Ethernet
8086  Intel Corporation
\t0101  Xeon E3-1200/2nd Generation Core Processor Family PCI Express Root Port
\t1e02  7 Series/C210 Series Chipset Family 6-port SATA Controller [AHCI mode]
\t1e44  Z77 Express Chipset LPC Controller
10de  NVIDIA Corporation
\t10f0  GP104 High Definition Audio Controller
\t1b81  GP104 [GeForce GTX 1070]
C 01  Mass storage controller
\t06  SATA controller
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t00  VGA compatible controller
C 04  Multimedia controller
\t03  Audio device
C 06  Bridge
\t01  ISA bridge
\t04  PCI bridge
"""
# group, address, class, vendor, device, revision, driver
DEVICES = [
    (10, "0000:00:1f.0", "060100", "8086", "1e44", "04", "lpc_ich"),
    (10, "0000:00:1f.2", "010601", "8086", "1e02", "04", "ahci"),
    (11, "0000:03:00.0", "020000", "1969", "1083", "c0", None),
    (1, "0000:01:00.1", "040300", "10de", "10f0", "a1", "vfio-pci"),
    (1, "0000:01:00.0", "030000", "10de", "1b81", "a1", "vfio-pci"),
    (1, "0000:00:01.0", "060400", "8086", "0101", "09", "pcieport"),
    (2, "0000:00:02.0", "030000", "10de", "ffff", "00", "nouveau"),
]
LISTING = """\
IOMMU Group 1 00:01.0 PCI bridge [0604]: Intel Corporation Xeon E3-1200/2nd Generation Core Processor \
Family PCI Express Root Port [8086:0101] (rev 09)
IOMMU Group 1 01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GP104 [GeForce GTX 1070] \
[10de:1b81] (rev a1)
IOMMU Group 1 01:00.1 Audio device [0403]: NVIDIA Corporation GP104 High Definition Audio Controller \
[10de:10f0] (rev a1)
IOMMU Group 2 00:02.0 VGA compatible controller [0300]: NVIDIA Corporation Device [10de:ffff]
IOMMU Group 10 00:1f.0 ISA bridge [0601]: Intel Corporation Z77 Express Chipset LPC Controller \
[8086:1e44] (rev 04)
IOMMU Group 10 00:1f.2 SATA controller [0106]: Intel Corporation 7 Series/C210 Series Chipset Family \
6-port SATA Controller [AHCI mode] [8086:1e02] (rev 04)
IOMMU Group 11 03:00.0 Ethernet controller [0200]: Qualcomm Atheros AR8151 v2.0 Gigabit Ethernet \
[1969:1083] (rev c0)
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    kernel.write(path, text)


class Iommu(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="vfiosup-test-")
        self.addCleanup(directory.cleanup)
        self.root = directory.name

    def add(self, group, address, class_, vendor, device, revision, driver):
        path = f"{self.root}/sys/bus/pci/devices/{address}"
        for name, text in (("class", f"0x{class_}"), ("vendor", f"0x{vendor}"),
                           ("device", f"0x{device}"), ("revision", f"0x{revision}"),
                           ("irq", "11"), ("resource", ""), ("config", ""),
                           ("reset_method", "flr bus"), ("power_state", "D0")):
            write(f"{path}/{name}", text)
        if driver:
            os.symlink(f"../../drivers/{driver}", f"{path}/driver")
        members = f"{self.root}/sys/kernel/iommu_groups/{group}/devices"
        os.makedirs(members, exist_ok=True)
        os.symlink(f"../../../../bus/pci/devices/{address}", f"{members}/{address}")

    def media_host(self):
        write(f"{self.root}/usr/share/misc/pci.ids", PCI_IDS)
        for device in DEVICES:
            self.add(*device)

    def iommu(self, *words, status=0):
        done = subprocess.run([harness.BINARY, "iommu", "--root", self.root, *words], text=True,
                              capture_output=True, check=False, timeout=harness.DEADLINE)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(bool(done.stderr), status != 0)
        return done.stderr if status else done.stdout

    def test_listing(self):
        self.media_host()
        self.assertEqual(self.iommu(), LISTING)

    def test_another_domain(self):
        """One is enough for lspci to show all."""
        self.media_host()
        self.add(12, "10000:e1:00.0", "010600", "8086", "1e02", "00", None)
        said = self.iommu()
        self.assertIn("IOMMU Group 1 0000:00:01.0 PCI bridge", said)
        self.assertIn("IOMMU Group 12 10000:e1:00.0 SATA controller", said)

    def test_json(self):
        self.media_host()
        groups = {one["number"]: one for one in json.loads(self.iommu("--json"))["groups"]}
        self.assertEqual(list(groups), [1, 2, 10, 11])
        self.assertEqual([number for number, one in groups.items() if one["viable"]], [1, 11])
        self.assertEqual(groups[1]["needed"], [])
        self.assertEqual(groups[10]["needed"],
                         ["bind 0000:00:1f.0 to vfio-pci instead of lpc_ich",
                          "bind 0000:00:1f.2 to vfio-pci instead of ahci"])
        self.assertEqual(groups[2]["devices"], [{
            "address": "0000:00:02.0", "class": "VGA compatible controller", "class_id": "0300",
            "vendor": "NVIDIA Corporation", "vendor_id": "10de", "device": None,
            "device_id": "ffff", "revision": "00", "driver": "nouveau",
            "reset_methods": ["flr", "bus"], "power_state": "D0"}])
        self.assertIsNone(groups[11]["devices"][0]["driver"])

    def test_names_of_this_machine(self):
        """A root without names of its own."""
        self.add(*DEVICES[4])
        self.assertRegex(self.iommu(), r"^IOMMU Group 1 01:00\.0 .*\[0300\]: .*\[10de:1b81\] \(rev a1\)$")

    def test_no_iommu(self):
        os.mkdir(f"{self.root}/sys")
        for vendor, cure in (("GenuineIntel", "intel_iommu=on"), ("AuthenticAMD", "iommu=pt")):
            write(f"{self.root}/proc/cpuinfo", f"processor\t: 0\nvendor_id\t: {vendor}\n")
            for words in ((), ("--json",)):
                said = self.iommu(*words, status=1)
                self.assertIn("no IOMMU", said)
                self.assertIn(cure, said)

    def test_no_sysfs(self):
        self.assertIn("no /sys", self.iommu(status=1))

    def test_unreadable(self):
        self.media_host()
        os.unlink(f"{self.root}/sys/bus/pci/devices/0000:03:00.0/vendor")
        self.assertIn("0000:03:00.0", self.iommu(status=1))

    def test_no_root(self):
        self.root += "/none"
        self.assertIn("none", self.iommu(status=1))


if __name__ == "__main__":
    harness.main()
