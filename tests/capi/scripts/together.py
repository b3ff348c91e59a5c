# API functions that only make sense together: see extensions/sequences.c.
import gc
import sys
import weakref

import sequences as s


def attempt(label, function):
    try:
        print(label, function())
    except BaseException as error:
        print(label, type(error).__name__, error, error.args, getattr(error, "filename", ""), getattr(error, "filename2", ""),
              repr(error.__context__))


for kind in range(4):
    for number in (2, 13, 0, 9999):
        attempt(f"errno {kind} {number}", lambda: s.from_errno(kind, number, OSError, "file", "other"))
attempt("errno of another type", lambda: s.from_errno(0, 2, ValueError))
attempt("errno without a name", lambda: s.from_errno(1, 2, OSError))
print(s.release_lock_and_take_it(), s.start_thread(), s.thread_storage())

node = s.make_node()
reference = weakref.ref(node, lambda r: print("died", s.node_counts()))
print(gc.is_tracked(node), sys.getsizeof(node), type(node).__mro__)
del node
print(reference(), s.node_counts())
cycle = []
node = s.make_node(cycle, 3)
cycle.append(node)
print(sys.getsizeof(node))
del node, cycle
gc.collect()
print(s.node_counts(), s.deep_chain(200000))
print(s.initialise())
for type_, items in ((dict, 0), (list, 0), (tuple, 3), (object, 0), (type("Heap", (), {}), 0), (type("Ints", (int,), {}), 5)):
    attempt(f"allocate {type_.__name__}", lambda: s.allocate(type_, items))
for size, maximum in ((3, 97), (3, 0xe9), (3, 0x20ac), (3, 0x1f600), (0, 97), (1, 97), (-1, 97), (3, 0x110000), (2**62, 97)):
    attempt(f"text {size} {maximum}", lambda: s.new_text(size, maximum))
for flags in ((0, 0), (1, 0), (0, 1), (1, 1)):
    result = s.write_bytes(*flags)
    print(type(result), len(result), bytes(result[:15]))
print(s.accumulate(["a", "b\u20ac"] * 60000)[2], s.accumulate(["x", "y"]))
print(s.use_hashtable())
calls = {"one": lambda: s.unpack(1), "two": lambda: s.unpack(1, 2), "keyword": lambda: s.unpack(1, second=2), "third": lambda: s.unpack(1, third=3),
         "all": lambda: s.unpack(1, 2, third=3), "none": lambda: s.unpack(), "too many": lambda: s.unpack(1, 2, 3), "unknown": lambda: s.unpack(1, fourth=4),
         "twice": lambda: s.unpack(1, 2, second=2), "empty name": lambda: s.unpack(**{"": 1}), "dict": lambda: s.unpack(*[1], **{"second": 2}),
         "record": lambda: s.parse_record(1), "record all": lambda: s.parse_record(1, "x", third=2), "record none": lambda: s.parse_record(),
         "record many": lambda: s.parse_record(1, "x", 3), "record unknown": lambda: s.parse_record(1, fourth=1),
         "record twice": lambda: s.parse_record(1, "x", second="y"), "record type": lambda: s.parse_record("1"), "record five": lambda: s.parse_record(1, 2, 3, 4, 5),
         "record keyword": lambda: s.parse_record(1, second="k")}
for label, call in calls.items():
    attempt(label, call)
attempt("chain", lambda: s.chain_errors(ValueError("first"), KeyError("second")))
attempt("chain nothing", lambda: s.chain_errors(ValueError("first"), None))
sys.setrecursionlimit(300)
attempt("recursion", s.recurse)
sys.setrecursionlimit(1000)
events = []
sys.settrace(lambda *args: events.append(args[1]))
s.without_tracing(lambda: 1)
sys.settrace(None)
print(events)
print(s.module_states())
result = s.structure_sequence()
print(result, result.first, result[1], result.hidden, type(result).n_fields, type(result).n_unnamed_fields, type(result).__doc__, len(result))
