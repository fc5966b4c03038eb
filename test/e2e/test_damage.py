# SPDX-License-Identifier: Apache-2.0
"""Damaged blocks on a real disk: no acknowledged trace is "not found", the log, the metrics and every
API say which block it is, `weft store` names it and gives it up."""
import json
import os
import re
import subprocess

from weft_process import BINARY, Weft, WeftTest, wait_for

TRACES = 60


def batch(first):
    """TRACES traces of two spans each."""
    spans = []
    for number in range(first, first + TRACES):
        for span in (1, 2):
            spans.append({"traceId": f"{number:032x}", "spanId": f"{number * 4 + span:016x}",
                          "parentSpanId": f"{number * 4 + 1:016x}" if span == 2 else "",
                          "name": f"step {span} of {number}", "kind": 2,
                          "startTimeUnixNano": str(1_700_000_000_000_000_000 + number * 1000),
                          "endTimeUnixNano": str(1_700_000_000_000_000_900 + number * 1000)})
    return json.dumps({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"spans": spans}]}]}).encode()


class DamageTest(WeftTest):
    def setUp(self):
        self.weft = Weft(["exporters::store::flush::age=1s"])
        self.addCleanup(self.weft.close)
        self.weft.start()
        for block in range(2):
            self.assertEqual(self.weft.post("/v1/traces", batch(1 + block * TRACES))[0], 200)
            wait_for("a block", lambda: self.weft.status()["blocks"] == block + 1, 30)
        self.weft.stop()
        self.blocks = sorted((self.weft.data / "default").glob("*.block"))
        self.assertEqual(len(self.blocks), 2)

    def store(self, *arguments):
        return subprocess.run([BINARY, "store", *arguments, "--data", str(self.weft.data)],
                              capture_output=True, text=True, timeout=120, check=False)

    def check(self, damaged):
        """Every API, about every trace."""
        statuses = {200: 0, 500: 0}
        for number in range(1, 2 * TRACES + 1):
            trace_id = f"{number:032x}"
            for path in ("/api/weft/v1/trace/", "/api/traces/", "/api/v3/traces/", "/tempo/api/traces/",
                         "/tempo/api/v2/traces/"):
                status, body = self.weft.get(path + trace_id)
                self.assertIn(status, statuses, f"{path}{trace_id}: {body[:300]!r}")
                statuses[status] += 1
                if status == 500:
                    self.assertIn(damaged.name, body.decode(), path)
        self.assertGreaterEqual(statuses[200], TRACES * 5, "the other block answers")
        return statuses[500]

    def check_told(self, damaged):
        lines = [line for line in self.weft.log().splitlines() if "damage found" in line]
        self.assertEqual(len(lines), 1, "once a block")
        self.assertIn(damaged.name, lines[0])
        self.assertRegex(lines[0], r"(?i)error")
        self.assertIn("left in place", lines[0])
        metrics = self.weft.get("/metrics")[1].decode()
        self.assertTrue(re.search(r"^weft_store_damaged_blocks\{[^}]*\} 1$", metrics, re.M), "metric")
        status = self.weft.status()
        self.assertEqual(status["damagedBlocks"], 1)
        self.assertIn(damaged.name, " ".join(status["damage"]))
        for path in ("/api/weft/v1/services", "/api/weft/v1/search?q=%7B%7D&limit=1000"):
            self.assertIn(damaged.name, self.weft.json(path)["partial"])

    def damage_and_check(self, change):
        damaged = self.blocks[0]
        change(damaged)
        self.weft.log_path.write_text("", encoding="utf-8")
        self.weft.start()
        self.assertGreater(self.check(damaged), 0)
        self.check_told(damaged)
        return damaged

    def test_a_missing_file(self):
        self.damage_and_check(lambda path: path.unlink())

    def test_another_blocks_file(self):
        self.damage_and_check(lambda path: path.write_bytes(self.blocks[1].read_bytes()))

    def test_a_cut_file(self):
        self.damage_and_check(lambda path: path.write_bytes(path.read_bytes()[:-100]))

    def test_zeros_in_the_pages(self):
        def change(path):
            data = bytearray(path.read_bytes())
            data[8:len(data) // 2] = bytes(len(data) // 2 - 8)
            path.write_bytes(data)
        self.damage_and_check(change)

    def test_a_directory(self):
        def change(path):
            path.unlink()
            path.mkdir()
        self.damage_and_check(change)

    def test_a_pipe(self):
        def change(path):
            path.unlink()
            os.mkfifo(path)
        self.damage_and_check(change)

    def test_a_block_put_back_and_one_given_up(self):
        kept = self.blocks[0].read_bytes()
        damaged = self.damage_and_check(lambda path: path.write_bytes(b"no block"))
        # Asked by the command line.
        trace_id = f"{1:032x}"
        for source in (["--url", self.weft.url], ["--data", str(self.weft.data)]):
            done = subprocess.run([BINARY, "trace", trace_id, *source], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(damaged.name, done.stderr)
        export = subprocess.run([BINARY, "export", "--query", "{}", "--url", self.weft.url],
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(export.returncode, 1)
        self.assertIn(damaged.name, export.stderr)
        self.assertIn(f"step 1 of {2 * TRACES}", export.stdout)
        # Put back while the server runs.
        damaged.write_bytes(kept)
        wait_for("it is read again", lambda: self.weft.get("/api/weft/v1/trace/" + trace_id)[0] == 200, 60)
        self.assertEqual(self.weft.status()["damagedBlocks"], 0)
        self.weft.stop()
        # And given up.
        self.assertEqual(self.store("verify").returncode, 0)
        refused = self.store("forget", damaged.name, "--yes")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("can be read", refused.stderr)
        damaged.write_bytes(kept[:-1])
        verify = self.store("verify")
        self.assertEqual(verify.returncode, 1)
        self.assertIn(damaged.name, verify.stdout)
        self.assertIn(f"{TRACES} traces, {2 * TRACES} spans", verify.stdout)
        self.weft.start()
        locked = self.store("forget", damaged.name, "--yes")
        self.assertEqual(locked.returncode, 4, locked.stderr)
        self.assertEqual(self.weft.get("/api/weft/v1/trace/" + trace_id)[0], 500)
        self.weft.stop()
        asked = self.store("forget", damaged.name)
        self.assertEqual(asked.returncode, 2)
        self.assertIn(f"{TRACES} traces, {2 * TRACES} spans", asked.stderr)
        self.assertTrue(damaged.exists())
        done = self.store("forget", damaged.name, "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(damaged.exists())
        self.assertEqual(len(list((self.weft.data / "quarantine").iterdir())), 1)
        self.weft.start()
        self.assertEqual(self.weft.get("/api/weft/v1/trace/" + trace_id)[0], 404)
        self.assertEqual(self.weft.get(f"/api/weft/v1/trace/{TRACES + 1:032x}")[0], 200)
        self.assertEqual(self.weft.status()["damagedBlocks"], 0)
