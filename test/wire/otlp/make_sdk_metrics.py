#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes metrics_sdk.pb: one export of the OpenTelemetry SDK for Python (opentelemetry-sdk and
opentelemetry-exporter-otlp-proto-common 1.45.2), with exemplars and every kind of data that it makes.
Times and ids are new in each run; the file is checked in, and otlp_golden_test.cc reads it."""
import random

from opentelemetry import trace, metrics
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.metrics import MeterProvider, AlwaysOnExemplarFilter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View, ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
random.seed(1)
reader = InMemoryMetricReader()

provider = MeterProvider(
    [reader], resource=Resource.create({"service.name": "checkout", "service.instance.id": "a1"}),
    exemplar_filter=AlwaysOnExemplarFilter(),
    views=[View(instrument_name="rpc.*", aggregation=ExponentialBucketHistogramAggregation())])
tracer = TracerProvider().get_tracer("t")
m = provider.get_meter("shop.meter", "1.2.3", schema_url="https://opentelemetry.io/schemas/1.30.0")
c = m.create_counter("cart.items", "1", "Items put into carts")
ud = m.create_up_down_counter("sessions", "{session}")
h = m.create_histogram("http.server.request.duration", "s", "Duration of requests")
x = m.create_histogram("rpc.server.duration", "ms")
g = m.create_gauge("cpu.temperature", "Cel")
m.create_observable_gauge("queue.length", callbacks=[lambda o: [metrics.Observation(7, {"queue": "mail"})]])
with tracer.start_as_current_span("s"):
    for i in range(20):
        c.add(i, {"route": "/cart" if i % 2 else "/pay"})
        ud.add(-1 if i % 3 else 2)
        h.record(random.random() * 3, {"http.route": "/cart"})
        x.record(random.random() * 1000)
        x.record(0)
g.set(41.5, {"core": 0})
g.set(-3.25, {"core": 1})
out = encode_metrics(reader.get_metrics_data()).SerializeToString()
with open("metrics_sdk.pb", "wb") as file:
    file.write(out)
