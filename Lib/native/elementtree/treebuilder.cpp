// TreeBuilder: makes a tree of elements from start, data and end calls, and reports the events of iterparse.
#include <cstring>

#include "Lib/native/elementtree/element.h"

namespace pyston::etree {
namespace {

/// Hands the parser's UTF-8 over to `data`, so that it keeps its place among other pieces of text.
Status add_piece(TreeBuilderObject* self, PyObject* piece) {
  if (self->data == nullptr) {
    self->data = Py_NewRef(piece);
    return Status::kOk;
  }
  if (!PyList_CheckExact(self->data)) {
    Ref<> list = VM_TRY(Ref<>::steal(PyList_New(1)));
    PyList_SET_ITEM(list.get(), 0, self->data);
    self->data = list.release();
  }
  return PyList_Append(self->data, piece) < 0 ? Status::kError : Status::kOk;
}

Status convert_pending(TreeBuilderObject* self) {
  if (self->pending_size == 0) return Status::kOk;
  Ref<> text = VM_TRY(Ref<>::steal(
      PyUnicode_DecodeUTF8(self->pending, static_cast<Py_ssize_t>(self->pending_size), "strict")));
  self->pending_size = 0;
  return add_piece(self, text.get());
}

/// Adds `text` to one of the two texts of an element of our own type.
Status extend_field(PyObject** field, PyObject* text) {
  PyObject* joined = *field == Py_None ? Py_NewRef(text) : PyNumber_Add(*field, text);
  if (joined == nullptr) return Status::kError;
  Py_SETREF(*field, joined);
  return Status::kOk;
}

/// Moves the collected text into the tree.
Status flush(TreeBuilderObject* self) {
  if (self->data == nullptr && self->pending_size == 0) return Status::kOk;
  VM_CHECK(convert_pending(self));
  Ref<> text = Ref<>::steal(std::exchange(self->data, nullptr));
  if (PyList_CheckExact(text.get())) {
    Ref<> separator = VM_TRY(Ref<>::steal(PyUnicode_FromStringAndSize(nullptr, 0)));
    text = Ref<>::steal(PyUnicode_Join(separator.get(), text.get()));
    if (!text) return Status::kError;
  }
  if (self->last == nullptr) return Status::kOk;
  Ref<> element = Ref<>::dup(self->last);
  if (is_exact_element(element.get())) {
    ElementObject* own = as_element(element.get());
    return extend_field(self->after_end ? &own->tail : &own->text, text.get());
  }
  const char* name = self->after_end ? "tail" : "text";
  Ref<> previous = VM_TRY(Ref<>::steal(PyObject_GetAttrString(element.get(), name)));
  if (previous.get() != Py_None) {
    text = Ref<>::steal(PyNumber_Add(previous.get(), text.get()));
    if (!text) return Status::kError;
  }
  return PyObject_SetAttrString(element.get(), name, text.get()) < 0 ? Status::kError : Status::kOk;
}

Status add_child(PyObject* parent, PyObject* child) {
  if (is_exact_element(parent)) return append_child(as_element(parent), child);
  Ref<> result = Ref<>::steal(PyObject_CallMethod(parent, "append", "O", child));
  return result ? Status::kOk : Status::kError;
}

/// A comment or processing instruction: puts it into the tree if it shall be there.
Status place_single(TreeBuilderObject* self, PyObject* node, bool insert) {
  if (!insert || self->current == nullptr) return Status::kOk;
  Ref<> parent = Ref<>::dup(self->current);
  VM_CHECK(add_child(parent.get(), node));
  Py_XSETREF(self->last, Py_NewRef(node));
  self->after_end = true;
  return Status::kOk;
}

}  // namespace

Status builder_event(TreeBuilderObject* self, PyObject* event, PyObject* object) {
  if (event == nullptr || self->events_append == nullptr) return Status::kOk;
  Ref<> pair = VM_TRY(Ref<>::steal(PyTuple_Pack(2, event, object)));
  Ref<> append = Ref<>::dup(self->events_append);
  Ref<> result = Ref<>::steal(PyObject_CallOneArg(append.get(), pair.get()));
  return result ? Status::kOk : Status::kError;
}

PyObject* builder_start(TreeBuilderObject* self, PyObject* tag, PyObject* attributes) {
  VM_CHECK(flush(self));
  Ref<> node;
  if (self->element_factory == nullptr) {
    node = Ref<>::steal(new_element(tag, attributes));
  } else {
    Ref<> dict = attributes != nullptr ? Ref<>::dup(attributes) : Ref<>::steal(PyDict_New());
    if (!dict) return nullptr;
    PyObject* arguments[] = {tag, dict.get()};
    Ref<> factory = Ref<>::dup(self->element_factory);
    node = Ref<>::steal(PyObject_Vectorcall(factory.get(), arguments, 2, nullptr));
  }
  if (!node) return nullptr;
  self->after_end = false;
  if (self->current != nullptr) {
    Ref<> parent = Ref<>::dup(self->current);
    VM_CHECK(add_child(parent.get(), node.get()));
  } else if (self->root != nullptr) {
    return raise(g_globals.parse_error, "multiple elements on top level");
  } else {
    self->root = Py_NewRef(node.get());
  }
  if (PyList_Append(self->stack, self->current == nullptr ? Py_None : self->current) < 0) return nullptr;
  Py_XSETREF(self->current, Py_NewRef(node.get()));
  Py_XSETREF(self->last, Py_NewRef(node.get()));
  VM_CHECK(builder_event(self, self->start_event, node.get()));
  return node.release();
}

PyObject* builder_end(TreeBuilderObject* self) {
  VM_CHECK(flush(self));
  const Py_ssize_t depth = PyList_GET_SIZE(self->stack);
  if (depth == 0) return raise(PyExc_IndexError, "pop from empty stack");
  Ref<> node = Ref<>::dup(self->current);
  Ref<> parent = Ref<>::dup(PyList_GET_ITEM(self->stack, depth - 1));
  if (PyList_SetSlice(self->stack, depth - 1, depth, nullptr) < 0) return nullptr;
  Py_XSETREF(self->last, Py_NewRef(node.get()));
  Py_SETREF(self->current, parent.get() == Py_None ? nullptr : parent.release());
  self->after_end = true;
  VM_CHECK(builder_event(self, self->end_event, node.get()));
  return node.release();
}

Status builder_data(TreeBuilderObject* self, PyObject* data) {
  if (self->last == nullptr) return Status::kOk;  // text before the first element belongs to nothing
  VM_CHECK(convert_pending(self));
  return add_piece(self, data);
}

Status builder_utf8(TreeBuilderObject* self, const char* text, size_t size) {
  if (self->last == nullptr) return Status::kOk;
  const size_t needed = self->pending_size + size;
  if (UNLIKELY(needed > self->pending_capacity)) {
    const size_t capacity = needed + needed / 2 + 256;
    char* grown = static_cast<char*>(PyMem_Realloc(self->pending, capacity));
    if (grown == nullptr) {
      PyErr_NoMemory();
      return Status::kError;
    }
    self->pending = grown;
    self->pending_capacity = capacity;
  }
  memcpy(self->pending + self->pending_size, text, size);
  self->pending_size = needed;
  return Status::kOk;
}

PyObject* builder_comment(TreeBuilderObject* self, PyObject* text) {
  VM_CHECK(flush(self));
  Ref<> node;
  if (self->comment_factory != nullptr) {
    Ref<> factory = Ref<>::dup(self->comment_factory);
    node = Ref<>::steal(PyObject_CallOneArg(factory.get(), text));
    if (!node) return nullptr;
    VM_CHECK(place_single(self, node.get(), self->insert_comments));
  } else {
    node = Ref<>::dup(text);
  }
  VM_CHECK(builder_event(self, self->comment_event, node.get()));
  return node.release();
}

PyObject* builder_pi(TreeBuilderObject* self, PyObject* target, PyObject* text) {
  VM_CHECK(flush(self));
  PyObject* arguments[] = {target, text == nullptr ? Py_None : text};
  Ref<> node;
  if (self->pi_factory != nullptr) {
    Ref<> factory = Ref<>::dup(self->pi_factory);
    node = Ref<>::steal(PyObject_Vectorcall(factory.get(), arguments, 2, nullptr));
    if (!node) return nullptr;
    VM_CHECK(place_single(self, node.get(), self->insert_pis));
  } else {
    node = Ref<>::steal(PyTuple_Pack(2, arguments[0], arguments[1]));
    if (!node) return nullptr;
  }
  VM_CHECK(builder_event(self, self->pi_event, node.get()));
  return node.release();
}

PyObject* builder_close(TreeBuilderObject* self) { return Py_NewRef(self->root == nullptr ? Py_None : self->root); }

namespace {

PyObject* tree_builder_new(PyTypeObject* type, PyObject*, PyObject*) {
  Ref<TreeBuilderObject> self = VM_TRY(Ref<TreeBuilderObject>::steal(type->tp_alloc(type, 0)));
  self->stack = PyList_New(0);
  if (self->stack == nullptr) return nullptr;
  return self.object() != nullptr ? as_object(self.release()) : nullptr;
}

void set_factory(PyObject*& field, PyObject* value, PyObject* standard) {
  PyObject* chosen = value == nullptr || value == Py_None ? standard : value;
  Py_XINCREF(chosen);
  Py_XSETREF(field, chosen);
}

Status tree_builder_init(Borrowed<TreeBuilderObject> self, PyObject* element_factory, PyObject* comment_factory,
                         PyObject* pi_factory, Optional<bool> insert_comments, Optional<bool> insert_pis) {
  set_factory(self->element_factory, element_factory, nullptr);
  set_factory(self->comment_factory, comment_factory, g_globals.comment_factory);
  set_factory(self->pi_factory, pi_factory, g_globals.pi_factory);
  self->insert_comments = insert_comments.value_or(false);
  self->insert_pis = insert_pis.value_or(false);
  return Status::kOk;
}

int tree_builder_traverse(PyObject* object, visitproc visit, void* arg) {
  TreeBuilderObject* self = as_builder(object);
  Py_VISIT(self->root);
  Py_VISIT(self->current);
  Py_VISIT(self->last);
  Py_VISIT(self->stack);
  Py_VISIT(self->data);
  Py_VISIT(self->element_factory);
  Py_VISIT(self->comment_factory);
  Py_VISIT(self->pi_factory);
  Py_VISIT(self->events_append);
  return 0;
}
/// Keeps `stack`, which the methods rely on; it is emptied.
int tree_builder_clear(PyObject* object) {
  TreeBuilderObject* self = as_builder(object);
  Py_CLEAR(self->root);
  Py_CLEAR(self->last);
  Py_CLEAR(self->data);
  Py_CLEAR(self->element_factory);
  Py_CLEAR(self->comment_factory);
  Py_CLEAR(self->pi_factory);
  Py_CLEAR(self->events_append);
  Py_CLEAR(self->start_event);
  Py_CLEAR(self->end_event);
  Py_CLEAR(self->start_ns_event);
  Py_CLEAR(self->end_ns_event);
  Py_CLEAR(self->comment_event);
  Py_CLEAR(self->pi_event);
  if (self->stack != nullptr) PyList_SetSlice(self->stack, 0, PyList_GET_SIZE(self->stack), nullptr);
  Py_CLEAR(self->current);
  return 0;
}
void tree_builder_dealloc(PyObject* object) {
  TreeBuilderObject* self = as_builder(object);
  PyObject_GC_UnTrack(object);
  tree_builder_clear(object);
  Py_CLEAR(self->stack);
  PyMem_Free(self->pending);
  Py_TYPE(object)->tp_free(object);
}

PyObject* method_data(Borrowed<TreeBuilderObject> self, Borrowed<> data) {
  VM_CHECK(builder_data(self, data));
  Py_RETURN_NONE;
}
PyObject* method_start(Borrowed<TreeBuilderObject> self, Borrowed<> tag, Borrowed<PyDictObject> attributes) {
  return builder_start(self, tag, attributes.object());
}
PyObject* method_end(Borrowed<TreeBuilderObject> self, Borrowed<>) { return builder_end(self); }
PyObject* method_comment(Borrowed<TreeBuilderObject> self, Borrowed<> text) { return builder_comment(self, text); }
PyObject* method_pi(Borrowed<TreeBuilderObject> self, Borrowed<> target, PyObject* text) {
  return builder_pi(self, target, text);
}
PyObject* method_close(Borrowed<TreeBuilderObject> self) { return builder_close(self); }

PyMethodDef tree_builder_methods[] = {
    method<method_data, "data($self, data, /)", "Adds text to the current element.">(),
    method<method_start, "start($self, tag, attrs, /)", "Opens an element and returns it.">(),
    method<method_end, "end($self, tag, /)", "Closes the current element and returns it.">(),
    method<method_comment, "comment($self, text, /)", "Makes a comment.">(),
    method<method_pi, "pi($self, target, text=None, /)", "Makes a processing instruction.">(),
    method<method_close, "close($self, /)", "Returns the root element.">(),
    {},
};

}  // namespace

PyTypeObject g_tree_builder_type = {
    .ob_base = type_head(),
    .tp_name = "xml.etree.ElementTree.TreeBuilder",
    .tp_basicsize = sizeof(TreeBuilderObject),
    .tp_dealloc = tree_builder_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = tree_builder_traverse,
    .tp_clear = tree_builder_clear,
    .tp_methods = tree_builder_methods,
    .tp_init = initializer<tree_builder_init,
                           "TreeBuilder(element_factory=None, *, comment_factory=None, pi_factory=None, "
                           "insert_comments=False, insert_pis=False)">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = tree_builder_new,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston::etree
