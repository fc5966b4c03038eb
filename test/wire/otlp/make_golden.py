#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden files of this folder: traces and logs with the extremes of every field, in
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


for name, names, items in (("traces", ("resourceSpans", "scopeSpans", "spans"), spans()),
                           ("logs", ("resourceLogs", "scopeLogs", "logRecords"), logs())):
    pb, js = wrap(names, items)
    with open(name + ".pb", "wb") as out:
        out.write(pb)
    with open(name + ".json", "w", encoding="utf-8") as out:
        json.dump(js, out, ensure_ascii=False, separators=(",", ":"))
