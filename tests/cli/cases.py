"""Command lines that python3.11 and pyston must answer alike: bad input, endings, `-m` commands, the prompt.

CASES is the table. A case runs in a fresh directory that holds its `files` and `python`, a link to the interpreter, so
that both print the same paths. `shell` cases run under sh. `normal` is applied to both outputs where they hold what no
two runs agree on (times, process numbers); it must leave everything else alone.
"""
import dataclasses
import re


@dataclasses.dataclass
class Case:
    name: str
    command: str                # for sh; ./python is the interpreter
    files: dict = dataclasses.field(default_factory=dict)
    stdin: bytes = b""
    env: dict = dataclasses.field(default_factory=dict)
    normal: tuple = ()          # (pattern, replacement) pairs over stdout and stderr
    keys: tuple = None          # run on a terminal: (text to wait for, keys to send) pairs


ADDRESS = (rb"0x[0-9a-f]{6,}", b"ADDRESS")
NUMBERS = (rb"\d+(\.\d+)?", b"N")
UNITS = (rb"\b(nsec|usec|msec|sec)\b", b"sec")

INTERRUPT = """
import os, signal, sys, threading, time
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
"""
DEEP = "def f(n):\n    return f(n + 1)\nf(0)\n"
DEEP_REPR = """
class Wrapped:
    def __init__(self, inner): self.inner = inner
    def __repr__(self): return repr(self.inner)
for make in (lambda value: [value], lambda value: (value,), lambda value: {1: value}, Wrapped):
    value = 1
    for i in range(100000): value = make(value)
    try:
        repr(value)
    except RecursionError as error:
        print(error)
"""

SYNTAX = [
    Case("syntax_script", "./python bad.py", {"bad.py": "x = 1\nif x\n    pass\n"}),
    Case("syntax_indent", "./python bad.py", {"bad.py": "def f():\n\tx\n        y\n"}),
    Case("syntax_unclosed", "./python bad.py", {"bad.py": "print((1, 2)\nx = 3\n"}),
    Case("syntax_string", "./python bad.py", {"bad.py": "x = 'abc\n"}),
    Case("syntax_triple", "./python bad.py", {"bad.py": "x = '''abc\n\n"}),
    Case("syntax_command", "./python -c 'a b'"),
    Case("syntax_module", "./python -m bad", {"bad.py": "return\n"}),
    Case("syntax_import", "./python -c 'import bad'", {"bad.py": "x = = 2\n"}),
    Case("syntax_stdin", "./python", stdin=b"print(1)\nx = (\n"),
    Case("syntax_stdin_dash", "./python - a b", stdin=b"import sys\nprint(sys.argv)\nraise ValueError('x')\n"),
    Case("syntax_nesting", "./python bad.py", {"bad.py": "x = " + "(" * 300 + ")" * 300 + "\n"}),
    Case("syntax_indents", "./python bad.py", {"bad.py": "".join(" " * i + "if 1:\n" for i in range(120))}),
    Case("syntax_warning", "./python -W error bad.py", {"bad.py": "x = 1 is 1\n"}),
    Case("syntax_escape", "./python -W always bad.py", {"bad.py": "x = '\\d'\n"}),
]

FILES = [
    Case("missing_file", "./python nothing.py"),
    Case("missing_directory", "./python no/such/place.py"),
    Case("missing_module", "./python -m nothing"),
    Case("missing_submodule", "./python -m json.nothing"),
    Case("package_without_main", "./python -m package", {"package/__init__.py": "print('package')\n"}),
    Case("directory_without_main", "./python folder", {"folder/a.py": ""}),
    Case("directory_with_main", "./python folder 1 2", {"folder/__main__.py": "import sys; print(sys.argv, sys.path[0])\n"}),
    Case("file_as_directory", "./python file.py/x", {"file.py": ""}),
    Case("not_utf8", "./python bad.py", {"bad.py": b"x = 1\n# \xff\n"}),
    Case("not_utf8_in_string", "./python bad.py", {"bad.py": b"x = 1\ny = '\xe9'\n"}),
    Case("not_utf8_import", "./python -c 'import bad'", {"bad.py": b"x = 1\ny = '\xe9'\n"}),
    Case("unknown_coding", "./python bad.py", {"bad.py": b"# coding: nonsense\nx = 1\n"}),
    Case("coding_against_bom", "./python bad.py", {"bad.py": b"\xef\xbb\xbf# coding: latin-1\nx = 1\n"}),
    Case("latin1", "./python good.py", {"good.py": b"# coding: latin-1\nprint(ascii('\xe9'))\n"}),
    Case("null_byte_import", "./python -c 'import bad'", {"bad.py": b"x = 1\n\0\n"}),
    Case("pyc_magic", "./python bad.pyc", {"bad.pyc": b"\0\1\2\3" * 8}),
    Case("pyc_empty", "./python bad.pyc", {"bad.pyc": b""}),
    Case("pyc_import_magic", "./python -c 'import bad'", {"bad.pyc": b"\0\1\2\3" * 8}),
    Case("pyc_import_short", "./python -c 'import bad'", {"bad.pyc": b"\xa7\r\r\n\0\0"}),
    Case("pyc_import_cut", "./python -c 'import bad'", {"bad.pyc": b"\xa7\r\r\n" + bytes(12) + b"\xe3\0\0"}),
    Case("pyc_import_no_code", "./python -c 'import bad'", {"bad.pyc": b"\xa7\r\r\n" + bytes(12) + b"N"}),
    Case("pyc_run_no_code", "./python bad.pyc", {"bad.pyc": b"\xa7\r\r\n" + bytes(12) + b"N"}),
    Case("pyc_run_cut", "./python bad.pyc", {"bad.pyc": b"\xa7\r\r\n" + bytes(12) + b"\xe3\0\0"}),
    Case("pyc_good", "./python -m py_compile good.py && ./python __pycache__/good.cpython-311.pyc",
         {"good.py": "print(__name__, 'compiled')\n"}),
    Case("zip_without_main", "./python bad.zip", {"bad.zip": b"PK\5\6" + bytes(18)}),
    Case("not_a_zip", "./python bad.zip", {"bad.zip": b"PK\3\4 nonsense"}),
]

LIMITS = [
    Case("recursion", "./python deep.py", {"deep.py": DEEP}),
    Case("recursion_caught", "./python deep.py", {"deep.py": "import sys\nsys.setrecursionlimit(200)\n" + DEEP.replace(
        "f(0)\n", "try:\n    f(0)\nexcept RecursionError as error:\n    print(error)\n")}),
    Case("recursion_repr", "./python deep.py", {"deep.py": DEEP_REPR}),
    Case("recursion_in_handler", "./python deep.py", {"deep.py": """
class Odd:
    def __getattr__(self, name): return getattr(self, name + 'x')
try:
    Odd().a
except RecursionError as error:
    print(error)
"""}),
    Case("recursion_json", "./python -c \"import json; json.loads('[' * 100000)\" 2>&1 | tail -1"),
    Case("recursion_pickle", """./python -c "
import pickle
value = []
for i in range(20000): value = [value]
try: pickle.dumps(value)
except RecursionError as error: print(error)
" """),
    Case("recursion_parser", "./python -c \"eval('-' * 100000 + '1')\" 2>&1 | tail -1"),
    Case("recursion_compile", "./python -c \"compile('x' + '.a' * 100000, 'f', 'eval')\" 2>&1 | tail -1"),
    Case("memory_string", "ulimit -v 1500000; ./python -c \"x = 'x' * 4000000000\""),
    Case("memory_list", "ulimit -v 1500000; ./python -c \"x = [0] * 1000000000\""),
    Case("memory_grow", "ulimit -v 1500000; ./python grow.py", {"grow.py": """
kept = []
try:
    while True:
        kept.append(bytearray(10 ** 7))
except MemoryError:
    print('full', len(kept) > 20)
kept.clear()
print(len(bytearray(10 ** 7)))
"""}),
    Case("memory_int", "ulimit -v 1500000; ./python -c \"x = 1 << 40000000000\""),
    Case("memory_more_than_there_is", "./python -c \"bytes(1 << 45)\""),
    Case("threads_limit", "./python -c \"import threading; threading.stack_size(1)\""),
]

STREAMS = [
    Case("stdout_closed", "./python -c 'print(1)' >&-"),
    Case("stdout_closed_sys", "./python -c 'import sys; print(sys.stdout, file=sys.stderr)' >&-"),
    Case("stdin_closed", "./python -c 'import sys; print(sys.stdin)' <&-"),
    Case("stderr_closed", "./python -c '1/0' 2>&-"),
    Case("all_closed", "./python -c 'import sys; sys.exit(sys.stdout is None and 5)' <&- >&- 2>&-"),
    Case("stdout_full", "./python -c 'print(1)' > /dev/full"),
    Case("stdout_full_unbuffered", "./python -u -c 'print(1)' > /dev/full"),
    Case("stdout_full_caught", "./python -c \"\nimport sys\ntry: print('x' * 100000)\nexcept OSError as error: "
         "print(error, file=sys.stderr)\" > /dev/full"),
    Case("stderr_full", "./python -c '1/0' 2> /dev/full"),
    Case("broken_pipe", "(./python -c \"for i in range(100000): print(i)\"; echo $? >&2) | head -1"),
    Case("stdin_eof", "./python -c 'input()' < /dev/null"),
    Case("stdin_directory", "./python < ."),
    Case("stdin_lines", "./python -c 'import sys; print([l for l in sys.stdin], input())'", stdin=b"a\r\nb\nc"),
    Case("stdin_not_utf8", "./python -c 'import sys; print(ascii(sys.stdin.read()))'", stdin=b"\xff\xfe",
         env={"PYTHONIOENCODING": "utf-8:strict"}),
    Case("encoding_unknown", "./python -c 'print(1)'", env={"PYTHONIOENCODING": "nonsense"}),
    Case("encoding_ascii", "./python -c 'print(\"\\xe9\")'", env={"PYTHONIOENCODING": "ascii"}),
    Case("c_locale_warning", "./python -c 'pass'", env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "warn"}),
    Case("argument_not_utf8", "./python -c 'import sys; print(ascii(sys.argv))' \"$(printf '\\375\\277\\277\\273\\272\\272')\""),
]

ENDINGS = [
    Case(f"exit_{name}", f"./python -c \"import sys; sys.exit({value})\"") for name, value in [
        ("none", "None"), ("zero", "0"), ("seven", "7"), ("negative", "-1"), ("big", "2**40"), ("text", "'bye'"),
        ("tuple", "(1, 'a')"), ("true", "True"), ("float", "1.5")]
] + [
    Case("exit_bad_text", "./python bad.py", {"bad.py": """
class Bad:
    def __str__(self): raise ValueError('no text')
raise SystemExit(Bad())
"""}),
    Case("exit_in_thread", "./python -c \"\nimport threading\nt = threading.Thread(target=exit)\nt.start()\nt.join()\nprint(1)\""),
    Case("exit_at_exit", "./python -c \"\nimport atexit\natexit.register(exit, 3)\natexit.register(lambda: 1/0)\""),
    Case("error_in_thread", "./python -c \"\nimport threading\nt = threading.Thread(target=lambda: 1/0, name='T')\nt.start()\nt.join()\""),
    Case("error_in_del", "./python bad.py", {"bad.py": """
class Bad:
    def __del__(self): raise ValueError('in del')
    def __repr__(self): return '<bad>'
Bad()
print('after')
"""}),
    Case("error_in_hook", "./python bad.py", {"bad.py": """
import sys
def hook(*a): raise KeyError('hook')
sys.excepthook = hook
1/0
"""}),
    Case("no_hook", "./python -c 'import sys; del sys.excepthook; 1/0'"),
    Case("no_stderr", "./python -c 'import sys; sys.stderr = None; 1/0'"),
    Case("chained", "./python bad.py", {"bad.py": """
try:
    {}['a']
except KeyError as error:
    try:
        raise ValueError('second') from error
    except ValueError:
        raise ExceptionGroup('group', [TypeError('a'), ExceptionGroup('inner', [OSError(2, 'no')])])
"""}),
    Case("bad_exception_text", "./python bad.py", {"bad.py": """
class E(Exception):
    def __str__(self): raise ValueError
raise E
"""}),
    Case("interrupt_sleep", "./python main.py", {"main.py": INTERRUPT + "time.sleep(10)\n"}),
    Case("interrupt_loop", "./python main.py 2>&1 | grep -v 'line\\|pass'; ", {"main.py": INTERRUPT + "while True:\n    pass\n"}),
    Case("interrupt_status", "./python main.py 2> /dev/null; echo $?", {"main.py": INTERRUPT + "while True:\n    pass\n"}),
    Case("interrupt_caught", "./python main.py", {"main.py": INTERRUPT + """
try:
    time.sleep(10)
except KeyboardInterrupt:
    print('caught')
    sys.exit(4)
"""}),
    Case("interrupt_lock", "./python main.py", {"main.py": INTERRUPT + """
lock = threading.Lock()
lock.acquire()
lock.acquire()
"""}),
    Case("interrupt_input", "./python main.py", {"main.py": INTERRUPT + """
r, w = os.pipe()
os.dup2(r, 0)
input()
"""}),
    Case("killed", "./python -c 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)'; echo $?"),
    Case("abort", "./python -c 'import os; os.abort()' 2> /dev/null; echo $?"),
    Case("inspect_after_error", "./python -i bad.py", {"bad.py": "x = 5\n1/0\n"}, stdin=b"print(x)\nx +\nexit(2)\n"),
    Case("startup_file_broken", "./python -i -c 'print(1)'", stdin=b"exit()\n", env={"PYTHONSTARTUP": "nothing.py"}),
    Case("breakpoint", "./python -c 'breakpoint()'", stdin=b"p 1 + 1\nq\n"),
]

OPTIONS = [
    Case("option_unknown", "./python -Z"), Case("option_long_unknown", "./python --nonsense"),
    Case("option_c_missing", "./python -c"), Case("option_m_missing", "./python -m"),
    Case("option_w_bad", "./python -W nonsense -c 'print(1)'"),
    Case("option_w_error", "./python -W error::DeprecationWarning -c 'import warnings; warnings.warn(\"x\", DeprecationWarning)'"),
    Case("option_x_int", "./python -X int_max_str_digits=5 -c pass"),
    Case("option_x_tracemalloc", "./python -X tracemalloc=bad -c pass"),
    Case("option_x_unknown", "./python -X nonsense=1 -c 'import sys; print(sys._xoptions)'"),
    Case("option_version", "./python --version; ./python -V"),
    Case("option_check_pycs", "./python --check-hash-based-pycs nonsense -c pass"),
    Case("option_skip_line", "./python -x script", {"script": "#! nonsense (\nprint('ran')\n"}),
    Case("option_isolated", "./python -I -c 'import sys; print(sys.flags.isolated, sys.path[0])'", env={"PYTHONPATH": "x"}),
    Case("option_flags", "./python -bb -B -OO -s -S -E -q -c 'import sys; print(sys.flags)'"),
    Case("option_bytes", "./python -bb -c \"b'a' == 'a'\""),
    Case("option_hash_random", "./python -R -c 'import sys; print(sys.flags.hash_randomization)'"),
    Case("option_frozen", "./python -X frozen_modules= -c 'import os; print(os.__spec__.loader)'"),
    Case("option_dev", "./python -X dev -c 'import sys; print(sys.flags.dev_mode, sys.warnoptions)'"),
    Case("option_safe_path", "./python -P -c 'import sys; print(sys.path[:1])'"),
    Case("hash_seed_bad", "./python -c pass", env={"PYTHONHASHSEED": "x"}),
    Case("digits_bad", "./python -c pass", env={"PYTHONINTMAXSTRDIGITS": "5"}),
    Case("tracemalloc_bad", "./python -c pass", env={"PYTHONTRACEMALLOC": "x"}),
    Case("malloc_bad", "./python -c pass", env={"PYTHONMALLOC": "x"}),
    Case("breakpoint_bad", "./python -c 'breakpoint()'", env={"PYTHONBREAKPOINT": "no.such"}),
]

TESTS = """
import unittest
class T(unittest.TestCase):
    def test_a(self): pass
    def test_b(self): self.assertEqual({'a': 1}, {'a': 2})
    @unittest.skip('why')
    def test_c(self): pass
    @unittest.expectedFailure
    def test_d(self): 1/0
"""
SCRIPT = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\nprint(f(10))\n"

MODULES = [
    Case("json_tool", "./python -m json.tool", stdin=b'{"b": [1, 2.50, null], "a": "\\u00e9\\ud83d"}'),
    Case("json_tool_options", "./python -m json.tool --sort-keys --compact", stdin=b'{"b": {}, "a": []}'),
    Case("json_tool_bad", "./python -m json.tool", stdin=b'{"b": [1, }'),
    Case("dis", "./python -m dis script.py", {"script.py": SCRIPT}),
    Case("tokenize", "./python -m tokenize script.py", {"script.py": SCRIPT}),
    Case("tokenize_exact", "./python -m tokenize -e script.py", {"script.py": SCRIPT}),
    Case("tokenize_bad", "./python -m tokenize bad.py", {"bad.py": "x = (\n"}),
    Case("ast", "./python -m ast script.py", {"script.py": SCRIPT}),
    Case("ast_bad", "./python -m ast", stdin=b"x = = 1\n"),
    Case("timeit", "./python -W ignore -m timeit -n 10 -r 2 'sum(range(10))'", normal=(NUMBERS, UNITS)),
    Case("timeit_bad", "./python -m timeit -n 1 '1/0'"),
    Case("unittest", "./python -m unittest -v test_it", {"test_it.py": TESTS}, normal=((rb"in \d+\.\d+s", b"in Ns"),)),
    Case("unittest_discover", "./python -m unittest", {"test_it.py": TESTS}, normal=((rb"in \d+\.\d+s", b"in Ns"),)),
    Case("unittest_missing", "./python -m unittest nothing", normal=((rb"in \d+\.\d+s", b"in Ns"),)),
    Case("pdb", "./python -m pdb script.py", {"script.py": SCRIPT},
         stdin=b"b f\nc\nn\np n\nw\nargs\nl\nu\nd\nr\nwhatis total\np nothing\nq\n"),
    Case("pdb_post_mortem", "./python -m pdb -c continue bad.py", {"bad.py": "x = 1\n1/0\n"}, stdin=b"p x\nq\n"),
    Case("profile", "./python -m profile -s name script.py", {"script.py": SCRIPT}, normal=(NUMBERS, (rb" +", b" "))),
    Case("cprofile", "./python -m cProfile -s name script.py", {"script.py": SCRIPT}, normal=(NUMBERS, (rb" +", b" "))),
    Case("compileall", "./python -m compileall . ; ls __pycache__; ./python -m compileall -q .; ./python -m compileall -f .",
         {"good.py": SCRIPT, "bad.py": "x = = 1\n", "sub/more.py": ""}),
    Case("http_server", "./python client.py", {"page.txt": "content\n", "client.py": """
import re, subprocess, sys, urllib.error, urllib.request
server = subprocess.Popen([sys.executable, '-u', '-m', 'http.server', '--bind', '127.0.0.1', '0'], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
line = server.stdout.readline()
port = re.search(r'port (\\d+)', line)[1]
print(line.replace(port, 'N'), end='')
for path in ('', 'page.txt', 'missing'):
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/{path}') as answer:
            print(answer.status, answer.headers['Content-Type'], answer.read().decode())
    except urllib.error.HTTPError as error:
        print(error, error.read().decode())
server.send_signal(2)
server.wait()
print(server.stdout.read(), re.sub(r'\\[.*?\\]', '[time]', server.stderr.read()), server.returncode)
"""}),
    Case("pydoc", "./python -m pydoc module", {"module.py": '"""What it is."""\nclass A:\n    """A."""\n    x: int = 3\n    '
                                                            'def f(self, a, *, b=2): "f."\ndef g(): pass\nY = (1,)\n'}),
    Case("pydoc_keyword", "./python -m pydoc nothing_at_all"),
    Case("venv", "./python -m venv --without-pip new && new/bin/python -c \"\nimport sys, os\n"
         "print(os.path.relpath(sys.prefix), sys.base_prefix, sys.path[-1:])\" && ls new new/bin && cat new/pyvenv.cfg | grep -v "
         "'executable\\|command'"),
    Case("this", "./python -m this"),
    Case("trace", "./python -m trace --count --summary --missing script.py 2>&1 | grep script", {"script.py": SCRIPT}),
    Case("calendar", "./python -m calendar 2024 2"), Case("base64", "./python -m base64 -e", stdin=b"text"),
    Case("zipfile", "./python -m zipfile -c a.zip script.py && ./python -m zipfile -l a.zip", {"script.py": SCRIPT},
         normal=((rb"\d+-\d+-\d+ \d+:\d+:\d+", b"TIME"),)),
    Case("tarfile", "./python -m tarfile -c a.tar script.py && ./python -m tarfile -l a.tar", {"script.py": SCRIPT}),
    Case("gzip", "./python -m gzip script.py && ./python -m gzip -d script.py.gz && cat script.py", {"script.py": SCRIPT}),
    Case("pickletools", "./python -m pickletools a.pickle", {"a.pickle": b"\x80\4]\x94(K\1\x8c\1a\x94e."}),
    Case("inspect", "./python -m inspect --details json.tool", normal=((rb"Cached:.*", b"Cached"),)),
    Case("py_compile_bad", "./python -m py_compile bad.py; echo $?", {"bad.py": "x = = 1\n"}),
    Case("tabnanny", "./python -m tabnanny -v bad.py", {"bad.py": "if 1:\n\tx\n        y\n"}),
    Case("quiet_interactive", "./python -q -i", stdin=b"x = 3\nx\ndef f():\n  return 1\n\nf()\n1/0\n_\nfor i in 1, 2:\n  i\n\nquit()\n"),
]

# What readline does to the line while keys come in depends on timing; the prompt's own output does not.
TERMINAL = (
    (b">>> ", b"1 + 1\n"), (b">>> ", b"def f(x):\n"), (b"... ", b"  return x * 2\n"), (b"... ", b"\n"),
    (b">>> ", b"f(21)\n"), (b">>> ", b"_ + 1\n"), (b">>> ", b"1/0\n"), (b">>> ", b"x = [\n"), (b"... ", b"]\n"),
    (b">>> ", b"x y\n"), (b">>> ", b"import sys; sys.ps1, sys.ps2\n"), (b">>> ", b"'a' \\\n"), (b"... ", b"'b'\n"),
    (b">>> ", b"if 1:\n"), (b"... ", b"\x03"), (b">>> ", b"import readline; readline.__name__\n"),
    (b">>> ", b"readline.get_current_history_length() > 5, sys.stdin.isatty()\n"),
    (b">>> ", b"None\n"), (b">>> ", b"sys.ps1 = 'next: '\n"), (b"next: ", b"exit\n"), (b"next: ", b"\x04"))
PROMPT = [
    Case("prompt", "./python -q", keys=TERMINAL, env={"TERM": "dumb"}),
    Case("prompt_banner", "./python", keys=((b">>> ", b"exit()\n"),), env={"TERM": "dumb"},
         normal=((rb"Python 3\.11\.2 [^\r\n]*\r\n\[?[^\r\n]*\r\n", b"BANNER\r\n"),)),
    Case("prompt_no_site", "./python -q -S -E", keys=((b">>> ", b"1\n"), (b">>> ", b"\x04")), env={"TERM": "dumb"}),
    Case("prompt_inspect", "./python -i bad.py", {"bad.py": "x = 5\n1/0\n"}, env={"TERM": "dumb"},
         keys=((b">>> ", b"x\n"), (b">>> ", b"raise SystemExit(3)\n"))),
    Case("prompt_help", "./python -q", env={"TERM": "dumb"},
         keys=((b">>> ", b"help\n"), (b">>> ", b"copyright\n"), (b">>> ", b"raise KeyboardInterrupt\n"), (b">>> ", b"exit(1)\n"))),
]

CASES = SYNTAX + FILES + LIMITS + STREAMS + ENDINGS + OPTIONS + MODULES + PROMPT
assert len({case.name for case in CASES}) == len(CASES)


def normalised(case, text):
    for pattern, replacement in (ADDRESS, *case.normal):
        text = re.sub(pattern, replacement, text)
    return text
