# SPDX-License-Identifier: Apache-2.0
"""The real weft binary as a test sees it: started on free ports in a folder of its own, asked over
HTTP and through its command line, stopped, killed, started again."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY = os.environ.get("WEFT", "")
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / "build" / "e2e"
PORTS = (4317, 4318, 16685, 16686, 3200)


def wait_for(what, condition, seconds=20):
    """Polls until the condition gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def free(port):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            if probe.connect_ex((host, port)) == 0:
                return False
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# All ports stay below 32768: above it a client that asks a port too early may be given that very port.
_next_offset = 1_000 + os.getpid() % 500 * 28


def free_offset():
    global _next_offset
    while True:
        _next_offset = _next_offset + 7 if _next_offset < 16_000 else 1_000
        if all(free(p + _next_offset) for p in PORTS):
            return _next_offset


class Weft:
    """One server. `sets` are --set arguments; `data` a folder that is kept when given."""

    def __init__(self, sets=(), data=None, arguments=()):
        self.folder = None if data else tempfile.mkdtemp(prefix="weft-e2e-")
        self.data = pathlib.Path(data or self.folder) / "data"
        self.log_path = pathlib.Path(data or self.folder) / "weft.log"
        self.offset = free_offset()
        self.arguments = [*arguments, *(word for s in sets for word in ("--set", s))]
        self.process = None

    grpc = property(lambda self: f"http://127.0.0.1:{4317 + self.offset}")
    http = property(lambda self: f"http://127.0.0.1:{4318 + self.offset}")
    url = property(lambda self: f"http://127.0.0.1:{16686 + self.offset}")

    def start(self, wait=True):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", str(self.data), "--port-offset", str(self.offset), *self.arguments],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        log.close()
        if wait:
            wait_for("weft is ready", self.ready, 60)
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"weft ended with {self.process.returncode}:\n{self.log()}")
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("weft did not stop within 30 s of SIGTERM") from None
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        try:
            self.stop()
        finally:
            if self.folder and not os.environ.get("WEFT_E2E_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, path, headers=None, seconds=60):
        """(status, body bytes)."""
        return fetch(self.url + path, headers=headers, seconds=seconds)

    def json(self, path):
        status, body = self.get(path)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body[:500]!r}")
        return json.loads(body)

    def status(self):
        return self.json("/api/weft/v1/status")

    def post(self, path, body, content_type="application/json", headers=None):
        return fetch(self.http + path, body, {"Content-Type": content_type, **(headers or {})})

    def cli(self, *arguments, check=True):
        """Runs `weft ARGUMENTS` against this server; what it printed."""
        done = subprocess.run([BINARY, *arguments, "--url", self.url], capture_output=True, text=True,
                              timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"weft {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout if check else done

    def trace(self, trace_id):
        """The native answer: (header, [span of its columns as a dict]), or None when unknown."""
        status, body = self.get(f"/api/weft/v1/trace/{trace_id}")
        if status == 404:
            return None
        if status != 200:
            raise AssertionError(f"trace {trace_id}: {status} {body[:500]!r}")
        lines = [json.loads(line) for line in body.splitlines() if line]
        if lines[-1] != {"end": True}:
            raise AssertionError(f"trace {trace_id} was cut off")
        header, spans = lines[0], []
        for line in lines[1:-1]:
            for i, span_id in enumerate(line["id"]):
                spans.append({"id": span_id, "name": header["names"][line["name"][i]],
                              "service": header["services"][line["service"][i]],
                              **{k: line[k][i] for k in ("parent", "start", "duration", "status",
                                                         "critical", "self", "logs")}})
        return header, spans


def fetch(url, body=None, headers=None, seconds=60):
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error


class WeftTest(unittest.TestCase):
    """A test with servers and other processes of its own, all ended with it."""

    maxDiff = 4000

    def weft(self, *sets, **options):
        server = Weft(sets, **options)
        self.addCleanup(server.close)
        server.start()
        return server

    def spawn(self, command, env=None, log=None):
        output = open(log, "wb") if log else subprocess.DEVNULL
        process = subprocess.Popen([str(c) for c in command], env={**os.environ, **(env or {})},
                                   stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

        def end():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if log:
                output.close()

        self.addCleanup(end)
        return process

    def browse(self, script, *arguments, seconds=120):
        """Runs one script of browser.mjs in Chromium; the JSON that it prints."""
        done = subprocess.run(["node", str(HERE / "browser.mjs"), script, *map(str, arguments)],
                              capture_output=True, text=True, timeout=seconds, check=False,
                              env={**os.environ, "NODE_PATH": str(CACHE / "npm" / "node_modules")})
        if done.returncode != 0:
            raise AssertionError(f"browser.mjs {script}: {done.stderr[-3000:]}")
        return json.loads(done.stdout)
