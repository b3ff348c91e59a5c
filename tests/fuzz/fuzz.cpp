// The fuzz targets: bytes into one stage of the front end, with Python's own error handling as the only way out.
//
// PYSTON_FUZZ names the stage: lexer, parser (source to tree and back to text), compiler (source to code object, its
// tables read back) or marshal (bytes to objects and back to bytes). Source may hold anything: cookies, nulls, bad UTF-8.
// A finding is what the sanitizers see, a hang, a leak, or a call that fails without an exception (or succeeds with
// one). To add a stage: a function here, a row in kTargets, seeds for it in corpus.py.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "Interpreter/bytecode/marshal.h"
#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/lexer.h"
#include "Interpreter/compiler/parser.h"

namespace pyston {
namespace {

PyObject* file_name;

/// A result and an exception exclude each other, and one of them must be there.
void check(bool has_result, const char* what) {
  if (has_result == (PyErr_Occurred() == nullptr)) return;
  std::fprintf(stderr, "%s: %s\n", what, has_result ? "a result, and an exception is set" : "no result, no exception");
  if (PyErr_Occurred()) PyErr_Print();
  std::abort();
}

/// Turns the exception into text, as a user would see it, and drops it.
void drop_exception() {
  if (PyErr_Occurred() == nullptr) return;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  auto text = Ref<>::steal(PyObject_Str(value));
  PyErr_Clear();
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
}

void fuzz_lexer(const char* data, size_t size) {
  size_t prepared_size;
  char* encoding = nullptr;
  char* prepared = prepare_source(data, std::strlen(data), false, true, nullptr, file_name, &prepared_size, &encoding);
  check(prepared != nullptr, "prepare_source");
  if (prepared == nullptr) return;
  Lexer lexer;
  lexer.start(prepared, prepared_size, file_name);
  Token token;
  size_t last = 0;
  for (;;) {
    const Tok type = lexer.next(token);
    if (type == Tok::kError || type == Tok::kEndMarker) break;
    if (token.col_offset < 0) continue;  // INDENT and DEDENT have no text
    if (token.start > token.end || token.end > prepared_size || token.start < last) {
      std::fprintf(stderr, "token outside of the source or before its predecessor\n");
      std::abort();
    }
    last = token.start;
  }
  PyMem_RawFree(encoding);
}

/// The first byte chooses how the rest is read.
struct Options {
  StartRule rule;
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  int optimize;

  explicit Options(unsigned char choice) {
    constexpr StartRule kRules[] = {StartRule::kFile, StartRule::kFile, StartRule::kExpression, StartRule::kInteractive};
    rule = kRules[choice & 3];
    if (choice & 4) flags.cf_flags |= PyCF_TYPE_COMMENTS;
    if (choice & 8) flags.cf_flags |= PyCF_ALLOW_TOP_LEVEL_AWAIT;
    if (choice & 16) flags.cf_flags |= PyCF_ALLOW_INCOMPLETE_INPUT;
    if (choice & 32) flags.cf_feature_version = 4 + (choice >> 6);
    optimize = (choice >> 6) % 3;
  }
};

void fuzz_parser(const char* data, size_t size) {
  if (size == 0) return;
  Options options(static_cast<unsigned char>(*data));
  ast::Arena arena;
  ast::Mod* tree = parse_string(arena, data + 1, file_name, options.rule, &options.flags);
  check(tree != nullptr, "parse_string");
  if (tree == nullptr) return;
  auto object = ast_to_object(tree);
  check(static_cast<bool>(object), "ast_to_object");
  if (!object) return;
  const int mode = options.rule == StartRule::kFile ? 0 : options.rule == StartRule::kExpression ? 1 : 2;
  ast::Arena second;
  ast::Mod* again = object_to_ast(second, object.get(), mode);
  check(again != nullptr, "object_to_ast");
  if (again == nullptr) return;
  const Status valid = validate_ast(again);
  check(valid == Status::kOk, "validate_ast");
  if (auto* expression = ast::as<ast::node::Expression>(tree)) {
    drop_exception();
    auto text = unparse_expression(expression->body);
    check(static_cast<bool>(text), "unparse_expression");
  }
}

/// Reads what tools read of a code object, nested ones included.
void read_code(PyCodeObject* code) {
  auto bytes = Ref<>::steal(PyCode_GetCode(code));
  auto lines = Ref<>::steal(PyObject_CallMethod(as_object(code), "co_lines", nullptr));
  auto positions = Ref<>::steal(PyObject_CallMethod(as_object(code), "co_positions", nullptr));
  auto line_list = Ref<>::steal(lines ? PySequence_List(lines.get()) : nullptr);
  auto position_list = Ref<>::steal(positions ? PySequence_List(positions.get()) : nullptr);
  check(bytes && line_list && position_list, "code tables");
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
    PyObject* constant = PyTuple_GET_ITEM(code->co_consts, i);
    if (PyCode_Check(constant)) read_code(reinterpret_cast<PyCodeObject*>(constant));
  }
}

void fuzz_compiler(const char* data, size_t size) {
  if (size == 0) return;
  Options options(static_cast<unsigned char>(*data));
  auto code = Ref<>::steal(
      Py_CompileStringObject(data + 1, file_name, static_cast<int>(options.rule), &options.flags, options.optimize));
  check(static_cast<bool>(code), "compile");
  if (!code) return;
  read_code(reinterpret_cast<PyCodeObject*>(code.get()));
  auto bytes = Ref<>::steal(PyMarshal_WriteObjectToString(code.get(), Py_MARSHAL_VERSION));
  check(static_cast<bool>(bytes), "marshal of a code object");
  auto again = marshal::read_from_memory(PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get()));
  check(static_cast<bool>(again), "unmarshal of a code object");
  // A NaN among the constants equals nothing, but its bytes do. Version 2 has no marks that depend on reference counts.
  auto plain = Ref<>::steal(PyMarshal_WriteObjectToString(code.get(), 2));
  auto plain_again = Ref<>::steal(PyMarshal_WriteObjectToString(again.get(), 2));
  check(plain && plain_again, "marshal in version 2");
  if (PyObject_RichCompareBool(plain.get(), plain_again.get(), Py_EQ) == 1) return;
  if (PyObject_RichCompareBool(code.get(), again.get(), Py_EQ) != 1 || PyObject_Hash(code.get()) != PyObject_Hash(again.get())) {
    std::fprintf(stderr, "a code object differs after marshalling\n");
    std::abort();
  }
}

void fuzz_marshal(const char* data, size_t size) {
  auto value = marshal::read_from_memory(data, static_cast<Py_ssize_t>(size));
  check(static_cast<bool>(value), "marshal.loads");
  if (!value) return;
  auto bytes = Ref<>::steal(PyMarshal_WriteObjectToString(value.get(), Py_MARSHAL_VERSION));
  check(static_cast<bool>(bytes), "marshal.dumps");
}

struct Target {
  const char* name;
  void (*run)(const char* data, size_t size);
  bool is_text;  // reads up to a NUL
};
constexpr Target kTargets[] = {{"lexer", fuzz_lexer, true},
                               {"parser", fuzz_parser, true},
                               {"compiler", fuzz_compiler, true},
                               {"marshal", fuzz_marshal, false}};
const Target* target;

void start_interpreter() {
  PyPreConfig preconfig;
  PyPreConfig_InitIsolatedConfig(&preconfig);
  preconfig.utf8_mode = 1;
  preconfig.allocator = PYMEM_ALLOCATOR_MALLOC;  // the sanitizer sees every object
  PyStatus status = Py_PreInitialize(&preconfig);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  config.install_signal_handlers = 0;
  if (!PyStatus_Exception(status)) status = PyWideStringList_Append(&config.warnoptions, L"ignore");
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  PyConfig_Clear(&config);
  // What start-up made lives on: collections need not look at it again and again.
  auto gc = Ref<>::steal(PyImport_ImportModule("gc"));
  auto frozen = Ref<>::steal(gc ? PyObject_CallMethod(gc.get(), "freeze", nullptr) : nullptr);
  if (!frozen) Py_FatalError("gc.freeze() failed");
}

}  // namespace
}  // namespace pyston

using namespace pyston;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("PYSTON_FUZZ");
  for (const Target& row : kTargets) {
    if (name != nullptr && std::strcmp(row.name, name) == 0) target = &row;
  }
  if (target == nullptr) {
    std::fprintf(stderr, "PYSTON_FUZZ must name a target: lexer, parser, compiler or marshal\n");
    std::exit(2);
  }
  start_interpreter();
  file_name = PyUnicode_FromString("<fuzz>");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of exactly this size, so that reading past its end (or past the NUL of a source) is seen.
  const size_t room = target->is_text ? size + 1 : size;
  char* exact = static_cast<char*>(std::malloc(room));
  if (size > 0) std::memcpy(exact, data, size);
  if (target->is_text) exact[size] = '\0';
  target->run(exact, size);
  drop_exception();
  std::free(exact);
  static unsigned runs = 0;
  if (++runs % 256 == 0) PyGC_Collect();
  return 0;
}
