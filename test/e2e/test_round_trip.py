# SPDX-License-Identifier: Apache-2.0
"""OTLP in equals OTLP out, attribute for attribute: recorded traffic and a batch with every field of
the protocol, read from the head, from a block, and after compaction."""
import gzip
import random

from every_field import every_field_logs, every_field_traces
from otlp_text import (LogsData, TracesData, documents, logs_of, parse_json, show, spans_of, to_json)
from weft_process import ROOT, WeftTest, wait_for

RECORDED = ROOT / "test" / "wire" / "recorded"


def recorded():
    """(kind, message) of every recorded document."""
    for path in sorted(p for p in RECORDED.glob("otlp-*/*") if ".json" in p.name or ".ndjson" in p.name):
        for document in documents(path):
            if "resourceSpans" in document:
                yield "traces", parse_json(document, TracesData)
            if "resourceLogs" in document:
                yield "logs", parse_json(document, LogsData)


class RoundTripTest(WeftTest):
    def send(self, weft, messages):
        """Sends in turns as protobuf and JSON; the spans and logs that must come back."""
        spans, logs = set(), set()
        for number, (kind, message) in enumerate(messages):
            if number % 2:
                body, content_type, headers = to_json(message), "application/json", {}
            else:
                body = gzip.compress(message.SerializeToString())
                content_type, headers = "application/x-protobuf", {"Content-Encoding": "gzip"}
            status, answer = weft.post(f"/v1/{kind}", body, content_type, headers)
            self.assertEqual(status, 200, answer)
            (spans if kind == "traces" else logs).update(
                spans_of(message) if kind == "traces" else logs_of(message))
        return spans, logs

    def read(self, weft, trace_ids):
        """What the server gives back, half of it as JSON and half as protobuf."""
        spans, logs = set(), set()
        for number, trace_id in enumerate(sorted(trace_ids)):
            for kind, found, taken_apart, query in ((TracesData, spans, spans_of, ""),
                                                    (LogsData, logs, logs_of, "?logs=true")):
                accept = ("application/json", "application/x-protobuf")[number % 2]
                status, body = weft.get(f"/api/weft/v1/trace/{trace_id}/otlp{query}", {"Accept": accept})
                self.assertEqual(status, 200, body[:300])
                found.update(taken_apart(
                    parse_json(body, kind) if number % 2 == 0 else kind.FromString(body)))
        return spans, logs

    def compare(self, where, sent, got):
        for entry in sorted(sent - got)[:3]:
            near = [g for g in got if g[:2] == entry[:2]]
            self.fail(f"{where}: sent and not got\n{show(entry)}\ngot instead\n{[show(n) for n in near]}")
        extra = sorted(got - sent)[:3]
        self.assertFalse(extra, f"{where}: never sent: {[show(e) for e in extra]}")

    def check_everywhere(self, messages):
        weft = self.weft("exporters::store::flush::age=1h")
        spans, logs = self.send(weft, messages)
        trace_ids = {s[0] for s in spans} | {g[0] for g in logs}
        self.assertTrue(spans)
        got = self.read(weft, trace_ids)
        self.compare("head, spans", spans, got[0])
        self.compare("head, logs", logs, got[1])
        self.assertEqual(weft.status()["blocks"], 0)

        # The same directory with a hasty flush: everything becomes blocks. The traffic that follows
        # makes more blocks than the store keeps unmerged.
        weft.stop()
        weft.arguments = ["--set", "exporters::store::flush::age=1s"]
        weft.start()
        self.flush(weft)
        got = self.read(weft, trace_ids)
        self.compare("block, spans", spans, got[0])
        self.compare("block, logs", logs, got[1])
        before = self.merges(weft)
        dice = random.Random("filler")

        def merged():
            filler = TracesData()
            span = filler.resource_spans.add().scope_spans.add().spans.add()
            span.trace_id, span.span_id, span.name = dice.randbytes(16), dice.randbytes(8), "filler"
            span.start_time_unix_nano = span.end_time_unix_nano = 1_700_000_000_000_000_000
            weft.post("/v1/traces", filler.SerializeToString(), "application/x-protobuf")
            self.flush(weft)
            return self.merges(weft) > before
        wait_for("blocks were merged", merged, 120)
        got = self.read(weft, trace_ids)
        self.compare("compacted, spans", spans, got[0])
        self.compare("compacted, logs", logs, got[1])

    def flush(self, weft):
        wait_for("the head became a block", lambda: weft.status()["headSpans"] == 0, 30)

    def merges(self, weft):
        for line in weft.get("/metrics")[1].decode().splitlines():
            if line.startswith("weft_store_compactions"):
                return float(line.split()[-1])
        self.fail("/metrics has no weft_store_compactions")

    def test_recorded_traffic(self):
        messages = list(recorded())
        self.assertGreater(len(messages), 100)
        self.check_everywhere(messages)

    def test_every_field_of_the_protocol(self):
        self.check_everywhere([("traces", every_field_traces()), ("logs", every_field_logs()),
                               ("traces", every_field_traces(seed=2)), ("logs", every_field_logs(seed=2))])
