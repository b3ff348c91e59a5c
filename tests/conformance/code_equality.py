"""Is the front end CPython 3.11's, to the byte? Compares both engines on every .py file of directories.

    code_equality.py --pyston BINARY [--views NAMES|all] [PATHS]    the whole of PATHS, prints the table
    code_equality.py --pyston BINARY --sample                       a fixed sample in all views: the test in CI

PATHS: files and directories (site-packages of virtual environments, …); without any the standard library with its test
suite and /usr/lib/python3/dist-packages. Files with the same content count once.
Views (front_end_worker.py): code0, code1, code2 are every code object of compile(…, optimize=N), each field; ast,
unparse, astcode, features, modes, await, symtable, tokenize, dis, getsource what their names say. A source that does
not compile must give the same SyntaxError, and every source the same warnings.
"""
import argparse
import collections
import hashlib
import os
import pathlib
import sys
import time

import front_end

DEFAULT_PATHS = ["/usr/lib/python3.11", "/usr/lib/python3/dist-packages"]
CODE_VIEWS = ["code0", "code1", "code2"]
ALL_VIEWS = [*CODE_VIEWS, "ast", "unparse", "astcode", "features", "modes", "await", "symtable", "tokenize", "dis",
             "getsource"]
SAMPLE_SHARE = 40       # one file in so many of the standard library is in the sample
SAMPLE_MAX_SIZE = 40_000


def python_files(paths):
    for path in map(pathlib.Path, paths):
        if path.is_file():
            yield path
        else:
            for directory, folders, names in os.walk(path):
                folders.sort()
                yield from (pathlib.Path(directory, name) for name in sorted(names) if name.endswith(".py"))


def sample():
    """Chosen by the hash of the path: the same files everywhere, spread over the whole library."""
    for path in python_files(DEFAULT_PATHS[:1]):
        digest = int(hashlib.md5(str(path).encode()).hexdigest()[:8], 16)
        if digest % SAMPLE_SHARE == 0 and path.stat().st_size <= SAMPLE_MAX_SIZE:
            yield path


def distinct(paths):
    """(path, source) of every file whose content has not come before: environments share most of theirs."""
    seen = set()
    for path in paths:
        source = path.read_bytes()
        digest = hashlib.md5(source).digest()
        if digest not in seen:
            seen.add(digest)
            yield str(path), source


class Counts:
    def __init__(self):
        self.files = self.equal_files = self.objects = self.equal_objects = 0

    def add(self, want, got):
        self.files += 1
        self.equal_files += want == got
        self.objects += len(want)
        if want == got:
            self.equal_objects += len(want)
        else:
            self.equal_objects += sum((collections.Counter(map(tuple, want))
                                       & collections.Counter(map(tuple, got))).values())


def share(part, whole):
    return f"{part:8} of {whole:8} {100 * part / whole if whole else 100:9.4f} %"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    parser.add_argument("--views", default=",".join(CODE_VIEWS), help="comma-separated, or all")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--show", type=int, default=50, help="differences to explain")
    parser.add_argument("-j", type=int, default=1, help="pairs of processes")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args()
    views = ALL_VIEWS if options.sample or options.views == "all" else options.views.split(",")
    paths = sample() if options.sample else python_files(options.paths or DEFAULT_PATHS)
    counts = {view: Counts() for view in views}
    differing = []
    begin = time.monotonic()
    count = 0
    for name, source, want, got in front_end.compare(options.pyston, distinct(paths), views, options.j):
        count += 1
        for view in views:
            expected, actual = want.get(view, []), got.get(view, [["lost", "the process"]])
            counts[view].add(expected, actual)
            if expected != actual:
                differing.append((name, source, view))
    for name, source, view in differing[:options.show]:
        print(f"DIFFERS {name} [{view}] {front_end.first_difference(options.pyston, name, source, view)}", flush=True)
    for name, source, view in differing[options.show:]:
        print(f"DIFFERS {name} [{view}]")
    print(f"{'view':10} {'files':>29} {'objects':>34}")
    for view, found in counts.items():
        print(f"{view:10} {share(found.equal_files, found.files)} {share(found.equal_objects, found.objects)}")
    print(f"code equality: {count} files, {len({name for name, *_ in differing})} differ, "
          f"{time.monotonic() - begin:.0f} s")
    return 1 if differing or not count else 0


if __name__ == "__main__":
    sys.exit(main())
