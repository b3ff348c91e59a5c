"""PyYAML with its C parser and emitter: loading, dumping, tags, errors, streams."""
import datetime
import io

import yaml

text = """
- plain
- 'quoted'
- [1, 2.5, 0x1f, 1e3, true, null, ~]
- {a: &anchor {b: c}, d: *anchor, <<: {merged: yes}}
- |
  block
  text
- >-
  folded
  text
- 2001-12-14t21:59:43.10-05:00
- !!binary aGVsbG8=
- !!set {x, y}
"""
data = yaml.load(text, Loader=yaml.CSafeLoader)
print(data, data[3]["a"] is data[3]["d"])
print(data == yaml.load(text, Loader=yaml.SafeLoader))
for style in (None, False, True):
    print(yaml.dump(data[:6], Dumper=yaml.CSafeDumper, default_flow_style=style))
print(yaml.dump({"é": "ü", "long": "word " * 40, "date": datetime.date(2020, 1, 2)}, Dumper=yaml.CSafeDumper, allow_unicode=True))
print(list(yaml.load_all("--- 1\n--- two\n...\n--- [3]\n", Loader=yaml.CSafeLoader)))
for bad in ("a: [1, 2", "a: b: c", "!!python/object:os.system x", "\x00", "&a [*b]", "- a\n b: c"):
    try:
        print(yaml.load(bad, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        print(type(error).__name__, str(error).replace("\n", " | "))
print([type(event).__name__ for event in yaml.parse(text, Loader=yaml.CLoader)])
print([type(token).__name__ for token in yaml.scan("a: [b, 'c']", Loader=yaml.CLoader)])


class Point(yaml.YAMLObject):
    yaml_tag = "!point"
    yaml_loader = yaml.CLoader
    yaml_dumper = yaml.CDumper

    def __init__(self, x, y):
        self.x, self.y = x, y


point = yaml.load("!point {x: 1, y: 2}", Loader=yaml.CLoader)
print(point.x, point.y, yaml.dump(point, Dumper=yaml.CDumper))


class Slow(io.StringIO):
    def read(self, size=-1):
        return super().read(min(size, 7) if size > 0 else 7)


print(yaml.load(Slow("key: [some, list, of, words]"), Loader=yaml.CSafeLoader))


class Broken:
    def read(self, size):
        raise OSError("cannot read")


try:
    yaml.load(Broken(), Loader=yaml.CSafeLoader)
except OSError as error:
    print(repr(error))
print(len(yaml.dump([list(range(i)) for i in range(200)], Dumper=yaml.CSafeDumper)))
