# SPDX-License-Identifier: Apache-2.0
"""Scores a transaction. The fault `fraud-900ms` makes its model slow to answer."""
import logging
import os
import time
import zlib

import flask
import waitress
from opentelemetry import trace

app = flask.Flask("fraud")
log = logging.getLogger("fraud")
log.setLevel(logging.INFO)
tracer = trace.get_tracer("fraud")
delay_ms = 0


def ask_model(order):
    with tracer.start_as_current_span("score transaction") as span:
        if delay_ms:
            log.warning("the model was evicted and is loaded again")
        time.sleep((25 + delay_ms) / 1000)
        risk = zlib.crc32(order.encode()) % 40 / 100
        span.set_attributes({"shop.order.id": order, "fraud.score": risk, "fraud.model": "gbm-2026-07"})
        return risk


@app.post("/score")
def score():
    return {"score": ask_model(flask.request.args["order"])}


@app.put("/delay/<int:milliseconds>")
def delay(milliseconds):
    global delay_ms
    delay_ms = milliseconds
    return {"delayMs": delay_ms}


waitress.serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=16)
