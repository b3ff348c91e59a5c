"""Runs one part of a package's own test suite and reports each test's outcome as a line of a file.

    worker.py REPORT LISTS pytest ARGUMENT...        pytest with these arguments
    worker.py REPORT LISTS unittest SCRIPT ARG...    a script (or -m MODULE) that runs unittest tests

LISTS is a JSON file: {"skip": [ids], "only": [ids] or null, "timeout": seconds}. Lines of the report: `start ID`, then
`ok|fail|error|skip|xfail ID`; it is written line by line, so what ran before a crash is known. Before the time is up the tracebacks of
all threads are printed.
"""
import faulthandler
import json
import os
import re
import runpy
import sys


class Report:
    """Writes outcomes; knows which tests are wanted. Ids lose what differs from run to run: addresses, UUIDs, paths, sys.path, long reprs."""

    def __init__(self, path, lists):
        self.stream = open(path, "ab", buffering=0)
        self.skipped = set(lists["skip"])
        self.only = None if lists["only"] is None else set(lists["only"])

    @staticmethod
    def name(test):
        test = re.sub(r"\b0x[0-9a-f]{6,}", "0x", test).replace(os.path.dirname(os.environ["VENV"]), "").replace("\n", "\\n")
        test = re.sub(r"\['/[^]]*'/usr/lib/python3\.11'[^]]*\]", "[sys.path]", test)
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", test)[:300]

    def wanted(self, test):
        test = self.name(test)
        return test not in self.skipped and (self.only is None or test in self.only)

    def write(self, kind, test):
        self.stream.write(f"{kind} {self.name(test)}\n".encode("utf-8", "backslashreplace"))


class PytestPlugin:
    def __init__(self, report):
        self.report = report
        self.outcome = "ok"

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if self.report.wanted(item.nodeid)]

    def pytest_collectreport(self, report):
        if report.failed:
            self.report.write("error", f"collecting {report.nodeid}")

    def pytest_runtest_logstart(self, nodeid):
        self.outcome = "ok"
        self.report.write("start", nodeid)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.outcome = "fail" if report.when == "call" else "error"
        elif report.skipped and self.outcome == "ok":
            self.outcome = "xfail" if hasattr(report, "wasxfail") else "skip"

    def pytest_runtest_logfinish(self, nodeid):
        self.report.write(self.outcome, nodeid)


def run_pytest(report, arguments):
    import pytest
    return pytest.main(["-p", "no:cacheprovider", "-q", "--continue-on-collection-errors", *arguments], plugins=[PytestPlugin(report)])


def unittest_name(test):
    """Cases that are made in a loop and have one method are told apart by their description."""
    name = test.id()
    return f"{name}: {test.shortDescription()}" if name.endswith(".runTest") else name


def watch_unittest(report):
    """Every unittest result object reports, whichever runner made it."""
    import unittest
    outcome = {}

    def wrap(name, kind):
        original = getattr(unittest.TestResult, name)

        def wrapper(self, *arguments):
            if kind is not None and not (name == "addSubTest" and arguments[2] is None):
                outcome[id(self)] = kind
            if name == "startTest":
                outcome[id(self)] = "ok"
                report.write("start", unittest_name(arguments[0]))
            if name == "stopTest":
                report.write(outcome.get(id(self), "ok"), unittest_name(arguments[0]))
            return original(self, *arguments)

        setattr(unittest.TestResult, name, wrapper)

    for name, kind in {"startTest": None, "addError": "error", "addFailure": "fail", "addSkip": "skip",
                       "addUnexpectedSuccess": "fail", "addExpectedFailure": "xfail", "addSubTest": "fail",
                       "stopTest": None}.items():
        wrap(name, kind)
    call = unittest.TestCase.__call__
    unittest.TestCase.__call__ = lambda self, *args, **kwargs: \
        call(self, *args, **kwargs) if report.wanted(unittest_name(self)) else None


def run_script(arguments):
    """As the interpreter runs `SCRIPT ARG...` or `-m MODULE ARG...`."""
    if arguments[0] == "-m":
        sys.argv[:] = arguments[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = arguments
        sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")


def main():
    path, lists_path, mode, *arguments = sys.argv[1:]
    with open(lists_path) as stream:
        lists = json.load(stream)
    faulthandler.enable(open(2, "wb", closefd=False))
    faulthandler.dump_traceback_later(lists["timeout"], exit=False, file=open(2, "wb", closefd=False))
    report = Report(path, lists)
    sys.path[0] = os.getcwd()
    if mode == "pytest":
        sys.exit(run_pytest(report, arguments))
    watch_unittest(report)
    run_script(arguments)


if __name__ == "__main__":
    main()
