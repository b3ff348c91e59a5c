"""A small template engine compiled to closures (re, closures, string joining)."""
import re

TOKEN = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")


def lookup(path):
    parts = path.strip().split(".")

    def get(context):
        value = context[parts[0]]
        for part in parts[1:]:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        return value

    return get


def compile_block(tokens, stop=()):
    steps = []
    while tokens:
        token = tokens.pop(0)
        if token.startswith("{{"):
            path, _, filter_name = token[2:-2].partition("|")
            get, name = lookup(path), filter_name.strip()
            steps.append(lambda context, out, get=get, name=name: out.append(FILTERS[name](get(context))))
        elif token.startswith("{%"):
            words = token[2:-2].split()
            if words[0] in stop:
                return steps, words[0]
            if words[0] == "for":
                body, _ = compile_block(tokens, ("endfor",))
                steps.append(loop(words[1], lookup(words[3]), body))
            elif words[0] == "if":
                body, end = compile_block(tokens, ("else", "endif"))
                other = compile_block(tokens, ("endif",))[0] if end == "else" else []
                steps.append(branch(lookup(words[1]), body, other))
        elif token:
            steps.append(lambda context, out, token=token: out.append(token))
    return steps, None


def loop(name, get, body):
    def step(context, out):
        inner = dict(context)
        for value in get(context):
            inner[name] = value
            for part in body:
                part(inner, out)

    return step


def branch(get, body, other):
    def step(context, out):
        for part in body if get(context) else other:
            part(context, out)

    return step


FILTERS = {"": str, "upper": lambda s: str(s).upper(),
           "escape": lambda s: str(s).replace("&", "&amp;").replace("<", "&lt;")}
TEMPLATE = """<h1>{{ title|upper }}</h1>
<table>{% for row in rows %}
<tr>{% for cell in row.cells %}<td>{{ cell|escape }}</td>{% endfor %}{% if row.total %}<td>{{ row.total }}</td>{% else %}<td>-</td>{% endif %}</tr>{% endfor %}
</table>"""
steps, _ = compile_block([t for t in TOKEN.split(TEMPLATE)])
for turn in range(700):
    rows = [{"cells": [f"<{i}>", i * turn, "a&b", "plain"], "total": i % 3 and i * 10} for i in range(150)]
    out = []
    for step in steps:
        step({"title": f"page {turn}", "rows": rows}, out)
    text = "".join(out)
print(len(text))
print(text[-150:])
