// Printing tracebacks: source lines with the carets of PEP 657, repeated frames folded; and the signal-safe dump that
// faulthandler and fatal errors use.
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "Interpreter/compiler/parser.h"
#include "Runtime/refs/ref.h"
#include <frameobject.h>

#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_traceback.h"

using namespace pyston;

namespace {

constexpr int kSourceIndent = 4;
constexpr long kDefaultLimit = 1000;
constexpr int kRepeatCutoff = 3;  // identical frames shown before "[Previous line repeated ...]"

Status write(PyObject* file, const char* text) {
  return PyFile_WriteString(text, file) < 0 ? Status::kError : Status::kOk;
}
Status write_object(PyObject* file, PyObject* text) {
  return PyFile_WriteObject(text, file, Py_PRINT_RAW) < 0 ? Status::kError : Status::kOk;
}

bool is_space(Py_UCS4 c) { return c == ' ' || c == '\t' || c == '\f'; }

// ---- source lines ----------------------------------------------------------------------------------------------------

/// Encoding that a coding cookie in a comment line declares, or empty.
std::string cookie_of(const std::string& line) {
  size_t i = 0;
  while (i < line.size() && is_space(static_cast<unsigned char>(line[i]))) i++;
  if (i >= line.size() || line[i] != '#') return "";
  for (size_t at = line.find("coding", i); at != std::string::npos; at = line.find("coding", at + 1)) {
    size_t k = at + 6;
    if (k >= line.size() || (line[k] != ':' && line[k] != '=')) continue;
    k++;
    while (k < line.size() && (line[k] == ' ' || line[k] == '\t')) k++;
    size_t end = k;
    while (end < line.size() && (isalnum(static_cast<unsigned char>(line[end])) || strchr("-_.", line[end]) != nullptr)) {
      end++;
    }
    if (end > k) return line.substr(k, end - k);
  }
  return "";
}

/// Reads line `lineno` of an open file. False when the file is shorter.
bool read_line(FILE* file, int lineno, std::string& line, std::string& encoding) {
  encoding = "utf-8";
  bool first_line_is_comment = false;
  for (int number = 1; number <= lineno; number++) {
    line.clear();
    int c;
    bool any = false;
    while ((c = getc(file)) != EOF) {
      any = true;
      if (c == '\n') break;
      if (c == '\r') {
        const int next = getc(file);
        if (next != '\n' && next != EOF) ungetc(next, file);
        break;
      }
      line.push_back(static_cast<char>(c));
    }
    if (!any) return false;
    if (number == 1 && line.compare(0, 3, "\xef\xbb\xbf") == 0) line.erase(0, 3);
    if (number == 1 || (number == 2 && first_line_is_comment)) {
      const std::string cookie = cookie_of(line);
      if (!cookie.empty()) encoding = cookie;
    }
    if (number == 1) {
      const size_t text = line.find_first_not_of(" \t\f");
      first_line_is_comment = text == std::string::npos || line[text] == '#';
    }
  }
  return true;
}

/// Opens the source: under its own name, else under its last component along sys.path.
FILE* open_source(PyObject* filename) {
  Ref<> bytes = Ref<>::steal(PyUnicode_EncodeFSDefault(filename));
  if (!bytes) {
    PyErr_Clear();
    return nullptr;
  }
  const char* name = PyBytes_AS_STRING(bytes.get());
  if (FILE* file = fopen(name, "rb")) return file;
  const char* slash = strrchr(name, '/');
  const char* tail = slash == nullptr ? name : slash + 1;
  PyObject* path = PySys_GetObject("path");
  if (path == nullptr || !PyList_Check(path)) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
    PyObject* entry = PyList_GET_ITEM(path, i);
    if (!PyUnicode_Check(entry)) continue;
    Ref<> directory = Ref<>::steal(PyUnicode_EncodeFSDefault(entry));
    if (!directory) {
      PyErr_Clear();
      continue;
    }
    std::string candidate = PyBytes_AS_STRING(directory.get());
    if (!candidate.empty() && candidate.back() != '/') candidate += '/';
    candidate += tail;
    if (FILE* file = fopen(candidate.c_str(), "rb")) return file;
  }
  return nullptr;
}

/// New reference to the line without its newline; null without an exception when it can't be had.
Ref<> source_line(PyObject* filename, int lineno) {
  if (filename == nullptr || !PyUnicode_Check(filename) || lineno < 1) return nullptr;
  if (PyUnicode_GET_LENGTH(filename) > 0 && PyUnicode_READ_CHAR(filename, 0) == '<' &&
      PyUnicode_READ_CHAR(filename, PyUnicode_GET_LENGTH(filename) - 1) == '>') {
    return nullptr;
  }
  FILE* file = open_source(filename);
  if (file == nullptr) return nullptr;
  std::string line;
  std::string encoding;
  const bool found = read_line(file, lineno, line, encoding);
  fclose(file);
  if (!found) return nullptr;
  Ref<> text = Ref<>::steal(
      PyUnicode_Decode(line.data(), static_cast<Py_ssize_t>(line.size()), encoding.c_str(), "strict"));
  if (!text) PyErr_Clear();
  return text;
}

Py_ssize_t leading_whitespace(PyObject* line) {
  Py_ssize_t i = 0;
  while (i < PyUnicode_GET_LENGTH(line) && is_space(PyUnicode_READ_CHAR(line, i))) i++;
  return i;
}

Status write_indented_margin(PyObject* file, int indent, const char* margin) {
  for (int i = 0; i < indent; i++) VM_CHECK(write(file, " "));
  return margin == nullptr ? Status::kOk : write(file, margin);
}

/// Writes `line` stripped and indented.
Status write_source(PyObject* file, PyObject* line, int indent, const char* margin, int margin_indent) {
  VM_CHECK(write_indented_margin(file, margin_indent, margin));
  VM_CHECK(write_indented_margin(file, indent, nullptr));
  const Py_ssize_t skip = leading_whitespace(line);
  auto stripped = VM_TRY(Ref<>::steal(PyUnicode_Substring(line, skip, PyUnicode_GET_LENGTH(line))));
  VM_CHECK(write_object(file, stripped.get()));
  return write(file, "\n");
}

// ---- carets ------------------------------------------------------------------------------------------------------------

/// Character offset of a UTF-8 byte offset; clamped to the line.
Py_ssize_t character_offset(PyObject* line, Py_ssize_t byte_offset) {
  if (PyUnicode_IS_ASCII(line)) {
    return byte_offset < PyUnicode_GET_LENGTH(line) ? byte_offset : PyUnicode_GET_LENGTH(line);
  }
  Py_ssize_t bytes = 0;
  Py_ssize_t i = 0;
  for (; i < PyUnicode_GET_LENGTH(line) && bytes < byte_offset; i++) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(line, i);
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  }
  return i;
}

/// The part of an expression to single out with `^` among `~`: a binary operator, or a subscript's brackets.
struct Anchors {
  Py_ssize_t left = -1;   // characters from the segment's start
  Py_ssize_t right = -1;
  bool found() const { return left >= 0; }
};

Anchors find_anchors(PyObject* filename, PyObject* segment) {
  Anchors anchors;
  const char* text = PyUnicode_AsUTF8(segment);
  if (text == nullptr) {
    PyErr_Clear();
    return anchors;
  }
  ast::Arena arena;
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags |= PyCF_IGNORE_COOKIE | PyCF_DONT_IMPLY_DEDENT;
  ast::Mod* tree = parse_string(arena, text, filename, StartRule::kFile, &flags);
  if (tree == nullptr) {
    PyErr_Clear();
    return anchors;
  }
  auto* module = ast::as<ast::node::Module>(tree);
  if (module == nullptr || module->body.size() != 1) return anchors;
  auto* statement = ast::as<ast::node::ExprStmt>(module->body[0]);
  if (statement == nullptr) return anchors;
  Py_ssize_t left = -1;
  Py_ssize_t right = -1;
  if (auto* operation = ast::as<ast::node::BinOp>(statement->value)) {
    const ast::Position& l = operation->left->position;
    const ast::Position& r = operation->right->position;
    if (l.end_lineno != 1 || r.lineno != 1) return anchors;
    for (int i = l.end_col_offset; i < r.col_offset; i++) {
      if (is_space(static_cast<unsigned char>(text[i]))) continue;
      left = i;
      right = i + 1;
      if (i + 1 < r.col_offset && !is_space(static_cast<unsigned char>(text[i + 1]))) right++;
      break;
    }
  } else if (auto* subscript = ast::as<ast::node::Subscript>(statement->value)) {
    if (subscript->slice->position.end_lineno != 1) return anchors;
    left = subscript->value->position.end_col_offset;
    right = subscript->slice->position.end_col_offset + 1;
  }
  if (left < 0) return anchors;
  anchors.left = character_offset(segment, left);
  anchors.right = character_offset(segment, right);
  return anchors;
}

Status write_carets(PyObject* file, PyObject* filename, PyCodeObject* code, int lasti, int lineno, PyObject* line,
                    int margin_indent, const char* margin) {
  int start_line, start_byte, end_line, end_byte;
  if (lasti < 0 || !PyCode_Addr2Location(code, lasti, &start_line, &start_byte, &end_line, &end_byte)) return Status::kOk;
  if (start_line != lineno || start_line < 0 || start_byte < 0 || end_line < 0 || end_byte < 0) return Status::kOk;
  const Py_ssize_t leading = leading_whitespace(line);
  const Py_ssize_t start = character_offset(line, start_byte);
  Py_ssize_t end;
  Anchors anchors;
  if (start_line == end_line) {
    end = character_offset(line, end_byte);
    auto segment = VM_TRY(Ref<>::steal(PyUnicode_Substring(line, start, end)));
    anchors = find_anchors(filename, segment.get());
  } else {
    end = PyUnicode_GET_LENGTH(line);
    while (end > 0 && is_space(PyUnicode_READ_CHAR(line, end - 1))) end--;
  }
  // Carets under the whole line say nothing.
  if (end - start == PyUnicode_GET_LENGTH(line) - leading && !anchors.found()) return Status::kOk;
  // An empty range (the first instruction of a frame) still gets its line, as in the reference.
  std::string marks;
  for (Py_ssize_t i = leading - kSourceIndent; i < end; i++) {
    const bool inside = !anchors.found() || (i - start >= anchors.left && i - start < anchors.right);
    marks += i < start ? ' ' : inside ? '^' : '~';
  }
  marks += '\n';
  VM_CHECK(write_indented_margin(file, margin_indent, margin));
  return write(file, marks.c_str());
}

Status print_frame(PyObject* file, PyTracebackObject* link, PyCodeObject* code, int lineno, int indent,
                   const char* margin) {
  VM_CHECK(write_indented_margin(file, indent, margin));
  auto heading = VM_TRY(Ref<>::steal(
      PyUnicode_FromFormat("  File \"%U\", line %d, in %U\n", code->co_filename, lineno, code->co_name)));
  VM_CHECK(write_object(file, heading.get()));
  Ref<> line = source_line(code->co_filename, lineno);
  if (!line) return Status::kOk;
  VM_CHECK(write_source(file, line.get(), kSourceIndent, margin, indent));
  Status status = write_carets(file, code->co_filename, code, link->tb_lasti, lineno, line.get(), indent, margin);
  if (!ok(status)) PyErr_Clear();  // carets are a courtesy
  return PyErr_CheckSignals() < 0 ? Status::kError : Status::kOk;
}

int line_of(PyTracebackObject* link, PyCodeObject* code) {
  return link->tb_lineno == -1 ? PyCode_Addr2Line(code, link->tb_lasti) : link->tb_lineno;
}

Status print_repeated(PyObject* file, long count, int indent, const char* margin) {
  const long more = count - kRepeatCutoff;
  VM_CHECK(write_indented_margin(file, indent, margin));
  auto text = VM_TRY(Ref<>::steal(
      PyUnicode_FromFormat("  [Previous line repeated %ld more time%s]\n", more, more > 1 ? "s" : "")));
  return write_object(file, text.get());
}

/// Prints the last `limit` links, oldest first; more than three equal ones in a row are folded.
Status print_links(PyObject* file, PyTracebackObject* first, long limit, int indent, const char* margin) {
  long depth = 0;
  for (PyTracebackObject* link = first; link != nullptr; link = link->tb_next) depth++;
  PyTracebackObject* link = first;
  for (; depth > limit && link != nullptr; depth--) link = link->tb_next;
  Ref<PyCodeObject> last_code;
  PyObject* last_file = nullptr;
  PyObject* last_name = nullptr;
  int last_line = -1;
  long count = 0;
  for (; link != nullptr; link = link->tb_next) {
    auto code = Ref<PyCodeObject>::steal(PyFrame_GetCode(link->tb_frame));
    const int lineno = line_of(link, code.get());
    const bool same = last_file != nullptr && code->co_filename == last_file && lineno == last_line &&
                      code->co_name == last_name;
    if (!same) {
      if (count > kRepeatCutoff) VM_CHECK(print_repeated(file, count, indent, margin));
      last_file = code->co_filename;
      last_line = lineno;
      last_name = code->co_name;
      count = 0;
    }
    count++;
    if (count <= kRepeatCutoff) VM_CHECK(print_frame(file, link, code.get(), lineno, indent, margin));
    last_code = std::move(code);
  }
  if (count > kRepeatCutoff) VM_CHECK(print_repeated(file, count, indent, margin));
  return Status::kOk;
}

}  // namespace

int _Py_WriteIndent(int indent, PyObject* file) { return static_cast<int>(write_indented_margin(file, indent, nullptr)); }

int _Py_WriteIndentedMargin(int indent, const char* margin, PyObject* file) {
  return static_cast<int>(write_indented_margin(file, indent, margin));
}

/// Prints one source line; `*truncation` gets how much leading space was dropped, `*line` the whole line (new ref).
int _Py_DisplaySourceLine(PyObject* file, PyObject* filename, int lineno, int indent, int* truncation, PyObject** line) {
  Ref<> text = source_line(filename, lineno);
  if (!text) return -1;  // with or without an exception
  if (truncation != nullptr) *truncation = static_cast<int>(leading_whitespace(text.get())) - indent;
  const int result = static_cast<int>(write_source(file, text.get(), indent, nullptr, 0));
  if (line != nullptr) *line = text.release();
  return result;
}

int _PyTraceBack_Print_Indented(PyObject* traceback, int indent, const char* margin, const char* header_margin,
                                const char* header, PyObject* file) {
  if (traceback == nullptr) return 0;
  if (!PyTraceBack_Check(traceback)) {
    PyErr_BadInternalCall();
    return -1;
  }
  long limit = kDefaultLimit;
  PyObject* limit_object = PySys_GetObject("tracebacklimit");
  if (limit_object != nullptr && PyLong_Check(limit_object)) {
    int overflow;
    limit = PyLong_AsLongAndOverflow(limit_object, &overflow);
    if (overflow > 0) {
      limit = LONG_MAX;
    } else if (limit <= 0) {
      return 0;
    }
  }
  auto print = [&]() -> Status {
    VM_CHECK(write_indented_margin(file, indent, header_margin));
    VM_CHECK(write(file, header));
    return print_links(file, reinterpret_cast<PyTracebackObject*>(traceback), limit, indent, margin);
  };
  return static_cast<int>(print());
}

int PyTraceBack_Print(PyObject* traceback, PyObject* file) {
  return _PyTraceBack_Print_Indented(traceback, 0, nullptr, nullptr, EXCEPTION_TB_HEADER, file);
}

// ---- the signal-safe dump ---------------------------------------------------------------------------------------------

namespace {

constexpr int kMaxFrames = 100;
constexpr int kMaxThreads = 100;
constexpr Py_ssize_t kMaxText = 500;

void put(int fd, const char* text) {
  const size_t length = strlen(text);
  [[maybe_unused]] ssize_t written = ::write(fd, text, length);
}

void dump_frame(int fd, _PyInterpreterFrame* frame) {
  PyCodeObject* code = frame->f_code;
  put(fd, "  File ");
  if (code->co_filename != nullptr && PyUnicode_Check(code->co_filename)) {
    put(fd, "\"");
    _Py_DumpASCII(fd, code->co_filename);
    put(fd, "\"");
  } else {
    put(fd, "???");
  }
  const int lineno = PyCode_Addr2Line(code, _PyInterpreterFrame_LASTI(frame) * static_cast<int>(sizeof(_Py_CODEUNIT)));
  put(fd, ", line ");
  if (lineno >= 0) {
    _Py_DumpDecimal(fd, static_cast<size_t>(lineno));
  } else {
    put(fd, "???");
  }
  put(fd, " in ");
  if (code->co_name != nullptr && PyUnicode_Check(code->co_name)) {
    _Py_DumpASCII(fd, code->co_name);
  } else {
    put(fd, "???");
  }
  put(fd, "\n");
}

void dump_stack(int fd, PyThreadState* tstate, bool header) {
  if (header) put(fd, "Stack (most recent call first):\n");
  _PyInterpreterFrame* frame = tstate->cframe == nullptr ? nullptr : tstate->cframe->current_frame;
  if (frame == nullptr) {
    put(fd, "  <no Python frame>\n");
    return;
  }
  for (int depth = 0; frame != nullptr; depth++) {
    if (depth >= kMaxFrames) {
      put(fd, "  ...\n");
      break;
    }
    if (frame->f_code == nullptr || !PyCode_Check(frame->f_code)) break;
    dump_frame(fd, frame);
    frame = frame->previous;
  }
}

void dump_thread_heading(int fd, PyThreadState* tstate, bool is_current) {
  put(fd, is_current ? "Current thread 0x" : "Thread 0x");
  _Py_DumpHexadecimal(fd, tstate->thread_id, sizeof(unsigned long) * 2);
  put(fd, " (most recent call first):\n");
}

}  // namespace

void _Py_DumpDecimal(int fd, size_t value) {
  char buffer[24];
  char* cursor = buffer + sizeof buffer;
  *--cursor = '\0';
  do {
    *--cursor = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  put(fd, cursor);
}

void _Py_DumpHexadecimal(int fd, uintptr_t value, Py_ssize_t width) {
  char buffer[2 * sizeof(uintptr_t) + 1];
  if (width > static_cast<Py_ssize_t>(sizeof buffer) - 1) width = sizeof buffer - 1;
  char* cursor = buffer + sizeof buffer;
  *--cursor = '\0';
  char* const end = cursor;
  do {
    *--cursor = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (end - cursor < width || value != 0);
  put(fd, cursor);
}

void _Py_DumpASCII(int fd, PyObject* text) {
  if (!PyUnicode_Check(text) || !PyUnicode_IS_READY(text)) return;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  const bool truncated = length > kMaxText;
  for (Py_ssize_t i = 0; i < (truncated ? kMaxText : length); i++) {
    const Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
    if (c >= ' ' && c <= 126) {
      const char byte = static_cast<char>(c);
      [[maybe_unused]] ssize_t written = ::write(fd, &byte, 1);
    } else {
      put(fd, c <= 0xff ? "\\x" : c <= 0xffff ? "\\u" : "\\U");
      _Py_DumpHexadecimal(fd, c, c <= 0xff ? 2 : c <= 0xffff ? 4 : 8);
    }
  }
  if (truncated) put(fd, "...");
}

void _Py_DumpTraceback(int fd, PyThreadState* tstate) { dump_stack(fd, tstate, true); }

const char* _Py_DumpTracebackThreads(int fd, PyInterpreterState* interp, PyThreadState* current) {
  if (current == nullptr) current = PyGILState_GetThisThreadState();
  if (interp == nullptr) {
    interp = current != nullptr ? current->interp : _PyRuntime.gilstate.autoInterpreterState;
    if (interp == nullptr) return "unable to get the interpreter state";
  }
  PyThreadState* tstate = PyInterpreterState_ThreadHead(interp);
  if (tstate == nullptr) return "unable to get the thread head state";
  for (int count = 0; tstate != nullptr; count++, tstate = PyThreadState_Next(tstate)) {
    if (count != 0) put(fd, "\n");
    if (count >= kMaxThreads) {
      put(fd, "...\n");
      break;
    }
    dump_thread_heading(fd, tstate, tstate == current);
    if (tstate == current && tstate->interp->gc.collecting) put(fd, "  Garbage-collecting\n");
    dump_stack(fd, tstate, false);
  }
  return nullptr;
}
