# SPDX-License-Identifier: Apache-2.0
"""Knows the prices: from the cache (Redis) for a few seconds, else from the database. It has patience
with a cache that does not answer, which is what the fault `cache-miss-retries` shows."""
import logging
import os

import flask
import psycopg_pool
import redis
import waitress
from opentelemetry import trace
from redis.backoff import NoBackoff
from redis.retry import Retry

TRIES = 3
KEPT_SECONDS = 5

app = flask.Flask("pricing")
log = logging.getLogger("pricing")
log.setLevel(logging.INFO)
tracer = trace.get_tracer("pricing")
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.15, retry=Retry(NoBackoff(), 0),
                             decode_responses=True)
database = psycopg_pool.ConnectionPool(os.environ["DATABASE_URL"], min_size=2, max_size=16, open=True)


def ask_cache(article):
    """(answered, cents or None)"""
    for attempt in range(1, TRIES + 1):
        try:
            return True, cache.get(f"price:{article}")
        except redis.RedisError as error:
            log.warning("no answer from the cache for %s, try %d of %d: %s", article, attempt, TRIES, error)
    return False, None


def price(article):
    answered, cents = ask_cache(article)
    if cents is not None:
        return int(cents)
    with database.connection() as connection:
        row = connection.execute("SELECT cents FROM prices WHERE article = %s", (article,)).fetchone()
    if row is None:
        flask.abort(404)
    if answered:
        cache.set(f"price:{article}", row[0], ex=KEPT_SECONDS)
    return row[0]


@app.get("/prices/<article>")
def prices(article):
    return {"article": article, "cents": price(article)}


@app.post("/quotes")
def quotes():
    articles = flask.request.get_json()["articles"]
    with tracer.start_as_current_span("quote basket", attributes={"shop.order.articles": len(articles)}):
        return {"cents": sum(price(article) for article in articles)}


waitress.serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=16)
