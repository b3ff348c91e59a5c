// String literals: prefixes, escapes, implicit concatenation, and f-strings.
//
// A replacement field is cut out of the literal by a scan for its end and parsed as "(text)" by a parser of its own,
// whose positions are shifted to where the field stands. QUIRK: the pieces of an f-string all carry the position of the
// whole concatenation, and the shift is that of 3.11 (nested quotes and line breaks included).
#include <cstring>

#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

/// What has been collected of a concatenation: finished parts on scratch_[base..], then the pending text, whose pieces
/// are joined when it ends (one by one would take quadratic time and memory).
struct FStringPieces {
  int first_mark;
  size_t base;
  std::vector<PyObject*> text;  // not empty strings, arena-owned
  bool has_format = false;
  const Token* specification_of = nullptr;  // set for a format specification
};

namespace {

void append_utf8(std::vector<char>& out, unsigned c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  }
}

bool read_hex(const char* p, const char* end, int count, unsigned& value) {
  value = 0;
  if (end - p < count) return false;
  for (int i = 0; i < count; i++) {
    const char c = p[i];
    unsigned digit;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    else if ((c | 32) >= 'a' && (c | 32) <= 'f') digit = static_cast<unsigned>((c | 32) - 'a' + 10);
    else return false;
    value = value * 16 + digit;
  }
  return true;
}

/// Resolves the everyday escapes into UTF-8; false when the text needs the codec (\N{}, \U, surrogates, mistakes).
bool unescape_simple(const char* p, const char* end, std::vector<char>& out) {
  out.reserve(static_cast<size_t>(end - p));
  while (p < end) {
    if (*p != '\\') {
      const void* next = std::memchr(p, '\\', static_cast<size_t>(end - p));
      const char* stop = next != nullptr ? static_cast<const char*>(next) : end;
      out.insert(out.end(), p, stop);
      p = stop;
      continue;
    }
    if (++p == end) return false;
    const char c = *p++;
    unsigned value;
    switch (c) {
      case '\n': break;
      case '\\': case '\'': case '"': out.push_back(c); break;
      case 'n': out.push_back('\n'); break;
      case 't': out.push_back('\t'); break;
      case 'r': out.push_back('\r'); break;
      case 'a': out.push_back('\a'); break;
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'v': out.push_back('\v'); break;
      case 'x':
        if (!read_hex(p, end, 2, value)) return false;
        append_utf8(out, value);
        p += 2;
        break;
      case 'u':
        if (!read_hex(p, end, 4, value) || (value >= 0xD800 && value < 0xE000)) return false;
        append_utf8(out, value);
        p += 4;
        break;
      case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7':
        value = static_cast<unsigned>(c - '0');
        for (int i = 0; i < 2 && p < end && *p >= '0' && *p <= '7'; i++) value = value * 8 + static_cast<unsigned>(*p++ - '0');
        if (value > 0377) return false;  // worth a warning
        append_utf8(out, value);
        break;
      default: return false;
    }
  }
  return true;
}

/// For the codec, which takes Latin-1: every non-ASCII character becomes a \U escape.
bool escape_non_ascii(const char* text, size_t length, std::vector<char>& out) {
  const char* end = text + length;
  for (const char* p = text; p < end;) {
    if (*p == '\\') {
      out.push_back(*p++);
      if (p >= end || static_cast<unsigned char>(*p) >= 128) {
        // A backslash before such a character stands for itself.
        for (char c : {'u', '0', '0', '5', 'c'}) out.push_back(c);
        if (p >= end) break;
      }
    }
    if (static_cast<unsigned char>(*p) < 128) {
      out.push_back(*p++);
      continue;
    }
    const char* start = p;
    while (p < end && static_cast<unsigned char>(*p) >= 128) p++;
    auto decoded = Ref<>::steal(PyUnicode_DecodeUTF8(start, p - start, nullptr));
    if (!decoded) return false;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(decoded.get()); i++) {
      char escape[16];
      const int size = std::snprintf(escape, sizeof(escape), "\\U%08x", PyUnicode_READ_CHAR(decoded.get(), i));
      out.insert(out.end(), escape, escape + size);
    }
  }
  return true;
}

}  // namespace

bool Parser::split_string(const Token& token, StringPart& part) {
  const char* p = lexer.start_of(token);
  const char* end = p + (token.end - token.start);
  part = {};
  for (; *p != '"' && *p != '\''; p++) {
    const char prefix = *p | 32;
    part.is_bytes |= prefix == 'b';
    part.is_raw |= prefix == 'r';
    part.is_format |= prefix == 'f';
  }
  const bool triple = end - p >= 6 && p[1] == *p && p[2] == *p;
  part.text = p + (triple ? 3 : 1);
  part.length = static_cast<size_t>(end - part.text) - (triple ? 3 : 1);
  if (part.is_format && !requires_version(6, "Format strings are")) return false;
  if (!part.is_raw) part.is_raw = std::memchr(part.text, '\\', part.length) == nullptr;
  if (part.is_bytes) {
    for (size_t i = 0; i < part.length; i++) {
      if (static_cast<unsigned char>(part.text[i]) >= 128) {
        syntax_error("bytes can only contain ASCII literal characters");
        return false;
      }
    }
  }
  return true;
}

bool Parser::warn_invalid_escape(const char* escape, const Token& token) {
  if (token.start < warned_before_) return true;  // the first pass over the same text has warned
  const unsigned char c = static_cast<unsigned char>(*escape);
  const bool octal = c >= '4' && c <= '7';
  auto message = Ref<>::steal(octal ? PyUnicode_FromFormat("invalid octal escape sequence '\\%.3s'", escape)
                                    : PyUnicode_FromFormat("invalid escape sequence '\\%c'", c));
  if (!message) {
    hard_error_ = true;
    return false;
  }
  if (PyErr_WarnExplicitObject(PyExc_DeprecationWarning, message.get(), filename_, token.lineno, nullptr, nullptr) >=
      0) {
    return true;
  }
  if (PyErr_ExceptionMatches(PyExc_DeprecationWarning)) {
    PyErr_Clear();
    raise_token(token, "%U", message.get());
  }
  hard_error_ = true;
  return false;
}

PyObject* Parser::decode_text(const StringPart& part, const char* text, size_t length, const Token& token) {
  PyObject* result;
  if (part.is_raw || std::memchr(text, '\\', length) == nullptr) {
    result = PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(length), nullptr);
  } else {
    std::vector<char> buffer;
    if (unescape_simple(text, text + length, buffer)) {
      result = PyUnicode_DecodeUTF8(buffer.data(), static_cast<Py_ssize_t>(buffer.size()), nullptr);
    } else {
      buffer.clear();
      if (!escape_non_ascii(text, length, buffer)) {
        hard_error_ = true;
        return nullptr;
      }
      const char* invalid = nullptr;
      result = _PyUnicode_DecodeUnicodeEscapeInternal(buffer.data(), static_cast<Py_ssize_t>(buffer.size()), nullptr,
                                                      nullptr, &invalid);
      if (result != nullptr && invalid != nullptr && !warn_invalid_escape(invalid, token)) {
        Py_DECREF(result);
        return nullptr;
      }
    }
  }
  return keep(result);
}

PyObject* Parser::decode_bytes(const StringPart& part, const Token& token) {
  if (part.is_raw) return keep(PyBytes_FromStringAndSize(part.text, static_cast<Py_ssize_t>(part.length)));
  const char* invalid = nullptr;
  PyObject* result = _PyBytes_DecodeEscape(part.text, static_cast<Py_ssize_t>(part.length), nullptr, &invalid);
  if (result != nullptr && invalid != nullptr && !warn_invalid_escape(invalid, token)) {
    Py_DECREF(result);
    return nullptr;
  }
  return keep(result);
}

bool Parser::append_text(FStringPieces& pieces, PyObject* text) {
  if (text == nullptr) return false;
  if (PyUnicode_GET_LENGTH(text) == 0) return true;
  pieces.text.push_back(text);
  return true;
}

/// The pending text becomes a Constant part.
bool Parser::flush_text(FStringPieces& pieces) {
  if (pieces.text.empty()) return true;
  auto* part = make<node::Constant>(pieces.first_mark);
  if (part == nullptr) return false;
  part->value = pieces.text[0];
  if (pieces.text.size() > 1) {
    PyObject* separator = keep(PyUnicode_New(0, 0));
    if (separator == nullptr) return false;
    const auto count = static_cast<Py_ssize_t>(pieces.text.size());
    part->value = keep(_PyUnicode_JoinArray(separator, pieces.text.data(), count));
    if (part->value == nullptr) return false;
  }
  if (*lexer.start_of(tokens_[pieces.first_mark]) == 'u') {
    part->kind = keep(PyUnicode_InternFromString("u"));
    if (part->kind == nullptr) return false;
  }
  pieces.text.clear();
  scratch_.push_back(part);
  return true;
}

Expr* Parser::join_pieces(FStringPieces& pieces, bool force_joined) {
  if (!pieces.has_format && !force_joined) {
    if (pieces.text.empty()) {
      PyObject* empty = keep(PyUnicode_New(0, 0));
      if (empty == nullptr) return nullptr;
      pieces.text.push_back(empty);
    }
    if (!flush_text(pieces)) return nullptr;
    Expr* result = static_cast<Expr*>(scratch_.back());
    scratch_.pop_back();
    return result;
  }
  // QUIRK: the end of a format specification is placed on its own token, not on the whole concatenation.
  const bool has_last = !pieces.text.empty();
  if (!flush_text(pieces)) return nullptr;
  auto* node = make<node::JoinedStr>(pieces.first_mark);
  if (node == nullptr) return nullptr;
  if (const Token* token = pieces.specification_of) {
    node->position = {token->lineno, token->col_offset, token->end_lineno, token->end_col_offset};
    if (has_last) static_cast<Expr*>(scratch_.back())->position = node->position;
  }
  if (!take(pieces.base, node->values)) return nullptr;
  return node;
}

Expr* Parser::strings() {
  if (LIKELY(!backtracking_)) return joined_strings();
  const int start = mark_;
  Expr* known;
  if (memo_find(kMemoStrings, known)) return known;
  return memo_store(kMemoStrings, start, joined_strings());
}

Expr* Parser::joined_strings() {
  const int start = mark_;
  while (accept(Tok::kString)) {
  }
  if (hard_error_) return nullptr;
  const int end = mark_;
  StringPart part;
  auto fail = [this]() -> Expr* {
    // What the codecs complain about is a mistake in the source.
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_SyntaxError)) {
      const char* what = PyErr_ExceptionMatches(PyExc_UnicodeError) ? "unicode error"
                         : PyErr_ExceptionMatches(PyExc_ValueError) ? "value error"
                                                                    : nullptr;
      if (what != nullptr) {
        auto text = take_exception_text();
        PyErr_Clear();
        if (text) syntax_error("(%s) %U", what, text.get());
        else syntax_error("(%s) unknown error", what);
      }
    }
    hard_error_ = true;
    return nullptr;
  };
  if (!split_string(tokens_[start], part)) return fail();
  if (end == start + 1 && !part.is_format) {  // FAST: one plain literal
    PyObject* value = part.is_bytes ? decode_bytes(part, tokens_[start])
                                    : decode_text(part, part.text, part.length, tokens_[start]);
    if (value == nullptr) return fail();
    auto* node = make<node::Constant>(start);
    if (node == nullptr) return nullptr;
    node->value = value;
    if (*lexer.start_of(tokens_[start]) == 'u') {
      node->kind = keep(PyUnicode_InternFromString("u"));
      if (node->kind == nullptr) return nullptr;
    }
    return node;
  }
  const bool is_bytes = part.is_bytes;
  std::vector<char> bytes;
  FStringPieces pieces{start, scratch_.size()};
  for (int i = start; i < end; i++) {
    if (i != start && !split_string(tokens_[i], part)) return fail();
    if (part.is_bytes != is_bytes) {
      syntax_error("cannot mix bytes and nonbytes literals");
      return fail();
    }
    if (is_bytes) {
      PyObject* value = decode_bytes(part, tokens_[i]);
      if (value == nullptr) return fail();
      bytes.insert(bytes.end(), PyBytes_AS_STRING(value), PyBytes_AS_STRING(value) + PyBytes_GET_SIZE(value));
    } else if (part.is_format) {
      pieces.has_format = true;
      const char* p = part.text;
      const Token token = tokens_[i];
      if (!format_string(pieces, p, part.text + part.length, part.is_raw, 0, token)) return fail();
    } else if (!append_text(pieces, decode_text(part, part.text, part.length, tokens_[i]))) {
      return fail();
    }
  }
  if (is_bytes) {
    return constant(start, keep(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()))));
  }
  return join_pieces(pieces, false);
}

/// Text up to the next replacement field, the end, or (in a format specification) the closing brace.
bool Parser::field_literal(FStringPieces& pieces, const char*& p, const char* end, bool is_raw, int nesting,
                           const Token& token, bool& field_follows) {
  field_follows = false;
  StringPart part{};
  part.is_raw = is_raw;
  for (;;) {
    const char* start = p;
    const char* s = p;
    bool doubled = false;
    while (s < end) {
      char c = *s++;
      if (!is_raw && c == '\\' && s < end) {
        c = *s++;
        if (c == 'N') {
          // The braces of \N{name} are not those of a field.
          if (s < end && *s++ == '{') {
            while (s < end && *s++ != '}') {
            }
          }
          continue;
        }
        if (c == '{' && !warn_invalid_escape(s - 1, token)) return false;
      }
      if (c != '{' && c != '}') continue;
      if (nesting == 0) {
        if (s < end && *s == c) {
          doubled = true;
          break;
        }
        if (c == '}') {
          syntax_error("f-string: single '}' is not allowed");
          return false;
        }
      }
      s--;
      break;
    }
    if (s != start && !append_text(pieces, decode_text(part, start, static_cast<size_t>(s - start), token))) {
      return false;
    }
    p = doubled ? s + 1 : s;
    if (doubled) continue;
    field_follows = p < end && *p == '{';
    return true;
  }
}

bool Parser::format_string(FStringPieces& pieces, const char*& p, const char* end, bool is_raw, int nesting,
                           const Token& token) {
  for (;;) {
    bool field_follows;
    if (!field_literal(pieces, p, end, is_raw, nesting, token, field_follows)) return false;
    if (!field_follows) break;
    if (!replacement_field(pieces, p, end, is_raw, nesting, token)) return false;
  }
  if (nesting == 0 && p < end - 1) {
    syntax_error("f-string: unexpected end of string");
    return false;
  }
  if (nesting != 0 && (p >= end || *p != '}')) {
    syntax_error("f-string: expecting '}'");
    return false;
  }
  return true;
}

/// At the "{". Finds the end of the expression, compiles it, then reads "=", "!r" and ":spec".
bool Parser::replacement_field(FStringPieces& pieces, const char*& p, const char* end, bool is_raw, int nesting,
                               const Token& token) {
  if (nesting >= 2) {
    syntax_error("f-string: expressions nested too deeply");
    return false;
  }
  const char* start = ++p;
  char quote = 0;
  bool triple = false;
  char open[Lexer::kMaxBrackets];
  int depth = 0;
  for (; p < end; p++) {
    const char c = *p;
    if (c == '\\') {
      syntax_error("f-string expression part cannot include a backslash");
      return false;
    }
    const bool three = p + 2 < end && p[1] == c && p[2] == c;
    if (quote != 0) {
      if (c != quote || (triple && !three)) continue;
      if (triple) p += 2;
      quote = 0;
      continue;
    }
    if (c == '\'' || c == '"') {
      quote = c;
      triple = three;
      if (three) p += 2;
      continue;
    }
    if (c == '[' || c == '{' || c == '(') {
      if (depth >= Lexer::kMaxBrackets) {
        syntax_error("f-string: too many nested parenthesis");
        return false;
      }
      open[depth++] = c;
      continue;
    }
    if (c == '#') {
      syntax_error("f-string expression part cannot include '#'");
      return false;
    }
    if (depth == 0 && (c == '!' || c == ':' || c == '}' || c == '=' || c == '>' || c == '<')) {
      if (p + 1 < end && p[1] == '=' && (c == '!' || c == '=' || c == '<' || c == '>')) {
        p++;
        continue;
      }
      if (c == '>' || c == '<') continue;
      break;
    }
    if (c == ']' || c == '}' || c == ')') {
      if (depth == 0) {
        syntax_error("f-string: unmatched '%c'", c);
        return false;
      }
      const char opening = open[--depth];
      if (!((opening == '(' && c == ')') || (opening == '[' && c == ']') || (opening == '{' && c == '}'))) {
        syntax_error("f-string: closing parenthesis '%c' does not match opening parenthesis '%c'", c, opening);
        return false;
      }
    }
  }
  const char* finish = p;
  auto unexpected_end = [this] {
    syntax_error("f-string: expecting '}'");
    return false;
  };
  if (quote != 0) {
    syntax_error("f-string: unterminated string");
    return false;
  }
  if (depth != 0) {
    syntax_error("f-string: unmatched '%c'", open[depth - 1]);
    return false;
  }
  if (p >= end) return unexpected_end();
  Expr* value = compile_field(start, finish, token);
  if (value == nullptr) return false;
  PyObject* own_text = nullptr;
  if (*p == '=') {
    if (feature_version_ < 8) {
      syntax_error("f-string: self documenting expressions are only supported in Python 3.8 and greater");
      return false;
    }
    p++;
    while (p < end && Py_ISSPACE(static_cast<unsigned char>(*p))) p++;
    if (p >= end) return unexpected_end();
    own_text = keep(PyUnicode_FromStringAndSize(start, p - start));
    if (own_text == nullptr) return false;
  }
  int conversion = -1;
  if (*p == '!') {
    if (++p >= end) return unexpected_end();
    conversion = static_cast<unsigned char>(*p++);
    if (conversion != 's' && conversion != 'r' && conversion != 'a') {
      syntax_error("f-string: invalid conversion character: expected 's', 'r', or 'a'");
      return false;
    }
  }
  if (p >= end) return unexpected_end();
  Expr* specification = nullptr;
  if (*p == ':') {
    if (++p >= end) return unexpected_end();
    FStringPieces inner{pieces.first_mark, scratch_.size()};
    inner.specification_of = &token;
    if (!format_string(inner, p, end, is_raw, nesting + 1, token)) return false;
    specification = join_pieces(inner, true);
    if (specification == nullptr) return false;
  }
  if (p >= end || *p != '}') return unexpected_end();
  p++;
  if (own_text != nullptr) {
    if (specification == nullptr && conversion == -1) conversion = 'r';
    if (!append_text(pieces, own_text)) return false;
  }
  if (!flush_text(pieces)) return false;
  auto* field = make<node::FormattedValue>(pieces.first_mark);
  if (field == nullptr) return false;
  field->value = value;
  field->conversion = conversion;
  field->format_spec = specification;
  scratch_.push_back(field);
  return true;
}

Expr* Parser::compile_field(const char* start, const char* end, const Token& token) {
  const char* s = start;
  while (s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\f')) s++;
  if (s == end) {
    if (*end == '!' || *end == ':' || *end == '=') syntax_error("f-string: expression required before '%c'", *end);
    else syntax_error("f-string: empty expression not allowed");
    return nullptr;
  }
  // Where the field's "{" stands: lines below the token's first, and byte column in its line.
  const char* token_text = lexer.start_of(token);
  const char* brace = start - 1;
  int lines = 0;
  for (const char* p = token_text; p < brace; p++) lines += *p == '\n';
  bool newline_follows = true;
  for (const char* p = start; *p != '}' && *p != '\n'; p++) {
    if (*p != ' ' && *p != '\t' && *p != '\f') {
      newline_follows = false;
      break;
    }
  }
  int columns = 0;
  if (!newline_follows) {
    const char* line = brace;
    while (line > token_text && *line != '\n') line--;
    columns = static_cast<int>(brace - line) - (*line == '\n');
  }
  const size_t size = static_cast<size_t>(end - start);
  char* text = static_cast<char*>(PyMem_RawMalloc(size + 4));
  if (text == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  text[0] = '(';
  std::memcpy(text + 1, start, size);
  text[size + 1] = ')';
  text[size + 2] = '\n';
  text[size + 3] = '\0';
  Parser field(arena_, names_, filename_, rule_, flags_, feature_version_);
  field.rule_ = StartRule::kFile;
  field.is_field_ = true;
  field.starting_lineno_ = token.lineno + lines;
  field.starting_column_ = lines != 0 ? columns : token.col_offset + columns;
  field.depth_ = depth_;
  if (token.start < warned_before_) {
    field.warned_before_ = UINT32_MAX;
    field.lexer.report_warnings = false;
  }
  field.lexer.start(text, size + 3, filename_);
  field.lexer.lineno = field.starting_lineno_ - 1;
  field.lexer.type_comments = false;
  Expr* result = static_cast<Expr*>(field.run_rule());
  if (result == nullptr) hard_error_ = true;
  return result;
}

}  // namespace pyston
