"""CPython's regression suite on pyston, counted test by test against python3.11 on the same machine.

    run.py --pyston BINARY [MODULE ...]          run and print a table (default: modules.txt)
    run.py --pyston BINARY --check               the ratchet: everything in passing/ must still pass
    run.py --pyston BINARY --update [MODULE ...] add newly passing tests to the ratchet (it never removes any)

A module runs in one process per interpreter under worker.py, which reports every test's outcome to a file, so that
a crash or a hang costs the tests from there on and is reported as such.

A test that python3.11 itself passes only sometimes (by addresses, say) has no place in passing/: run it some ten times before adding it.

What takes python3.11 longer than SLOW seconds is compared in the table but stays out of the ratchet: the ratchet runs with
every `./dev test`, which is to take minutes.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PASSING = HERE / "passing"
CACHE = pathlib.Path(os.environ.get("PYSTON_ORACLE_CACHE", "/tmp/pyston-oracle-times"))
SLOW = 1.0
ORACLE = "/usr/bin/python3.11"


def environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
    env.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8", TERM="dumb")
    return env


def run_module(binary, module, timeout, listed=()):
    """({test id: (outcome, seconds)}, note) of one module; the note names a crash, a hang or a failed import."""
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "report"
        report.touch()
        note = ""
        process = subprocess.Popen([binary, str(HERE / "worker.py"), module, str(report), *listed], cwd=directory,
                                   env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=open(f"{directory}/stderr", "wb"), start_new_session=True)
        try:
            status = process.wait(timeout)
            if status != 0:
                last = pathlib.Path(directory, "stderr").read_text(errors="replace").strip().splitlines()[-1:] or [""]
                note = f"exit status {status}: {last[0][:120]}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            note = f"hang: more than {timeout} s"
        outcomes = {}
        running = None
        for line in report.read_text(errors="replace").splitlines():
            kind, seconds, test = line.split(" ", 2)
            if kind == "start":
                running = test
            else:
                outcomes[test] = kind, float(seconds)
                running = None
        if running is not None and note:
            note += f" in {running}"
        return outcomes, note


def oracle_outcomes(module, timeout):
    """python3.11's outcomes, cached on disk: they don't change on a machine."""
    CACHE.mkdir(parents=True, exist_ok=True)
    cached = CACHE / f"{module}.txt"
    if not cached.exists():
        outcomes, _ = run_module(ORACLE, module, timeout)
        temporary = cached.with_suffix(f".{os.getpid()}")
        temporary.write_text("".join(f"{kind} {seconds} {test}\n" for test, (kind, seconds) in outcomes.items()))
        temporary.rename(cached)
    lines = [line.split(" ", 2) for line in cached.read_text().splitlines()]
    return {test: (kind, float(seconds)) for kind, seconds, test in lines}


def passed(outcomes):
    return {test for test, (kind, _) in outcomes.items() if kind == "ok"}


def compare(options, module):
    expected = oracle_outcomes(module, options.timeout)
    outcomes, note = run_module(options.pyston, module, options.timeout)
    return module, expected, outcomes, note


def add_to_ratchet(module, good):
    path = PASSING / f"{module}.txt"
    known = set(path.read_text().splitlines()) if path.exists() else set()
    PASSING.mkdir(exist_ok=True)
    path.write_text("".join(f"{test}\n" for test in sorted(known | good)))


def table(options, modules):
    shares = []
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for module, oracle, outcomes, note in pool.map(lambda m: compare(options, m), modules):
            expected = passed(oracle)
            good = expected & passed(outcomes)
            share = 100 * len(good) / len(expected) if expected else 100.0
            print(f"{module:26} {len(good):5} of {len(expected):5}  {share:6.1f} %  {note}", flush=True)
            if options.v:
                for test in sorted(expected - good):
                    print(f"    {outcomes.get(test, ('missing', 0))[0]:8} {test}")
            if options.update and good:
                add_to_ratchet(module, {test for test in good if oracle[test][1] <= SLOW})
            shares.append(share)
    print(f"{len(shares)} modules, {sum(share >= 90 for share in shares)} at 90 % or more")
    return 0


def check(options):
    modules = sorted(path.stem for path in PASSING.glob("*.txt"))
    lost_count = 0
    total = 0

    def one(module):
        """A test counts as lost when it fails in every one of three runs: some depend on timing and ports."""
        wanted = (PASSING / f"{module}.txt").read_text().splitlines()
        lost = wanted
        for _ in range(3):
            outcomes, note = run_module(options.pyston, module, min(options.timeout, 150),
                                        [str(PASSING / f"{module}.txt")])
            lost = [test for test in lost if outcomes.get(test, ("missing", 0))[0] != "ok"]
            if not lost:
                break
        return module, wanted, lost, note

    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for module, wanted, lost, note in pool.map(one, modules):
            total += len(wanted)
            lost_count += len(lost)
            if lost:
                print(f"FAIL conformance/{module}: {len(lost)} tests fell out of the ratchet {note}")
                for test in lost[:10]:
                    print(f"    {test}")
    print(f"conformance: {total - lost_count} of {total} listed tests pass in {len(modules)} modules")
    return 1 if lost_count or not modules else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--timeout", type=int, default=300)
    parser.add_argument("-v", action="store_true", help="name the tests that python3.11 passes and pyston doesn't")
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    options.pyston = os.path.abspath(options.pyston)
    if options.check:
        return check(options)
    return table(options, options.modules or (HERE / "modules.txt").read_text().split())


if __name__ == "__main__":
    sys.exit(main())
