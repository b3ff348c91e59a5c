"""argparse and enum heavy start-up: many parsers built and used, enum classes created."""
import argparse
import enum


def make_parser(n):
    parser = argparse.ArgumentParser(prog=f"tool{n}", description="A tool.")
    parser.add_argument("--verbose", "-v", action="count", default=0)
    parser.add_argument("--level", type=int, choices=range(5), default=2)
    parser.add_argument("--name", default="x", help="the name (default: %(default)s)")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--fast", action="store_true")
    group.add_argument("--slow", action="store_true")
    commands = parser.add_subparsers(dest="command")
    for name in ("add", "remove", "list"):
        sub = commands.add_parser(name, help=f"{name} things")
        sub.add_argument("items", nargs="*")
        sub.add_argument("--force", action="store_true")
    return parser


def make_enum(n):
    return enum.Enum(f"Colour{n}", {f"C{i}": i * n for i in range(1, 15)})


total = 0
for n in range(1, 360):
    arguments = make_parser(n).parse_args(["-vv", "--level", str(n % 5), "--fast", "add", "a", "b", "--force"])
    total += arguments.verbose + arguments.level + len(arguments.items)
for n in range(1, 480):
    colours = make_enum(n)
    total += sum(c.value for c in colours) + len(colours["C3"].name) + (colours(n) is colours.C1)


class Flags(enum.IntFlag):
    A = 1
    B = 2
    C = 4
    D = 8


for i in range(36000):
    flags = Flags(i & 15)
    total += (flags & Flags.A).value + bool(flags & (Flags.B | Flags.C))
print(total)
print(make_parser(7).format_help())
