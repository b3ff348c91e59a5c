// Callbacks from expat to Python handlers.
//
// Each flushes collected character data, converts its arguments, and calls. After an exception all handlers are off
// and the parse call reports it. The frames added to tracebacks carry the names that tools expect.
#include "Lib/native/pyexpat/parser.h"

#include <internal/pycore_ceval.h>
#include <internal/pycore_global_strings.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_traceback.h>

namespace pyston::expat {
namespace {

/// A str of UTF-8 text; None for null.
Ref<> text(const XML_Char* value) {
  if (value == nullptr) return Ref<>::none();
  return Ref<>::steal(PyUnicode_DecodeUTF8(value, static_cast<Py_ssize_t>(strlen(value)), "strict"));
}
Ref<> text(const XML_Char* value, int length) {
  if (value == nullptr) return Ref<>::none();
  return Ref<>::steal(PyUnicode_DecodeUTF8(value, length, "strict"));
}
/// A name, shared through the parser's dict.
Ref<> name(ParserObject* self, const XML_Char* value) {
  Ref<> result = text(value);
  if (!result || self->intern == nullptr) return result;
  PyObject* known = PyDict_SetDefault(self->intern, result.get(), result.get());
  return Ref<>::dup(known);
}
Ref<> number(long value) { return Ref<>::steal(PyLong_FromLong(value)); }

/// Builds the argument tuple; null (exception set) if any argument is.
template <class... Arguments>
Ref<> pack(Arguments... arguments) {
  if ((!arguments || ...)) return nullptr;
  PyObject* tuple = PyTuple_New(sizeof...(arguments));
  if (tuple == nullptr) return nullptr;
  Py_ssize_t out = 0;
  (PyTuple_SET_ITEM(tuple, out++, arguments.release()), ...);
  return Ref<>::steal(tuple);
}

Ref<> call(ParserObject* self, HandlerIndex index, const char* function, PyObject* arguments) {
  self->in_callback = true;
  Ref<> handler = Ref<>::dup(self->handlers[index]);
  Ref<> result = Ref<>::steal(PyObject_Call(handler.get(), arguments, nullptr));
  self->in_callback = false;
  if (!result) {
    _PyTraceback_Add(function, "../Modules/pyexpat.c", 1);
    abandon(self);
    XML_StopParser(self->parser, XML_FALSE);
  }
  return result;
}

/// The frame of every handler: `make(self)` gives the argument tuple. The Python result, or null when not called.
template <class Make>
Ref<> notify(void* data, HandlerIndex index, const char* function, Make make) {
  ParserObject* self = static_cast<ParserObject*>(data);
  if (self->handlers[index] == nullptr || PyErr_Occurred() || flush_characters(self) < 0) return nullptr;
  Ref<> arguments = make(self);
  if (!arguments) {
    abandon(self);
    return nullptr;
  }
  return call(self, index, function, arguments.get());
}

void deliver_characters(ParserObject* self, const XML_Char* data, int length) {
  if (PyErr_Occurred() || self->handlers[kCharacterData] == nullptr) return;
  Ref<> arguments = pack(text(data, length));
  if (!arguments) {
    abandon(self);
    return;
  }
  Ref<> ignored = call(self, kCharacterData, "CharacterData", arguments.get());
}

// ---- The callbacks -----------------------------------------------------------------------------------------------

void on_StartElement(void* data, const XML_Char* element, const XML_Char** attributes) {
  Ref<> ignored = notify(data, kStartElement, "StartElement", [&](ParserObject* self) -> Ref<> {
    int count = 0;  // of strings: names and values
    if (self->specified_attributes) {
      count = XML_GetSpecifiedAttributeCount(self->parser);
    } else {
      while (attributes[count] != nullptr) count += 2;
    }
    Ref<> container = Ref<>::steal(self->ordered_attributes ? PyList_New(count) : PyDict_New());
    if (!container) return nullptr;
    for (int i = 0; i < count; i += 2) {
      Ref<> key = name(self, attributes[i]);
      Ref<> value = key ? text(attributes[i + 1]) : nullptr;
      if (!value) return nullptr;
      if (self->ordered_attributes) {
        PyList_SET_ITEM(container.get(), i, key.release());
        PyList_SET_ITEM(container.get(), i + 1, value.release());
      } else if (PyDict_SetItem(container.get(), key.get(), value.get()) < 0) {
        return nullptr;
      }
    }
    return pack(name(self, element), std::move(container));
  });
}
void on_EndElement(void* data, const XML_Char* element) {
  Ref<> ignored = notify(data, kEndElement, "EndElement", [&](ParserObject* self) { return pack(name(self, element)); });
}
void on_ProcessingInstruction(void* data, const XML_Char* target, const XML_Char* content) {
  Ref<> ignored = notify(data, kProcessingInstruction, "ProcessingInstruction",
                         [&](ParserObject* self) { return pack(name(self, target), text(content)); });
}
void on_CharacterData(void* data, const XML_Char* characters, int length) {
  auto* self = static_cast<ParserObject*>(data);
  if (PyErr_Occurred()) return;
  if (self->buffer == nullptr) {
    deliver_characters(self, characters, length);
    return;
  }
  if (self->buffer_used + length > self->buffer_size) {
    if (flush_characters(self) < 0) return;
    // The handler may have gone, and with it the buffer.
    if (self->handlers[kCharacterData] == nullptr) return;
  }
  if (length > self->buffer_size || self->buffer == nullptr) {
    deliver_characters(self, characters, length);
    self->buffer_used = 0;
  } else {
    memcpy(self->buffer + self->buffer_used, characters, static_cast<size_t>(length));
    self->buffer_used += length;
  }
}
void on_UnparsedEntityDecl(void* data, const XML_Char* entity, const XML_Char* base, const XML_Char* system,
                           const XML_Char* public_id, const XML_Char* notation) {
  Ref<> ignored = notify(data, kUnparsedEntityDecl, "UnparsedEntityDecl", [&](ParserObject* self) {
    return pack(name(self, entity), name(self, base), name(self, system), name(self, public_id), name(self, notation));
  });
}
void on_NotationDecl(void* data, const XML_Char* notation, const XML_Char* base, const XML_Char* system,
                     const XML_Char* public_id) {
  Ref<> ignored = notify(data, kNotationDecl, "NotationDecl", [&](ParserObject* self) {
    return pack(name(self, notation), name(self, base), name(self, system), name(self, public_id));
  });
}
void on_StartNamespaceDecl(void* data, const XML_Char* prefix, const XML_Char* uri) {
  Ref<> ignored = notify(data, kStartNamespaceDecl, "StartNamespaceDecl",
                         [&](ParserObject* self) { return pack(name(self, prefix), name(self, uri)); });
}
void on_EndNamespaceDecl(void* data, const XML_Char* prefix) {
  Ref<> ignored = notify(data, kEndNamespaceDecl, "EndNamespaceDecl",
                         [&](ParserObject* self) { return pack(name(self, prefix)); });
}
void on_Comment(void* data, const XML_Char* content) {
  Ref<> ignored = notify(data, kComment, "Comment", [&](ParserObject*) { return pack(text(content)); });
}
void on_StartCdataSection(void* data) {
  Ref<> ignored = notify(data, kStartCdataSection, "StartCdataSection", [](ParserObject*) { return pack(); });
}
void on_EndCdataSection(void* data) {
  Ref<> ignored = notify(data, kEndCdataSection, "EndCdataSection", [](ParserObject*) { return pack(); });
}
void on_Default(void* data, const XML_Char* content, int length) {
  Ref<> ignored = notify(data, kDefault, "Default", [&](ParserObject*) { return pack(text(content, length)); });
}
void on_DefaultHandlerExpand(void* data, const XML_Char* content, int length) {
  Ref<> ignored = notify(data, kDefaultHandlerExpand, "DefaultHandlerExpand",
                         [&](ParserObject*) { return pack(text(content, length)); });
}
int as_verdict(Ref<> result) { return result ? static_cast<int>(PyLong_AsLong(result.get())) : 0; }
int on_NotStandalone(void* data) {
  return as_verdict(notify(data, kNotStandalone, "NotStandalone", [](ParserObject*) { return pack(); }));
}
int on_ExternalEntityRef(XML_Parser parser, const XML_Char* context, const XML_Char* base, const XML_Char* system,
                         const XML_Char* public_id) {
  return as_verdict(
      notify(XML_GetUserData(parser), kExternalEntityRef, "ExternalEntityRef", [&](ParserObject* self) {
        return pack(text(context), name(self, base), name(self, system), name(self, public_id));
      }));
}
void on_StartDoctypeDecl(void* data, const XML_Char* doctype, const XML_Char* system, const XML_Char* public_id,
                         int has_internal_subset) {
  Ref<> ignored = notify(data, kStartDoctypeDecl, "StartDoctypeDecl", [&](ParserObject* self) {
    return pack(name(self, doctype), name(self, system), name(self, public_id), number(has_internal_subset));
  });
}
void on_EndDoctypeDecl(void* data) {
  Ref<> ignored = notify(data, kEndDoctypeDecl, "EndDoctypeDecl", [](ParserObject*) { return pack(); });
}
void on_EntityDecl(void* data, const XML_Char* entity, int is_parameter, const XML_Char* value, int length,
                   const XML_Char* base, const XML_Char* system, const XML_Char* public_id, const XML_Char* notation) {
  Ref<> ignored = notify(data, kEntityDecl, "EntityDecl", [&](ParserObject* self) {
    return pack(name(self, entity), number(is_parameter), text(value, length), name(self, base), name(self, system),
                name(self, public_id), name(self, notation));
  });
}
void on_XmlDecl(void* data, const XML_Char* version, const XML_Char* encoding, int standalone) {
  Ref<> ignored = notify(data, kXmlDecl, "XmlDecl", [&](ParserObject*) {
    return pack(text(version), text(encoding), number(standalone));
  });
}

/// (type, quantifier, name, children); depth is bounded by expat's own recursion.
Ref<> content_model(ParserObject* self, const XML_Content* model) {
  Ref<> children = Ref<>::steal(PyTuple_New(static_cast<Py_ssize_t>(model->numchildren)));
  if (!children) return nullptr;
  if (Py_EnterRecursiveCall(" while converting a content model")) return nullptr;
  for (unsigned i = 0; i < model->numchildren; i++) {
    Ref<> child = content_model(self, &model->children[i]);
    if (!child) {
      Py_LeaveRecursiveCall();
      return nullptr;
    }
    PyTuple_SET_ITEM(children.get(), i, child.release());
  }
  Py_LeaveRecursiveCall();
  return pack(number(model->type), number(model->quant), text(model->name), std::move(children));
}
void on_ElementDecl(void* data, const XML_Char* element, XML_Content* model) {
  auto* parser = static_cast<ParserObject*>(data);
  Ref<> ignored = notify(data, kElementDecl, "ElementDecl", [&](ParserObject* self) {
    Ref<> description = content_model(self, model);
    return description ? pack(name(self, element), std::move(description)) : Ref<>(nullptr);
  });
  XML_FreeContentModel(parser->parser, model);
}
void on_AttlistDecl(void* data, const XML_Char* element, const XML_Char* attribute, const XML_Char* type,
                    const XML_Char* fallback, int required) {
  Ref<> ignored = notify(data, kAttlistDecl, "AttlistDecl", [&](ParserObject* self) {
    return pack(name(self, element), name(self, attribute), text(type), text(fallback), number(required));
  });
}
void on_SkippedEntity(void* data, const XML_Char* entity, int is_parameter) {
  Ref<> ignored = notify(data, kSkippedEntity, "SkippedEntity",
                         [&](ParserObject* self) { return pack(name(self, entity), number(is_parameter)); });
}

void ignore_characters(void*, const XML_Char*, int) {}
int refuse_entity(XML_Parser, const XML_Char*, const XML_Char*, const XML_Char*, const XML_Char*) { return 0; }

}  // namespace

int flush_characters(ParserObject* self) {
  if (self->buffer == nullptr || self->buffer_used == 0) return 0;
  const int length = std::exchange(self->buffer_used, 0);
  deliver_characters(self, self->buffer, length);
  return PyErr_Occurred() ? -1 : 0;
}

void drop_handlers(ParserObject* self, bool initial) {
  for (int i = 0; i < kHandlerCount; i++) {
    if (initial) {
      self->handlers[i] = nullptr;
    } else {
      Py_CLEAR(self->handlers[i]);
      if (self->parser != nullptr) g_handlers[i].install(self, false);
    }
  }
}

void abandon(ParserObject* self) {
  drop_handlers(self, false);
  XML_SetExternalEntityRefHandler(self->parser, refuse_entity);
}

/// An encoding that expat does not know, as a table of 256 characters from Python's codec.
int unknown_encoding(void*, const XML_Char* encoding, XML_Encoding* info) {
  if (PyErr_Occurred()) return XML_STATUS_ERROR;
  char bytes[256];
  for (int i = 0; i < 256; i++) bytes[i] = static_cast<char>(i);
  Ref<> characters = Ref<>::steal(PyUnicode_Decode(bytes, 256, encoding, "replace"));
  if (!characters || PyUnicode_READY(characters.get()) < 0) return XML_STATUS_ERROR;
  if (PyUnicode_GET_LENGTH(characters.get()) != 256) {
    PyErr_SetString(PyExc_ValueError, "multi-byte encodings are not supported");
    return XML_STATUS_ERROR;
  }
  for (int i = 0; i < 256; i++) {
    const Py_UCS4 character = PyUnicode_READ_CHAR(characters.get(), i);
    info->map[i] = character == Py_UNICODE_REPLACEMENT_CHARACTER ? -1 : static_cast<int>(character);
  }
  info->data = nullptr;
  info->convert = nullptr;
  info->release = nullptr;
  return XML_STATUS_OK;
}

// Expat sets most handlers one by one, some in pairs.
#define ONE(name) {#name "Handler", [](ParserObject* self, bool enable) { XML_Set##name##Handler(self->parser, enable ? on_##name : nullptr); }}
const HandlerInfo g_handlers[kHandlerCount] = {
    {"StartElementHandler",
     [](ParserObject* self, bool enable) { XML_SetStartElementHandler(self->parser, enable ? on_StartElement : nullptr); }},
    {"EndElementHandler",
     [](ParserObject* self, bool enable) { XML_SetEndElementHandler(self->parser, enable ? on_EndElement : nullptr); }},
    ONE(ProcessingInstruction),
    {"CharacterDataHandler",
     [](ParserObject* self, bool enable) {
       // Expat crashes when the handler goes away while it runs.
       XML_SetCharacterDataHandler(self->parser, enable ? on_CharacterData
                                                        : self->in_callback ? ignore_characters : nullptr);
     }},
    ONE(UnparsedEntityDecl),
    ONE(NotationDecl),
    ONE(StartNamespaceDecl),
    ONE(EndNamespaceDecl),
    ONE(Comment),
    ONE(StartCdataSection),
    ONE(EndCdataSection),
    {"DefaultHandler",
     [](ParserObject* self, bool enable) { XML_SetDefaultHandler(self->parser, enable ? on_Default : nullptr); }},
    {"DefaultHandlerExpand",
     [](ParserObject* self, bool enable) {
       XML_SetDefaultHandlerExpand(self->parser, enable ? on_DefaultHandlerExpand : nullptr);
     }},
    ONE(NotStandalone),
    ONE(ExternalEntityRef),
    ONE(StartDoctypeDecl),
    ONE(EndDoctypeDecl),
    ONE(EntityDecl),
    ONE(XmlDecl),
    ONE(ElementDecl),
    ONE(AttlistDecl),
    ONE(SkippedEntity),
};
#undef ONE

}  // namespace pyston::expat
