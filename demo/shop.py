#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo shop: eight services in Python, Node.js and Java with OpenTelemetry's own agents, a
PostgreSQL and a Redis. `./dev demo` calls this; README.md beside it is the tour."""
import argparse
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import packages
from databases import Databases, listens
from packages import CACHE, CLASSES, HERE, JARS, NPM, VENV
from traffic import Traffic

PYTHON, NODE, JAVA = "python", "node", "java"
SERVICES = {  # name: its language and its source
    "gateway": (NODE, "gateway.cjs"),
    "checkout": (PYTHON, "checkout.py"),
    "inventory": (JAVA, "Inventory"),
    "pricing": (PYTHON, "pricing.py"),
    "payment": (JAVA, "Payment"),
    "stripe-api": (NODE, "stripe_api.cjs"),
    "fraud": (PYTHON, "fraud.py"),
    "notification": (NODE, "notification.cjs"),
}
NEED_DATABASE = ("inventory", "pricing")
FAULTS = ("slow-stripe", "fraud-900ms", "missing-index", "cache-miss-retries")
START_SECONDS = 240
STOP_SECONDS = 15


class DemoError(Exception):
    """Something that the person at the terminal has to know; the shop is stopped."""


def agent_command(language, source):
    """What turns a program into a traced one: nothing in its source does."""
    if language == PYTHON:
        return [VENV / "bin/opentelemetry-instrument", VENV / "bin/python", HERE / "python" / source]
    if language == NODE:
        return ["node", "--require", "@opentelemetry/auto-instrumentations-node/register", HERE / "node" / source]
    return ["java", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-javaagent:{JARS}/opentelemetry-javaagent.jar", "-cp", f"{CLASSES}:{JARS}/*", source]


class Shop:
    """All processes, in the order they were started; ended in the opposite one."""

    def __init__(self, options):
        self.options = options
        self.folder = CACHE / f"run-{options.port}"
        self.ports = {name: options.port + n for n, name in enumerate(SERVICES, 1)}
        self.url = {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        self.processes = {}
        self.on = {name: False for name in FAULTS}
        self.switching = threading.Lock()
        self.databases = None
        self.otlp = options.url
        self.ending = threading.Event()

    def run(self, name, command, environment=None, said=None, cwd=None):
        """Starts a program with a log of its own. It ends with us, whatever ends us."""
        if command[0] != "setpriv":
            command = ["setpriv", "--pdeathsig=TERM", *command]
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                [str(word) for word in command], env={**os.environ, **(environment or {})}, cwd=cwd,
                stdin=subprocess.PIPE if said else subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        self.processes[name] = process
        if said:
            process.stdin.write(said.encode())
            process.stdin.close()

    def start(self):
        for port in (self.options.port, *self.ports.values()):
            if listens(port):
                raise DemoError(f"port {port} is taken; --port BASE moves all of the shop's")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.databases = Databases(self.folder, self.options.port + 9, self.options.port + 10)
        if not self.otlp:
            self.start_weft()
        self.databases.start(self.run)
        for name in SERVICES:
            if name not in NEED_DATABASE:
                self.start_service(name)
        self.wait_for("postgresql", self.databases.ready)
        self.databases.fill()
        for name in NEED_DATABASE:
            self.start_service(name)
        for name, port in self.ports.items():
            self.wait_for(name, lambda port=port: listens(port))
        for name in self.options.fault:
            self.set_fault(name, True)

    def start_weft(self):
        offset = self.options.port_offset
        self.run("weft", [self.options.weft, "serve", "--data", self.folder / "weft", "--port-offset", offset])
        self.otlp = f"http://127.0.0.1:{4318 + offset}"
        self.wait_for("weft", lambda: listens(4318 + offset) and listens(16686 + offset))

    def start_service(self, name):
        language, source = SERVICES[name]
        self.run(name, agent_command(language, source), {
            "PORT": str(self.ports[name]),
            **{f"{other.upper().replace('-', '_')}_URL": url for other, url in self.url.items()},
            **self.databases.addresses(),
            "NODE_PATH": str(NPM / "node_modules"),
            **self.telemetry(name),
        })

    def telemetry(self, name):
        """OpenTelemetry's standard variables, and one for each agent's habits."""
        return {
            "OTEL_SERVICE_NAME": name,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=demo,service.namespace=shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.otlp,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            "OTEL_BLRP_SCHEDULE_DELAY": "500",
            "OTEL_NODE_ENABLED_INSTRUMENTATIONS": "http,undici,express,pino",
            "OTEL_NODE_RESOURCE_DETECTORS": "env,host,os,process",
            "OTEL_PYTHON_FLASK_EXCLUDED_URLS": "/delay",
        }

    def wait_for(self, name, ready):
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            self.judge()
            if time.monotonic() > deadline:
                raise DemoError(f"{name} is not ready within {START_SECONDS} s\n{self.log(name)}")
            time.sleep(0.1)

    def judge(self):
        """Complains about a process that ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DemoError(f"{name} ended with {process.returncode}\n{self.log(name)}")

    def log(self, name):
        lines = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-20:])

    def set_fault(self, name, on):
        with self.switching:
            if name == "missing-index":
                self.databases.set_index(not on)
            elif name == "cache-miss-retries":
                self.processes["redis"].send_signal(signal.SIGSTOP if on else signal.SIGCONT)
            else:
                service, ms = ("fraud", 900) if name == "fraud-900ms" else ("stripe-api", 3200)
                request = urllib.request.Request(f"{self.url[service]}/delay/{ms if on else 0}", method="PUT")
                urllib.request.urlopen(request, timeout=30).close()
            self.on[name] = on

    def stop(self):
        """The services first, so that what they still have to tell finds weft; weft last."""
        last = [name for name in ("redis", "postgresql", "weft") if name in self.processes]
        for names in ([name for name in self.processes if name not in last], last):
            self.end([self.processes[name] for name in names])
        if self.databases:
            self.databases.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self, processes):
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)  # the cache may be stopped
                # PostgreSQL waits for its clients at SIGTERM, not at SIGINT.
                process.send_signal(signal.SIGINT if process is self.processes.get("postgresql") else signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Control(http.server.BaseHTTPRequestHandler):
    """GET / says what runs, PUT /faults/NAME with "on" or "off" switches a fault, DELETE / ends it all."""

    shop = None
    protocol_version = "HTTP/1.1"

    def answer(self, status, what):
        body = (json.dumps(what) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {"faults": self.shop.on, "gateway": self.shop.url["gateway"], "otlp": self.shop.otlp,
                          "pids": {name: process.pid for name, process in self.shop.processes.items()}})

    def do_PUT(self):
        said = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 16)).decode(errors="replace")
        name = self.path.removeprefix("/faults/")
        if name not in FAULTS or said.strip() not in ("on", "off"):
            return self.answer(400, {"error": f"PUT on or off to /faults/ and one of {', '.join(FAULTS)}"})
        try:
            self.shop.set_fault(name, said.strip() == "on")
        except (OSError, subprocess.SubprocessError) as error:
            return self.answer(502, {"error": f"{name}: {error}"})
        return self.answer(200, {"faults": self.shop.on})

    def do_DELETE(self):
        self.answer(200, {"stopping": True})
        self.shop.ending.set()

    def log_message(self, *_):
        pass


def ask_control(port, method="GET", path="/", said=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method,
                                     data=said.encode() if said else None)
    try:
        with urllib.request.urlopen(request, timeout=150) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise DemoError(json.load(error)["error"]) from error
    except OSError as error:
        raise DemoError(f"no demo shop answers on port {port}: ./dev demo starts one") from error


WELCOME = """
  {ui}
  The gateway takes orders at {gateway}; {visits}.

  In another terminal:
    build/release/weft query '{{ duration > 1s }}'{url}   # some cards are slow: who is it?
    ./dev demo fault missing-index on                # also: {others}
    ./dev demo fault missing-index off               # creates the index again
    ./dev demo stop                                  # as Ctrl-C here
"""


def start(options):
    lacking = packages.missing()
    if lacking:
        lines = "".join(f"\n  {what:42} apt install {package}" for what, package in lacking)
        raise DemoError("the shop runs in three languages over two databases, and this machine lacks" + lines)
    try:
        packages.fetch()
    except subprocess.CalledProcessError as error:
        raise DemoError(f"this failed: {' '.join(map(str, error.cmd))}") from error
    shop = Shop(options)

    def interrupted(number, _):
        raise KeyboardInterrupt
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        print("demo: starting eight services and two databases", flush=True)
        shop.start()
        Control.shop = shop
        control = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Control)
        threading.Thread(target=control.serve_forever, daemon=True).start()
        traffic = Traffic(shop.url["gateway"], options.rate)
        traffic.start()
        welcome(shop)
        while not shop.ending.wait(0.5):
            shop.judge()
        traffic.stop()
    except KeyboardInterrupt:
        pass
    except subprocess.CalledProcessError as error:
        raise DemoError(f"{error.cmd[0]} failed: {error.stderr}") from error
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        print("demo: stopping", flush=True)
        shop.stop()


def welcome(shop):
    options = shop.options
    offset = options.port_offset
    ui = f"Open http://127.0.0.1:{16686 + offset}/" if not options.url else f"The spans go to {options.url}."
    print(WELCOME.format(
        ui=ui, gateway=shop.url["gateway"], others=", ".join(name for name in FAULTS if name != "missing-index"),
        visits=f"{options.rate:g} visit(s) a second make some" if options.rate else "nobody visits it by itself",
        url=f" --url http://127.0.0.1:{16686 + offset}" if offset else ""), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--port", type=int, default=7100, help="first of the shop's eleven ports (7100)")
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("start", parents=[where], help="start everything, until Ctrl-C")
    starting.add_argument("--url", help="send to this OTLP/HTTP address instead of starting weft")
    starting.add_argument("--weft", default=str(HERE.parent / "build/release/weft"))
    starting.add_argument("--port-offset", type=int, default=0, help="moves the ports of the weft it starts")
    starting.add_argument("--rate", type=float, default=1, help="visits a second (1); 0 for none")
    starting.add_argument("--fault", action="append", default=[], choices=FAULTS)
    switching = commands.add_parser("fault", parents=[where], help="switch a fault of the running shop")
    switching.add_argument("name", choices=FAULTS)
    switching.add_argument("state", choices=("on", "off"))
    commands.add_parser("status", parents=[where], help="faults, addresses and process ids")
    commands.add_parser("stop", parents=[where], help="stop the running shop")
    options = parser.parse_args()
    try:
        if options.command == "start":
            start(options)
        elif options.command == "fault":
            print(json.dumps(ask_control(options.port, "PUT", f"/faults/{options.name}", options.state)))
        elif options.command == "status":
            print(json.dumps(ask_control(options.port), indent=2))
        else:
            ask_control(options.port, "DELETE")
    except DemoError as error:
        sys.exit(f"demo: {error}")


if __name__ == "__main__":
    main()
