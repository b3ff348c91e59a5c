// Where and how syntax errors are reported.
#include <cstdarg>
#include <cstring>

#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

/// Character offset of a byte column in `line` (columns of an exception count characters).
int Parser::column_of(PyObject* line, int byte_column) {
  if (byte_column < 0) byte_column = 0;
  Py_ssize_t size;
  const char* text = PyUnicode_AsUTF8AndSize(line, &size);
  if (text == nullptr) {
    PyErr_Clear();
    return byte_column;
  }
  if (byte_column > size + 1) byte_column = static_cast<int>(size) + 1;
  int column = 0;
  for (int i = 0; i < byte_column && i < size; i++) column += (text[i] & 0xC0) != 0x80;
  return column + (byte_column > size ? byte_column - static_cast<int>(size) : 0);
}

/// The text of a line of the source being parsed. QUIRK: the line being lexed comes with its newline (and with what
/// was read of a multi-line string), earlier ones without.
Ref<> Parser::error_line(int lineno) {
  if (lexer.lineno <= lineno && lexer.line_end > lexer.line_buffer) {
    return Ref<>::steal(PyUnicode_DecodeUTF8(lexer.line_buffer, lexer.line_end - lexer.line_buffer, "replace"));
  }
  const int relative = starting_lineno_ != 0 ? lineno - starting_lineno_ + 1 : lineno;
  const char* line = lexer.buffer;
  for (int i = 1; i < relative; i++) {
    const char* newline = std::strchr(line, '\n');
    if (newline == nullptr || newline + 1 > lexer.line_end) break;
    line = newline + 1;
  }
  const char* finish = std::strchr(line, '\n');
  if (finish == nullptr || finish > lexer.line_end) finish = lexer.line_end;
  return Ref<>::steal(PyUnicode_DecodeUTF8(line, finish - line, "replace"));
}

std::nullptr_t Parser::raise_at_va(PyObject* type, int lineno, int column, int end_lineno, int end_column,
                                   const char* format, va_list arguments) {
  hard_error_ = true;
  Ref<> message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  if (!message) return nullptr;
  if (is_field_) {
    message = Ref<>::steal(PyUnicode_FromFormat("f-string: %U", message.get()));
    if (!message) return nullptr;
  }
  Ref<> line;
  if (lexer.interactive) {
    line = error_line(lineno);
  } else {
    if (rule_ == StartRule::kFile && !is_field_) {
      line = Ref<>::steal(_PyErr_ProgramDecodedTextObject(filename_, lineno, lexer.encoding));
      if (!line) PyErr_Clear();
    }
    if (!line) line = error_line(lineno);
  }
  if (!line) return nullptr;
  if (is_field_) {
    column -= starting_column_;
    end_column -= starting_column_;
  }
  if (lexer.encoding != nullptr) {
    if (column > 0) column = column_of(line.get(), column);
    if (end_column > 0) end_column = column_of(line.get(), end_column);
  }
  auto value = Ref<>::steal(Py_BuildValue("(O(OiiOii))", message.get(), filename_, lineno, column, line.get(),
                                          end_lineno, end_column));
  if (value) PyErr_SetObject(type, value.get());
  return nullptr;
}

/// Columns are 0-based bytes here, 1-based in the exception.
std::nullptr_t Parser::raise_at(PyObject* type, int lineno, int column, int end_lineno, int end_column,
                                const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  raise_at_va(type, lineno, column + 1, end_lineno, end_column + 1, format, arguments);
  va_end(arguments);
  return nullptr;
}

namespace {
struct Variadic {
  va_list list;
};
}  // namespace

std::nullptr_t Parser::raise_here(PyObject* type, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (fill_ == 0) {
    raise_at_va(type, 0, 0, 0, -1, format, arguments);
  } else {
    const Token& token = tokens_[fill_ - 1];
    int column;
    if (token.col_offset == -1) {
      column = lexer.cur == lexer.buffer ? 0 : static_cast<int>(lexer.cur - lexer.line_start);
    } else {
      column = token.col_offset + 1;
    }
    const int end_column = token.end_col_offset != -1 ? token.end_col_offset + 1 : -1;
    raise_at_va(type, token.lineno, column, token.end_lineno, end_column, format, arguments);
  }
  va_end(arguments);
  return nullptr;
}

std::nullptr_t Parser::syntax_error(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  auto message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  hard_error_ = true;
  if (!message) return nullptr;
  return raise_here(PyExc_SyntaxError, "%U", message.get());
}

std::nullptr_t Parser::raise_token(const Token& token, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  raise_at_va(PyExc_SyntaxError, token.lineno, token.col_offset + 1, token.end_lineno, token.end_col_offset + 1, format,
              arguments);
  va_end(arguments);
  return nullptr;
}

std::nullptr_t Parser::raise_range(const Position& first, const Position& last, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  raise_at_va(PyExc_SyntaxError, first.lineno, first.col_offset + 1, last.end_lineno, last.end_col_offset + 1, format,
              arguments);
  va_end(arguments);
  return nullptr;
}

/// From `first` to wherever the lexer is.
std::nullptr_t Parser::raise_from(const Position& first, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  raise_at_va(PyExc_SyntaxError, first.lineno, first.col_offset + 1, lexer.lineno,
              static_cast<int>(lexer.cur - lexer.line_start), format, arguments);
  va_end(arguments);
  return nullptr;
}

bool Parser::version_error(const char* what, int minor) {
  syntax_error("%s only supported in Python 3.%i and greater", what, minor);
  return false;
}

void Parser::raise_unclosed_bracket() {
  const int line = lexer.bracket_line[lexer.level - 1];
  const int column = lexer.bracket_column[lexer.level - 1];
  raise_at(PyExc_SyntaxError, line, column, line, -1, "'%c' was never closed", lexer.bracket[lexer.level - 1]);
}

/// The lexer gave an error token: makes sure that an exception says why.
void Parser::lexer_error() {
  hard_error_ = true;
  if (lexer.done == Lexer::Done::kDecode && PyErr_ExceptionMatches(PyExc_UnicodeError)) {
    auto text = take_exception_text();
    if (!text) return;
    if (lexer.file_source != nullptr && lexer.cur == lexer.end) {
      const Token& token = tokens_[fill_ - 1];  // a line that could not be read: no column
      raise_at(PyExc_SyntaxError, token.lineno, -1, token.lineno, -1, "(unicode error) %U", text.get());
    } else {
      syntax_error("(unicode error) %U", text.get());
    }
    return;
  }
  if (PyErr_Occurred()) return;
  PyObject* type = PyExc_SyntaxError;
  const char* message = "unknown parsing error";
  int column = -1;
  switch (lexer.done) {
    case Lexer::Done::kToken: message = "invalid token"; break;
    case Lexer::Done::kEof:
      if (lexer.level != 0) raise_unclosed_bracket();
      else syntax_error("unexpected EOF while parsing");
      return;
    case Lexer::Done::kDedent:
      raise_here(PyExc_IndentationError, "unindent does not match any outer indentation level");
      return;
    case Lexer::Done::kInterrupted:
      if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
      return;
    case Lexer::Done::kStopped: return;  // the first pass knows where the error is
    case Lexer::Done::kNoMemory: PyErr_NoMemory(); return;
    case Lexer::Done::kTabSpace:
      type = PyExc_TabError;
      message = "inconsistent use of tabs and spaces in indentation";
      break;
    case Lexer::Done::kTooDeep:
      type = PyExc_IndentationError;
      message = "too many levels of indentation";
      break;
    case Lexer::Done::kLineContinuation:
      column = static_cast<int>(lexer.cur - lexer.line_buffer) - 1;
      message = "unexpected character after line continuation character";
      break;
    default: break;
  }
  raise_at(type, lexer.lineno, column >= 0 ? column : 0, lexer.lineno, -1, "%s", message);
}

/// A mistake of the lexer's further down (or a bracket that stays open) explains more than the parser's error does.
void Parser::check_rest_of_source() {
  if (lexer.interactive) return;  // it would wait for what nobody has typed
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  const int error_line = fill_ > 0 ? tokens_[fill_ - 1].lineno : 0;
  Token token;
  for (;;) {
    const Tok next = lexer.next(token);
    if (next == Tok::kEndMarker) break;
    if (next != Tok::kError) continue;
    if (!PyErr_Occurred() && lexer.level != 0 && error_line > lexer.bracket_line[lexer.level - 1]) {
      raise_unclosed_bracket();
    }
    break;
  }
  if (PyErr_Occurred()) {
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
  } else {
    PyErr_Restore(type, value, traceback);
  }
}

/// After the second pass: what to report when it found nothing better.
void Parser::set_generic_error(int last_token) {
  if (PyErr_Occurred()) {
    if (lexer.done == Lexer::Done::kOk && PyErr_ExceptionMatches(PyExc_SyntaxError)) check_rest_of_source();
    return;
  }
  if (fill_ == 0) {
    syntax_error("error at start before reading any input");
    return;
  }
  const Token last = tokens_[last_token];
  if (last.type == Tok::kError && lexer.done == Lexer::Done::kEof) {
    if (lexer.level != 0) raise_unclosed_bracket();
    else syntax_error("unexpected EOF while parsing");
    return;
  }
  if (last.type == Tok::kIndent || last.type == Tok::kDedent) {
    raise_here(PyExc_IndentationError, last.type == Tok::kIndent ? "unexpected indent" : "unexpected unindent");
    return;
  }
  raise_token(last, "invalid syntax");
  check_rest_of_source();
}

}  // namespace pyston
