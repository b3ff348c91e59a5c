"""Runs the fuzz targets (fuzz.cpp) on the sanitized build: ./dev fuzz [lexer|parser|compiler|marshal ...] [SECONDS]

Without a target all four run in turn, each SECONDS long (60 unless told otherwise). New inputs are kept in
build/fuzz/TARGET/ and used by the next run; findings are written to build/fuzz/findings/. The exit status is 1 if there
was a finding. With `replay` instead of SECONDS the kept inputs and tests/fuzz/regressions/TARGET-* run once, and leaks
are looked for (which is too slow for searching).
"""
import os
import pathlib
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "fuzz"
KEPT = ROOT / "build" / "fuzz"
ORACLE = "/usr/bin/python3.11"
TARGETS = ["lexer", "parser", "compiler", "marshal"]
STACK = 1 << 29  # sanitized frames are several times as large, and the limits are on nesting, not on bytes


def environment(target):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
    env["PYSTON_FUZZ"] = target
    env["ASAN_OPTIONS"] = "allocator_may_return_null=1:detect_stack_use_after_return=0"
    env["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1"
    symbolizer = pathlib.Path("/usr/lib/llvm-19/bin/llvm-symbolizer")
    if symbolizer.exists():
        env["ASAN_SYMBOLIZER_PATH"] = str(symbolizer)
    return env


def run_target(binary, target, seconds):
    corpus, seeds, findings = KEPT / target, KEPT / f"{target}-seeds", KEPT / "findings"
    for directory in (corpus, findings):
        directory.mkdir(parents=True, exist_ok=True)
    if not seeds.exists():
        subprocess.run([ORACLE, str(HERE / "corpus.py"), target, str(seeds)], check=True)
    command = [str(binary), f"-artifact_prefix={findings}/{target}-", "-rss_limit_mb=3000", "-timeout=25",
               "-print_final_stats=1", "-verbosity=0"]
    if target != "marshal":
        command.append(f"-dict={HERE / 'python.dict'}")
    if seconds == "replay":
        regressions = sorted(map(str, (HERE / "regressions").glob(f"{target}-*")))
        command += ["-runs=0", "-detect_leaks=1", str(corpus), str(seeds)]
        done = subprocess.run(command, env=environment(target))
        if done.returncode == 0 and regressions:
            done = subprocess.run([str(binary), *regressions], env=environment(target))
    else:
        command += ["-detect_leaks=0", "-max_len=2000", f"-max_total_time={seconds}", str(corpus), str(seeds)]
        done = subprocess.run(command, env=environment(target))
    print(f"fuzz {target}: {'no finding' if done.returncode == 0 else 'FINDING'}", flush=True)
    return done.returncode == 0


def main():
    binary, arguments = pathlib.Path(sys.argv[1]), sys.argv[2:]
    targets = [a for a in arguments if a in TARGETS] or TARGETS
    rest = [a for a in arguments if a not in TARGETS]
    if len(rest) > 1 or not all(a.isdigit() or a == "replay" for a in rest):
        sys.exit(__doc__)
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (STACK if hard == resource.RLIM_INFINITY else min(STACK, hard), hard))
    good = [run_target(binary, target, rest[0] if rest else "60") for target in targets]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
