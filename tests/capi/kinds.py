"""What the words of functions.tsv stand for: a parameter's good values and, for objects, the bad ones.

    kind    a Python object (object_kinds.py), borrowed by the call     ^kind   one whose reference the call takes
    &kind   a pointer to an object pointer, in and out                  kind?   NULL is a documented value
    kind!   the function trusts its caller: nothing wrong is tried      >kind   room for a result (OUT_KINDS)
    c:kind  C values (c_kinds.py)                                       =5      this number
"""
import struct

import caller
from c_kinds import C_KINDS, Argument, out_argument, words
from object_kinds import OBJECTS, WRONG_OBJECTS


UNCOUNTED = {"name", "special", "module_name"}  # names of attributes: caches of lookups hold them


def object_argument(value, mode, kind=""):
    """mode: '' borrowed by the call, '^' stolen, '&' in and out through a pointer."""
    if mode == "^":
        caller.incref(value)
    if mode == "&":
        caller.incref(value)
        memory = bytearray(struct.pack("P", id(value)))

        def shown():
            place, = struct.unpack("P", memory)
            return caller.object_at(place) if place else "NULL"
        return Argument([caller.address_of(memory)], watched=[value], keep=[memory, value], after=shown)
    return Argument([id(value)], watched=[] if kind in UNCOUNTED else [value], keep=[value])


def good_values(parameter):
    """[(label, factory of Arguments)] of a parameter as functions.tsv writes it."""
    if parameter.startswith("="):
        return words(int(parameter[1:], 0))
    if parameter.startswith(">"):
        return [(parameter, lambda: out_argument(parameter[1:]))]
    if parameter.startswith("c:"):
        return C_KINDS[parameter[2:]]
    mode, kind = (parameter[0], parameter[1:]) if parameter[0] in "^&" else ("", parameter)
    values = []
    nullable = kind.endswith("?")
    kind = kind.rstrip("?!")
    for label, factory in OBJECTS[kind]:
        values.append((label, lambda factory=factory: object_argument(factory(), mode, kind)))
    if nullable:
        values.append(("NULL", lambda: Argument([0])))
    return values


def bad_values(parameter):
    """Objects of other types and NULL, for object parameters; NULL for pointers to C data that functions may check."""
    if parameter[0] in "=>":
        return []
    if parameter.startswith("c:"):
        return words(0) if parameter[2:] in ("text", "key_text", "name", "encoding", "message") else []
    if "!" in parameter:
        return []
    mode = parameter[0] if parameter[0] in "^&" else ""
    wrong = [(f"wrong {label}", lambda factory=factory: object_argument(factory(), mode)) for label, factory in WRONG_OBJECTS]
    return wrong if parameter.endswith("?") else wrong + [("NULL", lambda: Argument([0]))]
