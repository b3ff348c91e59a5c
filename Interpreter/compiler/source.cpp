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

bool check_utf8(const char* source, size_t size, PyObject* filename) {
  const auto* p = reinterpret_cast<const unsigned char*>(source);
  const auto* finish = p + size;
  int line = 1;
  while (p < finish) {
    if (LIKELY(*p < 0x80)) {
      line += *p++ == '\n';
      continue;
    }
    const int length = utf8_length(p, finish);
    if (length == 0) {
      raise_non_utf8(*p, line, filename);
      return false;
    }
    p += length;
  }
  return true;
}

}  // namespace

char* prepare_source(const char* source, size_t size, bool is_utf8, bool add_newline, const char* forced_encoding,
                     bool from_file, PyObject* filename, size_t* prepared_size, char** encoding) {
  *encoding = nullptr;
  Ref<> decoded;
  if (!is_utf8) {
    const bool has_mark = size >= 3 && std::memcmp(source, "\xEF\xBB\xBF", 3) == 0;
    const char* finish = source + size;
    if (has_mark) source += 3;
    char* cookie = nullptr;
    if (forced_encoding != nullptr) {
      cookie = static_cast<char*>(PyMem_RawMalloc(std::strlen(forced_encoding) + 1));
      if (cookie == nullptr) return PyErr_NoMemory(), nullptr;
      std::strcpy(cookie, forced_encoding);
    } else {
      const char* line = source;
      for (int i = 0; i < 2 && cookie == nullptr; i++) {
        const char* line_finish = end_of_line(line, finish);
        if (!find_cookie(line, line_finish, &cookie)) return nullptr;
        if (cookie != nullptr || !is_blank_or_comment(line, line_finish) || line_finish == finish) break;
        line = line_finish + 1;
        if (*line_finish == '\r' && line < finish && *line == '\n') line++;
      }
    }
    if (has_mark) {
      if (cookie != nullptr && std::strcmp(cookie, "utf-8") != 0) {
        PyErr_Format(PyExc_SyntaxError, "encoding problem: %s with BOM", cookie);
        PyMem_RawFree(cookie);
        return nullptr;
      }
      if (cookie == nullptr) {
        cookie = static_cast<char*>(PyMem_RawMalloc(6));
        if (cookie == nullptr) return PyErr_NoMemory(), nullptr;
        std::strcpy(cookie, "utf-8");
      }
    }
    size = static_cast<size_t>(finish - source);
    *encoding = cookie;
    if (cookie != nullptr && std::strcmp(cookie, "utf-8") != 0) {
      decoded = Ref<>::steal(PyUnicode_Decode(source, static_cast<Py_ssize_t>(size), cookie, nullptr));
      if (!decoded) {
        if (PyErr_ExceptionMatches(PyExc_LookupError)) {
          PyErr_Clear();
          PyErr_Format(PyExc_SyntaxError, from_file ? "encoding problem: %s" : "unknown encoding: %s", cookie);
        } else if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
          PyObject *type, *value, *traceback;
          PyErr_Fetch(&type, &value, &traceback);
          auto text = Ref<>::steal(value != nullptr ? PyObject_Str(value) : nullptr);
          Py_XDECREF(type);
          Py_XDECREF(value);
          Py_XDECREF(traceback);
          PyErr_Clear();
          if (text) PyErr_Format(PyExc_SyntaxError, from_file ? "(unicode error) %U" : "%U", text.get());
        }
        PyMem_RawFree(cookie);
        *encoding = nullptr;
        return nullptr;
      }
      Py_ssize_t length;
      source = PyUnicode_AsUTF8AndSize(decoded.get(), &length);
      if (source == nullptr) {
        PyMem_RawFree(cookie);
        *encoding = nullptr;
        return nullptr;
      }
      size = static_cast<size_t>(length);
    } else if (from_file || cookie != nullptr) {
      if (!check_utf8(source, size, filename)) {
        PyMem_RawFree(cookie);
        *encoding = nullptr;
        return nullptr;
      }
    }
    // A byte string without a cookie is not checked here: only the literals and names of it are decoded.
  }
  char* prepared = static_cast<char*>(PyMem_RawMalloc(size + 2));
  if (prepared == nullptr) {
    PyMem_RawFree(*encoding);
    *encoding = nullptr;
    PyErr_NoMemory();
    return nullptr;
  }
  // Newlines: \r\n and \r become \n. FAST: without a \r it is one copy.
  char* out = prepared;
  if (std::memchr(source, '\r', size) == nullptr) {
    std::memcpy(out, source, size);
    out += size;
  } else {
    for (size_t i = 0; i < size; i++) {
      char c = source[i];
      if (c == '\r') {
        if (i + 1 < size && source[i + 1] == '\n') i++;
        c = '\n';
      }
      *out++ = c;
    }
  }
  if (add_newline && (out == prepared || out[-1] != '\n')) *out++ = '\n';
  *out = '\0';
  *prepared_size = static_cast<size_t>(out - prepared);
  return prepared;
}

}  // namespace pyston
