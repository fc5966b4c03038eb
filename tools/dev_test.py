# SPDX-License-Identifier: Apache-2.0
"""`./dev COMMAND --help` only helps: every program that could install, build or start something is
replaced by one that says that it was called."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What ./dev calls for anything but help.
PROGRAMS = ["apt-get", "cmake", "cpack", "ctest", "dpkg-query", "env", "git", "id", "java", "javac", "mvn",
            "ninja", "node", "npm", "python3", "redis-server", "rm", "mkdir", "sudo", "xargs"]
COMMANDS = ["run", "demo", "build", "test", "package", "check", "bench", "fuzz", "format"]


class DevTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.called = self.folder / "called"
        for name in PROGRAMS:
            (self.folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.called}"\nexit 1\n')
            (self.folder / name).chmod(0o755)
        for name in ("dirname", "cat"):
            (self.folder / name).symlink_to(shutil.which(name))

    def dev(self, *arguments):
        bash = shutil.which("bash")
        return subprocess.run([bash, str(ROOT / "dev"), *arguments], env={"PATH": str(self.folder)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)

    def test_help_of_a_command_only_helps(self):
        for command in COMMANDS:
            for arguments in ([command, "--help"], [command, "-h"], ["help", command],
                              [command, "--port-offset", "3", "--help"]):
                done = self.dev(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
                self.assertTrue(done.stdout.startswith(f"usage: ./dev {command}"), done.stdout)
                self.assertFalse(self.called.exists(), f"{arguments}: {self.called.exists() and self.called.read_text()}")

    def test_the_list_names_every_command(self):
        for arguments in ([], ["help"], ["--help"], ["-h"]):
            done = self.dev(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(re.findall(r"^  (\w+) ", done.stdout, re.M), COMMANDS)

    def test_an_unknown_command_is_named(self):
        for arguments in (["biuld"], ["biuld", "--help"], ["help", "biuld"]):
            done = self.dev(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn("no command biuld", done.stderr)
        self.assertFalse(self.called.exists())

    def test_the_traps_catch_what_builds(self):
        self.dev("build")
        self.assertTrue(self.called.exists())


if __name__ == "__main__":
    unittest.main()
