#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OTLP/JSON, a document a line, out of the CSV files of the Nezha data set (Online Boutique and Train
Ticket with injected faults, github.com/IntelligentDDS/Nezha), for `weft import`:

    tools/nezha_to_otlp.py nezha/ob/2022-08-22 nezha/tt | weft import -

Takes files and folders; of a folder every *_trace.csv and *_log.csv, plain, .gz or .zst (needs the
program zstd). Memory holds one file. A row that is wrong is left out and named, FILE:LINE: why, and
the exit code is then 1. docs/import_formats.md says what becomes what."""
import argparse
import csv
import gzip
import io
import json
import pathlib
import re
import subprocess
import sys

TRACE_HEADER = ["TraceID", "SpanID", "ParentID", "PodName", "OperationName", "StartTimeUnixNano",
                "EndTimeUnixNano", "Duration"]
LOG_HEADER = ["Timestamp", "TimeUnixNano", "Node", "PodName", "Container", "TraceID", "SpanID", "Log"]
SUFFIXES = tuple(kind + end for kind in ("_trace.csv", "_log.csv") for end in ("", ".gz", ".zst"))
# Spans (log records) of whole traces in one document.
ITEMS_PER_DOCUMENT = 2000
WARNINGS_SHOWN = 20
NANOSECONDS_MAX = 2**64 - 1
csv.field_size_limit(1 << 24)

# A row without quotes, as nearly all are.
PLAIN_ROW = re.compile(r"([0-9a-f]{32}),([0-9a-f]{16}),([0-9a-f]{16}|root),([^,\"]+),([^,\"]*),"
                       r"([0-9]{1,19}),([0-9]{1,19}),[0-9]*\r?\n?")
HEX_TRACE = re.compile(r"[0-9a-fA-F]{32}")
HEX_SPAN = re.compile(r"[0-9a-fA-F]{16}")
NUMBER = re.compile(r"[0-9]{1,20}")
GRPC = re.compile(r"(?:/|grpc\.)?(hipstershop\.\w+)/(\w+)\.?")
SQL = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|REPLACE) (?:(\w+)\.)?(\w+)")
CODE = re.compile(r"([A-Z]\w*)\.(\w+)")
HTTP = re.compile(r"HTTP ([A-Z]+)")
SEVERITY = re.compile(r"\b(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")
SEVERITY_NUMBERS = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "WARNING": 13, "ERROR": 17, "FATAL": 21}
INTERNAL, SERVER, CLIENT = 1, 2, 3


class Report:
    """What was read, written and left out."""

    def __init__(self):
        self.files = self.rows = self.spans = self.logs = self.bad = 0

    def bad_row(self, path, line, why):
        self.bad += 1
        if self.bad <= WARNINGS_SHOWN:
            print(f"{path}:{line}: {why}", file=sys.stderr)
        elif self.bad == WARNINGS_SHOWN + 1:
            print("more rows are wrong; only their number is given", file=sys.stderr)


class BadFile(Exception):
    """Nothing of the file can be used."""


def open_text(path):
    """(text stream, process to wait for or None)."""
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", errors="replace", newline=""), None
    if path.suffix == ".zst":
        try:
            process = subprocess.Popen(["zstd", "-dc", "--long=27", str(path)], stdout=subprocess.PIPE)
        except FileNotFoundError:
            raise BadFile("is compressed, and there is no program zstd here") from None
        return io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace", newline=""), process
    return open(path, encoding="utf-8", errors="replace", newline=""), None


def attribute(key, value):
    return '{"key":%s,"value":{"stringValue":%s}}' % (json.dumps(key), json.dumps(value))


def resource(pod, namespace, more=()):
    """The service is the pod's name without its replica set and its own part."""
    parts = pod.split("-")
    service = "-".join(parts[:-2]) if len(parts) > 2 else pod
    pairs = [("service.name", service), ("service.namespace", namespace), ("k8s.pod.name", pod), *more]
    return '{"attributes":[%s]}' % ",".join(attribute(k, v) for k, v in pairs if v)


class Operation:
    """What a span's name says: its scope, its attributes as JSON, whether it calls a database."""

    known = {}

    def __init__(self, name):
        self.json = json.dumps(name)
        self.is_database = False
        self.scope, pairs = "", []
        if match := GRPC.fullmatch(name):
            self.scope = "grpc"
            pairs = [("rpc.system", "grpc"), ("rpc.service", match[1]), ("rpc.method", match[2])]
        elif match := HTTP.fullmatch(name):
            self.scope = "http"
            pairs = [("http.request.method", match[1])]
        elif name.startswith("/"):
            self.scope = "http"
            pairs = [("http.route", name)]
        elif match := SQL.fullmatch(name):
            self.is_database = bool(match[2])
            self.scope = "jdbc" if match[2] else "hibernate"
            pairs = [("db.system", "mysql"), ("db.operation", match[1]), ("db.namespace", match[2]),
                     ("db.collection.name", match[3])]
        elif name.startswith("sql."):
            self.is_database = True
            self.scope = "sql"
            pairs = [("db.system", "mysql"), ("db.operation", name[len("sql."):])]
        elif name.startswith("Session.") or name.startswith("Transaction."):
            self.scope = "hibernate"
            pairs = [("code.namespace", name.split(".")[0]), ("code.function", name.split(".")[1].split(" ")[0])]
        elif match := CODE.fullmatch(name):
            self.scope = "spring-data" if match[1].endswith("Repository") else "spring"
            pairs = [("code.namespace", match[1]), ("code.function", match[2])]
        self.scope_json = '{"name":%s}' % json.dumps(self.scope) if self.scope else "{}"
        self.attributes = ",".join(attribute(k, v) for k, v in pairs if v)

    @classmethod
    def of(cls, name):
        operation = cls.known.get(name)
        if operation is None:
            operation = cls.known[name] = cls(name)
        return operation


def quoted_row(line):
    """The fields of a row that PLAIN_ROW does not know, or why it is wrong."""
    try:
        fields = next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        return None, f"not CSV: {error}"
    if len(fields) != len(TRACE_HEADER):
        return None, f"{len(fields)} columns, {len(TRACE_HEADER)} are expected"
    trace, span, parent, pod, name, start, end, _ = fields
    for field, value, pattern in (("TraceID", trace, HEX_TRACE), ("SpanID", span, HEX_SPAN),
                                  ("StartTimeUnixNano", start, NUMBER), ("EndTimeUnixNano", end, NUMBER)):
        if not pattern.fullmatch(value):
            return None, f"{field} is {value[:64]!r}"
    if parent != "root" and not HEX_SPAN.fullmatch(parent):
        return None, f"ParentID is {parent[:64]!r}"
    if not pod:
        return None, "PodName is empty"
    if max(int(start), int(end)) > NANOSECONDS_MAX:
        return None, "a time beyond 64 bits"
    return (trace.lower(), span.lower(), parent.lower(), pod, name, start, end), None


def read_traces(path, report):
    """{trace id: [(span id, parent id or "root", pod, operation, start, end)]} in the file's order."""
    traces = {}
    stream, process = open_text(path)
    with stream:
        header = stream.readline().rstrip("\r\n").split(",")
        if header != TRACE_HEADER:
            raise BadFile(f"line 1 is not {','.join(TRACE_HEADER)}")
        for line, text in enumerate(stream, 2):
            if match := PLAIN_ROW.fullmatch(text):
                row = match.groups()
            else:
                if not text.strip():
                    continue
                row, why = quoted_row(text)
                if row is None:
                    report.rows += 1
                    report.bad_row(path, line, why)
                    continue
            report.rows += 1
            trace, span, parent, pod, name, start, end = row
            if int(end) < int(start):
                report.bad_row(path, line, "EndTimeUnixNano is before StartTimeUnixNano")
                continue
            rows = traces.get(trace)
            if rows is None:
                rows = traces[trace] = []
            rows.append((span, parent, pod, Operation.of(name), start, end))
    finish(process)
    return traces


def finish(process):
    if process and process.wait() != 0:
        raise BadFile("cannot be decompressed to its end")


def write_traces(traces, namespace, out, report):
    """Documents of whole traces, grouped by pod and scope."""
    resources = {}
    groups, count = {}, 0
    for trace, rows in traces.items():
        pods = {row[0]: row[2] for row in rows}
        callers = {row[1] for row in rows if pods.get(row[1], row[2]) != row[2]}
        for span, parent, pod, operation, start, end in rows:
            if parent == "root":
                kind, parent_json = SERVER, ""
            else:
                parent_json = f'"parentSpanId":"{parent}",'
                if pods.get(parent, pod) != pod:
                    kind = SERVER
                elif operation.is_database or span in callers:
                    kind = CLIENT
                else:
                    kind = INTERNAL
            groups.setdefault(pod, {}).setdefault(operation.scope_json, []).append(
                f'{{"traceId":"{trace}","spanId":"{span}",{parent_json}"name":{operation.json},'
                f'"kind":{kind},"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}",'
                f'"attributes":[{operation.attributes}]}}')
        count += len(rows)
        if count >= ITEMS_PER_DOCUMENT:
            write_document("Spans", "spans", groups, resources, namespace, out)
            report.spans += count
            groups, count = {}, 0
    if count:
        write_document("Spans", "spans", groups, resources, namespace, out)
        report.spans += count


def write_document(signal, items, groups, resources, namespace, out):
    parts = []
    for source, scopes in groups.items():
        if source not in resources:
            pod, more = source if isinstance(source, tuple) else (source, ())
            resources[source] = resource(pod, namespace, more)
        inner = ",".join('{"scope":%s,"%s":[%s]}' % (scope, items, ",".join(rows))
                         for scope, rows in scopes.items())
        parts.append('{"resource":%s,"scope%s":[%s]}' % (resources[source], signal, inner))
    out.write('{"resource%s":[%s]}\n' % (signal, ",".join(parts)))


def log_record(fields):
    """(trace id, JSON), or (None, why not)."""
    if len(fields) != len(LOG_HEADER):
        return None, f"{len(fields)} columns, {len(LOG_HEADER)} are expected"
    _, time, _, pod, _, trace, span, text = fields
    if not NUMBER.fullmatch(time) or int(time) > NANOSECONDS_MAX:
        return None, f"TimeUnixNano is {time[:64]!r}"
    if not HEX_TRACE.fullmatch(trace):
        return None, f"TraceID is {trace[:64]!r}"
    if not HEX_SPAN.fullmatch(span):
        return None, f"SpanID is {span[:64]!r}"
    if not pod:
        return None, "PodName is empty"
    try:
        line = json.loads(text)
        body, stream = line["log"].rstrip("\n"), line.get("stream", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, "Log is no line of Docker's JSON"
    severity = ""
    try:
        inner = json.loads(body)
        severity = str(inner.get("severity", "")).upper()
    except (ValueError, AttributeError):
        if match := SEVERITY.search(body[:120]):
            severity = match[1]
    number = SEVERITY_NUMBERS.get(severity, 0)
    level = f'"severityNumber":{number},"severityText":"{severity}",' if number else ""
    attributes = attribute("log.iostream", stream) if isinstance(stream, str) and stream else ""
    return trace, (f'{{"timeUnixNano":"{time}",{level}"body":{{"stringValue":{json.dumps(body)}}},'
                   f'"traceId":"{trace.lower()}","spanId":"{span.lower()}","attributes":[{attributes}]}}')


def convert_logs(path, namespace, out, report):
    resources, groups, count = {}, {}, 0
    stream, process = open_text(path)
    with stream:
        reader = csv.reader(stream)
        rows = iter(reader)
        if next(rows, None) != LOG_HEADER:
            raise BadFile(f"line 1 is not {','.join(LOG_HEADER)}")
        while True:
            line = reader.line_num + 1
            try:
                fields = next(rows, None)
            except csv.Error as error:
                report.rows += 1
                report.bad_row(path, line, f"not CSV: {error}")
                continue
            if fields is None:
                break
            if not fields:
                continue
            report.rows += 1
            trace, record = log_record(fields)
            if trace is None:
                report.bad_row(path, line, record)
                continue
            source = (fields[3], (("k8s.node.name", fields[2]), ("k8s.container.name", fields[4])))
            groups.setdefault(source, {}).setdefault("{}", []).append(record)
            count += 1
            if count >= ITEMS_PER_DOCUMENT:
                write_document("Logs", "logRecords", groups, resources, namespace, out)
                report.logs += count
                groups, count = {}, 0
    finish(process)
    if count:
        write_document("Logs", "logRecords", groups, resources, namespace, out)
        report.logs += count


def namespace_of(path):
    """The folder of the data set that the file lies in: ob or tt."""
    for part in reversed(path.resolve().parts):
        if part in ("ob", "tt"):
            return part
    return ""


def inputs(names):
    for name in names:
        path = pathlib.Path(name)
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.name.endswith(SUFFIXES))
        else:
            yield path


def convert(path, logs, out, report):
    is_log = "_log.csv" in path.name
    if is_log and not logs:
        return
    if is_log:
        convert_logs(path, namespace_of(path), out, report)
    else:
        write_traces(read_traces(path, report), namespace_of(path), out, report)
    report.files += 1


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="CSV files and folders of them")
    parser.add_argument("--no-logs", action="store_true", help="leave the *_log.csv files out")
    options = parser.parse_args(arguments)
    report, failed = Report(), 0
    out = sys.stdout
    for path in inputs(options.paths):
        try:
            convert(path, not options.no_logs, out, report)
        except BrokenPipeError:
            sys.stderr.write("the reader of the output has gone\n")
            sys.stdout = None
            return 1
        except (BadFile, OSError, EOFError) as error:
            failed += 1
            print(f"{path}: {error}", file=sys.stderr)
    out.flush()
    print(f"{report.files} files, {report.rows} rows: {report.spans} spans, {report.logs} log records, "
          f"{report.bad} rows wrong, {failed} files wrong", file=sys.stderr)
    if report.files == 0 and not failed:
        print("no *_trace.csv or *_log.csv there", file=sys.stderr)
    return 1 if report.bad or failed or not report.files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
