# SPDX-License-Identifier: Apache-2.0
"""What weft says about itself: metrics as Prometheus' own parsers read them, a dashboard and alert
rules that ask for what is there, a log for machines, and weft's own traces."""
import json
import re
import shutil
import subprocess
import tempfile
import urllib.parse

import prometheus_client.openmetrics.parser as openmetrics
import prometheus_client.parser as older_text
import yaml

from otlp_text import TracesData, to_json
from weft_process import ROOT, Weft, WeftTest, fetch, free, wait_for

GRAFANA = ROOT / "docs" / "grafana"
# What Prometheus sends.
ACCEPT = ("application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
          "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
# What Prometheus adds to every series.
FROM_THE_SCRAPE = {"instance", "job"}
OWN = '{ resource.service.name = "weft" }'


def one_span(number=1):
    data = TracesData()
    group = data.resource_spans.add()
    attribute = group.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", "shop"
    span = group.scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = number.to_bytes(16), number.to_bytes(8), "GET /"
    span.start_time_unix_nano = span.end_time_unix_nano = 1_700_000_000 * 10**9 + number
    return to_json(data)


def search(weft, traceql, headers=None):
    status, body = weft.get("/api/weft/v1/search?" + urllib.parse.urlencode({"q": traceql}), headers)
    if status != 200:
        raise AssertionError(f"{traceql}: {status} {body[:500]!r}")
    return json.loads(body)["traces"]


def scrape(weft):
    """{sample name: its samples}, by Prometheus' parser."""
    status, body = weft.get("/metrics", {"Accept": ACCEPT})
    if status != 200:
        raise AssertionError(f"/metrics: {status}")
    samples = {}
    for family in openmetrics.text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return samples


def value(weft, name, **labels):
    return sum(s.value for s in scrape(weft)[name] if labels.items() <= s.labels.items())


class MetricsTest(WeftTest):
    def test_prometheus_reads_them_and_they_count_what_happened(self):
        weft = self.weft()
        self.assertEqual(weft.post("/v1/traces", one_span())[0], 200)
        self.assertEqual(weft.post("/v1/traces", b"{")[0], 400)
        self.assertEqual(weft.get("/api/weft/v1/search?q=%7B")[0], 400)
        self.assertEqual(len(search(weft, "{}")), 1)
        http = {"receiver": "otlp", "transport": "http", "signal": "traces"}
        self.assertEqual(value(weft, "weft_receiver_requests_total", **http), 2)
        self.assertEqual(value(weft, "weft_receiver_accepted_items_total", **http), 1)
        self.assertEqual(value(weft, "weft_receiver_refused_requests_total", reason="invalid_argument", **http), 1)
        self.assertEqual(value(weft, "weft_store_appended_spans_total"), 1)
        self.assertGreaterEqual(value(weft, "weft_store_wal_sync_seconds_count"), 1)
        self.assertEqual(value(weft, "weft_store_head_spans"), 1)
        # The answer may be here before it is counted.
        wait_for("a counted query", lambda: value(weft, "weft_query_seconds_count", kind="search") >= 1)
        self.assertEqual(value(weft, "weft_queries_total", kind="search", outcome="ok"), 1)
        older = weft.get("/metrics", {"Accept": "text/plain"})[1].decode()
        families = {f.name: f for f in older_text.text_string_to_metric_families(older)}
        self.assertEqual(families["weft_receiver_requests"].type, "counter")
        self.assertEqual(families["weft_store_wal_sync_seconds"].type, "histogram")

    def test_a_pull_reader_has_an_address_of_its_own(self):
        weft = Weft()
        self.addCleanup(weft.close)
        port = next(p for p in range(8888, 9888) if free(p + weft.offset))
        weft.arguments += ["--set", "service::telemetry::metrics::readers=[{pull: {exporter: {prometheus: "
                                    f"{{host: 127.0.0.1, port: {port}}}}}}}}}]"]
        weft.start()
        status, body = fetch(f"http://127.0.0.1:{port + weft.offset}/metrics", headers={"Accept": ACCEPT})
        self.assertEqual(status, 200)
        self.assertIn("weft_build", {f.name for f in openmetrics.text_string_to_metric_families(body.decode())})


class PromQl:
    """As much of an expression as tells what it asks for."""

    def __init__(self, text):
        self.text = re.sub(r"\$__rate_interval", "5m", text)
        quoted = re.sub(r'"[^"]*"', '""', self.text)
        self.balanced = all(quoted.count(a) == quoted.count(b) for a, b in ("()", "{}", "[]"))
        self.metrics = {}  # name: labels that are matched
        for name, matchers in re.findall(r"\b((?:weft|process)_\w+)(?:\{([^}]*)\})?", self.text):
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", matchers)))
            self.metrics.setdefault(name, set()).update(labels)
        self.grouped = {label.strip() for group in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", self.text)
                        for label in group.split(",")}


class GrafanaTest(WeftTest):
    @classmethod
    def setUpClass(cls):
        # TLS and authentication have series of their own: one listener has both.
        folder = tempfile.mkdtemp(prefix="weft-e2e-")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"],
                       cwd=folder, check=True, capture_output=True)
        grpc = "receivers::otlp::protocols::grpc"
        weft = Weft((f"{grpc}::tls={{cert_file: {folder}/cert.pem, key_file: {folder}/key.pem}}",
                     f"{grpc}::auth::authenticator=bearertokenauth", "extensions::bearertokenauth::token=hush",
                     "service::extensions=[query, bearertokenauth]"))
        try:
            weft.start()
            cls.labels = {}
            for name, samples in scrape(weft).items():
                cls.labels[name] = set().union(*(s.labels for s in samples))
        finally:
            weft.close()
            shutil.rmtree(folder)
        cls.rules = yaml.safe_load((GRAFANA / "weft-alerts.yml").read_text(encoding="utf-8"))
        cls.board = json.loads((GRAFANA / "weft-dashboard.json").read_text(encoding="utf-8"))

    def check_expression(self, text, place):
        query = PromQl(text)
        self.assertTrue(query.balanced, place)
        self.assertTrue(query.metrics, place)
        seen = set(FROM_THE_SCRAPE)
        for name, matched in query.metrics.items():
            self.assertIn(name, self.labels, place)
            self.assertLessEqual(matched, self.labels[name] | FROM_THE_SCRAPE, place)
            seen |= self.labels[name]
        self.assertLessEqual(query.grouped, seen, place)
        # What only grows is looked at by its growth; a histogram's quantile needs its bounds.
        for name in query.metrics:
            if name.endswith(("_total", "_bucket", "_count")) and "> 0" not in text:
                self.assertRegex(query.text, rf"(?:rate|increase)\({name}\b", place)
        if "histogram_quantile" in text:
            self.assertIn("le", query.grouped, place)
        return query

    def test_every_panel_asks_for_series_that_exist(self):
        panels = [p for p in self.board["panels"] if p["type"] != "row"]
        self.assertGreater(len(panels), 20)
        self.assertEqual(len({p["id"] for p in self.board["panels"]}), len(self.board["panels"]))
        asked = set()
        for panel in panels:
            self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"}, panel["title"])
            self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24, panel["title"])
            self.assertTrue(panel["targets"], panel["title"])
            for target in panel["targets"]:
                query = self.check_expression(target["expr"], panel["title"])
                self.assertIn("$instance", target["expr"], panel["title"])
                asked |= set(query.metrics)
                for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                    self.assertIn(label, set().union(FROM_THE_SCRAPE, *(self.labels[n] for n in query.metrics)))
        for kind in ("received", "refused", "dropped", "sync", "head", "block", "cache", "query", "auth", "tls"):
            self.assertTrue([name for name in asked if kind in name], f"no panel shows {kind}")
        covered = [(p["gridPos"], p.get("title")) for p in self.board["panels"]]
        for i, (a, title) in enumerate(covered):
            for b, other in covered[:i]:
                apart = (a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
                         or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"])
                self.assertTrue(apart, f"{title} lies over {other}")

    def test_every_alert_asks_for_series_that_exist_and_has_its_runbook(self):
        operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        anchors = {heading.lower() for heading in re.findall(r"^#+ (\S+)$", operations, re.M)}
        names = []
        for group in self.rules["groups"]:
            self.assertEqual(set(group), {"name", "rules"})
            for rule in group["rules"]:
                names.append(rule["alert"])
                self.assertLessEqual(set(rule), {"alert", "expr", "for", "labels", "annotations"}, rule["alert"])
                self.check_expression(rule["expr"], rule["alert"])
                self.assertRegex(rule.get("for", "0m"), r"^\d+[smh]$", rule["alert"])
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"), rule["alert"])
                self.assertTrue(rule["annotations"]["summary"], rule["alert"])
                page, anchor = rule["annotations"]["runbook"].split("#")
                self.assertTrue((ROOT / page).exists(), rule["alert"])
                self.assertIn(anchor, anchors, rule["alert"])
        self.assertEqual(len(names), len(set(names)))
        self.assertGreater(len(names), 10)


class LogTest(WeftTest):
    def test_a_line_is_an_object_and_repeats_are_held_back(self):
        weft = self.weft("service::telemetry::logs={encoding: json, level: debug}")
        for _ in range(40):
            weft.post("/v1/traces", b"{\x1b[31m")
        self.assertEqual(weft.stop(), 0)
        lines = [json.loads(line) for line in weft.log().splitlines() if line.startswith("{")]
        for line in lines:
            self.assertLessEqual({"ts", "level", "room", "msg"}, set(line))
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertIn("opened", [line["msg"] for line in lines if line["room"] == "store"])
        refused = [line for line in lines if line["msg"] == "refused a request"]
        self.assertTrue(refused)
        self.assertLess(len(refused), 40)
        self.assertEqual({line["reason"] for line in refused}, {"invalid_argument"})
        self.assertNotIn("\x1b", weft.log())


class OwnTracesTest(WeftTest):
    def test_a_query_leads_to_its_trace_and_looking_makes_no_other(self):
        weft = self.weft("service::telemetry::traces::exporter=store", "exporters::store::flush::age=1s")
        self.assertEqual(weft.post("/v1/traces", one_span())[0], 200)
        self.assertEqual(len(search(weft, '{ resource.service.name = "shop" }')), 1)
        wait_for("the query's own trace", lambda: weft.cli("query", OWN).count("query search") == 1)
        exemplars = {s.exemplar.labels["trace_id"] for s in scrape(weft)["weft_query_seconds_bucket"] if s.exemplar}
        self.assertEqual(len(exemplars), 1)
        header, spans = weft.trace(exemplars.pop())
        self.assertEqual(header["services"], ["weft"])
        self.assertEqual(spans[0]["name"], "query search")
        self.assertLessEqual({"parse", "plan", "scan"}, {s["name"] for s in spans})
        self.assertTrue(any("ingest" in t["rootName"] for t in search(weft, OWN)))
        # A flush of the shop's span is traced; one of nothing but such traces is not.
        def work(kind):
            return value(weft, f"weft_store_{kind}_seconds_count")
        wait_for("all in blocks", lambda: weft.status()["headSpans"] == 0
                 and work("flush") == value(weft, "weft_store_flushes_total") >= 1, 60)
        quiet = value(weft, "weft_self_trace_spans_total") - work("compaction")
        for _ in range(20):
            search(weft, OWN)
        wait_for("all in blocks again", lambda: weft.status()["headSpans"] == 0, 60)
        self.assertEqual(value(weft, "weft_self_trace_spans_total") - work("compaction"), quiet)
        self.assertEqual(value(weft, "weft_self_trace_dropped_spans_total"), 0)
