"""cffi's backend: declarations, calls into libc, memory, structs, callbacks, errors."""
import _cffi_backend as backend

print(backend.__name__, isinstance(backend.__version__, str))
int_type = backend.new_primitive_type("int")
char_type = backend.new_primitive_type("char")
long_type = backend.new_primitive_type("long")
double_type = backend.new_primitive_type("double")
int_pointer = backend.new_pointer_type(int_type)
char_pointer = backend.new_pointer_type(char_type)
print(int_type, int_pointer, backend.sizeof(int_type), backend.alignof(double_type))
array_type = backend.new_array_type(int_pointer, None)
array = backend.newp(array_type, [3, 1, 2])
print(len(array), list(array), array[0:2], repr(array))
array[1] = 10
print(list(array), array + 1 == backend.newp(int_pointer), (array + 2)[0])
for action in (lambda: array[5], lambda: array["x"], lambda: backend.newp(int_pointer, "x"), lambda: backend.cast(int_pointer, "x"),
               lambda: backend.newp(int_pointer, 1 << 40), lambda: backend.new_primitive_type("nothing"),
               lambda: backend.newp(char_pointer, b"xy")):
    try:
        print(action())
    except Exception as error:
        print(type(error).__name__, error)
struct = backend.new_struct_type("struct point")
backend.complete_struct_or_union(struct, [("x", int_type, -1), ("y", double_type, -1), ("flags", int_type, 3)])
point = backend.newp(backend.new_pointer_type(struct), {"x": 1, "y": 2.5})
point.flags = -2
print(point.x, point.y, point.flags, backend.sizeof(struct), [name for name, _ in struct.fields], dir(point))
try:
    point.z
except AttributeError as error:
    print(error)
libc = backend.load_library(None, 0)
strlen = libc.load_function(backend.new_function_type((char_pointer,), long_type, False), "strlen")
print(strlen(b"hello"), strlen(backend.newp(backend.new_array_type(char_pointer, None), b"four")))
for bad in ((), (1,), (b"a", b"b"), (None,)):
    try:
        print(strlen(*bad))
    except TypeError as error:
        print(error)
void_pointer = backend.new_pointer_type(backend.new_void_type())
compare_type = backend.new_function_type((void_pointer, void_pointer), int_type, False)
size_type = backend.new_primitive_type("size_t")
sorter = libc.load_function(backend.new_function_type((void_pointer, size_type, size_type, compare_type), backend.new_void_type(), False), "qsort")


def compare(left, right):
    return backend.cast(int_pointer, left)[0] - backend.cast(int_pointer, right)[0]


sorter(array, 3, 4, backend.callback(compare_type, compare))
print(list(array))


def failing(left, right):
    raise ValueError("in callback")


seen = []
sorter(array, 2, 4, backend.callback(compare_type, failing, -1, lambda kind, value, where: seen.append((kind, str(value)))))
print(seen)
owner = [1, 2]
handle = backend.newp_handle(void_pointer, owner)
print(backend.from_handle(handle) is owner)
view = backend.buffer(array)
view[0:4] = (258).to_bytes(4, "little")
print(bytes(view)[:4], array[0], len(view), backend.string(backend.newp(backend.new_array_type(char_pointer, None), b"abc")))
log = []
collected = backend.gcp(backend.newp(int_pointer, 5), lambda pointer: log.append(pointer[0]))
del collected
print(log, backend.from_buffer(backend.new_array_type(char_pointer, None), bytearray(b"xyz"))[2])
printf = libc.load_function(backend.new_function_type((char_pointer, size_type, char_pointer), int_type, True), "snprintf")
out = backend.newp(backend.new_array_type(char_pointer, 40))
print(printf(out, 40, b"%d %s %.2f", backend.cast(int_type, 42), backend.newp(backend.new_array_type(char_pointer, None), b"text"),
             backend.cast(double_type, 1.5)), backend.string(out))
enum = backend.new_enum_type("colour", ("red", "green"), (0, 1), int_type)
print(backend.cast(enum, 1), int(backend.cast(enum, 0)), enum.elements)
