// The parser object of pyexpat. Handlers are in handlers.cpp, methods and attributes in parser.cpp.
#pragma once

#include <expat.h>

#include "Objects/bind.h"

namespace pyston::expat {

/// Every handler: HANDLER(name) in the order of the handler array.
#define PYSTON_EXPAT_HANDLERS(HANDLER) \
  HANDLER(StartElement)                \
  HANDLER(EndElement)                  \
  HANDLER(ProcessingInstruction)       \
  HANDLER(CharacterData)               \
  HANDLER(UnparsedEntityDecl)          \
  HANDLER(NotationDecl)                \
  HANDLER(StartNamespaceDecl)          \
  HANDLER(EndNamespaceDecl)            \
  HANDLER(Comment)                     \
  HANDLER(StartCdataSection)           \
  HANDLER(EndCdataSection)             \
  HANDLER(Default)                     \
  HANDLER(DefaultHandlerExpand)        \
  HANDLER(NotStandalone)               \
  HANDLER(ExternalEntityRef)           \
  HANDLER(StartDoctypeDecl)            \
  HANDLER(EndDoctypeDecl)              \
  HANDLER(EntityDecl)                  \
  HANDLER(XmlDecl)                     \
  HANDLER(ElementDecl)                 \
  HANDLER(AttlistDecl)                 \
  HANDLER(SkippedEntity)

enum HandlerIndex {
#define HANDLER(name) k##name,
  PYSTON_EXPAT_HANDLERS(HANDLER)
#undef HANDLER
  kHandlerCount
};

struct ParserObject {
  PyObject_HEAD
  XML_Parser parser;
  int ordered_attributes;    // attributes as a list [name, value, ...]
  int specified_attributes;  // without defaulted ones
  int namespace_prefixes;
  bool in_callback;
  XML_Char* buffer;  // character data is collected here; null when it is not
  int buffer_size;
  int buffer_used;
  PyObject* intern;  // a dict, or null
  PyObject* handlers[kHandlerCount];
};
inline ParserObject* as_parser(PyObject* object) { return reinterpret_cast<ParserObject*>(object); }

struct HandlerInfo {
  const char* attribute;
  void (*install)(ParserObject*, bool enable);  // tells expat
};
extern const HandlerInfo g_handlers[kHandlerCount];

/// Hands collected character data out. 0, or -1 with an exception set.
int flush_characters(ParserObject* self);
/// Turns all handlers off after an exception, so that it is the last thing that happens.
void abandon(ParserObject* self);
void drop_handlers(ParserObject* self, bool initial);
int unknown_encoding(void* data, const XML_Char* name, XML_Encoding* info);

extern PyTypeObject* g_parser_type;
extern PyObject* g_error_type;
int add_parser_type(PyObject* module);
PyObject* new_parser(const char* encoding, const char* separator, PyObject* intern);
PyObject* set_error(ParserObject* self, enum XML_Error code);

}  // namespace pyston::expat
