# SPDX-License-Identifier: Apache-2.0
"""The doors of a server that trusts its own machine alone: pages of a browser come in by name of
their origin and in no other way, sockets of the file system work, a reverse proxy may put
everything below a path."""
import http.client
import http.server
import json
import pathlib
import socket
import subprocess
import tempfile
import threading

from weft_process import BINARY, Weft, WeftTest, fetch, wait_for

PAGE = """<!doctype html><meta charset=utf-8><pre id=o></pre><script>
const base = new URLSearchParams(location.search).get('base');
const spans = n => JSON.stringify({resourceSpans: [{scopeSpans: [{spans: [{traceId: n.repeat(32),
  spanId: n.repeat(16), name: 'page', startTimeUnixNano: '1796034660000000000',
  endTimeUnixNano: '1796034660000000001'}]}]}]});
const say = text => document.getElementById('o').textContent += text + '\\n';
say('beacon ' + navigator.sendBeacon(base + '/v1/traces', new Blob([spans('b')], {type: 'application/json'})));
fetch(base + '/v1/traces', {method: 'POST', credentials: 'include', body: spans('c'),
  headers: {'content-type': 'application/json', 'x-team': 'web'}})
  .then(answer => answer.status + ' ' + answer.headers.get('x-none'), String).then(text => say('fetch ' + text));
</script>"""


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def has_trace(weft, trace_id):
    return weft.get(f"/api/weft/v1/trace/{trace_id}")[0] == 200


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def spans(trace_id):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": trace_id, "spanId": trace_id[:16], "name": "x",
        "startTimeUnixNano": "1796034660000000000", "endTimeUnixNano": "1796034660000000001"}]}]}]})


class DoorsTest(WeftTest):
    def page_for(self, base):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        return server.server_address[1], lambda: subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000",
             "--user-data-dir=" + tempfile.mkdtemp(prefix="weft-chromium-"), "--dump-dom",
             f"http://127.0.0.1:{server.server_address[1]}/?base={base}"],
            capture_output=True, text=True, timeout=60, check=False).stdout

    def test_pages_of_an_allowed_origin_send_with_credentials(self):
        for origins, kept in ((None, False), ("http://127.0.0.1:{port}", True), ("*", True), ("http://other", False)):
            with self.subTest(origins=origins):
                weft = Weft()
                port, browse = self.page_for(weft.http)
                if origins:
                    weft.arguments += [
                        "--set", f'receivers.otlp.protocols.http.cors.allowed_origins=["{origins.format(port=port)}"]',
                        "--set", 'receivers.otlp.protocols.http.cors.allowed_headers=["*"]']
                self.addCleanup(weft.close)
                weft.start()
                text = browse()
                self.assertIn("fetch 200" if kept else "fetch TypeError", text)
                for trace_id in ("b" * 32, "c" * 32):
                    if kept:
                        wait_for(f"trace {trace_id}", lambda: has_trace(weft, trace_id))
                    else:
                        self.assertFalse(has_trace(weft, trace_id))

    def test_other_hosts_are_refused_on_loopback(self):
        weft = self.weft()
        for url, path in ((weft.url, "/metrics"), (weft.url, "/"), (weft.http, "/v1/traces")):
            for host, refused in (("localhost", False), ("rebound.example", True)):
                with self.subTest(path=path, host=host):
                    connection = http.client.HTTPConnection(url.removeprefix("http://"))
                    body = spans("a" * 32) if path == "/v1/traces" else None
                    connection.request("POST" if body else "GET", path, body,
                                       {"Host": host, "Content-Type": "application/json"})
                    self.assertEqual(connection.getresponse().status, 403 if refused else 200)
        status, page = weft.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b'weft_host_refused_total{listener="otlp/http"} 1', page)

    def test_everything_works_over_sockets_of_the_file_system(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-sockets-"))
        otlp, query = folder / "otlp.sock", folder / "query.sock"
        command = [BINARY, "serve", "--data", str(folder / "data"),
                   "--set", "receivers.otlp.protocols.grpc=null",
                   "--set", f"receivers.otlp.protocols.http.endpoint=unix://{otlp}",
                   "--set", f"extensions.query.endpoint=unix://{query}"]
        for start in range(2):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            try:
                wait_for("both sockets", lambda: otlp.exists() and query.exists())
                trace_id = f"{start + 1}" * 32
                sender = UnixConnection(str(otlp))
                wait_for("a listener", lambda: self.connects(otlp))
                sender.request("POST", "/v1/traces", spans(trace_id), {"Content-Type": "application/json"})
                self.assertEqual(sender.getresponse().status, 200)
                asker = UnixConnection(str(query))
                asker.request("GET", f"/api/weft/v1/trace/{trace_id}")
                self.assertEqual(asker.getresponse().status, 200)
            finally:
                process.kill()  # leaves both files, which the next start takes over
                process.wait()
        self.assertTrue(otlp.exists())

    @staticmethod
    def connects(path):
        try:
            UnixConnection(str(path)).connect()
            return True
        except OSError:
            return False

    def test_a_base_path_holds_with_and_without_the_proxy_that_takes_it_off(self):
        weft = self.weft("extensions.query.base_path=/tools/weft")
        fetch(weft.http + "/v1/traces", spans("d" * 32).encode(), {"Content-Type": "application/json"})
        for front in ("", "/tools/weft"):
            self.assertEqual(weft.get(front + "/api/weft/v1/trace/" + "d" * 32)[0], 200)
            self.assertEqual(weft.get(front + "/api/traces/" + "d" * 32)[0], 200)
            status, page = weft.get(front + "/search")
            self.assertEqual(status, 200)
            self.assertIn(b'<head><base href="/tools/weft/">', page)
        self.assertEqual(weft.get("/tools/other/api/services")[0], 200)  # a page of the UI
        plain = self.weft()
        self.assertNotIn(b"/tools/weft", plain.get("/search")[1])
