// The front end's C++ face: trees and code objects without going through Python.
#include <gtest/gtest.h>

#include <string>

#include "Interpreter/bytecode/marshal.h"
#include "Interpreter/compiler/compiler.h"
#include "Interpreter/compiler/parser.h"
#include "Interpreter/bytecode/opcodes.h"

namespace pyston {
namespace {

struct Parsed {
  ast::Arena arena;
  Ref<> filename = Ref<>::steal(PyUnicode_FromString("<test>"));
  ast::Mod* tree = nullptr;

  explicit Parsed(const char* source, StartRule rule = StartRule::kFile) {
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    flags.cf_flags |= PyCF_IGNORE_COOKIE;
    tree = parse_string(arena, source, filename.get(), rule, &flags);
  }
};

TEST(Parser, BinaryOperatorsBindAsInTheGrammar) {
  Parsed parsed("a + b * c ** -d", StartRule::kExpression);
  auto* root = ast::as<ast::node::Expression>(parsed.tree);
  ASSERT_NE(root, nullptr);
  auto* sum = ast::as<ast::node::BinOp>(root->body);
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(sum->op, ast::Operator::kAdd);
  auto* product = ast::as<ast::node::BinOp>(sum->right);
  ASSERT_NE(product, nullptr);
  EXPECT_EQ(product->op, ast::Operator::kMult);
  auto* power = ast::as<ast::node::BinOp>(product->right);
  ASSERT_NE(power, nullptr);
  EXPECT_EQ(power->op, ast::Operator::kPow);
  EXPECT_NE(ast::as<ast::node::UnaryOp>(power->right), nullptr);
  EXPECT_EQ(sum->position.end_col_offset, 15);
}

TEST(Parser, ErrorsAreSyntaxErrors) {
  Parsed parsed("def f(:\n  pass\n");
  EXPECT_EQ(parsed.tree, nullptr);
  EXPECT_TRUE(PyErr_ExceptionMatches(PyExc_SyntaxError));
  PyErr_Clear();
}

TEST(Parser, DeepNestingIsAnErrorNotACrash) {
  const std::string source = std::string(5000, '(') + "1" + std::string(5000, ')');
  Parsed parsed(source.c_str(), StartRule::kExpression);
  EXPECT_EQ(parsed.tree, nullptr);
  EXPECT_NE(PyErr_Occurred(), nullptr);
  PyErr_Clear();
}

TEST(Compiler, FoldsConstantsAndRunsTheCode) {
  Parsed parsed("x = 6 * 7 if True else nowhere\n");
  ASSERT_NE(parsed.tree, nullptr);
  auto code = compile_module(parsed.tree, parsed.filename.get(), nullptr, 0, parsed.arena);
  ASSERT_TRUE(code);
  EXPECT_EQ(code->co_stacksize, 1);
  Ref<> globals = Ref<>::steal(PyDict_New());
  Ref<> result = Ref<>::steal(PyEval_EvalCode(code.object(), globals.get(), globals.get()));
  ASSERT_TRUE(result);
  EXPECT_EQ(PyLong_AsLong(PyDict_GetItemString(globals.get(), "x")), 42);
}

// python3.11 crashes on these: a tuple is hashed while it is being read, or after it became a part of itself.
TEST(Marshal, RecursiveTuplesAsKeysAreErrors) {
  using namespace std::literals;
  for (std::string data : {"\xa9\1<\1\0\0\0r\0\0\0\0"s, "\xa9\1{r\0\0\0\0N0"s, "\xa9\2r\0\0\0\0>\1\0\0\0r\0\0\0\0"s,
                           "[\2\0\0\0\xa9\1r\0\0\0\0<\1\0\0\0r\0\0\0\0"s}) {
    Ref<> value = marshal::read_from_memory(data.data(), static_cast<Py_ssize_t>(data.size()));
    EXPECT_FALSE(value);
    EXPECT_TRUE(PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
  }
}

TEST(Opcodes, CacheSizesAreThoseOfPython311) {
  EXPECT_EQ(_PyOpcode_Caches[OP_LOAD_ATTR], 4);
  EXPECT_EQ(_PyOpcode_Caches[OP_LOAD_GLOBAL], 5);
  EXPECT_EQ(_PyOpcode_Caches[OP_LOAD_METHOD], 10);
  EXPECT_EQ(_PyOpcode_Caches[OP_CALL], 4);
  EXPECT_EQ(_PyOpcode_Caches[OP_BINARY_OP], 1);
  EXPECT_EQ(_PyOpcode_Deopt[OP_BINARY_OP_ADD_INT], OP_BINARY_OP);
}

}  // namespace
}  // namespace pyston
