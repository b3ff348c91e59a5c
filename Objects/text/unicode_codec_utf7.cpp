// UTF-7 (RFC 2152).
//
// Decoding keeps the state of a base64 run: bits collected, a high surrogate waiting for its partner, and where the
// run began, since an incomplete run is left for the next call of a stateful decoder.
#include "Objects/text/codec_errors.h"

namespace pyston::text {
namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(unsigned char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// Characters that stand for themselves outside of runs when decoding.
bool decodes_directly(unsigned char c) { return c <= 127 && c != '+'; }

/// Characters that encoding leaves alone: RFC 2152's set D, set O (unless told otherwise) and whitespace.
bool encodes_directly(Py_UCS4 c, bool direct_set_o, bool direct_whitespace) {
  if (c == 0 || c >= 128) return false;
  if (Py_ISALNUM(static_cast<unsigned char>(c))) return true;
  if (strchr("'(),-./:?", static_cast<int>(c)) != nullptr) return true;
  if (strchr(" \t\n\r", static_cast<int>(c)) != nullptr) return direct_whitespace;
  if (strchr("!\"#$%&*;<=>@[]^_`{|}", static_cast<int>(c)) != nullptr) return direct_set_o;
  return false;
}

}  // namespace
}  // namespace pyston::text

using namespace pyston;
using namespace pyston::text;

PyObject* PyUnicode_DecodeUTF7Stateful(const char* s, Py_ssize_t size, const char* errors, Py_ssize_t* consumed) {
  DecodeErrors handler("utf7", errors);
  Writer writer(size);
  const char* input = s;
  Py_ssize_t position = 0;
  bool in_run = false;
  Py_ssize_t run_start = 0;      // input position of the run's '+'
  Py_ssize_t run_out_start = 0;  // output position there
  uint64_t bits = 0;
  int bit_count = 0;
  Py_UCS4 high = 0;  // pending high surrogate
  while (position < size) {
    const unsigned char c = static_cast<unsigned char>(input[position]);
    const char* reason = nullptr;
    Py_ssize_t start = position;
    if (in_run) {
      const int value = base64_value(c);
      if (value >= 0) {
        bits = bits << 6 | static_cast<uint64_t>(value);
        bit_count += 6;
        position++;
        if (bit_count >= 16) {
          const Py_UCS4 unit = static_cast<Py_UCS4>(bits >> (bit_count - 16)) & 0xffff;
          bit_count -= 16;
          bits &= (uint64_t{1} << bit_count) - 1;
          if (high != 0) {
            if (Py_UNICODE_IS_LOW_SURROGATE(unit)) {
              if (!writer.put(Py_UNICODE_JOIN_SURROGATES(high, unit))) return nullptr;
              high = 0;
              continue;
            }
            if (!writer.put(high)) return nullptr;
            high = 0;
          }
          if (Py_UNICODE_IS_HIGH_SURROGATE(unit)) high = unit;
          else if (!writer.put(unit)) return nullptr;
        }
        continue;
      }
      in_run = false;
      if (bit_count > 0) {
        // At most five zero bits may be left over.
        if (bit_count >= 6) {
          position++;
          reason = "partial character in shift sequence";
        } else if (bits != 0) {
          position++;
          reason = "non-zero padding bits in shift sequence";
        }
      }
      if (reason == nullptr) {
        if (high != 0 && decodes_directly(c)) {
          if (!writer.put(high)) return nullptr;
        }
        high = 0;
        if (c == '-') position++;  // the explicit end is swallowed
        continue;
      }
      start = run_start;
    } else if (c == '+') {
      run_start = position++;
      if (position < size && input[position] == '-') {
        position++;
        if (!writer.put('+')) return nullptr;
        continue;
      }
      if (position < size && base64_value(static_cast<unsigned char>(input[position])) < 0) {
        position++;
        reason = "ill-formed sequence";
        start = run_start;
      } else {
        in_run = true;
        high = 0;
        run_out_start = writer->pos;
        bits = 0;
        bit_count = 0;
        continue;
      }
    } else if (decodes_directly(c)) {
      if (!writer.put(c)) return nullptr;
      position++;
      continue;
    } else {
      position++;
      reason = "unexpected special character";
    }
    bits = 0;
    bit_count = 0;
    high = 0;
    if (!handler.handle(reason, input, size, start, position, position, writer)) return nullptr;
  }
  if (in_run && consumed == nullptr) {
    // The end of the input ends a run too, when nothing is left over in it.
    if (high != 0 || bit_count >= 6 || (bit_count > 0 && bits != 0)) {
      in_run = false;
      if (!handler.handle("unterminated shift sequence", input, size, run_start, size, position, writer)) return nullptr;
    }
  }
  if (consumed != nullptr) {
    if (in_run) {
      *consumed = run_start;
      writer->pos = run_out_start;  // the run comes again, with the rest of it
      if (run_out_start == 0) return Py_NewRef(empty_string());
      Ref<> whole = Ref<>::steal(writer.finish());
      if (!whole) return nullptr;
      return PyUnicode_FromKindAndData(static_cast<int>(PyUnicode_KIND(whole.get())), PyUnicode_DATA(whole.get()),
                                       PyUnicode_GET_LENGTH(whole.get()));
    }
    *consumed = position;
  }
  return writer.finish();
}

PyObject* PyUnicode_DecodeUTF7(const char* s, Py_ssize_t size, const char* errors) {
  return PyUnicode_DecodeUTF7Stateful(s, size, errors, nullptr);
}

PyObject* _PyUnicode_EncodeUTF7(PyObject* unicode, int base64_set_o, int base64_whitespace, const char*) {
  if (!ready(unicode)) return nullptr;
  const Text text = view(unicode);
  if (text.length > PY_SSIZE_T_MAX / 8) return PyErr_NoMemory();
  ByteSink sink;
  if (!sink.start(text.length + 8)) return nullptr;
  bool in_run = false;
  uint64_t bits = 0;
  int bit_count = 0;
  for (Py_ssize_t i = 0; i < text.length; i++) {
    const Py_UCS4 c = text[i];
    if (!sink.reserve(12)) return nullptr;
    const bool direct = encodes_directly(c, !base64_set_o, !base64_whitespace);
    if (in_run && direct) {
      if (bit_count > 0) sink.put(static_cast<unsigned char>(kBase64[bits << (6 - bit_count) & 63]));
      bits = 0;
      bit_count = 0;
      in_run = false;
      // A character that could belong to the run needs the explicit end.
      if (base64_value(static_cast<unsigned char>(c)) >= 0 || c == '-') sink.put('-');
    }
    if (direct) {
      sink.put(c);
      continue;
    }
    if (!in_run) {
      sink.put('+');
      if (c == '+') {
        sink.put('-');
        continue;
      }
      in_run = true;
    }
    const Py_UCS4 units[2] = {c >= 0x10000 ? Py_UNICODE_HIGH_SURROGATE(c) : c, Py_UNICODE_LOW_SURROGATE(c)};
    for (int k = 0; k < (c >= 0x10000 ? 2 : 1); k++) {
      bits = bits << 16 | units[k];
      bit_count += 16;
      while (bit_count >= 6) {
        sink.put(static_cast<unsigned char>(kBase64[bits >> (bit_count - 6) & 63]));
        bit_count -= 6;
      }
      bits &= (uint64_t{1} << bit_count) - 1;
    }
  }
  if (!sink.reserve(2)) return nullptr;
  if (bit_count > 0) sink.put(static_cast<unsigned char>(kBase64[bits << (6 - bit_count) & 63]));
  if (in_run) sink.put('-');
  return sink.finish();
}
