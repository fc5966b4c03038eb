# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests: the release binary, real SDKs, a real browser.

    python3 test/e2e/run.py [--weft BINARY] [--keep] [--totals FILE] [NAME...]

NAME is a part of a test's name, as in `run.py sdks`. The packages from pip and npm are put in
build/e2e once and kept. --totals writes "PASSED FAILED" for ./dev. --keep keeps the data directories
and logs of the servers.
"""
import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / "build" / "e2e"


def fingerprint(*paths):
    return hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()


def install(name, sources, commands):
    """Runs the commands unless they have run for just these sources."""
    stamp = CACHE / f"{name}.stamp"
    wanted = fingerprint(*sources)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"fetching the {name} packages of the end-to-end tests", flush=True)
    for command, folder in commands:
        subprocess.run(command, cwd=folder, check=True)
    stamp.write_text(wanted, encoding="utf-8")


def prepare():
    venv, npm = CACHE / "venv", CACHE / "npm"
    npm.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, npm / name)
    requirements = HERE / "requirements.txt"
    install("pip", [requirements], [
        ([sys.executable, "-m", "venv", "--clear", venv], ROOT),
        ([venv / "bin" / "pip", "install", "-q", "-r", requirements], ROOT)])
    install("npm", [HERE / "package.json", HERE / "package-lock.json"], [
        (["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], npm)])
    return venv / "bin" / "python"


class Report(unittest.TextTestResult):
    """One line a test, with its time; counts."""

    def startTest(self, test):
        super(unittest.TextTestResult, self).startTest(test)
        self.began = time.monotonic()
        print(f"  {test.id()} ...", end=" ", flush=True)

    def say(self, word):
        print(f"{word}  ({time.monotonic() - self.began:.1f} s)", flush=True)

    def addSuccess(self, test):
        super(unittest.TextTestResult, self).addSuccess(test)
        self.passed = getattr(self, "passed", 0) + 1
        self.say("ok")

    def addFailure(self, test, err):
        super(unittest.TextTestResult, self).addFailure(test, err)
        self.say("FAILED")
        print(self.failures[-1][1], flush=True)

    def addError(self, test, err):
        super(unittest.TextTestResult, self).addError(test, err)
        if hasattr(self, "began"):
            self.say("FAILED")
        print(self.errors[-1][1], flush=True)

    def addSubTest(self, test, subtest, err):
        super(unittest.TextTestResult, self).addSubTest(test, subtest, err)
        if err is not None:
            self.say(f"FAILED {subtest._subDescription()}")
            print((self.failures if issubclass(err[0], test.failureException) else self.errors)[-1][1],
                  flush=True)

    def addSkip(self, test, reason):
        super(unittest.TextTestResult, self).addSkip(test, reason)
        self.say(f"skipped: {reason}")

    def printErrors(self):
        pass


def run(options):
    if not pathlib.Path(os.environ["WEFT"]).exists():
        print(f"there is no {os.environ['WEFT']}: ./dev build makes it")
        return 0, 1
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{name}*" for name in options.names] or None
    suite = loader.discover(str(HERE), pattern="test_*.py", top_level_dir=str(HERE))
    result = unittest.TextTestRunner(stream=open(os.devnull, "w"), resultclass=Report).run(suite)
    return getattr(result, "passed", 0), len(result.failures) + len(result.errors)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weft", default=os.environ.get("WEFT", ROOT / "build" / "release" / "weft"))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--totals")
    parser.add_argument("--prepared", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not options.prepared:
        CACHE.mkdir(parents=True, exist_ok=True)
        python = prepare()
        os.environ["WEFT"] = str(pathlib.Path(options.weft).resolve())
        os.execv(python, [str(python), str(HERE / "run.py"), "--prepared", *sys.argv[1:]])
    os.environ["WEFT_E2E_KEEP"] = "1" if options.keep else ""
    passed, failed = run(options)
    print(f"{passed} passed, {failed} failed")
    if options.totals:
        pathlib.Path(options.totals).write_text(f"{passed} {failed}\n", encoding="utf-8")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
