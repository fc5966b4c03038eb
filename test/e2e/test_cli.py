# SPDX-License-Identifier: Apache-2.0
"""The command line as a person meets it: on a narrow terminal, with a typing mistake, with a pager,
as a live tail; and as a script meets it: JSON in the API's shape, exit codes, completions."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from weft_process import BINARY, WeftTest, wait_for

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SECOND = 1_000_000_000
SLOW = "0af7651916cd43dd8448eb211c80319c"


def attribute(key, value):
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value) if isinstance(value, int) else value}}


def otlp(service, spans):
    return {"resourceSpans": [{"resource": {"attributes": [attribute("service.name", service)]},
                               "scopeSpans": [{"spans": spans}]}]}


def span(trace, number, name, parent=None, start_ns=None, seconds=1.0, error=False, attributes=(),
         events=()):
    start_ns = start_ns or time.time_ns()
    return {"traceId": trace, "spanId": f"{number:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "", "name": name, "kind": 2,
            "startTimeUnixNano": str(start_ns),
            "endTimeUnixNano": str(start_ns + int(seconds * SECOND)),
            "status": {"code": 2} if error else {}, "attributes": list(attributes),
            "events": list(events)}


def on_terminal(arguments, columns, lines=50, env=None, keys=b""):
    """What a command writes to a terminal of this size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "PAGER")}
    process = subprocess.Popen([BINARY, *arguments], stdin=slave, stdout=slave, stderr=slave,
                               env={**clean, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})},
                               start_new_session=True)
    os.close(slave)
    if keys:
        os.write(master, keys)
    out, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.1)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # Linux's end of a terminal
                break
            if not piece:
                break
            out += piece
    os.close(master)
    if process.wait(30) is None:
        raise AssertionError(f"weft {arguments} did not end")
    return process.returncode, out.decode().replace("\r\n", "\n")


class CommandLineTest(WeftTest):
    def send(self, weft, service, spans):
        status, body = weft.post("/v1/traces", json.dumps(otlp(service, spans)).encode())
        self.assertEqual(status, 200, body)

    def shop(self):
        """A server with one telling trace and thirty small ones, all of them over."""
        weft = self.weft()
        now = time.time_ns() - 10 * SECOND
        self.send(weft, "gateway-of-the-european-shop", [
            span(SLOW, 1, "GET /checkout/with/a/rather/long/path/{id}", start_ns=now, seconds=4.2)])
        self.send(weft, "payment", [
            span(SLOW, 2, "POST /charges", 1, now + SECOND // 10, 3.8, True,
                 [attribute("http.route", "/charges"), attribute("http.status_code", 502)],
                 [{"timeUnixNano": str(now + SECOND), "name": "exception", "attributes": [
                     attribute("exception.type", "Timeout"),
                     attribute("exception.stacktrace", "Timeout: card\n  at pay (pay.js:1)")]}]),
            span(SLOW, 3, "SELECT cards", 2, now + SECOND // 5, 0.05)])
        log = {"timeUnixNano": str(now + 2 * SECOND), "severityNumber": 17, "traceId": SLOW,
               "spanId": f"{2:016x}", "body": {"stringValue": "card refused"}}
        status, body = weft.post("/v1/logs", json.dumps({"resourceLogs": [{
            "resource": {"attributes": [attribute("service.name", "payment")]},
            "scopeLogs": [{"logRecords": [log]}]}]}).encode())
        self.assertEqual(status, 200, body)
        for i in range(1, 31):
            self.send(weft, "cart", [span(f"{i:032x}", 100 + i, "GET /cart", start_ns=now - i * SECOND)])
        wait_for("33 spans", lambda: weft.status()["spans"] == 33)
        return weft

    def wrong(self, *arguments):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_nothing_is_wider_than_the_terminal(self):
        weft = self.shop()
        for columns in (40, 80, 132):
            for arguments in (["trace", SLOW], ["trace", SLOW, "--logs"], ["query", "{}", "--all"],
                              ["services"], ["operations"], ["tags"]):
                code, text = on_terminal([*arguments, "--no-pager", "--url", weft.url], columns)
                self.assertEqual(code, 0, text)
                wide = [line for line in ESCAPE.sub("", text).split("\n") if len(line) > columns]
                self.assertEqual(wide, [], f"{arguments} at {columns}")
        _, text = on_terminal(["trace", SLOW, "--url", weft.url, "--no-pager"], 40)
        plain = " ".join(ESCAPE.sub("", text).split())
        self.assertIn(SLOW, plain)
        self.assertIn("critical path: payment POST /charges", plain)
        self.assertIn("3 spans, 2 services, 1 log", plain)
        self.assertIn("1 span with an error", plain)
        _, text = on_terminal(["query", "--no-pager", "--url", weft.url, "{ status = error }"], 40)
        self.assertIn(SLOW, text)

    def test_mistakes_are_named_with_what_was_meant(self):
        self.assertIn("no command `weft qurey`; did you mean query?", self.wrong("qurey"))
        self.assertIn("did you mean config?", self.wrong("check", "confg"))
        self.assertIn("has no flag --jsn; did you mean --json?", self.wrong("query", "--jsn", "{}"))
        self.assertIn("in '...'", self.wrong("query", "{", "status=error", "}"))
        self.assertIn("--since soon", self.wrong("query", "--since", "soon", "{}"))
        for taken in (("--limit", "2"), ("--all",), ("--to", "now")):
            self.assertIn("--follow", self.wrong("query", "--follow", *taken, "{}"))
        self.assertIn("is no tag", self.wrong("tags", "service.name"))
        for command in ("query", "trace", "demo", "loadgen", "import", "tags", "serve"):
            text = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True, timeout=30,
                                  check=True).stdout
            self.assertIn(f"\n  weft {command}", text)

    def test_no_text_of_a_span_drives_the_terminal(self):
        """Every field of a span and a log record, on every surface, on a terminal and in a pipe."""
        weft = self.weft()
        bad = "\x1b[2J\x7f\x9b2J\x85\u202eevil\u2066x\u200f\u061c"
        harmful = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]")
        now, both = time.time_ns() - 10 * SECOND, [attribute("key" + bad, "value\n\t" + bad)]
        one = span(SLOW, 1, "name" + bad, start_ns=now, error=True, attributes=both,
                   events=[{"timeUnixNano": str(now), "name": "event" + bad, "attributes": both}])
        one["status"]["message"] = "status" + bad
        one["traceState"] = "state" + bad
        self.send(weft, "service" + bad, [one])
        log = {"timeUnixNano": str(now), "severityText": "sev" + bad, "traceId": SLOW, "spanId": f"{1:016x}",
               "body": {"stringValue": "body" + bad}, "attributes": both}
        status, body = weft.post("/v1/logs", json.dumps({"resourceLogs": [{"scopeLogs": [{
            "logRecords": [log]}]}]}).encode())
        self.assertEqual(status, 200, body)
        wait_for("the span", lambda: weft.status()["spans"] == 1)
        for arguments in (["trace", SLOW], ["trace", "--logs", SLOW], ["trace", "--json", "--logs", SLOW],
                          ["query", "{}"], ["query", "{}", "--json"], ["query", "{}", "--ndjson"],
                          ["services"], ["services", "--json"], ["services", "--names"], ["operations"],
                          ["operations", "--json"], ["tags"], ["tags", "--json"], ["tags", "--names"],
                          ["tags", "name"], ["tags", "resource.service.name", "--json"], ["export", SLOW],
                          ["export", SLOW, "--format", "jaeger"], ["export", SLOW, "--format", "zipkin"]):
            piped = weft.cli(*arguments)
            self.assertIsNone(harmful.search(piped), f"{arguments}: {piped!r}")
            pager = [] if arguments[0] == "export" else ["--no-pager"]
            code, shown = on_terminal([*arguments, *pager, "--url", weft.url], 80)
            if code == 2:  # takes no such flag
                code, shown = on_terminal([*arguments, "--url", weft.url], 80)
            self.assertEqual(code, 0, shown)
            plain = ESCAPE.sub("", shown)
            self.assertIsNone(harmful.search(plain), f"{arguments}: {plain!r}")
            if "--json" in arguments or "--ndjson" in arguments:
                self.assertIn("\\u202e", piped)
                self.assertIn("\\u009b", piped)
                self.assertIn("\\u007f", piped)
        for path in ("/api/weft/v1/services", f"/api/weft/v1/trace/{SLOW}", f"/api/traces/{SLOW}",
                     f"/api/v3/traces/{SLOW}", "/api/weft/v1/search?q=%7B%7D", "/tempo/api/search?q=%7B%7D"):
            status, body = weft.get(path)
            self.assertEqual(status, 200, body)
            self.assertIsNone(harmful.search(body.decode()), path)
        # What is echoed, by the commands and by the server's log.
        for path in (f"/api/weft/v1/search?q=%1b%5b2J%c2%9b%e2%80%ae", "/api/traces/%c2%9b%e2%80%ae"):
            self.assertIsNone(harmful.search(weft.get(path)[1].decode()), path)
        raw = harmful.search(weft.log())
        self.assertIsNone(raw, weft.log())

    def test_a_link_that_waits_for_an_export_gains_nothing(self):
        weft = self.shop()
        with tempfile.TemporaryDirectory() as folder:
            victim, out = os.path.join(folder, "victim"), os.path.join(folder, "out.json")
            with open(victim, "w", encoding="utf-8") as file:
                file.write("precious")
            for guess in ("out.json.part", "out.json.new", "state.json.new", "state.json.part"):
                os.symlink(victim, os.path.join(folder, guess))
            weft.cli("export", SLOW, "--output", out)
            weft.cli("import", "--resume", os.path.join(folder, "state.json"), out)
            with open(victim, encoding="utf-8") as file:
                self.assertEqual(file.read(), "precious")
            self.assertEqual({name for name in os.listdir(folder) if not os.path.islink(os.path.join(folder, name))},
                             {"victim", "out.json", "state.json"})

    def test_a_start_says_what_the_configuration_loses(self):
        """`check config` and the start, in the same words."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "debug.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("receivers: {otlp: {protocols: {http: {endpoint: 'localhost:0'}}}}\nexporters: {debug: }\n"
                           "service:\n  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: "
                           "{host: 0.0.0.0, port: 0}}}}]}}\n"
                           "  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}\n")
            checked = subprocess.run([BINARY, "check", "config", path], capture_output=True, text=True, timeout=30,
                                     check=True)
            self.assertEqual(len(checked.stderr.splitlines()), 3, checked.stderr)
            for word in ("no \"query\" is among them", "nothing is kept of what otlp receives",
                         "readers: 0.0.0.0:0 can be reached from other machines"):
                self.assertIn(word, checked.stderr)
            server = subprocess.Popen([BINARY, "serve", "--config", path], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)
            try:
                started = ""
                for line in server.stdout:
                    started += line
                    if "otlp/http" in line:
                        break
                for warning in checked.stderr.splitlines():
                    self.assertIn(warning.removeprefix("warning: "), started)
            finally:
                server.terminate()
                server.wait(30)
                server.stdout.close()

    def test_json_is_what_the_api_says(self):
        weft = self.shop()
        api = weft.json("/api/weft/v1/search?q=%7B%7D&limit=5")
        cli = json.loads(weft.cli("query", "{}", "--limit", "5", "--json"))
        for answer in (api, cli):
            answer["stats"].pop("elapsedNs")
        self.assertEqual(cli, api)
        self.assertEqual(weft.cli("query", "{}", "--limit", "2", check=False).stderr,
                         "more traces match: --limit 20 shows more of them, --all shows every one\n")
        self.assertEqual(weft.cli("query", "{}", "--limit", "32", check=False).stderr, "")
        self.assertEqual(set(cli["traces"][0]["services"][0]), {"name", "spans", "errors"})
        lines = weft.cli("query", "{}", "--limit", "7", "--all", "--ndjson").splitlines()
        self.assertEqual(len({json.loads(line)["traceId"] for line in lines}), 31)
        self.assertEqual(json.loads(lines[0]), cli["traces"][0])
        whole = json.loads(weft.cli("query", "{}", "--limit", "7", "--all", "--json"))
        self.assertEqual([t["traceId"] for t in whole["traces"]],
                         [json.loads(line)["traceId"] for line in lines])
        for command, path in ((("services",), "services"), (("operations",), "operations?service="),
                              (("operations", "payment"), "operations?service=payment"),
                              (("tags",), "tags"), (("tags", "span.http.route"),
                                                    "tag-values?tag=span.http.route")):
            self.assertEqual(json.loads(weft.cli(*command, "--json")), weft.json(f"/api/weft/v1/{path}"))
        self.assertEqual(weft.cli("services", "--names").split(),
                         ["cart", "gateway-of-the-european-shop", "payment"])
        self.assertIn("event.exception.type", weft.cli("tags", "--names").split())
        self.assertEqual(weft.cli("tags", ".http.status_code", "--names"), "502\n")
        self.assertEqual(weft.cli("tags", "name", "--names", "--where", "{ status = error }"),
                         "POST /charges\n")
        self.assertEqual(weft.cli("tags", "name", "--names", "--from", "1h", "--to", "30m"), "")

    def test_a_tag_is_asked_for_as_in_jaeger(self):
        weft = self.shop()

        def found(*arguments):
            return [json.loads(line)["traceId"] for line in
                    weft.cli("query", "--ndjson", "--all", *arguments).splitlines()]

        self.assertEqual(found("--tag", "error=true"), [SLOW])
        self.assertEqual(found("--tag", "http.status_code=502", "--tag", "http.route=/charges"), [SLOW])
        self.assertEqual(found("--tag", "exception.type=Timeout", "{ kind = server }"), [SLOW])
        self.assertEqual(found("--tag", "exception.type=Timeout", "{ kind = client }"), [])
        self.assertEqual(found("--tag", "http.status_code=404"), [])
        self.assertEqual(len(found("--tag", "error=false")), 31)
        self.assertIn("expected KEY=VALUE", self.wrong("query", "--tag", "error", "--url", weft.url))
        self.assertIn("--tag", self.wrong("query", "--url", weft.url))
        api = weft.json("/api/traces?service=payment&tags=%7B%22http.status_code%22%3A%22502%22%7D")
        self.assertEqual([t["traceID"] for t in api["data"]], [SLOW])

    def test_what_was_pasted_is_understood(self):
        weft = self.shop()
        drawn = weft.cli("trace", SLOW)
        for text in (SLOW.upper(), f"00-{SLOW}-{1:016x}-01", f" {SLOW}\n", f'"{SLOW}"',
                     f"{weft.url}/trace/{SLOW}?span={1:016x}", f"trace_id={SLOW} level=error",
                     f"{SLOW[:8]}-{SLOW[8:12]}-{SLOW[12:16]}-{SLOW[16:20]}-{SLOW[20:]}", f"0000{SLOW}"):
            self.assertEqual(weft.cli("trace", text), drawn, text)
        self.assertIn(f'"traceId":"{SLOW}"', weft.cli("export", f"{weft.url}/trace/{SLOW}"))
        self.assertIn("is no trace id", self.wrong("trace", "checkout"))

    def test_names_that_no_data_has_are_named(self):
        weft = self.shop()
        for command, sentence in (
                (("query", '{ resource.service.name = "paymnt" }'),
                 'no data has the service "paymnt": did you mean "payment"?'),
                (("query", '{ name = "GET /crat" }'),
                 'no data has the operation "GET /crat": did you mean "GET /cart"?'),
                (("query", "--tag", "htpt.route=/x"),
                 "no data has the attribute htpt.route: did you mean http.route?"),
                (("query", "{ .zzzzzzzz = 1 }"), "no data has the attribute .zzzzzzzz"),
                (("operations", "paymnt"), 'no data has the service "paymnt": did you mean "payment"?'),
                (("tags", "span.htpt.route"),
                 "no data has the attribute span.htpt.route: did you mean span.http.route?")):
            self.assertIn(sentence, weft.cli(*command, check=False).stderr, command)
        hints = json.loads(weft.cli("query", "--json", "{ .htpt.route = 1 }"))["hints"]
        self.assertEqual([(h["kind"], h["name"], h["nearest"]) for h in hints],
                         [("attribute", ".htpt.route", ".http.route")])
        self.assertNotIn("no data has", weft.cli("query", '{ .http.route = "/x" }', check=False).stderr)
        question = '{ resource.service.name = "paymnt" }'
        weft.stop()
        done = subprocess.run([BINARY, "query", question, "--data", str(weft.data)],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertIn('did you mean "payment"?', done.stderr)

    def test_a_directory_answers_as_its_server_does(self):
        weft = self.shop()
        asked = {command: json.loads(weft.cli(*command, "--json")) for command in
                 (("services",), ("operations", "payment"), ("tags",), ("tags", "span.http.route"),
                  ("trace", SLOW))}
        found = weft.cli("query", "{ status = error }", "--ndjson")
        weft.stop()
        for command, answer in asked.items():
            done = subprocess.run([BINARY, *command, "--json", "--data", str(weft.data)],
                                  capture_output=True, text=True, timeout=60, check=True)
            self.assertEqual(json.loads(done.stdout), answer, command)
        done = subprocess.run([BINARY, "query", "{ status = error }", "--ndjson", "--data", str(weft.data)],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(done.stdout, found)

    def test_filters_of_a_trace(self):
        weft = self.shop()

        def names(*arguments):
            document = json.loads(weft.cli("trace", SLOW, "--json", *arguments))
            return {s["name"] for r in document["resourceSpans"] for c in r["scopeSpans"]
                    for s in c["spans"]}

        self.assertEqual(len(names()), 3)
        self.assertEqual(names("--errors"), {"POST /charges"})
        self.assertEqual(names("--service", "payment"), {"POST /charges", "SELECT cards"})
        self.assertEqual(names("--service", "payment", "--min-duration", "1s"), {"POST /charges"})
        self.assertEqual(names("--where", '{ .http.route = "/charges" || name =~ "SEL.*" }'),
                         {"POST /charges", "SELECT cards"})
        self.assertEqual(names("--depth", "2"), {"GET /checkout/with/a/rather/long/path/{id}",
                                                "POST /charges"})
        drawn = weft.cli("trace", SLOW, "--where", '{ name = "SELECT cards" }')
        self.assertIn("payment POST /charges", drawn)  # what it hangs below
        self.assertIn("1 of 3 spans match", drawn)
        logs = weft.cli("trace", SLOW, "--logs")
        self.assertLess(logs.index("exception.type=Timeout"), logs.index("ERROR  card refused"))
        self.assertIn("\n", logs[logs.index("Timeout: card"):logs.index("at pay (pay.js:1)")])
        self.assertEqual(weft.cli("trace", SLOW, "--service", "nobody", check=False).returncode, 3)
        self.assertEqual(weft.cli("trace", "f" * 32, check=False).returncode, 3)
        self.assertEqual(weft.cli("trace", SLOW, "--where", "{ .a = }", check=False).returncode, 2)

    def test_exit_codes_tell_what_was_asked_in_vain(self):
        weft = self.weft()

        def run(*arguments):
            done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.stdout, "")
            return done.returncode, done.stderr

        for command in (["query", "{}"], ["services"], ["operations"], ["tags"], ["trace", "1"],
                        ["export", "--query", "{}"], ["export", "1"], ["trace", "--follow", "1"]):
            with self.subTest(command=command):
                code, error = run(*command, "--url", weft.http)
                self.assertEqual(code, 4, error)
                self.assertRegex(error, f"^weft: {weft.http} answered 404: no such path: /[^;]*; is it weft's query port\\?\n$")
        self.assertEqual(run("trace", "1", "--url", weft.url), (3, f"weft: no trace {1:032x}\n"))
        code, error = run("services", "--token-file", "/nowhere/token", "--url", weft.url)
        self.assertEqual(code, 1, error)
        self.assertIn("/nowhere/token", error)
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/hello.txt"
            with open(file, "w", encoding="ascii") as out:
                out.write("hello")
            for path, what in ((folder, "holds no weft store"), (file, "is no directory"),
                               (f"{folder}/absent", "there is no directory")):
                code, error = run("services", "--data", path)
                self.assertEqual(code, 4, error)
                self.assertIn(what, error)
                self.assertEqual(error.count(path), 1, error)

    def test_an_export_says_what_it_does_not_take(self):
        weft = self.shop()
        url = ("--url", weft.url)
        cart = f"{1:032x}"

        def export(*arguments):
            return subprocess.run([BINARY, "export", *arguments, *url], capture_output=True, text=True,
                                  timeout=60, check=False)

        self.assertIn("takes trace ids or --query, not both", self.wrong("export", SLOW, "--query", "{}", *url))
        self.assertIn("needs trace ids, or --query", self.wrong("export", *url))
        for flag in (("--limit", "1"), ("--since", "1s")):
            self.assertIn("--query", self.wrong("export", SLOW, *flag, *url))
        for limit in ("0", "-1", "x"):
            self.assertIn("--limit", self.wrong("export", "--query", "{}", "--limit", limit, *url))
        asked = self.wrong("query", "{ eror }", *url)
        self.assertIn("\n", asked.strip())
        self.assertEqual(self.wrong("export", "--query", "{ eror }", *url), asked)
        once = export(cart)
        self.assertEqual((once.returncode, once.stderr), (0, "1 trace, 1 span\n"))
        self.assertEqual(export(cart, cart.lstrip("0"), cart).stdout, once.stdout)
        two = export("--query", "{}", "--limit", "2")
        self.assertEqual((two.returncode, two.stderr.split(",")[0]), (0, "2 traces"))

    def test_a_long_answer_goes_through_the_pager(self):
        weft = self.shop()
        with tempfile.TemporaryDirectory() as folder:
            pager = {"PAGER": f"tee {folder}/paged"}
            arguments = ["query", "{}", "--all", "--url", weft.url]
            on_terminal(arguments, 120, 20, pager)
            paged = ESCAPE.sub("", open(f"{folder}/paged", encoding="utf-8").read())
            self.assertEqual(paged.count(" GET /cart"), 30)
            os.remove(f"{folder}/paged")
            on_terminal(arguments, 120, 200, pager)  # it fits
            on_terminal([*arguments, "--no-pager"], 120, 20, pager)
            on_terminal([*arguments, "--ndjson"], 120, 20, pager)
            weft.cli("query", "{}", "--all")  # no terminal
            self.assertEqual(os.listdir(folder), [])
            if shutil.which("less"):
                code, _ = on_terminal(arguments, 120, 20, keys=b"q")  # quitting early is no failure
                self.assertEqual(code, 0)

    def test_output_that_is_lost_is_a_failure(self):
        weft = self.shop()
        for arguments in (["query", "{}"], ["query", "{}", "--ndjson", "--all"], ["query", "{}", "--json"],
                          ["services"], ["operations", "--names"], ["tags", "--json"], ["trace", SLOW],
                          ["trace", SLOW, "--json"], ["export", SLOW]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([BINARY, *arguments, "--url", weft.url], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(done.stderr.count("cannot write the output: No space left"), 1, done.stderr)
        for arguments in (["print-config"], ["check", "config"], ["completion", "zsh"], ["man"], ["help"],
                          ["query", "--help"], ["version"]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=60, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("cannot write", done.stderr)
        # A reader that has seen enough is no failure.
        for restore in (True, False):
            process = subprocess.Popen([BINARY, "query", "{}", "--all", "--ndjson", "--url", weft.url],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       restore_signals=restore)
            process.stdout.close()
            self.assertEqual(process.stderr.read(), "")
            process.stderr.close()
            self.assertIn(process.wait(60), (0, -signal.SIGPIPE))

    def follow(self, *arguments):
        out = tempfile.NamedTemporaryFile(mode="r", prefix="weft-follow-", encoding="utf-8")
        self.addCleanup(out.close)
        process = self.spawn([BINARY, *arguments], log=out.name)

        def text():
            out.seek(0)
            return out.read()
        return process, text

    def test_a_query_is_followed(self):
        weft = self.shop()
        process, text = self.follow("query", "--follow", "--ndjson", "{ status = error }", "--url", weft.url)
        found = lambda: [json.loads(line)["traceId"] for line in text().splitlines() if line[0] == "{"]
        time_of_start = time.time_ns()
        # The tail has begun when it shows a trace that came after it.
        sent = []

        def first_shown():
            sent.append(f"{0xE000 + len(sent):032x}")
            self.send(weft, "cart", [span(sent[-1], 7, "GET /late", error=True)])
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline and sent[-1] not in found():
                time.sleep(0.05)
            return sent[-1] in found()
        wait_for("the first new match", first_shown, 60)
        # A span that started ten minutes ago and ends only now.
        late = f"{0xF000:032x}"
        self.send(weft, "cart", [span(late, 8, "slow", start_ns=time_of_start - 600 * SECOND, error=True)])
        wait_for("the late match", lambda: late in found(), 60)
        # The server goes and comes back.
        weft.stop()
        wait_for("the tail notices", lambda: "trying again" in text(), 30)
        weft.start()
        after = f"{0xF001:032x}"
        self.send(weft, "cart", [span(after, 9, "GET /after", error=True)])
        wait_for("the match after the restart", lambda: after in found(), 60)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(len(found()), len(set(found())), "each trace once")
        self.assertNotIn(SLOW, found())

    def test_a_trace_is_followed(self):
        weft = self.weft()
        trace = "00000000000000000000000000abcdef"
        process, text = self.follow("trace", "--follow", trace, "--url", weft.url)
        wait_for("it waits for the trace", lambda: "waiting" in text(), 30)
        self.send(weft, "cart", [span(trace, 2, "child", 1, error=True)])
        wait_for("the child", lambda: "cart child" in text(), 30)
        self.send(weft, "cart", [span(trace, 1, "root")])
        wait_for("the root", lambda: "cart root" in text(), 30)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(text().count("cart child"), 1)
        self.assertIn("error", text().split("cart child")[1].splitlines()[0])
        done = subprocess.run([BINARY, "query", "--follow", "{}", "--url", "http://127.0.0.1:1"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 4, done.stderr)

    def complete(self, words, url=""):
        line = " ".join(words)
        script = 'source <("$0" completion bash); COMP_LINE=$1; shift; COMP_WORDS=("$@"); ' \
                 'COMP_CWORD=$(($# - 1)); PATH=$(dirname "$0"):$PATH; compopt() { :; }; _weft; ' \
                 'printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "--norc", "-c", script, BINARY, line, *words],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "", words)
        return done.stdout.split()

    def test_bash_completes_commands_flags_and_names(self):
        weft = self.shop()
        self.assertEqual(self.complete(["weft", "que"]), ["query"])
        self.assertEqual(self.complete(["weft", "check", ""]), ["config"])
        self.assertEqual(set(self.complete(["weft", "completion", ""])), {"bash", "zsh", "fish"})
        self.assertIn("--follow", self.complete(["weft", "trace", "--f"]))
        self.assertEqual(self.complete(["weft", "loadgen", "--protocol", "g"]), ["grpc"])
        self.assertEqual(self.complete(["weft", "operations", "--url", weft.url, "pay"]), ["payment"])
        self.assertEqual(self.complete(["weft", "trace", "--url", weft.url, "--service", "ca"]), ["cart"])
        self.assertEqual(self.complete(["weft", "tags", "--url", weft.url, "span.http.r"]),
                         ["span.http.route"])

    def fish_completes(self, script, words):
        folder = os.path.dirname(BINARY)
        done = subprocess.run(["fish", "-c", f"set -x PATH {folder} $PATH; source {script}; "
                                             f"complete -C '{words}'"],
                              capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "HOME": tempfile.gettempdir()})
        self.assertEqual(done.stderr, "", words)
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    def test_zsh_and_fish_read_their_completions(self):
        tried = []
        for shell in ("zsh", "fish"):
            if not shutil.which(shell):
                continue
            text = subprocess.run([BINARY, "completion", shell], capture_output=True, timeout=30,
                                  check=True).stdout
            with tempfile.NamedTemporaryFile(suffix=f".{shell}") as file:
                file.write(text)
                file.flush()
                done = subprocess.run([shell, "-n", file.name], capture_output=True, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""), shell)
                if shell == "fish":
                    for words, expected in (("weft que", ["query"]), ("weft check ", ["config"]),
                                            ("weft loadgen --protocol ", ["grpc", "http"]),
                                            ("weft trace --fol", ["--follow"]),
                                            ("weft completion z", ["zsh"])):
                        self.assertEqual(self.fish_completes(file.name, words), expected)
            tried.append(shell)
        if len(tried) < 2:
            self.skipTest(f"read by {tried or 'none'}: zsh and fish are not both installed")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main()
