# SPDX-License-Identifier: Apache-2.0
"""The demo shop of demo/: services in Python, Node.js and Java over PostgreSQL and Redis. One checkout
is the same trace in the UI, the command line, the Jaeger API and the Tempo API; each fault that is
switched on is named by the critical path, and the index ends the slow query."""
import base64
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

from weft_process import ROOT, Weft, WeftTest, fetch, free, wait_for

SHOP = ROOT / "demo" / "shop.py"
LANGUAGES = {"gateway": "nodejs", "checkout": "python", "inventory": "java", "pricing": "python",
             "payment": "java", "stripe-api": "nodejs", "fraud": "python", "notification": "nodejs"}
BUSINESS = {"read basket": "gateway", "place order": "checkout", "reserve stock": "inventory",
            "quote basket": "pricing", "charge card": "payment", "authorize with issuer": "stripe-api",
            "score transaction": "fraud", "send confirmation": "notification"}
STOCK_QUERY = "stock_movements"  # in the name and the text of the query that wants the index
CULPRITS = {
    "slow-stripe": ("stripe-api", "authorize with issuer"),
    "fraud-900ms": ("fraud", "score transaction"),
    "missing-index": ("inventory", STOCK_QUERY),
    "cache-miss-retries": ("pricing", "GET"),
}


def free_base(count=11):
    base = 22_000
    while not all(free(base + n) for n in range(count)):
        base += count
    return base


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class DemoShopTest(WeftTest):
    @classmethod
    def setUpClass(cls):
        cls.weft = Weft()
        cls.addClassCleanup(cls.weft.close)
        cls.weft.start()
        cls.base = free_base()
        cls.log_path = cls.weft.data.parent / "shop.log"
        with open(cls.log_path, "wb") as log:
            cls.process = subprocess.Popen(
                [sys.executable, str(SHOP), "start", "--port", str(cls.base), "--url", cls.weft.http,
                 "--rate", "0.5"], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        cls.addClassCleanup(cls.end)
        wait_for("the demo shop is open", cls.open, 420)
        cls.status = cls.control()

    @classmethod
    def open(cls):
        if cls.process.poll() is not None:
            raise AssertionError(f"the shop ended:\n{cls.log_path.read_text(encoding='utf-8')}")
        return "In another terminal" in cls.log_path.read_text(encoding="utf-8")

    @classmethod
    def control(cls, *command):
        done = subprocess.run([sys.executable, str(SHOP), *(command or ["status"]), "--port", str(cls.base)],
                              capture_output=True, text=True, timeout=180, check=True)
        return json.loads(done.stdout)

    @classmethod
    def end(cls):
        """Ctrl-C: nothing of it may be left."""
        cls.process.send_signal(signal.SIGINT)
        try:
            code = cls.process.wait(60)
        except subprocess.TimeoutExpired:
            cls.process.kill()
            raise AssertionError("the shop did not end within 60 s of Ctrl-C") from None
        log = cls.log_path.read_text(encoding="utf-8")
        left = [name for name, pid in cls.status["pids"].items() if alive(pid)]
        folder = ROOT / "build" / "demo" / f"run-{cls.base}"
        if code != 0 or left or folder.exists():
            raise AssertionError(f"the shop ended with {code}, left {left} {folder.exists()}\n{log}")

    def buy(self, card="visa"):
        """Buys four things; (HTTP status, trace id, header, spans) when the trace is whole."""
        order = {"user": "user-0042", "card": card,
                 "articles": ["mug-blue", "desk-oak", "rug-kilim", "vase-clay"]}
        status, body = fetch(self.status["gateway"] + "/checkout", json.dumps(order).encode(),
                             {"Content-Type": "application/json"})
        query = f"%7B%20span.shop.order.id%20%3D%20%22{json.loads(body)['order']}%22%20%7D"
        wanted = set(BUSINESS) - (set() if status == 200 else {"send confirmation"})
        last = (0, 0)

        def whole():
            nonlocal last
            found = self.weft.json(f"/api/weft/v1/search?q={query}")["traces"]
            trace = self.weft.trace(found[0]["traceId"]) if found else None
            if not trace or not wanted <= {s["name"] for s in trace[1]} or trace[0]["rootMissing"]:
                return None
            now = (len(trace[1]), trace[0]["logs"])
            if last[0] != now:
                last = (now, time.monotonic())
            return time.monotonic() - last[1] > 2 and (found[0]["traceId"], *trace)
        return (status, *wait_for("the whole trace of a checkout", whole, 60))

    def ancestors(self, spans, name):
        """The services from the span of that name up to the root, each once."""
        span = next(s for s in spans if s["name"] == name)
        line = [span["service"]]
        while span["parent"] is not None and span["parent"] >= 0:
            span = spans[span["parent"]]
            if span["service"] != line[-1]:
                line.append(span["service"])
        return line

    def culprit(self, spans):
        """(service, name) with the most time on the critical path."""
        spent = {}
        for span in spans:
            key = (span["service"], span["name"])
            spent[key] = spent.get(key, 0) + span["critical"]
        return max(spent, key=spent.get)

    def test_one_checkout_is_the_same_trace_everywhere(self):
        status, trace_id, header, spans = self.buy()
        self.assertEqual(status, 200)
        self.assertEqual((header["rootService"], header["rootMissing"]), ("gateway", False))
        self.assertEqual(set(header["services"]), set(LANGUAGES))
        self.assertEqual({s["name"]: s["service"] for s in spans if s["name"] in BUSINESS}, BUSINESS)
        for name, line in (("reserve stock", ["inventory", "checkout", "gateway"]),
                           ("quote basket", ["pricing", "checkout", "gateway"]),
                           ("authorize with issuer", ["stripe-api", "payment", "checkout", "gateway"]),
                           ("score transaction", ["fraud", "payment", "checkout", "gateway"]),
                           ("send confirmation", ["notification", "checkout", "gateway"])):
            self.assertEqual(self.ancestors(spans, name), line)
        ids = sorted(s["id"] for s in spans)

        # The command line, for a program and for a person.
        told = self.weft.cli("trace", trace_id, "--json")
        for span_id in ids:
            self.assertIn(span_id, told)
        waterfall = self.weft.cli("trace", trace_id)
        for word in (*LANGUAGES, *(name[:9] for name in BUSINESS)):
            self.assertIn(word, waterfall)

        # Jaeger's API, and which language each service says it is.
        jaeger = self.weft.json(f"/api/traces/{trace_id}")["data"][0]
        self.assertEqual(sorted(s["spanID"] for s in jaeger["spans"]), ids)
        language = {p["serviceName"]: tag["value"] for p in jaeger["processes"].values() for tag in p["tags"]
                    if tag["key"] == "telemetry.sdk.language"}
        self.assertEqual(language, LANGUAGES)

        # Tempo's API: by id, and by the order's language-crossing services.
        tempo = f"http://127.0.0.1:{3200 + self.weft.offset}/api"
        trace = json.loads(fetch(f"{tempo}/traces/{trace_id}")[1])
        self.assertEqual(sorted(base64.b64decode(span["spanId"]).hex() for resource in trace["batches"]
                                for scope in resource["scopeSpans"] for span in scope["spans"]), ids)
        query = urllib.parse.quote('{ resource.service.name = "gateway" } && '
                                   '{ resource.service.name = "stripe-api" }')
        found = json.loads(fetch(f"{tempo}/search?q={query}&limit=100")[1])["traces"]
        self.assertIn(trace_id, {t["traceID"] for t in found})

        # The UI: the same rows in the same order, and the log lines of a span of each language.
        page = f"{self.weft.url}/trace/{trace_id}"
        shown = self.browse("trace", f"{page}?fold=0")
        self.assertEqual(shown["complaints"], [])
        self.assertEqual(shown["count"], len(spans))
        self.assertGreater(len(shown["rows"]), 15)
        for row, span in zip(shown["rows"], spans):
            self.assertIn(span["name"], row)
        for service, word in (("gateway", "order placed"), ("inventory", "reserved 4 articles"),
                              ("checkout", "placed for")):
            with_log = [s for s in spans if s["service"] == service and s["logs"]]
            self.assertTrue(with_log, f"no log line on a span of {service}")
            self.browse("text", f"{page}?span={with_log[0]['id']}", word)
        self.assertIn(trace_id, self.browse("search", f"{self.weft.url}/search?service=payment")["traces"])

    def test_each_fault_is_named_as_the_culprit(self):
        self.buy()  # the virtual machines are warm after it
        for fault, (service, name) in CULPRITS.items():
            with self.subTest(fault=fault):
                self.assertTrue(self.control("fault", fault, "on")["faults"][fault])
                _, trace_id, header, spans = self.buy()
                self.assertFalse(self.control("fault", fault, "off")["faults"][fault])
                found = self.culprit(spans)
                self.assertEqual((found[0], name in found[1]), (service, True), found)
                most = max(header["selfByService"], key=lambda entry: entry[1])[0]
                self.assertEqual(header["services"][most], service)
                line = next(text for text in self.weft.cli("trace", trace_id).splitlines()
                            if text.startswith("critical path:"))
                self.assertTrue(line.startswith(f"critical path: {found[0]} {found[1]} "), line)

    def test_the_index_ends_the_slow_query(self):
        self.control("fault", "missing-index", "on")
        slow = self.buy()[3]
        self.control("fault", "missing-index", "off")
        quick = self.buy()[3]
        took = [max(s["duration"] for s in spans if STOCK_QUERY in s["name"] and "SELECT" in s["name"])
                for spans in (slow, quick)]
        self.assertGreater(took[0], 150e6)
        self.assertLess(took[1], took[0] / 5)
        self.assertNotEqual(self.culprit(quick)[0], "inventory")

    def test_a_declined_card_is_an_error_where_it_happened(self):
        status, _, _, spans = self.buy("expired")
        self.assertEqual(status, 402)
        failed = {s["name"] for s in spans if s["status"] == 2}
        self.assertLessEqual({"authorize with issuer", "charge card", "place order"}, failed)
        self.assertNotIn("score transaction", failed)

    def test_no_clock_of_one_machine_seems_to_be_off(self):
        for _ in range(5):
            self.buy()
        found = self.weft.json("/api/weft/v1/search?limit=10000&spss=0")["traces"]
        self.assertGreater(len(found), 10)
        said = {t["traceId"]: header["clocks"] for t in found
                if (header := self.weft.trace(t["traceId"])[0])["clocks"]}
        self.assertEqual(said, {}, f"{len(said)} of {len(found)} traces")

    def test_its_visitors_come_by_themselves(self):
        def visited():
            found = self.weft.json("/api/weft/v1/search?q=%7B%20name%20%3D%20%22GET%20/products/:article%22%20%7D")
            return found["traces"]
        wait_for("a visit that only looks", visited, 60)


if __name__ == "__main__":
    unittest.main()
