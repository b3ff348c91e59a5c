// Binds C++ functions to method tables, slots and computed attributes, without hand-written argument unpacking.
//
//   Ref<> list_sort(Borrowed<PyListObject> self, PyObject* key, Optional<bool> reverse);
//   PyMethodDef list_methods[] = {
//       method<list_sort, "sort($self, /, *, key=None, reverse=False)", "Sorts the list in place.">(),
//       {}};
//   .tp_repr = slot<list_repr>,
//   PyGetSetDef list_getset[] = {getset<list_get_x>("x", "doc"), {}};
//
// The signature text is the single source of parameter names, kinds (`/`, `*`) and of which ones are required; it
// becomes `__text_signature__`. The C++ parameter types choose the conversion:
//
//   Borrowed<>        a required object                PyObject*          an object, null when not given
//   Borrowed<T>       with ArgumentType<T> (below)     Optional<T>        any T, empty when not given
//   Py_ssize_t        through __index__                int, unsigned, long, long long ...: through __index__, checked
//   double            through __float__                bool               truth value
//   Arguments         only as the single parameter of "name(*args)": the whole argument vector
//   Buffer            a contiguous read-only bytes-like object, released at the end of the call
//
// The calling convention (METH_NOARGS, METH_O, METH_FASTCALL, METH_FASTCALL | METH_KEYWORDS) follows from the
// signature, and so do the error messages, which are CPython's. Returned Ref<T>, PyObject* (new reference) and Status
// (None on success) are converted. Extend Convert<T> for further types.
#pragma once

#include <climits>
#include <optional>
#include <span>
#include <tuple>

#include "Runtime/refs/ref.h"

namespace pyston {

template <size_t N>
struct FixedString {
  char text[N] = {};
  consteval FixedString(const char (&source)[N]) {
    for (size_t i = 0; i < N; i++) text[i] = source[i];
  }
};

template <class T>
using Optional = std::optional<T>;
using Arguments = std::span<PyObject* const>;

/// Parameters of a bound function, as parsed from its signature text.
struct Signature {
  static constexpr int kMaxParameters = 24;
  char function[64] = {};
  char names[kMaxParameters][32] = {};
  int total = 0;            // parameters, `self` apart
  int positional_only = 0;  // leading parameters that have no keyword
  int positional = 0;       // leading parameters that can be given by position
  int required = 0;         // required positional parameters (they come first)
  bool keyword_required[kMaxParameters] = {};
  bool variadic = false;    // "*args"

  constexpr bool takes_keywords() const { return positional_only < total; }
};

template <size_t N>
consteval Signature parse_signature(const char (&text)[N]) {
  Signature signature;
  size_t i = 0;
  int name_length = 0;
  while (text[i] != '(') signature.function[name_length++] = text[i++];
  i++;
  bool keyword_only = false;
  while (i < N && text[i] != ')' && text[i] != '\0') {
    while (text[i] == ' ' || text[i] == ',') i++;
    if (text[i] == ')') break;
    char token[96] = {};
    int length = 0;
    int depth = 0;
    bool quoted = false;
    while (quoted || depth > 0 || (text[i] != ',' && text[i] != ')')) {
      if (text[i] == '\'') quoted = !quoted;
      if (!quoted && text[i] == '(') depth++;
      if (!quoted && text[i] == ')') depth--;
      token[length++] = text[i++];
    }
    if (token[0] == '$') continue;  // $self, $module, $type
    if (token[0] == '/') {
      signature.positional_only = signature.total;
      continue;
    }
    if (token[0] == '*') {
      if (length == 1) keyword_only = true;
      if (length > 1) signature.variadic = true;
      continue;
    }
    bool has_default = false;
    int out = 0;
    for (int k = 0; k < length; k++) {
      if (token[k] == '=') {
        has_default = true;
        break;
      }
      signature.names[signature.total][out++] = token[k];
    }
    if (!keyword_only) {
      signature.positional++;
      if (!has_default) signature.required = signature.total + 1;
    } else if (!has_default) {
      signature.keyword_required[signature.total] = true;
    }
    signature.total++;
  }
  return signature;
}

/// Checks and spreads a vectorcall argument list over `out[signature.total]` (borrowed; null where not given).
/// Sets TypeError and returns false on a mismatch.
bool bind_arguments(const Signature& signature, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
                    PyObject** out);
/// The same for a tuple and a dict (may be null), as tp_new and tp_init get them.
bool bind_call_arguments(const Signature& signature, PyObject* args, PyObject* kwargs, PyObject** out);
/// "f() argument 2 must be str, not int"; index is 0-based. The conversion's failure.
void raise_bad_argument(const Signature& signature, int index, const char* expected, PyObject* value);

/// Specialise to accept Borrowed<T> parameters: `static bool check(PyObject*)` and `static constexpr const char* kName`.
template <class T>
struct ArgumentType;
template <>
struct ArgumentType<PyUnicodeObject> {
  static bool check(PyObject* value) { return PyUnicode_Check(value); }
  static constexpr const char* kName = "str";
};
template <>
struct ArgumentType<PyBytesObject> {
  static bool check(PyObject* value) { return PyBytes_Check(value); }
  static constexpr const char* kName = "bytes";
};
template <>
struct ArgumentType<PyTupleObject> {
  static bool check(PyObject* value) { return PyTuple_Check(value); }
  static constexpr const char* kName = "tuple";
};
template <>
struct ArgumentType<PyListObject> {
  static bool check(PyObject* value) { return PyList_Check(value); }
  static constexpr const char* kName = "list";
};
template <>
struct ArgumentType<PyDictObject> {
  static bool check(PyObject* value) { return PyDict_Check(value); }
  static constexpr const char* kName = "dict";
};
template <>
struct ArgumentType<PyTypeObject> {
  static bool check(PyObject* value) { return PyType_Check(value); }
  static constexpr const char* kName = "type";
};

/// A contiguous view of a bytes-like argument (or the UTF-8 of nothing: str is refused), released on destruction.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : view_(other.view_) { other.view_.obj = nullptr; }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(view_, other.view_);
    return *this;
  }
  ~Buffer() {
    if (view_.obj != nullptr) PyBuffer_Release(&view_);
  }
  bool acquire(PyObject* object) { return PyObject_GetBuffer(object, &view_, PyBUF_SIMPLE) == 0; }
  const char* data() const { return static_cast<const char*>(view_.buf); }
  const unsigned char* bytes() const { return static_cast<const unsigned char*>(view_.buf); }
  Py_ssize_t size() const { return view_.len; }

 private:
  Py_buffer view_ = {};
};

namespace binding {

/// Converts one argument. `value` is null when it was not given (only optional kinds see that).
template <class T>
struct Convert;

template <>
struct Convert<PyObject*> {
  static bool convert(const Signature&, int, PyObject* value, PyObject*& out) {
    out = value;
    return true;
  }
};
template <class T>
struct Convert<Borrowed<T>> {
  static bool convert(const Signature& signature, int index, PyObject* value, T*& out) {
    if constexpr (!std::is_same_v<T, PyObject>) {
      if (!ArgumentType<T>::check(value)) {
        raise_bad_argument(signature, index, ArgumentType<T>::kName, value);
        return false;
      }
    }
    out = reinterpret_cast<T*>(value);
    return true;
  }
};
bool convert_ssize(PyObject* value, Py_ssize_t& out);
/// An integer through __index__, OverflowError outside [low, high] with CPython's message for the C type.
bool convert_integer(PyObject* value, long long low, long long high, const char* type_name, long long& out);
template <>
struct Convert<Py_ssize_t> {
  static bool convert(const Signature&, int, PyObject* value, Py_ssize_t& out) { return convert_ssize(value, out); }
};
template <>
struct Convert<int> {
  static bool convert(const Signature&, int, PyObject* value, int& out) {
    long long wide;
    if (!convert_integer(value, INT_MIN, INT_MAX, "int", wide)) return false;
    out = static_cast<int>(wide);
    return true;
  }
};
template <>
struct Convert<long long> {
  static bool convert(const Signature&, int, PyObject* value, long long& out) {
    return convert_integer(value, LLONG_MIN, LLONG_MAX, "long", out);
  }
};
template <>
struct Convert<unsigned> {
  static bool convert(const Signature&, int, PyObject* value, unsigned& out) {
    unsigned long wide = PyLong_AsUnsignedLongMask(value);
    if (wide == static_cast<unsigned long>(-1) && PyErr_Occurred()) return false;
    out = static_cast<unsigned>(wide);
    return true;
  }
};
template <>
struct Convert<double> {
  static bool convert(const Signature&, int, PyObject* value, double& out) {
    out = PyFloat_CheckExact(value) ? PyFloat_AS_DOUBLE(value) : PyFloat_AsDouble(value);
    return !(out == -1.0 && PyErr_Occurred());
  }
};
template <>
struct Convert<bool> {
  static bool convert(const Signature&, int, PyObject* value, bool& out) {
    int truth = PyObject_IsTrue(value);
    out = truth > 0;
    return truth >= 0;
  }
};
/// A str without NUL characters as UTF-8, which lives as long as the str.
template <>
struct Convert<const char*> {
  static bool convert(const Signature& signature, int index, PyObject* value, const char*& out) {
    if (!PyUnicode_Check(value)) {
      raise_bad_argument(signature, index, "str", value);
      return false;
    }
    Py_ssize_t size;
    out = PyUnicode_AsUTF8AndSize(value, &size);
    if (out == nullptr) return false;
    for (Py_ssize_t i = 0; i < size; i++) {
      if (out[i] != '\0') continue;
      PyErr_SetString(PyExc_ValueError, "embedded null character");
      return false;
    }
    return true;
  }
};
template <>
struct Convert<Buffer> {
  static bool convert(const Signature&, int, PyObject* value, Buffer& out) { return out.acquire(value); }
};
template <class T>
struct Convert<Optional<T>> {
  static bool convert(const Signature& signature, int index, PyObject* value, Optional<T>& out) {
    if (value == nullptr) return true;
    T converted{};
    if (!Convert<T>::convert(signature, index, value, converted)) return false;
    out = std::move(converted);
    return true;
  }
};
template <class T>
struct Convert<Optional<Borrowed<T>>> {
  static bool convert(const Signature& signature, int index, PyObject* value, Optional<Borrowed<T>>& out) {
    if (value == nullptr) return true;
    T* converted = nullptr;
    if (!Convert<Borrowed<T>>::convert(signature, index, value, converted)) return false;
    out = Borrowed<T>(converted);
    return true;
  }
};

/// What an argument is kept in between conversion and call.
template <class T>
struct Storage {
  using Type = T;
};
template <class T>
struct Storage<Borrowed<T>> {
  using Type = T*;
};

inline PyObject* to_result(PyObject* result) { return result; }
template <class T>
PyObject* to_result(Ref<T> result) {
  return as_object(result.release());
}
inline PyObject* to_result(Status status) { return ok(status) ? Py_NewRef(Py_None) : nullptr; }
/// A Borrowed result is turned into a new reference.
template <class T>
PyObject* to_result(Borrowed<T> result) {
  return Py_NewRef(result.object());
}

template <class Function>
struct FunctionTraits;
template <class Result_, class... Parameters_>
struct FunctionTraits<Result_ (*)(Parameters_...)> {
  using Result = Result_;
  using Parameters = std::tuple<Parameters_...>;
  static constexpr size_t kCount = sizeof...(Parameters_);
};

template <class T>
struct PointerOf {
  using Type = T;
};
template <class T>
struct PointerOf<Borrowed<T>> {
  using Type = T*;
};

/// Calls Fn(self, converted...) with `objects` holding one borrowed reference (or null) per parameter.
template <auto Fn, const Signature& signature, size_t... I>
PyObject* call_converted(PyObject* self, PyObject** objects, std::index_sequence<I...>) {
  using Traits = FunctionTraits<decltype(Fn)>;
  using Self = typename PointerOf<std::tuple_element_t<0, typename Traits::Parameters>>::Type;
  std::tuple<typename Storage<std::tuple_element_t<I + 1, typename Traits::Parameters>>::Type...> values;
  if (!(Convert<std::tuple_element_t<I + 1, typename Traits::Parameters>>::convert(
            signature, static_cast<int>(I), objects[I], std::get<I>(values)) &&
        ...)) {
    return nullptr;
  }
  return to_result(Fn(reinterpret_cast<Self>(self), std::move(std::get<I>(values))...));
}

template <FixedString Text>
inline constexpr Signature kSignature = parse_signature(Text.text);

template <auto Fn, FixedString Text>
PyObject* call_keywords(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  constexpr const Signature& signature = kSignature<Text>;
  PyObject* objects[signature.total + 1];
  if (!bind_arguments(signature, args, nargs, kwnames, objects)) return nullptr;
  return call_converted<Fn, kSignature<Text>>(self, objects, std::make_index_sequence<signature.total>());
}
template <auto Fn, FixedString Text>
PyObject* call_positional(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
  constexpr const Signature& signature = kSignature<Text>;
  PyObject* objects[signature.total + 1];
  if (!bind_arguments(signature, args, nargs, nullptr, objects)) return nullptr;
  return call_converted<Fn, kSignature<Text>>(self, objects, std::make_index_sequence<signature.total>());
}
template <auto Fn, FixedString Text>
PyObject* call_one(PyObject* self, PyObject* argument) {
  return call_converted<Fn, kSignature<Text>>(self, &argument, std::make_index_sequence<1>());
}
template <auto Fn>
PyObject* call_none(PyObject* self, PyObject*) {
  using Traits = FunctionTraits<decltype(Fn)>;
  using Self = typename PointerOf<std::tuple_element_t<0, typename Traits::Parameters>>::Type;
  return to_result(Fn(reinterpret_cast<Self>(self)));
}
template <auto Fn>
PyObject* call_variadic(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
  using Traits = FunctionTraits<decltype(Fn)>;
  using Self = typename PointerOf<std::tuple_element_t<0, typename Traits::Parameters>>::Type;
  return to_result(Fn(reinterpret_cast<Self>(self), Arguments(args, static_cast<size_t>(nargs))));
}
template <auto Fn, FixedString Text>
PyObject* call_tuple_dict(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  constexpr const Signature& signature = kSignature<Text>;
  PyObject* objects[signature.total + 1];
  if (!bind_call_arguments(signature, args, kwargs, objects)) return nullptr;
  return call_converted<Fn, kSignature<Text>>(as_object(type), objects, std::make_index_sequence<signature.total>());
}
/// Arguments that a subclass takes in an __init__ of its own are no concern of a tp_new without keywords.
inline bool keywords_are_for_init(PyTypeObject* type, newfunc constructor) {
  PyTypeObject* base = nullptr;
  for (PyTypeObject* ancestor = type; ancestor != nullptr; ancestor = ancestor->tp_base) {
    if (ancestor->tp_new == constructor) base = ancestor;
  }
  return base != nullptr && type != base && type->tp_init != base->tp_init;
}
template <auto Fn, FixedString Text>
PyObject* call_constructor(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  constexpr const Signature& signature = kSignature<Text>;
  if constexpr (!signature.takes_keywords()) {
    if (UNLIKELY(kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) &&
        keywords_are_for_init(type, call_constructor<Fn, Text>)) {
      kwargs = nullptr;
    }
  }
  return call_tuple_dict<Fn, Text>(type, args, kwargs);
}
template <auto Fn, FixedString Text>
int call_initializer(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* result = call_tuple_dict<Fn, Text>(reinterpret_cast<PyTypeObject*>(self), args, kwargs);
  if (result == nullptr) return -1;
  Py_DECREF(result);
  return 0;
}

/// "name(signature)\n--\n\ndoc", the form from which `__text_signature__` and `__doc__` are read.
template <FixedString Text, FixedString Doc>
struct DocString {
  static constexpr size_t kLength = sizeof(Text.text) - 1 + 5 + sizeof(Doc.text);
  char text[kLength] = {};
  consteval DocString() {
    size_t out = 0;
    for (size_t i = 0; i + 1 < sizeof(Text.text); i++) text[out++] = Text.text[i];
    for (char c : {'\n', '-', '-', '\n', '\n'}) text[out++] = c;
    for (size_t i = 0; i < sizeof(Doc.text); i++) text[out++] = Doc.text[i];
  }
};
template <FixedString Text, FixedString Doc>
inline constexpr DocString<Text, Doc> kDocString;

template <class T>
ALWAYS_INLINE auto to_slot_result(T result) {
  if constexpr (std::is_same_v<T, Status>) {
    return static_cast<int>(result);
  } else if constexpr (requires { result.release(); }) {
    return as_object(result.release());
  } else {
    return result;
  }
}
template <class T>
struct SlotParameter {
  using Type = T;
};
template <class T>
struct SlotParameter<Borrowed<T>> {
  using Type = PyObject*;
};
template <class T>
struct SlotParameter<T*> {
  // Object structs arrive as PyObject*; PyTypeObject*, Py_buffer* and plain pointers arrive as themselves.
  static constexpr bool kIsObject = requires(T& object) { object.ob_base; };
  using Type = std::conditional_t<kIsObject && !std::is_same_v<T, PyTypeObject>, PyObject*, T*>;
};
template <auto Fn, class Function>
struct SlotAdapter;
template <auto Fn, class Result, class... Parameters>
struct SlotAdapter<Fn, Result (*)(Parameters...)> {
  static auto call(typename SlotParameter<Parameters>::Type... arguments) {
    if constexpr (std::is_void_v<Result>) {
      Fn(reinterpret_cast<typename PointerOf<Parameters>::Type>(arguments)...);
    } else {
      return to_slot_result(Fn(convert<Parameters>(arguments)...));
    }
  }
  template <class Parameter, class Argument>
  ALWAYS_INLINE static auto convert(Argument argument) {
    if constexpr (std::is_pointer_v<Argument>) {
      return reinterpret_cast<typename PointerOf<Parameter>::Type>(argument);
    } else {
      return argument;
    }
  }
};

}  // namespace binding

/// A row of a method table; see the head of this file. `flags` adds METH_CLASS, METH_STATIC or METH_COEXIST.
template <auto Fn, FixedString Text, FixedString Doc = "">
ALWAYS_INLINE PyMethodDef method(int flags = 0) {
  using namespace binding;
  constexpr const Signature& signature = kSignature<Text>;
  PyMethodDef row{};
  row.ml_name = signature.function;
  row.ml_doc = kDocString<Text, Doc>.text;
  if constexpr (signature.variadic) {
    row.ml_meth = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_variadic<Fn>));
    row.ml_flags = METH_FASTCALL | flags;
  } else if constexpr (signature.total == 0) {
    row.ml_meth = call_none<Fn>;
    row.ml_flags = METH_NOARGS | flags;
  } else if constexpr (signature.takes_keywords()) {
    row.ml_meth = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_keywords<Fn, Text>));
    row.ml_flags = METH_FASTCALL | METH_KEYWORDS | flags;
  } else if constexpr (signature.total == 1 && signature.required == 1) {
    row.ml_meth = call_one<Fn, Text>;
    row.ml_flags = METH_O | flags;
  } else {
    row.ml_meth = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_positional<Fn, Text>));
    row.ml_flags = METH_FASTCALL | flags;
  }
  return row;
}

/// tp_new from `Ref<> fn(PyTypeObject* type, parameters...)`; the signature's name is the type's.
template <auto Fn, FixedString Text>
inline constexpr newfunc constructor = binding::call_constructor<Fn, Text>;
/// tp_init from `Status fn(Borrowed<T> self, parameters...)`.
template <auto Fn, FixedString Text>
inline constexpr initproc initializer = binding::call_initializer<Fn, Text>;

/// Adapts a function over Borrowed/Ref/Status to the C signature of a slot.
template <auto Fn>
inline constexpr auto slot = binding::SlotAdapter<Fn, decltype(Fn)>::call;

/// A computed attribute from `Ref<> get(Borrowed<T> self)`, read-only unless `Status set(Borrowed<T> self, PyObject*
/// value)` is given too; value is null on deletion.
template <auto Get>
constexpr PyGetSetDef getset(const char* name, const char* doc = nullptr) {
  return {name, [](PyObject* self, void*) -> PyObject* { return slot<Get>(self); }, nullptr, doc, nullptr};
}
template <auto Get, auto Set>
constexpr PyGetSetDef getset(const char* name, const char* doc = nullptr) {
  return {name, [](PyObject* self, void*) -> PyObject* { return slot<Get>(self); },
          [](PyObject* self, PyObject* value, void*) -> int { return slot<Set>(self, value); }, doc, nullptr};
}

/// Head of a statically allocated type: its metatype is filled in by PyType_Ready.
#define PYSTON_TYPE_HEAD {{1, &PyType_Type}, 0}
constexpr PyVarObject type_head() { return PYSTON_TYPE_HEAD; }

}  // namespace pyston
