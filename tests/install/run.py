"""The installed tree, compared with python3.11.

    tests/install/run.py --build BUILD_DIRECTORY [-k TEXT]

Installs into a temporary directory, moves the tree, and checks: what is in it; that it finds what python3.11 finds (sys.path, prefixes,
sysconfig) in many settings, the oracle being a copy of python3.11 in a tree of the same shape; virtual environments with pip; shebangs;
our own package; pyston-config and pkg-config; and a program linked with libpython3.11 on the stand-in library.
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = "/usr/bin/python3.11"
PROBE = HERE / "probe.py"


class Failure(Exception):
    """A check that did not hold."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def run(*command, env=None, cwd=None, status=0):
    """stdout of a command that must end with `status`."""
    base = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([str(part) for part in command], env={**base, **(env or {})}, cwd=cwd, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    expect(done.returncode == status, f"{shlex.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Trees:
    """The installed tree (`ours`), and beside it the oracle in the same shape. `engines` are their python3.11 commands."""

    def __init__(self, build, directory):
        self.build = build
        self.directory = directory
        first = directory / "first" / "place"
        run("/usr/bin/cmake", "--install", build, "--prefix", first, env={"PATH": os.environ["PATH"]})
        self.ours = directory / "ours"
        first.rename(self.ours)
        self.oracle = directory / "oracle"
        (self.oracle / "bin").mkdir(parents=True)
        shutil.copy(ORACLE, self.oracle / "bin" / "python3.11")
        self.engines = [self.oracle / "bin" / "python3.11", self.ours / "bin" / "python3.11"]

    def same(self, what, make):
        """make(tree, python) for both engines gives the same text, apart from the trees' names."""
        texts = []
        for tree in (self.oracle, self.ours):
            text = make(tree, tree / "bin" / "python3.11")
            # A virtual environment's base is the executable that the link leads to, whatever its name.
            texts.append(text.replace(str(tree), "<tree>").replace("<tree>/bin/pyston", "<tree>/bin/python3.11"))
        if texts[0] == texts[1]:
            return
        wanted, got = (json.loads(text) if text.startswith("{") else {"output": text} for text in texts)
        keys = [key for key in wanted if wanted[key] != got.get(key)]
        raise Failure(f"{what}: {keys[0]}:\n    expected {wanted[keys[0]]}\n    got      {got.get(keys[0])}")


# ---- checks: each takes the trees -----------------------------------------------------------------------------------------------------

def check_contents(trees):
    files = {str(path.relative_to(trees.ours)): path for path in trees.ours.rglob("*")}
    for name in ("bin/pyston", "bin/python3.11", "bin/pyston-config", "bin/python3.11-config", "lib/libpyston3.11.so",
                 "lib/libpython3.11/libpython3.11.so.1.0", "lib/pkgconfig/pyston-3.11.pc", "lib/pkgconfig/pyston-3.11-embed.pc"):
        expect(name in files and files[name].exists(), f"not installed: {name}")
    for name, path in files.items():
        expect(not path.is_symlink() or not os.path.isabs(os.readlink(path)), f"link with an absolute target: {name}")


def check_own_package(trees):
    program = "import pyston, sys; print(pyston.version_info == sys.implementation._pyston_version_info)"
    for command in ([trees.ours / "bin" / "pyston"], [trees.ours / "bin" / "python3.11", "-I", "-S"], [trees.build / "bin" / "pyston"]):
        expect(run(*command, "-c", program) == "True\n", f"own package with {command}")
    statistics = "import pyston.jit; print(type(pyston.jit.stats()).__name__)"
    expect(run(trees.ours / "bin" / "pyston", "-c", statistics, env={"PYTHONHOME": "/usr"}) == "dict\n", "own package with PYTHONHOME")


def extra_directory(trees):
    directory = trees.directory / "extra"
    directory.mkdir(exist_ok=True)
    (directory / "extra_module.py").touch()
    return directory


def check_settings(trees):
    extra = extra_directory(trees)
    user = trees.directory / "user"
    packages = user / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "some.pth").write_text(f"# a comment\n{extra}\nimport sys; sys.from_path_file = 'set by a line'\n/does/not/exist\n")
    settings = [([], {}), (["-I"], {}), (["-S"], {}), (["-s"], {}), (["-E"], {"PYTHONPATH": "/x"}), (["-P"], {}), (["-B", "-OO"], {}),
                ([], {"PYTHONPATH": f"{extra}:relative::/does/not/exist"}), (["-I"], {"PYTHONPATH": str(extra)}),
                ([], {"PYTHONHOME": "/usr"}), ([], {"PYTHONHOME": "/usr:/usr"}), ([], {"PYTHONHOME": "/usr:"}), (["-E"], {"PYTHONHOME": "/x"}),
                ([], {"PYTHONUSERBASE": str(user)}), (["-s"], {"PYTHONUSERBASE": str(user)}),
                ([], {"PYTHONUSERBASE": str(user), "PYTHONNOUSERSITE": "1"}), ([], {"PYTHONSAFEPATH": "1"}),
                ([], {"PYTHONPLATLIBDIR": "lib"}), ([], {"PYTHONPYCACHEPREFIX": "/tmp/cache"}), (["-X", "frozen_modules=off"], {})]
    for options, env in settings:
        trees.same(f"settings {options} {env}", lambda tree, python: run(python, *options, PROBE, "argument", env=env))
    trees.same("on PATH", lambda tree, python: run("/bin/sh", "-c", f"python3.11 {PROBE}", env={"PATH": f"{tree}/bin:/usr/bin:/bin"}))
    trees.same("relative", lambda tree, python: run("bin/python3.11", PROBE, cwd=tree))
    trees.same("as a module", lambda tree, python: run(python, "-m", "probe", cwd=HERE))
    trees.same("standard input", lambda tree, python: run("/bin/sh", "-c", f"{python} < {PROBE}", cwd=tree))


def check_links(trees):
    """The executable under another name, through links, and where a standard library lies above it."""
    def linked(tree, python):
        (tree / "other").mkdir(exist_ok=True)
        link = tree / "other" / "some_name"
        if not link.exists():
            link.symlink_to("../bin/python3.11")
        return run(link, PROBE)
    trees.same("symbolic link", linked)

    def own_library(tree, python):
        library = tree / "with_library" / "lib" / "python3.11"
        if not library.exists():
            shutil.copytree("/usr/lib/python3.11", library, symlinks=True,
                            ignore=shutil.ignore_patterns("test", "config-3.11*", "__pycache__", "lib-dynload", "idlelib", "tkinter"))
            (tree / "with_library" / "bin").mkdir()
            os.link(python.resolve(), tree / "with_library" / "bin" / "python3.11")
        return run(tree / "with_library" / "bin" / "python3.11", PROBE)
    trees.same("a library above", own_library)
    trees.same("PYTHONHOME there", lambda tree, python: run(python, PROBE, env={"PYTHONHOME": f"{tree}/with_library:/usr"}))


def check_virtual_environments(trees):
    extra = extra_directory(trees)
    for options in ([], ["--system-site-packages"], ["--copies"]):
        name = "env" + "".join(options)

        def create(tree, python):
            run(python, "-m", "venv", "--without-pip", *options, tree / name)
            path_file = tree / name / "lib" / "python3.11" / "site-packages" / "extra.pth"
            path_file.write_text(f"{extra}\nimport sys; sys.from_path_file = 1\n")
            return run(tree / name / "bin" / "python3.11", PROBE)
        trees.same(f"venv {options}", create)
        for flags in (["-I"], ["-S"], ["-s"], ["-E"]):
            trees.same(f"venv {options} {flags}", lambda tree, python: run(tree / name / "bin" / "python", *flags, PROBE))
    trees.same("link into a venv", lambda tree, python: run("/bin/sh", "-c", f"ln -sf {tree}/env/bin/python {tree}/into && {tree}/into {PROBE}"))
    trees.same("pyvenv.cfg", lambda tree, python: (tree / "env" / "pyvenv.cfg").read_text())


def write_wheel(directory):
    """A pure-Python wheel with a command, made by hand so that nothing has to be downloaded."""
    wheel = directory / "greeting-1.0-py3-none-any.whl"
    info = "greeting-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("greeting.py", "import sys\ndef main():\n    print('greetings from', sys.prefix == sys.base_prefix)\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ngreet = greeting:main\n")
        archive.writestr(f"{info}/RECORD", f"greeting.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/entry_points.txt,,\n{info}/RECORD,,\n")
    return wheel


def check_pip(trees):
    environment = trees.directory / "with_pip"
    run(trees.ours / "bin" / "pyston", "-m", "venv", environment)
    expect("(python 3.11)" in run(environment / "bin" / "pip", "--version"), "pip --version")
    run(environment / "bin" / "pip", "install", "--no-index", "--no-deps", write_wheel(trees.directory))
    expect("greeting 1.0" in " ".join(run(environment / "bin" / "pip", "list").split()), "pip list")
    greet = environment / "bin" / "greet"
    expect(greet.read_text().startswith(f"#!{environment}/bin/"), "shebang of an installed command")
    expect(run(greet) == "greetings from False\n", "an installed command")
    expect(run("/bin/sh", "-c", f". {environment}/bin/activate && python -c 'import greeting, sys; print(sys.prefix)'") == f"{environment}\n",
           "activate")
    expect(run(environment / "bin" / "python3", "-c", "import pyston; print(pyston.__name__)") == "pyston\n", "own package in a venv")
    run(environment / "bin" / "pip", "uninstall", "-y", "greeting")
    expect(not greet.exists(), "pip uninstall")


def check_shebang(trees):
    script = trees.directory / "script"
    script.write_text(f"#!{trees.ours}/bin/python3.11\nimport sys\nprint(sys.executable, sys.argv[1:])\n")
    script.chmod(0o755)
    expect(run(script, "x") == f"{trees.ours}/bin/python3.11 ['x']\n", "shebang")


def check_config_command(trees):
    ours, theirs = trees.ours / "bin" / "pyston-config", "/usr/bin/x86_64-linux-gnu-python3.11-config"
    for options in (["--extension-suffix"], ["--abiflags"], ["--configdir"], ["--libs"], ["--abiflags", "--extension-suffix"]):
        expect(run(ours, *options).split() == run(theirs, *options).split(), f"pyston-config {options}: {run(ours, *options)!r}")
    for options in (["--includes"], ["--cflags"]):
        expect(set(run(ours, *options).split()) == set(run(theirs, *options).split()), f"pyston-config {options}: {run(ours, *options)!r}")
    for option in ("--prefix", "--exec-prefix"):
        expect(run(ours, option) == f"{trees.ours}\n", f"pyston-config {option}")
    expect(run(ours, "--libs", "--embed").split() == ["-lpyston3.11", "-ldl", "-lm"], "pyston-config --libs --embed")
    expect(run(ours, "--ldflags", "--embed").split() == [f"-L{trees.ours}/lib", f"-Wl,-rpath,{trees.ours}/lib", "-lpyston3.11", "-ldl", "-lm"],
           "pyston-config --ldflags")
    for options, status in (([], 1), (["--no-such-option"], 1), (["--help"], 0)):
        mine, other = (run(command, *options, status=status).replace(str(command), "X") for command in (ours, theirs))
        expect(mine == other, f"pyston-config {options}: {mine!r}")


EMBEDDER = r"""
#include <Python.h>
int main(void) {
  Py_Initialize();
  PyRun_SimpleString("import sys; print(hasattr(sys.implementation, '_pyston_version_info'), sys.prefix, sys.version_info[:3])");
  return Py_FinalizeEx();
}
"""


def check_embedding(trees):
    source = trees.directory / "embedder.c"
    source.write_text(EMBEDDER)
    binary = trees.directory / "embedder"
    by_config = run(trees.ours / "bin" / "python3.11-config", "--cflags", "--ldflags", "--embed")
    by_pkg_config = run("pkg-config", "--cflags", "--libs", "pyston-3.11-embed", env={"PKG_CONFIG_PATH": f"{trees.ours}/lib/pkgconfig"})
    for flags, environment in ((by_config, {}), (by_pkg_config, {"LD_LIBRARY_PATH": f"{trees.ours}/lib"})):
        run("clang-19", source, "-o", binary, *flags.split())
        expect(run(binary, env=environment) == "True /usr (3, 11, 2)\n", "program linked with libpyston3.11")
    run("clang-19", source, "-o", binary, *run("pkg-config", "--cflags", "--libs", "python-3.11-embed").split())
    expect(run(binary) == "False /usr (3, 11, 2)\n", "program linked with libpython3.11")
    expect(run(binary, env={"LD_LIBRARY_PATH": f"{trees.ours}/lib/libpython3.11"}) == "True /usr (3, 11, 2)\n", "the same on the stand-in")
    # A position-dependent program holds copies of the library's data and stubs for its functions.
    run("clang-19", "-no-pie", "-fno-pic", source, "-o", binary, *run("pkg-config", "--cflags", "--libs", "python-3.11-embed").split())
    expect(run(binary, env={"LD_LIBRARY_PATH": f"{trees.ours}/lib/libpython3.11"}) == "True /usr (3, 11, 2)\n", "position-dependent program")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("-k", default="", help="only checks whose name contains this")
    options = parser.parse_args()
    checks = [(name, check) for name, check in globals().items() if name.startswith("check_") and options.k in name]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="pyston-install-") as directory:
        trees = Trees(options.build.resolve(), pathlib.Path(directory).resolve())
        for name, check in checks:
            try:
                check(trees)
            except Failure as failure:
                failed += 1
                print(f"FAIL install/{name}: {failure}", flush=True)
    print(f"install: {len(checks) - failed} of {len(checks)} checks hold")
    return 0 if checks and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
