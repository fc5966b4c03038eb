# SPDX-License-Identifier: Apache-2.0
"""`./dev bench`: measures the release binary and prints one table.

The server runs on one core, the load on another (where there are two). Requests are made before they
are sent; the processor time is the whole process's, from before the first request until everything is
in blocks, merged, and the process has been idle. `--full` takes 10 M spans a shape, else 2 M; ingest without
a pause takes 30 M, else 3 M.
`--keep` leaves each shape's data in --folder, and `--search` measures searches alone over what was kept.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "e2e"))
import bench_search  # noqa: E402
import weft_process  # noqa: E402  (the server as the end-to-end tests start it)

TICKS = os.sysconf("SC_CLK_TCK")
SETS = ["--set", "exporters::store::flush::age=5s"]
SERVER_CORE, LOAD_CORE = "0", "1"
# What the first release has to reach, by row.
FIRST = {"spans per CPU-second": "150 000", "bytes a span": "40", "RSS idle": "20 MB",
         "RSS at 10 k spans/s": "120 MB", "trace by id, p50": "5 ms", "unknown id, p50": "1 ms",
         "visible after send, p50": "1 s", "start": "50 ms",
         "slowest tenth / median": "70 %", "requests refused, tried again": "0, 0", **bench_search.FIRST}


def pinned(core, command):
    return ["taskset", "-c", core, *command] if os.cpu_count() > 1 and shutil.which("taskset") else command


class Server(weft_process.Weft):
    """A weft on its core, with what /proc says about it."""

    def __init__(self, data):
        super().__init__(data=data)

    def start(self, wait=True):
        began = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                pinned(SERVER_CORE, [weft_process.BINARY, "serve", "--data", str(self.data),
                                     "--port-offset", str(self.offset), *SETS]),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while not self.answers():
            time.sleep(0.001)
        self.start_s = time.monotonic() - began
        return self

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", 16686 + self.offset, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            if self.process.poll() is not None:
                raise SystemExit(f"weft ended:\n{self.log()}") from None
            return False

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self, field):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        return 0.0

    def wait_until_idle(self, seconds=900):
        """Everything is in blocks and 3 s went by with next to no processor time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(3)
            if self.cpu_s() - before < 0.05 and self.status()["headSpans"] == 0:
                return
        raise SystemExit("weft did not become idle")

    def block_bytes(self):
        return sum(f.stat().st_size for f in self.data.rglob("*.block"))


def loadgen(server, shape, spans, *more):
    done = subprocess.run(
        pinned(LOAD_CORE, [weft_process.BINARY, "loadgen", "--url", server.http, "--shape", shape,
                           "--spans", str(spans), "--json", *more]),
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"loadgen: {done.stderr}")
    return json.loads(done.stdout)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def time_gets(server, ids, status):
    connection = http.client.HTTPConnection("127.0.0.1", 16686 + server.offset)
    times = []
    for trace_id in ids:
        began = time.perf_counter()
        connection.request("GET", f"/api/weft/v1/trace/{trace_id}")
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        if answer.status != status:
            raise SystemExit(f"trace {trace_id}: {answer.status}, expected {status}")
    return times


def visible_after_send(server, tries=20):
    times = []
    for _ in range(tries):
        trace_id, now_ns = random.randbytes(16).hex(), time.time_ns()
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": trace_id, "spanId": random.randbytes(8).hex(), "name": "probe",
            "startTimeUnixNano": str(now_ns), "endTimeUnixNano": str(now_ns)}]}]}]}).encode()
        began = time.perf_counter()
        status, answer = server.post("/v1/traces", body)
        if status != 200:
            raise SystemExit(f"probe: {status} {answer}")
        while server.trace(trace_id) is None:
            pass
        times.append(time.perf_counter() - began)
    return times


def measure(shape, spans, folder):
    """{row: (value, text)} of one shape."""
    rows = {}
    server = Server(folder).start()
    try:
        time.sleep(2)
        rows["start"] = f"{server.start_s * 1000:.0f} ms"
        rows["RSS idle"] = f"{server.memory_mb('VmRSS'):.0f} MB"
        acked = f"{folder}/acked"
        bench_search.send_probe(server, shape)
        cpu = server.cpu_s()
        report = loadgen(server, shape, spans, "--acked", acked)
        sending_cpu = server.cpu_s() - cpu
        server.wait_until_idle()
        cpu = server.cpu_s() - cpu
        rows["spans per CPU-second"] = f"{report['spans'] / cpu:,.0f}".replace(",", " ")
        rows["... until the last answer"] = f"{report['spans'] / sending_cpu:,.0f}".replace(",", " ")
        rows["spans a second"] = f"{report['spansPerSecond']:,.0f}".replace(",", " ")
        rows["answer, p50 / p99"] = (f"{report['latencyNs']['p50'] / 1e6:.1f} / "
                                     f"{report['latencyNs']['p99'] / 1e6:.1f} ms")
        rows["bytes sent a span"] = f"{report['bytes'] / report['spans']:.0f}"
        rows["bytes a span"] = f"{server.block_bytes() / report['spans']:.1f}"
        rows["blocks"] = str(server.status()["blocks"])
        rows["RSS peak"] = f"{server.memory_mb('VmHWM'):.0f} MB"
        with open(acked, encoding="utf-8") as lines:
            ids = [line.split()[0] for line in lines]
        chosen = random.Random(1).sample(ids, min(300, len(ids)))
        time_gets(server, chosen, 200)
        rows["trace by id, p50"] = f"{percentile(time_gets(server, chosen, 200), 0.5) * 1000:.2f} ms"
        unknown = [random.randbytes(16).hex() for _ in range(300)]
        time_gets(server, unknown, 404)
        rows["unknown id, p50"] = f"{percentile(time_gets(server, unknown, 404), 0.5) * 1000:.2f} ms"
        rows["visible after send, p50"] = f"{percentile(visible_after_send(server), 0.5) * 1000:.1f} ms"
        server.stop()
        server.start()
        rows["start with all that data"] = f"{server.start_s * 1000:.0f} ms"
        rows.update(bench_search.measure(server, shape))
    finally:
        server.close()
    return rows


def measure_searches(shape, folder):
    server = Server(folder).start()
    try:
        return bench_search.measure(server, shape)
    finally:
        server.close()


def measure_steady(shape, folder, seconds=30):
    server = Server(folder).start()
    try:
        loadgen(server, shape, 10_000 * seconds, "--rate", "10000")
        return {"RSS at 10 k spans/s": f"{server.memory_mb('VmHWM'):.0f} MB"}
    finally:
        server.close()


class IngestSampler:
    """How many spans the store has taken, and when; how many requests were refused."""

    def __init__(self, server):
        self.server, self.began, self.samples, self.refused = server, time.monotonic(), [(0.0, 0)], 0

    def sample(self):
        status, body = self.server.get("/metrics")
        at = time.monotonic() - self.began
        if status != 200:
            raise SystemExit(f"/metrics: {status}")
        spans = refused = 0.0
        for line in (body if isinstance(body, str) else body.decode()).splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith("weft_store_appended_spans_total{"):
                spans += float(value)
            elif name.startswith("weft_receiver_refused_requests_total{"):
                refused += float(value)
        self.samples.append((at, int(spans)))
        self.refused = int(refused)

    def rates(self, spans, parts=10):
        """Spans a second in each part of the run, by spans."""
        times = [0.0]
        for part in range(1, parts + 1):
            wanted = spans * part // parts
            for (t0, n0), (t1, n1) in zip(self.samples, self.samples[1:]):
                if n1 >= wanted:
                    times.append(t0 + (t1 - t0) * (wanted - n0) / (n1 - n0))
                    break
            else:
                raise SystemExit(f"only {self.samples[-1][1]} of {spans} spans were taken")
        return [spans / parts / (end - start) for start, end in zip(times, times[1:])]


def measure_sustained(shape, spans, folder):
    """A load that never pauses, on a server with one core."""
    server = Server(folder).start()
    try:
        sampler = IngestSampler(server)
        load = subprocess.Popen(
            pinned(LOAD_CORE, [weft_process.BINARY, "loadgen", "--url", server.http, "--shape", shape, "--spans",
                               str(spans), "--connections", "8", "--ahead", "--json"]),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while load.poll() is None:
            time.sleep(0.5)
            sampler.sample()
        output, errors = load.communicate()
        if load.returncode != 0:
            raise SystemExit(f"loadgen: {errors}")
        sampler.sample()
        report, rates = json.loads(output), sampler.rates(spans)
        median = percentile(rates, 0.5)
        print("    sustained, k spans/s by tenth: " + " ".join(f"{rate / 1000:.0f}" for rate in rates), flush=True)
        return {"sustained spans/s, median tenth": f"{median:,.0f}".replace(",", " "),
                "slowest tenth / median": f"{min(rates) / median * 100:.0f} %",
                "requests refused, tried again": f"{sampler.refused}, {report['retries']}"}
    finally:
        server.close()


def print_table(shapes, results):
    rows = {row: None for shape in shapes for row in results[shape]}
    print(f"\n{'':28}" + "".join(f"{shape:>18}" for shape in shapes) + f"{'first release':>18}")
    for row in rows:
        print(f"{row:28}" + "".join(f"{results[shape].get(row, ''):>18}" for shape in shapes)
              + f"{FIRST.get(row, ''):>18}")


def data_folder(options, shape):
    if not options.keep:
        return tempfile.TemporaryDirectory(prefix="weft-bench-", dir=options.folder)
    kept = pathlib.Path(options.folder) / shape
    kept.mkdir(parents=True)
    return contextlib.nullcontext(str(kept))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--weft", default=str(ROOT / "build" / "release" / "weft"))
    parser.add_argument("--full", action="store_true", help="10 M spans a shape")
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--shape", action="append", choices=["shop", "tracegen"])
    parser.add_argument("--folder", help="where the data directories are made")
    parser.add_argument("--keep", action="store_true", help="leave FOLDER/SHAPE behind")
    parser.add_argument("--search", action="store_true", help="only searches, over FOLDER/SHAPE")
    options = parser.parse_args()
    weft_process.BINARY = options.weft
    if options.folder:
        pathlib.Path(options.folder).mkdir(parents=True, exist_ok=True)
    spans = 10_000_000 if options.full else options.spans
    shapes = options.shape or ["shop", "tracegen"]
    if (options.keep or options.search) and not options.folder:
        parser.error("--keep and --search need --folder")
    if options.search:
        print_table(shapes, {shape: measure_searches(shape, f"{options.folder}/{shape}") for shape in shapes})
        return
    print(f"{spans:,} spans a shape; {os.cpu_count()} cores, Linux {platform.release()}".replace(",", " "))
    results = {}
    for shape in shapes:
        with data_folder(options, shape) as folder:
            print(f"  {shape}: at full rate and searches ...", flush=True)
            results[shape] = measure(shape, spans, folder)
        with tempfile.TemporaryDirectory(prefix="weft-bench-", dir=options.folder) as folder:
            print(f"  {shape}: at 10 k spans/s ...", flush=True)
            results[shape].update(measure_steady(shape, folder))
        with tempfile.TemporaryDirectory(prefix="weft-bench-", dir=options.folder) as folder:
            print(f"  {shape}: without a pause ...", flush=True)
            results[shape].update(measure_sustained(shape, 30_000_000 if options.full else 3_000_000, folder))
    print_table(shapes, results)


if __name__ == "__main__":
    main()
