# SPDX-License-Identifier: Apache-2.0
"""Tempo's API of the real server, asked as Grafana asks it: spans that an SDK sent are found by
search, tags and values, and both forms of both trace endpoints hold just the spans that weft's own
API has."""
import base64
import json
import time
import unittest
import urllib.parse

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from weft_process import WeftTest, fetch, wait_for

KINDS = {"SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3, "SPAN_KIND_INTERNAL": 1}


def send_shop(weft, orders):
    """Traces of two services: (trace id, ids of its spans) of each."""
    providers = {}
    for service in ("gateway", "checkout"):
        provider = TracerProvider(resource=Resource({"service.name": service, "region": "eu-1"}))
        provider.add_span_processor(BatchSpanProcessor(
            OTLPSpanExporter(endpoint=weft.http + "/v1/traces")))
        providers[service] = provider
    gateway = providers["gateway"].get_tracer("shop", "2.1")
    checkout = providers["checkout"].get_tracer("shop", "2.1")
    sent = []
    for order in range(orders):
        with gateway.start_as_current_span("GET /order", kind=SpanKind.SERVER) as root:
            root.set_attribute("http.status_code", 500 if order == 3 else 200)
            with checkout.start_as_current_span("POST /pay", kind=SpanKind.CLIENT) as pay:
                pay.set_attributes({"order.id": order, "order.rush": order % 2 == 0,
                                    "order.ratio": 0.5, "user": f"user-{order % 4}"})
                if order == 3:
                    pay.set_status(StatusCode.ERROR, "card declined")
                    pay.add_event("exception", {"exception.type": "CardError"})
        sent.append((f"{root.context.trace_id:032x}",
                     {f"{s.context.span_id:016x}" for s in (root, pay)}))
    for provider in providers.values():
        provider.shutdown()
    return sent


class TempoApi(WeftTest):
    def setUp(self):
        self.server = self.weft()
        self.tempo = f"http://127.0.0.1:{3200 + self.server.offset}"
        before = int(time.time())
        self.sent = send_shop(self.server, 8)
        self.range = {"start": before - 1, "end": int(time.time()) + 1}
        wait_for("all spans are there", lambda: self.server.status()["spans"] == 16)

    def ask(self, path, accept="application/json", root=None, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return fetch((root or self.tempo) + path + query, headers={"Accept": accept})

    def json(self, path, **parameters):
        status, body = self.ask(path, **parameters)
        self.assertEqual(status, 200, body[:500])
        return json.loads(body)

    def search(self, q, **parameters):
        return self.json("/api/search", q=q, limit=20, spss=3, **self.range, **parameters)["traces"]

    def values(self, tag, **parameters):
        answer = self.json(f"/api/v2/search/tag/{tag}/values", limit=5000, **parameters)
        return [(v["type"], v["value"]) for v in answer["tagValues"]]

    def test_search(self):
        everything = self.search("{}")
        self.assertEqual({t["traceID"] for t in everything}, {t for t, _ in self.sent})
        starts = [int(t["startTimeUnixNano"]) for t in everything]
        self.assertEqual(starts, sorted(starts, reverse=True))
        failed, = self.search("{nestedSetParent<0 && true && .http.status_code = 500}")
        self.assertEqual(failed["traceID"], self.sent[3][0])
        self.assertEqual((failed["rootServiceName"], failed["rootTraceName"]),
                         ("gateway", "GET /order"))
        failed, = self.search('{ resource.service.name = "checkout" && status = error && .order.id > 2 }')
        span_set, = failed["spanSets"]
        self.assertEqual(failed["spanSet"], span_set)
        span, = span_set["spans"]
        self.assertIn(span["spanID"], self.sent[3][1])
        self.assertEqual((span["name"], span_set["matched"]), ("POST /pay", 1))
        self.assertIn({"key": "order.id", "value": {"intValue": "3"}}, span["attributes"])
        self.assertEqual(failed["serviceStats"], {"checkout": {"spanCount": 1, "errorCount": 1},
                                                  "gateway": {"spanCount": 1}})
        by_tags = self.json("/api/search", tags='service.name=checkout user="user-3" order.id=3')
        self.assertEqual([t["traceID"] for t in by_tags["traces"]], [self.sent[3][0]])
        self.assertEqual(self.json("/api/search", start=1, end=2)["traces"], [])

    def test_tags(self):
        scopes = {s["name"]: s["tags"] for s in self.json("/api/v2/search/tags", limit=5000,
                                                          **self.range)["scopes"]}
        self.assertEqual(scopes["span"], ["http.status_code", "order.id", "order.ratio",
                                          "order.rush", "user"])
        self.assertIn("region", scopes["resource"])
        self.assertEqual(scopes["event"], ["exception.type"])
        self.assertIn("rootServiceName", scopes["intrinsic"])
        self.assertIn("service.name", self.json("/api/search/tags")["tagNames"])
        self.assertEqual(self.values("resource.service.name", q="{}"),
                         [("string", "checkout"), ("string", "gateway")])
        self.assertEqual(self.values("span.order.id", **self.range),
                         [("int", str(i)) for i in range(8)])
        self.assertEqual(self.values(".order.rush"), [("bool", "false"), ("bool", "true")])
        self.assertEqual(self.values(".order.ratio"), [("float", "0.5")])
        self.assertEqual(self.values("status"), [("keyword", "error"), ("keyword", "unset")])
        self.assertEqual(self.values("name", q='{ resource.service.name = "checkout" && span.x = '),
                         [("string", "POST /pay")])
        self.assertEqual(self.values(".user", q="{ status = error }"), [("string", "user-3")])
        self.assertEqual(self.json("/api/search/tag/service.name/values")["tagValues"],
                         ["checkout", "gateway"])

    def test_traces(self):
        for trace_id, span_ids in self.sent:
            native = {s["id"] for s in self.server.trace(trace_id)[1]}
            self.assertEqual(native, span_ids)
            v1 = self.json(f"/api/traces/{trace_id}", **self.range)["batches"]
            v2 = self.json(f"/api/v2/traces/{trace_id}", **self.range)["trace"]["resourceSpans"]
            self.assertEqual(v1, v2)
            spans = [s for r in v1 for c in r["scopeSpans"] for s in c["spans"]]
            self.assertEqual({base64.b64decode(s["spanId"]).hex() for s in spans}, native)
            self.assertEqual({base64.b64decode(s["traceId"]).hex() for s in spans}, {trace_id})
            by_id = {base64.b64decode(s["spanId"]): s for s in spans}
            # What Grafana fetches: protobuf, version 2 first.
            status, body = self.ask(f"/api/v2/traces/{trace_id}", "application/protobuf", **self.range)
            self.assertEqual(status, 200)
            wrapped = TracesData()
            wrapped.ParseFromString(self.unwrapped(body))
            status, body = self.ask(f"/api/traces/{trace_id}", "application/protobuf")
            plain = TracesData()
            plain.ParseFromString(body)
            self.assertEqual(wrapped, plain)
            decoded = [s for r in plain.resource_spans for c in r.scope_spans for s in c.spans]
            self.assertEqual({s.span_id.hex() for s in decoded}, native)
            for span in decoded:
                self.assertEqual(by_id[span.span_id]["name"], span.name)
                self.assertEqual(KINDS[by_id[span.span_id]["kind"]], span.kind)
                self.assertEqual(int(by_id[span.span_id]["endTimeUnixNano"]), span.end_time_unix_nano)
        self.assertEqual(self.ask("/api/v2/traces/" + "f" * 32)[0], 404)
        self.assertEqual(self.ask("/api/traces/" + self.sent[0][0], start=1, end=2)[0], 404)

    @staticmethod
    def unwrapped(body):
        """Field 1 of a TraceByIDResponse, which is all of it."""
        assert body[0] == 1 << 3 | 2
        length = shift = at = 0
        while True:
            at += 1
            length |= (body[at] & 0x7F) << shift
            shift += 7
            if body[at] < 0x80:
                break
        assert len(body) == at + 1 + length
        return body[at + 1:]

    def test_probes_and_errors(self):
        self.assertEqual(self.ask("/api/echo"), (200, b"echo"))
        self.assertEqual(self.ask("/ready")[0], 200)
        self.assertIn("version", self.json("/api/status/buildinfo"))
        self.assertEqual(self.ask("/api/overrides")[0], 404)
        status, body = self.ask("/api/search", q="{ .a = }")
        self.assertEqual(status, 400)
        self.assertIn(b"line 1, col 8", body)
        self.assertEqual(self.ask("/api/search", limit=0)[0], 400)
        status, body = self.ask("/api/metrics/query_range", q="{} | rate()")
        self.assertEqual(status, 501)
        self.assertIn(b"TraceQL metrics", body)
        main = self.server.url + "/tempo"
        self.assertEqual(self.ask("/api/echo", root=main), (200, b"echo"))
        self.assertEqual(self.ask("/api/v2/traces/" + self.sent[0][0], root=main)[0], 200)

    def test_traces_survive_a_restart(self):
        self.server.stop()
        self.server.start()
        self.assertEqual(len(self.search("{ .order.rush = true }")), 4)
        self.assertEqual(self.values(".user"), [("string", f"user-{i}") for i in range(4)])


if __name__ == "__main__":
    unittest.main()
