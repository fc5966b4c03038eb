# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments under load: every span that was acknowledged is there exactly once."""
import os
import random
import subprocess
import tempfile
import time

from weft_process import BINARY, Weft, WeftTest, wait_for

ROUNDS = 25
RATE = 8000


class CrashTest(WeftTest):
    def check(self, weft, acked):
        """{trace id: spans} against what the server has."""
        for trace_id, spans in acked.items():
            found = weft.trace(trace_id)
            self.assertIsNotNone(found, f"trace {trace_id} was acknowledged and is gone")
            ids = [s["id"] for s in found[1]]
            self.assertEqual(len(ids), spans, f"trace {trace_id}")
            self.assertEqual(len(set(ids)), spans, f"trace {trace_id} has spans twice")

    def test_25_rounds_of_kill_9_under_load(self):
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
