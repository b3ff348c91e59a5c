# Every pure-Python module of the standard library imports, or fails as on python3.11.
import importlib
import os
import sys
import warnings

LIBRARY = os.path.dirname(os.__file__)
SKIPPED_FOLDERS = {"__pycache__", "test", "tests", "site-packages", "dist-packages", "lib-dynload", "turtledemo"}
# Importing these opens a browser, prints a poem or starts a program.
SKIPPED = {"antigravity", "this", "idlelib.idle"}


def modules():
    for folder, subfolders, files in os.walk(LIBRARY):
        subfolders[:] = sorted(name for name in subfolders
                               if name not in SKIPPED_FOLDERS and not name.startswith("config-"))
        prefix = os.path.relpath(folder, LIBRARY).replace(os.sep, ".")
        for file in sorted(files):
            base, extension = os.path.splitext(file)
            if extension == ".py" and base != "__main__":
                parts = [part for part in (prefix, base) if part not in (".", "__init__")]
                yield ".".join(parts)


warnings.simplefilter("ignore")
count = 0
for name in modules():
    if name in SKIPPED:
        continue
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        print(name, type(error).__name__, error)
    else:
        count += 1
        print(name, len(getattr(module, "__all__", ())))
print(count, len(sys.modules) > 600)
