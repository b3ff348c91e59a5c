"""Calls functions of the C API as functions.tsv describes them; runs on either interpreter.

    driver.py CALLER_DIRECTORY TABLE FIRST LAST > outcomes        (rows FIRST .. LAST - 1 of the table)

Every case runs in a child process that dies with it when it crashes; the next child goes on behind it. Output, a line a
case: FUNCTION(ARGUMENTS) TAB OUTCOME.
"""
import itertools
import os
import re
import resource
import signal
import struct
import sys
import types

sys.path.insert(0, sys.argv[1])
import caller  # noqa: E402
import kinds  # noqa: E402
import samples  # noqa: E402

GOOD_CASES = 40
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
LOCATION = re.compile(r"[\w./-]+\.(?:c|cpp|h):\d+: ")
SHARED = 5  # an object with more references is not new; how many others hold it is their affair


def rows(path):
    """[(name, returns, parameters, flags)]; '#' starts a comment line."""
    result = []
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            if not line.startswith("#") and line.strip():
                signature, _, flags = line.rstrip("\n").partition(";")
                name, returns, *parameters = (*signature.split(), "")
                result.append((name, returns, [p for p in parameters if p], flags.split()))
    return result


def spread(lists, limit):
    """At most `limit` combinations in which every value of every list occurs."""
    total = 1
    for values in lists:
        total *= len(values)
    if total <= limit:
        yield from itertools.product(*lists)
        return
    longest = max(map(len, lists))
    for number in range(max(longest, limit)):
        yield tuple(values[(number + position * (number // len(values))) % len(values)] for position, values in enumerate(lists))


def cases(parameters, flags):
    """[[(label, factory)]] of one function: good arguments, then one bad argument at a time."""
    good = [kinds.good_values(p) for p in parameters]
    seen = set()
    for combination in spread(good, GOOD_CASES):
        labels = tuple(label for label, _ in combination)
        if labels not in seen:
            seen.add(labels)
            yield combination
    if "trusted" in flags:
        return
    for position, parameter in enumerate(parameters):
        for bad in kinds.bad_values(parameter):
            if bad[0] != "NULL" or "nonull" not in flags:
                yield tuple(bad if i == position else values[0] for i, values in enumerate(good))


def countable(value):
    """Whether the two interpreters must agree on how often an object is held: not for what each may share at will."""
    if value is None or isinstance(value, (bool, types.ModuleType)) or value in (..., NotImplemented, ()):
        return False
    return not (isinstance(value, int) and -5 <= value <= 256 or isinstance(value, (str, bytes)) and len(value) < 2)


def shown(value, depth=0):
    """A value's text without addresses and without what differs by nature: namespaces of modules."""
    if type(value) is dict:
        if "__name__" in value:
            return f"namespace of {value['__name__']}"
        value = {k: v for k, v in value.items() if k != "__builtins__"}
    try:
        text = ADDRESS.sub("0xADDRESS", ascii(value))
    except BaseException as error:
        text = f"<{type(error).__name__} in repr>"
    kind = type(value)
    if isinstance(value, BaseException) and depth == 0:
        details = [shown(value.__cause__, 1)] if value.__cause__ else []
        return f"{kind.__module__}.{LOCATION.sub('', text)}{details or ''}"
    return f"{kind.__name__} {text}"[:400]


def result_text(returns, word, real):
    if returns == "void":
        return ""
    if returns in ("new", "borrowed", "object"):
        if word == 0:
            return "NULL"
        value = caller.object_at(word)
        count = caller.refcount_at(word) - 2
        text = shown(value)
        return text if returns != "new" or count > SHARED or not countable(value) else f"{text} held {count}"
    if returns == "int":
        return str((word & 0xffffffff) - ((word & 0x80000000) << 1))
    if returns == "word":
        return str(word)
    if returns == "unsigned":
        return str(word & 2**64 - 1)
    if returns == "truth":
        return str(word & 0xffffffff != 0)
    if returns == "double":
        return repr(real[0])
    if returns == "complex":
        return repr(complex(*real))
    if returns == "text":
        return "NULL" if word == 0 else repr(caller.memory(word, -1))
    if returns == "wide":
        return "NULL" if word == 0 else ascii(caller.wide_memory(word))
    return "NULL" if word == 0 else "pointer"


def perform(name, returns, combination, flags):
    """The outcome of one case."""
    arguments = [factory() for _, factory in combination]
    words = [w for a in arguments for w in a.words]
    status = bytearray(64)
    if returns == "status":
        words.insert(0, caller.address_of(status))
    watched = [o for a in arguments for o in a.watched if countable(o)]
    address = caller.symbol(name)
    if "error" in flags:
        outcome = caller.call_with_error(samples.traced(), (address, words))
    else:
        outcome = caller.call(address, returns in ("double", "complex"), words, [d for a in arguments for d in a.doubles], watched)
    word, real, error, changes = outcome
    parts = [result_text("object" if "uncounted" in flags and returns == "new" else returns, word, real)]
    if returns == "status":
        kind, function, message, code = struct.unpack("iPPi", status[:28])
        parts.append(f"status {kind} {caller.memory(message, -1) if message else None} {code}")
    if error is not None:
        parts.append("raises " + shown(error))
    if any(changes) and "uncounted" not in flags:
        parts.append(f"references {changes}")
    for argument in arguments:
        if argument.after is not None:
            parts.append("after " + shown(argument.after()))
        elif argument.watched and isinstance(argument.watched[0], (list, dict, set, bytearray)):
            parts.append("now " + shown(argument.watched[0]))
    return "; ".join(p for p in parts if p)


def child(row, selected, pipe):
    """Runs the cases and writes `number outcome` lines; what is printed while a case runs belongs to its outcome."""
    name, returns, _, flags = row
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    output = os.memfd_create("output")
    os.dup2(output, 1)
    os.dup2(output, 2)
    for number, combination in selected:
        os.write(pipe, f"start {number}\n".encode())
        signal.alarm(5)
        try:
            text = perform(name, returns, combination, flags)
        except BaseException as error:
            text = f"driver: {type(error).__name__}: {error}"
        sys.stdout.flush()
        sys.stderr.flush()
        os.lseek(output, 0, 0)
        printed = os.read(output, 4000)
        os.ftruncate(output, 0)
        os.lseek(output, 0, 0)
        if printed:
            text += f"; printed {ADDRESS.sub('0xADDRESS', repr(LOCATION.sub('', printed.decode('utf-8', 'replace'))))}"
        os.write(pipe, f"{number} {ascii(text)[1:-1]}\n".encode())
    os._exit(0)


def run_children(row, combinations):
    """{number: outcome}; a crash is the outcome of the case it happened in."""
    outcomes = {}
    first = 0
    while first < len(combinations):
        read_end, write_end = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(read_end)
            try:
                child(row, list(enumerate(combinations))[first:], write_end)
            finally:
                os._exit(99)
        os.close(write_end)
        with os.fdopen(read_end, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().split("\n")[:-1]
        _, status = os.waitpid(process, 0)
        running = first
        for line in lines:
            number, _, text = line.partition(" ")
            if number == "start":
                running = int(text)
            else:
                outcomes[int(number)] = text
                running = int(number) + 1
        if status == 0:
            break
        code = os.waitstatus_to_exitcode(status)
        outcomes[running] = f"signal {-code}" if code < 0 else f"exit {code}"
        first = running + 1
    return outcomes


def main():
    table = rows(sys.argv[2])[int(sys.argv[3]):int(sys.argv[4])]
    for row in table:
        name, _, parameters, flags = row
        if "skip" in flags:
            continue
        combinations = list(cases(parameters, flags))
        outcomes = run_children(row, combinations)
        for number, combination in enumerate(combinations):
            label = ADDRESS.sub("0xADDRESS", ascii(", ".join(label for label, _ in combination))[1:-1])
            print(f"{name}({label})\t{outcomes.get(number, 'nothing')}")
        sys.stdout.flush()


main()
