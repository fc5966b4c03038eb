# SPDX-License-Identifier: Apache-2.0
"""Times of a trace that do not agree: what is moved and what not, own time and critical path, in three
protocols, and in the native API, the command line, Jaeger's API and export; from memory and from a
block."""
import json
import pathlib
import tempfile

from weft_process import WeftTest, wait_for

BASE = 1_796_034_660_000  # ms
MS = 1_000_000

# name: ([(id, parent, kind, service, start, end, flag)], shifts, own time, path), in ms and the order
# of rows. Flag "follows": from the parent.
CASES = {
    "overlap": ([(1, 0, "SERVER", "web", 0, 100, ""), (2, 1, "SERVER", "mailer", 80, 140, "")],
                [0, 0], [80, 60], [80, 20]),
    "later": ([(1, 0, "SERVER", "web", 0, 50, ""),
               (2, 1, "SERVER", "worker", 1_800_000, 1_800_030, "")],
              [0, 0], [50, 30], [50, 0]),
    "siblings": ([(1, 0, "SERVER", "web", 0, 100, ""), (2, 1, "SERVER", "api", -40, -30, ""),
                  (3, 1, "SERVER", "api", -20, -10, ""), (4, 1, "SERVER", "api", 10, 40, "")],
                 [0, 40, 40, 40], [50, 10, 10, 30], [50, 10, 10, 30]),
    "message": ([(1, 0, "PRODUCER", "shop", 0, 10, ""), (2, 1, "CONSUMER", "mail", -30, 5, "")],
                [0, 0], [5, 35], [5, 5]),
    "follower": ([(1, 0, "SERVER", "alpha", 0, 100, ""),
                  (2, 1, "SERVER", "alpha", 20, 80, "follows")],
                 [0, 0], [100, 60], [100, 0]),
    "late follower": ([(1, 0, "SERVER", "alpha", 0, 100, ""),
                       (2, 1, "SERVER", "beta", 150, 190, "follows")],
                      [0, 0], [100, 40], [100, 0]),
    "early follower": ([(1, 0, "SERVER", "alpha", 0, 100, ""),
                        (2, 1, "SERVER", "beta", -150, 190, "follows")],
                       [0, 0], [100, 340], [100, 0]),
}
KINDS = {"SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
PROTOCOLS = ("otlp", "jaeger", "zipkin")
IN_ZIPKIN = [name for name in CASES if "follower" not in name]


def trace_id(protocol, name):
    return f"{PROTOCOLS.index(protocol) + 1:016x}{list(CASES).index(name) + 1:016x}"


def span_id(number):
    return f"{number:016x}"


def otlp(trace, spans):
    """As OpenTelemetry's shim writes references: the parent, and a link with its type."""
    return {"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": [{
            "traceId": trace, "spanId": span_id(number), "name": f"span {number}", "kind": KINDS[kind],
            "parentSpanId": span_id(parent) if parent else "",
            "startTimeUnixNano": str((BASE + start) * MS), "endTimeUnixNano": str((BASE + end) * MS),
            "links": [{"traceId": trace, "spanId": span_id(parent), "attributes": [
                {"key": "opentracing.ref_type", "value": {"stringValue": "follows_from"}}]}]
            if flag else []}]}]} for number, parent, kind, service, start, end, flag in spans]}


def jaeger(trace, spans):
    return {"data": [{"traceID": trace, "processes": {
        service: {"serviceName": service} for service in {span[3] for span in spans}}, "spans": [{
            "traceID": trace, "spanID": span_id(number), "operationName": f"span {number}",
            "references": [{"refType": "FOLLOWS_FROM" if flag else "CHILD_OF", "traceID": trace,
                            "spanID": span_id(parent)}] if parent else
            [{"refType": "CHILD_OF", "traceID": "0", "spanID": "0"}],
            "startTime": (BASE + start) * 1000, "duration": (end - start) * 1000, "processID": service,
            "tags": [{"key": "span.kind", "type": "string", "value": kind.lower()}]}
            for number, parent, kind, service, start, end, flag in spans]}]}


def zipkin(trace, spans):
    return [{"traceId": trace, "id": span_id(number), "name": f"span {number}", "kind": kind,
             "timestamp": (BASE + start) * 1000, "duration": (end - start) * 1000,
             "localEndpoint": {"serviceName": service}, **({"parentId": span_id(parent)} if parent else {})}
            for number, parent, kind, service, start, end, _ in spans]


class ClocksTest(WeftTest):
    def columns(self, weft, trace):
        status, body = weft.get(f"/api/weft/v1/trace/{trace}")
        self.assertEqual(status, 200)
        header, rows, _ = [json.loads(line) for line in body.splitlines()]
        return header, {key: [ns / MS for ns in rows[key]] for key in rows
                        if key in ("skew", "self", "critical", "selfReceived", "criticalReceived")}

    def check(self, weft, protocol, name):
        spans, shifts, own, path = CASES[name]
        trace = trace_id(protocol, name)
        with self.subTest(protocol=protocol, case=name):
            header, columns = self.columns(weft, trace)
            self.assertEqual((columns["skew"], columns["self"], columns["critical"]), (shifts, own, path))
            self.assertEqual(len(header["clocks"]), 1 if any(shifts) else 0)
            shown = weft.cli("trace", trace)
            received = weft.cli("trace", "--as-received", trace)
            if any(shifts):
                self.assertIn("moved by +40 ms", shown)
                self.assertIn("(50 %)", shown)
                self.assertIn("Times are shown as received", received)
                self.assertIn("(70 %)", received)
                self.assertEqual(columns["criticalReceived"], [70, 0, 0, 30])
            else:
                self.assertEqual(shown, received)
                self.assertNotIn("clock", shown)
            # What was received is what is given.
            starts = {span_id(number): (BASE + start) * 1000 for number, _, _, _, start, _, _ in spans}
            for answer in (weft.json(f"/api/traces/{trace}"),
                           json.loads(weft.cli("export", "--format", "jaeger", trace))):
                given = answer["data"][0]["spans"]
                self.assertEqual({s["spanID"]: s["startTime"] for s in given}, starts)
                wanted = {span_id(number): [("FOLLOWS_FROM" if flag else "CHILD_OF", span_id(parent))]
                          if parent else [] for number, parent, *_, flag in spans}
                self.assertEqual({s["spanID"]: [(r["refType"], r["spanID"]) for r in s["references"]]
                                  for s in given}, wanted)

    def test_what_is_moved_and_what_is_waited_for(self):
        weft = self.weft("exporters.store.flush.age=1s")
        with tempfile.TemporaryDirectory() as folder:
            for name, (spans, *_) in CASES.items():
                status, body = weft.post("/v1/traces", json.dumps(
                    otlp(trace_id("otlp", name), spans)).encode())
                self.assertEqual((status, json.loads(body).get("partialSuccess")), (200, None), body)
                path = pathlib.Path(folder) / "trace.json"
                path.write_text(json.dumps(jaeger(trace_id("jaeger", name), spans)), encoding="utf-8")
                weft.cli("import", str(path))
                if name in IN_ZIPKIN:
                    path.write_text(json.dumps(zipkin(trace_id("zipkin", name), spans)), encoding="utf-8")
                    weft.cli("import", str(path))
        for _ in range(2):
            for name in CASES:
                self.check(weft, "otlp", name)
                self.check(weft, "jaeger", name)
                if name in IN_ZIPKIN:
                    self.check(weft, "zipkin", name)
            # From a block.
            wait_for("a block of all", lambda: weft.status()["headSpans"] == 0, 60)

    def test_a_span_without_a_time_is_in_no_range(self):
        weft = self.weft("exporters.store.flush.age=1s")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "zipkin.json"
            path.write_text(json.dumps([
                {"traceId": "cc01", "id": "01", "name": "root", "timestamp": BASE * 1000, "duration": 50_000,
                 "localEndpoint": {"serviceName": "front"}}, {"traceId": "cc05", "id": "01"}]),
                encoding="utf-8")
            weft.cli("import", str(path))
        for _ in range(2):
            self.assertEqual(weft.status()["dataRange"],
                             {"startNs": str(BASE * MS), "endNs": str(BASE * MS)})
            self.assertEqual(weft.json("/api/weft/v1/search")["dataRange"]["startNs"], str(BASE * MS))
            header, _ = self.columns(weft, "cc05")
            self.assertEqual((header["startNs"], header["endNs"], header["shown"]), ("0", "0", [0, 0]))
            wait_for("a block of all", lambda: weft.status()["headSpans"] == 0, 60)

    def test_the_limit_is_an_option(self):
        for most, moved in (("1h", True), ("10ms", False)):
            weft = self.weft(f"exporters.store.max_clock_shift={most}")
            spans = CASES["siblings"][0]
            trace = trace_id("otlp", "siblings")
            weft.post("/v1/traces", json.dumps(otlp(trace, spans)).encode())
            header, columns = self.columns(weft, trace)
            self.assertEqual(any(columns["skew"]), moved)
            self.assertEqual(header["clocks"][0]["beyondLimit"], not moved)
            self.assertEqual(header["clocks"][0]["wantedNs"], 40 * MS)
            told = weft.cli("trace", "--max-clock-shift", most, trace)
            self.assertIn("moved by +40 ms" if moved else "left as received", told)


if __name__ == "__main__":
    import unittest
    unittest.main()
