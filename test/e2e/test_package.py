# SPDX-License-Identifier: Apache-2.0
"""The Debian package and `cmake --install`: what they hold, that the service's own command line runs
from what they unpack, keeps its spans over a restart, and that the manual pages open."""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from weft_process import BINARY, ROOT, WeftTest, fetch, free_offset, wait_for

BUILD = pathlib.Path(BINARY).parent
TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = {"resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": TRACE, "spanId": "eee19b7ec3c1b174", "name": "packaged",
    "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000"}]}]}]}


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300,
                          check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))}: exit {done.returncode}\n"
                             f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Service:
    """The unit's ExecStart as systemd would run it, but for paths and ports of its own."""

    def __init__(self, unit, prefix, etc, folder):
        text = unit.read_text(encoding="utf-8")
        command = re.search(r"^ExecStart=(.*)$", text, re.M)[1]
        self.folder, self.offset = folder, free_offset()
        flags = f"--data {folder}/data --port-offset {self.offset}"
        command = command.replace("$WEFT_FLAGS", flags)
        # Where the files will lie, and where they lie now.
        command = re.sub(r"^\S+/bin/weft", f"{prefix}/bin/weft", command)
        command = re.sub(r"\S+/weft/weft\.yaml", f"{etc}/weft/weft.yaml", command)
        self.command = shlex.split(command)
        self.url = f"http://127.0.0.1:{16686 + self.offset}"
        self.otlp = f"http://127.0.0.1:{4318 + self.offset}"

    def start(self):
        path = f"{self.folder}/notify"
        if os.path.exists(path):
            os.remove(path)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(path)
        self.notices.settimeout(60)
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL,
                                            env={"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": path})
        return self.notices.recv(100)

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.notices.settimeout(0.2)
        try:
            return code, self.notices.recv(100)
        except TimeoutError:
            return code, b""
        finally:
            self.notices.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.notices.close()


@unittest.skipUnless((BUILD / "CPackConfig.cmake").exists(), "not the binary of a build directory")
class PackageTest(WeftTest):
    def folder(self):
        path = tempfile.mkdtemp(prefix="weft-package-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return pathlib.Path(path)

    def check_service(self, unit, prefix, etc):
        service = Service(unit, prefix, etc, self.folder())
        self.assertEqual(service.start(), b"READY=1")
        self.addCleanup(service.close)
        # Ready means that every port listens.
        status, body = fetch(service.otlp + "/v1/traces", json.dumps(SPAN).encode(),
                             {"Content-Type": "application/json"})
        self.assertEqual(status, 200, body)
        for how, code, notice in ((signal.SIGTERM, 0, b"STOPPING=1"), (signal.SIGKILL, -9, b"")):
            self.assertEqual(service.end(how), (code, notice))
            self.assertEqual(service.start(), b"READY=1")
            told = run(service.command[0], "trace", TRACE, "--json", "--url", service.url)
            self.assertIn('"packaged"', told)
        self.assertEqual(fetch(service.url + "/readyz")[0], 200)
        service.end(signal.SIGTERM)

    def check_pages(self, folder):
        pages = sorted(folder.glob("*.1*"))
        names = {p.name.split(".")[0] for p in pages}
        self.assertLessEqual({"weft", "weft-serve", "weft-query", "weft-trace", "weft-services", "weft-tags",
                              "weft-operations", "weft-import", "weft-check-config"}, names)
        if not shutil.which("man"):
            self.skipTest("man is not installed: the pages were not opened")
        for page in pages:
            done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True,
                                  timeout=60, check=False,
                                  env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page.name)
            for heading in ("NAME", "SYNOPSIS", "OPTIONS"):
                self.assertIn(f"\n{heading}", "\n" + re.sub(".\b", "", done.stdout), page.name)

    def test_the_debian_package(self):
        if not shutil.which("dpkg-shlibdeps"):
            self.skipTest("dpkg-dev is not installed")
        made = self.folder()
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-G", "DEB", "-B", made)
        package, = made.glob("weft_*.deb")
        field = lambda name: run("dpkg-deb", "-f", package, name).strip()
        self.assertEqual(field("Package"), "weft")
        self.assertEqual(field("Version"), run(BINARY, "--version").split()[1])
        for library in ("libc6", "libstdc++6", "libcurl4", "adduser"):
            self.assertIn(library, field("Depends"))
        self.assertEqual(run("dpkg-deb", "-I", package, "conffiles").split(), ["/etc/weft/weft.yaml"])
        listing = {}
        for line in run("dpkg-deb", "-c", package).splitlines():
            mode, owner, _, _, _, path = line.split(maxsplit=5)
            self.assertEqual(owner, "root/root", line)
            listing[path.removeprefix(".")] = mode
        for path, mode in {"/usr/bin/weft": "-rwxr-xr-x", "/etc/weft/weft.yaml": "-rw-r--r--",
                           "/usr/lib/systemd/system/weft.service": "-rw-r--r--",
                           "/usr/share/man/man1/weft.1.gz": "-rw-r--r--",
                           "/usr/share/bash-completion/completions/weft": "-rw-r--r--",
                           "/usr/share/zsh/vendor-completions/_weft": "-rw-r--r--",
                           "/usr/share/fish/vendor_completions.d/weft.fish": "-rw-r--r--",
                           "/usr/share/doc/weft/copyright": "-rw-r--r--"}.items():
            self.assertEqual(listing.get(path), mode, path)
        root = self.folder()
        run("dpkg-deb", "-x", package, root)
        unit = root / "usr/lib/systemd/system/weft.service"
        self.assertIn("\nExecStart=/usr/bin/weft serve --config /etc/weft/weft.yaml",
                      unit.read_text(encoding="utf-8"))
        run(root / "usr/bin/weft", "check", "config", root / "etc/weft/weft.yaml")
        self.assertIn("directory: /var/lib/weft\n", (root / "etc/weft/weft.yaml").read_text(encoding="utf-8"))
        for script in ("postinst", "prerm", "postrm"):
            text = run("dpkg-deb", "-I", package, script)
            run("sh", "-n", "-c", text)
        self.check_service(unit, root / "usr", root / "etc")
        self.check_pages(root / "usr/share/man/man1")

    def test_an_installation_below_a_prefix(self):
        prefix = self.folder()
        run("cmake", "--install", BUILD, "--prefix", prefix)
        unit = prefix / "lib/systemd/system/weft.service"
        self.assertIn(f"\nExecStart={prefix}/bin/weft serve --config {prefix}/etc/weft/weft.yaml",
                      unit.read_text(encoding="utf-8"))
        self.assertTrue((prefix / "share/zsh/site-functions/_weft").exists())
        self.check_service(unit, prefix, prefix / "etc")
        self.check_pages(prefix / "share/man/man1")

    def test_the_image_is_made_of_what_is_here(self):
        # No Docker daemon in a test: the files and options that the Dockerfile names must exist.
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        self.assertIn("./dev package", text)
        command = json.loads(re.search(r"^CMD (\[.*?\])$", text.replace("\\\n", ""), re.M | re.S)[1])
        self.assertEqual(command[0], "serve")
        settings = [word for word in command[1:] if word not in ("--config", "/etc/weft/weft.yaml")]
        config = self.folder() / "weft.yaml"
        config.write_text(run(BINARY, "print-config"), encoding="utf-8")
        run(BINARY, "check", "config", "--config", config, *settings)


if __name__ == "__main__":
    unittest.main()
