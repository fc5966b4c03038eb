# SPDX-License-Identifier: Apache-2.0
"""OTLP messages in which every field of the protocol is set, found by walking the message types
themselves: a field that a later version of the protocol adds is set too."""
import random

from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

TEXTS = ["plain", "", "ünï€ \U0001f9f5", 'quo"te\\ and \x01 control',
         random.Random(0).randbytes(35_000).hex()]
NUMBERS = [0, 1, 127, 128, 65_535, 2**31 - 1]
DEPTH_MAX = 3
# One field is asked for by its name where the type alone does not say what is valid.
ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}


class Maker:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.trace_ids = [self.dice.randbytes(16) for _ in range(3)]

    def value(self, depth):
        """An AnyValue of each kind in turn, nested a little."""
        value = AnyValue()
        kinds = ["string_value", "bool_value", "int_value", "double_value", "bytes_value", "none"]
        kind = self.dice.choice(kinds + (["array_value", "kvlist_value"] if depth < DEPTH_MAX else []))
        if kind == "array_value":
            for _ in range(self.dice.randrange(4)):
                value.array_value.values.add().CopyFrom(self.value(depth + 1))
            value.array_value.SetInParent()
        elif kind == "kvlist_value":
            for i in range(self.dice.randrange(4)):
                entry = value.kvlist_value.values.add()
                entry.key = f"k{i}"
                entry.value.CopyFrom(self.value(depth + 1))
            value.kvlist_value.SetInParent()
        elif kind == "string_value":
            value.string_value = self.dice.choice(TEXTS)
        elif kind == "bool_value":
            value.bool_value = self.dice.random() < 0.5
        elif kind == "int_value":
            value.int_value = self.dice.choice([0, 1, -1, 2**63 - 1, -(2**63), 404])
        elif kind == "double_value":
            value.double_value = self.dice.choice([0.0, -0.5, 1e308, 5e-324, 3.14, 1e15])
        elif kind == "bytes_value":
            value.bytes_value = self.dice.choice([b"", b"\x00\xff", self.dice.randbytes(300)])
        return value

    def attributes(self, field):
        """A list of KeyValue; some keys come with another type elsewhere."""
        for key in self.dice.sample(["a", "b.c", "http.route", "ключ", "mixed", "deep", "empty"],
                                    self.dice.randrange(1, 6)):
            entry = field.add()
            entry.key = key
            entry.value.CopyFrom(self.value(0))

    def scalar(self, field):
        if field.name in ID_BYTES:
            return self.dice.choice(self.trace_ids) if field.name == "trace_id" else \
                self.dice.randbytes(ID_BYTES[field.name])
        if field.type == FieldDescriptor.TYPE_STRING:
            return self.dice.choice(TEXTS)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.dice.randbytes(self.dice.randrange(40))
        if field.type == FieldDescriptor.TYPE_BOOL:
            return True
        if field.type == FieldDescriptor.TYPE_ENUM:
            return self.dice.choice(field.enum_type.values).number
        if field.type in (FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_UINT64):
            return 1_750_000_000_000_000_000 + self.dice.randrange(10**15)
        return self.dice.choice(NUMBERS)

    def fill(self, message, copies):
        for field in message.DESCRIPTOR.fields:
            if field.name.startswith("deprecated_"):
                continue
            repeated = field.is_repeated
            if field.message_type is not None and field.message_type.name == "KeyValue" and repeated:
                self.attributes(getattr(message, field.name))
            elif field.message_type is not None and field.message_type.name == "AnyValue":
                getattr(message, field.name).CopyFrom(self.value(0))
            elif field.message_type is not None and repeated:
                for _ in range(copies):
                    self.fill(getattr(message, field.name).add(), copies)
            elif field.message_type is not None:
                self.fill(getattr(message, field.name), copies)
            elif repeated:
                getattr(message, field.name).extend([self.scalar(field), self.scalar(field)])
            else:
                setattr(message, field.name, self.scalar(field))


def every_field_traces(seed=1):
    message = TracesData()
    Maker(seed).fill(message, 3)
    return message


def every_field_logs(seed=1):
    message = LogsData()
    Maker(seed + 1000).fill(message, 3)
    return message
