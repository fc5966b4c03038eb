# SPDX-License-Identifier: Apache-2.0
"""Services in Python and Node.js with their official SDKs and auto-instrumentation, one trace through
all of them: OTLP over gRPC, HTTP/JSON and HTTP/protobuf. The UI, the command line and the Jaeger API
must show the same spans."""
import json

from weft_process import CACHE, HERE, WeftTest, fetch, free, wait_for

SERVICES = HERE / "services"


def free_ports(count):
    ports, port = [], 21_000
    while len(ports) < count:
        port += 13
        if free(port):
            ports.append(port)
    return ports


class SdksTest(WeftTest):
    def python(self, weft, name, port, protocol, endpoint, env=None):
        self.spawn([CACHE / "venv/bin/opentelemetry-instrument", CACHE / "venv/bin/python",
                    SERVICES / f"{name}.py"], {
            "PORT": str(port), "OTEL_SERVICE_NAME": name, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_METRIC_EXPORT_INTERVAL": "500", "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100", **(env or {})}, log=weft.data.parent / f"{name}.log")

    def node(self, weft, name, port, env):
        self.spawn(["node", "--require", "@opentelemetry/auto-instrumentations-node/register",
                    SERVICES / f"{name}.cjs"], {
            "NODE_PATH": str(CACHE / "npm/node_modules"), "PORT": str(port), "OTEL_SERVICE_NAME": name,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_ENDPOINT": weft.http,
            "OTEL_TRACES_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "none",
            "OTEL_NODE_ENABLED_INSTRUMENTATIONS": "http,pino", "OTEL_NODE_RESOURCE_DETECTORS": "env,os,process", "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100", **env}, log=weft.data.parent / f"{name}.log")

    def buy(self, port):
        status, body = fetch(f"http://127.0.0.1:{port}/buy/lamp", seconds=20)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def test_one_trace_through_three_services_is_the_same_everywhere(self):
        weft = self.weft()
        shop, orders, stock = free_ports(3)
        url = "http://127.0.0.1:{}".format
        self.python(weft, "stock", stock, "http/protobuf", weft.http)
        self.node(weft, "orders", orders, {"STOCK_URL": url(stock)})
        self.python(weft, "shopfront", shop, "grpc", weft.grpc, {"ORDERS_URL": url(orders)})
        for port in (shop, orders, stock):
            wait_for(f"port {port} answers", lambda p=port: not free(p), 40)
        answer = self.buy(shop)
        self.assertEqual(answer["order"]["stock"], {"left": 0})
        trace_id = answer["traceId"]

        def whole():
            found = weft.trace(trace_id)
            return found and len(found[1]) >= 6 and found[0]["logs"] >= 3 and found
        header, spans = wait_for("all spans and logs of the trace", whole, 30)

        self.assertEqual(set(header["services"]), {"shopfront", "orders", "stock"})
        self.assertFalse(header["rootMissing"])
        self.assertEqual(header["rootService"], "shopfront")
        # Each service was called by the one before: one line from the root down.
        by_service = {}
        for row, span in enumerate(spans):
            by_service.setdefault(span["service"], []).append((row, span))
        first_of_stock = by_service["stock"][0][1]
        self.assertEqual(spans[first_of_stock["parent"]]["service"], "orders")
        first_of_orders = by_service["orders"][0][1]
        self.assertEqual(spans[first_of_orders["parent"]]["service"], "shopfront")
        failed = [s for s in spans if s["name"] == "read shelf"]
        self.assertEqual([s["status"] for s in failed], [2])
        ids = sorted(s["id"] for s in spans)

        # The command line, as a program and as a person reads it.
        cli = json.loads(weft.cli("trace", trace_id, "--json"))
        text = json.dumps(cli)
        for span_id in ids:
            self.assertIn(span_id, text)
        waterfall = weft.cli("trace", trace_id)
        for word in ("shopfront", "orders", "stock", "read shelf"):
            self.assertIn(word, waterfall)

        # Jaeger's API.
        jaeger = weft.json(f"/api/traces/{trace_id}")["data"]
        self.assertEqual(len(jaeger), 1)
        self.assertEqual(sorted(s["spanID"] for s in jaeger[0]["spans"]), ids)
        self.assertLessEqual({"shopfront", "orders", "stock"}, set(weft.json("/api/services")["data"]))

        # The UI: the same rows in the same order, and the logs of a span.
        shown = self.browse("trace", f"{weft.url}/trace/{trace_id}?fold=0")
        self.assertEqual(shown["complaints"], [])
        self.assertEqual((shown["count"], len(shown["rows"])), (len(spans), len(spans)), shown["rows"])
        for row, span in zip(shown["rows"], spans):
            self.assertIn(span["name"], row)
        for service, word in (("stock", "nothing left of lamp"), ("shopfront", "buying lamp"),
                              ("orders", "ordering lamp")):
            with_log = [s for s in spans if s["service"] == service and s["logs"]]
            self.assertTrue(with_log, f"no log on a span of {service}")
            page = self.browse("text", f"{weft.url}/trace/{trace_id}?span={with_log[0]['id']}", word)
            self.assertIn(word, page["text"])
        found = self.browse("search", f"{weft.url}/search?service=shopfront")
        self.assertIn(trace_id, found["traces"])
