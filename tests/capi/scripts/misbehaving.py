# What an extension that breaks the rules gets: exceptions, warnings, fatal errors with their exit status.
import importlib.machinery
import importlib.util
import subprocess
import sys
import types

import misbehave


def chain(error):
    return f"{type(error).__name__}: {error}" + (f" <- {chain(error.__cause__)}" if error.__cause__ else "")


def attempt(label, function):
    try:
        print(label, "->", function())
    except BaseException as error:
        print(label, "->", chain(error))


def repeated(function):
    # Often enough that the call site is specialised.
    for _ in range(40):
        try:
            function()
        except SystemError as error:
            last = error
    raise last


def results():
    m = misbehave
    calls = {"null_without_error": lambda: m.null_without_error(), "one": lambda: m.null_without_error_one(1),
             "many": lambda: m.null_without_error_many(1, 2), "fast": lambda: m.null_fast(1), "keywords": lambda: m.null_keywords(a=1),
             "result_with_error": lambda: m.result_with_error(), "result one": lambda: m.result_with_error_one(1),
             "result many": lambda: m.result_with_error_many(1, 2), "result fast": lambda: m.result_with_error_fast(1)}
    for label, call in calls.items():
        attempt(label, call)
        if "result" not in label:  # python3.11's specialised calls don't look for an error behind a result
            attempt(f"{label}, specialised", lambda: repeated(call))
    attempt("map", lambda: list(map(m.null_without_error_one, [1])))
    attempt("sorted key", lambda: sorted([2, 1], key=m.result_with_error_one))
    attempt("star", lambda: m.null_without_error_many(*[1]))


def slots():
    f, leaving = misbehave.Failing(), misbehave.Leaving()
    operations = {"add": lambda: f + 1, "neg": lambda: -f, "call": lambda: f(), "call with arguments": lambda: f(1, a=2),
                  "subscript": lambda: f[0], "assign": lambda: f.__class__.__setitem__(f, 1, 2), "hash": lambda: hash(f), "iter": lambda: iter(f),
                  "for": lambda: [x for x in f], "int": lambda: int(f), "attribute": lambda: f.anything, "method": lambda: f.method(),
                  "repr": lambda: repr(f), "str": lambda: str(f), "format": lambda: f"{f}", "bool": lambda: bool(f), "if": lambda: 1 if f else 2,
                  "buffer": lambda: memoryview(f), "bytes": lambda: bytes(f), "dict": lambda: {f: 1}, "in": lambda: 1 in f,
                  "getattr": lambda: getattr(f, "x", 1), "leaving call": lambda: leaving(), "leaving next": lambda: next(leaving),
                  "no new": lambda: misbehave.NoNew(), "setitem": lambda: exec("f[1] = 2", {"f": f}),
                  "unpack": lambda: exec("a, b = f", {"f": f}), "not": lambda: not f, "and": lambda: f and 1}
    for label, operation in operations.items():
        attempt(f"slot {label}", operation)


def deallocators():
    def drop():
        thing = misbehave.Dealloc()
        del thing
        return len([])
    attempt("error from a deallocator", drop)
    attempt("and the next", lambda: 1)
    seen = []
    sys.unraisablehook = lambda unraisable: seen.append((unraisable.exc_type, str(unraisable.exc_value), unraisable.err_msg, type(unraisable.object)))
    misbehave.Finalize()
    attempt("error from a finalizer", lambda: len([]))
    print(seen)
    del sys.unraisablehook


def definitions():
    for number in range(6):
        attempt(f"spec {number}", lambda: misbehave.from_spec(number))
    attempt("final base", lambda: misbehave.from_spec(5, (bool,)))
    attempt("number as base", lambda: misbehave.from_spec(5, (1,)))
    attempt("bases that conflict", lambda: misbehave.from_spec(5, (int, str)))
    for number in range(3):
        attempt(f"ready {number}", lambda: misbehave.ready(number))
    attempt("static type with a heap base", lambda: misbehave.ready(3, type("Heap", (), {})))
    attempt("method flags", lambda: misbehave.add_bad_methods(types.ModuleType("m")))
    attempt("class methods of a module", lambda: misbehave.add_class_methods(types.ModuleType("m")))


def load(name):
    loader = importlib.machinery.ExtensionFileLoader(name, misbehave.__file__)
    spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module if not isinstance(module, types.ModuleType) else sorted(k for k in vars(module) if not k.startswith("__"))[:3]


def modules():
    for name in ("init_null init_error init_unreported init_number init_definitionless init_uninitialized multi_unknown_slot "
                 "multi_negative_slot multi_two_creates multi_negative_size multi_create_null multi_create_unreported multi_create_number "
                 "multi_number_with_state multi_number_with_exec multi_exec_silent multi_exec_unreported multi_exec_error multi_good "
                 "other_api missing_init multi_\u20ac").split():
        attempt(ascii(name), lambda: load(name))


def fatal():
    for name in ("drop_none drop_not_implemented state_without_lock save_twice restore_null release_unheld delete_current fatal_error "
                 "exit_three track_twice").split():
        child(name, [])
    for name in "allocate_without_lock object_without_lock write_past_end wrong_domain".split():
        child(name, ["-X", "dev"])


def child(name, options):
    code = f"import misbehave\nmisbehave.{name}()"
    done = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if "0x" not in line and "serial number" not in line]
    print(name, done.returncode, lines[:6])


results()
slots()
deallocators()
definitions()
modules()
fatal()
