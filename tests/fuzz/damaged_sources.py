"""Do both engines report the same error for the same damaged source?

    damaged_sources.py --pyston BINARY [--files 2000] [--places 10] [--seed 1] [PATHS]

Takes a seeded sample of the .py files of PATHS (the standard library with its tests and /usr/lib/python3/dist-packages
when there are none) and damages each at so many random places, one at a time: a token deleted, doubled or swapped with
the next, a line's indentation dropped, the file cut. Each result is compiled by python3.11 and by pyston; class,
message, place and text of the error, and the warnings, must agree. Prints the differing cases, the commonest pairs of
messages and the rate; fails below --require percent and on any crash or hang. --together puts all the damage into one
source, --statements takes single statements for files, --save writes the differing sources to a directory.
"""
import argparse
import ast
import collections
import io
import pathlib
import random
import re
import sys
import time
import tokenize

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))
import code_equality  # noqa: E402
import front_end  # noqa: E402

ASIDE = {tokenize.ENCODING, tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT}


class Source:
    """A text with what can be damaged in it. Offsets count characters."""

    def __init__(self, text, encoding):
        self.text = text
        self.encoding = encoding
        starts = [0]
        for line in self.text.splitlines(True):
            starts.append(starts[-1] + len(line))
        self.tokens = []
        for token in tokenize.generate_tokens(io.StringIO(self.text, newline="").readline):
            if token.type not in ASIDE and token.string:
                self.tokens.append((starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]))
        self.indents = [(m.start(), m.end()) for m in re.finditer(r"^[ \t]+(?=\S)", self.text, re.M)]

    def edit(self, kind, pick):
        """(start, end, replacement) of a damage, or None if the text has nothing for it."""
        text = self.text
        if kind == "cut":
            return (pick.randrange(len(text)), len(text), "") if text else None
        if kind == "indent":
            if not self.indents:
                return None
            start, end = pick.choice(self.indents)
            return start, end, text[start:end][:pick.choice([0, 0, max(0, end - start - 4), end - start - 1])]
        if len(self.tokens) < 2:
            return None
        index = pick.randrange(len(self.tokens) - 1)
        start, end = self.tokens[index]
        if kind == "delete":
            return start, end, ""
        if kind == "double":
            return end, end, pick.choice(["", " "]) + text[start:end]
        next_start, next_end = self.tokens[index + 1]
        return start, next_end, text[next_start:next_end] + text[end:next_start] + text[start:end]

    def damaged(self, places, pick, together):
        edits = []
        for _ in range(places):
            edit = self.edit(pick.choice(["delete", "double", "swap", "indent", "cut"]), pick)
            if edit is not None:
                edits.append(edit)
        for group in [edits] if together else [[edit] for edit in edits]:
            text = self.text
            for start, end, replacement in sorted(group, reverse=True):
                text = text[:start] + replacement + text[end:]
            yield text.encode(self.encoding, "replace")


def texts(path, options):
    """(name, text, encoding) of a file, or of each of its statements."""
    data = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = data.decode(encoding)
    if not options.statements:
        yield path, text, encoding
        return
    lines = text.splitlines(True)
    for statement in ast.parse(data).body:
        yield f"{path}:{statement.lineno}", "".join(lines[statement.lineno - 1:statement.end_lineno]), "utf-8"


def cases(paths, options):
    for path in paths:
        try:
            for name, text, encoding in texts(path, options):
                pick = random.Random(f"{options.seed} {name}")
                source = Source(text, encoding)
                for number, damaged in enumerate(source.damaged(options.places, pick, options.together)):
                    yield f"{name}#{number}", damaged
        except (SyntaxError, ValueError, tokenize.TokenError):
            continue


def message(answer):
    fields = dict(line.partition(" = ")[::2] for label, text in answer if label == "error" for line in text.split("\n"))
    return fields.get("msg", "accepted") if answer else "accepted"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyston", required=True)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--places", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-size", type=int, default=1 << 30, help="leave larger files out")
    parser.add_argument("--statements", action="store_true", help="each top-level statement is a source of its own")
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--require", type=float, default=99.0)
    parser.add_argument("--show", type=int, default=40)
    parser.add_argument("--save", type=pathlib.Path)
    parser.add_argument("-j", type=int, default=1)
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args()
    begin = time.monotonic()
    paths = [path for path in code_equality.python_files(options.paths or code_equality.DEFAULT_PATHS)
             if path.stat().st_size <= options.max_size]
    paths = random.Random(options.seed).sample(paths, min(options.files, len(paths)))
    count = same = lost = 0
    differing = []
    for name, source, want, got in front_end.compare(options.pyston, cases(paths, options), ["error"], options.j, 30):
        count += 1
        same += want == got
        lost += "crash" in got or "hang" in got
        if want != got:
            differing.append((name, source))
            if options.save:
                options.save.mkdir(parents=True, exist_ok=True)
                (options.save / f"{len(differing):05}.py").write_bytes(source)
    pairs = collections.Counter()
    for number, (name, source) in enumerate(differing):
        answers = []
        for binary in (front_end.ORACLE, options.pyston):
            engine = front_end.Engine(binary)
            answers.append(message(engine.ask(name, source, ["error"], detail=True).get("error", [["lost", ""]])))
            engine.stop()
        pairs[tuple(answers)] += 1
        if number < options.show:
            print(f"DIFFERS {name} {front_end.first_difference(options.pyston, name, source, 'error')}", flush=True)
    for (left, right), number in pairs.most_common(30):
        print(f"{number:6} {left} / {right}")
    rate = 100 * same / count if count else 0.0
    print(f"damaged sources: {same} of {count} report the same, {rate:.3f} %; {lost} crashes and hangs; "
          f"{time.monotonic() - begin:.0f} s")
    return 0 if rate >= options.require and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
