# SPDX-License-Identifier: Apache-2.0
"""Prints "PASSED FAILED" for JUnit-like reports: one file, or the folder of one ctest run.

A folder holds ctest.junit (one case per test binary) and one GoogleTest report per binary that got
as far as writing one. The single cases count; a binary without a report, or one that ctest calls
failed although all its cases passed (a leak at exit, say), counts as one case itself.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def cases(path):
    """(passed, failed) over the test cases of one report; skipped cases count as neither."""
    passed = failed = 0
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is None and case.get("status") not in ("notrun", "disabled"):
            passed += 1
    return passed, failed


def folder(path):
    passed = failed = 0
    for case in ElementTree.parse(path / "ctest.junit").iter("testcase"):
        ok = case.get("status") == "run"
        report = path / (case.get("name") + ".xml")
        try:
            p, f = cases(report)
        except (OSError, ElementTree.ParseError):
            p, f = (1, 0) if ok else (0, 1)
        if not ok and f == 0:
            f = 1
        passed, failed = passed + p, failed + f
    return passed, failed


def main():
    path = pathlib.Path(sys.argv[1])
    try:
        passed, failed = folder(path) if path.is_dir() else cases(path)
    except (OSError, ElementTree.ParseError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        passed, failed = 0, 1
    print(passed, failed)


main()
