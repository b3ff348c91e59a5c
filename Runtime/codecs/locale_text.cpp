// Text in the locale's encoding: wchar_t from and to char, as start-up and the operating system's interfaces need it.
//
// "Force ASCII": in the C locale some libraries claim ASCII and decode bytes above 127 as Latin-1; bytes are then
// decoded as ASCII here, so that undecodable ones become surrogates.
#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <initializer_list>
#include <langinfo.h>

#include "Runtime/python.h"
#include "internal/pycore_fileutils.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"

namespace {

int force_ascii_state = -1;  // -1: not determined yet

bool is_known_ascii_name(const char* name) {
  // After folding case and punctuation as codec names are compared.
  char folded[20];
  size_t out = 0;
  for (const char* p = name; *p != '\0'; p++) {
    if (out + 1 >= sizeof(folded)) return false;
    if (*p == '-' || *p == '_' || *p == ' ') {
      if (out > 0 && folded[out - 1] != '_') folded[out++] = '_';
    } else {
      folded[out++] = static_cast<char>(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    }
  }
  folded[out] = '\0';
  for (const char* alias : {"ascii", "646", "ansi_x3.4_1968", "ansi_x3.4_1986", "ansi_x3_4_1968", "cp367", "csascii",
                            "ibm367", "iso646_us", "iso_646.irv_1991", "iso_ir_6", "us", "us_ascii"}) {
    if (std::strcmp(folded, alias) == 0) return true;
  }
  return false;
}

/// 1 when the C locale says ASCII but mbstowcs() decodes more than that.
int determine_force_ascii() {
  const char* locale = setlocale(LC_CTYPE, nullptr);
  if (locale == nullptr) return 1;
  if (std::strcmp(locale, "C") != 0 && std::strcmp(locale, "POSIX") != 0) return 0;
  const char* codeset = nl_langinfo(CODESET);
  if (codeset == nullptr || codeset[0] == '\0') return 1;
  if (!is_known_ascii_name(codeset)) return 0;
  for (int c = 0x80; c <= 0xFF; c++) {
    char byte[2] = {static_cast<char>(c), '\0'};
    wchar_t wide[2];
    if (std::mbstowcs(wide, byte, 1) != static_cast<size_t>(-1)) return 1;
  }
  return 0;
}

bool surrogate_escapes(_Py_error_handler errors, bool* surrogateescape) {
  if (errors == _Py_ERROR_STRICT) {
    *surrogateescape = false;
    return true;
  }
  *surrogateescape = true;
  return errors == _Py_ERROR_SURROGATEESCAPE;
}

bool is_surrogate(wchar_t c) { return c >= 0xD800 && c <= 0xDFFF; }
/// False also for what the C library makes of UTF-8 sequences of five and six bytes.
bool is_character(wchar_t c) { return !is_surrogate(c) && c <= 0x10FFFF; }

int decode_ascii(const char* text, wchar_t** wide, size_t* length, const char** reason, bool surrogateescape) {
  const size_t size = std::strlen(text);
  wchar_t* out = static_cast<wchar_t*>(PyMem_RawMalloc((size + 1) * sizeof(wchar_t)));
  if (out == nullptr) return -1;
  for (size_t i = 0; i < size; i++) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 128) {
      out[i] = c;
    } else if (surrogateescape) {
      out[i] = static_cast<wchar_t>(0xDC00 + c);
    } else {
      PyMem_RawFree(out);
      if (length != nullptr) *length = i;
      if (reason != nullptr) *reason = "decoding error";
      return -2;
    }
  }
  out[size] = 0;
  *wide = out;
  if (length != nullptr) *length = size;
  return 0;
}

int decode_with_locale(const char* text, wchar_t** wide, size_t* length, const char** reason, bool surrogateescape) {
  // FAST: everything decodes and nothing decodes to a surrogate.
  const size_t count = std::mbstowcs(nullptr, text, 0);
  if (count != static_cast<size_t>(-1)) {
    wchar_t* out = static_cast<wchar_t*>(PyMem_RawMalloc((count + 1) * sizeof(wchar_t)));
    if (out == nullptr) return -1;
    const size_t done = std::mbstowcs(out, text, count + 1);
    if (done != static_cast<size_t>(-1)) {
      bool clean = true;
      for (size_t i = 0; i < done && clean; i++) clean = is_character(out[i]);
      if (clean) {
        *wide = out;
        if (length != nullptr) *length = done;
        return 0;
      }
    }
    PyMem_RawFree(out);
  }
  size_t remaining = std::strlen(text);
  wchar_t* out = static_cast<wchar_t*>(PyMem_RawMalloc((remaining + 1) * sizeof(wchar_t)));
  if (out == nullptr) return -1;
  wchar_t* p = out;
  const char* in = text;
  std::mbstate_t state{};
  while (remaining > 0) {
    const size_t used = std::mbrtowc(p, in, remaining, &state);
    if (used == 0) break;
    const bool bad = used == static_cast<size_t>(-1) || used == static_cast<size_t>(-2) || !is_character(*p);
    if (!bad) {
      in += used;
      remaining -= used;
      p++;
      continue;
    }
    if (!surrogateescape) {
      PyMem_RawFree(out);
      if (length != nullptr) *length = static_cast<size_t>(in - text);
      if (reason != nullptr) *reason = "decoding error";
      return -2;
    }
    // Byte by byte, each as a lone surrogate.
    *p++ = static_cast<wchar_t>(0xDC00 + static_cast<unsigned char>(*in++));
    remaining--;
    state = {};
  }
  *p = 0;
  *wide = out;
  if (length != nullptr) *length = static_cast<size_t>(p - out);
  return 0;
}

void* allocate(size_t size, bool raw) { return raw ? PyMem_RawMalloc(size) : PyMem_Malloc(size); }
void release(void* memory, bool raw) { raw ? PyMem_RawFree(memory) : PyMem_Free(memory); }

int encode_failed(char* out, bool raw, size_t position, size_t* error_position, const char** reason) {
  release(out, raw);
  if (error_position != nullptr) *error_position = position;
  if (reason != nullptr) *reason = "encoding error";
  return -2;
}

int encode_ascii(const wchar_t* text, char** result, size_t* error_position, const char** reason, bool raw,
                 bool surrogateescape) {
  const size_t size = std::wcslen(text);
  char* out = static_cast<char*>(allocate(size + 1, raw));
  if (out == nullptr) return -1;
  for (size_t i = 0; i < size; i++) {
    const wchar_t c = text[i];
    if (c >= 0 && c <= 0x7F) out[i] = static_cast<char>(c);
    else if (surrogateescape && c >= 0xDC80 && c <= 0xDCFF) out[i] = static_cast<char>(c - 0xDC00);
    else return encode_failed(out, raw, i, error_position, reason);
  }
  out[size] = '\0';
  *result = out;
  return 0;
}

int encode_with_locale(const wchar_t* text, char** result, size_t* error_position, const char** reason, bool raw,
                       bool surrogateescape) {
  const size_t size = std::wcslen(text);
  const size_t widest = static_cast<size_t>(MB_CUR_MAX > 4 ? MB_CUR_MAX : 4);
  char* out = static_cast<char*>(allocate(size * widest + 1, raw));
  if (out == nullptr) return -1;
  char* p = out;
  for (size_t i = 0; i < size; i++) {
    const wchar_t c = text[i];
    if (c >= 0xDC80 && c <= 0xDCFF) {
      if (!surrogateescape) return encode_failed(out, raw, i, error_position, reason);
      *p++ = static_cast<char>(c - 0xDC00);
      continue;
    }
    char bytes[MB_LEN_MAX];
    std::mbstate_t state{};
    const size_t count = is_surrogate(c) ? static_cast<size_t>(-1) : std::wcrtomb(bytes, c, &state);
    if (count == static_cast<size_t>(-1)) return encode_failed(out, raw, i, error_position, reason);
    std::memcpy(p, bytes, count);
    p += count;
  }
  *p = '\0';
  *result = out;
  return 0;
}

int encode_locale(const wchar_t* text, char** result, size_t* error_position, const char** reason, bool raw,
                  bool current_locale, _Py_error_handler errors) {
  bool surrogateescape;
  if (!surrogate_escapes(errors, &surrogateescape)) return -3;
  if (!current_locale) {
    if (Py_UTF8Mode == 1) return _Py_EncodeUTF8Ex(text, result, error_position, reason, raw, errors);
    if (_Py_GetForceASCII()) return encode_ascii(text, result, error_position, reason, raw, surrogateescape);
  }
  return encode_with_locale(text, result, error_position, reason, raw, surrogateescape);
}

char* encode_or_null(const wchar_t* text, size_t* error_position, bool raw) {
  char* result;
  const int status = encode_locale(text, &result, error_position, nullptr, raw, false, _Py_ERROR_SURROGATEESCAPE);
  if (status != -2 && error_position != nullptr) *error_position = static_cast<size_t>(-1);
  return status == 0 ? result : nullptr;
}

}  // namespace

int _Py_GetForceASCII(void) {
  if (force_ascii_state == -1) force_ascii_state = determine_force_ascii();
  return force_ascii_state;
}

void _Py_ResetForceASCII(void) { force_ascii_state = -1; }

int _Py_DecodeLocaleEx(const char* text, wchar_t** wide, size_t* length, const char** reason, int current_locale,
                       _Py_error_handler errors) {
  bool surrogateescape;
  if (!surrogate_escapes(errors, &surrogateescape)) return -3;
  if (!current_locale) {
    if (Py_UTF8Mode == 1) {
      return _Py_DecodeUTF8Ex(text, static_cast<Py_ssize_t>(std::strlen(text)), wide, length, reason, errors);
    }
    if (_Py_GetForceASCII()) return decode_ascii(text, wide, length, reason, surrogateescape);
  }
  return decode_with_locale(text, wide, length, reason, surrogateescape);
}

int _Py_EncodeLocaleEx(const wchar_t* text, char** result, size_t* error_position, const char** reason,
                       int current_locale, _Py_error_handler errors) {
  return encode_locale(text, result, error_position, reason, true, current_locale != 0, errors);
}

wchar_t* Py_DecodeLocale(const char* text, size_t* length) {
  wchar_t* wide;
  const int status = _Py_DecodeLocaleEx(text, &wide, length, nullptr, 0, _Py_ERROR_SURROGATEESCAPE);
  if (status == 0) return wide;
  if (status == -3 || status == -1) {
    if (length != nullptr) *length = static_cast<size_t>(-1);
  } else if (length != nullptr) {
    *length = static_cast<size_t>(-2);
  }
  return nullptr;
}

char* Py_EncodeLocale(const wchar_t* text, size_t* error_position) { return encode_or_null(text, error_position, false); }
char* _Py_EncodeLocaleRaw(const wchar_t* text, size_t* error_position) {
  return encode_or_null(text, error_position, true);
}

/// PyMem_RawMalloc'ed name of the locale's encoding; null: no memory.
wchar_t* _Py_GetLocaleEncoding(void) {
  const char* codeset = Py_UTF8Mode == 1 ? "utf-8" : nl_langinfo(CODESET);
  if (codeset == nullptr || codeset[0] == '\0') codeset = "utf-8";
  wchar_t* wide;
  return _Py_DecodeLocaleEx(codeset, &wide, nullptr, nullptr, 1, _Py_ERROR_SURROGATEESCAPE) == 0 ? wide : nullptr;
}

PyObject* _Py_GetLocaleEncodingObject(void) {
  wchar_t* name = _Py_GetLocaleEncoding();
  if (name == nullptr) return PyErr_NoMemory();
  PyObject* result = PyUnicode_FromWideChar(name, -1);
  PyMem_RawFree(name);
  return result;
}

PyObject* _Py_device_encoding(int fd) {
  if (!isatty(fd)) Py_RETURN_NONE;
  if (_PyRuntime.preconfig.utf8_mode) return PyUnicode_FromString("utf-8");
  return _Py_GetLocaleEncodingObject();
}

int _Py_GetLocaleconvNumeric(struct lconv* lc, PyObject** decimal_point, PyObject** thousands_sep) {
  // The two strings are in LC_NUMERIC's encoding, which may differ from LC_CTYPE's.
  const char* point = lc->decimal_point;
  const char* separator = lc->thousands_sep;
  auto needs_locale = [](const char* text) {
    return std::strlen(text) > 1 || static_cast<unsigned char>(text[0]) > 127;
  };
  char* old_locale = nullptr;
  if (needs_locale(point) || needs_locale(separator)) {
    const char* current = setlocale(LC_CTYPE, nullptr);
    const char* numeric = setlocale(LC_NUMERIC, nullptr);
    if (current == nullptr) {
      PyErr_SetString(PyExc_RuntimeError, "failed to get LC_CTYPE locale");
      return -1;
    }
    old_locale = static_cast<char*>(PyMem_RawMalloc(std::strlen(current) + 1));
    if (old_locale == nullptr) return PyErr_NoMemory(), -1;
    std::strcpy(old_locale, current);
    if (numeric == nullptr || std::strcmp(numeric, old_locale) == 0) {
      PyMem_RawFree(old_locale);
      old_locale = nullptr;
    } else {
      setlocale(LC_CTYPE, numeric);
    }
  }
  *decimal_point = PyUnicode_DecodeLocale(point, nullptr);
  *thousands_sep = *decimal_point != nullptr ? PyUnicode_DecodeLocale(separator, nullptr) : nullptr;
  if (old_locale != nullptr) {
    setlocale(LC_CTYPE, old_locale);
    PyMem_RawFree(old_locale);
  }
  if (*thousands_sep == nullptr) {
    Py_CLEAR(*decimal_point);
    return -1;
  }
  return 0;
}
