// XMLParser: drives a target (by default and fastest a TreeBuilder) with what expat reports.
//
// A handler that fails leaves its exception set; the handlers after it do nothing, and parse() hands the exception on.
#include <expat.h>

#include <climits>
#include <cstring>

#include "Lib/native/elementtree/element.h"
#include "structmember.h"

#include <pyexpat.h>

namespace pyston::etree {
namespace {

/// What a target of another type than TreeBuilder may have.
#define PYSTON_TARGET_METHODS(METHOD) \
  METHOD(start)                       \
  METHOD(data)                        \
  METHOD(end)                         \
  METHOD(start_ns)                    \
  METHOD(end_ns)                      \
  METHOD(comment)                     \
  METHOD(pi)                          \
  METHOD(close)                       \
  METHOD(doctype)

struct NameSlot {
  size_t hash;
  PyObject* name;
  bool qualified;  // expat's "uri}local", which is "{uri}local" here
};

struct ParserObject {
  PyObject_HEAD
  XML_Parser parser;
  const PyExpat_CAPI* api;
  PyObject* target;
  PyObject* entity;
  TreeBuilderObject* builder;  // the target if it is exactly a TreeBuilder; borrowed
  NameSlot* names;             // open addressing; 2^n slots, at most half full
  size_t name_slots;
  size_t name_count;
  bool parsing;  // expat is at work; it is not reentrant
#define METHOD(name) PyObject* on_##name;
  PYSTON_TARGET_METHODS(METHOD)
#undef METHOD
};
ParserObject* as_parser(void* object) { return static_cast<ParserObject*>(object); }

Ref<> decode(const char* text) { return Ref<>::steal(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(strlen(text)), "strict")); }
Ref<> decode_or_empty(const char* text) { return decode(text == nullptr ? "" : text); }

// Names -------------------------------------------------------------------------------------------------------------

bool grow_names(ParserObject* self) {
  const size_t slots = self->name_slots == 0 ? 64 : self->name_slots * 2;
  auto* names = static_cast<NameSlot*>(PyMem_Calloc(slots, sizeof(NameSlot)));
  if (names == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  for (size_t i = 0; i < self->name_slots; i++) {
    if (self->names[i].name == nullptr) continue;
    size_t place = self->names[i].hash & (slots - 1);
    while (names[place].name != nullptr) place = (place + 1) & (slots - 1);
    names[place] = self->names[i];
  }
  PyMem_Free(self->names);
  self->names = names;
  self->name_slots = slots;
  return true;
}

/// The str of an element or attribute name, one object per name.
Ref<> universal_name(ParserObject* self, const char* raw) {
  const size_t length = strlen(raw);
  const auto hash = static_cast<size_t>(_Py_HashBytes(raw, static_cast<Py_ssize_t>(length)));
  if (UNLIKELY(self->name_count * 2 >= self->name_slots) && !grow_names(self)) return nullptr;
  size_t place = hash & (self->name_slots - 1);
  for (; self->names[place].name != nullptr; place = (place + 1) & (self->name_slots - 1)) {
    const NameSlot& slot = self->names[place];
    if (slot.hash != hash) continue;
    Py_ssize_t size;
    const char* text = PyUnicode_AsUTF8AndSize(slot.name, &size);
    if (text == nullptr) return nullptr;
    const size_t skip = slot.qualified ? 1 : 0;
    if (static_cast<size_t>(size) == length + skip && memcmp(text + skip, raw, length) == 0) {
      return Ref<>::dup(slot.name);
    }
  }
  const bool qualified = memchr(raw, '}', length) != nullptr;
  PyObject* name = qualified ? PyUnicode_FromFormat("{%s", raw)
                             : PyUnicode_DecodeUTF8(raw, static_cast<Py_ssize_t>(length), "strict");
  if (name == nullptr) return nullptr;
  PyUnicode_InternInPlace(&name);
  self->names[place] = {hash, Py_NewRef(name), qualified};
  self->name_count++;
  return Ref<>::steal(name);
}

// Errors ------------------------------------------------------------------------------------------------------------

/// Sets ParseError with `code` and `position`.
void set_parse_error(ParserObject* self, XML_Error code, const char* message) {
  const XML_Size line = self->api->GetErrorLineNumber(self->parser);
  const XML_Size column = self->api->GetErrorColumnNumber(self->parser);
  Ref<> text = Ref<>::steal(PyUnicode_FromFormat("%s: line %zu, column %zu",
                                                 message != nullptr ? message : self->api->ErrorString(code),
                                                 static_cast<size_t>(line), static_cast<size_t>(column)));
  if (!text) return;
  Ref<> error = Ref<>::steal(PyObject_CallOneArg(g_globals.parse_error, text.get()));
  Ref<> number = Ref<>::steal(PyLong_FromLong(code));
  Ref<> position = Ref<>::steal(Py_BuildValue("(kk)", line, column));
  if (!error || !number || !position || PyObject_SetAttrString(error.get(), "code", number.get()) < 0 ||
      PyObject_SetAttrString(error.get(), "position", position.get()) < 0) {
    return;
  }
  PyErr_SetObject(g_globals.parse_error, error.get());
}

// Expat's handlers --------------------------------------------------------------------------------------------------

/// Calls a method of the target for its effects.
template <class... Objects>
void call_target(PyObject* method, Objects*... objects) {
  PyObject* arguments[] = {objects..., nullptr};
  Ref<> keep = Ref<>::dup(method);
  Py_XDECREF(PyObject_Vectorcall(method, arguments, sizeof...(objects), nullptr));
}

void handle_start(void* data, const XML_Char* raw_tag, const XML_Char** raw_attributes) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  Ref<> tag = universal_name(self, raw_tag);
  if (!tag) return;
  Ref<> attributes;
  if (raw_attributes[0] != nullptr || self->builder == nullptr) {
    attributes = Ref<>::steal(PyDict_New());
    if (!attributes) return;
    for (; raw_attributes[0] != nullptr; raw_attributes += 2) {
      Ref<> name = universal_name(self, raw_attributes[0]);
      if (!name) return;
      Ref<> value = decode(raw_attributes[1]);
      if (!value || PyDict_SetItem(attributes.get(), name.get(), value.get()) < 0) return;
    }
  }
  if (self->builder != nullptr) {
    Py_XDECREF(builder_start(self->builder, tag.get(), attributes.get()));
  } else if (self->on_start != nullptr) {
    call_target(self->on_start, tag.get(), attributes.get());
  }
}

void handle_end(void* data, const XML_Char* raw_tag) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  if (self->builder != nullptr) {
    Py_XDECREF(builder_end(self->builder));
  } else if (self->on_end != nullptr) {
    Ref<> tag = universal_name(self, raw_tag);
    if (tag) call_target(self->on_end, tag.get());
  }
}

void handle_data(void* data, const XML_Char* text, int length) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  if (self->builder != nullptr) {
    (void)builder_utf8(self->builder, text, static_cast<size_t>(length));
  } else if (self->on_data != nullptr) {
    Ref<> piece = Ref<>::steal(PyUnicode_DecodeUTF8(text, length, "strict"));
    if (piece) call_target(self->on_data, piece.get());
  }
}

/// Gets among others references to entities that expat does not know: they are looked up in `entity`.
void handle_default(void* data, const XML_Char* text, int length) {
  if (length < 2 || text[0] != '&' || PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  Ref<> key = Ref<>::steal(PyUnicode_DecodeUTF8(text + 1, length - 2, "strict"));
  if (!key) return;
  Ref<> value = Ref<>::dup(PyDict_GetItemWithError(self->entity, key.get()));
  if (value) {
    if (self->builder != nullptr) {
      (void)builder_data(self->builder, value.get());
    } else if (self->on_data != nullptr) {
      call_target(self->on_data, value.get());
    }
  } else if (!PyErr_Occurred()) {
    char message[128];
    PyOS_snprintf(message, sizeof(message), "undefined entity %.*s", length < 100 ? length : 100, text);
    set_parse_error(self, XML_ERROR_UNDEFINED_ENTITY, message);
  }
}

void handle_start_ns(void* data, const XML_Char* raw_prefix, const XML_Char* raw_uri) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  if (self->builder != nullptr ? self->builder->start_ns_event == nullptr : self->on_start_ns == nullptr) return;
  Ref<> prefix = decode_or_empty(raw_prefix);
  if (!prefix) return;
  Ref<> uri = decode_or_empty(raw_uri);
  if (!uri) return;
  if (self->builder == nullptr) return call_target(self->on_start_ns, prefix.get(), uri.get());
  Ref<> pair = Ref<>::steal(PyTuple_Pack(2, prefix.get(), uri.get()));
  if (pair) (void)builder_event(self->builder, self->builder->start_ns_event, pair.get());
}

void handle_end_ns(void* data, const XML_Char* raw_prefix) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  if (self->builder != nullptr) {
    (void)builder_event(self->builder, self->builder->end_ns_event, Py_None);
  } else if (self->on_end_ns != nullptr) {
    Ref<> prefix = decode_or_empty(raw_prefix);
    if (prefix) call_target(self->on_end_ns, prefix.get());
  }
}

void handle_comment(void* data, const XML_Char* raw_text) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  Ref<> text = decode(raw_text);
  if (!text) return;
  if (self->builder != nullptr) {
    Py_XDECREF(builder_comment(self->builder, text.get()));
  } else if (self->on_comment != nullptr) {
    call_target(self->on_comment, text.get());
  }
}

void handle_pi(void* data, const XML_Char* raw_target, const XML_Char* raw_text) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  Ref<> target = decode(raw_target);
  if (!target) return;
  Ref<> text = decode_or_empty(raw_text);
  if (!text) return;
  if (self->builder != nullptr) {
    Py_XDECREF(builder_pi(self->builder, target.get(), text.get()));
  } else if (self->on_pi != nullptr) {
    call_target(self->on_pi, target.get(), text.get());
  }
}

void handle_doctype(void* data, const XML_Char* raw_name, const XML_Char* raw_system, const XML_Char* raw_public, int) {
  if (PyErr_Occurred()) return;
  ParserObject* self = as_parser(data);
  if (self->on_doctype != nullptr) {
    Ref<> name = universal_name(self, raw_name);
    if (!name) return;
    Ref<> system = raw_system == nullptr ? Ref<>::none() : decode(raw_system);
    if (!system) return;
    Ref<> public_id = raw_public == nullptr ? Ref<>::none() : decode(raw_public);
    if (public_id) call_target(self->on_doctype, name.get(), public_id.get(), system.get());
    return;
  }
  PyObject* own = nullptr;
  Ref<> name = Ref<>::steal(PyUnicode_FromString("doctype"));
  if (name && _PyObject_LookupAttr(as_object(self), name.get(), &own) > 0) {
    Py_DECREF(own);
    PyErr_WarnEx(PyExc_RuntimeWarning,
                 "The doctype() method of XMLParser is ignored.  "
                 "Define doctype() method on the TreeBuilder target.",
                 1);
  }
}

// The object --------------------------------------------------------------------------------------------------------

const PyExpat_CAPI* expat_api() {
  static const PyExpat_CAPI* api = nullptr;
  if (api == nullptr) {
    auto* imported = static_cast<const PyExpat_CAPI*>(PyCapsule_Import(PyExpat_CAPSULE_NAME, 0));
    if (imported == nullptr) return nullptr;
    if (strcmp(imported->magic, PyExpat_CAPI_MAGIC) != 0 || static_cast<size_t>(imported->size) < sizeof(*imported) ||
        imported->MAJOR_VERSION != XML_MAJOR_VERSION || imported->MINOR_VERSION != XML_MINOR_VERSION ||
        imported->MICRO_VERSION != XML_MICRO_VERSION) {
      return raise(PyExc_ImportError, "pyexpat version is incompatible");
    }
    api = imported;
  }
  return api;
}

PyObject* parser_new(PyTypeObject* type, PyObject*, PyObject*) { return type->tp_alloc(type, 0); }

int parser_clear(PyObject* object) {
  ParserObject* self = as_parser(object);
  if (XML_Parser parser = std::exchange(self->parser, nullptr)) self->api->ParserFree(parser);
  self->builder = nullptr;
#define METHOD(name) Py_CLEAR(self->on_##name);
  PYSTON_TARGET_METHODS(METHOD)
#undef METHOD
  Py_CLEAR(self->target);
  Py_CLEAR(self->entity);
  return 0;
}

Status look_up_methods(ParserObject* self, PyObject* target) {
  Ref<> name;
#define METHOD(method_name)                                        \
  name = Ref<>::steal(PyUnicode_InternFromString(#method_name));   \
  if (!name) return Status::kError;                                \
  if (_PyObject_LookupAttr(target, name.get(), &self->on_##method_name) < 0) return Status::kError;
  PYSTON_TARGET_METHODS(METHOD)
#undef METHOD
  return Status::kOk;
}

Status parser_init(Borrowed<ParserObject> self, PyObject* target, PyObject* encoding) {
  if (self->parsing) return raise(PyExc_RuntimeError, "the parser cannot be used by its own target");
  const char* encoding_text = nullptr;
  if (encoding != nullptr && encoding != Py_None) {
    if (!PyUnicode_Check(encoding)) {
      return raise(PyExc_TypeError, "XMLParser() argument 'encoding' must be str or None, not %.50s",
                   Py_TYPE(encoding)->tp_name);
    }
    Py_ssize_t size;
    encoding_text = PyUnicode_AsUTF8AndSize(encoding, &size);
    if (encoding_text == nullptr) return Status::kError;
    if (strlen(encoding_text) != static_cast<size_t>(size)) return raise(PyExc_ValueError, "embedded null character");
  }
  const PyExpat_CAPI* api = VM_TRY(expat_api());
  parser_clear(self.object());
  self->api = api;
  Ref<> entity = VM_TRY(Ref<>::steal(PyDict_New()));
  static const XML_Memory_Handling_Suite memory = {PyMem_Malloc, PyMem_Realloc, PyMem_Free};
  XML_Parser parser = api->ParserCreate_MM(encoding_text, &memory, "}");
  if (parser == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  self->parser = parser;
  self->entity = entity.release();
  api->SetHashSalt(parser, static_cast<unsigned long>(_Py_HashSecret.expat.hashsalt));
  Ref<> chosen = target == nullptr || target == Py_None
                     ? Ref<>::steal(PyObject_CallNoArgs(as_object(&g_tree_builder_type)))
                     : Ref<>::dup(target);
  if (!chosen) return Status::kError;
  VM_CHECK(look_up_methods(self, chosen.get()));
  self->builder = Py_IS_TYPE(chosen.get(), &g_tree_builder_type) ? as_builder(chosen.get()) : nullptr;
  self->target = chosen.release();

  api->SetUserData(parser, self.get());
  if (self->on_start_ns != nullptr || self->on_end_ns != nullptr) {
    api->SetNamespaceDeclHandler(parser, handle_start_ns, handle_end_ns);
  }
  api->SetElementHandler(parser, handle_start, handle_end);
  api->SetDefaultHandlerExpand(parser, handle_default);
  api->SetCharacterDataHandler(parser, handle_data);
  if (self->on_comment != nullptr) api->SetCommentHandler(parser, handle_comment);
  if (self->on_pi != nullptr) api->SetProcessingInstructionHandler(parser, handle_pi);
  api->SetStartDoctypeDeclHandler(parser, handle_doctype);
  api->SetUnknownEncodingHandler(parser, api->DefaultUnknownEncodingHandler, nullptr);
  return Status::kOk;
}

int parser_traverse(PyObject* object, visitproc visit, void* arg) {
  ParserObject* self = as_parser(object);
#define METHOD(name) Py_VISIT(self->on_##name);
  PYSTON_TARGET_METHODS(METHOD)
#undef METHOD
  Py_VISIT(self->target);
  Py_VISIT(self->entity);
  return 0;
}
void parser_dealloc(PyObject* object) {
  ParserObject* self = as_parser(object);
  PyObject_GC_UnTrack(object);
  parser_clear(object);
  for (size_t i = 0; i < self->name_slots; i++) Py_XDECREF(self->names[i].name);
  PyMem_Free(self->names);
  Py_TYPE(object)->tp_free(object);
}

Status check_initialised(ParserObject* self) {
  if (LIKELY(self->target != nullptr)) return Status::kOk;
  return raise(PyExc_ValueError, "XMLParser.__init__() wasn't called");
}

Status parse(ParserObject* self, const char* text, Py_ssize_t length, bool final) {
  if (length > INT_MAX) return raise(PyExc_OverflowError, "size does not fit in an int");
  if (self->parsing) return raise(PyExc_RuntimeError, "the parser cannot be used by its own target");
  self->parsing = true;
  const XML_Status status = self->api->Parse(self->parser, text, static_cast<int>(length), final);
  self->parsing = false;
  if (PyErr_Occurred()) return Status::kError;
  if (status != XML_STATUS_ERROR) return Status::kOk;
  set_parse_error(self, self->api->GetErrorCode(self->parser), nullptr);
  return Status::kError;
}

Status method_feed(Borrowed<ParserObject> self, Borrowed<> data) {
  VM_CHECK(check_initialised(self));
  if (PyUnicode_Check(data.get())) {
    Py_ssize_t size;
    const char* text = VM_TRY(PyUnicode_AsUTF8AndSize(data, &size));
    if (size > INT_MAX) return raise(PyExc_OverflowError, "size does not fit in an int");
    if (!self->parsing) (void)self->api->SetEncoding(self->parser, "utf-8");  // whatever the text declares
    return parse(self, text, size, false);
  }
  Buffer buffer;
  if (!buffer.acquire(data)) return Status::kError;
  return parse(self, buffer.data(), buffer.size(), false);
}

PyObject* method_close(Borrowed<ParserObject> self) {
  VM_CHECK(check_initialised(self));
  VM_CHECK(parse(self, "", 0, true));
  if (self->builder != nullptr) return builder_close(self->builder);
  if (self->on_close != nullptr) return PyObject_CallNoArgs(self->on_close);
  Py_RETURN_NONE;
}

PyObject* method_parse_whole(Borrowed<ParserObject> self, Borrowed<> file) {
  VM_CHECK(check_initialised(self));
  Ref<> read = VM_TRY(Ref<>::steal(PyObject_GetAttrString(file, "read")));
  Ref<> amount = VM_TRY(Ref<>::steal(PyLong_FromLong(64 * 1024)));
  while (true) {
    Ref<> chunk = VM_TRY(Ref<>::steal(PyObject_CallOneArg(read.get(), amount.get())));
    if (PyUnicode_CheckExact(chunk.get())) {
      if (PyUnicode_GET_LENGTH(chunk.get()) == 0) break;
      chunk = Ref<>::steal(PyUnicode_AsEncodedString(chunk.get(), "utf-8", "surrogatepass"));
      if (!chunk) return nullptr;
    } else if (!PyBytes_CheckExact(chunk.get()) || PyBytes_GET_SIZE(chunk.get()) == 0) {
      break;
    }
    VM_CHECK(parse(self, PyBytes_AS_STRING(chunk.get()), PyBytes_GET_SIZE(chunk.get()), false));
  }
  VM_CHECK(parse(self, "", 0, true));
  if (self->builder != nullptr) return builder_close(self->builder);
  Py_RETURN_NONE;
}

Status method_setevents(Borrowed<ParserObject> self, Borrowed<> queue, PyObject* wanted) {
  VM_CHECK(check_initialised(self));
  TreeBuilderObject* builder = self->builder;
  if (builder == nullptr) {
    return raise(PyExc_TypeError, "event handling only supported for ElementTree.TreeBuilder targets");
  }
  Ref<> append = VM_TRY(Ref<>::steal(PyObject_GetAttrString(queue, "append")));
  Py_XSETREF(builder->events_append, append.release());
  Py_CLEAR(builder->start_event);
  Py_CLEAR(builder->end_event);
  Py_CLEAR(builder->start_ns_event);
  Py_CLEAR(builder->end_ns_event);
  Py_CLEAR(builder->comment_event);
  Py_CLEAR(builder->pi_event);
  if (wanted == nullptr || wanted == Py_None) {
    builder->end_event = PyUnicode_FromString("end");
    return builder->end_event != nullptr ? Status::kOk : Status::kError;
  }
  Ref<> sequence = VM_TRY(Ref<>::steal(PySequence_Fast(wanted, "events must be a sequence")));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); i++) {
    Ref<> event = Ref<>::dup(PySequence_Fast_GET_ITEM(sequence.get(), i));
    const char* name = nullptr;
    if (PyUnicode_Check(event.get())) {
      name = PyUnicode_AsUTF8(event.get());
    } else if (PyBytes_Check(event.get())) {
      name = PyBytes_AS_STRING(event.get());
    }
    if (name == nullptr) {
      PyErr_Clear();
      return raise(PyExc_ValueError, "invalid events sequence");
    }
    PyObject** field;
    if (strcmp(name, "start") == 0) {
      field = &builder->start_event;
    } else if (strcmp(name, "end") == 0) {
      field = &builder->end_event;
    } else if (strcmp(name, "start-ns") == 0) {
      field = &builder->start_ns_event;
      self->api->SetNamespaceDeclHandler(self->parser, handle_start_ns, handle_end_ns);
    } else if (strcmp(name, "end-ns") == 0) {
      field = &builder->end_ns_event;
      self->api->SetNamespaceDeclHandler(self->parser, handle_start_ns, handle_end_ns);
    } else if (strcmp(name, "comment") == 0) {
      field = &builder->comment_event;
      self->api->SetCommentHandler(self->parser, handle_comment);
    } else if (strcmp(name, "pi") == 0) {
      field = &builder->pi_event;
      self->api->SetProcessingInstructionHandler(self->parser, handle_pi);
    } else {
      return raise(PyExc_ValueError, "unknown event '%s'", name);
    }
    Py_XSETREF(*field, event.release());
  }
  return Status::kOk;
}

Ref<> get_version(Borrowed<ParserObject>) {
  return Ref<>::steal(
      PyUnicode_FromFormat("Expat %d.%d.%d", XML_MAJOR_VERSION, XML_MINOR_VERSION, XML_MICRO_VERSION));
}

PyMethodDef parser_methods[] = {
    method<method_feed, "feed($self, data, /)", "Parses a piece of the document.">(),
    method<method_close, "close($self, /)", "Ends the document and returns what the target made.">(),
    method<method_parse_whole, "_parse_whole($self, file, /)", "Parses all of a file.">(),
    method<method_setevents, "_setevents($self, events_queue, events_to_report=None, /)">(),
    {},
};
PyMemberDef parser_members[] = {
    {"entity", T_OBJECT, offsetof(ParserObject, entity), READONLY, nullptr},
    {"target", T_OBJECT, offsetof(ParserObject, target), READONLY, nullptr},
    {},
};
PyGetSetDef parser_getset[] = {getset<get_version>("version"), {}};

}  // namespace

PyTypeObject g_parser_type = {
    .ob_base = type_head(),
    .tp_name = "xml.etree.ElementTree.XMLParser",
    .tp_basicsize = sizeof(ParserObject),
    .tp_dealloc = parser_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = parser_traverse,
    .tp_clear = parser_clear,
    .tp_methods = parser_methods,
    .tp_members = parser_members,
    .tp_getset = parser_getset,
    .tp_init = initializer<parser_init, "XMLParser(*, target=None, encoding=None)">,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = parser_new,
    .tp_free = PyObject_GC_Del,
};

}  // namespace pyston::etree
