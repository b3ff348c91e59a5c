// binascii: bytes to and from ASCII text: uuencoding, base64, hexadecimal, quoted-printable; CRC-32 and CRC-HQX.
#include <zlib.h>

#include <cstring>

#include "Objects/bind.h"
#include "pycore_long.h"
#include "pycore_strhex.h"

using namespace pyston;

namespace {

struct BinasciiState {
  PyObject* error;
  PyObject* incomplete;
};
BinasciiState* state_of(PyObject* module) { return static_cast<BinasciiState*>(PyModule_GetState(module)); }

/// What decoders take: a bytes-like object or a str of ASCII characters.
struct AsciiBuffer {
  Py_buffer view = {};
  AsciiBuffer() = default;
  AsciiBuffer(AsciiBuffer&& other) noexcept : view(other.view) { other.view.obj = nullptr; }
  AsciiBuffer& operator=(AsciiBuffer&& other) noexcept {
    std::swap(view, other.view);
    return *this;
  }
  ~AsciiBuffer() {
    if (view.obj != nullptr) PyBuffer_Release(&view);
  }
  bool acquire(PyObject* value) {
    if (PyUnicode_Check(value)) {
      if (!PyUnicode_IS_ASCII(value)) {
        PyErr_SetString(PyExc_ValueError, "string argument should contain only ASCII characters");
        return false;
      }
      return PyBuffer_FillInfo(&view, value, PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value), 1, PyBUF_SIMPLE) == 0;
    }
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) != 0) {
      PyErr_Format(PyExc_TypeError, "argument should be bytes, buffer or ASCII string, not '%.100s'", Py_TYPE(value)->tp_name);
      return false;
    }
    return true;
  }
  const unsigned char* data() const { return static_cast<const unsigned char*>(view.buf); }
  Py_ssize_t size() const { return view.len; }
};

}  // namespace

template <>
struct pyston::binding::Convert<AsciiBuffer> {
  static bool convert(const Signature&, int, PyObject* value, AsciiBuffer& out) { return out.acquire(value); }
};

namespace {

unsigned char* data_of(const Ref<>& bytes) { return reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(bytes.get())); }

/// The first `size` bytes of a result that was allocated generously.
PyObject* shrink(Ref<> bytes, Py_ssize_t size) {
  PyObject* object = bytes.release();
  _PyBytes_Resize(&object, size);
  return object;
}

// uuencoding --------------------------------------------------------------------------------------------------------

PyObject* a2b_uu(PyObject* module, AsciiBuffer data) {
  const unsigned char* p = data.data();
  Py_ssize_t left = data.size();
  // An empty line counts as a length character of zero bits in front: 32 bytes.
  const Py_ssize_t size = ((left > 0 ? *p : 0) - ' ') & 077;
  if (left > 0) {
    p++;
    left--;
  } else {
    left = -1;
  }
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, size));
  if (!result) return nullptr;
  unsigned char* out = size > 0 ? data_of(result) : nullptr;
  unsigned bits = 0;
  int available = 0;
  Py_ssize_t missing = size;
  for (; missing > 0; left--, p++) {
    unsigned value = 0;
    if (left > 0 && *p != '\n' && *p != '\r') {
      if (*p < ' ' || *p > ' ' + 64) return raise(state_of(module)->error, "Illegal char");
      value = (*p - ' ') & 077;
    }  // the rest of a short line counts as zeros
    bits = bits << 6 | value;
    available += 6;
    if (available >= 8) {
      available -= 8;
      *out++ = static_cast<unsigned char>(bits >> available);
      bits &= (1u << available) - 1;
      missing--;
    }
  }
  for (; left > 0; left--, p++) {
    if (*p != ' ' && *p != ' ' + 64 && *p != '\n' && *p != '\r') return raise(state_of(module)->error, "Trailing garbage");
  }
  return result.release();
}

PyObject* b2a_uu(PyObject* module, Buffer data, Optional<bool> backtick_argument) {
  const bool backtick = backtick_argument.value_or(false);
  if (data.size() > 45) return raise(state_of(module)->error, "At most 45 bytes at once");
  const auto encode = [backtick](unsigned value) {
    return static_cast<unsigned char>(backtick && value == 0 ? '`' : value + ' ');
  };
  unsigned char line[64 + 4];
  unsigned char* out = line;
  *out++ = encode(static_cast<unsigned>(data.size()));
  for (Py_ssize_t i = 0; i < data.size(); i += 3) {
    unsigned group = 0;
    for (Py_ssize_t k = i; k < i + 3; k++) group = group << 8 | (k < data.size() ? data.bytes()[k] : 0);
    for (int shift = 18; shift >= 0; shift -= 6) *out++ = encode(group >> shift & 077);
  }
  *out++ = '\n';
  return PyBytes_FromStringAndSize(reinterpret_cast<char*>(line), out - line);
}

// base64 ------------------------------------------------------------------------------------------------------------

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
struct Base64Table {
  unsigned char values[256];
  consteval Base64Table() : values() {
    for (int i = 0; i < 256; i++) values[i] = 0xff;
    for (int i = 0; i < 64; i++) values[static_cast<unsigned char>(kBase64[i])] = static_cast<unsigned char>(i);
  }
};
constexpr Base64Table kBase64Values;

PyObject* a2b_base64(PyObject* module, AsciiBuffer data, Optional<bool> strict_argument) {
  const bool strict = strict_argument.value_or(false);
  PyObject* error = state_of(module)->error;
  const unsigned char* p = data.data();
  const unsigned char* stop = p + data.size();
  if (strict && p < stop && *p == '=') return raise(error, "Leading padding not allowed");
  const Py_ssize_t bound = (data.size() + 3) / 4 * 3;
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, bound));
  if (!result || bound == 0) return result.release();
  unsigned char* out = data_of(result);
  unsigned char* const first = out;
  const auto finish = [&] { return shrink(std::move(result), out - first); };
  int position = 0;  // within a group of four
  int pads = 0;
  bool padding_started = false;
  unsigned carry = 0;
  for (; p < stop; p++) {
    // FAST: whole groups without anything special
    while (position == 0 && pads == 0 && stop - p >= 4) {
      const unsigned a = kBase64Values.values[p[0]];
      const unsigned b = kBase64Values.values[p[1]];
      const unsigned c = kBase64Values.values[p[2]];
      const unsigned d = kBase64Values.values[p[3]];
      if ((a | b | c | d) > 63) break;
      const unsigned group = a << 18 | b << 12 | c << 6 | d;
      out[0] = static_cast<unsigned char>(group >> 16);
      out[1] = static_cast<unsigned char>(group >> 8);
      out[2] = static_cast<unsigned char>(group);
      out += 3;
      p += 4;
    }
    if (p == stop) break;
    if (*p == '=') {
      padding_started = true;
      if (position >= 2 && position + ++pads >= 4) {
        if (strict && p + 1 < stop) return raise(error, "Excess data after padding");
        return finish();
      }
      continue;
    }
    const unsigned value = kBase64Values.values[*p];
    if (value >= 64) {
      if (strict) return raise(error, "Only base64 data is allowed");
      continue;
    }
    if (strict && padding_started) return raise(error, "Discontinuous padding not allowed");
    pads = 0;
    switch (position) {
      case 0:
        position = 1;
        carry = value;
        break;
      case 1:
        position = 2;
        *out++ = static_cast<unsigned char>(carry << 2 | value >> 4);
        carry = value & 0x0f;
        break;
      case 2:
        position = 3;
        *out++ = static_cast<unsigned char>(carry << 4 | value >> 2);
        carry = value & 0x03;
        break;
      case 3:
        position = 0;
        *out++ = static_cast<unsigned char>(carry << 6 | value);
        carry = 0;
    }
  }
  if (position == 1) {
    return raise(error, "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 more than a multiple of 4",
                 (out - first) / 3 * 4 + 1);
  }
  if (position != 0) return raise(error, "Incorrect padding");
  return finish();
}

PyObject* b2a_base64(PyObject* module, Buffer data, Optional<bool> newline) {
  const Py_ssize_t n = data.size();
  if (n > PY_SSIZE_T_MAX / 2 - 3) return raise(state_of(module)->error, "Too much data for base64 line");
  const bool ends = newline.value_or(true);
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, (n + 2) / 3 * 4 + ends));
  if (!result) return nullptr;
  if (PyBytes_GET_SIZE(result.get()) == 0) return result.release();
  unsigned char* out = data_of(result);
  const unsigned char* p = data.bytes();
  Py_ssize_t i = 0;
  for (; i + 3 <= n; i += 3, p += 3) {
    const unsigned group = static_cast<unsigned>(p[0]) << 16 | static_cast<unsigned>(p[1]) << 8 | p[2];
    *out++ = static_cast<unsigned char>(kBase64[group >> 18]);
    *out++ = static_cast<unsigned char>(kBase64[group >> 12 & 63]);
    *out++ = static_cast<unsigned char>(kBase64[group >> 6 & 63]);
    *out++ = static_cast<unsigned char>(kBase64[group & 63]);
  }
  if (i < n) {
    const unsigned group = static_cast<unsigned>(p[0]) << 16 | (i + 1 < n ? static_cast<unsigned>(p[1]) << 8 : 0);
    *out++ = static_cast<unsigned char>(kBase64[group >> 18]);
    *out++ = static_cast<unsigned char>(kBase64[group >> 12 & 63]);
    *out++ = i + 1 < n ? static_cast<unsigned char>(kBase64[group >> 6 & 63]) : '=';
    *out++ = '=';
  }
  if (ends) *out++ = '\n';
  return result.release();
}

// Hexadecimal -------------------------------------------------------------------------------------------------------

PyObject* b2a_hex(PyObject*, Buffer data, PyObject* separator, Optional<int> group) {
  return _Py_strhex_bytes_with_sep(data.data(), data.size(), separator, group.value_or(1));
}
PyObject* a2b_hex(PyObject* module, AsciiBuffer text) {
  if (text.size() % 2 != 0) return raise(state_of(module)->error, "Odd-length string");
  Ref<> result = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, text.size() / 2));
  if (!result) return nullptr;
  for (Py_ssize_t i = 0; i < text.size(); i += 2) {
    const unsigned high = _PyLong_DigitValue[text.data()[i]];
    const unsigned low = _PyLong_DigitValue[text.data()[i + 1]];
    if (high >= 16 || low >= 16) return raise(state_of(module)->error, "Non-hexadecimal digit found");
    data_of(result)[i / 2] = static_cast<unsigned char>(high << 4 | low);
  }
  return result.release();
}

// Checksums ---------------------------------------------------------------------------------------------------------

struct HqxTable {
  uint16_t values[256];
  consteval HqxTable() : values() {
    for (unsigned i = 0; i < 256; i++) {
      unsigned crc = i << 8;
      for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
      values[i] = static_cast<uint16_t>(crc);
    }
  }
};
constexpr HqxTable kHqx;

PyObject* crc_hqx(PyObject*, Buffer data, unsigned crc) {
  crc &= 0xffff;
  for (Py_ssize_t i = 0; i < data.size(); i++) crc = ((crc << 8) & 0xff00) ^ kHqx.values[crc >> 8 ^ data.bytes()[i]];
  return PyLong_FromUnsignedLong(crc);
}

PyObject* binascii_crc32(PyObject*, Buffer data, Optional<unsigned> start) {
  unsigned long crc = start.value_or(0);
  const unsigned char* p = data.bytes();
  Py_ssize_t left = data.size();
  const auto run = [&] {
    while (left > 0) {
      const unsigned chunk = static_cast<unsigned>(Py_MIN(left, 1 << 30));
      crc = crc32(crc, p, chunk);
      p += chunk;
      left -= chunk;
    }
  };
  if (left > 1024 * 5) {
    Py_BEGIN_ALLOW_THREADS
    run();
    Py_END_ALLOW_THREADS
  } else {
    run();
  }
  return PyLong_FromUnsignedLong(crc & 0xffffffff);
}

// Quoted-printable --------------------------------------------------------------------------------------------------

PyObject* a2b_qp(PyObject*, AsciiBuffer data, Optional<bool> header_argument) {
  const bool header = header_argument.value_or(false);
  const unsigned char* p = data.data();
  const Py_ssize_t n = data.size();
  char* buffer = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(Py_MAX(n, 1))));
  if (buffer == nullptr) return PyErr_NoMemory();
  char* out = buffer;
  Py_ssize_t i = 0;
  while (i < n) {
    if (p[i] == '=') {
      i++;
      if (i >= n) break;
      if (p[i] == '\n' || p[i] == '\r') {  // soft line break
        if (p[i] != '\n') {
          while (i < n && p[i] != '\n') i++;
        }
        if (i < n) i++;
      } else if (p[i] == '=') {
        *out++ = '=';
        i++;
      } else if (i + 1 < n && Py_ISXDIGIT(p[i]) && Py_ISXDIGIT(p[i + 1])) {
        *out++ = static_cast<char>(_PyLong_DigitValue[p[i]] << 4 | _PyLong_DigitValue[p[i + 1]]);
        i += 2;
      } else {
        *out++ = '=';
      }
    } else if (header && p[i] == '_') {
      *out++ = ' ';
      i++;
    } else {
      *out++ = static_cast<char>(p[i++]);
    }
  }
  PyObject* result = PyBytes_FromStringAndSize(buffer, out - buffer);
  PyMem_Free(buffer);
  return result;
}

/// Encoded text into `out`; with out null only its length is computed.
class QuotedPrintableEncoder {
 public:
  QuotedPrintableEncoder(const unsigned char* data, Py_ssize_t size, bool quote_tabs, bool text, bool header)
      : data_(data), size_(size), quote_tabs_(quote_tabs), text_(text), header_(header) {
    // Line ends are written as the first one in the data is.
    const void* newline = memchr(data, '\n', static_cast<size_t>(size));
    crlf_ = newline != nullptr && newline > data && static_cast<const unsigned char*>(newline)[-1] == '\r';
  }
  Py_ssize_t encode(unsigned char* out) const {
    constexpr Py_ssize_t kMaximumLine = 76;
    Py_ssize_t length = 0;
    Py_ssize_t line = 0;
    unsigned char last_written = 0;
    const auto put = [&](unsigned char c) {
      if (out != nullptr) out[length] = c;
      length++;
      last_written = c;
    };
    const auto put_escaped = [&](unsigned char c) {
      put('=');
      put(static_cast<unsigned char>("0123456789ABCDEF"[c >> 4]));
      put(static_cast<unsigned char>("0123456789ABCDEF"[c & 15]));
    };
    const auto break_line = [&] {
      put('=');
      if (crlf_) put('\r');
      put('\n');
      line = 0;
    };
    Py_ssize_t i = 0;
    while (i < size_) {
      const unsigned char c = data_[i];
      const bool at_end = i + 1 == size_;
      const unsigned char following = at_end ? 0 : data_[i + 1];
      const bool blank = c == '\t' || c == ' ';
      const bool line_end = c == '\r' || c == '\n';
      const bool lone_dot = c == '.' && line == 0 && (at_end || following == '\n' || following == '\r' || following == 0);
      if (c > 126 || c == '=' || (header_ && c == '_') || lone_dot || (line_end && !text_) ||
          (blank && (at_end || quote_tabs_)) || (c < ' ' && !blank && !line_end)) {
        if (line + 3 >= kMaximumLine) break_line();
        put_escaped(c);
        line += 3;
        i++;
        continue;
      }
      if (text_ && (c == '\n' || (c == '\r' && following == '\n'))) {
        line = 0;
        // A space at the end of a line doesn't survive transport: it is written as an escape.
        if (length > 0 && (last_written == ' ' || last_written == '\t')) {
          const unsigned char last_blank = last_written;
          length--;
          put_escaped(last_blank);
        }
        if (crlf_) put('\r');
        put('\n');
        i += c == '\r' ? 2 : 1;
        continue;
      }
      if (!at_end && following != '\n' && line + 1 >= kMaximumLine) break_line();
      line++;
      if (header_ && c == ' ') {
        put('_');
      } else {
        put(c);
      }
      i++;
    }
    return length;
  }

 private:
  const unsigned char* data_;
  Py_ssize_t size_;
  bool quote_tabs_;
  bool text_;
  bool header_;
  bool crlf_;
};

PyObject* b2a_qp(PyObject*, Buffer data, Optional<bool> quotetabs, Optional<bool> istext, Optional<bool> header) {
  QuotedPrintableEncoder encoder(data.bytes(), data.size(), quotetabs.value_or(false), istext.value_or(true),
                                 header.value_or(false));
  const Py_ssize_t length = encoder.encode(nullptr);
  char* buffer = static_cast<char*>(PyMem_Malloc(static_cast<size_t>(Py_MAX(length, 1))));
  if (buffer == nullptr) return PyErr_NoMemory();
  encoder.encode(reinterpret_cast<unsigned char*>(buffer));
  PyObject* result = PyBytes_FromStringAndSize(buffer, length);
  PyMem_Free(buffer);
  return result;
}

PyMethodDef binascii_methods[] = {
    method<a2b_uu, "a2b_uu($module, data, /)", "Decodes a line of uuencoded data.">(),
    method<b2a_uu, "b2a_uu($module, data, /, *, backtick=False)", "Uuencodes a line of data.">(),
    method<a2b_base64, "a2b_base64($module, data, /, *, strict_mode=False)",
           "Decodes base64 data.\n\n  strict_mode\n    Whether anything that isn't base64 is an error; otherwise it is skipped.">(),
    method<b2a_base64, "b2a_base64($module, data, /, *, newline=True)", "A line of base64 for the data.">(),
    method<a2b_hex, "a2b_hex($module, hexstr, /)", "The bytes that hexadecimal digits denote, two for each.">(),
    method<b2a_hex, "b2a_hex($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)",
           "The bytes as hexadecimal digits.\n\n  sep\n    A separator between groups.\n  bytes_per_sep\n    Group size, "
           "counted from the right; from the left when negative.">(),
    method<b2a_hex, "hexlify($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)", "The same as b2a_hex().">(),
    method<a2b_hex, "unhexlify($module, hexstr, /)", "The same as a2b_hex().">(),
    method<crc_hqx, "crc_hqx($module, data, crc, /)", "CRC-CCITT of the data, continued from crc.">(),
    method<binascii_crc32, "crc32($module, data, crc=0, /)", "CRC-32 of the data, continued from crc.">(),
    method<a2b_qp, "a2b_qp($module, /, data, header=False)", "Decodes quoted-printable data.">(),
    method<b2a_qp, "b2a_qp($module, /, data, quotetabs=False, istext=True, header=False)",
           "Encodes data as quoted-printable.\n\nBlanks stay as they are unless quotetabs is true, line ends when istext is "
           "true, and\nheader replaces spaces by underscores.">(),
    {}};

int binascii_exec(PyObject* module) {
  BinasciiState* state = state_of(module);
  state->error = PyErr_NewException("binascii.Error", PyExc_ValueError, nullptr);
  if (state->error == nullptr || PyModule_AddObjectRef(module, "Error", state->error) < 0) return -1;
  state->incomplete = PyErr_NewException("binascii.Incomplete", nullptr, nullptr);
  if (state->incomplete == nullptr) return -1;
  return PyModule_AddObjectRef(module, "Incomplete", state->incomplete);
}
int binascii_traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module)->error);
  Py_VISIT(state_of(module)->incomplete);
  return 0;
}
int binascii_clear(PyObject* module) {
  Py_CLEAR(state_of(module)->error);
  Py_CLEAR(state_of(module)->incomplete);
  return 0;
}
PyModuleDef_Slot binascii_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(binascii_exec)}, {}};
PyModuleDef binascii_module = {PyModuleDef_HEAD_INIT,
                               "binascii",
                               "Conversion between binary data and ASCII",
                               sizeof(BinasciiState),
                               binascii_methods,
                               binascii_slots,
                               binascii_traverse,
                               binascii_clear,
                               [](void* module) { binascii_clear(static_cast<PyObject*>(module)); }};

}  // namespace

PyMODINIT_FUNC PyInit_binascii(void) { return PyModuleDef_Init(&binascii_module); }
