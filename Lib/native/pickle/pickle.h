// Pieces of the _pickle module: the objects, the opcode numbers and what picklers and unpicklers share.
//
// INVARIANT: both objects survive being re-entered from the Python code they call: no pointer into a stack, memo or
// buffer is kept over a call, and every stack access checks its bounds again.
#pragma once

#include "Objects/bind.h"
#include "structmember.h"

#include <internal/pycore_global_strings.h>
#include <internal/pycore_pystate.h>

namespace pyston::pickling {

enum Opcode : unsigned char {
  kMark = '(', kStop = '.', kPop = '0', kPopMark = '1', kDup = '2', kFloat = 'F', kInt = 'I', kBinInt = 'J',
  kBinInt1 = 'K', kLong = 'L', kBinInt2 = 'M', kNone = 'N', kPersId = 'P', kBinPersId = 'Q', kReduce = 'R',
  kString = 'S', kBinString = 'T', kShortBinString = 'U', kUnicode = 'V', kBinUnicode = 'X', kAppend = 'a',
  kBuild = 'b', kGlobal = 'c', kDict = 'd', kEmptyDict = '}', kAppends = 'e', kGet = 'g', kBinGet = 'h', kInst = 'i',
  kLongBinGet = 'j', kList = 'l', kEmptyList = ']', kObj = 'o', kPut = 'p', kBinPut = 'q', kLongBinPut = 'r',
  kSetItem = 's', kTuple = 't', kEmptyTuple = ')', kSetItems = 'u', kBinFloat = 'G',
  kProto = 0x80, kNewObj = 0x81, kExt1 = 0x82, kExt2 = 0x83, kExt4 = 0x84, kTuple1 = 0x85, kTuple2 = 0x86,
  kTuple3 = 0x87, kNewTrue = 0x88, kNewFalse = 0x89, kLong1 = 0x8a, kLong4 = 0x8b, kBinBytes = 'B',
  kShortBinBytes = 'C', kShortBinUnicode = 0x8c, kBinUnicode8 = 0x8d, kBinBytes8 = 0x8e, kEmptySet = 0x8f,
  kAddItems = 0x90, kFrozenSet = 0x91, kNewObjEx = 0x92, kStackGlobal = 0x93, kMemoize = 0x94, kFrame = 0x95,
  kByteArray8 = 0x96, kNextBuffer = 0x97, kReadOnlyBuffer = 0x98,
};
constexpr int kHighestProtocol = 5;
constexpr int kDefaultProtocol = 4;
constexpr Py_ssize_t kBatch = 1000;
constexpr Py_ssize_t kFrameTarget = 64 * 1024;
constexpr Py_ssize_t kFrameMinimum = 4;
constexpr Py_ssize_t kFrameHeader = 9;

/// What the module looks up once in each interpreter: objects of other modules, which die with the interpreter.
struct Shared {
  PyObject *pickle_error, *pickling_error, *unpickling_error;
  PyObject *dispatch_table, *extension_registry, *inverted_registry, *extension_cache;  // copyreg's
  PyObject *name_mapping, *import_mapping, *reverse_name_mapping, *reverse_import_mapping;
  PyObject *codecs_encode, *partial, *getattr;
};
Shared& shared();

// ---- the pickler's memo ------------------------------------------------------------------------------------------

/// Identity hash table from object (owned) to its number. Open addressing; power-of-two capacity; never removes.
struct MemoTable {
  struct Entry {
    PyObject* key;
    Py_ssize_t number;
  };
  size_t mask;
  Py_ssize_t used;
  Py_ssize_t allocated;
  Entry* entries;

  static MemoTable* create();
  static void destroy(MemoTable* table);
  MemoTable* copy() const;
  void clear();
  /// The entry of `key`, or the free one where it goes.
  ALWAYS_INLINE Entry* find(PyObject* key) const {
    size_t i = hash(key) & mask;
    while (entries[i].key != nullptr && entries[i].key != key) i = (i + 1) & mask;
    return &entries[i];
  }
  ALWAYS_INLINE const Entry* get(PyObject* key) const {
    Entry* entry = find(key);
    return entry->key != nullptr ? entry : nullptr;
  }
  Status set(PyObject* key, Py_ssize_t number);

 private:
  static size_t hash(PyObject* key) {
    const size_t bits = reinterpret_cast<size_t>(key) * size_t{0x9E3779B97F4A7C15};
    return bits >> 32;
  }
};

struct PicklerObject {
  PyObject_HEAD
  MemoTable* memo;
  PyObject* persistent_id;       // owned; null: no hook
  PyObject* persistent_id_self;  // borrowed (the pickler itself) when persistent_id is a plain function
  PyObject* dispatch_table;      // null: copyreg's
  PyObject* reducer_override;
  PyObject* write;  // null in dumps()
  PyObject* output;  // bytes being filled, or null
  Py_ssize_t output_size;
  Py_ssize_t frame_start;  // of the open frame's header in output, or -1
  int protocol;
  int binary;
  int framing;
  int fast;
  int fast_nesting;
  int fix_imports;
  PyObject* fast_memo;
  PyObject* buffer_callback;
  void* reserved[3];  // keeps the size that sys.getsizeof() tests expect
};
static_assert(sizeof(PicklerObject) == 152, "sys.getsizeof() of a Pickler is tested");

struct UnpicklerObject {
  PyObject_HEAD
  PyObject** stack;
  Py_ssize_t stack_size;
  Py_ssize_t stack_allocated;
  Py_ssize_t fence;  // the stack below it belongs to outer marks
  Py_ssize_t* marks;
  Py_ssize_t mark_count;
  Py_ssize_t marks_allocated;
  PyObject** memo;
  Py_ssize_t memo_allocated;
  Py_ssize_t memo_used;
  PyObject* persistent_load;
  PyObject* persistent_load_self;  // borrowed, as in the pickler
  // The input: the buffer of loads(), held by it, or the bytes read or peeked last.
  const char* input;
  Py_ssize_t input_size;
  Py_ssize_t position;
  PyObject *read, *readinto, *readline, *peek;
  char* line;
  Py_ssize_t line_size;
  char* encoding;
  char* errors;
  PyObject* buffers;  // iterator
  PyObject* input_owner;  // bytes behind `input` when it came from the file
  int peeked;             // `input` is still to be skipped in the file up to `position`
  int protocol;
  int fix_imports;
  PyObject* far_memo;  // dict for indices far beyond memo_used; null as long as there is none
  void* reserved[4];
};
static_assert(sizeof(UnpicklerObject) == 272, "sys.getsizeof() of an Unpickler is tested");

/// "Can't get attribute..." aware getattr over a dotted name. `parent` (optional) gets the owner of the last part.
Ref<> get_deep_attribute(PyObject* object, PyObject* dotted_name, Ref<>* parent);
/// Checks a dotted name for "<locals>"; `object` may be null.
Status check_dotted_name(PyObject* name, PyObject* object);

/// Stores `object.name` as a hook that makes no reference cycle with `self`.
Status bind_hook(PyObject* self, PyObject* name, PyObject*& function, PyObject*& function_self);
inline PyObject* call_hook(PyObject* function, PyObject* self, PyObject* argument) {
  if (self == nullptr) return PyObject_CallOneArg(function, argument);
  PyObject* arguments[2] = {self, argument};
  return PyObject_Vectorcall(function, arguments, 2, nullptr);
}
inline PyObject* get_hook(PyObject* function, PyObject* self, const char* name) {
  if (function == nullptr) return raise(PyExc_AttributeError, name);
  return self != nullptr ? PyMethod_New(function, self) : Py_NewRef(function);
}

extern PyTypeObject* g_pickler_type;
extern PyTypeObject* g_unpickler_type;
Status add_pickler_types(PyObject* module);
Status add_unpickler_types(PyObject* module);

PyObject* pickle_dump(PyObject*, PyObject* object, PyObject* file, PyObject* protocol, PyObject* fix_imports,
                      PyObject* buffer_callback);
PyObject* pickle_dumps(PyObject*, PyObject* object, PyObject* protocol, PyObject* fix_imports,
                       PyObject* buffer_callback);
PyObject* pickle_load(PyObject*, PyObject* file, PyObject* fix_imports, PyObject* encoding, PyObject* errors,
                      PyObject* buffers);
PyObject* pickle_loads(PyObject*, PyObject* data, PyObject* fix_imports, PyObject* encoding, PyObject* errors,
                       PyObject* buffers);
}  // namespace pyston::pickling
