// Creation, destruction and resizing of str objects, and conversion from arrays of characters of any width.
//
// See text.h for the invariants. Memory comes from PyObject_Malloc; a str's own memory is freed by its type's tp_free.
#include "Objects/text/text.h"
#include "Runtime/state/lifecycle.h"

#include "internal/pycore_object.h"

namespace pyston::text {

PyObject* allocate(Py_ssize_t length, Py_UCS4 max_char) {
  size_t head = sizeof(PyCompactUnicodeObject);
  int kind = 1;
  bool ascii = false;
  if (max_char < 0x80) {
    head = sizeof(PyASCIIObject);
    ascii = true;
  } else if (max_char < 0x100) {
  } else if (max_char < 0x10000) {
    kind = 2;
  } else {
    if (UNLIKELY(max_char > kMaxUnicode)) {
      PyErr_SetString(PyExc_SystemError, "invalid maximum character passed to PyUnicode_New");
      return nullptr;
    }
    kind = 4;
  }
  if (UNLIKELY(length < 0)) {
    PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_New");
    return nullptr;
  }
  if (UNLIKELY(length > (PY_SSIZE_T_MAX - static_cast<Py_ssize_t>(head)) / kind - 1)) return PyErr_NoMemory();
  PyObject* self = static_cast<PyObject*>(PyObject_Malloc(head + static_cast<size_t>((length + 1) * kind)));
  if (UNLIKELY(self == nullptr)) return PyErr_NoMemory();
  _PyObject_Init(self, &PyUnicode_Type);
  PyASCIIObject* fields = ascii_head(self);
  fields->length = length;
  fields->hash = -1;
  fields->state = {.interned = 0, .kind = static_cast<unsigned>(kind), .compact = 1, .ascii = ascii, .ready = 1};
  fields->wstr = nullptr;
  char* data = reinterpret_cast<char*>(self) + head;
  if (!ascii) {
    PyCompactUnicodeObject* compact = compact_head(self);
    compact->utf8 = nullptr;
    compact->utf8_length = 0;
    compact->wstr_length = 0;
    if (kind == 4) {  // characters of the widest strings double as their wchar_t form
      compact->wstr_length = length;
      fields->wstr = reinterpret_cast<wchar_t*>(data);
    }
  }
  memset(data + length * kind, 0, static_cast<size_t>(kind));
  return self;
}

PyObject* from_ascii(const char* bytes, Py_ssize_t n) {
  if (n <= 1) return n == 0 ? Py_NewRef(empty_string()) : new_latin1_char(static_cast<unsigned char>(bytes[0]));
  PyObject* self = allocate(n, 0x7f);
  if (UNLIKELY(self == nullptr)) return nullptr;
  memcpy(reinterpret_cast<char*>(self) + sizeof(PyASCIIObject), bytes, static_cast<size_t>(n));
  return self;
}

template <class Char>
static PyObject* from_characters(const Char* characters, Py_ssize_t n) {
  if (n == 0) return Py_NewRef(empty_string());
  if (n == 1 && characters[0] < 0x100) return new_latin1_char(characters[0]);
  const Py_UCS4 max_char = find_class_max(characters, n);
  PyObject* self = allocate(n, max_char);
  if (UNLIKELY(self == nullptr)) return nullptr;
  dispatch_mutable(kind_for(max_char), PyUnicode_DATA(self), [&](auto* target) { convert(characters, target, n); });
  return self;
}
PyObject* from_ucs1(const Py_UCS1* characters, Py_ssize_t n) { return from_characters(characters, n); }
PyObject* from_ucs2(const Py_UCS2* characters, Py_ssize_t n) { return from_characters(characters, n); }
PyObject* from_ucs4(const Py_UCS4* characters, Py_ssize_t n) { return from_characters(characters, n); }

PyObject* slice(PyObject* string, Py_ssize_t start, Py_ssize_t stop) {
  const Py_ssize_t n = stop - start;
  if (n == PyUnicode_GET_LENGTH(string) && PyUnicode_CheckExact(string)) return Py_NewRef(string);
  const Text text = view(string);
  if (text.ascii) return from_ascii(static_cast<const char*>(text.data) + start, n);
  return dispatch(text, [&](auto* characters) { return from_characters(characters + start, n); });
}

PyObject* exact(PyObject* string) {
  if (PyUnicode_CheckExact(string)) return Py_NewRef(string);
  return _PyUnicode_Copy(string);
}

bool is_modifiable(PyObject* string) {
  return Py_REFCNT(string) == 1 && ascii_head(string)->hash == -1 && !PyUnicode_CHECK_INTERNED(string) &&
         PyUnicode_CheckExact(string);
}

bool ensure_string(PyObject* object) {
  if (LIKELY(PyUnicode_Check(object))) return ready(object);
  PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(object)->tp_name);
  return false;
}

static bool has_own_utf8(PyObject* self) {
  const PyCompactUnicodeObject* fields = compact_head(self);
  return !PyUnicode_IS_COMPACT_ASCII(self) && fields->utf8 != nullptr && fields->utf8 != PyUnicode_DATA(self);
}
static bool has_own_wstr(PyObject* self) {
  const PyASCIIObject* fields = ascii_head(self);
  if (fields->wstr == nullptr) return false;
  return !fields->state.ready || static_cast<void*>(fields->wstr) != PyUnicode_DATA(self);
}

/// Forgets cached utf-8 and wchar_t forms, before the characters change.
static void drop_caches(PyObject* self) {
  if (has_own_utf8(self)) {
    PyObject_Free(compact_head(self)->utf8);
    compact_head(self)->utf8 = nullptr;
    compact_head(self)->utf8_length = 0;
  }
  if (ascii_head(self)->state.ready && has_own_wstr(self)) {
    PyObject_Free(ascii_head(self)->wstr);
    ascii_head(self)->wstr = nullptr;
    if (!PyUnicode_IS_COMPACT_ASCII(self)) compact_head(self)->wstr_length = 0;
  }
}

static PyObject* resize_compact(PyObject* self, Py_ssize_t length) {
  const int kind = static_cast<int>(PyUnicode_KIND(self));
  const bool ascii = PyUnicode_IS_ASCII(self);
  const size_t head = ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
  if (length > (PY_SSIZE_T_MAX - static_cast<Py_ssize_t>(head)) / kind - 1) return PyErr_NoMemory();
  drop_caches(self);
  const bool shared_wstr = ascii_head(self)->wstr != nullptr;
  PyObject* moved =
      static_cast<PyObject*>(PyObject_Realloc(self, head + static_cast<size_t>((length + 1) * kind)));
  if (UNLIKELY(moved == nullptr)) return PyErr_NoMemory();
  char* data = reinterpret_cast<char*>(moved) + head;
  ascii_head(moved)->length = length;
  if (shared_wstr) {
    ascii_head(moved)->wstr = reinterpret_cast<wchar_t*>(data);
    compact_head(moved)->wstr_length = length;
  }
  memset(data + length * kind, 0, static_cast<size_t>(kind));
  return moved;
}

static bool resize_legacy(PyObject* self, Py_ssize_t length) {
  PyUnicodeObject* fields = legacy_head(self);
  if (PyUnicode_IS_READY(self)) {
    const int kind = static_cast<int>(PyUnicode_KIND(self));
    const bool shares_utf8 = fields->_base.utf8 == fields->data.any;
    const bool shares_wstr = static_cast<void*>(ascii_head(self)->wstr) == fields->data.any;
    drop_caches(self);
    if (length > PY_SSIZE_T_MAX / kind - 1) return PyErr_NoMemory(), false;
    char* data = static_cast<char*>(PyObject_Realloc(fields->data.any, static_cast<size_t>((length + 1) * kind)));
    if (data == nullptr) return PyErr_NoMemory(), false;
    fields->data.any = data;
    if (shares_utf8) {
      fields->_base.utf8 = data;
      fields->_base.utf8_length = length;
    }
    if (shares_wstr) {
      ascii_head(self)->wstr = reinterpret_cast<wchar_t*>(data);
      fields->_base.wstr_length = length;
    }
    ascii_head(self)->length = length;
    memset(data + length * kind, 0, static_cast<size_t>(kind));
    return true;
  }
  if (length > PY_SSIZE_T_MAX / static_cast<Py_ssize_t>(sizeof(wchar_t)) - 1) return PyErr_NoMemory(), false;
  wchar_t* wide = static_cast<wchar_t*>(
      PyObject_Realloc(ascii_head(self)->wstr, static_cast<size_t>(length + 1) * sizeof(wchar_t)));
  if (wide == nullptr) return PyErr_NoMemory(), false;
  wide[length] = 0;
  ascii_head(self)->wstr = wide;
  fields->_base.wstr_length = length;
  return true;
}

/// A string in the old form: uninitialised wchar_t characters, made ready later.
static PyObject* new_legacy(Py_ssize_t length) {
  if (length == 0) return Py_NewRef(empty_string());
  if (length < 0) {
    PyErr_SetString(PyExc_SystemError, "Negative size passed to _PyUnicode_New");
    return nullptr;
  }
  if (length > PY_SSIZE_T_MAX / static_cast<Py_ssize_t>(sizeof(wchar_t)) - 1) return PyErr_NoMemory();
  PyUnicodeObject* self = PyObject_New(PyUnicodeObject, &PyUnicode_Type);
  if (self == nullptr) return nullptr;
  PyASCIIObject* fields = ascii_head(as_object(self));
  fields->length = 0;
  fields->hash = -1;
  fields->state = {};
  self->_base.wstr_length = length;
  self->_base.utf8 = nullptr;
  self->_base.utf8_length = 0;
  self->data.any = nullptr;
  fields->wstr = static_cast<wchar_t*>(PyObject_Malloc(static_cast<size_t>(length + 1) * sizeof(wchar_t)));
  if (fields->wstr == nullptr) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  fields->wstr[0] = 0;
  fields->wstr[length] = 0;
  return as_object(self);
}

static void free_contents(PyObject* self) {
  switch (PyUnicode_CHECK_INTERNED(self)) {
    case SSTATE_NOT_INTERNED:
      break;
    case SSTATE_INTERNED_MORTAL:
      forget_interned(self);
      break;
    default:
      Py_FatalError("Immortal interned string died");
  }
  if (has_own_wstr(self)) PyObject_Free(ascii_head(self)->wstr);
  if (has_own_utf8(self)) PyObject_Free(compact_head(self)->utf8);
  if (!PyUnicode_IS_COMPACT(self)) PyObject_Free(legacy_head(self)->data.any);
}

/// tp_dealloc of str and its subclasses.
void deallocate(PyObject* self) {
  // FAST: the common compact string without caches has nothing else to free.
  if (LIKELY(ascii_head(self)->state.compact && !ascii_head(self)->state.interned && ascii_head(self)->wstr == nullptr &&
             (ascii_head(self)->state.ascii || compact_head(self)->utf8 == nullptr))) {
    Py_TYPE(self)->tp_free(self);
    return;
  }
  // FAST: it stays in the table, and alive should someone look for it.
  if (PyUnicode_CHECK_INTERNED(self) == SSTATE_INTERNED_MORTAL && state::memory_ends_soon) return;
  free_contents(self);
  Py_TYPE(self)->tp_free(self);
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar) {
  if (size == 0) return Py_NewRef(empty_string());
  return allocate(size, maxchar);
}

void _PyUnicode_ExactDealloc(PyObject* op) { deallocate(op); }

int _PyUnicode_Ready(PyObject* self) {
  if (PyUnicode_IS_READY(self)) return 0;
  const wchar_t* wide = ascii_head(self)->wstr;
  const Py_ssize_t n = compact_head(self)->wstr_length;
  const Py_UCS4* characters = reinterpret_cast<const Py_UCS4*>(wide);
  Py_UCS4 max_char = 0;
  for (Py_ssize_t i = 0; i < n; i++) max_char = characters[i] > max_char ? characters[i] : max_char;
  if (max_char > kMaxUnicode) {
    PyErr_Format(PyExc_ValueError, "character U+%x is not in range [U+0000; U+%x]", max_char, kMaxUnicode);
    return -1;
  }
  PyUnicodeObject* fields = legacy_head(self);
  const int kind = kind_for(max_char);
  if (kind == 4) {
    fields->data.any = ascii_head(self)->wstr;
    fields->_base.utf8 = nullptr;
    fields->_base.utf8_length = 0;
  } else {
    void* data = PyObject_Malloc(static_cast<size_t>((n + 1) * kind));
    if (data == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    dispatch_mutable(kind, data, [&](auto* target) {
      convert(characters, target, n);
      target[n] = 0;
    });
    fields->data.any = data;
    const bool ascii = max_char < 0x80;
    ascii_head(self)->state.ascii = ascii;
    fields->_base.utf8 = ascii ? static_cast<char*>(data) : nullptr;
    fields->_base.utf8_length = ascii ? n : 0;
    PyObject_Free(ascii_head(self)->wstr);
    ascii_head(self)->wstr = nullptr;
    fields->_base.wstr_length = 0;
  }
  ascii_head(self)->length = n;
  ascii_head(self)->state.kind = static_cast<unsigned>(kind);
  ascii_head(self)->state.ready = 1;
  return 0;
}

PyObject* PyUnicode_FromKindAndData(int kind, const void* buffer, Py_ssize_t size) {
  if (size < 0) {
    PyErr_SetString(PyExc_ValueError, "size must be positive");
    return nullptr;
  }
  switch (kind) {
    case PyUnicode_1BYTE_KIND:
      return from_ucs1(static_cast<const Py_UCS1*>(buffer), size);
    case PyUnicode_2BYTE_KIND:
      return from_ucs2(static_cast<const Py_UCS2*>(buffer), size);
    case PyUnicode_4BYTE_KIND: {
      const Py_UCS4* characters = static_cast<const Py_UCS4*>(buffer);
      return from_ucs4(characters, size);
    }
    default:
      PyErr_SetString(PyExc_SystemError, "invalid kind");
      return nullptr;
  }
}

PyObject* PyUnicode_FromStringAndSize(const char* u, Py_ssize_t size) {
  if (size < 0) {
    PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_FromStringAndSize");
    return nullptr;
  }
  if (u != nullptr) return PyUnicode_DecodeUTF8Stateful(u, size, nullptr, nullptr);
  if (size > 0) {
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "PyUnicode_FromStringAndSize(NULL, size) is deprecated; use PyUnicode_New() instead", 1) < 0) {
      return nullptr;
    }
  }
  return new_legacy(size);
}

PyObject* PyUnicode_FromString(const char* u) {
  const size_t size = strlen(u);
  if (size > PY_SSIZE_T_MAX) {
    PyErr_SetString(PyExc_OverflowError, "input too long");
    return nullptr;
  }
  return PyUnicode_DecodeUTF8Stateful(u, static_cast<Py_ssize_t>(size), nullptr, nullptr);
}

PyObject* _PyUnicode_FromASCII(const char* buffer, Py_ssize_t size) { return from_ascii(buffer, size); }

PyObject* PyUnicode_FromOrdinal(int ordinal) {
  if (static_cast<unsigned>(ordinal) < 0x100) return new_latin1_char(static_cast<unsigned>(ordinal));
  if (ordinal < 0 || static_cast<Py_UCS4>(ordinal) > kMaxUnicode) {
    PyErr_SetString(PyExc_ValueError, "chr() arg not in range(0x110000)");
    return nullptr;
  }
  const Py_UCS4 c = static_cast<Py_UCS4>(ordinal);
  PyObject* self = allocate(1, c);
  if (self != nullptr) PyUnicode_WRITE(PyUnicode_KIND(self), PyUnicode_DATA(self), 0, c);
  return self;
}

PyObject* PyUnicode_FromUnicode(const Py_UNICODE* u, Py_ssize_t size) {
  if (size < 0) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (u != nullptr) return PyUnicode_FromWideChar(u, size);
  if (size > 0 && PyErr_WarnEx(PyExc_DeprecationWarning,
                               "PyUnicode_FromUnicode(NULL, size) is deprecated; use PyUnicode_New() instead", 1) < 0) {
    return nullptr;
  }
  return new_legacy(size);
}

PyObject* PyUnicode_FromWideChar(const wchar_t* u, Py_ssize_t size) {
  if (u == nullptr && size != 0) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (size == -1) size = static_cast<Py_ssize_t>(wcslen(u));
  if (size == 0) return Py_NewRef(empty_string());
  if (size < 0) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  const Py_UCS4* characters = reinterpret_cast<const Py_UCS4*>(u);
  for (Py_ssize_t i = 0; i < size; i++) {
    if (UNLIKELY(characters[i] > kMaxUnicode)) {
      PyErr_Format(PyExc_ValueError, "character U+%x is not in range [U+0000; U+%x]", characters[i], kMaxUnicode);
      return nullptr;
    }
  }
  return from_ucs4(characters, size);
}

PyObject* PyUnicode_FromObject(PyObject* obj) {
  if (PyUnicode_CheckExact(obj)) {
    if (!ready(obj)) return nullptr;
    return Py_NewRef(obj);
  }
  if (PyUnicode_Check(obj)) return _PyUnicode_Copy(obj);
  PyErr_Format(PyExc_TypeError, "Can't convert '%.100s' object to str implicitly", Py_TYPE(obj)->tp_name);
  return nullptr;
}

PyObject* _PyUnicode_Copy(PyObject* unicode) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.length == 0) return Py_NewRef(empty_string());
  PyObject* copy = allocate(text.length, class_max(text));
  if (copy != nullptr) memcpy(PyUnicode_DATA(copy), text.data, static_cast<size_t>(text.length * text.kind));
  return copy;
}

PyObject* PyUnicode_Substring(PyObject* self, Py_ssize_t start, Py_ssize_t end) {
  if (!ready(self)) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(self);
  if (end > length) end = length;
  if (start == 0 && end == length) return exact(self);
  if (start < 0 || end < 0) {
    PyErr_SetString(PyExc_IndexError, "string index out of range");
    return nullptr;
  }
  if (start >= length || end < start) return Py_NewRef(empty_string());
  return slice(self, start, end);
}

int PyUnicode_Resize(PyObject** p_unicode, Py_ssize_t length) {
  PyObject* self = p_unicode == nullptr ? nullptr : *p_unicode;
  if (self == nullptr || !PyUnicode_Check(self) || length < 0) {
    PyErr_BadInternalCall();
    return -1;
  }
  const Py_ssize_t old_length = PyUnicode_IS_READY(self) ? PyUnicode_GET_LENGTH(self) : compact_head(self)->wstr_length;
  if (old_length == length) return 0;
  if (length == 0) {
    Py_SETREF(*p_unicode, Py_NewRef(empty_string()));
    return 0;
  }
  if (!is_modifiable(self)) {
    PyObject* copy;
    if (!PyUnicode_IS_READY(self)) {
      copy = new_legacy(length);
      if (copy == nullptr) return -1;
      const Py_ssize_t n = old_length < length ? old_length : length;
      wmemcpy(ascii_head(copy)->wstr, ascii_head(self)->wstr, static_cast<size_t>(n));
    } else {
      const Text text = view(self);
      copy = allocate(length, class_max(text));
      if (copy == nullptr) return -1;
      copy_characters(text.kind, PyUnicode_DATA(copy), 0, text, 0, old_length < length ? old_length : length);
    }
    Py_SETREF(*p_unicode, copy);
    return 0;
  }
  if (!PyUnicode_IS_COMPACT(self)) return resize_legacy(self, length) ? 0 : -1;
  PyObject* moved = resize_compact(self, length);
  if (moved == nullptr) return -1;
  *p_unicode = moved;
  return 0;
}

Py_UCS4 _PyUnicode_FindMaxChar(PyObject* unicode, Py_ssize_t start, Py_ssize_t end) {
  const Text text = view(unicode);
  if (start == 0 && end == text.length) return class_max(text);
  if (start == end || text.ascii) return 0x7f;
  return dispatch(text, [&](auto* characters) { return find_class_max(characters + start, end - start); });
}

void _PyUnicode_FastCopyCharacters(PyObject* to, Py_ssize_t to_start, PyObject* from, Py_ssize_t from_start,
                                   Py_ssize_t how_many) {
  copy_characters(static_cast<int>(PyUnicode_KIND(to)), PyUnicode_DATA(to), to_start, view(from), from_start, how_many);
}

Py_ssize_t PyUnicode_CopyCharacters(PyObject* to, Py_ssize_t to_start, PyObject* from, Py_ssize_t from_start,
                                    Py_ssize_t how_many) {
  if (!PyUnicode_Check(from) || !PyUnicode_Check(to)) {
    PyErr_BadInternalCall();
    return -1;
  }
  if (!ready(from) || !ready(to)) return -1;
  const Text source = view(from);
  const Text target = view(to);
  if (from_start < 0 || from_start > source.length || to_start < 0 || to_start > target.length) {
    PyErr_SetString(PyExc_IndexError, "string index out of range");
    return -1;
  }
  if (how_many < 0) {
    PyErr_SetString(PyExc_SystemError, "how_many cannot be negative");
    return -1;
  }
  if (source.length - from_start < how_many) how_many = source.length - from_start;
  if (to_start + how_many > target.length) {
    PyErr_Format(PyExc_SystemError, "Cannot write %zi characters at %zi in a string of %zi characters", how_many,
                 to_start, target.length);
    return -1;
  }
  if (how_many == 0) return 0;
  if (!is_modifiable(to)) {
    PyErr_SetString(PyExc_SystemError, "Cannot modify a string currently used");
    return -1;
  }
  if (_PyUnicode_FindMaxChar(from, from_start, from_start + how_many) > class_max(target)) {
    PyErr_Format(PyExc_SystemError, "Cannot copy %s characters into a string of %s characters",
                 source.ascii ? "ASCII" : source.kind == 1 ? "latin1" : source.kind == 2 ? "UCS2" : "UCS4",
                 target.ascii ? "ASCII" : target.kind == 1 ? "latin1" : target.kind == 2 ? "UCS2" : "UCS4");
    return -1;
  }
  copy_characters(target.kind, PyUnicode_DATA(to), to_start, source, from_start, how_many);
  return how_many;
}

void _PyUnicode_FastFill(PyObject* unicode, Py_ssize_t start, Py_ssize_t length, Py_UCS4 fill_char) {
  dispatch_mutable(static_cast<int>(PyUnicode_KIND(unicode)), PyUnicode_DATA(unicode), [&](auto* target) {
    for (Py_ssize_t i = 0; i < length; i++) target[start + i] = static_cast<std::remove_reference_t<decltype(*target)>>(fill_char);
  });
}

Py_ssize_t PyUnicode_Fill(PyObject* unicode, Py_ssize_t start, Py_ssize_t length, Py_UCS4 fill_char) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadInternalCall();
    return -1;
  }
  if (!ready(unicode)) return -1;
  if (!is_modifiable(unicode)) {
    PyErr_SetString(PyExc_SystemError, "Cannot modify a string currently used");
    return -1;
  }
  if (start < 0) {
    PyErr_SetString(PyExc_IndexError, "string index out of range");
    return -1;
  }
  if (fill_char > class_max(view(unicode))) {
    PyErr_SetString(PyExc_ValueError, "fill character is bigger than the string maximum character");
    return -1;
  }
  const Py_ssize_t room = PyUnicode_GET_LENGTH(unicode) - start;
  if (length > room) length = room;
  if (length <= 0) return 0;
  _PyUnicode_FastFill(unicode, start, length, fill_char);
  return length;
}

Py_UCS4* PyUnicode_AsUCS4(PyObject* string, Py_UCS4* target, Py_ssize_t targetsize, int copy_null) {
  if (target == nullptr || targetsize < 0) {
    PyErr_BadInternalCall();
    return nullptr;
  }
  if (!ready(string)) return nullptr;
  const Text text = view(string);
  if (targetsize < text.length + (copy_null ? 1 : 0)) {
    PyErr_Format(PyExc_SystemError, "string is longer than the buffer");
    if (copy_null && targetsize > 0) target[0] = 0;
    return nullptr;
  }
  copy_characters(4, target, 0, text, 0, text.length);
  if (copy_null) target[text.length] = 0;
  return target;
}

Py_UCS4* PyUnicode_AsUCS4Copy(PyObject* string) {
  if (!ready(string)) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(string);
  Py_UCS4* target = PyMem_New(Py_UCS4, length + 1);
  if (target == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  return PyUnicode_AsUCS4(string, target, length + 1, 1);
}

Py_ssize_t PyUnicode_GetLength(PyObject* unicode) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return -1;
  }
  return ready(unicode) ? PyUnicode_GET_LENGTH(unicode) : -1;
}

Py_UCS4 PyUnicode_ReadChar(PyObject* unicode, Py_ssize_t index) {
  if (!PyUnicode_Check(unicode)) {
    PyErr_BadArgument();
    return static_cast<Py_UCS4>(-1);
  }
  if (!ready(unicode)) return static_cast<Py_UCS4>(-1);
  if (index < 0 || index >= PyUnicode_GET_LENGTH(unicode)) {
    PyErr_SetString(PyExc_IndexError, "string index out of range");
    return static_cast<Py_UCS4>(-1);
  }
  return PyUnicode_READ_CHAR(unicode, index);
}

int PyUnicode_WriteChar(PyObject* unicode, Py_ssize_t index, Py_UCS4 ch) {
  if (!PyUnicode_Check(unicode) || !PyUnicode_IS_COMPACT(unicode)) {
    PyErr_BadArgument();
    return -1;
  }
  if (index < 0 || index >= PyUnicode_GET_LENGTH(unicode)) {
    PyErr_SetString(PyExc_IndexError, "string index out of range");
    return -1;
  }
  if (!is_modifiable(unicode)) {
    PyErr_SetString(PyExc_SystemError, "Cannot modify a string currently used");
    return -1;
  }
  if (ch > class_max(view(unicode))) {
    PyErr_SetString(PyExc_ValueError, "character out of range");
    return -1;
  }
  PyUnicode_WRITE(PyUnicode_KIND(unicode), PyUnicode_DATA(unicode), index, ch);
  return 0;
}

int _PyUnicode_CheckConsistency(PyObject* op, int check_content) {
  const PyASCIIObject* fields = ascii_head(op);
  if (!fields->state.ready) {
    if (fields->state.kind != 0 || fields->state.compact || fields->wstr == nullptr) {
      _PyObject_ASSERT_FAILED_MSG(op, "inconsistent legacy string");
    }
    return 1;
  }
  const Text text = view(op);
  if (fields->state.ascii && text.kind != 1) _PyObject_ASSERT_FAILED_MSG(op, "ascii string with wide characters");
  if (text[text.length] != 0) _PyObject_ASSERT_FAILED_MSG(op, "string without terminator");
  if (check_content) {
    const Py_UCS4 seen = dispatch(text, [&](auto* characters) { return find_class_max(characters, text.length); });
    if (seen != class_max(text) && text.length != 0) _PyObject_ASSERT_FAILED_MSG(op, "string wider than its characters");
  }
  return 1;
}
