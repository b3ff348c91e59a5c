// pyexpat: the module over libexpat, its constants, error tables, and the capsule for _elementtree and others.
#include "Lib/native/pyexpat/parser.h"

#include <pyexpat.h>

namespace pyston::expat {
namespace {

PyObject* error_string(PyObject*, Borrowed<> code_object) {
  const long code = PyLong_AsLong(code_object);
  if (code == -1 && PyErr_Occurred()) return nullptr;
  const XML_LChar* text = XML_ErrorString(static_cast<enum XML_Error>(code));
  if (text == nullptr) Py_RETURN_NONE;
  return PyUnicode_FromString(text);
}

/// UTF-8 of a str argument or null for None. False with an exception set.
bool text_or_none(PyObject* value, const char* argument, const char** out, Py_ssize_t* length) {
  *out = nullptr;
  *length = 0;
  if (value == nullptr || value == Py_None) return true;
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "ParserCreate() argument '%s' must be str or None, not %.50s", argument,
                 Py_TYPE(value)->tp_name);
    return false;
  }
  *out = PyUnicode_AsUTF8AndSize(value, length);
  if (*out != nullptr && strlen(*out) != static_cast<size_t>(*length)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return false;
  }
  return *out != nullptr;
}

PyObject* parser_create(PyObject*, PyObject* encoding, PyObject* separator, PyObject* intern) {
  const char *encoding_text, *separator_text;
  Py_ssize_t encoding_length, separator_length;
  if (!text_or_none(encoding, "encoding", &encoding_text, &encoding_length) ||
      !text_or_none(separator, "namespace_separator", &separator_text, &separator_length)) {
    return nullptr;
  }
  if (separator_length > 1) {
    PyErr_SetString(PyExc_ValueError, "namespace_separator must be at most one character, omitted, or None");
    return nullptr;
  }
  Ref<> table;
  if (intern == nullptr) {
    table = Ref<>::steal(PyDict_New());
    if (!table) return nullptr;
  } else if (intern != Py_None) {
    if (!PyDict_Check(intern)) {
      PyErr_SetString(PyExc_TypeError, "intern must be a dictionary");
      return nullptr;
    }
    table = Ref<>::dup(intern);
  }
  return new_parser(encoding_text, separator_text, table.get());
}

PyMethodDef functions[] = {
    method<parser_create, "ParserCreate($module, /, encoding=None, namespace_separator=None, intern=<unrepresentable>)",
           "Return a new XML parser object.">(),
    method<error_string, "ErrorString($module, code, /)", "Returns string error for given number.">(),
    {},
};

// In expat's order, which is that of the numbers, starting at 1.
constexpr const char* kErrorNames[] = {
    "NO_MEMORY", "SYNTAX", "NO_ELEMENTS", "INVALID_TOKEN", "UNCLOSED_TOKEN", "PARTIAL_CHAR", "TAG_MISMATCH",
    "DUPLICATE_ATTRIBUTE", "JUNK_AFTER_DOC_ELEMENT", "PARAM_ENTITY_REF", "UNDEFINED_ENTITY", "RECURSIVE_ENTITY_REF",
    "ASYNC_ENTITY", "BAD_CHAR_REF", "BINARY_ENTITY_REF", "ATTRIBUTE_EXTERNAL_ENTITY_REF", "MISPLACED_XML_PI",
    "UNKNOWN_ENCODING", "INCORRECT_ENCODING", "UNCLOSED_CDATA_SECTION", "EXTERNAL_ENTITY_HANDLING", "NOT_STANDALONE",
    "UNEXPECTED_STATE", "ENTITY_DECLARED_IN_PE", "FEATURE_REQUIRES_XML_DTD", "CANT_CHANGE_FEATURE_ONCE_PARSING",
    "UNBOUND_PREFIX", "UNDECLARING_PREFIX", "INCOMPLETE_PE", "XML_DECL", "TEXT_DECL", "PUBLICID", "SUSPENDED",
    "NOT_SUSPENDED", "ABORTED", "FINISHED", "SUSPEND_PE", "RESERVED_PREFIX_XML", "RESERVED_PREFIX_XMLNS",
    "RESERVED_NAMESPACE_URI", "INVALID_ARGUMENT", "NO_BUFFER", "AMPLIFICATION_LIMIT_BREACH",
};

/// A submodule, also in sys.modules; borrowed.
PyObject* add_submodule(PyObject* module, const char* full_name, const char* doc) {
  PyObject* submodule = PyImport_AddModule(full_name);
  if (submodule == nullptr || PyModule_SetDocString(submodule, doc) < 0) return nullptr;
  return PyModule_AddObjectRef(module, strrchr(full_name, '.') + 1, submodule) < 0 ? nullptr : submodule;
}

int add_errors(PyObject* module) {
  PyObject* errors = add_submodule(module, "pyexpat.errors", "Constants used to describe error conditions.");
  Ref<> codes = Ref<>::steal(PyDict_New()), messages = Ref<>::steal(PyDict_New());
  if (errors == nullptr || !codes || !messages) return -1;
  int code = 0;
  for (const char* name : kErrorNames) {
    code++;
    const char* text = XML_ErrorString(static_cast<enum XML_Error>(code));
    if (text == nullptr) continue;  // an older library
    char full_name[64];
    PyOS_snprintf(full_name, sizeof(full_name), "XML_ERROR_%s", name);
    Ref<> message = Ref<>::steal(PyUnicode_FromString(text));
    Ref<> number = Ref<>::steal(PyLong_FromLong(code));
    if (!message || !number || PyModule_AddObjectRef(errors, full_name, message.get()) < 0 ||
        PyDict_SetItem(codes.get(), message.get(), number.get()) < 0 ||
        PyDict_SetItem(messages.get(), number.get(), message.get()) < 0) {
      return -1;
    }
  }
  if (PyModule_AddStringConstant(errors, "__doc__", "Constants used to describe error conditions.") < 0) return -1;
  return PyModule_AddObjectRef(errors, "codes", codes.get()) < 0 ? -1
                                                                : PyModule_AddObjectRef(errors, "messages", messages.get());
}

int add_model(PyObject* module) {
  PyObject* model = add_submodule(module, "pyexpat.model", "Constants used to interpret content model information.");
  if (model == nullptr) return -1;
#define ADD(name) \
  if (PyModule_AddIntConstant(model, #name, name) < 0) return -1
  ADD(XML_CTYPE_EMPTY);
  ADD(XML_CTYPE_ANY);
  ADD(XML_CTYPE_MIXED);
  ADD(XML_CTYPE_NAME);
  ADD(XML_CTYPE_CHOICE);
  ADD(XML_CTYPE_SEQ);
  ADD(XML_CQUANT_NONE);
  ADD(XML_CQUANT_OPT);
  ADD(XML_CQUANT_REP);
  ADD(XML_CQUANT_PLUS);
#undef ADD
  return 0;
}

int add_features(PyObject* module) {
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return -1;
  for (const XML_Feature* feature = XML_GetFeatureList(); feature->feature != XML_FEATURE_END; feature++) {
    Ref<> item = Ref<>::steal(Py_BuildValue("si", feature->name, feature->value));
    if (!item || PyList_Append(list.get(), item.get()) < 0) return -1;
  }
  return PyModule_AddObjectRef(module, "features", list.get());
}

/// Static: users keep its address, longer than the module lives.
PyExpat_CAPI expat_functions = {
    .magic = const_cast<char*>(PyExpat_CAPI_MAGIC),
    .size = sizeof(PyExpat_CAPI),
    .MAJOR_VERSION = XML_MAJOR_VERSION,
    .MINOR_VERSION = XML_MINOR_VERSION,
    .MICRO_VERSION = XML_MICRO_VERSION,
    .ErrorString = XML_ErrorString,
    .GetErrorCode = XML_GetErrorCode,
    .GetErrorColumnNumber = XML_GetErrorColumnNumber,
    .GetErrorLineNumber = XML_GetErrorLineNumber,
    .Parse = XML_Parse,
    .ParserCreate_MM = XML_ParserCreate_MM,
    .ParserFree = XML_ParserFree,
    .SetCharacterDataHandler = XML_SetCharacterDataHandler,
    .SetCommentHandler = XML_SetCommentHandler,
    .SetDefaultHandlerExpand = XML_SetDefaultHandlerExpand,
    .SetElementHandler = XML_SetElementHandler,
    .SetNamespaceDeclHandler = XML_SetNamespaceDeclHandler,
    .SetProcessingInstructionHandler = XML_SetProcessingInstructionHandler,
    .SetUnknownEncodingHandler = XML_SetUnknownEncodingHandler,
    .SetUserData = XML_SetUserData,
    .SetStartDoctypeDeclHandler = XML_SetStartDoctypeDeclHandler,
    .SetEncoding = XML_SetEncoding,
    .DefaultUnknownEncodingHandler = unknown_encoding,
    .SetHashSalt = XML_SetHashSalt,
};

int add_capsule(PyObject* module) {
  Ref<> capsule = Ref<>::steal(PyCapsule_New(&expat_functions, PyExpat_CAPSULE_NAME, nullptr));
  return capsule ? PyModule_AddObjectRef(module, "expat_CAPI", capsule.get()) : -1;
}

int pyexpat_exec(PyObject* module) {
  if (add_parser_type(module) < 0) return -1;
  if (g_error_type == nullptr) g_error_type = PyErr_NewException("xml.parsers.expat.ExpatError", nullptr, nullptr);
  if (g_error_type == nullptr || PyModule_AddObjectRef(module, "error", g_error_type) < 0 ||
      PyModule_AddObjectRef(module, "ExpatError", g_error_type) < 0) {
    return -1;
  }
  const XML_Expat_Version version = XML_ExpatVersionInfo();
  Ref<> version_info = Ref<>::steal(Py_BuildValue("(iii)", version.major, version.minor, version.micro));
  if (!version_info || PyModule_AddStringConstant(module, "EXPAT_VERSION", XML_ExpatVersion()) < 0 ||
      PyModule_AddObjectRef(module, "version_info", version_info.get()) < 0 ||
      PyModule_AddStringConstant(module, "native_encoding", "UTF-8") < 0 || add_errors(module) < 0 ||
      add_model(module) < 0 || add_features(module) < 0) {
    return -1;
  }
#define ADD(name) \
  if (PyModule_AddIntConstant(module, #name, name) < 0) return -1
  ADD(XML_PARAM_ENTITY_PARSING_NEVER);
  ADD(XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE);
  ADD(XML_PARAM_ENTITY_PARSING_ALWAYS);
#undef ADD
  return add_capsule(module);
}
PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(pyexpat_exec)}, {0, nullptr}};
PyModuleDef pyexpat_module = {
    PyModuleDef_HEAD_INIT, "pyexpat", "Python wrapper for Expat parser.", 0, functions, slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston::expat

PyMODINIT_FUNC PyInit_pyexpat(void) { return PyModuleDef_Init(&pyston::expat::pyexpat_module); }
