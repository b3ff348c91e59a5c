"""Runs one case of cases.py on an interpreter: (stdout, stderr, status)."""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import tempfile
import time

from cases import normalised

TIMEOUT = 60
PLACE = pathlib.Path(tempfile.gettempdir()) / f"pyston-cli-{os.getpid()}"


def prepare(case, binary):
    """The case's directory: the same path for every interpreter, since messages name it."""
    directory = PLACE / case.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, content in case.files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (1700000000, 1700000000))
    (directory / "python").symlink_to(binary)
    return directory


def environment(case, directory, base):
    env = dict(base, HOME=str(directory), PATH="/usr/bin:/bin", **case.env)
    del env["PYTHONDONTWRITEBYTECODE"]
    return env


def run_plain(case, directory, env):
    try:
        done = subprocess.run(["/bin/sh", "-c", case.command], cwd=directory, env=env, input=case.stdin,
                              capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", error.stderr or b"", "timeout"
    return done.stdout, done.stderr, done.returncode


def run_on_terminal(case, directory, env):
    """Types each row's keys after its prompt has appeared; what the terminal showed is the output."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execve("/bin/sh", ["/bin/sh", "-c", "exec " + case.command], env)
    shown = b""
    rows = list(case.keys)
    searched = 0
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if rows and (found := shown.find(rows[0][0], searched)) >= 0:
            searched = found + len(rows[0][0])
            time.sleep(0.02)  # the terminal is in the prompt's mode only after the prompt was written
            os.write(master, rows.pop(0)[1])
        if not select.select([master], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        shown += data
    else:
        os.kill(pid, 9)
    os.close(master)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return shown, b"", status


def run(case, binary, base):
    directory = prepare(case, binary)
    env = environment(case, directory, base)
    out, err, status = (run_on_terminal if case.keys else run_plain)(case, directory, env)
    shutil.rmtree(directory, ignore_errors=True)
    return normalised(case, out), normalised(case, err), status
