"""Whole-program benchmarks: interleaved runs on pyston, python3.11 and, where installed, pypy3.

    ./dev bench [NAMES ...] [--runs N] [--pyston BINARY] [--json FILE] [--svg FILE] [--jit 0|1] [--no-pypy]

Every program of benchmarks/programs (the name "boundary": of benchmarks/boundary, calls into a compiled extension) runs `--runs` times on each interpreter in turn (A B C A B C ...), so that drift of
the machine hits all alike. Printed per program: median seconds, ratio to python3.11 (above 1 is faster than python3.11),
peak memory; then the geometric mean and start-up times. A program whose output differs from python3.11's is reported
as WRONG, left out of the mean, and makes the exit status 1.
"""
import argparse
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "benchmarks" / "programs"
BOUNDARY = ROOT / "benchmarks" / "boundary"
EXTENSIONS = ROOT / "build" / "boundary"
ORACLE = "/usr/bin/python3.11"
STARTUP = {"startup: -c pass": ["-c", "pass"],
           "startup: -c 'import asyncio, json, re, argparse'": ["-c", "import asyncio, json, re, argparse"]}


def environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
    env.update(PYTHONHASHSEED="0", PYTHONPATH=str(EXTENSIONS))
    return env


def build_extension():
    """What the programs of benchmarks/boundary call; optimised as Debian builds extensions."""
    EXTENSIONS.mkdir(parents=True, exist_ok=True)
    subprocess.run(["clang-19", "-O2", "-fPIC", "-shared", "-w", "-I/usr/include/python3.11", str(BOUNDARY / "boundary.c"), "-o",
                    str(EXTENSIONS / "boundary.so")], check=True)


def run_once(command):
    """(seconds, peak resident KiB, output) of one run; output is None on a failure."""
    read_end, write_end = os.pipe()
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=write_end,
                               stderr=subprocess.DEVNULL, cwd=PROGRAMS)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        output = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return seconds, usage.ru_maxrss, output if process.returncode == 0 else None


def measure(name, arguments, interpreters, runs):
    """{interpreter: {"seconds", "memory", "output"}} of interleaved runs."""
    samples = {key: [] for key in interpreters}
    for _ in range(runs):
        for key, binary in interpreters.items():
            samples[key].append(run_once([binary, *arguments]))
    result = {}
    for key, rows in samples.items():
        result[key] = {"seconds": statistics.median(r[0] for r in rows),
                       "memory": statistics.median(r[1] for r in rows),
                       "output": rows[0][2] if all(r[2] == rows[0][2] for r in rows) else None}
    return result


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def write_svg(path, rows):
    """A bar per program: speed relative to python3.11."""
    height = 20 * len(rows) + 40
    top = max([ratio for _, ratio in rows] + [1.0])
    scale = 500 / top
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="{height}" font-family="sans-serif" '
             'font-size="12">', '<text x="10" y="16">speed relative to python3.11 (longer is faster)</text>']
    for index, (name, ratio) in enumerate(rows):
        y = 30 + 20 * index
        colour = "#2a7" if ratio >= 1 else "#c73"
        lines.append(f'<text x="10" y="{y + 11}">{name}</text>'
                     f'<rect x="210" y="{y}" width="{ratio * scale:.1f}" height="14" fill="{colour}"/>'
                     f'<text x="{214 + ratio * scale:.1f}" y="{y + 11}">{ratio:.2f}</text>')
    lines.append(f'<line x1="{210 + scale:.1f}" y1="26" x2="{210 + scale:.1f}" y2="{height - 10}" stroke="#444" '
                 'stroke-dasharray="3"/></svg>')
    pathlib.Path(path).write_text("\n".join(lines))


def report(name, result, columns):
    base = result["python3.11"]
    cells = [f"{name:34}"]
    wrong = False
    for key in columns:
        if key not in result:
            continue
        row = result[key]
        good = row["output"] is not None and row["output"] == base["output"]
        wrong |= not good and key == "pyston"
        ratio = base["seconds"] / row["seconds"]
        cells.append(f"{row['seconds']:8.3f} s {ratio:6.2f}x {row['memory'] / 1024:7.1f} MB" if good else f"{'WRONG':>28}")
    print("  ".join(cells), flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pyston", default=None)
    parser.add_argument("--json")
    parser.add_argument("--svg")
    parser.add_argument("--jit", choices=["0", "1", "stress"], default="0", help="PYSTON_JIT for pyston")
    parser.add_argument("--no-pypy", action="store_true")
    options = parser.parse_args()
    os.environ["PYSTON_JIT"] = options.jit
    pyston = options.pyston
    if pyston is None:
        candidates = [ROOT / "build" / preset / "bin" / "pyston" for preset in ("pgo", "release")]
        found = [c for c in candidates if c.exists()]
        if not found:
            parser.error("no binary: run ./dev build --pgo (or ./dev build) first")
        pyston = str(found[0])
    interpreters = {"python3.11": ORACLE, "pyston": os.path.abspath(pyston)}
    pypy = shutil.which("pypy3")
    if pypy and not options.no_pypy:
        interpreters["pypy3"] = pypy
    names = options.names or sorted(p.stem for p in PROGRAMS.glob("*.py")) + list(STARTUP)
    if "boundary" in names:
        names.remove("boundary")
        names += sorted(p.stem for p in BOUNDARY.glob("*.py"))
        build_extension()
    print(f"pyston is {pyston}; {options.runs} interleaved runs each; ratio = speed relative to python3.11")
    print("  ".join([f"{'program':34}", *(f"{key:>28}" for key in interpreters)]))
    results, wrong, ratios = {}, [], []
    for name in names:
        arguments = STARTUP.get(name) or [str(next(p for p in (PROGRAMS / f"{name}.py", BOUNDARY / f"{name}.py") if p.exists()))]
        result = measure(name, arguments, interpreters, options.runs * (5 if name in STARTUP else 1))
        if report(name, result, interpreters):
            wrong.append(name)
        elif name not in STARTUP:
            ratios.append((name, result["python3.11"]["seconds"] / result["pyston"]["seconds"]))
        results[name] = {key: {k: v for k, v in row.items() if k != "output"} for key, row in result.items()}
    print(f"geometric mean of pyston over {len(ratios)} programs: {geometric_mean([r for _, r in ratios]):.3f}x")
    memory = [results[n]["pyston"]["memory"] / results[n]["python3.11"]["memory"] for n, _ in ratios]
    if memory:
        print(f"median of peak memory relative to python3.11: {statistics.median(memory):.2f}")
    if wrong:
        print("WRONG output: " + ", ".join(wrong))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    if options.svg:
        write_svg(options.svg, ratios)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
