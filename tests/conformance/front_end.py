"""Drives front_end_worker.py on both engines and compares the answers.

An engine answers in the order of the requests. One that dies or takes too long loses the request it was at; what
stands in its place is the answer {"crash": ...} or {"hang": ...}, and a fresh process goes on with the next.
"""
import concurrent.futures
import json
import os
import pathlib
import select
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = "/usr/bin/python3.11"


def environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYENV", "VIRTUAL_ENV"))}
    env.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
    return env


class Engine:
    def __init__(self, binary, timeout=60):
        self.binary = binary
        self.timeout = timeout
        self.process = None

    def start(self):
        self.process = subprocess.Popen([self.binary, str(HERE / "front_end_worker.py")], env=environment(), bufsize=0,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.buffer = b""

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def read_line(self):
        """A line of the answer; None at the end of the process, TimeoutError when it takes too long."""
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], self.timeout)[0]:
                raise TimeoutError
            chunk = os.read(self.process.stdout.fileno(), 1 << 20)
            if not chunk:
                return None
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def ask(self, name, source, views, detail=False):
        if self.process is None:
            self.start()
        request = json.dumps({"name": name, "views": views, "size": len(source), "detail": detail}).encode() + b"\n"
        try:
            self.process.stdin.write(request)
            view = memoryview(source)
            while view:
                view = view[self.process.stdin.write(view):]
            line = self.read_line()
        except BrokenPipeError:
            line = None
        except TimeoutError:
            self.stop()
            return {"hang": [["hang", f"more than {self.timeout} s"]]}
        if line is None:
            status = self.process.wait()
            self.stop()
            return {"crash": [["crash", f"exit status {status}"]]}
        return json.loads(line)


def compare(pyston, requests, views, jobs=1, timeout=60):
    """Yields (name, source, oracle's answer, pyston's answer) of every request (name, source), in order."""
    def both(chunk):
        engines = Engine(ORACLE, timeout), Engine(pyston, timeout)
        try:
            for name, source in chunk:
                yield (name, source, *[engine.ask(name, source, views) for engine in engines])
        finally:
            for engine in engines:
                engine.stop()

    if jobs == 1:
        yield from both(requests)
        return
    requests = list(requests)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(lambda part: list(both(part)), [requests[i::jobs * 8] for i in range(jobs * 8)]):
            yield from result


def first_difference(pyston, name, source, view):
    """The first label and line that differ in a view, as text."""
    answers = []
    for binary in (ORACLE, pyston):
        engine = Engine(binary)
        answers.append(engine.ask(name, source, [view], detail=True))
        engine.stop()
    want, got = (answer.get(view) or next(iter(answer.values())) for answer in answers)
    for i in range(max(len(want), len(got))):
        expected = want[i] if i < len(want) else ["nothing", ""]
        actual = got[i] if i < len(got) else ["nothing", ""]
        if expected != actual:
            lines = [f"{expected[0]} / {actual[0]}" if expected[0] != actual[0] else expected[0]]
            for left, right in zip(expected[1].split("\n") + [""] * 20, actual[1].split("\n") + [""] * 20):
                if left != right:
                    at = next((k for k, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
                    begin = max(0, at - 60)
                    lines.append(f"      python3.11: {left[begin:at + 120]}")
                    lines.append(f"      pyston:     {right[begin:at + 120]}")
            return "\n".join(lines[:9])
    return "equal when asked again"
