// pyexpat's parser type: methods and attributes.
#include <algorithm>

#include "Lib/native/pyexpat/parser.h"

namespace pyston::expat {

PyTypeObject* g_parser_type = nullptr;
PyObject* g_error_type = nullptr;

namespace {

constexpr int kDefaultBuffer = 8192;
constexpr int kReadSize = 2048;
constexpr Py_ssize_t kLargestChunk = 1 << 20;  // expat takes int lengths

Ref<> decode(const XML_Char* text) {
  if (text == nullptr) return Ref<>::none();
  return Ref<>::steal(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(strlen(text)), "strict"));
}

PyObject* parse_result(ParserObject* self, int status) {
  if (PyErr_Occurred()) return nullptr;
  if (status == 0) return set_error(self, XML_GetErrorCode(self->parser));
  if (flush_characters(self) < 0) return nullptr;
  return PyLong_FromLong(status);
}

PyObject* parse(PyObject* object, PyObject* data, Optional<bool> is_final) {
  ParserObject* self = as_parser(object);
  const char* text;
  Py_ssize_t length;
  Buffer view;
  if (PyUnicode_Check(data)) {
    text = PyUnicode_AsUTF8AndSize(data, &length);
    if (text == nullptr) return nullptr;
    (void)XML_SetEncoding(self->parser, "utf-8");  // whatever the declaration says
  } else {
    if (!view.acquire(data)) return nullptr;
    text = view.data();
    length = view.size();
  }
  while (length > kLargestChunk) {
    const int status = XML_Parse(self->parser, text, kLargestChunk, 0);
    if (status == 0 || PyErr_Occurred()) return parse_result(self, status);
    text += kLargestChunk;
    length -= kLargestChunk;
  }
  return parse_result(self, XML_Parse(self->parser, text, static_cast<int>(length), is_final.value_or(false)));
}

/// Reads a piece into `buffer`: its size, or -1.
Py_ssize_t read_piece(char* buffer, PyObject* read) {
  Ref<> piece = Ref<>::steal(PyObject_CallFunction(read, "i", kReadSize));
  if (!piece) return -1;
  const char* bytes;
  Py_ssize_t length;
  if (PyByteArray_Check(piece.get())) {
    bytes = PyByteArray_AS_STRING(piece.get());
    length = PyByteArray_GET_SIZE(piece.get());
  } else if (PyBytes_Check(piece.get())) {
    bytes = PyBytes_AS_STRING(piece.get());
    length = PyBytes_GET_SIZE(piece.get());
  } else {
    PyErr_Format(PyExc_TypeError, "read() did not return a bytes object (type=%.400s)", Py_TYPE(piece.get())->tp_name);
    return -1;
  }
  if (length > kReadSize) {
    PyErr_Format(PyExc_ValueError, "read() returned too much data: %i bytes requested, %zd returned", kReadSize, length);
    return -1;
  }
  memcpy(buffer, bytes, static_cast<size_t>(length));
  return length;
}

PyObject* parse_file(PyObject* object, PyObject* file) {
  ParserObject* self = as_parser(object);
  PyObject* method;
  Ref<> name = Ref<>::steal(PyUnicode_FromString("read"));
  if (!name || _PyObject_LookupAttr(file, name.get(), &method) < 0) return nullptr;
  Ref<> read = Ref<>::steal(method);
  if (!read) {
    PyErr_SetString(PyExc_TypeError, "argument must have 'read' attribute");
    return nullptr;
  }
  while (true) {
    void* buffer = XML_GetBuffer(self->parser, kReadSize);
    if (buffer == nullptr) return parse_result(self, 0);
    const Py_ssize_t count = read_piece(static_cast<char*>(buffer), read.get());
    if (count < 0) return nullptr;
    const int status = XML_ParseBuffer(self->parser, static_cast<int>(count), count == 0);
    if (PyErr_Occurred()) return nullptr;
    if (status == 0 || count == 0) return parse_result(self, status);
  }
}

PyObject* set_base(PyObject* self, PyObject* base) {
  if (!PyUnicode_Check(base)) {
    PyErr_Format(PyExc_TypeError, "SetBase() argument must be str, not %.50s",
                 base == Py_None ? "None" : Py_TYPE(base)->tp_name);
    return nullptr;
  }
  const char* text = PyUnicode_AsUTF8(base);
  if (text == nullptr) return nullptr;
  if (!XML_SetBase(as_parser(self)->parser, text)) return PyErr_NoMemory();
  Py_RETURN_NONE;
}
PyObject* get_base(PyObject* self) { return decode(XML_GetBase(as_parser(self)->parser)).release(); }

PyObject* get_input_context(PyObject* object) {
  ParserObject* self = as_parser(object);
  if (!self->in_callback) Py_RETURN_NONE;
  int offset, size;
  const char* buffer = XML_GetInputContext(self->parser, &offset, &size);
  if (buffer == nullptr) Py_RETURN_NONE;
  return PyBytes_FromStringAndSize(buffer + offset, size - offset);
}

/// A str argument that may be None: its UTF-8 (null for None). False with an exception set.
bool text_argument(PyObject* value, const char* function, const char* argument, const char** out) {
  *out = nullptr;
  if (value == nullptr || value == Py_None) return true;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s() argument %s must be str or None, not %.50s", function, argument,
                 Py_TYPE(value)->tp_name);
    return false;
  }
  Py_ssize_t length;
  *out = PyUnicode_AsUTF8AndSize(value, &length);
  if (*out == nullptr) return false;
  if (strlen(*out) != static_cast<size_t>(length)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return false;
  }
  return true;
}

PyObject* external_entity_parser(PyObject* object, PyObject* context, PyObject* encoding) {
  const char *context_text, *encoding_text;
  if (!text_argument(context, "ExternalEntityParserCreate", "1", &context_text) ||
      !text_argument(encoding, "ExternalEntityParserCreate", "2", &encoding_text)) {
    return nullptr;
  }
  ParserObject* self = as_parser(object);
  ParserObject* child = PyObject_GC_New(ParserObject, g_parser_type);
  if (child == nullptr) return nullptr;
  child->buffer = nullptr;
  child->buffer_size = self->buffer_size;
  child->buffer_used = 0;
  child->ordered_attributes = self->ordered_attributes;
  child->specified_attributes = self->specified_attributes;
  child->in_callback = false;
  child->namespace_prefixes = self->namespace_prefixes;
  child->intern = Py_XNewRef(self->intern);
  drop_handlers(child, true);
  child->parser = XML_ExternalEntityParserCreate(self->parser, context_text, encoding_text);
  PyObject_GC_Track(child);
  Ref<> owner = Ref<>::steal(as_object(child));
  if (self->buffer != nullptr) {
    child->buffer = static_cast<XML_Char*>(PyMem_Malloc(static_cast<size_t>(child->buffer_size)));
    if (child->buffer == nullptr) return PyErr_NoMemory();
  }
  if (child->parser == nullptr) return PyErr_NoMemory();
  XML_SetUserData(child->parser, child);
  for (int i = 0; i < kHandlerCount; i++) {
    if (self->handlers[i] == nullptr) continue;
    child->handlers[i] = Py_NewRef(self->handlers[i]);
    g_handlers[i].install(child, true);
  }
  return owner.release();
}

PyObject* set_param_entity_parsing(PyObject* self, int flag) {
  return PyLong_FromLong(
      XML_SetParamEntityParsing(as_parser(self)->parser, static_cast<enum XML_ParamEntityParsing>(flag)));
}
PyObject* use_foreign_dtd(PyObject* self, Optional<bool> flag) {
  const enum XML_Error code = XML_UseForeignDTD(as_parser(self)->parser, flag.value_or(true) ? XML_TRUE : XML_FALSE);
  if (code != XML_ERROR_NONE) return set_error(as_parser(self), code);
  Py_RETURN_NONE;
}

PyMethodDef parser_methods[] = {
    method<parse, "Parse($self, data, isfinal=False, /)",
           "Parse XML data.\n\n`isfinal' should be true at end of input.">(),
    method<parse_file, "ParseFile($self, file, /)", "Parse XML data from file-like object.">(),
    method<set_base, "SetBase($self, base, /)", "Set the base URL for the parser.">(),
    method<get_base, "GetBase($self, /)", "Return base URL string for the parser.">(),
    method<get_input_context, "GetInputContext($self, /)",
           "Return the untranslated text of the input that caused the current event.">(),
    method<external_entity_parser, "ExternalEntityParserCreate($self, context, encoding=<unrepresentable>, /)",
           "Create a parser for parsing an external entity based on the information passed to the "
           "ExternalEntityRefHandler.">(),
    method<set_param_entity_parsing, "SetParamEntityParsing($self, flag, /)",
           "Controls parsing of parameter entities (including the external DTD subset).">(),
    method<use_foreign_dtd, "UseForeignDTD($self, flag=True, /)",
           "Allows the application to provide an artificial external subset.">(),
    {},
};

// ---- Attributes --------------------------------------------------------------------------------------------------

PyObject* get_handler(PyObject* self, void* closure) {
  PyObject* handler = as_parser(self)->handlers[reinterpret_cast<intptr_t>(closure)];
  return Py_NewRef(handler != nullptr ? handler : Py_None);
}
int set_handler(PyObject* object, PyObject* value, void* closure) {
  ParserObject* self = as_parser(object);
  const auto index = reinterpret_cast<intptr_t>(closure);
  if (value == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
    return -1;
  }
  // Data collected so far belongs to the old handler.
  if (index == kCharacterData && flush_characters(self) < 0) return -1;
  PyObject* handler = value == Py_None ? nullptr : Py_NewRef(value);
  Py_XSETREF(self->handlers[index], handler);
  g_handlers[index].install(self, handler != nullptr);
  return 0;
}

PyObject* get_number(PyObject* self, void* closure) {
  XML_Parser parser = as_parser(self)->parser;
  switch (reinterpret_cast<intptr_t>(closure)) {
    case 0: return PyLong_FromLong(XML_GetErrorCode(parser));
    case 1: return PyLong_FromLong(static_cast<long>(XML_GetCurrentLineNumber(parser)));
    case 2: return PyLong_FromLong(static_cast<long>(XML_GetCurrentColumnNumber(parser)));
    default: return PyLong_FromLong(static_cast<long>(XML_GetCurrentByteIndex(parser)));
  }
}

template <int ParserObject::*field>
PyObject* get_flag(PyObject* self, void*) {
  return PyBool_FromLong(as_parser(self)->*field);
}
template <int ParserObject::*field>
int set_flag(PyObject* self, PyObject* value, void*) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
    return -1;
  }
  const int truth = PyObject_IsTrue(value);
  if (truth < 0) return -1;
  as_parser(self)->*field = truth;
  if (field == &ParserObject::namespace_prefixes) XML_SetReturnNSTriplet(as_parser(self)->parser, truth);
  return 0;
}

PyObject* get_buffer_text(PyObject* self, void*) { return PyBool_FromLong(as_parser(self)->buffer != nullptr); }
int set_buffer_text(PyObject* object, PyObject* value, void*) {
  ParserObject* self = as_parser(object);
  if (value == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
    return -1;
  }
  const int truth = PyObject_IsTrue(value);
  if (truth < 0) return -1;
  if (truth && self->buffer == nullptr) {
    self->buffer = static_cast<XML_Char*>(PyMem_Malloc(static_cast<size_t>(self->buffer_size)));
    if (self->buffer == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    self->buffer_used = 0;
  } else if (!truth && self->buffer != nullptr) {
    if (flush_characters(self) < 0) return -1;
    PyMem_Free(self->buffer);
    self->buffer = nullptr;
  }
  return 0;
}
PyObject* get_buffer_size(PyObject* self, void*) { return PyLong_FromLong(as_parser(self)->buffer_size); }
int set_buffer_size(PyObject* object, PyObject* value, void*) {
  ParserObject* self = as_parser(object);
  if (value == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
    return -1;
  }
  if (!PyLong_Check(value)) {
    PyErr_SetString(PyExc_TypeError, "buffer_size must be an integer");
    return -1;
  }
  const long size = PyLong_AsLong(value);
  if (size <= 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "buffer_size must be greater than zero");
    return -1;
  }
  if (size > INT_MAX) {
    PyErr_Format(PyExc_ValueError, "buffer_size must not be greater than %i", INT_MAX);
    return -1;
  }
  if (size == self->buffer_size) return 0;
  if (self->buffer != nullptr) {
    if (flush_characters(self) < 0) return -1;
    auto* buffer = static_cast<XML_Char*>(PyMem_Malloc(static_cast<size_t>(size)));
    if (buffer == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    PyMem_Free(self->buffer);
    self->buffer = buffer;
  }
  self->buffer_size = static_cast<int>(size);
  return 0;
}
PyObject* get_buffer_used(PyObject* self, void*) { return PyLong_FromLong(as_parser(self)->buffer_used); }

PyMemberDef parser_members[] = {
    {"intern", T_OBJECT, offsetof(ParserObject, intern), READONLY, nullptr},
    {},
};

PyGetSetDef parser_getset[] = {
#define HANDLER(name) {nullptr, get_handler, set_handler, nullptr, reinterpret_cast<void*>(static_cast<intptr_t>(k##name))},
    PYSTON_EXPAT_HANDLERS(HANDLER)
#undef HANDLER
    {"ErrorCode", get_number, nullptr, nullptr, reinterpret_cast<void*>(0)},
    {"ErrorLineNumber", get_number, nullptr, nullptr, reinterpret_cast<void*>(1)},
    {"ErrorColumnNumber", get_number, nullptr, nullptr, reinterpret_cast<void*>(2)},
    {"ErrorByteIndex", get_number, nullptr, nullptr, reinterpret_cast<void*>(3)},
    {"CurrentLineNumber", get_number, nullptr, nullptr, reinterpret_cast<void*>(1)},
    {"CurrentColumnNumber", get_number, nullptr, nullptr, reinterpret_cast<void*>(2)},
    {"CurrentByteIndex", get_number, nullptr, nullptr, reinterpret_cast<void*>(3)},
    {"buffer_size", get_buffer_size, set_buffer_size, nullptr, nullptr},
    {"buffer_text", get_buffer_text, set_buffer_text, nullptr, nullptr},
    {"buffer_used", get_buffer_used, nullptr, nullptr, nullptr},
    {"namespace_prefixes", get_flag<&ParserObject::namespace_prefixes>, set_flag<&ParserObject::namespace_prefixes>,
     nullptr, nullptr},
    {"ordered_attributes", get_flag<&ParserObject::ordered_attributes>, set_flag<&ParserObject::ordered_attributes>,
     nullptr, nullptr},
    {"specified_attributes", get_flag<&ParserObject::specified_attributes>,
     set_flag<&ParserObject::specified_attributes>, nullptr, nullptr},
    {},
};

int parser_traverse(PyObject* object, visitproc visit, void* arg) {
  for (PyObject* handler : as_parser(object)->handlers) Py_VISIT(handler);
  Py_VISIT(Py_TYPE(object));
  return 0;
}
int parser_clear(PyObject* object) {
  drop_handlers(as_parser(object), false);
  Py_CLEAR(as_parser(object)->intern);
  return 0;
}
void parser_dealloc(PyObject* object) {
  ParserObject* self = as_parser(object);
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  parser_clear(object);
  if (self->parser != nullptr) XML_ParserFree(self->parser);
  PyMem_Free(self->buffer);
  PyObject_GC_Del(object);
  Py_DECREF(as_object(type));
}

PyType_Slot parser_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(parser_dealloc)},
    {Py_tp_doc, const_cast<char*>("XML parser")},
    {Py_tp_traverse, reinterpret_cast<void*>(parser_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(parser_clear)},
    {Py_tp_methods, parser_methods},
    {Py_tp_members, parser_members},
    {Py_tp_getset, parser_getset},
    {0, nullptr},
};
PyType_Spec parser_spec = {
    "pyexpat.xmlparser", sizeof(ParserObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    parser_slots,
};

}  // namespace

/// Raises ExpatError with code, offset and lineno; null.
PyObject* set_error(ParserObject* self, enum XML_Error code) {
  const XML_Size line = XML_GetErrorLineNumber(self->parser);
  const XML_Size column = XML_GetErrorColumnNumber(self->parser);
  Ref<> message = Ref<>::steal(PyUnicode_FromFormat("%s: line %zu, column %zu", XML_ErrorString(code),
                                                    static_cast<size_t>(line), static_cast<size_t>(column)));
  Ref<> error = message ? Ref<>::steal(PyObject_CallOneArg(g_error_type, message.get())) : nullptr;
  if (!error) return nullptr;
  auto add = [&](const char* name, long value) {
    Ref<> number = Ref<>::steal(PyLong_FromLong(value));
    return number && PyObject_SetAttrString(error.get(), name, number.get()) == 0;
  };
  if (add("code", code) && add("offset", static_cast<long>(column)) && add("lineno", static_cast<long>(line))) {
    PyErr_SetObject(g_error_type, error.get());
  }
  return nullptr;
}

PyObject* new_parser(const char* encoding, const char* separator, PyObject* intern) {
  ParserObject* self = PyObject_GC_New(ParserObject, g_parser_type);
  if (self == nullptr) return nullptr;
  self->buffer = nullptr;
  self->buffer_size = kDefaultBuffer;
  self->buffer_used = 0;
  self->ordered_attributes = 0;
  self->specified_attributes = 0;
  self->in_callback = false;
  self->namespace_prefixes = 0;
  self->intern = Py_XNewRef(intern);
  drop_handlers(self, true);
  // The tables of expat come from Python's allocator.
  static const XML_Memory_Handling_Suite kMemory = {PyObject_Malloc, PyObject_Realloc, PyObject_Free};
  self->parser = XML_ParserCreate_MM(encoding, &kMemory, separator);
  PyObject_GC_Track(self);
  if (self->parser == nullptr) {
    Py_DECREF(as_object(self));
    return PyErr_NoMemory();
  }
  XML_SetHashSalt(self->parser, static_cast<unsigned long>(_Py_HashSecret.expat.hashsalt));
  XML_SetUserData(self->parser, self);
  XML_SetUnknownEncodingHandler(self->parser, unknown_encoding, nullptr);
  return as_object(self);
}

int add_parser_type(PyObject* module) {
  for (int i = 0; i < kHandlerCount; i++) parser_getset[i].name = g_handlers[i].attribute;
  if (g_parser_type == nullptr) g_parser_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&parser_spec));
  return g_parser_type == nullptr ? -1 : PyModule_AddObjectRef(module, "XMLParserType", as_object(g_parser_type));
}

}  // namespace pyston::expat
