# SPDX-License-Identifier: Apache-2.0
"""`weft import` and `weft export`: recorded files of every format with exact counts, what is imported
twice, interrupted or wrong, and exports that come back the same.

Recorded data beside the repository (../shared/data, or WEFT_SHARED_DATA) is used where it is there;
its tests are skipped where it is not."""
import gzip
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

from otlp_text import LogsData, TracesData, logs_of, parse_json, spans_of
from weft_process import BINARY, ROOT, WeftTest, wait_for

RECORDED = ROOT / "test" / "wire" / "recorded"
SHARED = pathlib.Path(os.environ.get("WEFT_SHARED_DATA", ROOT.parent / "shared" / "data"))
CONVERTER = ROOT / "tools" / "nezha_to_otlp.py"
FORMATS = ("otlp-json", "otlp-protobuf", "jaeger", "zipkin")

# Spans and log records that are kept, spans that the file repeats, log records without a trace id.
COUNTS = {
    "jaeger-deathstarbench/social-network-20-traces.jaeger.json.zst": (660, 0, 0, 0),
    "jaeger-otlp-pairs/oltp2jaeger-multi-out.json": (4, 0, 0, 0),
    "jaeger-otlp-pairs/otlp2jaeger-in-error.json": (1, 0, 0, 0),
    "jaeger-otlp-pairs/otlp2jaeger-in.json": (1, 0, 1, 0),
    "jaeger-otlp-pairs/otlp2jaeger-multi-in-combined.json": (4, 0, 0, 0),
    "jaeger-otlp-pairs/otlp2jaeger-out.json": (1, 0, 1, 0),
    "jaeger-proto-joom/hotrod.jaeger-proto.ndjson.zst": (466, 0, 0, 0),
    "opensearch/hotrod.jaeger-es.bulk.ndjson.zst": (379, 0, 0, 0),
    "otlp-otel-demo/otel-demo.otlp.ndjson.zst": (547, 13, 0, 10),
    "otlp-spec-examples/events.json": (0, 0, 0, 1),
    "otlp-spec-examples/logs.json": (0, 1, 0, 0),
    "otlp-spec-examples/metrics.json": (0, 0, 0, 0),
    "otlp-spec-examples/trace.json": (1, 0, 0, 0),
    "otlp-thoth/_simple_hello_world.otlp.json": (2, 0, 0, 0),
    "otlp-thoth/context_propagation_http_wget.otlp.json": (7, 4, 0, 0),
    "otlp-thoth/injection_child.otlp.json": (8, 0, 0, 0),
    "otlp-thoth/injection_deep_java.otlp.json": (5, 4, 0, 0),
    "otlp-thoth/injection_deep_python.otlp.json.zst": (71, 0, 0, 0),
    "otlp-thoth/injection_docker_renovate.otlp.json.zst": (601, 26, 0, 0),
    "otlp-thoth/injection_shebang.otlp.json": (31, 0, 0, 0),
    "otlp-thoth/observe_subprocesses.otlp.json.zst": (305, 0, 0, 0),
    "otlp-tns-demo/trace-sample.json": (17, 0, 0, 0),
    "otlp-tns-demo/unpaired-trace-sample.json": (17, 0, 0, 0),
    "tempo-api-kiali/trace.tempo.json": (8, 0, 0, 0),
    "zipkin-v1-train-ticket/cancel-2.json": (13, 0, 0, 0),
    "zipkin-v1-train-ticket/case1-success.json.zst": (79, 0, 0, 0),
    "zipkin-v2/ascend.json": (8, 0, 0, 0),
    "zipkin-v2/envoy.json": (1, 0, 0, 0),
    "zipkin-v2/messaging.json": (4, 0, 0, 0),
    "zipkin-v2/messaging2.json": (11, 0, 0, 0),
    "zipkin-v2/simple-db-p6.json": (5, 0, 0, 0),
    "zipkin-v2/skew.json": (4, 0, 0, 0),
    "zipkin-v2/smartthings-mobile-web-install.json.zst": (1041, 0, 0, 0),
}
# What claims to be no format of weft's: named, and nothing of it is stored.
FOREIGN = ("elastic-apm-nodejs/apm-nodejs-traces-3.29.0.intake-v2.ndjson.zst",
           "nested-tracetest/big-trace.nested.json.zst",
           "opensearch/data-prepper-1.otel-span.bulk.ndjson.zst",
           "tempo-api-kiali/search.tempo.json")

SMALL_JAEGER = {"data": [{"traceID": "a1", "processes": {"p1": {"serviceName": "shop", "tags": []}}, "spans": [
    {"traceID": "a1", "spanID": "b1", "operationName": "checkout", "references": [], "processID": "p1",
     "startTime": 1700000000000000, "duration": 5000, "logs": [],
     "tags": [{"key": "http.status_code", "type": "int64", "value": 500}, {"key": "error", "type": "bool", "value": True}]},
    {"traceID": "a1", "spanID": "b2", "operationName": "pay", "processID": "p1", "startTime": 1700000000001000,
     "duration": 3000, "tags": [], "logs": [],
     "references": [{"refType": "CHILD_OF", "traceID": "a1", "spanID": "b1"}]}]}]}


def recorded(name):
    """The recorded file, or None where it is not."""
    for folder in (SHARED / "formats", RECORDED):
        if (folder / name).exists():
            return folder / name
    return None


def unpacked(path):
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", "--long=27", path], capture_output=True, check=True).stdout
    return path.read_bytes()


def many_spans(path, count):
    """OTLP lines of `count` spans in traces of 10; the file is large enough to be interrupted."""
    with open(path, "w", encoding="ascii") as file:
        for first in range(0, count, 500):
            spans = ",".join(
                f'{{"traceId":"{1 + i // 10:032x}","spanId":"{1 + i:016x}","name":"step {i % 7}",'
                f'"startTimeUnixNano":"{1700000000000000000 + i * 1000}","endTimeUnixNano":"{1700000000000000900 + i * 1000}"}}'
                for i in range(first, min(count, first + 500)))
            file.write('{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"many"}}]},'
                       f'"scopeSpans":[{{"spans":[{spans}]}}]}}]}}\n')


# Runs its arguments; the last line is the most memory that they held, in kilobytes. Asked of a process of its own:
# Linux counts what a child had before its exec(), which is what the whole test runner has.
AND_SAY_PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
sys.stdout.write("\\n" + str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


class ImportTest(WeftTest):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-import-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"

    def run_weft(self, *arguments, check=True, seconds=600, **options):
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, timeout=seconds, check=False, **options)
        if check:
            self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stderr.decode()}")
        return done

    def add(self, *files, data=None, check=True, **options):
        """The counts that `weft import --json` gives."""
        done = self.run_weft("import", "--json", "--data", data or self.data, *files, check=check, **options)
        return json.loads(done.stdout)

    def assert_counts(self, counts, kept=0, duplicates=0, rejected=0, **others):
        wanted = {"kept": kept, "duplicates": duplicates, "rejected": rejected, **others}
        self.assertEqual({name: counts[name] for name in wanted}, wanted, counts)

    def export(self, data, output, form="otlp-json", query="{}"):
        self.run_weft("export", "--data", data, "--query", query, "--format", form, "--output", output)
        return output

    def everything(self, data):
        """Every span and log record of a directory, by its OTLP export."""
        spans, logs = set(), set()
        for line in self.export(data, self.folder / "everything.ndjson").read_bytes().splitlines():
            document = json.loads(line)
            if "resourceSpans" in document:
                spans |= set(spans_of(parse_json(document, TracesData)))
            else:
                logs |= set(logs_of(parse_json(document, LogsData)))
        return spans, logs

    def server_on(self, data):
        self.assertEqual(pathlib.Path(data).name, "data")
        return self.weft(data=pathlib.Path(data).parent)

    # ---- formats

    def test_recorded_files_are_counted_exactly_and_once(self):
        read = 0
        for name, (spans, logs, repeated, untraced) in COUNTS.items():
            if not (path := recorded(name)):
                continue
            with self.subTest(name):
                data = self.folder / f"store-{read}"
                self.assert_counts(self.add(path, data=data), spans, repeated, keptLogs=logs, rejectedLogs=untraced,
                                   badDocuments=0, failedFiles=0)
                self.assert_counts(self.add(path, data=data), 0, spans + repeated, keptLogs=0, duplicateLogs=logs)
                shutil.rmtree(data)
                read += 1
        self.assertGreaterEqual(read, 24)

    def test_files_of_no_known_format_are_named(self):
        for name in FOREIGN:
            if not (path := recorded(name)):
                continue
            with self.subTest(name):
                done = self.run_weft("import", "--json", "--data", self.data, path, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"no spans of OTLP, Jaeger or Zipkin in this JSON", done.stderr)
                self.assertIn(b"document at line ", done.stderr)
                self.assert_counts(json.loads(done.stdout), 0, 0, 0)

    def test_exports_of_recorded_files_come_back_the_same(self):
        for name in ("otlp-otel-demo/otel-demo.otlp.ndjson.zst", "zipkin-v2/smartthings-mobile-web-install.json.zst",
                     "zipkin-v2/messaging2.json", "jaeger-otlp-pairs/oltp2jaeger-multi-out.json",
                     "jaeger-deathstarbench/social-network-20-traces.jaeger.json.zst",
                     "opensearch/hotrod.jaeger-es.bulk.ndjson.zst"):
            if not (path := recorded(name)):
                continue
            own = {"zipkin": "zipkin", "jaeger": "jaeger", "opensea": "jaeger"}.get(name[:7].split("-")[0])
            source = self.folder / "source" / "data"
            self.add(path, data=source)
            wanted = self.everything(source)
            for form in FORMATS:
                with self.subTest(name, form=form):
                    copy = self.folder / "copies" / name.replace("/", "-") / form
                    end = {"otlp-json": ".ndjson.gz", "jaeger": ".json.zst", "otlp-protobuf": ".pb.lz4"}.get(form, ".json")
                    file = self.export(source, self.folder / f"export{end}", form)
                    counts = self.add(file, data=copy)
                    self.assertEqual(counts["kept"] + counts["duplicates"], len(wanted[0]), counts)
                    self.assert_counts(counts, counts["kept"], counts["duplicates"], badDocuments=0)
                    # OTLP keeps everything; Jaeger and Zipkin what they wrote themselves.
                    if form.startswith("otlp") or form == own:
                        got = self.everything(copy)
                        self.assertEqual(got[0], wanted[0])
                        self.assertEqual(got[1], wanted[1])
            shutil.rmtree(source)

    # ---- ways in and out

    def test_compressed_files_archives_and_standard_input(self):
        text = json.dumps(SMALL_JAEGER)
        plain = self.folder / "plain.json"
        plain.write_text(text, encoding="ascii")
        (self.folder / "squeezed").write_bytes(gzip.compress(text.encode()))
        (self.folder / "notes.txt").write_text("no spans here\n", encoding="ascii")
        with tarfile.open(self.folder / "all.tar.gz", "w:gz") as archive:
            for name in ("plain.json", "squeezed"):
                archive.add(self.folder / name, arcname=f"folder/{name}")
        self.assert_counts(self.add(plain, self.folder / "squeezed"), 2, 2)
        self.assert_counts(self.add(self.folder / "all.tar.gz"), 0, 4, files=1)
        self.assert_counts(self.add("-", input=text.encode()), 0, 2)
        with tarfile.open(self.folder / "mixed.tar", "w") as archive:
            for name in ("notes.txt", "plain.json"):
                archive.add(self.folder / name, arcname=name)
        done = self.run_weft("import", "--json", "--data", self.data, self.folder / "mixed.tar", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"mixed.tar: notes.txt: document at line 1, byte 0: not a JSON document", done.stderr)
        self.assert_counts(json.loads(done.stdout), 0, 2, badDocuments=1)

    def test_a_server_takes_and_gives_the_same(self):
        weft = self.weft()
        file = self.folder / "trace.json"
        file.write_text(json.dumps(SMALL_JAEGER), encoding="ascii")
        self.assert_counts(json.loads(weft.cli("import", "--json", str(file))), 2)
        self.assert_counts(json.loads(weft.cli("import", "--json", str(file))), 0, 2)
        trace_id = "000000000000000000000000000000a1"
        _, spans = weft.trace(trace_id)
        self.assertEqual([(s["name"], s["service"]) for s in spans], [("checkout", "shop"), ("pay", "shop")])
        found = weft.json("/api/traces/" + trace_id)["data"][0]["spans"]
        self.assertEqual({(s["operationName"], s["startTime"], s["duration"]) for s in found},
                         {("checkout", 1700000000000000, 5000), ("pay", 1700000000001000, 3000)})
        self.assertIn(trace_id, weft.cli("query", "{ span.http.status_code = 500 && status = error }"))
        by_id = self.run_weft("export", "--url", weft.url, "a1", "--format", "jaeger").stdout
        self.assertEqual({s["spanID"] for s in json.loads(by_id)["data"][0]["spans"]}, {"00000000000000b1", "00000000000000b2"})
        by_query = self.run_weft("export", "--url", weft.url, "--query", '{ name = "pay" }', "--format", "zipkin").stdout
        self.assertEqual(len(json.loads(by_query)), 2)
        self.assertEqual(self.run_weft("export", "--url", weft.url, "ffff", check=False).returncode, 3)
        self.assertEqual(self.run_weft("export", "--url", weft.url, check=False).returncode, 2)
        self.assertEqual(self.run_weft("export", "--url", weft.url, "--query", "{ nonsense", check=False).returncode, 2)

    def test_reported_files_are_read_rightly(self):
        if not (SHARED / "faults").is_dir():
            self.skipTest(f"no reported files in {SHARED}")
        weft = self.weft()
        for name, kept, rejected in (("A-int-overflow-101-spans.json", 101, 0), ("A-intValue-minus-1.5e300.json", 2, 0),
                                     ("A-kind-SERVER.json", 2, 0), ("control-short-parent-id.json", 1, 1),
                                     ("silent-old-instrumentationLibrarySpans.json", 1, 0),
                                     ("silent-tempo-batches.json", 1, 0), ("grafana-export.json", 1, 0),
                                     ("fileexporter-json-zstd.out", 9, 0)):
            with self.subTest(name):
                file = SHARED / "faults" / name
                counts = self.add(file, data=self.folder / name)
                self.assert_counts(counts, kept, 0, rejected, badDocuments=0, problems=[])
                self.assertEqual(sum(reason["count"] for reason in counts["rejections"]), rejected)
                self.assert_counts(json.loads(weft.cli("import", "--json", str(file))), kept, 0, rejected)

    # ---- copies and twins

    def downloads(self, weft, trace_id):
        """Every form in which a trace can be had, by name, with the number of its spans."""
        forms = {path: weft.get(path.format(trace_id), {"Accept": "application/json"})[1] for path in (
            "/api/traces/{}", "/api/v3/traces/{}", "/tempo/api/traces/{}", "/tempo/api/v2/traces/{}", "/api/weft/v1/trace/{}/otlp")}
        for form in FORMATS:
            forms[form] = self.run_weft("export", "--url", weft.url, trace_id, "--format", form).stdout
        return forms

    def test_downloads_into_the_store_that_they_come_from_add_nothing(self):
        for name in ("otlp-otel-demo/otel-demo.otlp.ndjson.zst", "otlp-thoth/observe_subprocesses.otlp.json.zst",
                     "zipkin-v2/messaging2.json", "zipkin-v2/smartthings-mobile-web-install.json.zst",
                     "zipkin-v1-train-ticket/cancel-2.json", "jaeger-otlp-pairs/oltp2jaeger-multi-out.json",
                     "jaeger-proto-joom/hotrod.jaeger-proto.ndjson.zst", "opensearch/hotrod.jaeger-es.bulk.ndjson.zst",
                     "otlp-tns-demo/trace-sample.json"):
            if not (path := recorded(name)):
                continue
            weft = self.weft()
            weft.cli("import", "--json", str(path))
            ids = sorted({line for line in re.findall(r'"traceId":"([0-9a-f]{32})"', weft.cli("export", "--query", "{}"))})
            for trace_id in ids[:3]:
                before = weft.get(f"/api/weft/v1/trace/{trace_id}")[1]
                spans = json.loads(before.splitlines()[0])["spans"]
                for form, text in self.downloads(weft, trace_id).items():
                    with self.subTest(name, trace=trace_id, form=form):
                        done = self.run_weft("import", "--json", "--url", weft.url, "-", input=text)
                        self.assert_counts(json.loads(done.stdout), 0, spans, sameId=0, finer=0, badDocuments=0)
                        self.assertEqual(weft.get(f"/api/weft/v1/trace/{trace_id}")[1], before)
            weft.stop()

    def test_the_same_id_with_other_content_is_kept_and_named(self):
        weft = self.weft()
        file = self.folder / "trace.json"
        file.write_text(json.dumps(SMALL_JAEGER), encoding="ascii")
        weft.cli("import", str(file))
        file.write_text(json.dumps(SMALL_JAEGER).replace('"pay"', '"refund"'), encoding="ascii")
        text = weft.cli("import", str(file))
        self.assertIn("spans: 1 kept, 1 duplicate, 0 rejected\n", text)
        self.assertIn("1 span has the id of another span with other content: "
                      "00000000000000b2 of trace 000000000000000000000000000000a1\n", text)
        self.assert_counts(json.loads(weft.cli("import", "--json", str(file))), 0, 2, sameId=0)
        warning = "2 spans share their id with another one of other content, 00000000000000b2 for one"
        trace_id = "000000000000000000000000000000a1"
        header, _ = weft.trace(trace_id)
        self.assertIn(warning, header["warnings"][0])
        trace = weft.json("/api/traces/" + trace_id)["data"][0]
        self.assertIn(warning, trace["warnings"][0])
        self.assertEqual({s["operationName"] for s in trace["spans"] if s["warnings"]}, {"pay", "refund"})
        self.assertIn(warning, weft.cli("trace", trace_id))

    def test_a_finer_original_is_kept_beside_the_download_that_came_first(self):
        source, copy = self.folder / "source" / "data", self.folder / "copy" / "data"
        lines = self.folder / "few.ndjson"
        lines.write_text('{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},'
                         '"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","name":"a",'
                         '"startTimeUnixNano":"1700000000000000123","endTimeUnixNano":"1700000000005000456"}]}]}]}' % (0xa2, 0xb1),
                         encoding="ascii")
        self.add(lines, data=source)
        for form in ("jaeger", "zipkin"):
            shutil.rmtree(copy, ignore_errors=True)
            download = self.export(source, self.folder / f"{form}.json", form)
            self.assert_counts(self.add(download, data=copy), 1)
            self.assert_counts(self.add(lines, data=copy), 1, 0, finer=1, sameId=0)
            self.assert_counts(self.add(lines, download, data=copy), 0, 2, finer=0, sameId=0)

    # ---- what is wrong, cut off or interrupted

    def test_json_output_has_the_reasons(self):
        ids = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "svc"}}, {"key": 7}]}
        good = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [ids, {**ids, "kind": "ODD"}]}]}]}
        file = self.folder / "reasons.ndjson"
        file.write_text(json.dumps(good) + '\n{"spanz": [{}]}\n{"resourceSpans": [{"spans": [{}]}]}\n', encoding="ascii")
        done = self.run_weft("import", "--json", "--data", self.data, file, check=False)
        self.assertEqual(done.returncode, 1)
        counts = json.loads(done.stdout)
        self.assert_counts(counts, 1, 0, 1, leftOut=1, badDocuments=2)
        self.assertEqual([reason["count"] for reason in counts["rejections"]], [1])
        self.assertRegex(counts["rejections"][0]["message"], r"reasons\.ndjson: document at line 1, byte 0: "
                         r"resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[1\]\.kind: byte \d+: expected ")
        self.assertIn("resourceSpans[0].resource.attributes[1].key: byte ", counts["omissions"][0]["message"])
        self.assertEqual(len(counts["problems"]), 2)
        self.assertIn('line 2, byte ', counts["problems"][0]["message"])
        self.assertIn('found "spanz"', counts["problems"][0]["message"])
        self.assertIn('found "spans", expected "scopeSpans"', counts["problems"][1]["message"])
        self.assertIn(b'found "spanz"', done.stderr)

    def test_one_document_is_bounded(self):
        """A megabyte of gzip that holds a gigabyte: memory stays near what one item may have."""
        good = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [
            {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}]}]}]}).encode()
        for name, head, unit, tail, named in (
                ("space", b"", b" ", b"", ""),
                ("text", b'{"resourceSpans":[{"schemaUrl":"', b"a", b'"}]}', "larger than 64 MiB"),
                ("spans", b'{"resourceSpans":[{"scopeSpans":[{"spans":[', b"{},", b"{}]}]}]}",
                 "more parts than an item of 64 MiB may have")):
            with self.subTest(name):
                bomb = self.folder / f"{name}.json.gz"
                with gzip.open(bomb, "wb", compresslevel=1) as file:
                    file.write(head)
                    piece = unit * ((1 << 20) // len(unit))
                    for _ in range(1024):
                        file.write(piece)
                    file.write(tail + b"\n" + good)
                done = subprocess.run([sys.executable, "-c", AND_SAY_PEAK, BINARY, "import", "--json", "--item-max", "64MiB",
                                       "--data", self.folder / name, bomb], capture_output=True, text=True, check=False)
                text, peak_kilobytes = done.stdout.rsplit("\n", 1)
                errors = done.stderr
                self.assert_counts(json.loads(text), 1, badDocuments=int(bool(named)))
                self.assertEqual(done.returncode, int(bool(named)), errors)
                if named:
                    self.assertIn(f"{name}.json.gz: document at line 1, byte 0: resourceSpans[0] at byte 18: "
                                  f"{named}", errors)
                self.assertLess(int(peak_kilobytes), 300 << 10, "kilobytes")

    def test_what_is_wrong_is_named_and_the_rest_is_kept(self):
        good = json.dumps(SMALL_JAEGER)
        bad_span = good.replace('"duration": 3000', '"duration": "soon"').replace('"a1"', '"a2"')
        lines = self.folder / "lines.ndjson"
        lines.write_text(f"{good}\nnot json\n{bad_span}\n[1,2", encoding="ascii")
        done = self.run_weft("import", "--json", "--data", self.data, lines, check=False)
        self.assertEqual(done.returncode, 1)
        self.assert_counts(json.loads(done.stdout), 3, 0, 1, badDocuments=1, failedFiles=1)
        self.assertIn(b"lines.ndjson: document at line 2, byte ", done.stderr)
        self.assertIn(b"line 4 (byte ", done.stderr)
        text = self.run_weft("import", "--data", self.data, lines, check=False).stdout.decode()
        self.assertIn("first rejection: ", text)
        self.assertIn("line 3, byte ", text)
        self.assertIn("data[0].spans[1].duration", text)
        cut = self.folder / "cut.json.gz"
        cut.write_bytes(gzip.compress(good.encode() * 1000)[:-30])
        done = self.run_weft("import", "--data", self.data, cut, self.folder / "absent", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cut off", done.stderr)
        self.assertIn(b"absent: cannot open it", done.stderr)
        # However much went wrong before, why a file was given up is said.
        lines.write_text("not json\n" * 15 + "[1,2", encoding="ascii")
        done = self.run_weft("import", "--data", self.data, lines, check=False)
        self.assertIn(b": 5 more like these", done.stderr)
        self.assertIn(b"line 16 (byte ", done.stderr.splitlines()[-1])
        lines.write_text(bad_span, encoding="ascii")
        self.assertIn(b"not of the format asked for",
                      self.run_weft("import", "--data", self.data, "--format", "zipkin", lines, check=False).stderr)

    def test_an_interrupted_import_goes_on_where_it_was(self):
        spans = 400_000
        file, state = self.folder / "many.ndjson", self.folder / "state.json"
        many_spans(file, spans)
        command = ["import", "--json", "--data", self.data, "--resume", state, file]
        for stop in (signal.SIGINT, signal.SIGKILL):
            before = state.read_bytes() if state.exists() else b""
            process = subprocess.Popen([BINARY, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for("the place is noted", lambda: (state.exists() and state.read_bytes() != before)
                     or process.poll() is not None, 120)
            process.send_signal(stop)
            out, error = process.communicate(timeout=120)
            self.assertNotEqual(process.returncode, 0, "it was done before it was stopped")
            if stop == signal.SIGINT:
                self.assertIn(b"interrupted", error)
                kept = json.loads(out)["kept"]
                self.assertTrue(0 < kept < spans, kept)
                noted = json.loads(state.read_bytes())["counts"]
                self.assertEqual((noted["kept"], noted["duplicates"]), (kept, 0))
        counts = json.loads(self.run_weft(*command).stdout)
        # What was stored in the moment before the kill is found again.
        self.assertEqual(counts["kept"] + counts["duplicates"], spans, counts)
        self.assertLess(counts["duplicates"], spans / 2)
        self.assertEqual(json.loads(self.run_weft(*command).stdout), counts)
        self.assert_counts(self.add(file), 0, spans)
        refused = self.run_weft("import", "--data", self.folder / "other", "--resume", state, file, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"belongs to an import into", refused.stderr)

    def test_an_import_that_waits_for_input_ends_at_the_first_signal(self):
        def catches(pid, number):
            caught = re.search(r"SigCgt:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
            return int(caught[1], 16) >> (number - 1) & 1

        for number in (signal.SIGINT, signal.SIGTERM):
            for sent in (b"", b'{"resourceSpans":[]}\n', gzip.compress(b"x" * 10_000)[:-30]):
                with self.subTest(signal=number, sent=sent):
                    process = subprocess.Popen([BINARY, "import", "--data", str(self.data), "-"],
                                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    self.addCleanup(process.kill)
                    process.stdin.write(sent)
                    process.stdin.flush()
                    wait_for("the signal is waited for", lambda: catches(process.pid, number), 60)
                    process.send_signal(number)
                    self.assertEqual(process.wait(30), 1)
                    self.assertEqual(process.stdout.read(), b"spans: 0 kept, 0 duplicate, 0 rejected\n")
                    self.assertIn(b"interrupted", process.stderr.read())
                    for stream in (process.stdin, process.stdout, process.stderr):
                        stream.close()

    def test_a_person_sees_how_far_it_is(self):
        file = self.folder / "many.ndjson"
        many_spans(file, 300_000)
        leader, follower = pty.openpty()
        process = subprocess.Popen([BINARY, "import", "--data", str(self.data), str(file)],
                                   stdout=subprocess.DEVNULL, stderr=follower)
        os.close(follower)
        drawn = b""
        try:
            while True:
                if select.select([leader], [], [], 0.05)[0]:
                    drawn += os.read(leader, 4096)
                elif not drawn:
                    # A short import draws nothing: on a quick machine it is held until it is a long one.
                    process.send_signal(signal.SIGSTOP)
                    time.sleep(0.6)
                    process.send_signal(signal.SIGCONT)
        except OSError:  # the other side has gone
            pass
        os.close(leader)
        self.assertEqual(process.wait(120), 0)
        self.assertRegex(drawn.decode(), r"\[#+\.*\] +\d+ %  [\d,]+ spans, [\d,]+ a second")
        self.assertTrue(drawn.endswith(b"\r\x1b[K"), drawn[-100:])

    # ---- the large recorded sets

    @unittest.skipUnless((SHARED / "traceweaver").exists(), "no recorded data beside the repository")
    def test_traceweaver(self):
        archives = sorted((SHARED / "traceweaver").glob("*.tar.zst"))
        self.assert_counts(self.add(*archives), 157_500, badDocuments=0)
        self.assert_counts(self.add(*archives), 0, 157_500)
        with tempfile.NamedTemporaryFile() as plain:
            plain.write(unpacked(archives[0]))
            plain.flush()
            with tarfile.open(plain.name) as archive:
                member = next(m for m in archive if m.isfile())
                source = json.load(archive.extractfile(member))["data"][0]
        weft = self.server_on(self.data)
        answer = weft.json("/api/traces/" + source["traceID"])["data"][0]

        def facts(trace):
            return {(s["spanID"].zfill(16), s["operationName"], s["startTime"], s["duration"],
                     trace["processes"][s["processID"]]["serviceName"],
                     *(r["spanID"].zfill(16) for r in s["references"]),
                     *sorted(str((t["key"], t["value"])) for t in s["tags"] if t["key"] != "internal.span.format"))
                    for s in trace["spans"]}

        def known(trace):
            for span in trace["spans"]:
                span["tags"] = [t for t in span["tags"] if t["key"] not in ("error", "otel.status_code")]
            return facts(trace)

        self.assertEqual(known(answer), known(source))
        weft.stop()
        copy = self.folder / "copy"
        self.assert_counts(self.add(self.export(self.data, self.folder / "all.json.zst", "jaeger"), data=copy), 157_500)
        self.assert_counts(self.add(self.export(copy, self.folder / "again.ndjson.zst"), data=self.data), 0, 157_500)

    @unittest.skipUnless((SHARED / "nezha").exists(), "no recorded data beside the repository")
    def test_nezha(self):
        nezha = SHARED / "nezha"
        folders = [f for system in ("ob", "tt") for f in sorted((nezha / system).glob("20*"))]
        lines = self.folder / "nezha.ndjson"
        with open(lines, "wb") as file:
            done = subprocess.run([sys.executable, CONVERTER, "--no-logs", *folders], stdout=file,
                                  stderr=subprocess.PIPE, timeout=900, check=True)
        self.assertIn(b"1278923 rows: 1278923 spans", done.stderr)
        self.assert_counts(self.add(lines), 1_267_414, 11_509, badDocuments=0)
        self.assert_counts(self.add(lines), 0, 1_278_923)
        rows = unpacked(nezha / "ob/2022-08-22/trace/05_19_trace.csv.zst").decode().splitlines()[1:]
        trace_id = rows[0].split(",")[0]
        wanted = set()
        for _, span, parent, pod, name, start, end, _ in (r.split(",") for r in rows if r.startswith(trace_id)):
            wanted.add((span, "" if parent == "root" else parent, name, pod.rsplit("-", 2)[0], int(start), int(end)))
        weft = self.server_on(self.data)
        got = set()
        _, body = weft.get(f"/api/weft/v1/trace/{trace_id}/otlp", {"Accept": "application/json"})
        for resource in json.loads(body)["resourceSpans"]:
            names = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                got |= {(s["spanId"], s.get("parentSpanId", ""), s["name"], names["service.name"],
                         int(s["startTimeUnixNano"]), int(s["endTimeUnixNano"])) for s in scope["spans"]}
        self.assertEqual(got, wanted)
        self.assertIn(trace_id, weft.cli("query", "--all", "--limit", "10000",
                                         '{ resource.k8s.pod.name = "cartservice-579f59597d-wc2lz" && trace:id = "%s" }' % trace_id))
        weft.stop()
        copy = self.folder / "copy"
        file = self.export(self.data, self.folder / "all.pb.zst", "otlp-protobuf")
        self.assert_counts(self.add(file, data=copy), 1_267_414)
        self.assert_counts(self.add(file, data=self.data), 0, 1_267_414)


class NezhaConverterTest(unittest.TestCase):
    """tools/nezha_to_otlp.py on rows written here."""

    HEADER = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration"
    LOG_HEADER = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log"
    TRACE = "0123456789abcdef0123456789abcdef"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-nezha-")) / "tt"
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder.parent, ignore_errors=True)

    def convert(self, *arguments):
        return subprocess.run([sys.executable, CONVERTER, *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, check=False)

    def row(self, span, parent, pod, name, start=10, end=20):
        return f"{self.TRACE},{span:016x},{parent if parent == 'root' else f'{parent:016x}'},{pod},{name},{start},{end},0"

    def test_rows_become_spans_and_log_records(self):
        rows = [self.HEADER, self.row(1, "root", "ts-ui-7b-x1", "/api/v1/a"),
                self.row(2, 1, "ts-ui-7b-x1", "HTTP GET"), self.row(3, 2, "ts-order-6c-x2", "OrderController.get"),
                self.row(4, 3, "ts-order-6c-x2", "SELECT ts.orders"), self.row(5, 3, "ts-order-6c-x2", '"a, b"')]
        (self.folder / "00_00_trace.csv").write_text("\n".join(rows) + "\n", encoding="ascii")
        log = json.dumps({"log": "2023-01-29 08:51:00 ERROR 1 --- no such order\n", "stream": "stdout", "time": "t"})
        (self.folder / "00_00_log.csv").write_text(
            f'{self.LOG_HEADER}\nt,15,10.0.0.1,ts-order-6c-x2,main,{self.TRACE},{4:016x},"{log.replace(chr(34), chr(34) * 2)}"\n',
            encoding="ascii")
        done = self.convert(self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 files, 6 rows: 5 spans, 1 log records, 0 rows wrong", done.stderr)
        logs, traces = (json.loads(line) for line in done.stdout.splitlines())
        record = logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
        self.assertEqual((record["severityText"], record["severityNumber"], record["timeUnixNano"]), ("ERROR", 17, "15"))
        self.assertEqual(record["body"]["stringValue"], "2023-01-29 08:51:00 ERROR 1 --- no such order")
        spans = {}
        for resource in traces["resourceSpans"]:
            names = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    spans[int(span["spanId"], 16)] = {
                        "service": names["service.name"], "namespace": names["service.namespace"], "kind": span["kind"],
                        "scope": scope["scope"].get("name"), "name": span["name"], "parent": span.get("parentSpanId"),
                        **{a["key"]: a["value"]["stringValue"] for a in span["attributes"]}}
        self.assertEqual([spans[i]["kind"] for i in range(1, 6)], [2, 3, 2, 3, 1])
        self.assertEqual([spans[i]["service"] for i in range(1, 6)], ["ts-ui"] * 2 + ["ts-order"] * 3)
        self.assertEqual([spans[i]["scope"] for i in range(1, 6)], ["http", "http", "spring", "jdbc", None])
        self.assertEqual((spans[1]["parent"], spans[1]["http.route"]), (None, "/api/v1/a"))
        self.assertEqual((spans[4]["db.operation"], spans[4]["db.collection.name"]), ("SELECT", "orders"))
        self.assertEqual((spans[5]["name"], spans[5]["namespace"]), ("a, b", "tt"))

    def test_wrong_rows_are_named_with_file_and_line(self):
        path = self.folder / "00_00_trace.csv"
        path.write_text("\n".join([self.HEADER, self.row(1, "root", "a-b-c", "x"), "short,row",
                                   self.row(2, 1, "a-b-c", "x").replace("0123", "wxyz", 1), self.row(3, 1, "a-b-c", "x", 9, 8),
                                   self.row(4, 1, "a-b-c", "x", "soon"), self.row(5, 1, "a-b-c", "y")]), encoding="ascii")
        done = self.convert(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:3: 2 columns, 8 are expected", done.stderr)
        self.assertIn(f"{path}:4: TraceID is 'wxyz", done.stderr)
        self.assertIn(f"{path}:5: EndTimeUnixNano is before StartTimeUnixNano", done.stderr)
        self.assertIn(f"{path}:6: StartTimeUnixNano is 'soon'", done.stderr)
        self.assertIn("6 rows: 2 spans, 0 log records, 4 rows wrong", done.stderr)
        path.write_text("a,b\n", encoding="ascii")
        other = self.folder / "00_01_trace.csv.gz"
        other.write_bytes(gzip.compress(b"x" * 100_000)[:50])
        done = self.convert(self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}: line 1 is not {self.HEADER}", done.stderr)
        self.assertIn(f"{other}: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
