// Shared by the parts of _elementtree: the element, the tree builder, and the module-wide objects.
//
// INVARIANTS: tag, text and tail of an element are never null once it is initialised. `extra` is null as long as an
// element has neither attributes nor children; `extra->attributes` is null or a dict. Children are always elements.
#pragma once

#include "Objects/bind.h"

namespace pyston::etree {

constexpr Py_ssize_t kInlineChildren = 4;

/// Attributes and children, which leaf elements do without.
struct Extra {
  PyObject* attributes;
  Py_ssize_t length;
  Py_ssize_t allocated;
  PyObject** children;  // `inline_children` or a block of the allocator
  PyObject* inline_children[kInlineChildren];
};

struct ElementObject {
  PyObject_HEAD
  PyObject* tag;
  PyObject* text;
  PyObject* tail;
  Extra* extra;
  PyObject* weak_references;
};

struct TreeBuilderObject {
  PyObject_HEAD
  PyObject* root;     // null before the first start()
  PyObject* current;  // the open element, or null
  PyObject* last;     // the element that text belongs to, or null
  bool after_end;     // text is the tail of `last`
  PyObject* stack;    // list of the elements around `current`
  PyObject* data;     // str or other object, or list of such: text that is not in the tree yet. Null if none
  char* pending;      // UTF-8 text from the parser that comes after `data`
  size_t pending_size;
  size_t pending_capacity;
  PyObject* element_factory;
  PyObject* comment_factory;
  PyObject* pi_factory;
  bool insert_comments;
  bool insert_pis;
  // Events for iterparse: `events_append` takes (name, object) for every event whose name is set.
  PyObject* events_append;
  PyObject* start_event;
  PyObject* end_event;
  PyObject* start_ns_event;
  PyObject* end_ns_event;
  PyObject* comment_event;
  PyObject* pi_event;
};

/// Objects of the module, filled by its first import.
struct Globals {
  PyObject* parse_error;
  PyObject* deepcopy;
  PyObject* element_path;
  PyObject* comment_factory;
  PyObject* pi_factory;
};
extern Globals g_globals;

extern PyTypeObject g_element_type;
extern PyTypeObject g_element_iterator_type;
extern PyTypeObject g_tree_builder_type;
extern PyTypeObject g_parser_type;

inline ElementObject* as_element(PyObject* object) { return reinterpret_cast<ElementObject*>(object); }
inline TreeBuilderObject* as_builder(PyObject* object) { return reinterpret_cast<TreeBuilderObject*>(object); }
inline bool is_element(PyObject* object) { return PyObject_TypeCheck(object, &g_element_type); }
inline bool is_exact_element(PyObject* object) { return Py_IS_TYPE(object, &g_element_type); }

/// A new element; `attributes` (may be null, is shared) is a dict.
PyObject* new_element(PyObject* tag, PyObject* attributes);
/// Adds a child at the end; any other object is a TypeError.
Status append_child(ElementObject* self, PyObject* child);
PyObject* sub_element(PyObject* module, PyObject* args, PyObject* kwargs);
/// Iterator over the subtree: elements with `tag` (any if None), or all texts.
PyObject* new_element_iterator(PyObject* root, PyObject* tag, bool texts);

/// What the methods of a tree builder do. New references; `attributes` and `text` may be null.
PyObject* builder_start(TreeBuilderObject* self, PyObject* tag, PyObject* attributes);
PyObject* builder_end(TreeBuilderObject* self);
Status builder_data(TreeBuilderObject* self, PyObject* data);
Status builder_utf8(TreeBuilderObject* self, const char* text, size_t size);
PyObject* builder_comment(TreeBuilderObject* self, PyObject* text);
PyObject* builder_pi(TreeBuilderObject* self, PyObject* target, PyObject* text);
PyObject* builder_close(TreeBuilderObject* self);
/// Reports (event, object) to the queue if `event` (may be null) is wanted.
Status builder_event(TreeBuilderObject* self, PyObject* event, PyObject* object);

}  // namespace pyston::etree

namespace pyston {
template <>
struct ArgumentType<etree::ElementObject> {
  static bool check(PyObject* value) { return etree::is_element(value); }
  static constexpr const char* kName = "xml.etree.ElementTree.Element";
};
}  // namespace pyston
