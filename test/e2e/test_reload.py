# SPDX-License-Identifier: Apache-2.0
"""A server that is given another configuration again and again while clients send to it: nothing that
was acknowledged is missing or different, no request fails, no address of the configuration of the
time refuses a connection. Every tenth configuration is wrong, and changes nothing."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from weft_process import BINARY, Weft, WeftTest, fetch, free, wait_for

ROUNDS = 100 if os.environ.get("WEFT_LONG_TESTS") == "1" else 30


def next_port(port):
    while True:
        port += 1
        if free(port):
            return port


class Sender(threading.Thread):
    """Sends one trace after the other on one connection, which it opens again when asked to."""

    def __init__(self, number, address):
        super().__init__(daemon=True)
        self.number, self.address = number, address
        self.enough = threading.Event()
        self.acknowledged, self.problems = {}, []

    def body(self, n):
        trace_id = f"{self.number:08x}{n:024x}"
        name = f"span {self.number}.{n}"
        span = {"traceId": trace_id, "spanId": f"{n + 1:016x}", "name": name,
                "startTimeUnixNano": str(1_700_000_000_000_000_000 + n), "endTimeUnixNano": str(1_700_000_000_000_000_009 + n),
                "attributes": [{"key": "n", "value": {"intValue": str(n)}}]}
        return trace_id, name, json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})

    def has_moved_from(self, port):
        deadline = time.monotonic() + 5
        while self.address() == port and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.address() != port

    def run(self):
        n, connection, at, fresh = 0, None, None, True
        while not self.enough.is_set():
            # The address of the moment; a moved listener serves its old connections for a while.
            if at != self.address():
                at = self.address()
                connection = None
            if connection is None:
                connection, fresh = http.client.HTTPConnection("127.0.0.1", at, timeout=30), True
            trace_id, name, body = self.body(n)
            try:
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                fresh = False
                if answer.status == 200:
                    self.acknowledged[trace_id] = (name, n)
                else:
                    self.problems.append(f"{answer.status} {text[:200]!r}")
                if answer.headers.get("Connection") == "close":
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                # A new connection to an address that has just gone may fail; an open one may not.
                if fresh and self.has_moved_from(at):
                    continue
                self.problems.append(f"port {at}, now {self.address()}: {error!r}")
                connection = None
            n += 1


class FileWeft(Weft):
    """One whose file has every port: none is moved."""

    def __init__(self, **options):
        super().__init__(**options)
        self.base, self.offset = self.offset, 0

    url = property(lambda self: f"http://127.0.0.1:{16686 + self.base}")


class ReloadTest(WeftTest):
    def setUp(self):
        self.settings = {"retention": "14d", "metadata": "false", "debug": "basic", "extra": False}

    def write(self, nonsense=""):
        s = self.settings
        ends = "store, debug" if s["extra"] else "store"
        self.file.write_text(f"""
receivers:
  otlp:
    protocols:
      http: {{endpoint: "127.0.0.1:{self.port}", include_metadata: {s["metadata"]}}}
      grpc: {{endpoint: "127.0.0.1:{self.grpc}"}}
exporters:
  store: {{retention: {{age: {s["retention"]}}}}}
  debug: {{verbosity: {s["debug"]}}}
extensions:
  query: {{endpoint: "127.0.0.1:{self.query}"}}
service:
  extensions: [query]
  pipelines:
    traces: {{receivers: [otlp], exporters: [{ends}]}}
{nonsense}
""", encoding="utf-8")

    def start(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-reload-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", folder], check=False)
        self.file = folder / "weft.yaml"
        weft = FileWeft(arguments=["--config", str(self.file)], data=str(folder))
        self.port, self.grpc, self.query = (weft.base + p for p in (4318, 4317, 16686))
        self.write()
        self.addCleanup(weft.close)
        return weft.start()

    def reload(self, weft):
        return subprocess.run([BINARY, "reload", "--url", weft.url], capture_output=True, text=True,
                              timeout=120, check=False)

    def change(self, i):
        s = self.settings
        kind = i % 5
        if kind == 0:
            self.port = next_port(self.port)
        elif kind == 1:
            s["retention"] = f"{10 + i % 7}d"
        elif kind == 2:
            s["metadata"] = "true" if s["metadata"] == "false" else "false"
        elif kind == 3:
            s["extra"] = not s["extra"]
        else:
            s["debug"], s["extra"] = ("normal" if s["debug"] == "basic" else "basic"), True

    def test_reloads_under_load(self):
        weft = self.start()
        in_force = [self.port]
        senders = [Sender(i + 1, lambda: in_force[0]) for i in range(3)]
        for sender in senders:
            sender.start()
        wait_for("all send", lambda: all(s.acknowledged for s in senders))
        for i in range(ROUNDS):
            if i % 10 == 9:
                self.write(nonsense="nonsense: 1")
                done = self.reload(weft)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertRegex(done.stderr, r"weft\.yaml:\d+: .*nonsense")
                continue
            self.change(i)
            self.write()
            done = self.reload(weft)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            in_force[0] = self.port
            with socket.create_connection(("127.0.0.1", self.port), 5):
                pass
            before = [len(s.acknowledged) for s in senders]
            wait_for("they go on", lambda: all(len(s.acknowledged) > b or s.problems
                                               for s, b in zip(senders, before)))
        for sender in senders:
            sender.enough.set()
        for sender in senders:
            sender.join()
        self.assertEqual([s.problems for s in senders], [[], [], []])
        wrong = [t for s in senders for t, (name, n) in s.acknowledged.items() if not self.holds(weft, t, name, n)]
        self.assertEqual(wrong, [])
        state = weft.status()["configuration"]
        self.assertEqual(state["generation"], 1 + ROUNDS - ROUNDS // 10)
        self.assertIn("nonsense", state["error"])
        print(f"{sum(len(s.acknowledged) for s in senders)} traces over {ROUNDS} reloads", flush=True)

    @staticmethod
    def holds(weft, trace_id, name, n):
        status, body = fetch(f"{weft.url}/api/weft/v1/trace/{trace_id}/otlp")
        if status != 200:
            return False
        spans = [span for r in json.loads(body)["resourceSpans"] for s in r["scopeSpans"] for span in s["spans"]]
        return (len(spans) == 1 and spans[0]["name"] == name and
                spans[0]["attributes"] == [{"key": "n", "value": {"intValue": str(n)}}])

    def test_sighup_and_what_is_said(self):
        weft = self.start()
        self.settings["retention"] = "3d"
        self.write()
        weft.process.send_signal(signal.SIGHUP)
        wait_for("generation 2", lambda: weft.status()["configuration"]["generation"] == 2)
        self.assertEqual(weft.status()["retention"]["ageNs"], 3 * 24 * 3600 * 10**9)
        self.assertRegex(weft.log(), r"exporter store: takes other settings")
        self.write(nonsense="nonsense: 1")
        weft.process.send_signal(signal.SIGHUP)
        wait_for("the error", lambda: weft.status()["configuration"]["error"])
        self.assertTrue(re.search(r"refused: all goes on as it was", weft.log()))
        self.write()
        self.assertIn("nothing has changed", self.reload(weft).stdout)
        port, self.port = self.port, next_port(self.port)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            self.write()
            done = self.reload(weft)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("already in use", done.stderr)
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
        weft.stop()
        self.assertEqual(self.reload(weft).returncode, 4)
