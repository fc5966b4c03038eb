# SPDX-License-Identifier: Apache-2.0
"""Places an order: reserves the stock, asks for the prices, takes the money, has the buyer told."""
import logging
import os

import flask
import requests
import waitress
from opentelemetry import trace

app = flask.Flask("checkout")
log = logging.getLogger("checkout")
log.setLevel(logging.INFO)
tracer = trace.get_tracer("checkout")


def call(service, path, **what):
    answer = requests.post(os.environ[service] + path, timeout=30, **what)
    answer.raise_for_status()
    return answer.json()


def place(order):
    with tracer.start_as_current_span("place order") as span:
        span.set_attributes({"shop.order.id": order["id"], "payment.card.network": order["card"]})
        call("INVENTORY_URL", "/reserve", params={"order": order["id"], "article": order["articles"]})
        cents = call("PRICING_URL", "/quotes", json={"articles": order["articles"]})["cents"]
        span.set_attribute("shop.order.cents", cents)
        call("PAYMENT_URL", "/charge", params={"order": order["id"], "cents": cents, "card": order["card"]})
        call("NOTIFICATION_URL", "/orders", json={"id": order["id"], "user": order["user"]})
        return cents


@app.post("/orders")
def orders():
    order = flask.request.get_json()
    try:
        cents = place(order)
    except requests.HTTPError as error:
        status = error.response.status_code
        log.warning("order %s not placed: %s", order["id"], error)
        return {"error": str(error)}, status if status == 402 else 502
    except requests.RequestException as error:
        log.exception("order %s not placed", order["id"])
        return {"error": str(error)}, 502
    log.info("order %s placed for %d cents", order["id"], cents)
    return {"cents": cents}


waitress.serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=16)
