// Module `_tokenize`: the lexer's tokens as an iterator. For tests of the lexer; the library's `tokenize` is in Python.
#include "Interpreter/compiler/lexer.h"
#include "Objects/bind.h"

#include <cstring>
#include <new>
#include <token.h>

namespace pyston {
namespace {

struct TokenizerIter {
  PyObject_HEAD
  Lexer* lexer;
  PyObject* filename;
};

PyObject* tokenizer_new(PyTypeObject* type, Borrowed<> source) {
  if (!PyUnicode_Check(source)) {
    return raise(PyExc_TypeError, "tokenizeriter() argument 'source' must be str, not %.50s", Py_TYPE(source)->tp_name);
  }
  Py_ssize_t length;
  const char* text = PyUnicode_AsUTF8AndSize(source, &length);
  if (text == nullptr) return nullptr;
  if (std::strlen(text) != static_cast<size_t>(length)) return raise(PyExc_ValueError, "embedded null character");
  auto filename = Ref<>::steal(PyUnicode_FromString("<string>"));
  if (!filename) return nullptr;
  size_t size;
  char* encoding;
  char* prepared =
      prepare_source(text, static_cast<size_t>(length), true, true, nullptr, filename.get(), &size, &encoding);
  if (prepared == nullptr) return nullptr;
  TokenizerIter* self = reinterpret_cast<TokenizerIter*>(type->tp_alloc(type, 0));
  void* memory = self != nullptr ? PyMem_Malloc(sizeof(Lexer)) : nullptr;
  if (memory == nullptr) {
    PyMem_RawFree(prepared);
    Py_XDECREF(self);
    return PyErr_NoMemory();
  }
  self->lexer = new (memory) Lexer();
  self->filename = filename.release();
  self->lexer->start(prepared, size, self->filename);
  return as_object(self);
}

PyObject* tokenizer_next(PyObject* object) {
  TokenizerIter* self = reinterpret_cast<TokenizerIter*>(object);
  Token token;
  Tok type = self->lexer->next(token);
  // QUIRK: errors without an exception of their own (indentation, for one) just end the iteration.
  if (type == Tok::kError || type == Tok::kEndMarker) return nullptr;
  int number = is_keyword(type) ? NAME : static_cast<int>(type);
  const bool has_text = token.col_offset >= 0;
  auto text = Ref<>::steal(has_text ? PyUnicode_FromStringAndSize(self->lexer->start_of(token), self->lexer->length_of(token))
                                    : PyUnicode_FromString(""));
  const char* line_start = type == Tok::kString ? self->lexer->multi_line_start : self->lexer->line_start;
  const char* line_end = std::strchr(line_start, '\n');
  const Py_ssize_t line_length = line_end != nullptr ? line_end - line_start : static_cast<Py_ssize_t>(std::strlen(line_start));
  auto line = Ref<>::steal(PyUnicode_DecodeUTF8(line_start, line_length, "replace"));
  if (!text || !line) return nullptr;
  return Py_BuildValue("(OiiiiiO)", text.get(), number, token.lineno, token.end_lineno, token.col_offset,
                       token.end_col_offset, line.get());
}

void tokenizer_dealloc(PyObject* object) {
  TokenizerIter* self = reinterpret_cast<TokenizerIter*>(object);
  PyTypeObject* type = Py_TYPE(object);
  if (self->lexer != nullptr) {
    self->lexer->~Lexer();
    PyMem_Free(self->lexer);
  }
  Py_XDECREF(self->filename);
  type->tp_free(object);
  Py_DECREF(type);
}

PyType_Slot tokenizer_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(constructor<tokenizer_new, "tokenizeriter(source)">)},
    {Py_tp_dealloc, reinterpret_cast<void*>(tokenizer_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(tokenizer_next)},
    {0, nullptr},
};
PyType_Spec tokenizer_spec = {"_tokenize.TokenizerIter", sizeof(TokenizerIter), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, tokenizer_slots};

int tokenize_exec(PyObject* module) {
  auto type = Ref<>::steal(PyType_FromModuleAndSpec(module, &tokenizer_spec, nullptr));
  return type ? PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())) : -1;
}
PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(tokenize_exec)}, {0, nullptr}};
PyModuleDef tokenize_module = {PyModuleDef_HEAD_INIT, "_tokenize", nullptr, 0, nullptr, module_slots,
                               nullptr, nullptr, nullptr};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__tokenize(void) { return PyModuleDef_Init(&pyston::tokenize_module); }
