"""Programs that embed Python, on libpython3.11 and on libpyston3.11.

    tests/embed/run.py --build BUILD_DIRECTORY [-j JOBS] [-v] [PROGRAM[.SCENARIO] ...]

Each program here is compiled twice, with the flags that python3.11's pkg-config file and our own pyston-config give. Every scenario
runs three times: on libpython3.11, as the same unmodified binary on the stand-in libpython3.11.so.1.0, and as the binary linked with
libpyston3.11. Output and exit status must be the same. The libraries must export the same names.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = {".c": ["clang-19"], ".cpp": ["clang++-19", "-std=c++20"]}


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV", "LC_", "LANG", "LD_"))}
    env.update(LC_ALL="C.UTF-8", PATH="/usr/bin:/bin", HOME="/nonexistent", **more)
    return env


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def compile_program(source, binary, flags):
    binary.parent.mkdir(parents=True, exist_ok=True)
    command = COMPILERS[source.suffix] + ["-O1", "-w", "-pthread", "-o", str(binary), str(source)] + flags
    subprocess.run(command, check=True)


class Embedders:
    """The programs, compiled in both ways under `build`/embed."""

    def __init__(self, build):
        self.build = build
        self.library = build / "lib"
        self.oracle = build / "embed" / "python"
        self.ours = build / "embed" / "pyston"

    def prepare(self, source):
        config = str(self.build / "bin" / "pyston-config")
        flags = shlex.split(output("pkg-config", "--cflags", "--libs", "python-3.11-embed"))
        compile_program(source, self.oracle / source.stem, flags)
        flags = shlex.split(output(config, "--includes", "--ldflags", "--embed"))
        compile_program(source, self.ours / source.stem, flags)
        return output(self.oracle / source.stem).split()

    def ways(self):
        """(what, directory of the binaries, environment) of each way to run."""
        return [("libpython3.11", self.oracle, environment()),
                ("stand-in", self.oracle, environment(LD_LIBRARY_PATH=str(self.library / "libpython3.11"))),
                ("libpyston3.11", self.ours, environment(LD_LIBRARY_PATH=str(self.library)))]


def run_one(directory, name, scenario, env):
    try:
        done = subprocess.run([f"./{name}", scenario], cwd=directory, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    except subprocess.TimeoutExpired as late:
        return ["timeout"] + (late.stdout or b"").decode("utf-8", "replace").splitlines()
    text = "\n".join(part.decode("utf-8", "replace") for part in (done.stdout, b"--- stderr", done.stderr, b"--- status %d" % done.returncode))
    text = text.replace(str(directory), "<directory>")
    return re.sub(r"0x[0-9a-f]+|/tmp/embed_\w+", "…", text).splitlines()


def check(embedders, name, scenario):
    """Texts that say what differs; empty when nothing does."""
    problems = []
    want = None
    for what, directory, env in embedders.ways():
        got = run_one(directory, name, scenario, env)
        if want is None:
            want = got
        elif got != want:
            lines = [(a, b) for a, b in zip(want + ["<end>"] * len(got), got + ["<end>"] * len(want)) if a != b]
            problems.append(f"{name}.{scenario} on {what}: {len(lines)} lines differ, first:\n    expected {lines[0][0]!r}\n    got      {lines[0][1]!r}")
    return problems


def exported_names(library):
    listing = output("nm", "-D", "--defined-only", str(library))
    return {line.split()[-1].split("@")[0] for line in listing.splitlines()}


def check_exports(build):
    """Texts that say in what the library's names differ from libpython3.11's."""
    ours = exported_names(build / "lib" / "libpyston3.11.so")
    theirs = exported_names("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0")
    print(f"embed: {len(theirs & ours)} of {len(theirs)} names of libpython3.11 are exported")
    return [f"not exported: {name}" for name in sorted(theirs - ours)] + [f"exported, but not by libpython3.11: {name}" for name in sorted(ours - theirs)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("-j", type=int, default=os.cpu_count() or 2)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    embedders = Embedders(options.build.resolve())
    sources = [s for s in sorted(HERE.iterdir()) if s.suffix in COMPILERS]
    if options.names:
        sources = [s for s in sources if s.stem in {n.split(".")[0] for n in options.names}]
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        scenarios = [(source.stem, scenario) for source, names in zip(sources, pool.map(embedders.prepare, sources)) for scenario in names]
        if options.names:
            scenarios = [s for s in scenarios if s[0] in options.names or ".".join(s) in options.names]
        failed = 0
        problems = check_exports(options.build.resolve())
        for problem in problems:
            failed = 1
            print(f"FAIL embed/{problem}", flush=True)
        for problems in pool.map(lambda s: check(embedders, *s), scenarios):
            failed += bool(problems)
            for problem in problems:
                print(f"FAIL embed/{problem}", flush=True)
    print(f"embed: {len(scenarios) - failed} of {len(scenarios)} scenarios agree with libpython3.11")
    return 0 if scenarios and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
