// list.sort: a stable merge sort over natural runs (timsort's run detection and galloping, Munro and Wild's powersort
// for the merge order), instantiated for three kinds of keys.
//
// Before sorting, one pass looks at the keys. Where all are small ints, floats, or one-byte strings, their values are
// copied next to the item pointers, so that comparisons touch neither objects nor the interpreter and cannot fail.
// Otherwise keys are compared through tp_richcompare directly (one type) or PyObject_RichCompare (mixed types).
//
// INVARIANT: at every moment the items are a permutation of the original ones, so an exception raised by a comparison
// leaves a valid list. A comparison is only ever «is x less than y», as for CPython.
#include "Objects/containers/list.h"

#include <algorithm>

namespace pyston {
namespace {

// ---- Items and their order ----------------------------------------------------------------------------------------

struct ObjectItem {
  PyObject* key;
  PyObject* value;
};
struct IntItem {
  int64_t key;
  PyObject* value;
};
struct FloatItem {
  double key;
  PyObject* value;
};
/// The first eight characters decide most comparisons.
struct TextItem {
  uint64_t prefix;
  PyObject* key;
  PyObject* value;
};

/// Each Less gives 1, 0, or -1 with an exception set.
struct IntLess {
  ALWAYS_INLINE int operator()(const IntItem& a, const IntItem& b) const { return a.key < b.key; }
};
struct FloatLess {
  ALWAYS_INLINE int operator()(const FloatItem& a, const FloatItem& b) const { return a.key < b.key; }
};
struct TextLess {
  ALWAYS_INLINE int operator()(const TextItem& a, const TextItem& b) const {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const Py_ssize_t length_a = PyUnicode_GET_LENGTH(a.key), length_b = PyUnicode_GET_LENGTH(b.key);
    const Py_ssize_t common = length_a < length_b ? length_a : length_b;
    if (common > 8) {
      const int order = memcmp(PyUnicode_1BYTE_DATA(a.key) + 8, PyUnicode_1BYTE_DATA(b.key) + 8,
                               static_cast<size_t>(common - 8));
      if (order != 0) return order < 0;
    }
    return length_a < length_b;
  }
};

COLD int less_by_protocol(PyObject* a, PyObject* b) { return PyObject_RichCompareBool(a, b, Py_LT); }

/// Keys of one type whose tp_richcompare is `compare`.
ALWAYS_INLINE int less_by_slot(PyObject* a, PyObject* b, richcmpfunc compare) {
  PyObject* result = compare(a, b, Py_LT);
  if (UNLIKELY(result == Py_NotImplemented)) {
    Py_DECREF(result);
    return less_by_protocol(a, b);
  }
  if (UNLIKELY(result == nullptr)) return -1;
  int truth;
  if (PyBool_Check(result)) {
    truth = result == Py_True;
  } else {
    truth = PyObject_IsTrue(result);
  }
  Py_DECREF(result);
  return truth;
}

struct AnyLess {
  int operator()(const ObjectItem& a, const ObjectItem& b) const { return less_by_protocol(a.key, b.key); }
};
struct SlotLess {
  richcmpfunc compare;
  int operator()(const ObjectItem& a, const ObjectItem& b) const {
    // A comparison may have changed the type of a key: look again.
    if (LIKELY(Py_TYPE(a.key)->tp_richcompare == compare && Py_TYPE(a.key) == Py_TYPE(b.key))) {
      return less_by_slot(a.key, b.key, compare);
    }
    return less_by_protocol(a.key, b.key);
  }
};

/// Atoms of the same type without calls; -2 when the pair is none of them.
ALWAYS_INLINE int less_atoms(PyObject* a, PyObject* b) {
  PyTypeObject* type = Py_TYPE(a);
  if (type != Py_TYPE(b)) return -2;
  if (type == &PyLong_Type) {
    const Py_ssize_t size_a = Py_SIZE(a), size_b = Py_SIZE(b);
    if (size_a >= -1 && size_a <= 1 && size_b >= -1 && size_b <= 1) {
      const auto value_a = size_a * static_cast<int64_t>(reinterpret_cast<PyLongObject*>(a)->ob_digit[0]);
      const auto value_b = size_b * static_cast<int64_t>(reinterpret_cast<PyLongObject*>(b)->ob_digit[0]);
      return value_a < value_b;
    }
    return -2;
  }
  if (type == &PyFloat_Type) return PyFloat_AS_DOUBLE(a) < PyFloat_AS_DOUBLE(b);
  if (type == &PyUnicode_Type && PyUnicode_IS_READY(a) && PyUnicode_IS_READY(b)) return PyUnicode_Compare(a, b) < 0;
  return -2;
}

/// Exact tuples: the first items that differ decide.
struct TupleLess {
  int operator()(const ObjectItem& item_a, const ObjectItem& item_b) const {
    PyObject *a = item_a.key, *b = item_b.key;
    if (UNLIKELY(!PyTuple_CheckExact(a) || !PyTuple_CheckExact(b))) return less_by_protocol(a, b);
    const Py_ssize_t size_a = Py_SIZE(a), size_b = Py_SIZE(b);
    const Py_ssize_t common = size_a < size_b ? size_a : size_b;
    for (Py_ssize_t i = 0; i < common; i++) {
      PyObject *x = PyTuple_GET_ITEM(a, i), *y = PyTuple_GET_ITEM(b, i);
      const int equal = items_equal(x, y);
      if (equal < 0) return -1;
      if (equal) continue;
      const int less = less_atoms(x, y);
      return LIKELY(less != -2) ? less : less_by_protocol(x, y);
    }
    return size_a < size_b;
  }
};

// ---- The algorithm -----------------------------------------------------------------------------------------------

constexpr Py_ssize_t kMinGallop = 7;
constexpr int kMaxPending = 85;

template <class Item, class Less>
class Sorter {
 public:
  Sorter(Item* items, Py_ssize_t count, Less less) : items_(items), count_(count), less_(less) {}
  ~Sorter() {
    if (buffer_ != inline_buffer_) PyMem_Free(buffer_);
  }

  bool sort() {
    if (count_ < 2) return true;
    const Py_ssize_t minimum_run = run_length_for(count_);
    Item* low = items_;
    Py_ssize_t left = count_;
    do {
      bool descending;
      Py_ssize_t length = find_run(low, low + left, descending);
      if (length < 0) return false;
      if (descending) std::reverse(low, low + length);
      if (length < minimum_run) {
        const Py_ssize_t forced = left <= minimum_run ? left : minimum_run;
        if (!insertion_sort(low, low + forced, low + length)) return false;
        length = forced;
      }
      if (!push_run(low, length)) return false;
      low += length;
      left -= length;
    } while (left > 0);
    while (pending_count_ > 1) {
      Py_ssize_t top = pending_count_ - 2;
      if (top > 0 && pending_[top - 1].length < pending_[top + 1].length) top--;
      if (!merge_at(top)) return false;
    }
    return true;
  }

 private:
  struct Run {
    Item* base;
    Py_ssize_t length;
    int power;
  };

  static Py_ssize_t run_length_for(Py_ssize_t count) {
    Py_ssize_t rest = 0;
    while (count >= 64) {
      rest |= count & 1;
      count >>= 1;
    }
    return count + rest;
  }

  /// Length of the run at `low`: never descending, or strictly descending. -1 on failure.
  Py_ssize_t find_run(Item* low, Item* end, bool& descending) {
    descending = false;
    if (low + 1 == end) return 1;
    Item* at = low + 1;
    int less = less_(at[0], at[-1]);
    if (less < 0) return -1;
    descending = less;
    for (at++; at < end; at++) {
      less = less_(at[0], at[-1]);
      if (UNLIKELY(less < 0)) return -1;
      if ((less != 0) != descending) break;
    }
    return at - low;
  }

  /// Sorts [low, end) of which [low, start) is sorted, by binary insertion.
  bool insertion_sort(Item* low, Item* end, Item* start) {
    if (start == low) start++;
    for (; start < end; start++) {
      const Item pivot = *start;
      Item *left = low, *right = start;
      do {
        Item* middle = left + ((right - left) >> 1);
        const int less = less_(pivot, *middle);
        if (UNLIKELY(less < 0)) return false;
        if (less) {
          right = middle;
        } else {
          left = middle + 1;
        }
      } while (left < right);
      memmove(static_cast<void*>(left + 1), left, static_cast<size_t>(start - left) * sizeof(Item));
      *left = pivot;
    }
    return true;
  }

  /// Powersort: the depth in a nearly optimal merge tree of the border between two neighbouring runs.
  int border_power(const Run& first, Py_ssize_t second_length) const {
    Py_ssize_t a = 2 * (first.base - items_) + first.length;
    Py_ssize_t b = a + first.length + second_length;
    for (int power = 1;; power++) {
      if (a >= count_) {
        a -= count_;
        b -= count_;
      } else if (b >= count_) {
        return power;
      }
      a <<= 1;
      b <<= 1;
    }
  }

  bool push_run(Item* base, Py_ssize_t length) {
    if (pending_count_ > 0) {
      const int power = border_power(pending_[pending_count_ - 1], length);
      while (pending_count_ > 1 && pending_[pending_count_ - 2].power > power) {
        if (!merge_at(pending_count_ - 2)) return false;
      }
      pending_[pending_count_ - 1].power = power;
    }
    pending_[pending_count_++] = {base, length, 0};
    return true;
  }

  /// Merges the pending runs `index` and `index + 1`.
  bool merge_at(Py_ssize_t index) {
    Run &first = pending_[index], &second = pending_[index + 1];
    Item *a = first.base, *b = second.base;
    Py_ssize_t count_a = first.length, count_b = second.length;
    first.length = count_a + count_b;
    if (index == pending_count_ - 3) pending_[index + 1] = pending_[index + 2];
    pending_count_--;
    // What is in place already at both ends takes no part.
    const Py_ssize_t skip = gallop_right(*b, a, count_a, 0);
    if (skip < 0) return false;
    a += skip;
    count_a -= skip;
    if (count_a == 0) return true;
    count_b = gallop_left(a[count_a - 1], b, count_b, count_b - 1);
    if (count_b <= 0) return count_b == 0;
    return count_a <= count_b ? merge_low(a, count_a, b, count_b) : merge_high(a, count_a, b, count_b);
  }

  /// First position in sorted `run` at which `key` can go with everything before it being less. -1 on failure.
  Py_ssize_t gallop_left(const Item& key, Item* run, Py_ssize_t count, Py_ssize_t hint) {
    Py_ssize_t last = 0, offset = 1;
    int less = less_(run[hint], key);
    if (less < 0) return -1;
    if (less) {
      const Py_ssize_t limit = count - hint;
      while (offset < limit) {
        if ((less = less_(run[hint + offset], key)) < 0) return -1;
        if (!less) break;
        last = offset;
        offset = (offset << 1) + 1;
      }
      if (offset > limit) offset = limit;
      last += hint;
      offset += hint;
    } else {
      const Py_ssize_t limit = hint + 1;
      while (offset < limit) {
        if ((less = less_(run[hint - offset], key)) < 0) return -1;
        if (less) break;
        last = offset;
        offset = (offset << 1) + 1;
      }
      if (offset > limit) offset = limit;
      const Py_ssize_t low = hint - offset;
      offset = hint - last;
      last = low;
    }
    for (last++; last < offset;) {
      const Py_ssize_t middle = last + ((offset - last) >> 1);
      if ((less = less_(run[middle], key)) < 0) return -1;
      if (less) {
        last = middle + 1;
      } else {
        offset = middle;
      }
    }
    return offset;
  }

  /// Last position at which `key` can go with nothing before it being greater. -1 on failure.
  Py_ssize_t gallop_right(const Item& key, Item* run, Py_ssize_t count, Py_ssize_t hint) {
    Py_ssize_t last = 0, offset = 1;
    int less = less_(key, run[hint]);
    if (less < 0) return -1;
    if (less) {
      const Py_ssize_t limit = hint + 1;
      while (offset < limit) {
        if ((less = less_(key, run[hint - offset])) < 0) return -1;
        if (!less) break;
        last = offset;
        offset = (offset << 1) + 1;
      }
      if (offset > limit) offset = limit;
      const Py_ssize_t low = hint - offset;
      offset = hint - last;
      last = low;
    } else {
      const Py_ssize_t limit = count - hint;
      while (offset < limit) {
        if ((less = less_(key, run[hint + offset])) < 0) return -1;
        if (less) break;
        last = offset;
        offset = (offset << 1) + 1;
      }
      if (offset > limit) offset = limit;
      last += hint;
      offset += hint;
    }
    for (last++; last < offset;) {
      const Py_ssize_t middle = last + ((offset - last) >> 1);
      if ((less = less_(key, run[middle])) < 0) return -1;
      if (less) {
        offset = middle;
      } else {
        last = middle + 1;
      }
    }
    return offset;
  }

  bool reserve(Py_ssize_t count) {
    if (count <= buffer_size_) return true;
    if (buffer_ != inline_buffer_) PyMem_Free(buffer_);
    buffer_ = inline_buffer_;
    buffer_size_ = kInlineBuffer;
    auto* memory = PyMem_New(Item, static_cast<size_t>(count));
    if (memory == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    buffer_ = memory;
    buffer_size_ = count;
    return true;
  }

  static void move(Item* target, const Item* source, Py_ssize_t count) {
    memmove(static_cast<void*>(target), source, static_cast<size_t>(count) * sizeof(Item));
  }

  /// Merges neighbours with count_a <= count_b, left to right. a[0] > b[0] and a's last belongs at the very end.
  bool merge_low(Item* a, Py_ssize_t count_a, Item* b, Py_ssize_t count_b) {
    if (!reserve(count_a)) return false;
    move(buffer_, a, count_a);
    Item* out = a;
    a = buffer_;
    bool fine = true;
    int less;
    *out++ = *b++;
    if (--count_b == 0) goto done;
    if (count_a == 1) goto a_goes_last;
    {
      Py_ssize_t gallop = min_gallop_;
      while (true) {
        Py_ssize_t wins_a = 0, wins_b = 0;
        while (true) {  // one at a time, until one side seems to win all the time
          if ((less = less_(*b, *a)) < 0) goto failed;
          if (less) {
            *out++ = *b++;
            wins_b++;
            wins_a = 0;
            if (--count_b == 0) goto done;
            if (wins_b >= gallop) break;
          } else {
            *out++ = *a++;
            wins_a++;
            wins_b = 0;
            if (--count_a == 1) goto a_goes_last;
            if (wins_a >= gallop) break;
          }
        }
        gallop++;
        do {
          gallop -= gallop > 1;
          min_gallop_ = gallop;
          Py_ssize_t taken = gallop_right(*b, a, count_a, 0);
          if (taken < 0) goto failed;
          wins_a = taken;
          if (taken > 0) {
            move(out, a, taken);
            out += taken;
            a += taken;
            count_a -= taken;
            if (count_a == 1) goto a_goes_last;
            // Only an inconsistent order gets here.
            if (count_a == 0) goto done;
          }
          *out++ = *b++;
          if (--count_b == 0) goto done;
          taken = gallop_left(*a, b, count_b, 0);
          if (taken < 0) goto failed;
          wins_b = taken;
          if (taken > 0) {
            move(out, b, taken);
            out += taken;
            b += taken;
            count_b -= taken;
            if (count_b == 0) goto done;
          }
          *out++ = *a++;
          if (--count_a == 1) goto a_goes_last;
        } while (wins_a >= kMinGallop || wins_b >= kMinGallop);
        gallop++;  // leaving this mode costs
        min_gallop_ = gallop;
      }
    }
  failed:
    fine = false;
  done:
    if (count_a > 0) move(out, a, count_a);
    return fine;
  a_goes_last:
    move(out, b, count_b);
    out[count_b] = *a;
    return true;
  }

  /// The same for count_a > count_b, right to left.
  bool merge_high(Item* a, Py_ssize_t count_a, Item* b, Py_ssize_t count_b) {
    if (!reserve(count_b)) return false;
    Item* const base_a = a;
    Item* out = b + count_b - 1;
    move(buffer_, b, count_b);
    Item* const base_b = buffer_;
    b = base_b + count_b - 1;
    a += count_a - 1;
    bool fine = true;
    int less;
    *out-- = *a--;
    if (--count_a == 0) goto done;
    if (count_b == 1) goto b_goes_first;
    {
      Py_ssize_t gallop = min_gallop_;
      while (true) {
        Py_ssize_t wins_a = 0, wins_b = 0;
        while (true) {
          if ((less = less_(*b, *a)) < 0) goto failed;
          if (less) {
            *out-- = *a--;
            wins_a++;
            wins_b = 0;
            if (--count_a == 0) goto done;
            if (wins_a >= gallop) break;
          } else {
            *out-- = *b--;
            wins_b++;
            wins_a = 0;
            if (--count_b == 1) goto b_goes_first;
            if (wins_b >= gallop) break;
          }
        }
        gallop++;
        do {
          gallop -= gallop > 1;
          min_gallop_ = gallop;
          Py_ssize_t kept = gallop_right(*b, base_a, count_a, count_a - 1);
          if (kept < 0) goto failed;
          wins_a = count_a - kept;
          if (wins_a > 0) {
            out -= wins_a;
            a -= wins_a;
            move(out + 1, a + 1, wins_a);
            count_a -= wins_a;
            if (count_a == 0) goto done;
          }
          *out-- = *b--;
          if (--count_b == 1) goto b_goes_first;
          kept = gallop_left(*a, base_b, count_b, count_b - 1);
          if (kept < 0) goto failed;
          wins_b = count_b - kept;
          if (wins_b > 0) {
            out -= wins_b;
            b -= wins_b;
            move(out + 1, b + 1, wins_b);
            count_b -= wins_b;
            if (count_b == 1) goto b_goes_first;
            if (count_b == 0) goto done;
          }
          *out-- = *a--;
          if (--count_a == 0) goto done;
        } while (wins_a >= kMinGallop || wins_b >= kMinGallop);
        gallop++;
        min_gallop_ = gallop;
      }
    }
  failed:
    fine = false;
  done:
    if (count_b > 0) move(out - (count_b - 1), base_b, count_b);
    return fine;
  b_goes_first:
    out -= count_a;
    a -= count_a;
    move(out + 1, a + 1, count_a);
    *out = *b;
    return true;
  }

  static constexpr Py_ssize_t kInlineBuffer = 128;
  Item* items_;
  Py_ssize_t count_;
  Less less_;
  Py_ssize_t min_gallop_ = kMinGallop;
  Run pending_[kMaxPending];
  Py_ssize_t pending_count_ = 0;
  Item inline_buffer_[kInlineBuffer];
  Item* buffer_ = inline_buffer_;
  Py_ssize_t buffer_size_ = kInlineBuffer;
};

// ---- Choosing the kind -------------------------------------------------------------------------------------------

enum class KeyKind { kSmallInts, kFloats, kText, kTuples, kOneType, kMixed };

KeyKind classify(PyObject* const* keys, Py_ssize_t count) {
  PyTypeObject* type = Py_TYPE(keys[0]);
  bool special = true;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* key = keys[i];
    if (Py_TYPE(key) != type) return KeyKind::kMixed;
    if (!special) continue;
    if (type == &PyLong_Type) {
      special = Py_SIZE(key) >= -2 && Py_SIZE(key) <= 2;
    } else if (type == &PyUnicode_Type) {
      special = PyUnicode_IS_READY(key) && PyUnicode_KIND(key) == PyUnicode_1BYTE_KIND;
    }
  }
  if (special) {
    if (type == &PyLong_Type) return KeyKind::kSmallInts;
    if (type == &PyFloat_Type) return KeyKind::kFloats;
    if (type == &PyUnicode_Type) return KeyKind::kText;
    if (type == &PyTuple_Type) return KeyKind::kTuples;
  }
  return type->tp_richcompare != nullptr ? KeyKind::kOneType : KeyKind::kMixed;
}

int64_t small_int_value(PyObject* object) {
  auto* number = reinterpret_cast<PyLongObject*>(object);
  switch (Py_SIZE(number)) {
    case 0: return 0;
    case 1: return number->ob_digit[0];
    case -1: return -static_cast<int64_t>(number->ob_digit[0]);
    default: {
      const int64_t magnitude =
          static_cast<int64_t>(number->ob_digit[0]) | static_cast<int64_t>(number->ob_digit[1]) << PyLong_SHIFT;
      return Py_SIZE(number) < 0 ? -magnitude : magnitude;
    }
  }
}

uint64_t text_prefix(PyObject* text) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  uint64_t bytes = 0;
  memcpy(&bytes, PyUnicode_1BYTE_DATA(text), static_cast<size_t>(length < 8 ? length : 8));
  return __builtin_bswap64(bytes);
}

/// Sorts `values` (and `keys` with them, when they are not the same array) through items made by `make`.
template <class Item, class Less, class Make>
bool sort_as(PyObject** keys, PyObject** values, Py_ssize_t count, Less less, Make make) {
  constexpr Py_ssize_t kInline = 64;
  Item inline_items[kInline];
  Item* items = inline_items;
  if (count > kInline) {
    items = PyMem_New(Item, static_cast<size_t>(count));
    if (items == nullptr) {
      PyErr_NoMemory();
      return false;
    }
  }
  for (Py_ssize_t i = 0; i < count; i++) items[i] = make(keys[i], values[i]);
  const bool fine = Sorter<Item, Less>(items, count, less).sort();
  for (Py_ssize_t i = 0; i < count; i++) values[i] = items[i].value;
  if (items != inline_items) PyMem_Free(items);
  return fine;
}

bool sort_values(PyObject** keys, PyObject** values, Py_ssize_t count) {
  auto make_object = [](PyObject* key, PyObject* value) { return ObjectItem{key, value}; };
  switch (classify(keys, count)) {
    case KeyKind::kSmallInts:
      return sort_as<IntItem>(keys, values, count, IntLess{},
                              [](PyObject* key, PyObject* value) { return IntItem{small_int_value(key), value}; });
    case KeyKind::kFloats:
      return sort_as<FloatItem>(keys, values, count, FloatLess{},
                                [](PyObject* key, PyObject* value) { return FloatItem{PyFloat_AS_DOUBLE(key), value}; });
    case KeyKind::kText:
      return sort_as<TextItem>(keys, values, count, TextLess{},
                               [](PyObject* key, PyObject* value) { return TextItem{text_prefix(key), key, value}; });
    case KeyKind::kTuples: return sort_as<ObjectItem>(keys, values, count, TupleLess{}, make_object);
    case KeyKind::kOneType:
      return sort_as<ObjectItem>(keys, values, count, SlotLess{Py_TYPE(keys[0])->tp_richcompare}, make_object);
    case KeyKind::kMixed: return sort_as<ObjectItem>(keys, values, count, AnyLess{}, make_object);
  }
  __builtin_unreachable();
}

/// Calls key_function for each item and sorts by what it gives.
bool sort_by_key(PyObject* key_function, PyObject** values, Py_ssize_t count, bool reverse) {
  constexpr Py_ssize_t kInline = 64;
  PyObject* inline_keys[kInline];
  PyObject** keys = inline_keys;
  if (count > kInline) {
    keys = PyMem_New(PyObject*, static_cast<size_t>(count));
    if (keys == nullptr) {
      PyErr_NoMemory();
      return false;
    }
  }
  Py_ssize_t made = 0;
  bool fine = true;
  for (; made < count; made++) {
    keys[made] = PyObject_CallOneArg(key_function, values[made]);
    if (keys[made] == nullptr) {
      fine = false;
      break;
    }
  }
  if (fine) {
    if (reverse) {
      reverse_items(keys, count);
      reverse_items(values, count);
    }
    if (count > 1) fine = sort_values(keys, values, count);
    if (reverse) reverse_items(values, count);
  }
  // The items hold copies of the key pointers: `keys` is still in its first order and complete.
  for (Py_ssize_t i = 0; i < made; i++) Py_DECREF(keys[i]);
  if (keys != inline_keys) PyMem_Free(keys);
  return fine;
}

}  // namespace

PyObject* sort_list(PyListObject* list, PyObject* key, bool reverse) {
  // The list is empty while user code may look at it; whatever it stores there is found and refused afterwards.
  const Py_ssize_t count = Py_SIZE(list);
  PyObject** items = list->ob_item;
  const Py_ssize_t allocated = list->allocated;
  Py_SET_SIZE(list, 0);
  list->ob_item = nullptr;
  list->allocated = -1;

  bool fine = true;
  if (key != nullptr) {
    fine = sort_by_key(key, items, count, reverse);
  } else if (count > 1) {
    // Reversing before and after keeps equal items in order.
    if (reverse) reverse_items(items, count);
    fine = sort_values(items, items, count);
    if (reverse) reverse_items(items, count);
  }

  const bool modified = list->allocated != -1;
  PyObject** stray = list->ob_item;
  Py_ssize_t stray_count = Py_SIZE(list);
  Py_SET_SIZE(list, count);
  list->ob_item = items;
  list->allocated = allocated;
  if (stray != nullptr) {
    while (--stray_count >= 0) Py_XDECREF(stray[stray_count]);
    PyMem_Free(stray);
  }
  if (fine && modified) {
    PyErr_SetString(PyExc_ValueError, "list modified during sort");
    fine = false;
  }
  return fine ? Py_NewRef(Py_None) : nullptr;
}

}  // namespace pyston
