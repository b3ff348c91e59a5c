// From bytes to lexable source: byte order mark, coding cookie, decoding to UTF-8, newline translation.
#include <cstring>

#include "Interpreter/compiler/lexer.h"

namespace pyston {
namespace {

bool is_cookie_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

/// The spellings of UTF-8 and Latin-1 that have one canonical name; others are kept as written.
const char* canonical_encoding(const char* name, size_t length) {
  char lower[13];
  size_t i = 0;
  for (; i < 12 && i < length; i++) {
    const char c = name[i];
    lower[i] = c == '_' ? '-' : static_cast<char>(Py_TOLOWER(static_cast<unsigned char>(c)));
  }
  lower[i] = '\0';
  if (std::strcmp(lower, "utf-8") == 0 || std::strncmp(lower, "utf-8-", 6) == 0) return "utf-8";
  for (const char* latin : {"latin-1", "iso-8859-1", "iso-latin-1"}) {
    const size_t size = std::strlen(latin);
    if (std::strcmp(lower, latin) == 0 || (std::strncmp(lower, latin, size) == 0 && lower[size] == '-')) {
      return "iso-8859-1";
    }
  }
  return nullptr;
}

/// Looks for "coding[:=]name" in a comment line [line, finish). False: no memory.
bool find_cookie(const char* line, const char* finish, char** encoding) {
  *encoding = nullptr;
  const char* p = line;
  while (p < finish && (*p == ' ' || *p == '\t' || *p == '\f')) p++;
  if (p == finish || *p != '#') return true;
  for (; p + 6 < finish; p++) {
    if (std::memcmp(p, "coding", 6) != 0) continue;
    const char* t = p + 6;
    if (*t != ':' && *t != '=') continue;
    do {
      t++;
    } while (t < finish && (*t == ' ' || *t == '\t'));
    const char* begin = t;
    while (t < finish && is_cookie_char(*t)) t++;
    if (begin == t) continue;
    const size_t length = static_cast<size_t>(t - begin);
    const char* canonical = canonical_encoding(begin, length);
    const size_t size = canonical != nullptr ? std::strlen(canonical) : length;
    *encoding = static_cast<char*>(PyMem_RawMalloc(size + 1));
    if (*encoding == nullptr) {
      PyErr_NoMemory();
      return false;
    }
    std::memcpy(*encoding, canonical != nullptr ? canonical : begin, size);
    (*encoding)[size] = '\0';
    return true;
  }
  return true;
}

/// A line that lets the cookie be on the next one: only white space and comment.
bool is_blank_or_comment(const char* line, const char* finish) {
  for (const char* p = line; p < finish; p++) {
    if (*p == '#' || *p == '\n' || *p == '\r') return true;
    if (*p != ' ' && *p != '\t' && *p != '\f') return false;
  }
  return true;
}

const char* end_of_line(const char* p, const char* finish) {
  while (p < finish && *p != '\n' && *p != '\r') p++;
  return p;
}

/// Length of the valid UTF-8 sequence at `p`, 0 if there is none.
int utf8_length(const unsigned char* p, const unsigned char* finish) {
  const unsigned char c = p[0];
  if (c < 0x80) return 1;
  auto continues = [&](int i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return p + i < finish && p[i] >= low && p[i] <= high;
  };
  if (c < 0xC2) return 0;
  if (c < 0xE0) return continues(1) ? 2 : 0;
  if (c < 0xF0) {
    const unsigned char low = c == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = c == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (c < 0xF5) {
    const unsigned char low = c == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = c == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

COLD void raise_non_utf8(unsigned char byte, int line, PyObject* filename) {
  PyErr_Format(PyExc_SyntaxError,
               "Non-UTF-8 code starting with '\\x%.2x' in file %U on line %i, but no encoding declared; "
               "see https://peps.python.org/pep-0263/ for details",
               byte, filename, line);
}

/// The first byte from `p` on that is no UTF-8, or null; `line` becomes the number of its line.
const unsigned char* find_non_utf8(const char* source, const char* finish, int& line) {
  const auto* p = reinterpret_cast<const unsigned char*>(source);
  const auto* last = reinterpret_cast<const unsigned char*>(finish);
  line = 1;
  while (p < last) {
    if (LIKELY(*p < 0x80)) {
      line += *p++ == '\n';
      continue;
    }
    const int length = utf8_length(p, last);
    if (length == 0) return p;
    p += length;
  }
  return nullptr;
}

/// The name of the encoding that a source declares by a byte order mark or by a cookie on one of its first two lines;
/// `*encoding` stays null when it doesn't. Moves `source` past the mark; `*after` becomes where the line with the cookie
/// ends, without its newline.
bool find_encoding(const char*& source, const char* finish, char** encoding, const char** after) {
  *encoding = nullptr;
  *after = source;
  const bool has_mark = finish - source >= 3 && std::memcmp(source, "\xEF\xBB\xBF", 3) == 0;
  if (has_mark) source += 3;
  const char* line = source;
  for (int i = 0; i < 2 && *encoding == nullptr; i++) {
    const char* line_finish = end_of_line(line, finish);
    if (!find_cookie(line, line_finish, encoding)) return false;
    *after = line_finish;
    if (*encoding != nullptr || !is_blank_or_comment(line, line_finish) || line_finish == finish) break;
    line = line_finish + 1;
    if (*line_finish == '\r' && line < finish && *line == '\n') line++;
  }
  if (!has_mark) return true;
  if (*encoding != nullptr && std::strcmp(*encoding, "utf-8") != 0) {
    PyErr_Format(PyExc_SyntaxError, "encoding problem: %s with BOM", *encoding);
    PyMem_RawFree(*encoding);
    *encoding = nullptr;
    return false;
  }
  if (*encoding == nullptr) {
    *encoding = static_cast<char*>(PyMem_RawMalloc(6));
    if (*encoding == nullptr) return PyErr_NoMemory(), false;
    std::strcpy(*encoding, "utf-8");
  }
  return true;
}

/// Copies with \r\n and \r translated to \n; gives the end of the copy.
char* translate_newlines(char* out, const char* source, size_t size) {
  if (std::memchr(source, '\r', size) == nullptr) {  // FAST: one copy
    std::memcpy(out, source, size);
    return out + size;
  }
  for (size_t i = 0; i < size; i++) {
    char c = source[i];
    if (c == '\r') {
      if (i + 1 < size && source[i + 1] == '\n') i++;
      c = '\n';
    }
    *out++ = c;
  }
  return out;
}

/// The same with a newline at the end if `add_newline`; there must be room for two bytes more than `size`.
char* translate_source(char* start, const char* source, size_t size, bool add_newline) {
  char* out = translate_newlines(start, source, size);
  // QUIRK: a source that ends with \r\n gets one newline more.
  const bool ends_with_pair = size >= 2 && std::memcmp(source + size - 2, "\r\n", 2) == 0;
  if (add_newline && (out == start || out[-1] != '\n' || ends_with_pair)) *out++ = '\n';
  return out;
}

/// What a codec complains about is a mistake in the source.
void raise_as_syntax_error() {
  if (!PyErr_ExceptionMatches(PyExc_LookupError) && !PyErr_ExceptionMatches(PyExc_ValueError)) return;
  auto text = take_exception_text();
  if (text) PyErr_SetObject(PyExc_SyntaxError, text.get());
}

}  // namespace

Ref<> take_exception_text() {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  auto text = Ref<>::steal(value != nullptr ? PyObject_Str(value) : nullptr);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return text;
}

char* prepare_source(const char* source, size_t size, bool is_utf8, bool add_newline, const char* forced_encoding,
                     PyObject* filename, size_t* prepared_size, char** encoding) {
  *encoding = nullptr;
  Ref<> decoded;
  auto fail = [&]() -> char* {
    PyMem_RawFree(*encoding);
    *encoding = nullptr;
    return nullptr;
  };
  if (!is_utf8) {
    const char* finish = source + size;
    const char* after;
    if (!find_encoding(source, finish, encoding, &after)) return nullptr;
    if (forced_encoding != nullptr) {
      PyMem_RawFree(*encoding);
      *encoding = static_cast<char*>(PyMem_RawMalloc(std::strlen(forced_encoding) + 1));
      if (*encoding == nullptr) return PyErr_NoMemory(), nullptr;
      std::strcpy(*encoding, forced_encoding);
    }
    size = static_cast<size_t>(finish - source);
    if (*encoding != nullptr && std::strcmp(*encoding, "utf-8") != 0) {
      // QUIRK: newlines are those of the bytes, and the codec sees the one that is added.
      std::string translated(size + 2, '\0');
      char* end = translate_source(translated.data(), source, size, add_newline);
      decoded = Ref<>::steal(PyUnicode_Decode(translated.data(), end - translated.data(), *encoding, nullptr));
      if (!decoded) {
        raise_as_syntax_error();
        return fail();
      }
      Py_ssize_t length;
      source = PyUnicode_AsUTF8AndSize(decoded.get(), &length);
      if (source == nullptr) return fail();
      size = static_cast<size_t>(length);
    }
    // What is UTF-8 by declaration or by default is not checked here: only the literals and names of it are decoded.
  }
  char* prepared = static_cast<char*>(PyMem_RawMalloc(size + 2));
  if (prepared == nullptr) {
    PyErr_NoMemory();
    return fail();
  }
  char* out = translate_source(prepared, source, size, add_newline);
  *out = '\0';
  *prepared_size = static_cast<size_t>(out - prepared);
  return prepared;
}

// --- Files -----------------------------------------------------------------------------------------------------

namespace {

/// The lines of a file in another encoding than UTF-8, through a text stream: what is wrong with it is noticed chunk
/// by chunk. False: not even the first chunk can be read; an exception is set.
bool read_recoded(FileSource& file, const char* source, const char* finish, bool skip_first_line) {
  auto io = Ref<>::steal(PyImport_ImportModule("io"));
  auto bytes = Ref<>::steal(
      io ? PyObject_CallMethod(io.get(), "BytesIO", "y#", source, static_cast<Py_ssize_t>(finish - source)) : nullptr);
  auto stream = Ref<>::steal(
      bytes ? PyObject_CallMethod(io.get(), "TextIOWrapper", "Os", bytes.get(), file.encoding) : nullptr);
  if (!stream) return false;
  if (skip_first_line && !Ref<>::steal(PyObject_CallMethod(stream.get(), "readline", nullptr))) return false;
  for (;;) {
    auto line = Ref<>::steal(PyObject_CallMethod(stream.get(), "readline", nullptr));
    Py_ssize_t size = 0;
    const char* text = line && PyUnicode_Check(line.get()) ? PyUnicode_AsUTF8AndSize(line.get(), &size) : nullptr;
    if (text == nullptr) {
      file.fails_at_end = true;
      return true;
    }
    if (size == 0) return true;
    file.text.append(text, static_cast<size_t>(size));
    if (const size_t null = file.text.find('\0'); null != std::string::npos) {
      file.text.resize(null);
      file.fails_at_end = true;
      return true;
    }
  }
}

/// QUIRK: of a line with a null byte, the rest with its newline is not read.
void drop_after_nulls(std::string& text) {
  size_t out = text.find('\0');
  if (out == std::string::npos) return;
  size_t in = out;
  while (in < text.size()) {
    if (text[in] == '\0') {
      in = text.find('\n', in);
      if (in == std::string::npos) break;
      in++;
    } else {
      text[out++] = text[in++];
    }
  }
  text.resize(out);
}

}  // namespace

bool read_source_file(FILE* stream, const char* forced_encoding, PyObject* filename, FileSource& file) {
  std::string bytes;
  char chunk[16384];
  size_t count;
  while ((count = std::fread(chunk, 1, sizeof(chunk), stream)) > 0) bytes.append(chunk, count);
  if (std::ferror(stream)) {
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
  }
  const char* source = bytes.data();
  const char* finish = source + bytes.size();
  const char* after;
  if (!find_encoding(source, finish, &file.encoding, &after)) return false;
  if (forced_encoding != nullptr) {
    PyMem_RawFree(file.encoding);
    file.encoding = static_cast<char*>(PyMem_RawMalloc(std::strlen(forced_encoding) + 1));
    if (file.encoding == nullptr) return PyErr_NoMemory(), false;
    std::strcpy(file.encoding, forced_encoding);
  }
  if (file.encoding != nullptr && std::strcmp(file.encoding, "utf-8") != 0) {
    const bool by_cookie = forced_encoding == nullptr;
    if (by_cookie) {  // the lines up to the cookie have been read as they are
      file.text.resize(static_cast<size_t>(after - source) + 1);
      const char* end = translate_newlines(file.text.data(), source, static_cast<size_t>(after - source));
      file.text.resize(static_cast<size_t>(end - file.text.data()));
      file.text += '\n';
    }
    if (!read_recoded(file, by_cookie ? after : source, finish, by_cookie)) {
      PyErr_Clear();
      PyErr_Format(PyExc_SyntaxError, "encoding problem: %s", file.encoding);
      return false;
    }
  } else {
    file.text.resize(static_cast<size_t>(finish - source));
    const char* end = translate_newlines(file.text.data(), source, static_cast<size_t>(finish - source));
    file.text.resize(static_cast<size_t>(end - file.text.data()));
    drop_after_nulls(file.text);
    int line;
    if (const auto* bad = find_non_utf8(file.text.data(), file.text.data() + file.text.size(), line)) {
      raise_non_utf8(*bad, line, filename);
      file.fails_at_end = true;
      const size_t at = static_cast<size_t>(reinterpret_cast<const char*>(bad) - file.text.data());
      const size_t newline = at == 0 ? std::string::npos : file.text.rfind('\n', at - 1);
      file.text.resize(newline == std::string::npos ? 0 : newline + 1);
    }
  }
  if (file.fails_at_end) {
    PyErr_Fetch(&file.error[0], &file.error[1], &file.error[2]);
  } else if (file.text.empty() || file.text.back() != '\n') {
    file.text += '\n';
  }
  return true;
}

}  // namespace pyston
