"""A Markdown converter (line processing, regular expressions, string building)."""
import re

INLINE = [(re.compile(r"`([^`]+)`"), r"<code>\1</code>"), (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
          (re.compile(r"\*(.+?)\*"), r"<i>\1</i>"), (re.compile(r"\[([^\]]+)\]\(([^)]+)\)"), r'<a href="\2">\1</a>')]
HEADING = re.compile(r"(#{1,6})\s+(.*)")
ITEM = re.compile(r"\s*[-*]\s+(.*)")


def inline(text):
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    for pattern, replacement in INLINE:
        text = pattern.sub(replacement, text)
    return text


def convert(source):
    out, paragraph, in_list, in_code = [], [], False, False

    def flush():
        nonlocal in_list
        if paragraph:
            out.append("<p>" + inline(" ".join(paragraph)) + "</p>")
            paragraph.clear()
        if in_list:
            out.append("</ul>")
            in_list = False

    for line in source.splitlines():
        if line.startswith("```"):
            flush()
            out.append("</pre>" if in_code else "<pre>")
            in_code = not in_code
        elif in_code:
            out.append(line)
        elif match := HEADING.match(line):
            flush()
            level = len(match[1])
            out.append(f"<h{level}>{inline(match[2])}</h{level}>")
        elif match := ITEM.match(line):
            if not in_list:
                flush()
                out.append("<ul>")
                in_list = True
            out.append(f"<li>{inline(match[1])}</li>")
        elif line.strip():
            paragraph.append(line.strip())
        else:
            flush()
    flush()
    return "\n".join(out)


document = "\n".join(f"""# Title {i}

Some *text* with **bold parts**, `code {i}` and [a link](http://example.org/{i}) & more < stuff.
It goes on **here** and *there*.

- item one of {i}
- item *two*
- `three`

```
x = {i}  # not *markup*
```
""" for i in range(12000))
html = convert(document)
print(len(html), sum(map(ord, html)) % 1000003)
print(html[:200])
