#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden files of this folder: traces, logs and metrics with the extremes of every field, in
protobuf and in strict OTLP/JSON. It shares no code with weft: the bytes are put together here from
the field numbers of opentelemetry-proto, so that encoder and decoder are held against something else.

Run it in this folder; the files are checked in, and otlp_golden_test.cc reads them."""
import base64
import json
import struct


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def v(number, n):
    return varint(number << 3) + varint(n)


def f64(number, n):
    return varint(number << 3 | 1) + struct.pack("<Q", n)


def f32(number, n):
    return varint(number << 3 | 5) + struct.pack("<I", n)


def b(number, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def pb_value(kind, value):
    if kind == "string":
        return b(1, value)
    if kind == "bool":
        return v(2, int(value))
    if kind == "int":
        return v(3, value)
    if kind == "double":
        return varint(4 << 3 | 1) + struct.pack("<d", value)
    if kind == "array":
        return b(5, b"".join(b(1, pb_value(*item)) for item in value))
    if kind == "map":
        return b(6, pb_attributes(1, value))
    if kind == "bytes":
        return b(7, value)
    return b""


def d(number, *reals):
    """One double, or a packed field of several."""
    packed = struct.pack("<%dd" % len(reals), *reals)
    return varint(number << 3 | 1) + packed if len(reals) == 1 else b(number, packed)


def f64s(number, numbers):
    return b(number, struct.pack("<%dQ" % len(numbers), *numbers))


def zigzag(number, n):
    return v(number, (n << 1) ^ (n >> 63))


def js_value(kind, value):
    if kind == "string":
        return {"stringValue": value}
    if kind == "bool":
        return {"boolValue": value}
    if kind == "int":
        return {"intValue": str(value)}
    if kind == "double":
        special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        return {"doubleValue": special.get(repr(value), value)}
    if kind == "array":
        return {"arrayValue": {"values": [js_value(*item) for item in value]}}
    if kind == "map":
        return {"kvlistValue": {"values": js_attributes(value)}}
    if kind == "bytes":
        return {"bytesValue": base64.b64encode(value).decode()}
    return {}


def pb_attributes(number, attributes):
    out = b""
    for key, kind, value in attributes:
        content = pb_value(kind, value)
        out += b(number, (b(1, key) if key else b"") + (b(2, content) if kind else b""))
    return out


def js_attributes(attributes):
    return [{"key": key, "value": js_value(kind, value)} for key, kind, value in attributes]


EXTREMES = [
    ("int.min", "int", -(2**63)), ("int.max", "int", 2**63 - 1), ("int.minus.one", "int", -1),
    ("int.zero", "int", 0), ("double.tiny", "double", 5e-324), ("double.big", "double", 1.5e300),
    ("double.minus.zero", "double", -0.5), ("double.nan", "double", float("nan")),
    ("double.inf", "double", float("inf")), ("double.minus.inf", "double", float("-inf")),
    ("bool.false", "bool", False), ("bool.true", "bool", True), ("string.empty", "string", ""),
    ("string.escapes", "string", "\"\\\n\r\t\u0001/"), ("string.utf8", "string", "žluťoučký 日本語 😀"),
    ("bytes.empty", "bytes", b""), ("bytes.all", "bytes", bytes(range(256))), ("empty", "", None),
    ("", "string", "empty key"), ("same.key", "string", "twice"), ("same.key", "int", 2),
    ("array", "array", [("string", "a"), ("", None), ("array", []), ("map", [("k", "int", 1)])]),
    ("map", "map", [("x", "map", [("y", "bytes", b"\xff")]), ("z", "", None)]),
]
# A value at depth 32, the deepest that is taken.
DEEP = ("int", 7)
for _ in range(31):
    DEEP = ("array", [DEEP])

TRACE, SPAN, PARENT = bytes(range(1, 17)), bytes(range(0xF8, 0x100)), bytes([0] * 7 + [1])
ENTITY = {"schemaUrl": "https://e", "type": "service", "idKeys": ["a", "b"], "descriptionKeys": ["c"]}
PB_ENTITY = b(1, "https://e") + b(2, "service") + b(3, "a") + b(3, "b") + b(4, "c")
MAX32, MAX64 = 2**32 - 1, 2**64 - 1


def wrap(names, items):
    """Two resources: one with everything, one with nothing but its item."""
    top, middle, inner = names
    full_pb = b(1, pb_attributes(1, EXTREMES) + v(2, MAX32) + b(3, PB_ENTITY))
    scope_pb = b(1, b(1, "scope") + b(2, "1.0") + pb_attributes(3, EXTREMES[:3]) + v(4, 1))
    pb = b(1, full_pb + b(2, scope_pb + b"".join(b(2, item[0]) for item in items[:-1])
                          + b(3, "https://scope")) + b(3, "https://resource"))
    pb += b(1, b(2, b(2, items[-1][0])))
    js = {top: [
        {"resource": {"attributes": js_attributes(EXTREMES), "droppedAttributesCount": MAX32,
                      "entityRefs": [ENTITY]},
         middle: [{"scope": {"name": "scope", "version": "1.0", "attributes": js_attributes(EXTREMES[:3]),
                             "droppedAttributesCount": 1},
                   inner: [item[1] for item in items[:-1]], "schemaUrl": "https://scope"}],
         "schemaUrl": "https://resource"},
        {"resource": {}, middle: [{"scope": {}, inner: [items[-1][1]]}]}]}
    return pb, js


def spans():
    event = (f64(1, MAX64) + b(2, "event") + pb_attributes(3, EXTREMES) + v(4, 3),
             {"timeUnixNano": str(MAX64), "name": "event", "attributes": js_attributes(EXTREMES),
              "droppedAttributesCount": 3})
    link = (b(1, TRACE) + b(2, SPAN) + b(3, "s=t") + pb_attributes(4, EXTREMES[:1]) + v(5, 4) + f32(6, MAX32),
            {"traceId": TRACE.hex(), "spanId": SPAN.hex(), "traceState": "s=t",
             "attributes": js_attributes(EXTREMES[:1]), "droppedAttributesCount": 4, "flags": MAX32})
    full_pb = (b(1, TRACE) + b(2, SPAN) + b(3, "rojo=00f067aa0ba902b7") + b(4, PARENT) + b(5, "full") + v(6, 5)
               + f64(7, MAX64) + f64(8, 1) + pb_attributes(9, EXTREMES + [("deep",) + DEEP]) + v(10, MAX32)
               + b(11, event[0]) + b(11, b"") + v(12, 1) + b(13, link[0]) + b(13, b"") + v(14, 2)
               + b(15, b(2, "because") + v(3, 2)) + f32(16, 0x301))
    full_js = {"traceId": TRACE.hex(), "spanId": SPAN.hex(), "traceState": "rojo=00f067aa0ba902b7",
               "parentSpanId": PARENT.hex(), "flags": 0x301, "name": "full", "kind": 5,
               "startTimeUnixNano": str(MAX64), "endTimeUnixNano": "1",
               "attributes": js_attributes(EXTREMES + [("deep",) + DEEP]), "droppedAttributesCount": MAX32,
               "events": [event[1], {}], "droppedEventsCount": 1, "links": [link[1], {}],
               "droppedLinksCount": 2, "status": {"message": "because", "code": 2}}
    odd_pb = b(1, TRACE) + b(2, PARENT) + v(6, -1) + b(15, v(3, 99))
    odd_js = {"traceId": TRACE.hex(), "spanId": PARENT.hex(), "kind": -1, "status": {"code": 99}}
    bare_pb = b(1, TRACE) + b(2, SPAN)
    bare_js = {"traceId": TRACE.hex(), "spanId": SPAN.hex()}
    return [(full_pb, full_js), (odd_pb, odd_js), (bare_pb, bare_js)]


def logs():
    full_pb = (f64(1, MAX64) + v(2, 24) + b(3, "FATAL4") + b(5, pb_value(*DEEP)) + pb_attributes(6, EXTREMES)
               + v(7, MAX32) + f32(8, MAX32) + b(9, TRACE) + b(10, SPAN) + f64(11, 1) + b(12, "event.name"))
    full_js = {"timeUnixNano": str(MAX64), "observedTimeUnixNano": "1", "severityNumber": 24,
               "severityText": "FATAL4", "body": js_value(*DEEP), "attributes": js_attributes(EXTREMES),
               "droppedAttributesCount": MAX32, "flags": MAX32, "traceId": TRACE.hex(), "spanId": SPAN.hex(),
               "eventName": "event.name"}
    bare_pb, bare_js = b(9, TRACE), {"traceId": TRACE.hex()}
    return [(full_pb, full_js), (bare_pb, bare_js)]


def exemplars(number):
    full_pb = (f64(2, MAX64) + d(3, 0.0) + b(4, SPAN) + b(5, TRACE) + pb_attributes(7, EXTREMES))
    full_js = {"filteredAttributes": js_attributes(EXTREMES), "timeUnixNano": str(MAX64), "asDouble": 0,
               "spanId": SPAN.hex(), "traceId": TRACE.hex()}
    int_pb, int_js = f64(6, 2**64 - 2**63), {"asInt": str(-(2**63))}
    return b(number, full_pb) + b(number, int_pb) + b(number, b""), [full_js, int_js, {}]


def data_points(points):
    return b"".join(b(1, point[0]) for point in points), [point[1] for point in points]


def numbers():
    ex_pb, ex_js = exemplars(5)
    full_pb = f64(2, 1) + f64(3, MAX64) + ex_pb + f64(6, 2**64 - 1) + pb_attributes(7, EXTREMES) + v(8, MAX32)
    full_js = {"attributes": js_attributes(EXTREMES), "startTimeUnixNano": "1", "timeUnixNano": str(MAX64),
               "asInt": "-1", "exemplars": ex_js, "flags": MAX32}
    return data_points([(full_pb, full_js), (d(4, 5e-324), {"asDouble": 5e-324}),
                        (d(4, float("nan")), {"asDouble": "NaN"}),
                        (d(4, float("-inf")), {"asDouble": "-Infinity"}),
                        (f64(6, 0), {"asInt": "0"}), (f64(6, 2**63 - 1), {"asInt": str(2**63 - 1)}),
                        (v(8, 1), {"flags": 1}), (b"", {})])


def histograms():
    ex_pb, ex_js = exemplars(8)
    full_pb = (f64(2, 1) + f64(3, 2) + f64(4, MAX64) + d(5, -0.5) + f64s(6, [0, 1, MAX64])
               + d(7, 0.25, float("inf")) + ex_pb + pb_attributes(9, EXTREMES[:2]) + v(10, 1) + d(11, -1.5)
               + d(12, 1.5e300))
    full_js = {"attributes": js_attributes(EXTREMES[:2]), "startTimeUnixNano": "1", "timeUnixNano": "2",
               "count": str(MAX64), "sum": -0.5, "bucketCounts": ["0", "1", str(MAX64)],
               "explicitBounds": [0.25, "Infinity"], "exemplars": ex_js, "min": -1.5, "max": 1.5e300, "flags": 1}
    zero_pb = d(5, 0.0) + f64s(6, [7]) + d(11, 0.0) + d(12, 0.0)
    return data_points([(full_pb, full_js), (zero_pb, {"sum": 0, "bucketCounts": ["7"], "min": 0, "max": 0}),
                        (b"", {})])


def exponential_histograms():
    ex_pb, ex_js = exemplars(11)
    full_pb = (pb_attributes(1, EXTREMES[:1]) + f64(2, 1) + f64(3, 2) + f64(4, 3) + d(5, 0.5) + zigzag(6, -(2**31))
               + f64(7, MAX64) + b(8, zigzag(1, 2**31 - 1) + b(2, varint(0) + varint(300) + varint(MAX64)))
               + b(9, zigzag(1, -1) + b(2, varint(1))) + v(10, 1) + ex_pb + d(12, -0.5) + d(13, 0.5)
               + d(14, 5e-324))
    full_js = {"attributes": js_attributes(EXTREMES[:1]), "startTimeUnixNano": "1", "timeUnixNano": "2", "count": "3",
               "sum": 0.5, "scale": -(2**31), "zeroCount": str(MAX64),
               "positive": {"offset": 2**31 - 1, "bucketCounts": ["0", "300", str(MAX64)]},
               "negative": {"offset": -1, "bucketCounts": ["1"]}, "exemplars": ex_js, "min": -0.5, "max": 0.5,
               "zeroThreshold": 5e-324, "flags": 1}
    return data_points([(full_pb, full_js), (zigzag(6, 20) + b(8, b""), {"scale": 20, "positive": {}}), (b"", {})])


def summaries():
    full_pb = (f64(2, 1) + f64(3, 2) + f64(4, 3) + d(5, 0.5) + b(6, d(1, 0.5) + d(2, 1.5)) + b(6, d(1, 0.99))
               + b(6, b"") + pb_attributes(7, EXTREMES[:1]) + v(8, 1))
    full_js = {"attributes": js_attributes(EXTREMES[:1]), "startTimeUnixNano": "1", "timeUnixNano": "2", "count": "3",
               "sum": 0.5, "quantileValues": [{"quantile": 0.5, "value": 1.5}, {"quantile": 0.99}, {}], "flags": 1}
    return data_points([(full_pb, full_js), (b"", {})])


def metrics():
    out = []
    for number, key, (points_pb, points_js), more_pb, more_js in (
            (5, "gauge", numbers(), b"", {}),
            (7, "sum", numbers(), v(2, 2) + v(3, 1), {"aggregationTemporality": 2, "isMonotonic": True}),
            (9, "histogram", histograms(), v(2, 1), {"aggregationTemporality": 1}),
            (10, "exponentialHistogram", exponential_histograms(), v(2, -1), {"aggregationTemporality": -1}),
            (11, "summary", summaries(), b"", {})):
        out.append((b(1, key) + b(2, "what it is") + b(3, "By") + b(number, points_pb + more_pb)
                    + pb_attributes(12, EXTREMES),
                    {"name": key, "description": "what it is", "unit": "By", key: {"dataPoints": points_js, **more_js},
                     "metadata": js_attributes(EXTREMES)}))
        out.append((b(number, b""), {key: {}}))
    out.append((b(1, "no data"), {"name": "no data"}))
    out.append((b(1, "alone") + b(5, b(1, b"")), {"name": "alone", "gauge": {"dataPoints": [{}]}}))
    return out


for name, names, items in (("traces", ("resourceSpans", "scopeSpans", "spans"), spans()),
                           ("logs", ("resourceLogs", "scopeLogs", "logRecords"), logs()),
                           ("metrics", ("resourceMetrics", "scopeMetrics", "metrics"), metrics())):
    pb, js = wrap(names, items)
    with open(name + ".pb", "wb") as out:
        out.write(pb)
    with open(name + ".json", "w", encoding="utf-8") as out:
        json.dump(js, out, ensure_ascii=False, separators=(",", ":"))
