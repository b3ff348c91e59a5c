// The lexer: see lexer.h. The fast path of every token works on bytes of the current line and never looks past its
// newline; only crossing a line goes through next_line().
#include "Interpreter/compiler/lexer.h"

#include <cctype>
#include <cstdarg>
#include <cstring>

#include <token.h>

namespace pyston {
namespace {

enum CharClass : uint8_t { kOther = 0, kIdentifierStart = 1, kDigit = 2, kIdentifierPart = 3, kHighByte = 4 };

struct CharTable {
  uint8_t is_start[256] = {};  // may start an identifier
  uint8_t is_part[256] = {};   // may continue one
  constexpr CharTable() {
    for (int c = 0; c < 256; c++) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 128;
      is_start[c] = letter;
      is_part[c] = letter || (c >= '0' && c <= '9');
    }
  }
};
constexpr CharTable kChars;

bool may_continue_name(int c) { return c >= 0 && kChars.is_part[c]; }
bool is_digit(int c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(int c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

struct KeywordRow {
  const char* text;
  uint8_t length;
  Tok type;
};
constexpr KeywordRow kKeywords[] = {
#define KEYWORD(Name, text) {text, sizeof(text) - 1, Tok::kKw##Name},
#include "Interpreter/compiler/tokens.def"
};

// Keywords are found by a collision-free hash of length, first and last byte.
constexpr unsigned keyword_hash(const char* text, size_t length) {
  return (static_cast<unsigned char>(text[0]) * 1u + static_cast<unsigned char>(text[1]) * 1u +
          static_cast<unsigned char>(text[length - 1]) * 1u + static_cast<unsigned>(length) * 15u) & 255u;
}
struct KeywordTable {
  uint8_t row[256] = {};  // index + 1
  bool collides = false;
  constexpr KeywordTable() {
    for (unsigned i = 0; i < sizeof(kKeywords) / sizeof(kKeywords[0]); i++) {
      uint8_t& slot = row[keyword_hash(kKeywords[i].text, kKeywords[i].length)];
      if (slot != 0) collides = true;
      slot = static_cast<uint8_t>(i + 1);
    }
  }
};
constexpr KeywordTable kKeywordTable;
static_assert(!kKeywordTable.collides, "choose other factors in keyword_hash");

}  // namespace

Tok keyword_of(const char* text, size_t length) {
  if (length < 2 || length > 8) return Tok::kName;
  const unsigned index = kKeywordTable.row[keyword_hash(text, length)];
  if (index == 0) return Tok::kName;
  const KeywordRow& row = kKeywords[index - 1];
  return row.length == length && std::memcmp(row.text, text, length) == 0 ? row.type : Tok::kName;
}

Lexer::~Lexer() { PyMem_RawFree(buffer); }

void Lexer::start(char* source, size_t size, PyObject* file_name) {
  buffer = cur = line_start = line_end = line_buffer = multi_line_start = source;
  end = source + size;
  indents_[0] = alternate_indents_[0] = 0;
  filename = file_name;
}

bool Lexer::start_interactive(FILE* file, const char* ps1, const char* ps2, const char* source_encoding,
                              PyObject* file_name) {
  char* empty = static_cast<char*>(PyMem_RawCalloc(1, 1));
  if (empty == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  start(empty, 0, file_name);
  file_ = file;
  prompt_ = ps1;
  next_prompt_ = ps2;
  encoding = source_encoding;
  interactive = true;
  return true;
}

// Appends a line typed by the user; every pointer into the buffer moves with it.
bool Lexer::read_interactive_line() {
  if (stop_interactive) {
    done = Done::kStopped;
    return false;
  }
  char* line = PyOS_Readline(file_, stdout, prompt_);
  if (next_prompt_ != nullptr) prompt_ = next_prompt_;
  if (line == nullptr || line[0] == '\0') {
    done = line != nullptr ? Done::kEof : PyErr_Occurred() ? Done::kError : Done::kInterrupted;
    PyMem_Free(line);
    PySys_WriteStderr("\n");  // the terminal stands behind the prompt
    return false;
  }
  const bool is_utf8 = encoding == nullptr || std::strcmp(encoding, "utf-8") == 0;
  size_t added;
  char* found_encoding = nullptr;
  char* prepared = prepare_source(line, std::strlen(line), is_utf8, false, is_utf8 ? nullptr : encoding,
                                  filename, &added, &found_encoding);
  PyMem_Free(line);
  PyMem_RawFree(found_encoding);
  if (prepared == nullptr) {
    done = Done::kError;
    return false;
  }
  const size_t size = static_cast<size_t>(end - buffer);
  char* grown = static_cast<char*>(PyMem_RawRealloc(buffer, size + added + 1));
  if (grown == nullptr) {
    PyMem_RawFree(prepared);
    done = Done::kNoMemory;
    return false;
  }
  std::memcpy(grown + size, prepared, added + 1);
  PyMem_RawFree(prepared);
  const ptrdiff_t shift = grown - buffer;
  for (char** pointer : {&cur, &line_start, &line_end, &line_buffer, &multi_line_start, &token_start}) {
    if (*pointer != nullptr) *pointer += shift;
  }
  buffer = grown;
  end = grown + size + added;
  return true;
}

/// At the place where the file cannot be read any further.
COLD Lexer::Done Lexer::raise_end_of_file() {
  PyObject** error = file_source->error;
  if (error[0] == nullptr) return Done::kError;
  for (int i = 0; i < 3; i++) Py_XINCREF(error[i]);
  PyErr_Restore(error[0], error[1], error[2]);
  return Done::kDecode;
}

bool Lexer::next_line() {
  if (done != Done::kOk) return false;
  if (cur == end) {
    if (!interactive) {
      done = file_source != nullptr && file_source->fails_at_end ? raise_end_of_file() : Done::kEof;
      return false;
    }
    if (!read_interactive_line()) return false;
  }
  lineno++;
  line_start = cur;
  if (token_start == nullptr) line_buffer = cur;
  void* newline = std::memchr(cur, '\n', static_cast<size_t>(end - cur));
  line_end = newline != nullptr ? static_cast<char*>(newline) + 1 : end;
  return true;
}

ALWAYS_INLINE int Lexer::next_char() {
  if (UNLIKELY(cur == line_end) && !next_line()) return -1;
  return static_cast<unsigned char>(*cur++);
}

Tok Lexer::v_syntax_error(int column, int end_column, const char* format, va_list arguments) {
  Ref<> message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  done = Done::kError;
  if (!message) return Tok::kError;
  auto line = Ref<>::steal(PyUnicode_DecodeUTF8(line_start, cur - line_start, "replace"));
  if (!line) return Tok::kError;
  if (column == -1) column = static_cast<int>(PyUnicode_GET_LENGTH(line.get()));
  const char* line_finish = line_start;
  while (line_finish < end && *line_finish != '\n') line_finish++;
  if (line_finish != cur) {
    line = Ref<>::steal(PyUnicode_DecodeUTF8(line_start, line_finish - line_start, "replace"));
    if (!line) return Tok::kError;
  }
  auto value = Ref<>::steal(Py_BuildValue("(O(OiiOii))", message.get(), filename != nullptr ? filename : Py_None,
                                          lineno, column, line.get(), lineno, end_column == -1 ? column : end_column));
  if (value) PyErr_SetObject(PyExc_SyntaxError, value.get());
  return Tok::kError;
}

COLD Tok Lexer::syntax_error(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  v_syntax_error(-1, -1, format, arguments);
  va_end(arguments);
  return Tok::kError;
}

COLD Tok Lexer::syntax_error_range(int column, int end_column, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  v_syntax_error(column, end_column, format, arguments);
  va_end(arguments);
  return Tok::kError;
}

/// False when the warning was turned into an error (then a SyntaxError in the warning's words).
COLD bool Lexer::warn(PyObject* category, const char* format, ...) {
  if (!report_warnings) return true;
  va_list arguments;
  va_start(arguments, format);
  auto message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (!message) {
    done = Done::kError;
    return false;
  }
  if (PyErr_WarnExplicitObject(category, message.get(), filename, lineno, nullptr, nullptr) >= 0) return true;
  if (PyErr_ExceptionMatches(category)) {
    PyErr_Clear();
    syntax_error("%U", message.get());
  }
  done = Done::kError;
  return false;
}

Tok Lexer::indent_error() {
  done = Done::kTabSpace;
  cur = line_end;
  return Tok::kError;
}

/// After a backslash: the first character of the next line (left unread), or -1 with `done` set.
int Lexer::continuation_line() {
  int c = next_char();
  if (c != '\n') {
    done = Done::kLineContinuation;
    return -1;
  }
  c = next_char();
  if (c == -1) {
    done = Done::kEof;
    cur = line_end;
    return -1;
  }
  back_up(c);
  return c;
}

/// Measures the indentation of a fresh line and queues INDENTs or DEDENTs. `blank_line`: nothing but white space and
/// comment, which must not count.
Tok Lexer::indentation(bool& blank_line) {
  int column = 0;
  int alternate = 0;  // tabs count one: catches mixtures that depend on the tab width
  int continued_column = 0;
  at_line_start = false;
  int c;
  for (;;) {
    c = next_char();
    if (c == ' ') {
      column++;
      alternate++;
    } else if (c == '\t') {
      column = (column / 8 + 1) * 8;
      alternate++;
    } else if (c == '\f') {
      column = alternate = 0;
    } else if (c == '\\') {
      // A continued line keeps the indentation before its first backslash.
      continued_column = continued_column ? continued_column : column;
      if (continuation_line() == -1) return Tok::kError;
    } else {
      break;
    }
  }
  back_up(c);
  if (c == '#' || c == '\n') {
    if (column == 0 && c == '\n' && prompt_ != nullptr) {
      blank_line = false;  // an empty line ends an interactive block
    } else if (prompt_ != nullptr && lineno == 1) {
      blank_line = false;
      column = alternate = 0;
    } else {
      blank_line = true;
    }
  }
  if (blank_line || level > 0) return Tok::kEndMarker;
  if (continued_column) column = alternate = continued_column;
  if (column == indents_[indent]) {
    if (alternate != alternate_indents_[indent]) return indent_error();
  } else if (column > indents_[indent]) {
    if (indent + 1 >= kMaxIndents) {
      done = Done::kTooDeep;
      cur = line_end;
      return Tok::kError;
    }
    if (alternate <= alternate_indents_[indent]) return indent_error();
    pending_indent++;
    indents_[++indent] = column;
    alternate_indents_[indent] = alternate;
  } else {
    while (indent > 0 && column < indents_[indent]) {
      pending_indent--;
      indent--;
    }
    if (column != indents_[indent]) {
      done = Done::kDedent;
      cur = line_end;
      return Tok::kError;
    }
    if (alternate != alternate_indents_[indent]) return indent_error();
  }
  return Tok::kEndMarker;
}

ALWAYS_INLINE Tok Lexer::make(Token& token, Tok type, char* start, char* finish) {
  token.start = static_cast<uint32_t>(start - buffer);
  token.end = static_cast<uint32_t>(finish - buffer);
  token.lineno = token.end_lineno = lineno;
  token.col_offset = static_cast<int>(start - line_start);
  token.end_col_offset = static_cast<int>(finish - line_start);
  return type;
}

Tok Lexer::next(Token& token) {
  token.start = token.end = 0;
  token.col_offset = token.end_col_offset = -1;
  token.lineno = token.end_lineno = -1;
  const Tok type = get(token);
  token.type = type;
  token.level = static_cast<uint16_t>(level);
  if (token.lineno == -1) token.lineno = token.end_lineno = lineno;
  return type;
}

/// `produced` with type comments switched on and one found; else the comment was skipped.
Tok Lexer::comment(Token& token, bool& produced) {
  produced = false;
  char* start = cur - 1;
  // FAST: the end of a comment is the end of its line.
  char* finish = line_end;
  if (finish > cur && finish[-1] == '\n') finish--;
  cur = finish;
  if (!type_comments) return Tok::kEndMarker;
  char* p = start;
  for (const char* expected = "# type: "; *expected != '\0'; expected++) {
    if (*expected == ' ') {
      while (*p == ' ' || *p == '\t') p++;
    } else if (*p == *expected) {
      p++;
    } else {
      return Tok::kEndMarker;
    }
  }
  produced = true;
  char* after_ignore = p + 6;
  const bool is_ignore = finish >= after_ignore && std::memcmp(p, "ignore", 6) == 0 &&
                         !(finish > after_ignore && (static_cast<unsigned char>(*after_ignore) >= 128 ||
                                                     std::isalnum(static_cast<unsigned char>(*after_ignore))));
  if (is_ignore) return make(token, Tok::kTypeIgnore, after_ignore, finish);
  return make(token, Tok::kTypeComment, p, finish);
}

/// A name's token type. With feature_version < 7, async/await are keywords only in and before async functions.
Tok Lexer::name_type(const char* text, size_t length, Token& token) {
  if (length == 5 && text[0] == 'a') {
    const bool is_async = std::memcmp(text, "async", 5) == 0;
    if (is_async || std::memcmp(text, "await", 5) == 0) {
      if (!async_hacks || async_def_) return is_async ? Tok::kAsync : Tok::kAwait;
      if (is_async) {
        const char* p = cur;
        while (*p == ' ' || *p == '\t' || *p == '\f') p++;
        if (std::strncmp(p, "def", 3) == 0 && !may_continue_name(static_cast<unsigned char>(p[3]))) {
          async_def_ = true;
          async_def_indent_ = indent;
          return Tok::kAsync;
        }
      }
      return Tok::kName;
    }
  }
  return keyword_of(text, length);
}

/// Names with non-ASCII letters: checks them as identifiers and points at the first bad character.
COLD Tok Lexer::check_identifier(char* start, char* finish) {
  auto text = Ref<>::steal(PyUnicode_DecodeUTF8(start, finish - start, nullptr));
  if (!text) {
    // Left set: the parser says where it happened.
    done = PyErr_ExceptionMatches(PyExc_UnicodeDecodeError) ? Done::kDecode : Done::kError;
    return Tok::kError;
  }
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text.get());
  Py_ssize_t i = 0;
  while (i < length) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(text.get(), i);
    if (!(i == 0 ? c == '_' || _PyUnicode_IsXidStart(c) : _PyUnicode_IsXidContinue(c))) break;
    i++;
  }
  if (i == length) return Tok::kName;
  const Py_UCS4 c = PyUnicode_READ_CHAR(text.get(), i);
  if (i + 1 < length) {
    char* p = start;
    for (Py_ssize_t k = 0; k <= i; k++) {
      p++;
      while ((*p & 0xC0) == 0x80) p++;
    }
    cur = p;
  }
  char hex[16];
  std::snprintf(hex, sizeof(hex), "%04X", static_cast<unsigned>(c));
  if (Py_UNICODE_ISPRINTABLE(c)) return syntax_error("invalid character '%c' (U+%s)", static_cast<int>(c), hex);
  return syntax_error("invalid non-printable character U+%s", hex);
}

ALWAYS_INLINE Tok Lexer::finish_name(Token& token, bool non_ascii) {
  char* p = cur;
  while (kChars.is_part[static_cast<unsigned char>(*p)]) {
    non_ascii |= static_cast<unsigned char>(*p) >= 128;
    p++;
  }
  cur = p;
  if (UNLIKELY(non_ascii) && check_identifier(token_start, p) == Tok::kError) return Tok::kError;
  make(token, Tok::kName, token_start, cur);
  return name_type(token_start, static_cast<size_t>(cur - token_start), token);
}

Tok Lexer::string(Token& token, int quote) {
  // `cur` is just past the opening quote; prefixes are part of the token.
  first_lineno = lineno;
  multi_line_start = line_start;
  int quote_size = 1;
  int c = next_char();
  if (c == quote) {
    c = next_char();
    if (c == quote) {
      quote_size = 3;
      c = next_char();
    } else {
      back_up(c);
      make(token, Tok::kString, token_start, cur);  // empty string
      return Tok::kString;
    }
  }
  int closing = 0;
  for (;;) {
    if (c == -1 || (quote_size == 1 && c == '\n')) {
      if (done == Done::kDecode) return Tok::kError;
      // Reported at the opening quote.
      cur = token_start + 1;
      line_start = multi_line_start;
      const int detected = lineno;
      lineno = first_lineno;
      syntax_error(quote_size == 3 ? "unterminated triple-quoted string literal (detected at line %d)"
                                   : "unterminated string literal (detected at line %d)",
                   detected);
      if (c != '\n') done = quote_size == 3 ? Done::kUnterminatedTriple : Done::kUnterminatedSingle;
      return Tok::kError;
    }
    if (c == quote) {
      if (++closing == quote_size) break;
    } else {
      closing = 0;
      if (c == '\\') next_char();
    }
    c = next_char();
  }
  token.start = static_cast<uint32_t>(token_start - buffer);
  token.end = static_cast<uint32_t>(cur - buffer);
  token.lineno = first_lineno;
  token.end_lineno = lineno;
  token.col_offset = static_cast<int>(token_start - multi_line_start);
  token.end_col_offset = static_cast<int>(cur - line_start);
  return Tok::kString;
}

bool Lexer::look_ahead(const char* rest) {
  // `cur` is just past the first character; names never cross a line.
  const size_t length = std::strlen(rest);
  return static_cast<size_t>(line_end - cur) >= length && std::memcmp(cur, rest, length) == 0 &&
         !may_continue_name(static_cast<unsigned char>(cur[length]));
}

/// `c` (already read) follows a number. Keywords may follow directly, with a warning; other names may not.
bool Lexer::check_number_end(int c, const char* kind) {
  bool keyword = false;
  switch (c) {
    case 'a': keyword = look_ahead("nd"); break;
    case 'e': keyword = look_ahead("lse"); break;
    case 'f': keyword = look_ahead("or"); break;
    case 'i': keyword = *cur == 'f' || *cur == 'n' || *cur == 's'; break;
    case 'o': keyword = look_ahead("r"); break;
    case 'n': keyword = look_ahead("ot"); break;
    default: break;
  }
  if (keyword) {
    back_up(c);
    if (!warn(PyExc_SyntaxWarning, "invalid %s literal", kind)) return false;
    next_char();
  } else if (may_continue_name(c)) {
    back_up(c);
    syntax_error("invalid %s literal", kind);
    return false;
  }
  return true;
}

/// Digits with single underscores between them; the character after them, or -2 after an error.
int Lexer::decimal_tail() {
  int c;
  for (;;) {
    do {
      c = next_char();
    } while (is_digit(c));
    if (c != '_') return c;
    c = next_char();
    if (!is_digit(c)) {
      back_up(c);
      syntax_error("invalid decimal literal");
      return -2;
    }
  }
}

Tok Lexer::imaginary(Token& token) {
  const int c = next_char();
  if (!check_number_end(c, "imaginary")) return Tok::kError;
  back_up(c);
  return make(token, Tok::kNumber, token_start, cur);
}

/// After the "e" was read; falls back to the plain number when no exponent follows.
Tok Lexer::exponent(Token& token, int c) {
  const int letter = c;
  c = next_char();
  if (c == '+' || c == '-') {
    c = next_char();
    if (!is_digit(c)) {
      back_up(c);
      return syntax_error("invalid decimal literal");
    }
  } else if (!is_digit(c)) {
    back_up(c);
    if (!check_number_end(letter, "decimal")) return Tok::kError;
    back_up(letter);
    return make(token, Tok::kNumber, token_start, cur);
  }
  c = decimal_tail();
  if (c == -2) return Tok::kError;
  if (c == 'j' || c == 'J') return imaginary(token);
  if (!check_number_end(c, "decimal")) return Tok::kError;
  back_up(c);
  return make(token, Tok::kNumber, token_start, cur);
}

/// After the point was read.
Tok Lexer::fraction(Token& token, int c) {
  c = next_char();
  if (is_digit(c)) {
    c = decimal_tail();
    if (c == -2) return Tok::kError;
  }
  if (c == 'e' || c == 'E') return exponent(token, c);
  if (c == 'j' || c == 'J') return imaginary(token);
  if (!check_number_end(c, "decimal")) return Tok::kError;
  back_up(c);
  return make(token, Tok::kNumber, token_start, cur);
}

Tok Lexer::number(Token& token, int c) {
  if (c != '0') {
    c = decimal_tail();
    if (c == -2) return Tok::kError;
    if (c == '.') return fraction(token, c);
    if (c == 'e' || c == 'E') return exponent(token, c);
    if (c == 'j' || c == 'J') return imaginary(token);
    if (!check_number_end(c, "decimal")) return Tok::kError;
    back_up(c);
    return make(token, Tok::kNumber, token_start, cur);
  }
  c = next_char();
  const int lower = c >= 0 ? c | 32 : c;
  if (lower == 'x' || lower == 'o' || lower == 'b') {
    const char* kind = lower == 'x' ? "hexadecimal" : lower == 'o' ? "octal" : "binary";
    auto is_ours = [lower](int d) {
      return lower == 'x' ? is_hex_digit(d) : lower == 'o' ? (d >= '0' && d <= '7') : (d == '0' || d == '1');
    };
    c = next_char();
    do {
      if (c == '_') c = next_char();
      if (!is_ours(c)) {
        if (is_digit(c)) return syntax_error("invalid digit '%c' in %s literal", c, kind);
        back_up(c);
        return syntax_error("invalid %s literal", kind);
      }
      do {
        c = next_char();
      } while (is_ours(c));
    } while (c == '_');
    if (lower != 'x' && is_digit(c)) return syntax_error("invalid digit '%c' in %s literal", c, kind);
    if (!check_number_end(c, kind)) return Tok::kError;
    back_up(c);
    return make(token, Tok::kNumber, token_start, cur);
  }
  bool nonzero = false;
  // Only zeros make a valid literal that starts with 0, unless a point, exponent or j follows.
  for (;;) {
    if (c == '_') {
      c = next_char();
      if (!is_digit(c)) {
        back_up(c);
        return syntax_error("invalid decimal literal");
      }
    }
    if (c != '0') break;
    c = next_char();
  }
  char* zeros_end = cur;
  if (is_digit(c)) {
    nonzero = true;
    c = decimal_tail();
    if (c == -2) return Tok::kError;
  }
  if (c == '.') return fraction(token, c);
  if (c == 'e' || c == 'E') return exponent(token, c);
  if (c == 'j' || c == 'J') return imaginary(token);
  if (nonzero) {
    back_up(c);
    return syntax_error_range(static_cast<int>(token_start + 1 - line_start), static_cast<int>(zeros_end - line_start),
                              "leading zeros in decimal integer literals are not permitted; "
                              "use an 0o prefix for octal integers");
  }
  if (!check_number_end(c, "decimal")) return Tok::kError;
  back_up(c);
  return make(token, Tok::kNumber, token_start, cur);
}

Tok Lexer::get(Token& token) {
  bool blank_line;
next_logical_line:
  token_start = nullptr;
  blank_line = false;
  if (at_line_start) {
    if (indentation(blank_line) == Tok::kError) return Tok::kError;
  }
  token_start = cur;
  if (pending_indent != 0) {
    if (pending_indent < 0) {
      pending_indent++;
      return Tok::kDedent;
    }
    pending_indent--;
    return Tok::kIndent;
  }
  if (UNLIKELY(async_def_)) {
    // An async function ends where its indentation does, and not in the middle of a line: a type comment on a line of its
    // own, which stands before the block's INDENT, is followed by a NEWLINE.
    int c = next_char();
    back_up(c);
    if (async_def_newline_ && !blank_line && c != '\n' && level == 0 && async_def_indent_ >= indent) {
      async_def_ = async_def_newline_ = false;
      async_def_indent_ = 0;
    }
  }

again:
  token_start = nullptr;
  int c;
  do {
    c = next_char();
  } while (c == ' ' || c == '\t' || c == '\f');
  token_start = cur - (c != -1);

  if (kChars.is_start[c & 255] && c != -1) {
    // String prefixes are letters that must be told from names.
    bool b = false, u = false, r = false, f = false;
    char* p = cur - 1;
    for (;;) {
      const char letter = *p | 32;
      if (letter == 'b' && !b && !u && !f) b = true;
      else if (letter == 'u' && !b && !u && !r && !f) u = true;
      else if (letter == 'r' && !r && !u) r = true;
      else if (letter == 'f' && !f && !b && !u) f = true;
      else break;
      p++;
      if (*p == '"' || *p == '\'') {
        cur = p + 1;
        return string(token, *p);
      }
    }
    return finish_name(token, c >= 128);
  }

  if (c == '#') {
    bool produced;
    const Tok type = comment(token, produced);
    if (produced) {
      if (type == Tok::kTypeIgnore && blank_line) {
        next_char();
        at_line_start = true;
      }
      return type;
    }
    c = next_char();
  }
  if (c == -1) {
    if (level != 0) return Tok::kError;
    return done == Done::kEof ? Tok::kEndMarker : Tok::kError;
  }
  if (c == '\n') {
    at_line_start = true;
    if (blank_line || level > 0) goto next_logical_line;
    if (async_def_) async_def_newline_ = true;
    return make(token, Tok::kNewline, token_start == cur - 1 ? token_start : token_start, cur - 1);
  }
  if (c == '.') {
    c = next_char();
    if (is_digit(c)) {
      back_up(c);
      return fraction(token, '.');
    }
    if (c == '.' && *cur == '.') {
      cur++;
      return make(token, Tok::kEllipsis, token_start, cur);
    }
    back_up(c);
    return make(token, Tok::kDot, token_start, cur);
  }
  if (is_digit(c)) return number(token, c);
  if (c == '\'' || c == '"') return string(token, c);
  if (c == '\\') {
    if (continuation_line() == -1) return Tok::kError;
    goto again;
  }

  // Operators: the longest of up to three characters. The buffer's NUL stops the look-ahead.
  Tok type = Tok::kError;
  const char second = *cur;
  auto one_or_assign = [&](Tok plain, Tok assign) {
    if (second == '=') {
      cur++;
      return assign;
    }
    return plain;
  };
  switch (c) {
    case '(': case '[': case '{':
      if (level >= kMaxBrackets) return syntax_error("too many nested parentheses");
      bracket[level] = static_cast<char>(c);
      bracket_line[level] = lineno;
      bracket_column[level] = static_cast<int>(token_start - line_start);
      level++;
      type = c == '(' ? Tok::kLeftParen : c == '[' ? Tok::kLeftBracket : Tok::kLeftBrace;
      break;
    case ')': case ']': case '}': {
      if (level == 0) return syntax_error("unmatched '%c'", c);
      level--;
      const int opening = bracket[level];
      if (!((opening == '(' && c == ')') || (opening == '[' && c == ']') || (opening == '{' && c == '}'))) {
        if (bracket_line[level] != lineno) {
          return syntax_error("closing parenthesis '%c' does not match opening parenthesis '%c' on line %d", c, opening,
                              bracket_line[level]);
        }
        return syntax_error("closing parenthesis '%c' does not match opening parenthesis '%c'", c, opening);
      }
      type = c == ')' ? Tok::kRightParen : c == ']' ? Tok::kRightBracket : Tok::kRightBrace;
      break;
    }
    case ':': type = one_or_assign(Tok::kColon, Tok::kColonEqual); break;
    case ',': type = Tok::kComma; break;
    case ';': type = Tok::kSemicolon; break;
    case '~': type = Tok::kTilde; break;
    case '+': type = one_or_assign(Tok::kPlus, Tok::kPlusEqual); break;
    case '-':
      if (second == '>') {
        cur++;
        type = Tok::kArrow;
      } else {
        type = one_or_assign(Tok::kMinus, Tok::kMinusEqual);
      }
      break;
    case '*':
      if (second == '*') {
        cur++;
        type = Tok::kDoubleStar;
        if (*cur == '=') cur++, type = Tok::kDoubleStarEqual;
      } else {
        type = one_or_assign(Tok::kStar, Tok::kStarEqual);
      }
      break;
    case '/':
      if (second == '/') {
        cur++;
        type = Tok::kDoubleSlash;
        if (*cur == '=') cur++, type = Tok::kDoubleSlashEqual;
      } else {
        type = one_or_assign(Tok::kSlash, Tok::kSlashEqual);
      }
      break;
    case '%': type = one_or_assign(Tok::kPercent, Tok::kPercentEqual); break;
    case '&': type = one_or_assign(Tok::kAmpersand, Tok::kAmpersandEqual); break;
    case '|': type = one_or_assign(Tok::kBar, Tok::kBarEqual); break;
    case '^': type = one_or_assign(Tok::kCaret, Tok::kCaretEqual); break;
    case '@': type = one_or_assign(Tok::kAt, Tok::kAtEqual); break;
    case '=': type = one_or_assign(Tok::kEqual, Tok::kEqualEqual); break;
    case '!': type = one_or_assign(Tok::kOp, Tok::kNotEqual); break;
    case '<':
      if (second == '<') {
        cur++;
        type = Tok::kLeftShift;
        if (*cur == '=') cur++, type = Tok::kLeftShiftEqual;
      } else if (second == '>') {
        cur++;
        type = Tok::kNotEqual;  // the parser accepts it only under barry_as_FLUFL
      } else {
        type = one_or_assign(Tok::kLess, Tok::kLessEqual);
      }
      break;
    case '>':
      if (second == '>') {
        cur++;
        type = Tok::kRightShift;
        if (*cur == '=') cur++, type = Tok::kRightShiftEqual;
      } else {
        type = one_or_assign(Tok::kGreater, Tok::kGreaterEqual);
      }
      break;
    default:
      if (!Py_UNICODE_ISPRINTABLE(c)) {
        char hex[16];
        std::snprintf(hex, sizeof(hex), "%04X", static_cast<unsigned>(c));
        return syntax_error("invalid non-printable character U+%s", hex);
      }
      type = Tok::kOp;
  }
  return make(token, type, token_start, cur);
}

}  // namespace pyston

// --- Token names and classification, as token.h declares them --------------------------------------------------

extern "C" {

const char* const _PyParser_TokenNames[] = {
#define TOKEN(Name, number, api_name) api_name,
#define OPERATOR(Name, number, api_name, text) api_name,
#include "Interpreter/compiler/tokens.def"
    "<N_TOKENS>",
};

}  // extern "C"

namespace {

struct OperatorRow {
  const char* text;
  int number;
};
constexpr OperatorRow kOperators[] = {
#define OPERATOR(Name, number, api_name, text) {text, number},
#include "Interpreter/compiler/tokens.def"
    {"<>", NOTEQUAL},
};

int find_operator(int c1, int c2, int c3) {
  const char text[] = {static_cast<char>(c1), static_cast<char>(c2), static_cast<char>(c3), '\0'};
  for (const OperatorRow& row : kOperators) {
    if (std::strcmp(row.text, text) == 0) return row.number;
  }
  return OP;
}

}  // namespace

int PyToken_OneChar(int c1) { return find_operator(c1, 0, 0); }
int PyToken_TwoChars(int c1, int c2) { return find_operator(c1, c2, 0); }
int PyToken_ThreeChars(int c1, int c2, int c3) { return find_operator(c1, c2, c3); }
