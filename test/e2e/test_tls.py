# SPDX-License-Identifier: Apache-2.0
"""TLS and authentication: SDKs of three languages send over TLS with a token, the command line and the
API ask over TLS with a password; who has no right is told so and counted, and no secret is shown."""
import base64
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import grpc

from test_sdks import free_ports
from weft_process import BINARY, CACHE, HERE, ROOT, Weft, WeftTest, free, wait_for

SERVICES = HERE / "services"
TOKEN, PASSWORD = "canary-token-5f1c", "canary-password-77aa"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def openssl(*arguments, folder):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True,
                   timeout=60)


class Authority:
    """Certificates in a folder: an authority, and what it signs."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN=weft test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", folder=folder)

    pem = property(lambda self: self.folder / f"{self.name}.pem")

    def issue(self, name):
        """(certificate, key) for localhost."""
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", folder=self.folder)
        (self.folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n", encoding="ascii")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.pem", folder=self.folder)
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


class TlsWeft(Weft):
    """Every listener speaks TLS; receivers want the token, the query port user and password."""

    def __init__(self, sets=()):
        super().__init__()
        self.folder_path = self.data.parent
        self.authority = Authority(self.folder_path / "tls")
        self.certificate, self.key = self.authority.issue("server")
        self.tokens, self.passwords = self.folder_path / "tokens", self.folder_path / "htpasswd"
        self.tokens.write_text(f"{TOKEN}\n", encoding="ascii")
        digest = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True,
                                text=True, timeout=60).stdout.strip()
        self.passwords.write_text(f"ann:{digest}\n", encoding="ascii")
        tls = f"{{cert_file: {self.certificate}, key_file: {self.key}, reload_interval: 100ms}}"
        for word in (
                f"receivers.otlp.protocols.grpc.tls={tls}", f"receivers.otlp.protocols.http.tls={tls}",
                "receivers.otlp.protocols.grpc.auth.authenticator=bearertokenauth",
                "receivers.otlp.protocols.http.auth.authenticator=bearertokenauth",
                f"extensions.bearertokenauth.filename={self.tokens}",
                f"extensions.basicauth.htpasswd.file={self.passwords}",
                f"extensions.query.tls={tls}", "extensions.query.auth.authenticator=basicauth",
                "service.extensions=[query, bearertokenauth, basicauth]", *sets):
            self.arguments += ["--set", word]

    grpc = property(lambda self: f"https://localhost:{4317 + self.offset}")
    http = property(lambda self: f"https://localhost:{4318 + self.offset}")
    url = property(lambda self: f"https://localhost:{16686 + self.offset}")

    def context(self):
        return ssl.create_default_context(cafile=self.authority.pem)

    def ask(self, url, body=None, headers=None, context=None):
        """(status, headers, body)."""
        request = urllib.request.Request(url, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60, context=context or self.context()) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except urllib.error.URLError as error:
            raise OSError(str(error.reason)) from error

    def get(self, path, headers=None, seconds=60):
        pair = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
        status, _, body = self.ask(self.url + path, headers={"Authorization": f"Basic {pair}", **(headers or {})})
        return status, body

    def cli(self, *arguments, check=True):
        return super().cli(*arguments, "--cacert", self.authority.pem, "--user", f"ann:{PASSWORD}", check=check)

    def counted(self, metric, **labels):
        """The sum of all samples with these labels."""
        total = 0
        for line in self.get("/metrics")[1].decode().splitlines():
            name, _, rest = line.partition("{")
            shown = dict(re.findall(r'(\w+)="([^"]*)"', rest))
            if name == metric and labels.items() <= shown.items():
                total += float(line.rsplit(" ", 1)[1])
        return total


class TlsTest(WeftTest):
    def tls_weft(self, *sets):
        server = TlsWeft(sets)
        self.addCleanup(server.close)
        return server.start()

    def sdk(self, weft, service, protocol):
        """What every SDK reads from its environment."""
        return {"OTEL_SERVICE_NAME": service, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_EXPORTER_OTLP_ENDPOINT": weft.grpc if protocol == "grpc" else weft.http,
                "OTEL_EXPORTER_OTLP_CERTIFICATE": str(weft.authority.pem),
                "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{TOKEN}",
                "OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none",
                "OTEL_BSP_SCHEDULE_DELAY": "100"}

    def test_thousands_of_requests_on_one_connection(self):
        # libcurl resets each stream behind its answer, which is no reason to end the connection.
        weft = self.tls_weft()
        for protocol, url in (("grpc", weft.grpc), ("http", weft.http)):
            done = subprocess.run(
                [BINARY, "loadgen", "--protocol", protocol, "--url", url, "--cacert", weft.authority.pem,
                 "--token", TOKEN, "--connections", "1", "--spans", "20000", "--spans-per-request", "10", "--json"],
                capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            sent = json.loads(done.stdout)
            self.assertGreater(sent["requests"], 1000)
            self.assertEqual((sent["rejectedSpans"], sent["retries"]), (0, 0), sent)
        self.assertEqual(weft.counted("weft_receiver_received_items_total", signal="traces"), 2 * sent["spans"])

    def test_three_languages_send_over_tls_with_a_token(self):
        weft = self.tls_weft()
        folder = weft.folder_path
        orders, stock = free_ports(2)
        url = "http://127.0.0.1:{}".format
        self.spawn([CACHE / "venv/bin/opentelemetry-instrument", CACHE / "venv/bin/python", SERVICES / "stock.py"],
                   {**self.sdk(weft, "stock", "grpc"), "PORT": str(stock)}, log=folder / "stock.log")
        self.spawn(["node", "--require", "@opentelemetry/auto-instrumentations-node/register",
                    SERVICES / "orders.cjs"],
                   {**self.sdk(weft, "orders", "http/protobuf"), "PORT": str(orders), "STOCK_URL": url(stock),
                    "NODE_PATH": str(CACHE / "npm/node_modules"), "NODE_EXTRA_CA_CERTS": str(weft.authority.pem),
                    "OTEL_NODE_ENABLED_INSTRUMENTATIONS": "http",
                    "OTEL_NODE_RESOURCE_DETECTORS": "env"}, log=folder / "orders.log")
        for port in (orders, stock):
            wait_for(f"port {port} answers", lambda p=port: not free(p), 60)
        services = {"orders", "stock"}
        java, said = self.java_agent(), ""
        if java:
            services.add("storefront")
            # Compiled first: a program that Java compiles by itself runs as a tool, without the agent.
            subprocess.run(["javac", "-d", folder, SERVICES / "Storefront.java"], check=True, timeout=180)
            done = subprocess.run([*java, "-cp", folder, "Storefront"], capture_output=True, text=True, timeout=180,
                                  env={**os.environ, **self.sdk(weft, "storefront", "grpc"),
                                       "ORDERS_URL": url(orders)}, check=False)
            said = done.stdout + done.stderr[-3000:]
            self.assertIn("200 {", said)
        else:
            with urllib.request.urlopen(url(orders) + "/order/lamp", timeout=60) as answer:
                self.assertEqual(answer.status, 200)

        def found():
            traces = weft.json("/api/weft/v1/search?q=%7B%20name%20%3D%20%22read%20shelf%22%20%7D")["traces"]
            return traces and {s["name"] for s in traces[0]["services"]} == services and traces[0]
        try:
            trace = wait_for("the trace of all services", found, 90)
        except AssertionError as error:
            logs = "".join((folder / f"{name}.log").read_text(encoding="utf-8")[-2000:] for name in ("stock", "orders"))
            arrived = weft.json("/api/weft/v1/services")["services"]
            raise AssertionError(f"{error}\n{arrived}\n{said}\n{logs}\n{weft.log()}") from error
        # The command line over TLS, with flags, and with the environment in their place.
        shown = weft.cli("trace", trace["traceId"])
        for service in services:
            self.assertIn(service, shown)
        done = subprocess.run([BINARY, "services", "--url", weft.url], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "WEFT_CACERT": str(weft.authority.pem),
                                   "WEFT_USER": f"ann:{PASSWORD}"}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("orders", done.stdout)
        self.assertGreaterEqual(weft.counted("weft_tls_handshakes_total", listener="otlp/grpc"), 1)
        self.assertEqual(weft.counted("weft_auth_refused_total", listener="otlp/grpc"), 0)
        self.assertEqual(weft.counted("weft_auth_refused_total", listener="otlp/http"), 0)
        if not java:
            self.skipTest("Java was left out: it needs java and mvn (see ./dev)")

    def java_agent(self):
        """The command that runs a program under the agent; None where Java or Maven is not installed."""
        if not shutil.which("javac") or not shutil.which("mvn"):
            return None
        jars = CACHE / "jars"
        if not (jars / "opentelemetry-javaagent.jar").exists():
            subprocess.run(["mvn", "-q", "-B", "-f", ROOT / "demo/java/pom.xml", "dependency:copy-dependencies",
                            f"-DoutputDirectory={jars}"], check=True, timeout=400)
        return ["java", "-Xmx128m", f"-javaagent:{jars}/opentelemetry-javaagent.jar"]

    def test_who_has_no_right_is_told_and_counted(self):
        weft = self.tls_weft()
        json_type = {"Content-Type": "application/json"}
        wrong = {**json_type, "Authorization": "Bearer canary-wrong-token"}
        good = {**json_type, "Authorization": f"Bearer {TOKEN}"}

        # OTLP/HTTP: 401 in the protocol's own form; with the token, the same requests pass.
        for headers in (json_type, wrong):
            status, answered, body = weft.ask(weft.http + "/v1/traces", b"{}", headers)
            self.assertEqual(status, 401, body)
            self.assertIn("Bearer", answered["WWW-Authenticate"])
            self.assertEqual(json.loads(body)["code"], 16)
        self.assertEqual(weft.ask(weft.http + "/v1/traces", b"{}", good)[0], 200)
        self.assertEqual(weft.ask(weft.http + "/v1/traces", headers=good)[0], 405)
        self.assertEqual(weft.counted("weft_auth_refused_total", listener="otlp/http", reason="no_credentials"), 1)
        self.assertEqual(weft.counted("weft_auth_refused_total", listener="otlp/http", reason="wrong_credentials"), 1)

        # OTLP/gRPC: UNAUTHENTICATED; probes pass.
        pem = weft.authority.pem.read_bytes()
        with grpc.secure_channel(weft.grpc.removeprefix("https://"), grpc.ssl_channel_credentials(pem)) as channel:
            export = channel.unary_unary(EXPORT)
            for metadata in ((), (("authorization", "Bearer canary-wrong-token"),)):
                with self.assertRaises(grpc.RpcError) as refused:
                    export(b"", metadata=metadata, timeout=60)
                self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
            self.assertEqual(export(b"", metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=60), b"")
            health = channel.unary_unary("/grpc.health.v1.Health/Check")
            self.assertEqual(health(b"", timeout=60), b"\x08\x01")

        # The query port: a challenge that browsers understand; each API in its own words.
        for path in ("/", "/search", "/metrics", "/api/services", "/api/weft/v1/services"):
            status, answered, body = weft.ask(weft.url + path)
            self.assertEqual((status, answered["WWW-Authenticate"][:5]), (401, "Basic"), path)
        self.assertEqual(json.loads(weft.ask(weft.url + "/api/services")[2])["errors"][0]["code"], 401)
        self.assertIn("error", json.loads(weft.ask(weft.url + "/api/weft/v1/services")[2]))
        self.assertEqual(weft.ask(weft.url + "/healthz")[0], 200)
        self.assertEqual(weft.get("/api/services")[0], 200)
        self.assertIn(b"<!doctype html", weft.get("/search")[1].lower())
        done = super(TlsWeft, weft).cli("services", "--cacert", weft.authority.pem, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        done = super(TlsWeft, weft).cli("services", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("certificate", done.stderr)

        # TLS: plain speakers are told, old versions get an alert, a stranger's authority is not believed.
        with self.assertRaises(OSError):
            weft.ask(weft.http + "/v1/traces", context=ssl.create_default_context())
        status, _, body = weft.ask(weft.http.replace("https", "http") + "/v1/traces")
        self.assertEqual(status, 400)
        self.assertIn(b"TLS", body)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(ssl.SSLError), socket.create_connection(("127.0.0.1", 4318 + weft.offset)) as plain:
            old.wrap_socket(plain)
        for reason in ("peer_alert", "plain_http", "version"):
            wait_for(f"{reason} is counted", lambda r=reason: weft.counted(
                "weft_tls_handshake_failures_total", listener="otlp/http", reason=r) >= 1)

        # What was wrong is in the log, secrets are not, neither right ones nor wrong ones.
        log = weft.log()
        self.assertIn("was refused", log)
        printed = subprocess.run([BINARY, "print-config", *weft.arguments, "--set",
                                  f"extensions.basicauth.htpasswd.inline=ann:{PASSWORD}"],
                                 capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertIn("[REDACTED]", printed)
        for text in (log, printed, weft.get("/metrics")[1].decode()):
            self.assertNotIn("canary", text.replace(str(weft.folder_path), ""))

    def test_certificates_tokens_and_passwords_change_without_a_restart(self):
        weft = self.tls_weft("extensions.query.tls.reload_interval=0")

        def name(offset):
            with socket.create_connection(("127.0.0.1", offset + weft.offset)) as plain, \
                    weft.context().wrap_socket(plain, server_hostname="localhost") as stream:
                return dict(pair[0] for pair in stream.getpeercert()["subject"])["commonName"]

        def passes(token):
            status, _, _ = weft.ask(weft.http + "/v1/traces", b"{}", {
                "Content-Type": "application/json", "Authorization": f"Bearer {token}"})
            return status == 200

        self.assertEqual((name(4318), name(16686)), ("server", "server"))
        certificate, key = weft.authority.issue("second")
        certificate.rename(weft.certificate)
        time.sleep(0.2)
        self.assertEqual(name(4318), "server")  # the new certificate beside the old key is not taken
        key.rename(weft.key)
        wait_for("the new certificate", lambda: name(4318) == "second")
        self.assertEqual(name(16686), "server")
        self.assertGreaterEqual(weft.counted("weft_tls_reloads_total", listener="otlp/http", result="ok"), 1)

        self.assertTrue(passes(TOKEN))
        weft.tokens.write_text("another\n", encoding="ascii")
        wait_for("the new token", lambda: passes("another"))
        self.assertFalse(passes(TOKEN))

    def test_client_certificates(self):
        weft = self.tls_weft()
        stranger = Authority(weft.folder_path / "stranger")
        weft.stop()
        weft.arguments += ["--set", f"receivers.otlp.protocols.http.tls.client_ca_file={weft.authority.pem}"]
        weft.start()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}

        def send(pair):
            context = weft.context()
            if pair:
                context.load_cert_chain(*pair)
            return weft.ask(weft.http + "/v1/traces", b"{}", headers, context)[0]

        mine = weft.authority.issue("sender")
        self.assertEqual(send(mine), 200)
        for pair in (None, stranger.issue("sender")):
            with self.assertRaises(OSError):
                send(pair)
        for reason in ("no_client_certificate", "bad_client_certificate"):
            wait_for(f"{reason} is counted", lambda r=reason: weft.counted(
                "weft_tls_handshake_failures_total", listener="otlp/http", reason=r) >= 1)
        # The load generator of weft itself, with a certificate and a token.
        done = subprocess.run([BINARY, "loadgen", "--url", weft.http, "--spans", "500", "--cacert",
                               weft.authority.pem, "--cert", mine[0], "--key", mine[1], "--token-file", weft.tokens],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
