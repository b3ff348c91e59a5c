"""Import of the whole standard library from its .pyc files: a fresh interpreter's work at the start of a big program."""
import io
import os
import sys
import sysconfig
import warnings

# Modules that act when they are imported (print, open a browser) or need what isn't everywhere.
ACTING = {"antigravity", "this", "idlelib.idle"}


def module_names(root, package=""):
    """Names of the pure-Python modules below `root`, packages before their contents."""
    for entry in sorted(os.scandir(root), key=lambda e: e.name):
        name, extension = os.path.splitext(entry.name)
        if entry.is_dir():
            if (entry.name not in ("test", "tests", "idle_test", "site-packages", "dist-packages")
                    and os.path.exists(os.path.join(entry.path, "__init__.py"))):
                yield package + entry.name
                yield from module_names(entry.path, package + entry.name + ".")
        elif extension == ".py" and name not in ("__init__", "__main__"):
            yield package + name


def forget_site_packages():
    """Only the standard library: what else is installed differs, and distributions hook into imports of distutils."""
    sys.path[:] = [p for p in sys.path if not p.endswith(("site-packages", "dist-packages"))]
    sys.meta_path[:] = [finder for finder in sys.meta_path if isinstance(finder, type)]


def main():
    forget_site_packages()
    warnings.simplefilter("ignore")
    imported, failed = [], []
    output, sys.stdout = sys.stdout, io.StringIO()
    for name in module_names(sysconfig.get_path("stdlib")):
        if name in ACTING:
            continue
        try:
            __import__(name)
            imported.append(name)
        except ImportError as error:
            failed.append((name, str(error)))
    sys.stdout = output
    for name, error in failed:
        print("not importable:", name, error)
    print(len(imported), "modules imported")


main()
