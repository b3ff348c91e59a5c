"""Runs the project's tests: C++ unit tests, language scripts, the conformance sample.

    tests/run.py --pyston BINARY --unit BINARY [unit|lang|jit|cli|tree|capi|packages|conformance ...] [-k TEXT] [-j JOBS]

`lang`: every tests/lang/*.py runs on python3.11 and on pyston; stdout, stderr and exit status must agree.
`embed`: programs that embed Python do the same with libpyston3.11 as with libpython3.11 (tests/embed/run.py).
`install`: the installed tree works, from anywhere, with virtual environments, and finds what python3.11 finds (tests/install/run.py).
`jit`: tests/jit/*.py with PYSTON_JIT=1 and with PYSTON_JIT=stress, tests/lang/*.py with stress, compared in the same way.
`cli`: so must those of every command line of tests/cli/cases.py: bad input, endings, `-m` commands, the prompt.
`tree`: the repository's own promises: paths that the README names exist, lower layers don't include higher ones, and
pyston exports every symbol that the python3.11 executable exports, data in the same size.
`capi`: exported functions do the same with good and bad arguments as python3.11's; extensions that misbehave or read raw
memory see the same (tests/capi/run.py).
`packages`: compiled packages of Debian load and pass their tests (tests/packages/run.py --check).
`code-equality`: code objects, trees and errors of a sample of the standard library equal python3.11's, in every field
(tests/conformance/code_equality.py), with --full of the whole library and of /usr/lib/python3/dist-packages; and each engine
runs what the other compiled (tests/conformance/shared_bytecode.py).
`damage`: damaged sources report the same errors (tests/fuzz/damaged_sources.py), a small sample or with --full 2,000 files.
`conformance`: what tests/conformance/passing/ lists of CPython's regression suite must pass (tests/conformance/run.py).
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORACLE = "/usr/bin/python3.11"


def environment():
    """Variables that both interpreters see: fixed hashes, no user site."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
    env.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", PYTHONNOUSERSITE="1", LC_ALL="C.UTF-8")
    return env


def run_script(binary, path, **variables):
    """(stdout, stderr, status) of one script; a timeout counts as status 'timeout'."""
    try:
        done = subprocess.run([binary, path.name], cwd=path.parent, env=environment() | variables, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120)
    except subprocess.TimeoutExpired:
        return b"", b"", "timeout"
    return done.stdout, done.stderr, done.returncode


def first_difference(name, want, got):
    want_lines = want.decode("utf-8", "replace").splitlines()
    got_lines = got.decode("utf-8", "replace").splitlines()
    for number in range(max(len(want_lines), len(got_lines))):
        left = want_lines[number] if number < len(want_lines) else None
        right = got_lines[number] if number < len(got_lines) else None
        if left != right:
            return f"{name}, line {number + 1}:\n    expected {left!r}\n    got      {right!r}"
    return f"{name}: line ends differ"


def difference(expected, actual):
    """Text of the first difference of two (stdout, stderr, status), or None."""
    for name, want, got in zip(("stdout", "stderr"), expected, actual):
        if want != got:
            return first_difference(name, want, got)
    if expected[2] != actual[2]:
        return f"status: expected {expected[2]}, got {actual[2]}"
    return None


def compare_all(suite, what, options, items, run):
    """Whether run(ORACLE, item) equals run(pyston, item) for every item; prints the differences."""
    items = [item for item in items if options.k in item.name]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        problems = pool.map(lambda item: difference(run(ORACLE, item), run(options.pyston, item)), items)
        for item, problem in zip(items, problems):
            if problem:
                failures += 1
                print(f"FAIL {suite}/{item.name}: {problem}", flush=True)
    print(f"{suite}: {len(items) - failures} of {len(items)} {what} agree with python3.11")
    return failures == 0 and bool(items or options.k)


def run_lang(options):
    return compare_all("lang", "scripts", options, sorted((ROOT / "tests" / "lang").glob("*.py")), run_script)


def run_cli(options):
    sys.path.insert(0, str(ROOT / "tests" / "cli"))
    import cases
    import runner
    return compare_all("cli", "command lines", options, cases.CASES,
                       lambda binary, case: runner.run(case, binary, environment()))


def run_jit(options):
    """tests/jit with the trace compiler on and in stress mode, tests/lang in stress mode."""
    cases = [(path, mode) for mode in ("1", "stress") for path in sorted((ROOT / "tests" / "jit").glob("*.py"))]
    cases += [(path, "stress") for path in sorted((ROOT / "tests" / "lang").glob("*.py"))]
    cases = [(path, mode) for path, mode in cases if options.k in path.name]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        problems = pool.map(lambda case: difference(run_script(ORACLE, case[0]),
                                                    run_script(options.pyston, case[0], PYSTON_JIT=case[1])), cases)
        for (path, mode), problem in zip(cases, problems):
            if problem:
                failures += 1
                print(f"FAIL jit/{path.name} with PYSTON_JIT={mode}: {problem}", flush=True)
    print(f"jit: {len(cases) - failures} of {len(cases)} runs agree with python3.11")
    return failures == 0 and bool(cases or options.k)


def run_unit(options):
    return subprocess.run([options.unit, "--gtest_brief=1"], env=environment()).returncode == 0


def exported_symbols(binary):
    """{name: "code", or the size of the data in bytes}"""
    listing = subprocess.run(["nm", "-DS", "--defined-only", binary], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return {row[-1].split("@")[0]: "code" if row[-2] in "TWi" else f"{int(row[1], 16)} bytes of data" for row in rows}


def check_exports(options):
    """Names that the C compiler run-time adds to every executable are not part of the API."""
    expected = {n: what for n, what in exported_symbols(ORACLE).items() if n.lstrip("_").startswith("Py")}
    actual = exported_symbols(options.pyston)
    good = sum(actual.get(n) == what for n, what in expected.items())
    print(f"tree: {good} of {len(expected)} symbols of python3.11 are exported in their kind and size")
    return [f"not exported as python3.11 does: {n}, {what}, is {actual.get(n)}" for n, what in sorted(expected.items())
            if actual.get(n) != what]


def check_extension_modules(options):
    """The standard library's own compiled modules."""
    names = sorted(p.name.partition(".")[0] for p in pathlib.Path("/usr/lib/python3.11/lib-dynload").glob("*.so"))
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([options.pyston, "-c", code, *names], env=environment(), capture_output=True, text=True)
    print(f"tree: {len(names)} modules of lib-dynload import" if done.returncode == 0 else done.stderr)
    return [] if done.returncode == 0 and names else [f"lib-dynload: {done.stderr.strip().splitlines()[-1:]}"]


def check_readme(options):
    text = (ROOT / "README.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| ")]
    paths = {p for line in table for p in re.findall(r"`([^`]+)`", line)}
    return [f"README.md names a path that isn't there: {p}" for p in sorted(paths) if not (ROOT / p).exists()]


# First match counts. The interpreter's door to the JIT is its own; the bytecode tables are plain data, which code objects and generators need too.
LAYERS = {"JIT/jit.h": 2, "Runtime/refs": 0, "Runtime/memory": 0, "Interpreter/bytecode/opcodes": 0, "Objects": 1, "Interpreter": 2,
          "JIT": 3}


def check_layers(options):
    """Runtime/refs and Runtime/memory < Objects < Interpreter < JIT; nobody includes capi."""
    problems = []
    for path in [p for top in ("Runtime", "Objects", "Interpreter", "JIT", "Lib") for p in (ROOT / top).rglob("*")
                 if p.suffix in (".h", ".cpp")]:
        name = str(path.relative_to(ROOT))
        level = next((rank for prefix, rank in LAYERS.items() if name.startswith(prefix)), 9)
        for included in re.findall(r'#include "((?:Runtime|Objects|Interpreter|JIT|capi)/[^"]+)"', path.read_text()):
            rank = next((rank for prefix, rank in LAYERS.items() if included.startswith(prefix)), 0)
            if included.startswith("capi/") or rank > level:
                problems.append(f"{name} includes {included} of a higher layer")
    return problems


def run_tree(options):
    problems = check_exports(options) + check_extension_modules(options) + check_readme(options) + check_layers(options)
    for problem in problems:
        print(f"FAIL tree: {problem}")
    print(f"tree: {len(problems)} broken promises")
    return not problems


def run_capi(options):
    command = [ORACLE, str(ROOT / "tests" / "capi" / "run.py"), "--pyston", options.pyston, "-j", str(options.j)]
    return subprocess.run(command).returncode == 0


def run_conformance(options):
    command = [ORACLE, str(ROOT / "tests" / "conformance" / "run.py"), "--pyston", options.pyston, "--check", "-j",
               str(options.j)]
    return subprocess.run(command).returncode == 0


def run_code_equality(options):
    scripts = ROOT / "tests" / "conformance"
    command = [ORACLE, str(scripts / "code_equality.py"), "--pyston", options.pyston]
    equal = subprocess.run(command + ([] if options.full else ["--sample"])).returncode == 0
    shared = subprocess.run([ORACLE, str(scripts / "shared_bytecode.py"), "--pyston", options.pyston]).returncode == 0
    return equal and shared


def run_damage(options):
    command = [ORACLE, str(ROOT / "tests" / "fuzz" / "damaged_sources.py"), "--pyston", options.pyston]
    samples = [[]] if options.full else [["--files", "80", "--places", "5", "--max-size", "30000"],
                                         ["--files", "15", "--places", "3", "--max-size", "60000", "--statements"]]
    return all([subprocess.run(command + sample).returncode == 0 for sample in samples])


def run_packages(options):
    command = [ORACLE, str(ROOT / "tests" / "packages" / "run.py"), "--pyston", options.pyston, "--check", "-j",
               str(options.j)]
    return subprocess.run(command).returncode == 0


def run_on_build(name, options):
    """A suite that needs more of the build than the executable."""
    command = [ORACLE, str(ROOT / "tests" / name / "run.py"), "--build", str(pathlib.Path(options.pyston).parent.parent)]
    return subprocess.run(command).returncode == 0


SUITES = {
    "unit": run_unit,
    "code-equality": run_code_equality,
    "damage": run_damage,
    "lang": run_lang,
    "embed": lambda options: run_on_build("embed", options),
    "install": lambda options: run_on_build("install", options),
    "jit": run_jit,
    "cli": run_cli,
    "tree": run_tree,
    "capi": run_capi,
    "packages": run_packages,
    "conformance": run_conformance,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("-k", default="", help="only scripts and command lines whose name contains this")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--full", action="store_true", help="code-equality, damage: everything, not a sample")
    parser.add_argument("suites", nargs="*", help=", ".join(SUITES))
    options = parser.parse_args()
    options.pyston, options.unit = os.path.abspath(options.pyston), os.path.abspath(options.unit)
    if unknown := set(options.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    results = {name: SUITES[name](options) for name in options.suites or SUITES}
    failed = [name for name, good in results.items() if not good]
    print("tests: " + (f"FAILED ({', '.join(failed)})" if failed else "all passed"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
