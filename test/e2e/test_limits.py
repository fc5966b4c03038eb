# SPDX-License-Identifier: Apache-2.0
"""The edges that a person meets: spans that come late, one huge trace, a port that is taken, a disk
that is full."""
import os
import random
import socket
import subprocess
import tempfile
import time
import urllib.parse

from otlp_text import TracesData, to_json
from weft_process import BINARY, Weft, WeftTest, free_offset, wait_for

DAY_NS = 24 * 3600 * 10**9
HUGE = 100_000



def service(data, name):
    """A new ResourceSpans of a service; its list of spans."""
    group = data.resource_spans.add()
    attribute = group.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", name
    return group.scope_spans.add().spans


def huge_trace(trace_id):
    """The trace in 20 requests: a tree of fan-out 10 over four services."""
    dice = random.Random(1)
    start_ns = time.time_ns() - 60 * 10**9
    ids = [dice.randbytes(8) for _ in range(HUGE)]
    for first in range(0, HUGE, HUGE // 20):
        data = TracesData()
        lists = [service(data, name) for name in ("edge", "orders", "stock", "ledger")]
        for number in range(first, first + HUGE // 20):
            span = lists[number % 4].add()
            span.trace_id, span.span_id, span.name = trace_id, ids[number], f"step {number % 50}"
            if number:
                span.parent_span_id = ids[(number - 1) // 10]
            span.kind = 2
            span.start_time_unix_nano = start_ns + number * 1000
            span.end_time_unix_nano = start_ns + 30 * 10**9 - number * 1000
            attribute = span.attributes.add()
            attribute.key, attribute.value.int_value = "step.number", number
        yield data.SerializeToString()


class LateSpansTest(WeftTest):
    def test_spans_that_come_days_late_are_found_by_their_own_time(self):
        weft = self.weft("exporters::store::flush::age=1s")
        dice = random.Random(407)
        now_ns = time.time_ns()
        late = {}
        for number in range(407):
            own_ns = now_ns - 9 * DAY_NS + dice.randrange(6 * DAY_NS)
            data = TracesData()
            span = service(data, "late" if number % 2 else "punctual").add()
            span.trace_id, span.span_id, span.name = dice.randbytes(16), dice.randbytes(8), "GET /late"
            span.start_time_unix_nano, span.end_time_unix_nano = own_ns, own_ns + 5_000_000
            # Between them, traffic of the present: blocks hold both.
            fresh = service(data, "fresh").add()
            fresh.trace_id, fresh.span_id, fresh.name = dice.randbytes(16), dice.randbytes(8), "GET /now"
            fresh.start_time_unix_nano = fresh.end_time_unix_nano = now_ns - number
            status, _ = weft.post("/v1/traces", to_json(data))
            self.assertEqual(status, 200)
            late[span.trace_id.hex()] = own_ns
            if number in (150, 300):
                wait_for("a block", lambda: weft.status()["headSpans"] == 0, 30)

        def search(start, end, limit=1000):
            query = urllib.parse.urlencode({"q": '{ name = "GET /late" }', "start": start, "end": end,
                                            "limit": limit})
            return {t["traceId"] for t in weft.json(f"/api/weft/v1/search?{query}")["traces"]}
        self.assertEqual(search(now_ns - 10 * DAY_NS, now_ns - 2 * DAY_NS), set(late))
        for day in range(3, 10):  # and day by day, each span in its own
            start, end = now_ns - day * DAY_NS, now_ns - (day - 1) * DAY_NS
            self.assertEqual(search(start, end), {t for t, at in late.items() if start <= at < end})
        # Page by page too, with nothing missing between the pages.
        seen, cursor = [], ""
        while True:
            query = urllib.parse.urlencode({"q": '{ name = "GET /late" }', "limit": 50, "cursor": cursor})
            page = weft.json(f"/api/weft/v1/search?{query}")
            seen += [t["traceId"] for t in page["traces"]]
            cursor = page["cursor"]
            if not cursor:
                break
        self.assertEqual(sorted(seen), sorted(late))


class HugeTraceTest(WeftTest):
    def test_a_trace_of_100_000_spans_is_received_answered_and_opened(self):
        weft = self.weft()
        trace_id = random.Random(2).randbytes(16)
        bodies = list(huge_trace(trace_id))
        began = time.monotonic()
        for body in bodies:
            self.assertEqual(weft.post("/v1/traces", body, "application/x-protobuf")[0], 200)
        received = time.monotonic() - began
        began = time.monotonic()
        header, spans = weft.trace(trace_id.hex())
        answered = time.monotonic() - began
        self.assertEqual((header["spans"], len(spans)), (HUGE, HUGE))
        self.assertFalse(header["rootMissing"])
        self.assertEqual(len({s["id"] for s in spans}), HUGE)
        shown = self.browse("trace", f"{weft.url}/trace/{trace_id.hex()}?fold=0")
        self.assertEqual(shown["complaints"], [])
        self.assertIn("step 0", shown["rows"][0])
        self.assertEqual(shown["count"], HUGE)
        print(f"[received {received:.1f} s, answered {answered:.1f} s, opened {shown['ms'] / 1000:.1f} s]",
              end=" ", flush=True)


class PortTest(WeftTest):
    def test_a_port_in_use_says_which_who_and_the_flag(self):
        offset = free_offset()
        with socket.socket() as holder, tempfile.TemporaryDirectory() as folder:
            holder.bind(("127.0.0.1", 4318 + offset))
            holder.listen()
            done = subprocess.run([BINARY, "serve", "--data", folder, "--port-offset", str(offset)],
                                  capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(done.returncode, 0)
        said = done.stdout + done.stderr
        self.assertIn(str(4318 + offset), said)
        self.assertIn(str(os.getpid()), said)
        self.assertIn("--port-offset", said)

    def test_a_second_server_on_the_same_directory_is_refused(self):
        weft = self.weft()
        done = subprocess.run([BINARY, "serve", "--data", str(weft.data), "--port-offset",
                               str(free_offset())], capture_output=True, text=True, timeout=30,
                              check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(weft.data), done.stdout + done.stderr)
        self.assertEqual(weft.get("/readyz")[0], 200)


class FullDiskTest(WeftTest):
    def mount(self, megabytes):
        """A file system of its own, as small as that."""
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        folder = tempfile.mkdtemp(prefix="weft-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            os.rmdir(folder)
            self.skipTest(f"mounting is not allowed here: {done.stderr.strip()}")

        def unmount():
            subprocess.run(["umount", folder], check=False)
            os.rmdir(folder)
        self.addCleanup(unmount)
        return folder

    def test_a_full_disk_refuses_keeps_answering_and_resumes(self):
        folder = self.mount(400)
        weft = Weft(["exporters::store::flush::age=1s"], data=folder)
        weft.log_path = weft.log_path.parent.parent / f"{weft.data.parent.name}.log"
        self.addCleanup(lambda: weft.log_path.unlink(missing_ok=True))
        self.addCleanup(weft.close)
        weft.start()
        acked = f"{folder}-acked"
        self.addCleanup(lambda: os.path.exists(acked) and os.unlink(acked))
        subprocess.run([BINARY, "loadgen", "--url", weft.http, "--spans", "5000", "--acked", acked],
                       check=True, capture_output=True, timeout=60)
        with open(acked, encoding="utf-8") as lines:
            kept = [line.split() for line in lines]

        ballast = f"{folder}/ballast"
        with open(ballast, "wb") as file:  # another program fills the disk
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        body = next(huge_trace(b"\x01" * 16))
        refused = wait_for("a refusal", lambda: (lambda a: a if a[0] != 200 else None)(
            weft.post("/v1/traces", body, "application/x-protobuf")), 30)
        self.assertIn(refused[0], (429, 503))
        for trace_id, spans in kept[:50]:  # it still answers
            self.assertEqual(len(weft.trace(trace_id)[1]), int(spans))
        os.unlink(ballast)
        wait_for("weft takes spans again",
                 lambda: weft.post("/v1/traces", body, "application/x-protobuf")[0] == 200, 60)
        for trace_id, spans in kept:
            self.assertEqual(len(weft.trace(trace_id)[1]), int(spans))
