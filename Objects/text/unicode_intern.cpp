// Interned strings, static identifiers, and start-up and shutdown of the str type.
//
// The interned strings stand in an open-addressing table of pointers, which is not a dict: so an entry costs one
// word and the table holds no references. INVARIANT: a mortal interned string takes itself out of the table when it
// dies (deallocate -> forget_interned).
#include "Objects/text/text.h"

#include "internal/pycore_atomic_funcs.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_structseq.h"

namespace pyston::text {
namespace {

/// Linear probing over a power of two. Deletion moves later entries back, so there are no tombstones.
/// FAST: the upper sixteen bits of a slot, which addresses don't need, are bits of the hash: looking at another string's
/// slot hardly ever touches that string.
class InternTable {
 public:
  /// The string with this hash for which `same(string)` holds, or null.
  template <class Same>
  PyObject* find(Py_hash_t hash, Same same) const {
    if (slots_ == nullptr) return nullptr;
    for (size_t i = static_cast<size_t>(hash) & mask_; slots_[i] != 0; i = (i + 1) & mask_) {
      if ((slots_[i] ^ static_cast<uintptr_t>(hash)) >> kAddressBits != 0) continue;
      PyObject* other = string_of(slots_[i]);
      if (ascii_head(other)->hash == hash && same(other)) return other;
    }
    return nullptr;
  }
  /// The equal string in the table, or null.
  PyObject* find(PyObject* string, Py_hash_t hash) const {
    return find(hash, [string](PyObject* other) { return other == string || equal(other, string); });
  }
  /// The string is not in the table. False when out of memory (no exception set).
  bool add(PyObject* string) {
    if (slots_ == nullptr || (used_ + 1) * 2 > mask_ + 1) {
      if (!grow()) return false;
    }
    place(slot_of(string));
    used_++;
    return true;
  }
  void remove(PyObject* string) {
    if (slots_ == nullptr) return;
    const uintptr_t slot = slot_of(string);
    size_t hole = home(string);
    while (slots_[hole] != slot) {
      if (slots_[hole] == 0) return;
      hole = (hole + 1) & mask_;
    }
    for (size_t i = (hole + 1) & mask_; slots_[i] != 0; i = (i + 1) & mask_) {
      if (((i - home(string_of(slots_[i]))) & mask_) >= ((i - hole) & mask_)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = 0;
    used_--;
  }
  template <class Function>
  void clear(Function&& each) {
    for (size_t i = 0; slots_ != nullptr && i <= mask_; i++) {
      if (slots_[i] != 0) each(string_of(slots_[i]));
    }
    PyMem_RawFree(slots_);
    slots_ = nullptr;
    mask_ = used_ = 0;
  }

 private:
  static constexpr int kAddressBits = 48;

  static PyObject* string_of(uintptr_t slot) {
    return reinterpret_cast<PyObject*>(slot & ((uintptr_t{1} << kAddressBits) - 1));
  }
  static uintptr_t slot_of(PyObject* string) {
    return reinterpret_cast<uintptr_t>(string) |
           static_cast<uintptr_t>(ascii_head(string)->hash) >> kAddressBits << kAddressBits;
  }
  size_t home(PyObject* string) const { return static_cast<size_t>(ascii_head(string)->hash) & mask_; }
  void place(uintptr_t slot) {
    size_t i = home(string_of(slot));
    while (slots_[i] != 0) i = (i + 1) & mask_;
    slots_[i] = slot;
  }
  bool grow() {
    const size_t old_size = slots_ == nullptr ? 0 : mask_ + 1;
    const size_t size = old_size == 0 ? 8192 : old_size * 2;
    auto* fresh = static_cast<uintptr_t*>(PyMem_RawCalloc(size, sizeof(uintptr_t)));
    if (fresh == nullptr) return false;
    uintptr_t* old = slots_;
    slots_ = fresh;
    mask_ = size - 1;
    for (size_t i = 0; i < old_size; i++) {
      if (old[i] != 0) place(old[i]);
    }
    PyMem_RawFree(old);
    return true;
  }

  uintptr_t* slots_ = nullptr;
  size_t mask_ = 0;
  size_t used_ = 0;
};

InternTable interned;

/// Visits the strings of a packed run of `STRUCT_FOR_STR` fields, whose sizes follow from their lengths.
template <class Function>
void each_static_string(void* first, size_t bytes, Function&& function) {
  char* at = static_cast<char*>(first);
  char* stop = at + bytes;
  while (at < stop) {
    PyObject* string = reinterpret_cast<PyObject*>(at);
    const size_t size = sizeof(PyASCIIObject) + static_cast<size_t>(ascii_head(string)->length) + 1;
    at += (size + alignof(PyASCIIObject) - 1) & ~(alignof(PyASCIIObject) - 1);
    function(string);
  }
}

bool intern_static(PyObject* string) {
  const Py_hash_t value = hash(string);
  if (interned.find(string, value) != nullptr) return true;
  if (!interned.add(string)) return false;
  ascii_head(string)->state.interned = SSTATE_INTERNED_IMMORTAL;
  return true;
}

}  // namespace

void forget_interned(PyObject* string) { interned.remove(string); }

PyObject* intern_ascii(const void* characters, Py_ssize_t length) {
  if (length == 0) return Py_NewRef(empty_string());
  if (length == 1) return new_latin1_char(*static_cast<const unsigned char*>(characters));
  const Py_hash_t value = _Py_HashBytes(characters, length);
  PyObject* known = interned.find(value, [&](PyObject* other) {
    return PyUnicode_IS_ASCII(other) && PyUnicode_GET_LENGTH(other) == length &&
           memcmp(PyUnicode_1BYTE_DATA(other), characters, static_cast<size_t>(length)) == 0;
  });
  if (known != nullptr) return Py_NewRef(known);
  PyObject* string = PyUnicode_New(length, 127);
  if (string == nullptr) return nullptr;
  memcpy(PyUnicode_1BYTE_DATA(string), characters, static_cast<size_t>(length));
  ascii_head(string)->hash = value;
  if (interned.add(string)) ascii_head(string)->state.interned = SSTATE_INTERNED_MORTAL;
  return string;
}

/// Interns the strings that `_PyRuntime` holds, so that identifiers of the program are the same objects.
static bool intern_static_strings() {
  auto& strings = _Py_SINGLETON(strings);
  bool fine = intern_static(empty_string());
  for (auto& character : strings.ascii) fine = fine && intern_static(reinterpret_cast<PyObject*>(&character));
  for (auto& character : strings.latin1) fine = fine && intern_static(reinterpret_cast<PyObject*>(&character));
  auto visit = [&](PyObject* string) { fine = fine && intern_static(string); };
  each_static_string(&strings.identifiers, sizeof(strings.identifiers), visit);
  each_static_string(&strings.literals, sizeof(strings.literals), visit);
  return fine;
}

}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

void PyUnicode_InternInPlace(PyObject** p) {
  PyObject* string = *p;
  if (string == nullptr || !PyUnicode_Check(string)) return;
  // QUIRK: subclasses are left alone: their identity and attributes matter.
  if (!PyUnicode_CheckExact(string)) return;
  if (PyUnicode_CHECK_INTERNED(string)) return;
  if (!ready(string)) {
    PyErr_Clear();
    return;
  }
  const Py_hash_t value = hash(string);
  if (PyObject* other = interned.find(string, value)) {
    if (other != string) {
      Py_INCREF(other);
      *p = other;
      Py_DECREF(string);
    }
    return;
  }
  if (!interned.add(string)) return;
  ascii_head(string)->state.interned = SSTATE_INTERNED_MORTAL;
}

void PyUnicode_InternImmortal(PyObject** p) {
  if (PyErr_WarnEx(PyExc_DeprecationWarning,
                   "PyUnicode_InternImmortal() is deprecated; use PyUnicode_InternInPlace() instead", 1) < 0) {
    PyErr_WriteUnraisable(nullptr);
  }
  PyUnicode_InternInPlace(p);
  if (PyUnicode_CHECK_INTERNED(*p) == SSTATE_INTERNED_MORTAL) {
    ascii_head(*p)->state.interned = SSTATE_INTERNED_IMMORTAL;
    Py_INCREF(*p);
  }
}

PyObject* PyUnicode_InternFromString(const char* u) {
  PyObject* string = PyUnicode_FromString(u);
  if (string != nullptr) PyUnicode_InternInPlace(&string);
  return string;
}

PyObject* _PyUnicode_FromId(_Py_Identifier* id) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  struct _Py_unicode_ids* ids = &interp->unicode.ids;
  Py_ssize_t index = _Py_atomic_size_get(&id->index);
  if (UNLIKELY(index < 0)) {
    struct _Py_unicode_runtime_ids* runtime_ids = &_PyRuntime.unicode_ids;
    PyThread_acquire_lock(runtime_ids->lock, WAIT_LOCK);
    index = _Py_atomic_size_get(&id->index);
    if (index < 0) {
      index = runtime_ids->next_index++;
      _Py_atomic_size_set(&id->index, index);
    }
    PyThread_release_lock(runtime_ids->lock);
  }
  if (LIKELY(index < ids->size && ids->array[index] != nullptr)) return ids->array[index];
  PyObject* string = PyUnicode_DecodeUTF8Stateful(id->string, static_cast<Py_ssize_t>(strlen(id->string)), nullptr, nullptr);
  if (string == nullptr) return nullptr;
  PyUnicode_InternInPlace(&string);
  if (index >= ids->size) {
    const Py_ssize_t size = index + 16;
    PyObject** array = static_cast<PyObject**>(PyMem_Realloc(ids->array, static_cast<size_t>(size) * sizeof(PyObject*)));
    if (array == nullptr) {
      Py_DECREF(string);
      PyErr_NoMemory();
      return nullptr;
    }
    memset(array + ids->size, 0, static_cast<size_t>(size - ids->size) * sizeof(PyObject*));
    ids->array = array;
    ids->size = size;
  }
  ids->array[index] = string;  // borrowed to callers, owned here until the interpreter ends
  return string;
}

void _PyUnicode_InitState(PyInterpreterState*) {}

PyStatus _PyUnicode_InitGlobalObjects(PyInterpreterState* interp) {
  if (interp != _PyRuntime.interpreters.main && _PyRuntime.interpreters.main != nullptr) return PyStatus_Ok();
  if (!intern_static_strings()) return PyStatus_NoMemory();
  return PyStatus_Ok();
}

void _PyUnicode_ClearInterned(PyInterpreterState* interp) {
  if (interp != _PyRuntime.interpreters.main) return;
  interned.clear([](PyObject* string) { ascii_head(string)->state.interned = SSTATE_NOT_INTERNED; });
}

void _PyStaticUnicode_Dealloc(PyObject* op) {
  // Statically allocated: the memory stays and the next initialisation computes the hash with its own key.
  PyASCIIObject* fields = ascii_head(op);
  if (fields->state.interned) forget_interned(op);
  fields->state.interned = SSTATE_NOT_INTERNED;
  fields->hash = -1;
  Py_SET_REFCNT(op, 999999999);
}

static void clear_fs_codec(struct _Py_unicode_fs_codec* codec) {
  PyMem_RawFree(codec->encoding);
  codec->encoding = nullptr;
  codec->utf8 = 0;
  PyMem_RawFree(codec->errors);
  codec->errors = nullptr;
  codec->error_handler = _Py_ERROR_UNKNOWN;
}

void _PyUnicode_Fini(PyInterpreterState* interp) {
  struct _Py_unicode_ids* ids = &interp->unicode.ids;
  for (Py_ssize_t i = 0; i < ids->size; i++) Py_XDECREF(ids->array[i]);
  PyMem_Free(ids->array);
  ids->array = nullptr;
  ids->size = 0;
  clear_fs_codec(&interp->unicode.fs_codec);
}
