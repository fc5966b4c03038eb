# SPDX-License-Identifier: Apache-2.0
"""Jaeger's query API as its clients use it: a generated gRPC client, the requests of Grafana's Jaeger
source and those of jaeger-ui."""
import importlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData

from otlp_text import parse_json
from weft_process import HERE, Weft, WeftTest, fetch, wait_for

START_NS = (time.time_ns() // 10**9 - 600) * 10**9  # ten minutes ago, a whole second
MS = 10**6
# gRPC clients take messages up to 4 MiB: this trace has more.
LARGE_SPANS = 20_000


def generated_client():
    """The client that grpcio-tools makes of jaeger_query.proto: (messages, stubs)."""
    folder = tempfile.mkdtemp(prefix="weft-e2e-proto-")
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{HERE}", f"--python_out={folder}",
                    f"--grpc_python_out={folder}", str(HERE / "jaeger_query.proto")], check=True)
    sys.path.insert(0, folder)
    try:
        return (importlib.import_module("jaeger_query_pb2"),
                importlib.import_module("jaeger_query_pb2_grpc"))
    finally:
        sys.path.remove(folder)
        shutil.rmtree(folder)


def group(data, service):
    resource_spans = data.resource_spans.add()
    put(resource_spans.resource.attributes, "service.name", service)
    return resource_spans.scope_spans.add().spans


def put(attributes, key, value):
    entry = attributes.add()
    entry.key = key
    setattr(entry.value, {str: "string_value", int: "int_value", bool: "bool_value"}[type(value)], value)


def span(spans, trace_id, number, parent, name, kind, start_ms, end_ms):
    one = spans.add()
    one.trace_id, one.span_id, one.name, one.kind = trace_id, number.to_bytes(8, "big"), name, kind
    if parent:
        one.parent_span_id = parent.to_bytes(8, "big")
    one.start_time_unix_nano, one.end_time_unix_nano = START_NS + start_ms * MS, START_NS + end_ms * MS
    return one


def shop_trace(trace_id, start_ms=0):
    """storefront GET /checkout -> cart POST /pay, which fails -> bank."""
    data = TracesData()
    span(group(data, "storefront"), trace_id, 1, 0, "GET /checkout", 2, start_ms, start_ms + 120)
    pay = span(group(data, "cart/eu west"), trace_id, 2, 1, "POST /pay", 3, start_ms + 10, start_ms + 110)
    put(pay.attributes, "retries", 3)
    put(pay.attributes, "card", "visa")
    pay.status.code, pay.status.message = 2, "declined"
    event = pay.events.add()
    event.name, event.time_unix_nano = "exception", pay.start_time_unix_nano + MS
    put(event.attributes, "exception.type", "CardError")
    span(group(data, "bank"), trace_id, 3, 2, "authorize", 2, start_ms + 20, start_ms + 100)
    return data


def large_trace(trace_id):
    data = TracesData()
    dice = random.Random(3)
    spans = group(data, "bulk")
    for number in range(1, LARGE_SPANS + 1):
        one = span(spans, trace_id, number, number // 10, f"step {number % 7}", 1, 1000, 2000)
        put(one.attributes, "payload", dice.randbytes(120).hex())
    return data


def sorted_spans(data):
    """[(service, span)] by span id, so that grouping does not matter."""
    return sorted(((r.resource.attributes[0].value.string_value, s)
                   for r in data.resource_spans for ss in r.scope_spans for s in ss.spans),
                  key=lambda pair: pair[1].span_id)


def traces_data(messages):
    data = TracesData()
    for message in messages:
        data.resource_spans.extend(ResourceSpans.FromString(r) for r in message.resource_spans)
    return data


class JaegerApiTest(WeftTest):
    @classmethod
    def setUpClass(cls):
        cls.messages, cls.stubs = generated_client()

    def setUp(self):
        dice = random.Random(5)
        self.ids = [dice.randbytes(16), bytes(8) + dice.randbytes(8)]
        self.sent = [shop_trace(self.ids[0]), shop_trace(self.ids[1], 3000)]

    def serve(self, *sets, **options):
        weft = self.weft(*sets, **options)
        for data in self.sent:
            status, body = weft.post("/v1/traces", data.SerializeToString(), "application/x-protobuf")
            self.assertEqual(status, 200, body)
        return weft

    def client(self, weft, port=16685):
        channel = grpc.insecure_channel(f"127.0.0.1:{port + weft.offset}")
        self.addCleanup(channel.close)
        return self.stubs.QueryServiceStub(channel)

    def search(self, **conditions):
        question = self.messages.SearchQuestion()
        question.query.start_time_min.FromNanoseconds(START_NS - 10**9)
        question.query.start_time_max.FromNanoseconds(START_NS + 10 * 10**9)
        for duration in ("duration_min", "duration_max"):
            if duration in conditions:
                getattr(question.query, duration).FromNanoseconds(conditions.pop(duration))
        question.query.attributes.update(conditions.pop("attributes", {}))
        for name, value in conditions.items():
            setattr(question.query, name, value)
        return question

    # ------------------------------------------------------------------ gRPC

    def check_client(self, client):
        """What a generated client reads is what was sent."""
        pb = self.messages
        self.assertEqual(list(client.GetServices(pb.Nothing()).services), ["bank", "cart/eu west", "storefront"])
        operations = client.GetOperations(pb.OperationsQuestion(service="cart/eu west")).operations
        self.assertEqual([(o.name, o.span_kind) for o in operations], [("POST /pay", "client")])
        none = client.GetOperations(pb.OperationsQuestion(service="bank", span_kind="client"))
        self.assertEqual(len(none.operations), 0)
        between = pb.TimeRange()
        between.start_time.FromNanoseconds(START_NS)
        between.end_time.FromNanoseconds(START_NS + 10 * 10**9)
        links = client.GetDependencies(between).dependencies
        self.assertEqual([(d.parent, d.child, d.call_count) for d in links],
                         [("cart/eu west", "bank", 2), ("storefront", "cart/eu west", 2)])
        for trace_id, sent in zip(self.ids, self.sent):
            got = traces_data(client.GetTrace(pb.TraceQuestion(trace_id=trace_id.hex())))
            self.assertEqual(sorted_spans(got), sorted_spans(sent))
        # One condition after the other, each with a trace that it finds and one that it does not.
        for conditions, count in (({}, 2), ({"service_name": "bank"}, 2), ({"service_name": "nobody"}, 0),
                                  ({"service_name": "bank", "operation_name": "POST /pay"}, 0),
                                  ({"attributes": {"retries": "3", "error": "true", "exception.type": "CardError"}}, 2),
                                  ({"attributes": {"retries": "4"}}, 0),
                                  ({"duration_min": 110 * MS, "duration_max": 130 * MS}, 2),
                                  ({"duration_min": 121 * MS}, 0), ({"search_depth": 1}, 1)):
            with self.subTest(conditions=str(conditions)):
                found = list(client.FindTraces(self.search(**dict(conditions))))
                self.assertEqual(len({s.trace_id for _, s in sorted_spans(traces_data(found))}), count)
                summaries = [s for m in client.FindTraceSummaries(self.search(**dict(conditions)))
                             for s in m.summaries]
                self.assertEqual(len(summaries), count)
        newest = next(s for m in client.FindTraceSummaries(self.search(search_depth=1)) for s in m.summaries)
        self.assertEqual(MessageToDict(newest, preserving_proto_field_name=True), {
            "trace_id": self.ids[1].hex(), "root_service_name": "storefront",
            "root_operation_name": "GET /checkout",
            "min_start_time_unix_nano": str(START_NS + 3000 * MS),
            "max_end_time_unix_nano": str(START_NS + 3120 * MS), "span_count": 3, "error_span_count": 1,
            "services": [{"name": "bank", "span_count": 1},
                         {"name": "cart/eu west", "span_count": 1, "error_span_count": 1},
                         {"name": "storefront", "span_count": 1}]})

    def assert_refused(self, code, words, call):
        with self.assertRaises(grpc.RpcError) as refused:
            list(call)
        self.assertEqual(refused.exception.code(), code)
        self.assertIn(words, refused.exception.details())

    def test_a_generated_client_on_both_ports(self):
        weft = self.serve("exporters::store::flush::age=1s")
        for port in (16685, 16686):
            self.check_client(self.client(weft, port))
        client, pb = self.client(weft), self.messages
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "trace not found",
                            client.GetTrace(pb.TraceQuestion(trace_id="abc")))
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "1 to 32 hex digits",
                            client.GetTrace(pb.TraceQuestion(trace_id="xyz")))
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "from 1 to 10000",
                            client.FindTraces(self.search(search_depth=10_001)))
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "are required",
                            client.FindTraceSummaries(pb.SearchQuestion()))
        # From a block as from the head.
        wait_for("a block", lambda: weft.status()["headSpans"] == 0, 60)
        self.check_client(client)

    def test_text_that_is_no_utf8_costs_no_client_its_trace(self):
        sent = shop_trace(self.ids[0])
        broken = sent.SerializeToString().replace(b"POST /pay", b"POST \xff\xfeay").replace(
            b"CardError", b"Card\xe2\x82ror")
        with self.assertRaises(DecodeError):
            TracesData.FromString(broken)
        pay = sent.resource_spans[1].scope_spans[0].spans[0]
        pay.name, pay.events[0].attributes[0].value.string_value = "POST \ufffd\ufffday", "Card\ufffdror"
        weft = self.weft()
        self.assertEqual(weft.post("/v1/traces", broken, "application/x-protobuf")[0], 200)
        by_grpc = self.client(weft).GetTrace(self.messages.TraceQuestion(trace_id=self.ids[0].hex()))
        self.assertEqual(sorted_spans(traces_data(by_grpc)), sorted_spans(sent))
        status, body = fetch(f"http://127.0.0.1:{3200 + weft.offset}/api/traces/{self.ids[0].hex()}",
                             headers={"Accept": "application/protobuf"})
        self.assertEqual(status, 200)
        self.assertEqual(sorted_spans(TracesData.FromString(body)), sorted_spans(sent))
        # weft's own API gives what was received.
        status, body = fetch(f"{weft.url}/api/weft/v1/trace/{self.ids[0].hex()}/otlp",
                             headers={"Accept": "application/x-protobuf"})
        self.assertEqual(status, 200)
        self.assertIn(b"POST \xff\xfeay", body)

    def test_a_trace_larger_than_a_message(self):
        self.ids, self.sent = [bytes(range(16))], [large_trace(bytes(range(16)))]
        self.assertGreater(self.sent[0].ByteSize(), 5 << 20)
        weft = self.serve()
        messages = list(self.client(weft).GetTrace(self.messages.TraceQuestion(trace_id=self.ids[0].hex())))
        self.assertGreater(len(messages), 3)
        self.assertEqual(sorted_spans(traces_data(messages)), sorted_spans(self.sent[0]))

    def test_a_generated_client_over_tls(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-tls-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=weft",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        weft = Weft([f"extensions::query::tls={{cert_file: {folder}/cert.pem, key_file: {folder}/key.pem}}"])
        self.addCleanup(weft.close)
        weft.start(wait=False)

        def sent():
            self.assertIsNone(weft.process.poll(), weft.log())
            try:
                return all(weft.post("/v1/traces", data.SerializeToString(), "application/x-protobuf")[0] == 200
                           for data in self.sent)
            except OSError:
                return False
        wait_for("weft takes spans", sent, 60)
        trusted = grpc.ssl_channel_credentials((folder / "cert.pem").read_bytes())
        for port in (16685, 16686):
            address = f"localhost:{port + weft.offset}"
            with grpc.secure_channel(address, trusted) as channel:
                self.check_client(self.stubs.QueryServiceStub(channel))
            # Not for a client that does not know the certificate.
            with grpc.secure_channel(address, grpc.ssl_channel_credentials()) as channel:
                with self.assertRaises(grpc.RpcError) as refused:
                    self.stubs.QueryServiceStub(channel).GetServices(self.messages.Nothing(), timeout=20)
                self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE)

    # ------------------------------------------------------------------ HTTP

    def test_requests_of_grafanas_jaeger_source(self):
        weft = self.serve()

        def data(path):
            answer = weft.json(path)
            self.assertEqual(list(answer), ["data", "total", "limit", "offset", "errors"])
            self.assertIsNone(answer["errors"])
            return answer["data"]
        self.assertEqual(data("/api/services"), ["bank", "cart/eu west", "storefront"])
        self.assertEqual(data("/api/services/cart%2Feu%20west/operations"), ["POST /pay"])
        found = data("/api/traces?" + urllib.parse.urlencode({
            "service": "cart/eu west", "operation": "POST /pay", "tags": '{"retries":"3","error":"true"}',
            "minDuration": "10ms", "maxDuration": "1.2s", "limit": 20,
            "start": START_NS // 1000 - 10**6, "end": START_NS // 1000 + 10**7}))
        # An id of 64 bits is shown as such.
        self.assertEqual([t["traceID"] for t in found], [self.ids[1].hex()[16:], self.ids[0].hex()])
        one = data(f"/api/traces/{self.ids[0].hex()}?start={START_NS // 1000}&end={START_NS // 1000 + 10**6}")
        self.assertEqual(one, found[1:])
        pay = next(s for s in one[0]["spans"] if s["operationName"] == "POST /pay")
        self.assertEqual(one[0]["processes"][pay["processID"]], {"serviceName": "cart/eu west", "tags": []})
        self.assertEqual(pay["references"], [{"refType": "CHILD_OF", "traceID": self.ids[0].hex(),
                                              "spanID": "0000000000000001"}])
        self.assertEqual((pay["startTime"], pay["duration"]), (START_NS // 1000 + 10_000, 100_000))
        self.assertIn({"key": "retries", "type": "int64", "value": 3}, pay["tags"])
        self.assertIn({"key": "error", "type": "bool", "value": True}, pay["tags"])
        self.assertEqual(pay["logs"], [{"timestamp": pay["startTime"] + 1000, "fields": [
            {"key": "event", "type": "string", "value": "exception"},
            {"key": "exception.type", "type": "string", "value": "CardError"}]}])
        links = data(f"/api/dependencies?endTs={START_NS // MS + 10_000}&lookback=60000")
        self.assertEqual(links, [{"parent": "cart/eu west", "child": "bank", "callCount": 2},
                                 {"parent": "storefront", "child": "cart/eu west", "callCount": 2}])
        status, body = weft.get("/api/traces/abc")
        self.assertEqual((status, json.loads(body)["errors"]), (404, [{"code": 404, "msg": "trace not found"}]))
        # With its gRPC switch on; times come as they are, not escaped.
        self.assertEqual(weft.json("/api/v3/services"), {"services": ["bank", "cart/eu west", "storefront"]})
        self.assertEqual(weft.json("/api/v3/operations?service=bank"),
                         {"operations": [{"name": "authorize", "spanKind": "server"}]})
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(START_NS // 10**9))
        result = weft.json(f"/api/v3/traces/{self.ids[0].hex()}?start_time={when}Z&end_time={when}.5+00:00")
        self.assertEqual(sorted_spans(parse_json(result["result"], TracesData)), sorted_spans(self.sent[0]))

    def test_requests_of_jaeger_ui(self):
        weft = self.serve()

        def when(ns):
            return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9)) + f".{ns % 10**9:09}Z"
        query = {"query.serviceName": "storefront", "query.startTimeMin": when(START_NS - 10**9),
                 "query.startTimeMax": when(START_NS + 10 * 10**9), "query.searchDepth": 20,
                 "query.attributes": '{"http.method":"GET"}'}
        path = "/api/v3/trace-summaries?"
        self.assertEqual(weft.json(path + urllib.parse.urlencode(query)), {"summaries": []})
        query["query.attributes"] = "{}"
        summaries = weft.json(path + urllib.parse.urlencode(query))["summaries"]
        self.assertEqual([s["traceId"] for s in summaries], [i.hex() for i in reversed(self.ids)])
        self.assertEqual(summaries[1]["minStartTimeUnixNano"], str(START_NS))
        self.assertEqual((summaries[1]["spanCount"], summaries[1]["errorSpanCount"]), (3, 1))
        # Comparing: one of the two is gone.
        answer = weft.json(f"/api/traces?traceID={self.ids[0].hex()}&traceID=abc")
        self.assertEqual([t["traceID"] for t in answer["data"]], [self.ids[0].hex()])
        self.assertEqual(answer["errors"], [{"code": 404, "msg": "trace not found",
                                             "traceID": "0000000000000abc"}])
        self.assertEqual(weft.get("/api/unknown")[0], 404)
        query["query.searchDepth"] = 10_001
        status, body = weft.get(path + urllib.parse.urlencode(query))
        self.assertEqual((status, json.loads(body)["error"]["httpCode"]), (400, 400))
        self.assertIn("from 1 to 10000", json.loads(body)["error"]["message"])
