# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments under load: every span that was acknowledged is there exactly once, with
the content that was sent."""
import itertools
import os
import random
import subprocess
import tempfile
import threading
import time

from every_field import every_field_logs, every_field_traces
from otlp_text import LogsData, TracesData, logs_of, show, spans_of
from weft_process import BINARY, Weft, WeftTest, wait_for

ROUNDS = 25 if os.environ.get("WEFT_LONG_TESTS") else 8
RATE = 8000
CONTENT_ROUNDS = 6
SENDERS = 4


class Senders:
    """Threads that send documents with every field of the protocol, each with a seed of its own, until
    the server is gone. What was sent and what was acknowledged, span by span and log by log."""

    def __init__(self, weft, seeds):
        self.weft, self.seeds, self.lock = weft, seeds, threading.Lock()
        self.sent, self.acked = {"traces": set(), "logs": set()}, {"traces": set(), "logs": set()}
        self.threads = [threading.Thread(target=self.run) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while True:
            with self.lock:
                seed = next(self.seeds)
            kind = ("traces", "logs")[seed % 2]
            message = every_field_traces(seed) if kind == "traces" else every_field_logs(seed)
            content = spans_of(message) if kind == "traces" else logs_of(message)
            with self.lock:
                self.sent[kind] |= content
            try:
                status, answer = self.weft.post(f"/v1/{kind}", message.SerializeToString(),
                                                "application/x-protobuf")
            except OSError:
                return
            if status != 200:
                raise AssertionError(f"{status} {answer[:300]!r}")
            with self.lock:
                self.acked[kind] |= content

    def join(self):
        for thread in self.threads:
            thread.join()


class CrashTest(WeftTest):
    def check(self, weft, acked):
        """{trace id: spans} against what the server has."""
        for trace_id, spans in acked.items():
            found = weft.trace(trace_id)
            self.assertIsNotNone(found, f"trace {trace_id} was acknowledged and is gone")
            ids = [s["id"] for s in found[1]]
            self.assertEqual(len(ids), spans, f"trace {trace_id}")
            self.assertEqual(len(set(ids)), spans, f"trace {trace_id} has spans twice")

    def test_rounds_of_kill_9_under_load(self):
        seed = int(time.time())
        dice = random.Random(seed)
        folder = tempfile.TemporaryDirectory(prefix="weft-crash-")
        self.addCleanup(folder.cleanup)
        # A flush every second and small blocks: kills fall into ingest, flushes and merges.
        weft = Weft(["exporters::store::flush::bytes=1MiB", "exporters::store::flush::age=1s"],
                    data=folder.name)
        self.addCleanup(weft.close)
        acked_path, acked, blocks = f"{folder.name}/acked", {}, 0
        for round_number in range(ROUNDS):
            weft.start()
            fresh = {}
            with open(acked_path, "w", encoding="utf-8"):
                pass
            loadgen = self.spawn([BINARY, "loadgen", "--url", weft.http, "--seed", seed + round_number,
                                  "--spans", 10_000_000, "--rate", RATE, "--acked", acked_path,
                                  "--shape", dice.choice(["shop", "tracegen"]), "--connections", 8])
            wait_for("something is acknowledged", lambda: os.path.getsize(acked_path) > 0, 60)
            time.sleep(dice.uniform(0, 2.3))  # the moment of the kill is the test's own choice
            weft.kill()
            wait_for("loadgen noticed", lambda: loadgen.poll() is not None)
            with open(acked_path, encoding="utf-8") as lines:
                for line in lines:
                    if line.endswith("\n"):
                        trace_id, spans = line.split()
                        fresh[trace_id] = int(spans)
            self.assertTrue(fresh, f"round {round_number}: nothing was acknowledged")
            acked.update(fresh)
            weft.start()
            blocks = max(blocks, weft.status()["blocks"])
            with self.subTest(round=round_number, seed=seed):
                self.check(weft, dict(dice.sample(sorted(fresh.items()), min(400, len(fresh)))))
            weft.kill()
        weft.start()
        with self.subTest(what="all rounds", seed=seed, traces=len(acked)):
            self.check(weft, acked)
            self.assertGreaterEqual(weft.status()["spans"], sum(acked.values()))
        self.assertGreater(blocks, 0, "no block was ever written: the test tested the log only")

    def content(self, weft, trace_ids):
        """Every span and log record of these traces, as the server gives them back."""
        got = {"traces": set(), "logs": set()}
        for trace_id in trace_ids:
            for kind, message, taken_apart, query in (("traces", TracesData, spans_of, ""),
                                                      ("logs", LogsData, logs_of, "?logs=true")):
                status, body = weft.get(f"/api/weft/v1/trace/{trace_id}/otlp{query}",
                                        {"Accept": "application/x-protobuf"})
                if status != 404:
                    self.assertEqual(status, 200, body[:300])
                    got[kind] |= taken_apart(message.FromString(body))
        return got

    def test_content_and_logs_survive_kill_9_under_load_and_while_recovering(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-crash-")
        self.addCleanup(folder.cleanup)
        weft = Weft(["exporters::store::flush::bytes=1MiB", "exporters::store::flush::age=1s"],
                    data=folder.name)
        self.addCleanup(weft.close)
        dice, seeds = random.Random(20261130), itertools.count(1)
        sent, acked = {"traces": set(), "logs": set()}, {"traces": set(), "logs": set()}
        for _ in range(CONTENT_ROUNDS):
            weft.start()
            senders = Senders(weft, seeds)
            time.sleep(dice.uniform(0.2, 1.5))  # the moment of the kill is the test's own choice
            weft.kill()
            senders.join()
            for kind in acked:
                sent[kind] |= senders.sent[kind]
                acked[kind] |= senders.acked[kind]
            for _ in range(3):
                weft.start(wait=False)
                time.sleep(dice.uniform(0, 0.03))
                weft.kill()
        weft.start()
        got = self.content(weft, sorted({entry[0] for kind in sent for entry in sent[kind]}))
        for kind in acked:
            self.assertGreater(len(acked[kind]), 50)
            lost, invented = sorted(acked[kind] - got[kind]), sorted(got[kind] - sent[kind])
            self.assertFalse(lost[:1], f"{len(lost)} {kind} lost, first {[show(e) for e in lost[:1]]}")
            self.assertFalse(invented[:1], f"{kind} never sent: {[show(e) for e in invented[:1]]}")

    def test_a_graceful_stop_loses_nothing_either(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-stop-")
        self.addCleanup(folder.cleanup)
        weft = Weft(data=folder.name)
        self.addCleanup(weft.close)
        weft.start()
        subprocess.run([BINARY, "loadgen", "--url", weft.http, "--spans", "5000", "--acked",
                        f"{folder.name}/acked"], check=True, capture_output=True, timeout=60)
        self.assertEqual(weft.stop(), 0)
        weft.start()
        with open(f"{folder.name}/acked", encoding="utf-8") as lines:
            self.check(weft, {line.split()[0]: int(line.split()[1]) for line in lines})
