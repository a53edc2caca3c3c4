# SPDX-License-Identifier: GPL-2.0-or-later
"""Real IOMMU groups, as the kernel has them and lspci names them."""
import json
import os

from lab import MEDIA, Scenario, run

GROUPS = "/sys/kernel/iommu_groups"


def devices():
    """(group, device), in the order of the numbers."""
    for group in sorted(os.listdir(GROUPS), key=int):
        for device in sorted(os.listdir(f"{GROUPS}/{group}/devices")):
            yield group, device


class Iommu(Scenario):
    def test_as_lspci_names_them(self):
        wanted = [f"IOMMU Group {group} {run('lspci', '-nns', device).strip()}" for group, device in devices()]
        self.assertGreater(len(wanted), 5)
        self.assertEqual(run("vfio-sup", "iommu").splitlines(), wanted)

    def test_who_has_them(self):
        """The drivers that the kernel names, and the two groups of the guest's are viable."""
        groups = json.loads(run("vfio-sup", "iommu", "--json"))["groups"]
        found = {one["address"]: (group, one["driver"]) for group in groups for one in group["devices"]}
        self.assertEqual(set(found), {device for _, device in devices()})
        for device, (group, driver) in found.items():
            link = f"/sys/bus/pci/devices/{device}/driver"
            self.assertEqual(driver, os.path.basename(os.readlink(link)) if os.path.exists(link) else None)
            if driver == "vfio-pci":
                self.assertTrue(group["viable"], group["needed"])
        self.assertEqual(sum(driver == "vfio-pci" for _, driver in found.values()), 2, MEDIA.pid)
