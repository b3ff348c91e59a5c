"""Runs one module of the installed regression suite and reports each test's outcome as a line of a file.

    worker.py MODULE REPORT [LIST]   MODULE: test_dict, test_importlib.extension ...; only the tests named in LIST

Lines: `start 0 ID`, then `ok|fail|error|skip SECONDS ID`. A failing subtest fails its test. The report is written line
by line: what ran before a crash is known.
"""
import doctest
import importlib
import sys
import time
import unittest

clock = time.perf_counter  # kept: some tests patch the module


class Reporter(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.outcome = "ok"
        self.started = 0

    def write(self, kind, seconds, test):
        self.stream.write(f"{kind} {seconds:.2f} {test.id()}\n".encode("utf-8", "backslashreplace"))

    def startTest(self, test):
        super().startTest(test)
        self.outcome = "ok"
        self.started = clock()
        self.write("start", 0, test)

    def stopTest(self, test):
        super().stopTest(test)
        self.write(self.outcome, clock() - self.started, test)

    def addError(self, test, err):
        self.outcome = "error"
        super().addError(test, err)

    def addFailure(self, test, err):
        self.outcome = "fail"
        super().addFailure(test, err)

    def addSkip(self, test, reason):
        self.outcome = "skip"

    def addUnexpectedSuccess(self, test):
        self.outcome = "fail"

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.outcome = "fail"


def chosen(suite, names):
    """The tests of a suite that are named, in order; all without names."""
    if names is None:
        return suite
    kept = unittest.TestSuite()
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept.addTest(chosen(item, names))
        elif item.id() in names:
            kept.addTest(item)
    return kept


def run(module, reporter, names):
    """As regrtest does: through test_main where a module has one (test_xml_etree sets itself up there)."""
    from test import support
    support.use_resources = []

    def run_doctest(module, verbosity=None, optionflags=0):
        chosen(doctest.DocTestSuite(module, optionflags=optionflags), names).run(reporter)

    support.run_doctest = run_doctest
    if hasattr(module, "test_main"):
        support._run_suite = lambda suite: chosen(suite, names).run(reporter)
        module.test_main()
    else:
        chosen(unittest.TestLoader().loadTestsFromModule(module), names).run(reporter)


def main():
    module_name, report, *lists = sys.argv[1:]
    names = None
    if lists:
        with open(lists[0]) as stream:
            names = set(stream.read().splitlines())
    sys.argv[1:] = []
    sys.path[0] = ""
    module = importlib.import_module(f"test.{module_name}")
    with open(report, "wb", buffering=0) as stream:
        run(module, Reporter(stream), names)


if __name__ == "__main__":
    main()
