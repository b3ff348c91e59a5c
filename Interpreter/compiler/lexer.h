// Source text to tokens, one at a time.
//
// The lexer is lazy on purpose: interactive input must not read past the statement, and where an error is reported
// depends on how far the parser has looked. Positions are byte offsets, lines start at 1.
// INVARIANT: the buffer ends with a NUL at `end`; `line_end` is just past the current line's newline (or at `end`).
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "Runtime/python.h"
#include "Runtime/refs/ref.h"

namespace pyston {

enum class Tok : uint8_t {
#define TOKEN(Name, number, api_name) k##Name = number,
#define OPERATOR(Name, number, api_name, text) k##Name = number,
#include "Interpreter/compiler/tokens.def"
  kFirstKeyword = 64,
  kBeforeKeywords = kFirstKeyword - 1,
#define KEYWORD(Name, text) kKw##Name,
#include "Interpreter/compiler/tokens.def"
  kTokenCount
};

inline bool is_keyword(Tok type) { return type >= Tok::kFirstKeyword; }

struct Token {
  Tok type;
  uint16_t level;  // how many brackets are open after the token
  uint32_t start;  // offsets into the lexer's buffer
  uint32_t end;
  int lineno;
  int col_offset;  // -1: the token has no text (INDENT, DEDENT, end of input)
  int end_lineno;
  int end_col_offset;
};

struct FileSource;

class Lexer {
 public:
  static constexpr int kMaxBrackets = 200;
  static constexpr int kMaxIndents = 100;
  /// Why lexing stopped; error positions depend on it.
  enum class Done : uint8_t { kOk, kEof, kToken, kDedent, kTabSpace, kTooDeep, kLineContinuation, kDecode, kNoMemory,
                              kInterrupted, kStopped, kUnterminatedTriple, kUnterminatedSingle, kError };

  Lexer() = default;
  Lexer(const Lexer&) = delete;
  Lexer& operator=(const Lexer&) = delete;
  ~Lexer();

  /// Takes over `buffer` (from PyMem_RawMalloc), which holds `size` bytes and a NUL, newlines translated.
  void start(char* buffer, size_t size, PyObject* filename);
  /// Interactive source: lines come from PyOS_Readline and accumulate in the buffer.
  bool start_interactive(FILE* file, const char* ps1, const char* ps2, const char* encoding, PyObject* filename);

  /// The next token. On kError either an exception is set or `done` says what went wrong.
  Tok next(Token& token);

  const char* text(uint32_t offset) const { return buffer + offset; }
  const char* start_of(const Token& token) const { return buffer + token.start; }
  int length_of(const Token& token) const { return static_cast<int>(token.end - token.start); }

  /// Sets SyntaxError at the place lexing has reached, in CPython's tokenizer's form (columns 1-based characters;
  /// -1 for "here").
  Tok syntax_error(const char* format, ...);
  Tok syntax_error_range(int column, int end_column, const char* format, ...);

  // State that error reporting and the parser read.
  char* buffer = nullptr;
  char* end = nullptr;
  char* cur = nullptr;
  char* line_start = nullptr;
  char* line_end = nullptr;       // where the text read so far ends
  char* line_buffer = nullptr;    // start of the line (or of the multi-line token) that is being read
  char* multi_line_start = nullptr;
  char* token_start = nullptr;    // null between tokens
  int lineno = 0;
  int first_lineno = 0;           // where the current string began
  int level = 0;
  char bracket[kMaxBrackets];
  int bracket_line[kMaxBrackets];
  int bracket_column[kMaxBrackets];
  int indent = 0;
  int pending_indent = 0;
  Done done = Done::kOk;
  bool at_line_start = true;
  bool type_comments = false;
  bool async_hacks = false;       // feature_version < 3.7: async and await are names outside async functions
  bool report_warnings = true;
  bool interactive = false;
  bool stop_interactive = false;
  FileSource* file_source = nullptr;  // of a file: what to do at its end
  PyObject* filename = nullptr;   // borrowed
  const char* encoding = nullptr; // null when the source did not name one; owned by the caller

 private:
  enum class Prefix : uint8_t;
  bool next_line();
  Done raise_end_of_file();
  bool read_interactive_line();
  int next_char();
  void back_up(int c) {
    if (c != -1) cur--;
  }
  int continuation_line();
  Tok indentation(bool& blank_line);
  Tok indent_error();
  Tok make(Token& token, Tok type, char* start, char* finish);
  Tok finish_name(Token& token, bool non_ascii);
  Tok check_identifier(char* start, char* finish);
  Tok string(Token& token, int quote);
  Tok number(Token& token, int c);
  Tok fraction(Token& token, int c);
  Tok exponent(Token& token, int c);
  Tok imaginary(Token& token);
  int decimal_tail();
  bool check_number_end(int c, const char* kind);
  bool look_ahead(const char* rest);
  bool warn(PyObject* category, const char* format, ...);
  Tok comment(Token& token, bool& produced);
  Tok name_type(const char* text, size_t length, Token& token);
  Tok get(Token& token);
  Tok v_syntax_error(int column, int end_column, const char* format, va_list arguments);

  int indents_[kMaxIndents];  // [0] is 0, see start()
  int alternate_indents_[kMaxIndents];
  // async_hacks state
  bool async_def_ = false;
  bool async_def_newline_ = false;
  int async_def_indent_ = 0;
  // interactive state
  FILE* file_ = nullptr;
  const char* prompt_ = nullptr;
  const char* next_prompt_ = nullptr;
};

/// str() of the pending exception, which is taken. Null: it has no value, or str() failed (exception set).
Ref<> take_exception_text();

/// Bytes of a source string to the lexer's form: BOM and cookie honoured unless `is_utf8`, decoded to UTF-8,
/// line ends translated, and a final newline added when `add_newline`. Sets an exception and returns null on failure.
/// `*encoding` is set to a PyMem_RawMalloc'ed name when the source names its encoding (else null).
char* prepare_source(const char* source, size_t size, bool is_utf8, bool add_newline, const char* forced_encoding,
                     PyObject* filename, size_t* prepared_size, char** encoding);

/// A source file in the lexer's form.
struct FileSource {
  std::string text;
  char* encoding = nullptr;  // as prepare_source() gives it
  /// What follows `text` could not be read, and that is to be reported where the lexer gets there; `error` says why (all
  /// null: nobody knows).
  bool fails_at_end = false;
  PyObject* error[3] = {nullptr, nullptr, nullptr};

  FileSource() = default;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() {
    PyMem_RawFree(encoding);
    for (PyObject* part : error) Py_XDECREF(part);
  }
};

/// Reads the rest of `stream`. False with an exception set when nothing can be read.
bool read_source_file(FILE* stream, const char* forced_encoding, PyObject* filename, FileSource& file);

/// The keyword that `text` is, or kName.
Tok keyword_of(const char* text, size_t length);

}  // namespace pyston
