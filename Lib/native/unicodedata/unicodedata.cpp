// The `unicodedata` module: character properties, names and normalisation.
//
// Two databases answer: 14.0.0 as module functions, 3.2.0 as the methods of `ucd_3_2_0`. One set of functions serves
// both; `self` is the UCD object for the old one and the module for the new one. The old database has its own property
// records; its numbers and decompositions are those of 14.0.0 but for a few recorded exceptions, and characters that it
// doesn't know have none.
#include "Lib/native/unicodedata/unicodedata.h"
#include "Runtime/unicode/tables.h"

#include "internal/pycore_ucnhash.h"

namespace pyston::unicodedata {
namespace {

using text::Text;
using text::view;
using unicode::binary_search;
using unicode::Column;

alignas(8) constexpr unsigned char kData[] = {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
#pragma clang diagnostic ignored "-Wc++11-narrowing"  // embedded bytes above 127 count as negative char
#embed "../../../Runtime/unicode/properties.bin"
#pragma clang diagnostic pop
};
#define TABLE(name, type, offset, count) const Column<type> k##name = UNICODE_COLUMN(kData, type, offset, count);
#include "Runtime/unicode/properties.inc"
#undef TABLE

// In the order in which the table generator numbers them.
constexpr const char* kCategories[] = {"Cn", "Lu", "Ll", "Lt", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf",
                                       "Cs", "Co", "Lm", "Lo", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"};
constexpr const char* kBidirectional[] = {"",   "L",  "LRE", "LRO", "R",  "AL", "RLE", "RLO", "PDF", "EN",  "ES",  "ET",
                                          "AN", "CS", "NSM", "BN",  "B",  "S",  "WS",  "ON",  "LRI", "RLI", "FSI", "PDI"};
constexpr const char* kWidths[] = {"F", "H", "W", "Na", "A", "N"};

template <class Index, class Blocks>
size_t look_up(uint8_t shift, Index index, Blocks blocks, Py_UCS4 c) {
  return blocks[(static_cast<size_t>(index[c >> shift]) << shift) + (c & ((1u << shift) - 1))];
}
size_t record(Py_UCS4 c) { return look_up(kPropertyShift[0], kPropertyIndex, kPropertyBlocks, c); }
size_t old_record(Py_UCS4 c) { return look_up(kOldShift[0], kOldIndex, kOldBlocks, c); }

struct OldDatabase {
  PyObject_HEAD
};
PyTypeObject* old_type = nullptr;
bool is_old(PyObject* self) { return self != nullptr && Py_IS_TYPE(self, old_type); }
bool unknown_to(bool old, Py_UCS4 c) { return old && kOldCategory[old_record(c)] == 0; }

// ---- properties -------------------------------------------------------------------------------------------------

/// The single character of an argument.
bool read_character(PyObject* value, const char* where, Py_UCS4& c) {
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s must be a unicode character, not %.50s", where,
                 value == Py_None ? "None" : Py_TYPE(value)->tp_name);
    return false;
  }
  if (!text::ready(value)) return false;
  if (PyUnicode_GET_LENGTH(value) != 1) {
    PyErr_Format(PyExc_TypeError, "%s must be a unicode character, not str", where);
    return false;
  }
  c = PyUnicode_READ_CHAR(value, 0);
  return true;
}

enum NumberKind : uint32_t { kDecimal = 0, kDigit = 1, kNumeric = 2 };

/// decimal(), digit() or numeric() of a character, -1 for none.
double number_of(bool old, Py_UCS4 c, NumberKind kind) {
  // QUIRK: digit() of the old database answers for 14.0.0.
  if (old && kind != kDigit) {
    if (unknown_to(true, c)) return -1;
    const ptrdiff_t at = binary_search(kOldNumberKeys, static_cast<uint32_t>(c << 2 | kind));
    if (at >= 0) return kOldNumberValues[static_cast<size_t>(at)];
  }
  if (kind == kDecimal) return Py_UNICODE_TODECIMAL(c);
  if (kind == kDigit) return Py_UNICODE_TODIGIT(c);
  return Py_UNICODE_TONUMERIC(c);
}

template <NumberKind kKind, FixedString Name, FixedString Message>
PyObject* number_function(PyObject* self, Borrowed<> chr, PyObject* fallback) {
  char where[40];
  PyOS_snprintf(where, sizeof(where), "%s() argument 1", Name.text);
  Py_UCS4 c;
  if (!read_character(chr, where, c)) return nullptr;
  const double value = number_of(is_old(self), c, kKind);
  if (value == -1) {
    if (fallback == nullptr) return raise(PyExc_ValueError, Message.text);
    return Py_NewRef(fallback);
  }
  return kKind == kNumeric ? PyFloat_FromDouble(value) : PyLong_FromLong(static_cast<long>(value));
}

PyObject* data_category(PyObject* self, Borrowed<> chr) {
  Py_UCS4 c;
  if (!read_character(chr, "category() argument", c)) return nullptr;
  return PyUnicode_FromString(kCategories[is_old(self) ? kOldCategory[old_record(c)] : kPropertyCategory[record(c)]]);
}
PyObject* data_bidirectional(PyObject* self, Borrowed<> chr) {
  Py_UCS4 c;
  if (!read_character(chr, "bidirectional() argument", c)) return nullptr;
  return PyUnicode_FromString(
      kBidirectional[is_old(self) ? kOldBidirectional[old_record(c)] : kPropertyBidirectional[record(c)]]);
}
PyObject* data_combining(PyObject* self, Borrowed<> chr) {
  Py_UCS4 c;
  if (!read_character(chr, "combining() argument", c)) return nullptr;
  return PyLong_FromLong(is_old(self) ? kOldCombining[old_record(c)] : kPropertyCombining[record(c)]);
}
PyObject* data_mirrored(PyObject* self, Borrowed<> chr) {
  Py_UCS4 c;
  if (!read_character(chr, "mirrored() argument", c)) return nullptr;
  return PyLong_FromLong(is_old(self) ? kOldMirrored[old_record(c)] : kPropertyMirrored[record(c)]);
}
PyObject* data_east_asian_width(PyObject* self, Borrowed<> chr) {
  Py_UCS4 c;
  if (!read_character(chr, "east_asian_width() argument", c)) return nullptr;
  return PyUnicode_FromString(kWidths[is_old(self) ? kOldWidth[old_record(c)] : kPropertyWidth[record(c)]]);
}

// ---- decomposition ----------------------------------------------------------------------------------------------

struct Decomposition {
  const uint32_t* characters;
  int length;
  int tag;  // 0: canonical
};

Decomposition decomposition_of(Py_UCS4 c) {
  const size_t number = look_up(kDecompositionShift[0], kDecompositionIndex, kDecompositionBlocks, c);
  const uint32_t* row = kDecompositionRows.values + kDecompositionOffsets[number];
  return {row + 1, static_cast<int>(*row & 0xff), static_cast<int>(*row >> 8)};
}

const char* tag_name(int tag) {
  const char* p = reinterpret_cast<const char*>(kDecompositionTags.values);
  while (tag-- > 0) p += strlen(p) + 1;
  return p;
}

PyObject* data_decomposition(PyObject* self, Borrowed<> chr) {
  Py_UCS4 c;
  if (!read_character(chr, "decomposition() argument", c)) return nullptr;
  if (unknown_to(is_old(self), c)) return Py_NewRef(text::empty_string());
  const Decomposition parts = decomposition_of(c);
  text::Writer writer(0);
  if (parts.tag != 0 && !writer.ascii(tag_name(parts.tag), -1)) return nullptr;
  for (int i = 0; i < parts.length; i++) {
    char digits[16];
    const int n = PyOS_snprintf(digits, sizeof(digits), "%s%04X", i > 0 || parts.tag != 0 ? " " : "", parts.characters[i]);
    if (!writer.ascii(digits, n)) return nullptr;
  }
  return writer.finish();
}

// ---- normalisation ----------------------------------------------------------------------------------------------

// Algorithmic composition of Hangul syllables (Unicode, section 3.12).
constexpr Py_UCS4 kSBase = 0xac00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11a7;
constexpr Py_UCS4 kLCount = 19, kVCount = 21, kTCount = 28;
constexpr Py_UCS4 kSCount = kLCount * kVCount * kTCount;

/// A growing array of characters.
class Characters {
 public:
  ~Characters() { PyMem_Free(data_); }
  bool push(Py_UCS4 c) {
    if (UNLIKELY(size_ == capacity_)) {
      capacity_ = capacity_ == 0 ? 64 : capacity_ * 2;
      Py_UCS4* grown = static_cast<Py_UCS4*>(PyMem_Realloc(data_, static_cast<size_t>(capacity_) * sizeof(Py_UCS4)));
      if (grown == nullptr) return PyErr_NoMemory(), false;
      data_ = grown;
    }
    data_[size_++] = c;
    return true;
  }
  Py_UCS4& operator[](Py_ssize_t i) { return data_[i]; }
  Py_ssize_t size() const { return size_; }
  void truncate(Py_ssize_t size) { size_ = size; }
  PyObject* string() const { return text::from_ucs4(data_, size_); }

 private:
  Py_UCS4* data_ = nullptr;
  Py_ssize_t size_ = 0;
  Py_ssize_t capacity_ = 0;
};

struct Form {
  bool compose;
  bool compatible;
  int quick_shift;  // of the two bits in the property records
};

int combining_class(Py_UCS4 c) { return kPropertyCombining[record(c)]; }

/// Appends the full decomposition of a character. Nesting is shallow: the database's longest chain has a few steps.
bool push_decomposed(Characters& out, Py_UCS4 c, const Form& form, bool old) {
  if (c >= kSBase && c < kSBase + kSCount) {
    const Py_UCS4 s = c - kSBase;
    return out.push(kLBase + s / (kVCount * kTCount)) && out.push(kVBase + s / kTCount % kVCount) &&
           (s % kTCount == 0 || out.push(kTBase + s % kTCount));
  }
  if (old) {
    if (unknown_to(true, c)) return out.push(c);
    const ptrdiff_t at = binary_search(kOldNormalizationCodes, static_cast<uint32_t>(c));
    if (at >= 0) return out.push(kOldNormalizationResults[static_cast<size_t>(at)]);
  }
  const Decomposition parts = decomposition_of(c);
  if (parts.length == 0 || (parts.tag != 0 && !form.compatible)) return out.push(c);
  for (int i = 0; i < parts.length; i++) {
    if (!push_decomposed(out, parts.characters[i], form, old)) return false;
  }
  return true;
}

/// Sorts every run of combining marks by class, keeping the order of equals.
void order_marks(Characters& characters) {
  for (Py_ssize_t i = 1; i < characters.size(); i++) {
    const Py_UCS4 c = characters[i];
    const int order = combining_class(c);
    if (order == 0) continue;
    Py_ssize_t k = i;
    while (k > 0 && combining_class(characters[k - 1]) > order) {
      characters[k] = characters[k - 1];
      k--;
    }
    characters[k] = c;
  }
}

/// The composition of two characters, 0 for none.
Py_UCS4 composed(Py_UCS4 first, Py_UCS4 second) {
  if (first - kLBase < kLCount && second - kVBase < kVCount) {
    return kSBase + ((first - kLBase) * kVCount + (second - kVBase)) * kTCount;
  }
  if (first - kSBase < kSCount && (first - kSBase) % kTCount == 0 && second > kTBase && second < kTBase + kTCount) {
    return first + (second - kTBase);
  }
  const ptrdiff_t at = binary_search(kCompositionPairs, static_cast<uint64_t>(first) << 32 | second);
  return at < 0 ? 0 : kCompositionResults[static_cast<size_t>(at)];
}

void compose(Characters& characters) {
  Py_ssize_t out = 0;
  Py_ssize_t starter = -1;
  int last_class = -1;  // of what stands between the starter and here; -1: nothing does
  for (Py_ssize_t i = 0; i < characters.size(); i++) {
    const Py_UCS4 c = characters[i];
    const int order = combining_class(c);
    if (starter >= 0 && last_class < order) {
      const Py_UCS4 both = composed(characters[starter], c);
      if (both != 0) {
        characters[starter] = both;
        continue;
      }
    }
    if (order == 0) {
      starter = out;
      last_class = -1;
    } else {
      last_class = order;
    }
    characters[out++] = c;
  }
  characters.truncate(out);
}

enum class Quick { kYes, kMaybe, kNo };

Quick quick_check(const Text& string, const Form& form) {
  if (string.ascii) return Quick::kYes;
  Quick answer = Quick::kYes;
  int previous = 0;
  for (Py_ssize_t i = 0; i < string.length; i++) {
    const Py_UCS4 c = string[i];
    if (c < 0x80) {
      previous = 0;
      continue;
    }
    const size_t r = record(c);
    const int order = kPropertyCombining[r];
    if (order != 0 && previous > order) return Quick::kNo;
    previous = order;
    const int bits = kPropertyQuick[r] >> form.quick_shift & 3;
    if (bits == 2) return Quick::kNo;
    if (bits == 1) answer = Quick::kMaybe;
  }
  return answer;
}

bool read_form(PyObject* name, Form& form) {
  static constexpr struct {
    const char* name;
    Form form;
  } kForms[] = {{"NFC", {true, false, 4}}, {"NFKC", {true, true, 6}}, {"NFD", {false, false, 0}}, {"NFKD", {false, true, 2}}};
  for (const auto& row : kForms) {
    if (PyUnicode_CompareWithASCIIString(name, row.name) == 0) {
      form = row.form;
      return true;
    }
  }
  PyErr_SetString(PyExc_ValueError, "invalid normalization form");
  return false;
}

PyObject* normalized(PyObject* string, const Form& form, bool old) {
  const Text source = view(string);
  Characters characters;
  for (Py_ssize_t i = 0; i < source.length; i++) {
    if (!push_decomposed(characters, source[i], form, old)) return nullptr;
  }
  order_marks(characters);
  if (form.compose) compose(characters);
  return characters.string();
}

PyObject* data_normalize(PyObject* self, Borrowed<PyUnicodeObject> form_name, Borrowed<PyUnicodeObject> unistr) {
  PyObject* string = unistr.object();
  if (!text::ready(string) || !text::ready(form_name.object())) return nullptr;
  if (PyUnicode_GET_LENGTH(string) == 0) return Py_NewRef(string);
  Form form;
  if (!read_form(form_name.object(), form)) return nullptr;
  // The quick check knows 14.0.0 only.
  if (!is_old(self) && quick_check(view(string), form) == Quick::kYes) return Py_NewRef(string);
  return normalized(string, form, is_old(self));
}

PyObject* data_is_normalized(PyObject* self, Borrowed<PyUnicodeObject> form_name, Borrowed<PyUnicodeObject> input) {
  PyObject* string = input.object();
  if (!text::ready(string) || !text::ready(form_name.object())) return nullptr;
  if (PyUnicode_GET_LENGTH(string) == 0) Py_RETURN_TRUE;
  Form form;
  if (!read_form(form_name.object(), form)) return nullptr;
  if (!is_old(self)) {
    const Quick answer = quick_check(view(string), form);
    if (answer != Quick::kMaybe) return PyBool_FromLong(answer == Quick::kYes);
  }
  Ref<> result = Ref<>::steal(normalized(string, form, is_old(self)));
  if (!result) return nullptr;
  return PyBool_FromLong(text::equal(result.get(), string));
}

// ---- names ------------------------------------------------------------------------------------------------------

PyObject* data_name(PyObject* self, Borrowed<> chr, PyObject* fallback) {
  Py_UCS4 c;
  if (!read_character(chr, "name() argument 1", c)) return nullptr;
  char buffer[256];
  if (!unknown_to(is_old(self), c) && character_name(c, buffer, sizeof(buffer))) return PyUnicode_FromString(buffer);
  if (fallback == nullptr) return raise(PyExc_ValueError, "no such name");
  return Py_NewRef(fallback);
}

PyObject* data_lookup(PyObject* self, Borrowed<> name) {
  Py_ssize_t size;
  const char* text;
  if (PyUnicode_Check(name.get())) {
    text = PyUnicode_AsUTF8AndSize(name, &size);
    if (text == nullptr) return nullptr;
  } else if (PyBytes_Check(name.get())) {
    text = PyBytes_AS_STRING(name.get());
    size = PyBytes_GET_SIZE(name.get());
  } else {
    return raise(PyExc_TypeError, "lookup() argument must be str or read-only bytes-like object, not %.50s",
                 Py_TYPE(name.get())->tp_name);
  }
  if (size > INT_MAX) return raise(PyExc_KeyError, "name too long");
  Py_UCS4 c;
  const NameSet set = is_old(self) ? NameSet::kNames : NameSet::kNamesAndAliases;
  if (character_by_name(text, static_cast<int>(size), set, c) && !unknown_to(is_old(self), c)) {
    return PyUnicode_FromOrdinal(static_cast<int>(c));
  }
  const uint32_t* characters;
  const int length = is_old(self) ? 0 : sequence_by_name(text, static_cast<int>(size), characters);
  if (length > 0) return pyston::text::from_ucs4(characters, length);
  return raise(PyExc_KeyError, "undefined character name '%s'", text);
}

/// The functions behind \N{...} and namereplace.
int capsule_getname(Py_UCS4 code, char* buffer, int buflen, int) { return character_name(code, buffer, buflen); }
int capsule_getcode(const char* name, int namelen, Py_UCS4* code, int) {
  return character_by_name(name, namelen, NameSet::kNamesAndAliases, *code);
}
_PyUnicode_Name_CAPI name_api = {capsule_getname, capsule_getcode};

PyMethodDef functions[] = {
    method<number_function<kDecimal, "decimal", "not a decimal">, "decimal($self, chr, default=<unrepresentable>, /)",
           "Value of a decimal digit.">(),
    method<number_function<kDigit, "digit", "not a digit">, "digit($self, chr, default=<unrepresentable>, /)",
           "Value of a digit.">(),
    method<number_function<kNumeric, "numeric", "not a numeric character">,
           "numeric($self, chr, default=<unrepresentable>, /)", "Numeric value as a float.">(),
    method<data_category, "category($self, chr, /)", "General category, such as 'Lu'.">(),
    method<data_bidirectional, "bidirectional($self, chr, /)", "Bidirectional class, '' when there is none.">(),
    method<data_combining, "combining($self, chr, /)", "Canonical combining class, 0 when there is none.">(),
    method<data_mirrored, "mirrored($self, chr, /)", "1 when the character is mirrored in bidirectional text.">(),
    method<data_east_asian_width, "east_asian_width($self, chr, /)", "East Asian width.">(),
    method<data_decomposition, "decomposition($self, chr, /)", "Decomposition mapping, '' when there is none.">(),
    method<data_name, "name($self, chr, default=<unrepresentable>, /)", "Name of a character.">(),
    method<data_lookup, "lookup($self, name, /)", "The character or sequence of that name.">(),
    method<data_is_normalized, "is_normalized($self, form, unistr, /)", "Whether a string is in a normal form.">(),
    method<data_normalize, "normalize($self, form, unistr, /)", "A string in a normal form.">(),
    {}};

PyObject* old_version(PyObject*, void*) { return PyUnicode_FromString("3.2.0"); }
PyGetSetDef old_getset[] = {{"unidata_version", old_version, nullptr, nullptr, nullptr}, {}};

void old_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}
PyType_Slot old_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(old_dealloc)},
    {Py_tp_getattro, reinterpret_cast<void*>(PyObject_GenericGetAttr)},
    {Py_tp_methods, functions},
    {Py_tp_getset, old_getset},
    {0, nullptr},
};
PyType_Spec old_spec = {"unicodedata.UCD", sizeof(OldDatabase), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, old_slots};

int unicodedata_exec(PyObject* module) {
  if (old_type == nullptr) {
    old_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&old_spec));
    if (old_type == nullptr) return -1;
  }
  if (PyModule_AddStringConstant(module, "unidata_version", "14.0.0") < 0) return -1;
  if (PyModule_AddType(module, old_type) < 0) return -1;
  Ref<OldDatabase> old = Ref<OldDatabase>::steal(PyObject_New(OldDatabase, old_type));
  if (!old || PyModule_AddObjectRef(module, "ucd_3_2_0", old.object()) < 0) return -1;
  Ref<> capsule = Ref<>::steal(PyCapsule_New(&name_api, PyUnicodeData_CAPSULE_NAME, nullptr));
  if (!capsule || PyModule_AddObjectRef(module, "_ucnhash_CAPI", capsule.get()) < 0) return -1;
  return 0;
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(unicodedata_exec)}, {0, nullptr}};
PyModuleDef unicodedata_module = {
    PyModuleDef_HEAD_INIT, "unicodedata", "The Unicode character database, version 14.0.0.", 0, functions, slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace pyston::unicodedata

PyMODINIT_FUNC PyInit_unicodedata(void) { return PyModuleDef_Init(&pyston::unicodedata::unicodedata_module); }
