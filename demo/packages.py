# SPDX-License-Identifier: Apache-2.0
"""What the demo shop needs of the machine, and what it fetches from PyPI, npm and Maven: once, into
build/demo, with the versions pinned in demo/."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parent / "build" / "demo"
VENV, NPM, JARS, CLASSES = CACHE / "venv", CACHE / "npm", CACHE / "jars", CACHE / "classes"


def postgres(program):
    """PostgreSQL's programs stand in a folder by version; the newest one counts."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{program}"),
                   key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else shutil.which(program)


def version(command, pattern):
    """The first number that matches in what the command says, 0 if it cannot be run."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(pattern, said.stdout + said.stderr)
    return int(found[1]) if found else 0


def missing():
    """[(what, Debian package)] of everything that is not there."""
    wanted = [
        (shutil.which("node") and shutil.which("npm") and version(["node", "--version"], r"v(\d+)") >= 18,
         "Node.js 18 or newer with npm", "nodejs npm"),
        (shutil.which("javac") and version(["java", "-version"], r'version "(\d+)') >= 17,
         "a JDK, 17 or newer", "openjdk-17-jdk-headless"),
        (shutil.which("mvn"), "Maven", "maven"),
        (postgres("postgres") and postgres("initdb"), "PostgreSQL", "postgresql"),
        (shutil.which("redis-server"), "Redis", "redis-server"),
        (shutil.which("setpriv"), "setpriv", "util-linux"),
        (version([sys.executable, "-c", "import ensurepip, venv; print(1)"], r"(\d)"),
         "Python's venv", "python3-venv"),
    ]
    return [(what, package) for there, what, package in wanted if not there]


def once(name, sources, commands):
    """Runs the commands unless they have run for just these sources."""
    stamp = CACHE / f"{name}.stamp"
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"demo: fetching what the services in {name} need", flush=True)
    for command in commands:
        subprocess.run([str(word) for word in command], cwd=CACHE, check=True)
    stamp.write_text(wanted, encoding="utf-8")


def fetch():
    for folder in (NPM, JARS, CLASSES):
        folder.mkdir(parents=True, exist_ok=True)
    requirements, pom = HERE / "python/requirements.txt", HERE / "java/pom.xml"
    once("Python", [requirements], [
        [sys.executable, "-m", "venv", "--clear", VENV],
        [VENV / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r", requirements]])
    npm = [HERE / "node/package.json", HERE / "node/package-lock.json"]
    once("Node.js", npm, [
        ["cp", *npm, NPM],
        ["npm", "ci", "--prefix", NPM, "--no-audit", "--no-fund", "--loglevel=error",
         "--no-update-notifier"]])
    sources = sorted((HERE / "java").glob("*.java"))
    once("Java", [pom, *sources], [
        ["mvn", "-q", "-B", "-Dstyle.color=never", "-f", pom, "dependency:copy-dependencies",
         f"-DoutputDirectory={JARS}"],
        ["javac", "-cp", f"{JARS}/*", "-d", CLASSES, *sources]])
