# SPDX-License-Identifier: Apache-2.0
"""OTLP as the tests compare it: documents in JSON or protobuf, taken apart into single spans and log
records with their resource and scope, so that grouping does not matter and everything else does."""
import base64
import json
import pathlib
import subprocess

from google.protobuf import json_format
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

ID_FIELDS = {"traceId", "spanId", "parentSpanId"}


def _ids_to_base64(node):
    """OTLP's JSON writes ids in hex where protobuf's own mapping has base64."""
    if isinstance(node, dict):
        return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ID_FIELDS else _ids_to_base64(v)
                for k, v in node.items()}
    if isinstance(node, list):
        return [_ids_to_base64(v) for v in node]
    return node


def _ids_to_hex(node):
    if isinstance(node, dict):
        return {k: base64.b64decode(v).hex() if k in ID_FIELDS else _ids_to_hex(v)
                for k, v in node.items()}
    if isinstance(node, list):
        return [_ids_to_hex(v) for v in node]
    return node


def parse_json(document, kind):
    """A TracesData or LogsData from OTLP/JSON (text or parsed). Unknown fields are ignored."""
    if isinstance(document, (bytes, str)):
        document = json.loads(document)
    return json_format.ParseDict(_ids_to_base64(document), kind(), ignore_unknown_fields=True)


def to_json(message):
    """OTLP/JSON as an SDK writes it: hex ids, enums as numbers."""
    fields = json_format.MessageToDict(message, use_integers_for_enums=True)
    return json.dumps(_ids_to_hex(fields)).encode()


def _drop_empty(message):
    """Takes out sub-messages that are there but say nothing: an empty status is no status, an AnyValue
    without a value is no value."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for inner in value if field.is_repeated else [value]:
            _drop_empty(inner)
        if not field.is_repeated and field.containing_oneof is None and not value.ListFields():
            message.ClearField(field.name)


def _canonical(message):
    copy = type(message)()
    copy.CopyFrom(message)
    _drop_empty(copy)
    return copy.SerializeToString(deterministic=True)


def spans_of(data):
    """{(trace id, span id, everything about the span as bytes)}; spans that no store may keep left out."""
    found = set()
    for resource in data.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if len(span.trace_id) == 16 and len(span.span_id) == 8 and any(span.trace_id) \
                        and any(span.span_id):
                    found.add((span.trace_id.hex(), span.span_id.hex(), resource.schema_url,
                               _canonical(resource.resource), scope.schema_url,
                               _canonical(scope.scope), _canonical(span)))
    return found


def logs_of(data):
    found = set()
    for resource in data.resource_logs:
        for scope in resource.scope_logs:
            for log in scope.log_records:
                if len(log.trace_id) == 16 and any(log.trace_id):
                    found.add((log.trace_id.hex(), log.span_id.hex(), resource.schema_url,
                               _canonical(resource.resource), scope.schema_url,
                               _canonical(scope.scope), _canonical(log)))
    return found


def show(entry):
    """One entry of spans_of() or logs_of() for a person, where two sets differ."""
    return f"trace {entry[0]} span {entry[1]} {entry[-1][:300]!r}"


def documents(path):
    """Every JSON document of a file: one, several after each other, or one a line; .zst too."""
    path = pathlib.Path(path)
    text = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.decode() \
        if path.suffix == ".zst" else path.read_text(encoding="utf-8")
    decoder = json.JSONDecoder()
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if position == len(text):
            return
        document, position = decoder.raw_decode(text, position)
        yield document


__all__ = ["LogsData", "TracesData", "documents", "logs_of", "parse_json", "show", "spans_of", "to_json"]
