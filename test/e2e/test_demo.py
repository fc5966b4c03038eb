# SPDX-License-Identifier: Apache-2.0
"""`weft demo`: the slow call is found, and each fault has another culprit, in every view."""
import json
import subprocess

from weft_process import BINARY, WeftTest

CULPRITS = {
    None: ("stripe-api", "POST /v1/charges"),
    "slow-stripe": ("stripe-api", "POST /v1/charges"),
    "fraud-900ms": ("fraud", "shop.Fraud/Score"),
    "missing-index": ("inventory", "SELECT shop.stock"),
    "cache-miss-retries": ("pricing", "GET"),
}


class DemoTest(WeftTest):
    def slowest(self, fault):
        weft = self.weft()
        faults = ["--fault", fault] if fault else []
        done = subprocess.run([BINARY, "demo", "--url", weft.http, "--history", "10m", "--for", "0s",
                               "--seed", "5", *faults], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        traces = weft.json("/api/weft/v1/search?limit=1000&q=" +
                           "%7B%20name%20%3D%20%22POST%20/checkout%22%20%7D")["traces"]
        self.assertGreater(len(traces), 50)
        slow = max(traces, key=lambda t: t["durationNs"])
        self.assertEqual(slow["rootName"], "POST /checkout")
        return weft, slow

    def test_the_critical_path_names_the_culprit_of_each_fault(self):
        for fault, (service, name) in CULPRITS.items():
            with self.subTest(fault=fault):
                weft, slow = self.slowest(fault)
                header, spans = weft.trace(slow["traceId"])
                time = {}
                for span in spans:
                    key = (span["service"], span["name"])
                    time[key] = time.get(key, 0) + span["critical"]
                self.assertEqual(max(time, key=time.get), (service, name))
                most = max(header["selfByService"], key=lambda entry: entry[1])[0]
                self.assertEqual(header["services"][most], service)
                self.assertIn(service, weft.cli("trace", slow["traceId"]))

    def test_a_checkout_of_four_seconds_is_found_without_a_fault(self):
        weft, slow = self.slowest(None)
        self.assertGreater(slow["durationNs"], 4e9)
        found = weft.cli("query", "{ duration > 4s }", "--ndjson", "--all")
        self.assertIn(slow["traceId"], found)
        shown = self.browse("trace", f"{weft.url}/trace/{slow['traceId']}")
        self.assertIn("stripe-api", shown["text"])
        self.assertEqual(shown["complaints"], [])
        services = {s["name"] for s in weft.json("/api/weft/v1/services")["services"]}
        self.assertEqual(services, {"gateway", "checkout", "inventory", "pricing", "payment",
                                    "stripe-api", "fraud", "notification"})
        self.assertIn("checkout", json.dumps(weft.json("/api/services")))
