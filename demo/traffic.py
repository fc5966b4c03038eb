# SPDX-License-Identifier: Apache-2.0
"""The visitors of the shop: one after the other at a steady rate, a checkout each second visit. They
know nothing of tracing; the gateway's span is the root of what they cause."""
import json
import random
import threading
import urllib.error
import urllib.request

ARTICLES = ("mug-blue", "mug-red", "scarf-wool", "lamp-desk", "desk-oak", "chair-ash", "rug-kilim", "vase-clay",
            "clock-wall", "throw-linen")
AT_ONCE = 8


def checkout(gateway, card="visa", articles=ARTICLES[:4], user="user-0001"):
    """(HTTP status, answer) of one order."""
    body = json.dumps({"user": user, "card": card, "articles": list(articles)}).encode()
    return ask(urllib.request.Request(f"{gateway}/checkout", data=body,
                                      headers={"Content-Type": "application/json"}))


def ask(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
            told = "json" in (error.headers["Content-Type"] or "")
            return error.code, json.loads(body) if told else {"error": body.decode(errors="replace")}


class Traffic:
    """`rate` visits a second, fewer where the shop is slow: never more than AT_ONCE under way."""

    def __init__(self, gateway, rate):
        self.gateway, self.rate = gateway, rate
        self.places = threading.Semaphore(AT_ONCE)
        self.ended = threading.Event()

    def start(self):
        if self.rate > 0:
            threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        dice = random.Random(1)
        while not self.ended.wait(dice.expovariate(self.rate)):
            if self.places.acquire(blocking=False):
                threading.Thread(target=self.visit, args=(dice.random(), dice.random()), daemon=True).start()

    def visit(self, what, luck):
        dice = random.Random(what)
        try:
            if luck < 0.5:
                ask(urllib.request.Request(f"{self.gateway}/products/{dice.choice(ARTICLES)}"))
            else:
                card = dice.choices(("visa", "mastercard", "amex", "expired"), (60, 31, 5, 4))[0]
                checkout(self.gateway, card, dice.sample(ARTICLES, dice.randint(4, 6)),
                         f"user-{dice.randint(1, 4000):04d}")
        except OSError:
            pass  # the shop is going away, or in trouble: its traces say more
        finally:
            self.places.release()

    def stop(self):
        self.ended.set()
