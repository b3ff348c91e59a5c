// Element: tag, texts, attributes and children, with the list protocol over the children, and its iterators.
//
// Everything that drops references first takes them out of the element: destructors can run any code on it.
#include "Lib/native/elementtree/element.h"

#include <cstring>

#include "structmember.h"

namespace pyston::etree {
namespace {

Status make_extra(ElementObject* self) {
  if (self->extra != nullptr) return Status::kOk;
  Extra* extra = static_cast<Extra*>(PyObject_Malloc(sizeof(Extra)));
  if (extra == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  extra->attributes = nullptr;
  extra->length = 0;
  extra->allocated = kInlineChildren;
  extra->children = extra->inline_children;
  self->extra = extra;
  return Status::kOk;
}

void free_extra(Extra* extra) {
  if (extra == nullptr) return;
  Py_XDECREF(extra->attributes);
  for (Py_ssize_t i = 0; i < extra->length; i++) Py_DECREF(extra->children[i]);
  if (extra->children != extra->inline_children) PyObject_Free(extra->children);
  PyObject_Free(extra);
}
void drop_extra(ElementObject* self) { free_extra(std::exchange(self->extra, nullptr)); }

Py_ssize_t child_count(ElementObject* self) { return self->extra == nullptr ? 0 : self->extra->length; }

/// Makes room for `count` more children.
Status reserve(ElementObject* self, Py_ssize_t count) {
  VM_CHECK(make_extra(self));
  Extra* extra = self->extra;
  const Py_ssize_t needed = extra->length + count;
  if (LIKELY(needed <= extra->allocated)) return Status::kOk;
  const Py_ssize_t allocated = needed + needed / 2 + 1;
  const size_t bytes = static_cast<size_t>(allocated) * sizeof(PyObject*);
  const bool is_inline = extra->children == extra->inline_children;
  auto** children = static_cast<PyObject**>(is_inline ? PyObject_Malloc(bytes) : PyObject_Realloc(extra->children, bytes));
  if (children == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  if (is_inline) memcpy(children, extra->inline_children, static_cast<size_t>(extra->length) * sizeof(PyObject*));
  extra->children = children;
  extra->allocated = allocated;
  return Status::kOk;
}

Failure raise_not_element(PyObject* object) {
  return raise(PyExc_TypeError, "expected an Element, not \"%.200s\"", Py_TYPE(object)->tp_name);
}

Status set_attributes(ElementObject* self, PyObject* attributes) {
  if (attributes == nullptr && self->extra == nullptr) return Status::kOk;
  VM_CHECK(make_extra(self));
  Py_XINCREF(attributes);
  Py_XSETREF(self->extra->attributes, attributes);
  return Status::kOk;
}

/// The dict of attributes, made now if there is none; borrowed.
PyObject* attributes_of(ElementObject* self) {
  VM_CHECK(make_extra(self));
  if (self->extra->attributes == nullptr) {
    PyObject* dict = PyDict_New();
    if (dict == nullptr) return nullptr;
    self->extra->attributes = dict;
  }
  return self->extra->attributes;
}

/// The attributes of Element(tag, attrib, **extra): a new dict, or null. False with an exception set.
bool collect_attributes(PyObject* positional, PyObject* kwargs, Ref<>& out) {
  const bool has_keywords = kwargs != nullptr && PyDict_GET_SIZE(kwargs) > 0;
  if (positional != nullptr) {
    if (PyDict_GET_SIZE(positional) == 0 && !has_keywords) return true;
    out = Ref<>::steal(PyDict_Copy(positional));
    return out && (!has_keywords || PyDict_Update(out.get(), kwargs) == 0);
  }
  if (!has_keywords) return true;
  Ref<> name = Ref<>::steal(PyUnicode_InternFromString("attrib"));
  if (!name) return false;
  PyObject* named = PyDict_GetItemWithError(kwargs, name.get());
  if (named == nullptr) {
    if (PyErr_Occurred()) return false;
    out = Ref<>::steal(PyDict_Copy(kwargs));
    return static_cast<bool>(out);
  }
  if (!PyDict_Check(named)) {
    raise(PyExc_TypeError, "attrib must be dict, not %.100s", Py_TYPE(named)->tp_name);
    return false;
  }
  out = Ref<>::steal(PyDict_Copy(named));
  Ref<> rest = Ref<>::steal(PyDict_Copy(kwargs));
  return out && rest && PyDict_DelItem(rest.get(), name.get()) == 0 && PyDict_Update(out.get(), rest.get()) == 0;
}

PyObject* element_new(PyTypeObject* type, PyObject*, PyObject*) {
  auto* self = as_element(type->tp_alloc(type, 0));
  if (self == nullptr) return nullptr;
  self->tag = Py_NewRef(Py_None);
  self->text = Py_NewRef(Py_None);
  self->tail = Py_NewRef(Py_None);
  return as_object(self);
}

int element_init(PyObject* object, PyObject* args, PyObject* kwargs) {
  PyObject *tag, *positional = nullptr;
  if (!PyArg_ParseTuple(args, "O|O!:Element", &tag, &PyDict_Type, &positional)) return -1;
  Ref<> attributes;
  if (!collect_attributes(positional, kwargs, attributes)) return -1;
  ElementObject* self = as_element(object);
  if (attributes && PyDict_GET_SIZE(attributes.get()) > 0) VM_CHECK(set_attributes(self, attributes.get()));
  Py_SETREF(self->tag, Py_NewRef(tag));
  Py_SETREF(self->text, Py_NewRef(Py_None));
  Py_SETREF(self->tail, Py_NewRef(Py_None));
  return 0;
}

int element_traverse(PyObject* object, visitproc visit, void* arg) {
  ElementObject* self = as_element(object);
  Py_VISIT(self->tag);
  Py_VISIT(self->text);
  Py_VISIT(self->tail);
  if (self->extra != nullptr) {
    Py_VISIT(self->extra->attributes);
    for (Py_ssize_t i = 0; i < self->extra->length; i++) Py_VISIT(self->extra->children[i]);
  }
  return 0;
}
/// Leaves a valid, empty element.
int element_clear_references(PyObject* object) {
  ElementObject* self = as_element(object);
  Py_SETREF(self->tag, Py_NewRef(Py_None));
  Py_SETREF(self->text, Py_NewRef(Py_None));
  Py_SETREF(self->tail, Py_NewRef(Py_None));
  drop_extra(self);
  return 0;
}
void element_dealloc(PyObject* object) {
  ElementObject* self = as_element(object);
  PyObject_GC_UnTrack(object);
  Py_TRASHCAN_BEGIN(object, element_dealloc)
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  Py_CLEAR(self->tag);
  Py_CLEAR(self->text);
  Py_CLEAR(self->tail);
  drop_extra(self);
  Py_TYPE(object)->tp_free(object);
  Py_TRASHCAN_END
}

PyObject* element_repr(PyObject* object) {
  const int status = Py_ReprEnter(object);
  if (status < 0) return nullptr;
  if (status > 0) {
    return raise(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(object)->tp_name);
  }
  PyObject* tag = Py_NewRef(as_element(object)->tag);
  PyObject* text = PyUnicode_FromFormat("<Element %R at %p>", tag, object);
  Py_DECREF(tag);
  Py_ReprLeave(object);
  return text;
}

// Methods -----------------------------------------------------------------------------------------------------------

Status method_append(Borrowed<ElementObject> self, Borrowed<ElementObject> child) {
  return append_child(self, child.object());
}

Status method_extend(Borrowed<ElementObject> self, Borrowed<> elements) {
  Ref<> sequence = Ref<>::steal(PySequence_Fast(elements, ""));
  if (!sequence) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return Status::kError;
    return raise(PyExc_TypeError, "expected sequence, not \"%.200s\"", Py_TYPE(elements.get())->tp_name);
  }
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); i++) {
    VM_CHECK(append_child(self, PySequence_Fast_GET_ITEM(sequence.get(), i)));
  }
  return Status::kOk;
}

Status method_insert(Borrowed<ElementObject> self, Py_ssize_t index, Borrowed<ElementObject> child) {
  VM_CHECK(reserve(self, 1));
  Extra* extra = self->extra;
  if (index < 0) index = index + extra->length < 0 ? 0 : index + extra->length;
  if (index > extra->length) index = extra->length;
  memmove(extra->children + index + 1, extra->children + index,
          static_cast<size_t>(extra->length - index) * sizeof(PyObject*));
  extra->children[index] = Py_NewRef(child.object());
  extra->length++;
  return Status::kOk;
}

Status remove_at(ElementObject* self, Py_ssize_t index) {
  Extra* extra = self->extra;
  PyObject* child = extra->children[index];
  extra->length--;
  memmove(extra->children + index, extra->children + index + 1,
          static_cast<size_t>(extra->length - index) * sizeof(PyObject*));
  Py_DECREF(child);
  return Status::kOk;
}

Status method_remove(Borrowed<ElementObject> self, Borrowed<ElementObject> child) {
  for (Py_ssize_t i = 0; i < child_count(self); i++) {
    if (self->extra->children[i] == child.object()) return remove_at(self, i);
  }
  // Comparing can change the list.
  for (Py_ssize_t i = 0; i < child_count(self); i++) {
    Ref<> candidate = Ref<>::dup(self->extra->children[i]);
    const int equal = PyObject_RichCompareBool(candidate.get(), child.object(), Py_EQ);
    if (equal < 0) return Status::kError;
    if (equal > 0 && i < child_count(self)) return remove_at(self, i);
  }
  return raise(PyExc_ValueError, "list.remove(x): x not in list");
}

Status method_clear(Borrowed<ElementObject> self) {
  drop_extra(self);
  Py_SETREF(self->text, Py_NewRef(Py_None));
  Py_SETREF(self->tail, Py_NewRef(Py_None));
  return Status::kOk;
}

PyObject* method_get(Borrowed<ElementObject> self, Borrowed<> key, PyObject* missing) {
  if (missing == nullptr) missing = Py_None;
  if (self->extra == nullptr || self->extra->attributes == nullptr) return Py_NewRef(missing);
  Ref<> attributes = Ref<>::dup(self->extra->attributes);  // hashing the key can replace it
  PyObject* value = PyDict_GetItemWithError(attributes.get(), key);
  if (value == nullptr && PyErr_Occurred()) return nullptr;
  return Py_NewRef(value == nullptr ? missing : value);
}
Status method_set(Borrowed<ElementObject> self, Borrowed<> key, Borrowed<> value) {
  Ref<> attributes = Ref<>::dup(VM_TRY(attributes_of(self)));
  return PyDict_SetItem(attributes.get(), key, value) < 0 ? Status::kError : Status::kOk;
}
PyObject* method_keys(Borrowed<ElementObject> self) {
  if (self->extra == nullptr || self->extra->attributes == nullptr) return PyList_New(0);
  return PyDict_Keys(self->extra->attributes);
}
PyObject* method_items(Borrowed<ElementObject> self) {
  if (self->extra == nullptr || self->extra->attributes == nullptr) return PyList_New(0);
  return PyDict_Items(self->extra->attributes);
}

PyObject* method_makeelement(Borrowed<ElementObject>, Borrowed<> tag, Borrowed<PyDictObject> attributes) {
  Ref<> copy = VM_TRY(Ref<>::steal(PyDict_Copy(attributes.object())));
  return new_element(tag, copy.get());
}

// Searches ----------------------------------------------------------------------------------------------------------

template <class Character>
bool has_path_syntax(const Character* text, Py_ssize_t length) {
  if (length >= 3 && text[0] == '{' && (text[1] == '}' || (text[1] == '*' && text[2] == '}'))) return true;
  bool outside_braces = true;
  for (Py_ssize_t i = 0; i < length; i++) {
    switch (text[i]) {
      case '{': outside_braces = false; break;
      case '}': outside_braces = true; break;
      case '/':
      case '*':
      case '[':
      case '@':
      case '.':
        if (outside_braces) return true;
        break;
      default: break;
    }
  }
  return false;
}
/// Whether `path` is more than a tag, so that ElementPath has to look at it.
bool is_path(PyObject* path) {
  if (PyUnicode_Check(path)) {
    if (PyUnicode_READY(path) < 0) return true;
    const Py_ssize_t length = PyUnicode_GET_LENGTH(path);
    switch (PyUnicode_KIND(path)) {
      case PyUnicode_1BYTE_KIND: return has_path_syntax(PyUnicode_1BYTE_DATA(path), length);
      case PyUnicode_2BYTE_KIND: return has_path_syntax(PyUnicode_2BYTE_DATA(path), length);
      default: return has_path_syntax(PyUnicode_4BYTE_DATA(path), length);
    }
  }
  if (PyBytes_Check(path)) return has_path_syntax(PyBytes_AS_STRING(path), PyBytes_GET_SIZE(path));
  return true;
}
bool needs_element_path(PyObject* path, PyObject* namespaces) {
  return (namespaces != nullptr && namespaces != Py_None) || is_path(path);
}

/// Next child with the tag at or after `index`, which moves behind it. Null at the end or with an exception set.
Ref<> next_match(ElementObject* self, PyObject* tag, Py_ssize_t& index) {
  while (index < child_count(self)) {
    Ref<> child = Ref<>::dup(self->extra->children[index++]);
    Ref<> own = Ref<>::dup(as_element(child.get())->tag);
    const int equal = PyObject_RichCompareBool(own.get(), tag, Py_EQ);
    if (equal < 0) return nullptr;
    if (equal > 0) return child;
  }
  return nullptr;
}

PyObject* call_path(const char* name, ElementObject* self, PyObject* path, PyObject* namespaces) {
  if (namespaces == nullptr) namespaces = Py_None;
  return PyObject_CallMethod(g_globals.element_path, name, "OOO", self, path, namespaces);
}

PyObject* method_find(Borrowed<ElementObject> self, Borrowed<> path, PyObject* namespaces) {
  if (needs_element_path(path, namespaces)) return call_path("find", self, path, namespaces);
  Py_ssize_t index = 0;
  Ref<> child = next_match(self, path, index);
  if (child || PyErr_Occurred()) return child.release();
  Py_RETURN_NONE;
}
PyObject* method_findtext(Borrowed<ElementObject> self, Borrowed<> path, PyObject* missing, PyObject* namespaces) {
  if (missing == nullptr) missing = Py_None;
  if (needs_element_path(path, namespaces)) {
    return PyObject_CallMethod(g_globals.element_path, "findtext", "OOOO", self.get(), path.get(), missing,
                               namespaces == nullptr ? Py_None : namespaces);
  }
  Py_ssize_t index = 0;
  Ref<> child = next_match(self, path, index);
  if (!child) return PyErr_Occurred() ? nullptr : Py_NewRef(missing);
  PyObject* text = as_element(child.get())->text;
  return text == Py_None ? PyUnicode_FromStringAndSize(nullptr, 0) : Py_NewRef(text);
}
PyObject* method_findall(Borrowed<ElementObject> self, Borrowed<> path, PyObject* namespaces) {
  if (needs_element_path(path, namespaces)) return call_path("findall", self, path, namespaces);
  Ref<> found = VM_TRY(Ref<>::steal(PyList_New(0)));
  Py_ssize_t index = 0;
  while (Ref<> child = next_match(self, path, index)) {
    if (PyList_Append(found.get(), child.get()) < 0) return nullptr;
  }
  return PyErr_Occurred() ? nullptr : found.release();
}
PyObject* method_iterfind(Borrowed<ElementObject> self, Borrowed<> path, PyObject* namespaces) {
  return call_path("iterfind", self, path, namespaces);
}
PyObject* method_iter(Borrowed<ElementObject> self, PyObject* tag) {
  if (tag == nullptr) tag = Py_None;
  if (PyUnicode_Check(tag) ? PyUnicode_CompareWithASCIIString(tag, "*") == 0
                           : PyBytes_Check(tag) && PyBytes_GET_SIZE(tag) == 1 && *PyBytes_AS_STRING(tag) == '*') {
    tag = Py_None;
  }
  return new_element_iterator(self.object(), tag, false);
}
PyObject* method_itertext(Borrowed<ElementObject> self) { return new_element_iterator(self.object(), Py_None, true); }

// Copies and pickles ------------------------------------------------------------------------------------------------

PyObject* method_copy(Borrowed<ElementObject> self) {
  Ref<> copy = VM_TRY(
      Ref<>::steal(new_element(self->tag, self->extra == nullptr ? nullptr : self->extra->attributes)));
  ElementObject* element = as_element(copy.get());
  Py_SETREF(element->text, Py_NewRef(self->text));
  Py_SETREF(element->tail, Py_NewRef(self->tail));
  for (Py_ssize_t i = 0; i < child_count(self); i++) VM_CHECK(append_child(element, self->extra->children[i]));
  return copy.release();
}

/// Strings and None, the usual case, are their own copies.
PyObject* deep_copy(PyObject* object, PyObject* memo) {
  if (object == Py_None || PyUnicode_CheckExact(object)) return Py_NewRef(object);
  Ref<> keep = Ref<>::dup(object);
  PyObject* arguments[] = {object, memo};
  return PyObject_Vectorcall(g_globals.deepcopy, arguments, 2, nullptr);
}
PyObject* method_deepcopy(Borrowed<ElementObject> self, Borrowed<PyDictObject> memo_dict) {
  PyObject* memo = memo_dict.object();
  Ref<> tag = VM_TRY(Ref<>::steal(deep_copy(self->tag, memo)));
  Ref<> attributes;
  if (self->extra != nullptr && self->extra->attributes != nullptr) {
    attributes = Ref<>::steal(deep_copy(self->extra->attributes, memo));
    if (!attributes) return nullptr;
  }
  Ref<> copy = VM_TRY(Ref<>::steal(new_element(tag.get(), attributes.get())));
  ElementObject* element = as_element(copy.get());
  Ref<> text = VM_TRY(Ref<>::steal(deep_copy(self->text, memo)));
  Py_SETREF(element->text, text.release());
  Ref<> tail = VM_TRY(Ref<>::steal(deep_copy(self->tail, memo)));
  Py_SETREF(element->tail, tail.release());
  for (Py_ssize_t i = 0; i < child_count(self); i++) {
    Ref<> original = Ref<>::dup(self->extra->children[i]);
    if (Py_EnterRecursiveCall(" while copying an element")) return nullptr;
    Ref<> child = Ref<>::steal(is_exact_element(original.get())
                                   ? method_deepcopy(as_element(original.get()), memo_dict)
                                   : deep_copy(original.get(), memo));
    Py_LeaveRecursiveCall();
    if (!child) return nullptr;
    VM_CHECK(append_child(element, child.get()));
  }
  Ref<> identity = VM_TRY(Ref<>::steal(PyLong_FromVoidPtr(self.get())));
  return PyDict_SetItem(memo, identity.get(), copy.get()) < 0 ? nullptr : copy.release();
}

PyObject* method_sizeof(Borrowed<ElementObject> self) {
  Py_ssize_t size = _PyObject_SIZE(Py_TYPE(self.object()));
  if (self->extra != nullptr) {
    size += static_cast<Py_ssize_t>(sizeof(Extra));
    if (self->extra->children != self->extra->inline_children) {
      size += self->extra->allocated * static_cast<Py_ssize_t>(sizeof(PyObject*));
    }
  }
  return PyLong_FromSsize_t(size);
}

PyObject* child_list(ElementObject* self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count) {
  PyObject* list = PyList_New(count);
  if (list == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < count; i++) PyList_SET_ITEM(list, i, Py_NewRef(self->extra->children[start + i * step]));
  return list;
}

PyObject* method_getstate(Borrowed<ElementObject> self) {
  Ref<> children = VM_TRY(Ref<>::steal(child_list(self, 0, 1, child_count(self))));
  Ref<> attributes = self->extra != nullptr && self->extra->attributes != nullptr
                         ? Ref<>::dup(self->extra->attributes)
                         : Ref<>::steal(PyDict_New());
  if (!attributes) return nullptr;
  return Py_BuildValue("{sOsOsOsOsO}", "tag", self->tag, "_children", children.get(), "attrib", attributes.get(), "text",
                       self->text, "tail", self->tail);
}

PyObject* method_setstate(Borrowed<ElementObject> self, Borrowed<> state) {
  if (!PyDict_CheckExact(state.get())) {
    return raise(PyExc_TypeError, "Don't know how to unpickle \"%.200R\" as an Element", state.get());
  }
  Ref<> tag = Ref<>::dup(PyDict_GetItemString(state, "tag"));
  Ref<> text = Ref<>::dup(PyDict_GetItemString(state, "text"));
  Ref<> tail = Ref<>::dup(PyDict_GetItemString(state, "tail"));
  Ref<> attributes = Ref<>::dup(PyDict_GetItemString(state, "attrib"));
  Ref<> children = Ref<>::dup(PyDict_GetItemString(state, "_children"));
  if (!tag) return raise(PyExc_TypeError, "tag may not be NULL");
  Py_SETREF(self->tag, tag.release());
  if (attributes && !PyDict_Check(attributes.get())) {
    return raise(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(attributes.get())->tp_name);
  }
  if (children) {
    if (!PyList_Check(children.get())) return raise(PyExc_TypeError, "'_children' is not a list");
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(children.get()); i++) {
      PyObject* child = PyList_GET_ITEM(children.get(), i);
      if (!is_element(child)) return raise_not_element(child);
    }
  }
  Py_SETREF(self->text, text ? text.release() : Py_NewRef(Py_None));
  Py_SETREF(self->tail, tail ? tail.release() : Py_NewRef(Py_None));
  drop_extra(self);
  VM_CHECK(set_attributes(self, attributes.get()));
  if (children) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(children.get()); i++) {
      VM_CHECK(append_child(self, PyList_GET_ITEM(children.get(), i)));
    }
  }
  Py_RETURN_NONE;
}

// Attributes --------------------------------------------------------------------------------------------------------

template <PyObject* ElementObject::*field>
Ref<> get_field(Borrowed<ElementObject> self) {
  return Ref<>::dup(self.get()->*field);
}
template <PyObject* ElementObject::*field>
Status set_field(Borrowed<ElementObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_AttributeError, "can't delete element attribute");
  Py_SETREF(self.get()->*field, Py_NewRef(value));
  return Status::kOk;
}
Ref<> get_attrib(Borrowed<ElementObject> self) { return Ref<>::dup(attributes_of(self)); }
Status set_attrib(Borrowed<ElementObject> self, PyObject* value) {
  if (value == nullptr) return raise(PyExc_AttributeError, "can't delete element attribute");
  if (!PyDict_Check(value)) {
    return raise(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(value)->tp_name);
  }
  return set_attributes(self, value);
}

// The list protocol -------------------------------------------------------------------------------------------------

Py_ssize_t element_length(PyObject* object) { return child_count(as_element(object)); }

PyObject* element_item(PyObject* object, Py_ssize_t index) {
  ElementObject* self = as_element(object);
  if (index < 0 || index >= child_count(self)) return raise(PyExc_IndexError, "child index out of range");
  return Py_NewRef(self->extra->children[index]);
}

int element_assign_item(PyObject* object, Py_ssize_t index, PyObject* value) {
  ElementObject* self = as_element(object);
  if (index < 0 || index >= child_count(self)) return raise(PyExc_IndexError, "child assignment index out of range");
  if (value == nullptr) return static_cast<int>(remove_at(self, index));
  if (!is_element(value)) return raise_not_element(value);
  Py_SETREF(self->extra->children[index], Py_NewRef(value));
  return 0;
}

PyObject* element_subscript(PyObject* object, PyObject* key) {
  ElementObject* self = as_element(object);
  if (PyIndex_Check(key)) {
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return nullptr;
    return element_item(object, index < 0 ? index + child_count(self) : index);
  }
  if (!PySlice_Check(key)) return raise(PyExc_TypeError, "element indices must be integers");
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return nullptr;
  const Py_ssize_t count = PySlice_AdjustIndices(child_count(self), &start, &stop, step);
  return child_list(self, start, step, count);
}

/// self[start:stop:step] = values (a list or tuple; null deletes).
Status assign_slice(ElementObject* self, PyObject* slice, PyObject* values) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return Status::kError;
  Py_ssize_t count = PySlice_AdjustIndices(child_count(self), &start, &stop, step);
  const Py_ssize_t given = values == nullptr ? 0 : PySequence_Fast_GET_SIZE(values);
  if (values != nullptr && step != 1 && given != count) {
    return raise(PyExc_ValueError, "attempt to assign sequence of size %zd to extended slice of size %zd", given, count);
  }
  for (Py_ssize_t i = 0; i < given; i++) {
    PyObject* value = PySequence_Fast_GET_ITEM(values, i);
    if (!is_element(value)) return raise_not_element(value);
  }
  if (count == 0 && given == 0) return Status::kOk;
  Ref<> old = VM_TRY(Ref<>::steal(child_list(self, start, step, count)));  // keeps them alive until the end
  if (values == nullptr || step == 1) {
    if (given > count) VM_CHECK(reserve(self, given - count));
    Extra* extra = self->extra;
    if (step < 0 && count > 0) {
      start += (count - 1) * step;
      step = -step;
    }
    for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(extra->children[start + i * step]);  // `old` has them
    if (step == 1) {
      memmove(extra->children + start + given, extra->children + start + count,
              static_cast<size_t>(extra->length - start - count) * sizeof(PyObject*));
      for (Py_ssize_t i = 0; i < given; i++) {
        extra->children[start + i] = Py_NewRef(PySequence_Fast_GET_ITEM(values, i));
      }
    } else {
      Py_ssize_t out = start, removed = 0;
      for (Py_ssize_t i = start; i < extra->length; i++) {
        if (removed < count && i == start + removed * step) {
          removed++;
        } else {
          extra->children[out++] = extra->children[i];
        }
      }
    }
    extra->length += given - count;
    return Status::kOk;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject*& place = self->extra->children[start + i * step];
    Py_DECREF(place);  // `old` has it
    place = Py_NewRef(PySequence_Fast_GET_ITEM(values, i));
  }
  return Status::kOk;
}

int element_assign_subscript(PyObject* object, PyObject* key, PyObject* value) {
  ElementObject* self = as_element(object);
  if (PyIndex_Check(key)) {
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return -1;
    return element_assign_item(object, index < 0 ? index + child_count(self) : index, value);
  }
  if (!PySlice_Check(key)) return raise(PyExc_TypeError, "element indices must be integers");
  if (value == nullptr) return static_cast<int>(assign_slice(self, key, nullptr));
  // A list of its own: the sequence must not change with the children that are being replaced.
  Ref<> values = Ref<>::steal(PySequence_Fast(value, ""));
  if (!values) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    return raise(PyExc_TypeError, "expected sequence, not \"%.200s\"", Py_TYPE(value)->tp_name);
  }
  return static_cast<int>(assign_slice(self, key, values.get()));
}

PyMethodDef element_methods[] = {
    method<method_clear, "clear($self, /)", "Drops children, attributes and texts.">(),
    method<method_get, "get($self, /, key, default=None)", "Value of an attribute.">(),
    method<method_set, "set($self, key, value, /)", "Sets an attribute.">(),
    method<method_find, "find($self, /, path, namespaces=None)", "First matching child, or None.">(),
    method<method_findtext, "findtext($self, /, path, default=None, namespaces=None)", "Text of the first match.">(),
    method<method_findall, "findall($self, /, path, namespaces=None)", "List of the matching children.">(),
    method<method_append, "append($self, subelement, /)", "Adds a child at the end.">(),
    method<method_extend, "extend($self, elements, /)", "Adds children at the end.">(),
    method<method_insert, "insert($self, index, subelement, /)", "Adds a child before the index.">(),
    method<method_remove, "remove($self, subelement, /)", "Removes a child.">(),
    method<method_iter, "iter($self, /, tag=None)", "Iterates over the element and all below it.">(),
    method<method_itertext, "itertext($self, /)", "Iterates over all texts.">(),
    method<method_iterfind, "iterfind($self, /, path, namespaces=None)", "Iterates over the matches.">(),
    method<method_items, "items($self, /)", "List of (name, value) of the attributes.">(),
    method<method_keys, "keys($self, /)", "List of the attribute names.">(),
    method<method_makeelement, "makeelement($self, tag, attrib, /)", "A new element.">(),
    method<method_copy, "__copy__($self, /)">(),
    method<method_deepcopy, "__deepcopy__($self, memo, /)">(),
    method<method_getstate, "__getstate__($self, /)">(),
    method<method_setstate, "__setstate__($self, state, /)">(),
    method<method_sizeof, "__sizeof__($self, /)">(),
    {},
};
PyGetSetDef element_getset[] = {
    getset<get_field<&ElementObject::tag>, set_field<&ElementObject::tag>>("tag", "What the element is"),
    getset<get_field<&ElementObject::text>, set_field<&ElementObject::text>>("text", "Text before the first child"),
    getset<get_field<&ElementObject::tail>, set_field<&ElementObject::tail>>("tail", "Text after the end tag"),
    getset<get_attrib, set_attrib>("attrib", "The attributes"),
    {},
};
PySequenceMethods element_sequence = {
    .sq_length = element_length,
    .sq_item = element_item,
    .sq_ass_item = element_assign_item,
};
PyMappingMethods element_mapping = {element_length, element_subscript, element_assign_subscript};

// Iteration ---------------------------------------------------------------------------------------------------------

struct Level {
  PyObject* element;
  Py_ssize_t next_child;
};
/// Walks a subtree in document order. The tree may change meanwhile: only indexes are kept.
struct IteratorObject {
  PyObject_HEAD
  Level* levels;
  Py_ssize_t depth;
  Py_ssize_t allocated;
  PyObject* root;  // until the first step
  PyObject* tag;   // None: any
  bool texts;
};
IteratorObject* as_iterator(PyObject* object) { return reinterpret_cast<IteratorObject*>(object); }

Status push_level(IteratorObject* self, PyObject* element) {
  if (self->depth == self->allocated) {
    const Py_ssize_t allocated = self->allocated * 2 + 8;
    auto* levels = static_cast<Level*>(PyMem_Realloc(self->levels, static_cast<size_t>(allocated) * sizeof(Level)));
    if (levels == nullptr) {
      PyErr_NoMemory();
      return Status::kError;
    }
    self->levels = levels;
    self->allocated = allocated;
  }
  self->levels[self->depth++] = {Py_NewRef(element), 0};
  return Status::kOk;
}

PyObject* iterator_next(PyObject* object) {
  IteratorObject* self = as_iterator(object);
  while (true) {
    Ref<> entered, text;
    if (self->root != nullptr) {
      entered = Ref<>::steal(std::exchange(self->root, nullptr));
    } else if (self->depth == 0) {
      return nullptr;
    } else {
      Level& level = self->levels[self->depth - 1];
      ElementObject* element = as_element(level.element);
      if (level.next_child < child_count(element)) {
        entered = Ref<>::dup(element->extra->children[level.next_child++]);
      } else {
        Ref<> left = Ref<>::steal(level.element);
        self->depth--;
        if (!self->texts || self->depth == 0) continue;  // the tail of the start is outside
        text = Ref<>::dup(as_element(left.get())->tail);
      }
    }
    if (entered) {
      VM_CHECK(push_level(self, entered.get()));
      if (!self->texts) {
        if (self->tag == Py_None) return entered.release();
        Ref<> tag = Ref<>::dup(as_element(entered.get())->tag);
        const int equal = PyObject_RichCompareBool(tag.get(), self->tag, Py_EQ);
        if (equal < 0) return nullptr;
        if (equal > 0) return entered.release();
        continue;
      }
      text = Ref<>::dup(as_element(entered.get())->text);
    }
    if (text.get() == Py_None) continue;
    const int truth = PyObject_IsTrue(text.get());
    if (truth < 0) return nullptr;
    if (truth > 0) return text.release();
  }
}

int iterator_traverse(PyObject* object, visitproc visit, void* arg) {
  IteratorObject* self = as_iterator(object);
  for (Py_ssize_t i = 0; i < self->depth; i++) Py_VISIT(self->levels[i].element);
  Py_VISIT(self->root);
  Py_VISIT(self->tag);
  return 0;
}
void iterator_dealloc(PyObject* object) {
  IteratorObject* self = as_iterator(object);
  PyObject_GC_UnTrack(object);
  while (self->depth > 0) Py_DECREF(self->levels[--self->depth].element);
  PyMem_Free(self->levels);
  Py_XDECREF(self->root);
  Py_XDECREF(self->tag);
  PyObject_GC_Del(object);
}

}  // namespace

PyObject* new_element_iterator(PyObject* root, PyObject* tag, bool texts) {
  IteratorObject* self = PyObject_GC_New(IteratorObject, &g_element_iterator_type);
  if (self == nullptr) return nullptr;
  self->levels = nullptr;
  self->depth = self->allocated = 0;
  self->root = Py_NewRef(root);
  self->tag = Py_NewRef(tag);
  self->texts = texts;
  PyObject_GC_Track(as_object(self));
  return as_object(self);
}

PyObject* new_element(PyObject* tag, PyObject* attributes) {
  ElementObject* self = PyObject_GC_New(ElementObject, &g_element_type);
  if (self == nullptr) return nullptr;
  self->tag = Py_NewRef(tag);
  self->text = Py_NewRef(Py_None);
  self->tail = Py_NewRef(Py_None);
  self->extra = nullptr;
  self->weak_references = nullptr;
  PyObject_GC_Track(as_object(self));
  if (attributes != nullptr && PyDict_GET_SIZE(attributes) > 0 && !ok(set_attributes(self, attributes))) {
    Py_DECREF(as_object(self));
    return nullptr;
  }
  return as_object(self);
}

Status append_child(ElementObject* self, PyObject* child) {
  if (UNLIKELY(!is_element(child))) return raise_not_element(child);
  VM_CHECK(reserve(self, 1));
  self->extra->children[self->extra->length++] = Py_NewRef(child);
  return Status::kOk;
}

PyObject* sub_element(PyObject*, PyObject* args, PyObject* kwargs) {
  PyObject *parent, *tag, *positional = nullptr;
  if (!PyArg_ParseTuple(args, "O!O|O!:SubElement", &g_element_type, &parent, &tag, &PyDict_Type, &positional)) {
    return nullptr;
  }
  Ref<> attributes;
  if (!collect_attributes(positional, kwargs, attributes)) return nullptr;
  Ref<> child = VM_TRY(Ref<>::steal(new_element(tag, attributes.get())));
  VM_CHECK(append_child(as_element(parent), child.get()));
  return child.release();
}

PyTypeObject g_element_type = {
    .ob_base = type_head(),
    .tp_name = "xml.etree.ElementTree.Element",
    .tp_basicsize = sizeof(ElementObject),
    .tp_dealloc = element_dealloc,
    .tp_repr = element_repr,
    .tp_as_sequence = &element_sequence,
    .tp_as_mapping = &element_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = element_traverse,
    .tp_clear = element_clear_references,
    .tp_weaklistoffset = offsetof(ElementObject, weak_references),
    .tp_methods = element_methods,
    .tp_getset = element_getset,
    .tp_init = element_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = element_new,
    .tp_free = PyObject_GC_Del,
};
PyTypeObject g_element_iterator_type = {
    .ob_base = type_head(),
    .tp_name = "_elementtree._element_iterator",
    .tp_basicsize = sizeof(IteratorObject),
    .tp_dealloc = iterator_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
};

}  // namespace pyston::etree
