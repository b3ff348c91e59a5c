"""The C API on pyston and on python3.11: what every exported function does with good and with bad arguments.

    run.py --pyston BINARY [-j JOBS] [-k TEXT] [-v]

functions.tsv is the table, driver.py calls what it lists (through caller.c) in both interpreters, and this compares:
results, exceptions, output, changed reference counts. What makes python3.11 crash is not compared. The scripts in
scripts/ each use an extension of the same name from extensions/ and must print the same, with the same exit status.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = "/usr/bin/python3.11"
INCLUDE = "/usr/include/python3.11"
ROWS_A_JOB = 50
ADDRESS = re.compile(rb"0x[0-9a-f]{6,}")


def environment(directory):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
    env.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", PYTHONNOUSERSITE="1", LC_ALL="C.UTF-8",
               PYTHONPATH=str(directory))
    return env


def compiler(source):
    choice = ("clang++-19", "g++") if source.suffix == ".cpp" else ("clang-19", "clang", "gcc", "cc")
    return next(c for c in choice if shutil.which(c))


def build(source, directory):
    """Compiles an extension into a directory under the plain suffix, for either interpreter."""
    command = [compiler(source), "-O1", "-fPIC", "-shared", "-w", f"-I{INCLUDE}", f"-I{INCLUDE}/internal", str(source), "-o",
               f"{directory}/{source.stem}.so"]
    subprocess.run(command, check=True)


def outcomes(binary, first, directory):
    """{case: outcome} of some rows of the table."""
    command = [binary, str(HERE / "driver.py"), directory, str(HERE / "functions.tsv"), str(first), str(first + ROWS_A_JOB)]
    done = subprocess.run(command, cwd=directory, env=environment(directory), capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        return {f"rows from {first}": f"the driver ended with {done.returncode}: {done.stderr[-300:]}"}
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def check_table(options, directory):
    """[text of a difference]; prints how much was compared."""
    count = sum(not line.startswith("#") and bool(line.strip()) for line in open(HERE / "functions.tsv", encoding="utf-8"))
    starts = range(0, count, ROWS_A_JOB)
    expected, actual = {}, {}
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for part in pool.map(lambda s: outcomes(ORACLE, s, directory), starts):
            expected.update(part)
        for part in pool.map(lambda s: outcomes(options.pyston, s, directory), starts):
            actual.update(part)
    defined = {case: outcome for case, outcome in expected.items() if not outcome.startswith("signal ")}
    problems = [f"{case}\n    expected {outcome}\n    got      {actual.get(case, 'no such case')}"
                for case, outcome in defined.items() if actual.get(case) != outcome]
    functions = {case.partition("(")[0] for case in defined}
    print(f"capi: {len(defined) - len(problems)} of {len(defined)} calls of {len(functions)} functions agree with python3.11")
    if len(defined) < 10000:
        problems.append("too few calls: the driver doesn't work")
    return problems


def check_complete():
    """Every exported function has a row, if only one that says why it isn't called."""
    listing = subprocess.run(["nm", "-D", "--defined-only", ORACLE], capture_output=True, text=True, check=True).stdout
    exported = {name for _, kind, name in map(str.split, listing.splitlines()) if kind in "TW"}
    wanted = {n for n in exported if n.lstrip("_").startswith("Py") and not n.startswith("PyInit_")}
    rows = [line.split(";") for line in open(HERE / "functions.tsv", encoding="utf-8") if line[0] not in "#\n"]
    listed = {row[0].split()[0] for row in rows}
    return [f"no row in functions.tsv: {name}" for name in sorted(wanted - listed)] + \
           [f"not exported by python3.11: {name}" for name in sorted(listed - exported)]


def run_script(binary, path, directory):
    """What a script prints, on both streams, and its status; addresses and the sources' places are replaced."""
    done = subprocess.run([binary, str(path)], cwd=directory, env=environment(directory), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120)
    place = re.compile(rb"[\w./-]+\.(?:c|cpp|h):\d+: ")
    return tuple(place.sub(b"", ADDRESS.sub(b"0xADDRESS", s)) for s in (done.stdout, done.stderr)), done.returncode


def check_scripts(options, directory):
    scripts = [s for s in sorted((HERE / "scripts").glob("*.py")) if options.k in s.name]
    problems = []
    for path in scripts:
        expected, actual = (run_script(b, path, directory) for b in (ORACLE, options.pyston))
        if expected != actual:
            problems.append(f"{path.name}:\n{first_difference(expected, actual)}")
    print(f"capi: {len(scripts) - len(problems)} of {len(scripts)} scripts agree with python3.11")
    return problems


def first_difference(expected, actual):
    for want, got in zip(expected[0], actual[0]):
        want_lines, got_lines = want.decode("utf-8", "replace").splitlines(), got.decode("utf-8", "replace").splitlines()
        for number in range(max(len(want_lines), len(got_lines))):
            left, right = (lines[number] if number < len(lines) else None for lines in (want_lines, got_lines))
            if left != right:
                return f"    expected {left!r}\n    got      {right!r}"
    return f"    status: expected {expected[1]}, got {actual[1]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("-k", default="", help="only scripts whose name contains this, and no table")
    parser.add_argument("-v", action="store_true", help="all differences, not the first ten")
    options = parser.parse_args()
    options.pyston = os.path.abspath(options.pyston)
    with tempfile.TemporaryDirectory() as directory:
        for source in [HERE / "caller.c", *(HERE / "extensions").glob("*.c*")]:
            build(source, directory)
        problems = check_scripts(options, directory)
        if not options.k:
            problems += check_complete() + check_table(options, directory)
    for problem in problems if options.v else problems[:10]:
        print(f"FAIL capi: {problem}")
    if len(problems) > 10 and not options.v:
        print(f"... and {len(problems) - 10} more (-v)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
