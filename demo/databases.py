# SPDX-License-Identifier: Apache-2.0
"""The shop's PostgreSQL and Redis: servers of its own on loopback ports, with a password made up at
every start, in a folder that is thrown away. The system's own servers are not touched."""
import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile

import packages

HERE = pathlib.Path(__file__).resolve().parent


def unprivileged():
    """(setpriv's arguments, user or None): PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return [], None
    user = pwd.getpwnam("postgres")
    return [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user


class Databases:
    """Folders and addresses. `run` starts a program: shop.py's, which ends it too."""

    def __init__(self, folder, postgres_port, redis_port):
        self.postgres_port, self.redis_port = postgres_port, redis_port
        self.password = secrets.token_hex(16)
        self.privileges, user = unprivileged()
        self.folder = folder / "databases"
        self.folder.mkdir()
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            if subprocess.run([*self.setpriv(), "test", "-w", self.folder], check=False).returncode != 0:
                self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-demo-"))  # a closed home folder
                os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.data = self.folder / "postgres"

    def setpriv(self, signal="TERM"):
        return ["setpriv", f"--pdeathsig={signal}", *self.privileges]

    def addresses(self):
        database = f"127.0.0.1:{self.postgres_port}/shop"
        return {
            "DATABASE_URL": f"postgresql://shop:{self.password}@{database}",
            "DATABASE_JDBC_URL": f"jdbc:postgresql://{database}?user=shop&password={self.password}",
            "REDIS_URL": f"redis://:{self.password}@127.0.0.1:{self.redis_port}/0",
        }

    def start(self, run):
        subprocess.run(
            [*self.setpriv(), "sh", "-c", 'umask 077 && cat >password && exec "$@"', "sh",
             packages.postgres("initdb"), "-D", self.data, "-U", "shop", "-E", "UTF8", "--locale=C", "-A",
             "scram-sha-256", "--pwfile=password", "--no-sync", "--no-instructions"],
            input=self.password + "\n", text=True, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        # Not durable on purpose, and one process to a query: two cores are enough for the shop.
        options = {"port": self.postgres_port, "listen_addresses": "127.0.0.1",
                   "unix_socket_directories": "", "fsync": "off", "shared_buffers": "192MB",
                   "max_parallel_workers_per_gather": 0, "jit": "off"}
        run("postgresql", [*self.setpriv("INT"), packages.postgres("postgres"), "-D", self.data,
                           *(f"--{name}={value}" for name, value in options.items())], cwd=self.folder)
        # It may be stopped when we die, and has nothing to lose: hence KILL.
        configuration = (f"bind 127.0.0.1\nport {self.redis_port}\nrequirepass {self.password}\n"
                         f"save \"\"\nappendonly no\ndir {self.folder}\n")
        run("redis", [*self.setpriv("KILL"), "redis-server", "-"], said=configuration, cwd=self.folder)

    def sql(self, *arguments, database="shop"):
        """Runs psql as the owner of the shop's database."""
        subprocess.run(
            [packages.postgres("psql"), "-h", "127.0.0.1", "-p", str(self.postgres_port), "-U", "shop", "-d",
             database, "-q", "-v", "ON_ERROR_STOP=1", *arguments],
            env={**os.environ, "PGPASSWORD": self.password}, capture_output=True, text=True, check=True,
            timeout=120)

    def ready(self):
        probe = [packages.postgres("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.postgres_port)]
        return subprocess.run(probe, check=False).returncode == 0 and listens(self.redis_port)

    def fill(self):
        self.sql("-c", "CREATE DATABASE shop", database="postgres")
        self.sql("-f", str(HERE / "schema.sql"))
        self.set_index(True)

    def set_index(self, present):
        if present:
            self.sql("-f", str(HERE / "index.sql"))
        else:
            self.sql("-c", "DROP INDEX IF EXISTS stock_movements_newest")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
