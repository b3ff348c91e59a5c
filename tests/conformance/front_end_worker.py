"""Shows what the front end makes of source texts, as digests: one process per engine, driven by front_end.py.

Requests on stdin: a line of JSON {"name", "views", "size", "detail"} and `size` bytes of source. Answers on stdout: a
line of JSON {view: [[label, digest], ...]}; with "detail" the text that was digested stands in place of the digest.
A view is a function here that yields (label, text). Whatever it raises is part of what is compared.
"""
import ast
import dis
import hashlib
import inspect
import io
import json
import linecache
import re
import struct
import symtable
import sys
import tokenize
import types
import warnings

CODE_FIELDS = ("co_name", "co_qualname", "co_filename", "co_firstlineno", "co_flags", "co_stacksize", "co_argcount",
               "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_names", "co_varnames", "co_freevars",
               "co_cellvars", "co_code", "co_linetable", "co_exceptiontable")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def constant_text(value):
    """A constant with its exact type and bits. Elements of a frozenset have no order of their own."""
    kind = type(value).__name__
    if isinstance(value, float):
        return f"{kind}:{struct.pack('<d', value).hex()}"
    if isinstance(value, complex):
        return f"{kind}:{struct.pack('<dd', value.real, value.imag).hex()}"
    if isinstance(value, tuple):
        return f"{kind}:({','.join(map(constant_text, value))})"
    if isinstance(value, frozenset):
        return f"{kind}:({','.join(sorted(map(constant_text, value)))})"
    if isinstance(value, types.CodeType):
        return f"{kind}:{value.co_qualname}"  # compared on its own
    if isinstance(value, int):
        return f"{kind}:{value:x}" if kind == "int" else f"{kind}:{value}"
    return f"{kind}:{value!r}"


def code_objects(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def code_text(code):
    fields = [f"{name} = {getattr(code, name)!r}" for name in CODE_FIELDS]
    fields.extend(f"co_consts[{i}] = {constant_text(value)}" for i, value in enumerate(code.co_consts))
    return "\n".join(fields)


def error_text(error):
    fields = [type(error).__name__]
    if isinstance(error, SyntaxError):
        fields += [f"{name} = {getattr(error, name)!r}" for name in
                   ("msg", "filename", "lineno", "offset", "end_lineno", "end_offset", "text", "print_file_and_line")]
    else:
        fields.append(f"args = {error.args!r}")
    return "\n".join(fields)


def compiled(source, name, mode="exec", flags=0, optimize=0):
    """(label, text) of every code object, or of the error; the warnings come first."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = compile(source, name, mode, flags, dont_inherit=True, optimize=optimize)
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
            result = error
    for warning in caught:
        yield "warning", f"{warning.category.__name__}: {warning.message} {warning.filename}:{warning.lineno}"
    if isinstance(result, BaseException):
        yield "error", error_text(result)
    elif isinstance(result, types.CodeType):
        for code in code_objects(result):
            yield f"{code.co_qualname}:{code.co_firstlineno}", code_text(code)
    else:
        yield "ast", ast.dump(result, include_attributes=True)


def view_code0(source, name):
    return compiled(source, name, optimize=0)


def view_code1(source, name):
    return compiled(source, name, optimize=1)


def view_code2(source, name):
    return compiled(source, name, optimize=2)


def view_error(source, name):
    """What a damaged source reports; where it still compiles, that and its warnings."""
    for label, text in compiled(source, name):
        if label in ("warning", "error"):
            yield label, text


def view_ast(source, name):
    return compiled(source, name, flags=ast.PyCF_ONLY_AST)


def view_unparse(source, name):
    yield "unparse", ast.unparse(ast.parse(source, name))


def view_astcode(source, name):
    """Code made from a tree of objects."""
    return compiled(ast.parse(source, name), name)


def view_features(source, name):
    """Other grammar versions, with type comments."""
    for minor in (4, 5, 6, 7, 8, 9, 10, 11):
        try:
            text = ast.dump(ast.parse(source, name, type_comments=True, feature_version=(3, minor)),
                            include_attributes=True)
        except SyntaxError as error:
            text = error_text(error)
        yield f"3.{minor}", text


def view_modes(source, name):
    """Each statement for itself as interactive input, each expression statement for eval, each annotation pair as a
    function type."""
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    tree = ast.parse(source, name)
    for node in tree.body:
        segment = ast.get_source_segment(text, node) or ""
        for label, result in compiled(segment + "\n", name, "single"):
            yield f"single {node.lineno} {label}", result
        if isinstance(node, (ast.Expr, ast.Assign, ast.Return)) and node.value is not None:
            segment = ast.get_source_segment(text, node.value) or ""
            for label, result in compiled(segment, name, "eval"):
                yield f"eval {node.lineno} {label}", result
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            parts = [ast.unparse(a.annotation) for a in node.args.args if a.annotation is not None]
            segment = f"({', '.join(parts)}) -> {ast.unparse(node.returns)}"
            for label, result in compiled(segment, name, "func_type", ast.PyCF_ONLY_AST):
                yield f"func_type {node.lineno} {label}", result


def view_await(source, name):
    return compiled(source, name, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def view_symtable(source, name):
    def show(table):
        yield (f"{table.get_type()} {table.get_name()}:{table.get_lineno()}",
               "\n".join(f"{s.get_name()} {s._Symbol__flags} {s._Symbol__scope}" for s in table.get_symbols())
               + f"\n{table.is_nested()} {table.is_optimized()} {table.has_children()}")
        for child in table.get_children():
            yield from show(child)
    return show(symtable.symtable(source, name, "exec"))


def view_tokenize(source, name):
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        yield "token", repr(token)


def view_dis(source, name):
    stream = io.StringIO()
    dis.dis(compile(source, name, "exec", dont_inherit=True), file=stream)
    yield "dis", ADDRESS.sub("", stream.getvalue())


def view_getsource(source, name):
    linecache.clearcache()
    lines = source.decode(tokenize.detect_encoding(io.BytesIO(source).readline)[0]).splitlines(True)
    linecache.cache[name] = len(source), None, lines, name
    for code in code_objects(compile(source, name, "exec", dont_inherit=True)):
        if code.co_name != "<module>":
            yield f"{code.co_qualname}:{code.co_firstlineno}", "".join(inspect.getblock(lines[code.co_firstlineno - 1:]))


VIEWS = {name.removeprefix("view_"): function for name, function in list(globals().items())
         if name.startswith("view_")}


def show(view, source, name, detail):
    result = []
    try:
        for label, text in VIEWS[view](source, name):
            result.append((label, text))
    except Exception as error:  # The views' own libraries may refuse a source; both must do so alike.
        result.append(("raised", error_text(error)))
    if detail:
        return result
    if len(result) > 1 and view in ("tokenize", "getsource", "modes"):
        return [("all", hashlib.md5(repr(result).encode("utf-8", "surrogatepass")).hexdigest()[:16])]
    return [(label, hashlib.md5(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]) for label, text in result]


def main():
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    sys.setrecursionlimit(3000)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    warnings.simplefilter("ignore")
    while line := requests.readline():
        request = json.loads(line)
        source = requests.read(request["size"])
        answer = {view: show(view, source, request["name"], request.get("detail")) for view in request["views"]}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
