# SPDX-License-Identifier: Apache-2.0
"""The third service of the SDK test: Flask, with a span of its own that fails and is recovered."""
import logging
import os

import flask
from opentelemetry import trace

app = flask.Flask("stock")
log = logging.getLogger("stock")
tracer = trace.get_tracer("stock", "1.0")


@app.get("/stock/<article>")
def stock(article):
    try:
        with tracer.start_as_current_span("read shelf", attributes={"shelf": 7, "cold": False}):
            raise KeyError(article)
    except KeyError:
        log.error("nothing left of %s", article)
    return {"left": 0}


app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
