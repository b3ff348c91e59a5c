"""A tree compiled by either engine's compileall runs on the other without being compiled again.

    shared_bytecode.py --pyston BINARY

Copies packages of the standard library, compiles them with one engine, and replaces every source by text of the same
size and age that no compiler accepts. The other engine must run a program on them from the .pyc files alone, print what
the first one prints, and leave the files untouched.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from front_end import ORACLE, environment

LIBRARY = pathlib.Path("/usr/lib/python3.11")
MODULES = ["json", "email", "html", "logging", "tomllib", "xml", "unittest", "asyncio", "argparse.py", "textwrap.py",
           "dataclasses.py", "fractions.py", "statistics.py", "pprint.py", "string.py", "csv.py", "difflib.py"]
PROGRAM = """
import sys, pathlib
import argparse, asyncio, csv, dataclasses, difflib, email.message, fractions, html.parser, json, logging, pprint
import statistics, string, textwrap, tomllib, unittest.mock, xml.dom.minidom, xml.etree.ElementTree
tree = sys.argv[1]
for name in sorted(n for n, m in sys.modules.items() if (getattr(m, "__file__", None) or "").startswith(tree)):
    print(name, pathlib.Path(sys.modules[name].__cached__).relative_to(tree))
@dataclasses.dataclass
class Point:
    x: int
    y: int = 2
async def answer():
    return await asyncio.sleep(0, fractions.Fraction(1, 3) + statistics.mean([1, 2]))
message = email.message.EmailMessage()
message["Subject"] = "bytes"
message.set_content("text")
print(json.dumps({"a": [1, 2.5, None]}), Point(1), asyncio.run(answer()), message.as_string())
print(tomllib.loads("a = [1, 2]"), xml.dom.minidom.parseString("<a><b/></a>").toprettyxml())
print(textwrap.fill("word " * 30), "\\n".join(difflib.unified_diff(["a"], ["b"])), unittest.mock.Mock(a=1).a)
print(argparse.ArgumentParser(prog="p", description="d").format_help())
"""
MODES = [([], []), (["-O"], []), (["-OO"], []), ([], ["--invalidation-mode", "checked-hash"])]


def make_tree(tree):
    for name in MODULES:
        source = LIBRARY / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "test*", "*.pyc"))
        else:
            shutil.copy2(source, tree / name)


def spoil_sources(tree):
    for path in tree.rglob("*.py"):
        status = path.stat()
        path.write_text("$" * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def run(binary, flags, tree, arguments):
    env = environment()
    del env["PYTHONDONTWRITEBYTECODE"]
    env["PYTHONPATH"] = str(tree)
    done = subprocess.run([binary, *flags, *arguments], env=env, cwd=tree, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{binary} {' '.join(arguments[:2])}: {done.stderr[-2000:]}")
    return done.stdout


def check(compiling, running, flags, options):
    """Problems of one direction, as text."""
    with tempfile.TemporaryDirectory() as directory:
        tree = pathlib.Path(directory, "tree")
        tree.mkdir()
        make_tree(tree)
        run(compiling, flags, directory, ["-m", "compileall", "-q", *options, str(tree)])
        program = ["-c", PROGRAM, str(tree)]
        expected = run(compiling, flags, tree, program)
        if not options:  # a checked hash is of the source itself
            spoil_sources(tree)
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tree.rglob("*.pyc")}
        actual = run(running, flags, tree, program)
        after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tree.rglob("*.pyc")}
    problems = []
    if before != after:
        problems.append(f"{len(dict(before.items() ^ after.items()))} .pyc files were written again")
    if expected != actual:
        problems.append("the outputs differ")
    return problems, len(before)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    options = parser.parse_args()
    failures = count = 0
    for compiling, running in ((ORACLE, options.pyston), (options.pyston, ORACLE)):
        for flags, arguments in MODES:
            problems, files = check(compiling, running, flags, arguments)
            count += files
            failures += len(problems)
            for problem in problems:
                print(f"FAIL {compiling} {' '.join(flags + arguments)} -> {running}: {problem}")
    print(f"shared bytecode: {count} .pyc files of either engine used by the other, {failures} problems")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
