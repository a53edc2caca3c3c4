# SPDX-License-Identifier: GPL-2.0-or-later
"""The man pages and README say what there is: every verb, option and key, and nothing else."""
import re
import subprocess
import unittest

import harness
import kernel

MAN8, MAN5 = "docs/vfio-sup.8", "docs/vfio-sup.conf.5"


def help_text():
    return subprocess.run([harness.BINARY, "help"], text=True, capture_output=True, check=True,
                          timeout=harness.DEADLINE).stdout


def keys_of(source):
    """{"memory.size", ...}: all that the tables of a source file accept, blocks by what is in them."""
    tables = {name: re.findall(r'\{ "(\w+)", (\w+),(?: AT\([^)]*\)| 0), (?:&(\w+)|\w+),', body)
              for name, body in re.findall(r"struct key (\w+)_keys\[\] = \{\n(.*?)\n\};",
                                           kernel.read(source), re.S)}
    top = tables["file" if "file" in tables else "host"]
    found = set()
    for name, reader, detail in top:
        inner = tables[detail.removesuffix("_table")] if reader == "read_block" else []
        found.update(f"{name}.{key}" for key, _, _ in inner)
        if not inner:
            found.add(name)
    return found


def section(path, title):
    """The text of one section of a man page, or of README."""
    begin = ".Sh " if path.startswith("docs/") else "## "
    found = re.search(rf"^{begin}{title}\n(.*?)(?=^{begin}|\Z)", kernel.read(path), re.M | re.S)
    return found.group(1) if found else ""


def items(text, macro):
    """What the list items of a section are about."""
    return set(re.findall(rf"^\.It {macro} (\S+)", text, re.M))


class Docs(unittest.TestCase):
    def setUp(self):
        self.vm_keys, self.host_keys = keys_of("config/keys.c"), keys_of("config/host_conf.c")

    def test_reads_the_tables_whole(self):
        """Each line that begins a key was understood."""
        for source, keys in (("config/keys.c", self.vm_keys),
                             ("config/host_conf.c", self.host_keys)):
            text = kernel.read(source)
            blocks = len(re.findall(r"read_block,", text))
            self.assertEqual(len(keys), len(re.findall(r'^\t\{ "\w+", read_', text, re.M)) - blocks)

    def test_verbs(self):
        verbs = set(re.findall(r"^  vfio-sup (\w+)", help_text(), re.M))
        self.assertIn("run", verbs)
        self.assertEqual(items(section(MAN8, "VERBS"), "Cm"), verbs)
        self.assertLessEqual(verbs, set(re.findall(r"\w+", section("README.md", "Verbs"))))

    def test_options(self):
        options = set(re.findall(r"--([a-z-]+)", help_text()))
        self.assertIn("run-dir", options)
        named = re.findall(r"^\.It Fl (.*)", section(MAN8, "OPTIONS"), re.M)
        self.assertEqual({word[1:] for line in named for word in line.split()
                          if word.startswith("-")}, options)

    def test_exit_statuses(self):
        said = set(re.findall(r"\b(\d) ", help_text().split("Exit status:")[1]))
        self.assertEqual(set(re.findall(r"^\.It (\d)$", section(MAN8, "EXIT STATUS"), re.M)), said)

    def test_keys_in_the_man_page(self):
        self.assertEqual(items(section(MAN5, "A VM FILE"), "Cm"), self.vm_keys)
        self.assertEqual(items(section(MAN5, "VFIO-SUP.CONF"), "Cm"), self.host_keys)

    def test_keys_in_readme(self):
        rows = re.findall(r"^\|.*", section("README.md", "The VM file"), re.M)
        for key in self.vm_keys:
            block, _, inner = key.rpartition(".")
            row = " ".join(row for row in rows if f"`{block or key}`" in row.split("|")[1])
            self.assertTrue(row, f"no row for {key}")
            self.assertRegex(row, rf"\b{inner}\b", key)
        said = kernel.read("README.md").split("vfio-sup.conf` may hold", 1)[1].split("\n\n")[0]
        self.assertLessEqual({word for key in self.host_keys for word in key.split(".")},
                             set(re.findall(r"\w+", said)))

    def test_form(self):
        for page in (MAN8, MAN5):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], text=True,
                                  capture_output=True, check=False, timeout=harness.DEADLINE)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


if __name__ == "__main__":
    harness.main()
