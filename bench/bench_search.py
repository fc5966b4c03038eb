# SPDX-License-Identifier: Apache-2.0
"""The rows of `./dev bench` that ask for spans by what they carry.

Every question is asked cold (a new process, the pages of its files dropped from the page cache, one
question) and warm (the same process, asked again and again), over HTTP, with limit 20. The goals are
those of bench.py's last column; a question whose answer is not what the shape must give ends the bench.
"""
import http.client
import json
import os
import random
import time
import urllib.parse

COLD_RUNS, WARM_RUNS = 5, 50
LIMIT = 20
FIRST = {"one span has it, cold / warm": "20 / 20 ms", "a common value, cold / warm": "20 / 20 ms",
         "no span has it, cold / warm": "5 / 5 ms"}
# Shape -> (row, TraceQL, fewest and most traces on the first page).
QUESTIONS = {
    "shop": [
        ("one span has it", '{ .enduser.id = "u-of-the-bench" }', 1, 1),
        ("a common value", '{ .http.request.method = "POST" }', LIMIT, LIMIT),
        ("no span has it", '{ .enduser.id = "u-00777x" }', 0, 0),
        ("service and duration", '{ resource.service.name = "payment" && duration > 3ms }', LIMIT, LIMIT),
        ("{a} && {b}, whole traces", '{ resource.service.name = "payment" && status = error } && '
                                     '{ .enduser.id = "u-00777" }', 0, LIMIT),
    ],
    "tracegen": [
        ("one span has it", '{ .attr_05 = "val_of_the_bench" }', 1, 1),
        ("a common value", '{ .attr_05 = "val_105" }', LIMIT, LIMIT),
        ("no span has it", '{ .attr_05 = "val_105x" }', 0, 0),
        ("service and duration", '{ resource.service.name = "tracegen-03" && duration > 1190us }', LIMIT, LIMIT),
        ("{a} && {b}, whole traces", '{ .attr_05 = "val_105" } && { .attr_07 = "val_110" }', 0, LIMIT),
    ],
}
PROBE = {"shop": ("enduser.id", "u-of-the-bench"), "tracegen": ("attr_05", "val_of_the_bench")}


def send_probe(server, shape):
    """The one span that has the rare value, in the middle of the day that the load is spread over."""
    key, value = PROBE[shape]
    start_ns = time.time_ns() - 12 * 3600 * 1_000_000_000
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": random.randbytes(16).hex(), "spanId": random.randbytes(8).hex(), "name": "probe",
        "startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + 1000),
        "attributes": [{"key": key, "value": {"stringValue": value}}]}]}]}]}).encode()
    status, answer = server.post("/v1/traces", body)
    if status != 200:
        raise SystemExit(f"probe: {status} {answer}")


def drop_from_page_cache(folder):
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        file = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def ask(connection, row, traceql, fewest, most):
    """Seconds until the whole answer was there."""
    query = urllib.parse.urlencode({"q": traceql, "limit": LIMIT})
    began = time.perf_counter()
    connection.request("GET", "/api/weft/v1/search?" + query)
    answer = connection.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - began
    found = json.loads(body)
    if answer.status != 200 or found["partial"]:
        raise SystemExit(f"{row}: {answer.status} {body[:300]}")
    if not fewest <= len(found["traces"]) <= most:
        raise SystemExit(f"{row}: {len(found['traces'])} traces for {traceql}")
    return seconds


def measure(server, shape):
    """{row: "cold / warm ms"}, medians. The server is stopped and started many times."""
    rows = {}
    for row, traceql, fewest, most in QUESTIONS[shape]:
        cold, warm = [], []
        for run in range(COLD_RUNS):
            server.stop()
            drop_from_page_cache(server.data)
            server.start()
            drop_from_page_cache(server.data)  # what opening the files has read ahead
            connection = http.client.HTTPConnection("127.0.0.1", 16686 + server.offset)
            connection.connect()
            cold.append(ask(connection, row, traceql, fewest, most))
            if run + 1 == COLD_RUNS:
                warm = [ask(connection, row, traceql, fewest, most) for _ in range(WARM_RUNS)]
            connection.close()
        middle = [sorted(times)[len(times) // 2] * 1000 for times in (cold, warm)]
        rows[f"{row}, cold / warm"] = f"{middle[0]:.1f} / {middle[1]:.1f} ms"
    return rows
