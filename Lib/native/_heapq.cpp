// _heapq: binary heaps in lists.
//
// Comparisons can run code that changes the list: the size is checked after each, pointers are read anew.
#include "Objects/bind.h"

namespace pyston {
namespace {

enum class Order { kMin, kMax };

/// Value of an int of at most two digits. Without branches, which would be mispredicted half of the time; the second
/// digit is read even when it is only padding (objects are allocated in multiples of eight bytes).
ALWAYS_INLINE int64_t two_digit_value(PyObject* number, Py_ssize_t size) {
  const digit* digits = reinterpret_cast<PyLongObject*>(number)->ob_digit;
  const Py_ssize_t sign = size >> 63;
  const Py_ssize_t count = (size ^ sign) - sign;
  const int64_t low = count != 0 ? digits[0] : 0;
  const int64_t high = count == 2 ? digits[1] : 0;
  const int64_t magnitude = low | high << PyLong_SHIFT;
  return (magnitude ^ sign) - sign;
}

/// Whether a belongs above b: 1, 0 or -1.
template <Order order>
ALWAYS_INLINE int precedes(PyObject* a, PyObject* b) {
  if (order == Order::kMax) std::swap(a, b);
  if (PyFloat_CheckExact(a) && PyFloat_CheckExact(b)) return PyFloat_AS_DOUBLE(a) < PyFloat_AS_DOUBLE(b);
  if (PyLong_CheckExact(a) && PyLong_CheckExact(b)) {
    const Py_ssize_t size_a = Py_SIZE(a), size_b = Py_SIZE(b);
    if (static_cast<size_t>(size_a + 2) <= 4 && static_cast<size_t>(size_b + 2) <= 4) {
      return two_digit_value(a, size_a) < two_digit_value(b, size_b);
    }
  }
  Py_INCREF(a);
  Py_INCREF(b);
  const int less = PyObject_RichCompareBool(a, b, Py_LT);
  Py_DECREF(a);
  Py_DECREF(b);
  return less;
}

COLD int changed() {
  PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
  return -1;
}

ALWAYS_INLINE PyObject** items_of(PyListObject* heap) { return heap->ob_item; }

/// Moves the item at `position` up to its place below `start`.
template <Order order>
int sift_up_from(PyListObject* heap, Py_ssize_t start, Py_ssize_t position) {
  const Py_ssize_t size = Py_SIZE(heap);
  if (position >= size) {
    PyErr_SetString(PyExc_IndexError, "index out of range");
    return -1;
  }
  while (position > start) {
    const Py_ssize_t parent = (position - 1) >> 1;
    const int above = precedes<order>(items_of(heap)[position], items_of(heap)[parent]);
    if (above < 0) return -1;
    if (size != Py_SIZE(heap)) return changed();
    if (!above) break;
    std::swap(items_of(heap)[position], items_of(heap)[parent]);
    position = parent;
  }
  return 0;
}

/// Moves the item at `position` down to a leaf along the preferred children, then up to its place.
template <Order order>
int sift_down(PyListObject* heap, Py_ssize_t position) {
  const Py_ssize_t size = Py_SIZE(heap);
  const Py_ssize_t start = position;
  if (position >= size) {
    PyErr_SetString(PyExc_IndexError, "index out of range");
    return -1;
  }
  const Py_ssize_t inner = size >> 1;  // first position without children
  while (position < inner) {
    Py_ssize_t child = 2 * position + 1;
    // The way down is a chain of cache misses, one per level: the next level's candidates are asked for early.
    if (const Py_ssize_t grandchild = 4 * position + 3; grandchild + 3 < size) {
      for (int i = 0; i < 4; i++) __builtin_prefetch(items_of(heap)[grandchild + i]);
    }
    if (child + 1 < size) {
      const int above = precedes<order>(items_of(heap)[child], items_of(heap)[child + 1]);
      if (above < 0) return -1;
      child += above ^ 1;
      if (size != Py_SIZE(heap)) return changed();
    }
    std::swap(items_of(heap)[child], items_of(heap)[position]);
    position = child;
  }
  return sift_up_from<order>(heap, start, position);
}

template <Order order>
PyObject* pop(PyObject*, Borrowed<PyListObject> heap) {
  const Py_ssize_t size = Py_SIZE(heap.get());
  if (size == 0) {
    PyErr_SetString(PyExc_IndexError, "index out of range");
    return nullptr;
  }
  Ref<> last;
  if (size - 1 >= heap->allocated >> 1) {
    // FAST: the list keeps its memory.
    last = Ref<>::steal(heap->ob_item[size - 1]);
    Py_SET_SIZE(heap.get(), size - 1);
  } else {
    last = Ref<>::dup(heap->ob_item[size - 1]);
    if (PyList_SetSlice(heap.object(), size - 1, size, nullptr) < 0) return nullptr;
  }
  if (size == 1) return last.release();
  PyObject* top = std::exchange(heap->ob_item[0], last.release());
  if (sift_down<order>(heap, 0) < 0) {
    Py_DECREF(top);
    return nullptr;
  }
  return top;
}

template <Order order>
PyObject* replace(PyObject*, Borrowed<PyListObject> heap, Borrowed<> item) {
  if (Py_SIZE(heap.get()) == 0) {
    PyErr_SetString(PyExc_IndexError, "index out of range");
    return nullptr;
  }
  PyObject* top = std::exchange(heap->ob_item[0], Py_NewRef(item.object()));
  if (sift_down<order>(heap, 0) < 0) {
    Py_DECREF(top);
    return nullptr;
  }
  return top;
}

/// Bottom up; for big heaps in an order in which neighbours in memory are touched together.
template <Order order>
PyObject* heapify(PyObject*, Borrowed<PyListObject> heap) {
  const Py_ssize_t size = Py_SIZE(heap.get());
  auto sift_range = [&](Py_ssize_t high, Py_ssize_t low) {  // from high - 1 down to low
    for (Py_ssize_t i = high - 1; i >= low; i--) {
      if (sift_down<order>(heap, i) < 0) return false;
    }
    return true;
  };
  if (size <= 2500) {
    if (!sift_range(size >> 1, 0)) return nullptr;
    Py_RETURN_NONE;
  }
  Py_ssize_t leftmost = 0;  // of the lowest level with children
  while (leftmost * 2 + 1 < size >> 1) leftmost = leftmost * 2 + 1;
  auto sift_chain = [&](Py_ssize_t i) {
    // A node, then each ancestor whose subtrees are done by now.
    while (true) {
      if (sift_down<order>(heap, i) < 0) return false;
      if (!(i & 1) || i == 0) return true;
      i >>= 1;
    }
  };
  const Py_ssize_t inner = size >> 1;
  const Py_ssize_t middle = inner >> 1;
  for (Py_ssize_t i = leftmost - 1; i >= middle; i--) {
    if (!sift_chain(i)) return nullptr;
  }
  for (Py_ssize_t i = inner - 1; i >= leftmost; i--) {
    if (!sift_chain(i)) return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* heappush(PyObject*, Borrowed<PyListObject> heap, Borrowed<> item) {
  if (PyList_Append(heap.object(), item) < 0) return nullptr;
  if (sift_up_from<Order::kMin>(heap, 0, Py_SIZE(heap.get()) - 1) < 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* heappushpop(PyObject*, Borrowed<PyListObject> heap, Borrowed<> item) {
  if (Py_SIZE(heap.get()) == 0) return Py_NewRef(item.object());
  const int above = precedes<Order::kMin>(heap->ob_item[0], item);
  if (above < 0) return nullptr;
  if (!above) return Py_NewRef(item.object());
  return replace<Order::kMin>(nullptr, heap, item);
}

PyMethodDef heapq_functions[] = {
    method<heappush, "heappush($module, heap, item, /)", "Push item onto the heap.">(),
    method<heappushpop, "heappushpop($module, heap, item, /)", "Push item, then pop and return the smallest.">(),
    method<pop<Order::kMin>, "heappop($module, heap, /)", "Pop and return the smallest item.">(),
    method<replace<Order::kMin>, "heapreplace($module, heap, item, /)", "Pop and return the smallest, then push item.">(),
    method<heapify<Order::kMin>, "heapify($module, heap, /)", "Turn the list into a heap, in place, in linear time.">(),
    method<pop<Order::kMax>, "_heappop_max($module, heap, /)", "heappop() for heaps with the largest on top.">(),
    method<heapify<Order::kMax>, "_heapify_max($module, heap, /)", "heapify() for heaps with the largest on top.">(),
    method<replace<Order::kMax>, "_heapreplace_max($module, heap, item, /)",
           "heapreplace() for heaps with the largest on top.">(),
    {},
};

int heapq_exec(PyObject* module) {
  return PyModule_AddStringConstant(module, "__about__",
                                    "Heaps are arrays for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all k,\n"
                                    "counting from zero; a[0] is the smallest item.");
}
PyModuleDef_Slot heapq_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(heapq_exec)}, {0, nullptr}};
PyModuleDef heapq_module = {
    PyModuleDef_HEAD_INIT, "_heapq", "Heap queue algorithm (a.k.a. priority queue).", 0, heapq_functions, heapq_slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__heapq(void) { return PyModuleDef_Init(&pyston::heapq_module); }
