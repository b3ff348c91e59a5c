"""python -m venv with pip in it; pip lists and shows; a package made here is built and installed, with its C module, without a network."""
import os
import pathlib
import subprocess
import sys
import tempfile

MODULE = r"""
#include <Python.h>
static PyObject *twice(PyObject *self, PyObject *argument) { return PyNumber_Add(argument, argument); }
static PyMethodDef methods[] = {{"twice", twice, METH_O, "Its argument twice."}, {NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "own_twice", NULL, 0, methods};
PyMODINIT_FUNC PyInit_own_twice(void) { return PyModuleDef_Init(&definition); }
"""
SETUP = """
from setuptools import Extension, setup
setup(name="own-package", version="1.5", ext_modules=[Extension("own_twice", ["own_twice.c"])], py_modules=["own_text"],
      entry_points={"console_scripts": ["own-script = own_text:main"]})
"""
TEXT = """
def main():
    import own_twice, sys
    print("script", own_twice.twice("ab"), sys.argv[1:], sys.prefix != sys.base_prefix)
"""


def run(*command, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, **options)
    if done.returncode:
        print(done.returncode, done.stderr[-2000:])
    return done.stdout


with tempfile.TemporaryDirectory() as folder:
    environment, source = f"{folder}/venv", pathlib.Path(f"{folder}/source")
    print(run(sys.executable, "-m", "venv", environment))
    python = f"{environment}/bin/python"
    print(sorted(set(os.listdir(f"{environment}/bin")) - {"pyston", "python3.11"}))
    print(run(python, "-m", "pip", "list", "--format=freeze"))
    print(run(python, "-c", "import sys; print(sys.prefix == sys.argv[1], sys.base_prefix, [p for p in sys.path if 'packages' in p] == [sys.argv[1] + '/lib/python3.11/site-packages'])", environment))
    source.mkdir()
    for name, text in {"own_twice.c": MODULE, "setup.py": SETUP, "own_text.py": TEXT}.items():
        (source / name).write_text(text)
    out = run(python, "-m", "pip", "install", "--no-build-isolation", "--no-index", ".", cwd=source)
    print(out.splitlines()[-1])
    print(run(f"{environment}/bin/own-script", "an argument"))
    print(run(python, "-c", "import own_twice; print(own_twice.twice(21), own_twice.twice.__doc__)"))
    print(run(python, "-m", "pip", "uninstall", "-y", "own-package").splitlines()[-1])
    print(run(python, "-c", "import own_twice"))
