"""Packages with compiled code: their own test suites on pyston, counted test by test against python3.11.

    run.py --pyston BINARY [NAME ...]    install, run, write results.md (default: every package of packages.toml that is not Debian's)
    run.py --pyston BINARY --check       the offline core: Debian's packages and smoke/*.py; every test that passes on python3.11 must pass

Everything is made below build/packages/NAME/{python3.11,pyston}: a virtual environment, the unpacked source, the log of
every step. Each interpreter installs with its own pip. python3.11's outcomes are kept until the package's table changes.
"""
import argparse
import concurrent.futures
import fcntl
import glob
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = pathlib.Path(os.environ.get("PYSTON_PACKAGES", ROOT / "build" / "packages"))
ORACLE = "/usr/bin/python3.11"
RESTARTS = 8


class StepFailed(Exception):
    """A step before the tests failed; the text names it and its log."""


def project(requirement):
    return re.match(r"[\w.-]+", requirement).group()


class Side:
    """One package on one interpreter: its folder, its virtual environment, its commands."""

    def __init__(self, name, table, interpreter, label):
        self.name, self.table, self.interpreter, self.label = name, table, interpreter, label
        self.folder = WORK / name / label
        self.debian = "debian" in table
        self.python = interpreter if self.debian else str(self.folder / "venv" / "bin" / "python")
        self.source = self.folder / "source"

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
        env.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", PYTHONNOUSERSITE="1", LC_ALL="C.UTF-8", TERM="dumb",
                   PIP_CACHE_DIR=str(WORK / f"pip-cache-{self.label}"), PIP_DISABLE_PIP_VERSION_CHECK="1",
                   VENV=str(self.folder / "venv"), SOURCE=str(self.source), TESTS=str(HERE),
                   SITE=str(self.folder / "venv" / "lib" / "python3.11" / "site-packages"),
                   PATH=f"{self.folder / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin:" + os.environ.get("PATH", ""))
        env.update({name: string.Template(value).safe_substitute(env) for name, value in self.table.get("environment", {}).items()})
        return env

    def expand(self, text):
        return string.Template(text).safe_substitute(self.environment())

    def step(self, title, command, cwd=None, timeout=3600):
        """Runs a command of the installation; its output goes to the log of the step."""
        log = self.folder / f"{title}.log"
        with open(log, "ab") as stream:
            stream.write(f"$ {command if isinstance(command, str) else shlex.join(command)}\n".encode())
            stream.flush()
            try:
                status = subprocess.run(command, cwd=cwd, env=self.environment(), stdin=subprocess.DEVNULL, stdout=stream,
                                        stderr=stream, timeout=timeout, shell=isinstance(command, str)).returncode
            except subprocess.TimeoutExpired:
                status = f"more than {timeout} s"
        if status != 0:
            raise StepFailed(f"{title} ended with status {status}, see {log}")

    def unpack_source(self):
        """The source distribution that carries the tests. pip fetches and unpacks it; whether its build tools are there doesn't matter."""
        wanted = self.table["source"]
        requirement = re.sub(r"\[.*?\]", "", self.table["install"][0] if wanted is True else wanted)
        key = hashlib.sha256(json.dumps([requirement, self.table.get("build")]).encode()).hexdigest()[:12]
        scratch = WORK / self.name / f"download-{key}"
        if not any(scratch.glob("pip-download-*/*/")):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            command = [ORACLE, "-m", "pip", "download", "--no-clean", "--no-deps", "--no-build-isolation", "--no-binary",
                       project(requirement), "-d", str(scratch), requirement]
            with open(self.folder / "download.log", "wb") as log:
                subprocess.run(command, env=self.environment() | {"TMPDIR": str(scratch)}, stdout=log, stderr=log, timeout=600)
        unpacked = list(scratch.glob("pip-download-*/*/"))
        if not unpacked:
            raise StepFailed(f"no source distribution of {requirement}, see {self.folder / 'download.log'}")
        built = scratch / "built"
        for command in () if built.exists() else self.table.get("build", ()):
            self.step("build", command, cwd=unpacked[0])
        built.touch()
        shutil.copytree(unpacked[0], self.source, symlinks=True)

    def install(self):
        """A virtual environment with the package and what its tests need; the unpacked source."""
        stamp = self.folder / "installed"
        table = {k: v for k, v in self.table.items() if k in ("install", "no-wheel", "needs", "source", "build", "remove", "prepare")}
        key = json.dumps(table, sort_keys=True)
        if stamp.exists() and stamp.read_text() == key:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if not self.debian:
            self.step("venv", [self.interpreter, "-m", "venv", str(self.folder / "venv")])
            options = ["--no-binary", project(self.table["install"][0])] if self.table.get("no-wheel") else []
            self.step("install", [self.python, "-m", "pip", "install", *options, *self.table["install"], *self.table.get("needs", ())])
        if self.table.get("source"):
            self.unpack_source()
        self.source.mkdir(exist_ok=True)
        for path in self.table.get("remove", ()):
            target = self.source / path
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        for command in self.table.get("prepare", ()):
            self.step("prepare", command, cwd=self.source)
        stamp.write_text(key)

    def run_once(self, number, part, lists):
        """({id: outcome}, note) of one process: one part of the suite without what `lists` leaves out."""
        report = self.folder / f"report-{number}"
        report.write_bytes(b"")
        lists_path = self.folder / f"lists-{number}.json"
        lists_path.write_text(json.dumps(lists))
        command = [self.python, str(HERE / "worker.py"), str(report), str(lists_path),
                   *shlex.split(self.expand(part))]
        timeout = self.table.get("timeout", 900)
        note = ""
        with open(self.folder / f"run-{number}.log", "ab") as log:
            process = subprocess.Popen(command, cwd=self.source, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True)
            try:
                status = process.wait(timeout)
                if status < 0:
                    note = f"killed by signal {-status}"
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                note = f"hang: more than {timeout} s"
        outcomes, running = {}, None
        for line in report.read_text(errors="replace").splitlines():
            kind, _, test = line.partition(" ")
            if kind == "start":
                running = test
            else:
                # A test that runs twice in a part (or is reported by two processes) is as good as its worst run.
                outcomes[test] = kind if outcomes.get(test, "ok") in ("ok", "skip") else outcomes[test]
                running = None
        if note and running is not None:
            outcomes[running] = "hang" if note.startswith("hang") else "crash"
        return outcomes, note

    def parts(self):
        """(prefix of test ids, part) of the suite; one with {each} stands for as many as there are files."""
        files = sorted(glob.glob(self.expand(self.table.get("each", "")), root_dir=self.source))
        for part in self.table["run"]:
            if "{each}" in part:
                yield from ((f"{pathlib.Path(file).stem}: ", part.replace("{each}", pathlib.Path(file).stem)) for file in files)
            else:
                yield "", part

    def run_part(self, number, part, deselected, only):
        """({id: outcome}, [notes]) of a part. After a crash or a hang it goes on with what is left of it."""
        outcomes, notes = {}, []
        (self.folder / f"run-{number}.log").unlink(missing_ok=True)
        for _ in range(RESTARTS):
            lists = {"skip": deselected + list(outcomes), "only": only, "timeout": self.table.get("timeout", 900) - 10}
            found, note = self.run_once(number, part, lists)
            outcomes.update(found)
            if not note:
                break
            crashed = [test for test, kind in found.items() if kind in ("crash", "hang")]
            notes.append(f"{note} in {', '.join(crashed) or 'no test'} ({part})")
            if not crashed:
                break
        return outcomes, notes

    def run(self, only=None):
        """({id: outcome}, [notes]) of the whole suite, or of the tests named in `only`."""
        outcomes, notes = {}, []
        for number, (prefix, part) in enumerate(self.parts()):
            deselected = [test.removeprefix(prefix) for test in self.table.get("deselect", ())]
            chosen = None if only is None else [test.removeprefix(prefix) for test in only if test.startswith(prefix)]
            if chosen == []:
                continue
            found, problems = self.run_part(number, part, deselected, chosen)
            outcomes.update({prefix + test: kind for test, kind in found.items()})
            notes += problems
        return outcomes, notes


def passed(outcomes):
    return {test for test, kind in outcomes.items() if kind == "ok"}


def oracle_outcomes(side):
    """python3.11's outcomes, kept on disk until the table of the package changes."""
    key = hashlib.sha256(json.dumps(side.table, sort_keys=True).encode()).hexdigest()
    cached = side.folder / "outcomes.json"
    if cached.exists():
        data = json.loads(cached.read_text())
        if data["key"] == key:
            return data["outcomes"], data["notes"]
    side.install()
    outcomes, notes = side.run()
    cached.write_text(json.dumps({"key": key, "outcomes": outcomes, "notes": notes}))
    return outcomes, notes


class Result:
    """What the table says about one package."""

    def __init__(self, name, table):
        self.name = name
        self.version = table.get("debian") or table["install"][0].partition("==")[2]
        self.ran = self.expected = self.good = 0
        self.notes = []
        self.lost = []

    def share(self):
        return 100 * self.good / self.expected if self.expected else 0.0

    def row(self):
        return f"| {self.name} | {self.version} | {self.ran} | {self.expected} | {self.good} | {self.share():.2f} % |"

    def section(self):
        lines = [f"- {note}" for note in self.notes] + [f"- {kind}: `{test}`" for test, kind in self.lost]
        return "\n".join([f"## {self.name}", "", *lines, ""])


def compare(name, table, pyston):
    """Runs a package on both interpreters. What fails on pyston alone is tried once more, and the second outcome counts."""
    result = Result(name, table)
    oracle, ours = Side(name, table, ORACLE, "python3.11"), Side(name, table, pyston, "pyston")
    try:
        expected, oracle_notes = oracle_outcomes(oracle)
        result.notes += [f"python3.11: {note}" for note in oracle_notes]
        result.ran, result.expected = len(expected), len(passed(expected))
        if not result.expected:
            raise StepFailed(f"no test passes on python3.11, see {oracle.folder}")
        ours.install()
        outcomes, notes = ours.run()
        result.notes += notes
        lost = sorted(passed(expected) - passed(outcomes))
        again = [test for test in lost if outcomes.get(test) in ("fail", "error")]
        if 0 < len(again) <= 50:
            second = passed(ours.run(only=again)[0])
            result.notes += [f"passed only when run again: `{test}`" for test in again if test in second]
            lost = [test for test in lost if test not in second]
        result.good = result.expected - len(lost)
        result.lost = [(test, outcomes.get(test, "missing")) for test in lost]
    except StepFailed as problem:
        result.notes.append(str(problem).replace(str(WORK), "build/packages"))
    return result


HEAD = """# Packages on pyston

Made by `./dev test packages [NAME …]` from `packages.toml`: each package's own tests on both interpreters. *run*: outcomes on python3.11, skips
included; the last two columns are of the tests that pass on python3.11. Below the table: every test that passes there and not here.

| package | version | run | passed on python3.11 | passed on pyston | share |
| --- | --- | --- | --- | --- | --- |
"""


def write_results(results):
    """Replaces the rows and sections of the packages that ran; the others stay as they are."""
    path = HERE / "results.md"
    lock = open(WORK / "results.lock", "w")  # held until the end of this function: several runs may be under way
    fcntl.flock(lock, fcntl.LOCK_EX)
    text = path.read_text() if path.exists() else ""
    head, *parts = text.split("\n## ")
    rows = {line.split("|")[1].strip(): line for line in head.splitlines() if line.startswith("| ")
            and not line.startswith(("| package", "| ---"))}
    sections = {part.splitlines()[0]: "## " + part.strip() + "\n" for part in parts}
    for result in results:
        rows[result.name] = result.row()
        sections.pop(result.name, None)
        if result.notes or result.lost:
            sections[result.name] = result.section()
    body = "".join(rows[name] + "\n" for name in sorted(rows, key=str.lower))
    path.write_text(HEAD + body + "".join("\n" + sections[name].rstrip() + "\n" for name in sorted(sections, key=str.lower)))


def install_debian_packages(tables):
    wanted = {package for table in tables for package in table.get("apt", ())}
    missing = [p for p in sorted(wanted) if b"ok installed" not in subprocess.run(
        ["dpkg-query", "-W", "-f=${Status}", p], capture_output=True).stdout]
    if missing:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL)


def run_packages(options, tables):
    if unknown := set(options.names) - set(tables):
        sys.exit(f"run.py: not in packages.toml: {', '.join(sorted(unknown))}")
    names = options.names or [name for name, table in tables.items() if "debian" not in table]
    install_debian_packages([tables[name] for name in names])
    for name in names:
        start = time.monotonic()
        result = compare(name, tables[name], options.pyston)
        print(f"{result.row()} {time.monotonic() - start:.0f} s", flush=True)
        print(result.section() if options.v else "", end="", flush=True)
        write_results([result])
    return 0


def smoke(pyston, script):
    """Text of the difference between the interpreters' outputs, or None."""
    def run(binary):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([binary, str(script)], capture_output=True, env=env, stdin=subprocess.DEVNULL, timeout=120)
        return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), done.returncode
    want, got = run(ORACLE), run(pyston)
    return None if want == got else f"expected {want}\n    got      {got}"


def check_core(options, tables):
    """The offline core. A test counts as lost when it fails twice."""
    bad = 0
    scripts = sorted((HERE / "smoke").glob("*.py"))
    core = {name: table for name, table in tables.items() if "debian" in table}
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        results = [pool.submit(compare, name, table, options.pyston) for name, table in core.items()]
        for script, problem in zip(scripts, pool.map(lambda s: smoke(options.pyston, s), scripts)):
            if problem:
                bad += 1
                print(f"FAIL packages/smoke/{script.name}: {problem}")
        for future in results:
            result = future.result()
            print(f"packages: {result.name} {result.good} of {result.expected} tests")
            if result.lost or not result.expected:
                bad += 1
                print(f"FAIL packages/{result.section()}")
    print(f"packages: {len(scripts)} smoke scripts and {len(core)} suites of Debian's packages, {bad} failed")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("-v", action="store_true", help="print the differences too")
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    options.pyston = os.path.abspath(options.pyston)
    # What nohup or a shell's background job ignores would be ignored by every process below, and suites test signals.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    tables = tomllib.loads((HERE / "packages.toml").read_text())
    return check_core(options, tables) if options.check else run_packages(options, tables)


if __name__ == "__main__":
    sys.exit(main())
