# SPDX-License-Identifier: Apache-2.0
"""The first service of the SDK test: Flask and requests, not a line about tracing but the one that
tells the test which trace its request became."""
import logging
import os

import flask
import requests
from opentelemetry import trace

app = flask.Flask("shopfront")
log = logging.getLogger("shopfront")
log.setLevel(logging.INFO)


@app.get("/buy/<article>")
def buy(article):
    log.warning("buying %s", article)
    order = requests.get(f"{os.environ['ORDERS_URL']}/order/{article}", timeout=10)
    trace_id = trace.get_current_span().get_span_context().trace_id
    return {"order": order.json(), "traceId": f"{trace_id:032x}"}


app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
