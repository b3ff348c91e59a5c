// The `_locale` module: the C library's locale functions and message catalogues.
#include <langinfo.h>
#include <libintl.h>
#include <clocale>
#include <cwchar>

#include "Objects/bind.h"

#include "internal/pycore_fileutils.h"

namespace pyston {
namespace {

struct LocaleState {
  PyObject* error;
};
LocaleState* state_of(PyObject* module) { return static_cast<LocaleState*>(PyModule_GetState(module)); }

/// UTF-8 of a str argument of `function`, without inner nulls; None gives null when allowed.
bool read_text(PyObject* value, const char* function, int number, bool none_allowed, const char*& text) {
  text = nullptr;
  if (value == Py_None && none_allowed) return true;
  if (!PyUnicode_Check(value)) {
    char where[24] = "argument";
    if (number > 0) PyOS_snprintf(where, sizeof(where), "argument %d", number);
    PyErr_Format(PyExc_TypeError, "%s() %s must be str%s, not %.50s", function, where, none_allowed ? " or None" : "",
                 value == Py_None ? "None" : Py_TYPE(value)->tp_name);
    return false;
  }
  Py_ssize_t size;
  text = PyUnicode_AsUTF8AndSize(value, &size);
  if (text == nullptr) return false;
  if (strlen(text) != static_cast<size_t>(size)) {
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return false;
  }
  return true;
}

PyObject* from_locale(const char* text) { return PyUnicode_DecodeLocale(text, nullptr); }

PyObject* locale_setlocale(PyObject* module, int category, PyObject* locale) {
  const char* name = nullptr;
  if (locale != nullptr && !read_text(locale, "setlocale", 2, true, name)) return nullptr;
  const char* result = setlocale(category, name);
  if (result == nullptr) {
    PyErr_SetString(state_of(module)->error, name != nullptr ? "unsupported locale setting" : "locale query failed");
    return nullptr;
  }
  return from_locale(result);
}

/// "\3\3" as [3, 3, 0]: the closing 0 stands unless CHAR_MAX closes it.
PyObject* grouping_list(const char* grouping) {
  Ref<> list = Ref<>::steal(PyList_New(0));
  if (!list) return nullptr;
  for (const char* p = grouping; p == grouping ? *p != '\0' : true; p++) {
    Ref<> value = Ref<>::steal(PyLong_FromLong(*p));
    if (!value || PyList_Append(list.get(), value.get()) < 0) return nullptr;
    if (*p == '\0' || *p == CHAR_MAX) break;
  }
  return list.release();
}

bool set(PyObject* dict, const char* name, PyObject* value) {
  if (value == nullptr) return false;
  const int status = PyDict_SetItemString(dict, name, value);
  Py_DECREF(value);
  return status == 0;
}

PyObject* locale_localeconv(PyObject*) {
  Ref<> result = Ref<>::steal(PyDict_New());
  if (!result) return nullptr;
  const struct lconv* conv = localeconv();
  PyObject* dict = result.get();
  PyObject* decimal_point = nullptr;
  PyObject* separator = nullptr;
  // These two may be in the numeric locale's own encoding, which the helper takes care of.
  if (_Py_GetLocaleconvNumeric(const_cast<struct lconv*>(conv), &decimal_point, &separator) < 0) return nullptr;
  if (!set(dict, "decimal_point", decimal_point)) {
    Py_XDECREF(separator);
    return nullptr;
  }
  bool fine = set(dict, "thousands_sep", separator) && set(dict, "grouping", grouping_list(conv->grouping)) &&
              set(dict, "int_curr_symbol", from_locale(conv->int_curr_symbol)) &&
              set(dict, "currency_symbol", from_locale(conv->currency_symbol)) &&
              set(dict, "mon_decimal_point", from_locale(conv->mon_decimal_point)) &&
              set(dict, "mon_thousands_sep", from_locale(conv->mon_thousands_sep)) &&
              set(dict, "mon_grouping", grouping_list(conv->mon_grouping)) &&
              set(dict, "positive_sign", from_locale(conv->positive_sign)) &&
              set(dict, "negative_sign", from_locale(conv->negative_sign));
  const struct {
    const char* name;
    char value;
  } numbers[] = {
      {"int_frac_digits", conv->int_frac_digits}, {"frac_digits", conv->frac_digits},
      {"p_cs_precedes", conv->p_cs_precedes},     {"p_sep_by_space", conv->p_sep_by_space},
      {"n_cs_precedes", conv->n_cs_precedes},     {"n_sep_by_space", conv->n_sep_by_space},
      {"p_sign_posn", conv->p_sign_posn},         {"n_sign_posn", conv->n_sign_posn},
  };
  for (const auto& row : numbers) fine = fine && set(dict, row.name, PyLong_FromLong(row.value));
  return fine ? result.release() : nullptr;
}

/// A str argument as a wchar_t string that frees itself.
struct WideText {
  wchar_t* text = nullptr;
  Py_ssize_t length = 0;
  ~WideText() { PyMem_Free(text); }
  bool read(PyObject* object, bool nulls_allowed) {
    text = PyUnicode_AsWideCharString(object, nulls_allowed ? &length : nullptr);
    return text != nullptr;
  }
};

PyObject* locale_strcoll(PyObject*, Borrowed<PyUnicodeObject> first, Borrowed<PyUnicodeObject> second) {
  WideText left;
  WideText right;
  if (!left.read(first.object(), false) || !right.read(second.object(), false)) return nullptr;
  return PyLong_FromLong(wcscoll(left.text, right.text));
}

PyObject* locale_strxfrm(PyObject*, Borrowed<PyUnicodeObject> string) {
  WideText text;
  if (!text.read(string.object(), true)) return nullptr;
  if (wcslen(text.text) != static_cast<size_t>(text.length)) return raise(PyExc_ValueError, "embedded null character");
  errno = 0;
  const size_t length = wcsxfrm(nullptr, text.text, 0);
  if (errno != 0 && errno != ERANGE) return PyErr_SetFromErrno(PyExc_OSError);
  wchar_t* buffer = PyMem_New(wchar_t, length + 1);
  if (buffer == nullptr) return PyErr_NoMemory();
  errno = 0;
  const size_t written = wcsxfrm(buffer, text.text, length + 1);
  PyObject* result = errno != 0 ? PyErr_SetFromErrno(PyExc_OSError)
                                : PyUnicode_FromWideChar(buffer, static_cast<Py_ssize_t>(written));
  PyMem_Free(buffer);
  return result;
}

struct Constant {
  const char* name;
  int value;
};
#define ROW(name) {#name, name}
constexpr Constant kLanginfo[] = {
    ROW(DAY_1),     ROW(DAY_2),    ROW(DAY_3),     ROW(DAY_4),     ROW(DAY_5),    ROW(DAY_6),      ROW(DAY_7),
    ROW(ABDAY_1),   ROW(ABDAY_2),  ROW(ABDAY_3),   ROW(ABDAY_4),   ROW(ABDAY_5),  ROW(ABDAY_6),    ROW(ABDAY_7),
    ROW(MON_1),     ROW(MON_2),    ROW(MON_3),     ROW(MON_4),     ROW(MON_5),    ROW(MON_6),      ROW(MON_7),
    ROW(MON_8),     ROW(MON_9),    ROW(MON_10),    ROW(MON_11),    ROW(MON_12),   ROW(ABMON_1),    ROW(ABMON_2),
    ROW(ABMON_3),   ROW(ABMON_4),  ROW(ABMON_5),   ROW(ABMON_6),   ROW(ABMON_7),  ROW(ABMON_8),    ROW(ABMON_9),
    ROW(ABMON_10),  ROW(ABMON_11), ROW(ABMON_12),  ROW(RADIXCHAR), ROW(THOUSEP),  ROW(CRNCYSTR),   ROW(D_FMT),
    ROW(D_T_FMT),   ROW(T_FMT),    ROW(AM_STR),    ROW(PM_STR),    ROW(CODESET),  ROW(T_FMT_AMPM), ROW(ERA),
    ROW(ERA_D_FMT), ROW(ERA_D_T_FMT), ROW(ERA_T_FMT), ROW(ALT_DIGITS), ROW(YESEXPR), ROW(NOEXPR), ROW(_DATE_FMT),
};
constexpr Constant kCategories[] = {ROW(LC_CTYPE), ROW(LC_TIME),     ROW(LC_COLLATE), ROW(LC_MONETARY),
                                    ROW(LC_MESSAGES), ROW(LC_NUMERIC), ROW(LC_ALL),     ROW(CHAR_MAX)};
#undef ROW

PyObject* locale_nl_langinfo(PyObject*, int key) {
  for (const Constant& row : kLanginfo) {
    if (row.value != key) continue;
    const char* result = nl_langinfo(key);
    return from_locale(result != nullptr ? result : "");
  }
  return raise(PyExc_ValueError, "unsupported langinfo constant");
}

PyObject* locale_gettext(PyObject*, Borrowed<> message) {
  const char* text;
  if (!read_text(message, "gettext", 0, false, text)) return nullptr;
  return from_locale(gettext(text));
}
PyObject* locale_dgettext(PyObject*, Borrowed<> domain, Borrowed<> message) {
  const char* domain_text;
  const char* text;
  if (!read_text(domain, "dgettext", 1, true, domain_text) || !read_text(message, "dgettext", 2, false, text)) return nullptr;
  return from_locale(dgettext(domain_text, text));
}
PyObject* locale_dcgettext(PyObject*, Borrowed<> domain, Borrowed<> message, int category) {
  const char* domain_text;
  const char* text;
  if (!read_text(domain, "dcgettext", 1, true, domain_text) || !read_text(message, "dcgettext", 2, false, text)) return nullptr;
  return from_locale(dcgettext(domain_text, text, category));
}
PyObject* locale_textdomain(PyObject*, Borrowed<> domain) {
  const char* text;
  if (!read_text(domain, "textdomain", 0, true, text)) return nullptr;
  const char* current = textdomain(text);
  if (current == nullptr) return PyErr_SetFromErrno(PyExc_OSError);
  return from_locale(current);
}
PyObject* locale_bindtextdomain(PyObject* module, Borrowed<> domain, Borrowed<> directory) {
  const char* text;
  if (!read_text(domain, "bindtextdomain", 1, false, text)) return nullptr;
  if (*text == '\0') {
    PyErr_SetString(state_of(module)->error, "domain must be a non-empty string");
    return nullptr;
  }
  Ref<> path;
  const char* path_text = nullptr;
  if (directory.get() != Py_None) {
    PyObject* converted = nullptr;
    if (!PyUnicode_FSConverter(directory, &converted)) return nullptr;
    path = Ref<>::steal(converted);
    path_text = PyBytes_AS_STRING(converted);
  }
  const char* current = bindtextdomain(text, path_text);
  if (current == nullptr) return PyErr_SetFromErrno(PyExc_OSError);
  return from_locale(current);
}
PyObject* locale_bind_textdomain_codeset(PyObject*, Borrowed<> domain, Borrowed<> codeset) {
  const char* text;
  const char* codeset_text;
  if (!read_text(domain, "bind_textdomain_codeset", 1, false, text) ||
      !read_text(codeset, "bind_textdomain_codeset", 2, true, codeset_text)) {
    return nullptr;
  }
  const char* current = bind_textdomain_codeset(text, codeset_text);
  return current == nullptr ? Py_NewRef(Py_None) : from_locale(current);
}
PyObject* locale_getencoding(PyObject*) { return _Py_GetLocaleEncodingObject(); }

PyMethodDef functions[] = {
    method<locale_setlocale, "setlocale($module, category, locale=<unrepresentable>, /)",
           "Sets a locale category, or queries it when no locale is given.">(),
    method<locale_localeconv, "localeconv($module, /)", "How numbers and money are written, as a dict.">(),
    method<locale_strcoll, "strcoll($module, os1, os2, /)", "Compares two strings by the locale's order.">(),
    method<locale_strxfrm, "strxfrm($module, string, /)", "A key by which strings compare in the locale's order.">(),
    method<locale_nl_langinfo, "nl_langinfo($module, key, /)", "A detail of the locale.">(),
    method<locale_gettext, "gettext($module, msg, /)", "Translation of a message.">(),
    method<locale_dgettext, "dgettext($module, domain, msg, /)", "Translation of a message in a domain.">(),
    method<locale_dcgettext, "dcgettext($module, domain, msg, category, /)", "Translation in a domain and category.">(),
    method<locale_textdomain, "textdomain($module, domain, /)", "Sets or queries the message domain.">(),
    method<locale_bindtextdomain, "bindtextdomain($module, domain, dir, /)", "Sets or queries a domain's directory.">(),
    method<locale_bind_textdomain_codeset, "bind_textdomain_codeset($module, domain, codeset, /)",
           "Sets or queries a domain's encoding.">(),
    method<locale_getencoding, "getencoding($module, /)", "Name of the locale's encoding.">(),
    {}};

int locale_exec(PyObject* module) {
  for (const Constant& row : kCategories) {
    if (PyModule_AddIntConstant(module, row.name, row.value) < 0) return -1;
  }
  LocaleState* state = state_of(module);
  state->error = PyErr_NewException("locale.Error", nullptr, nullptr);
  if (state->error == nullptr || PyModule_AddObjectRef(module, "Error", state->error) < 0) return -1;
  for (const Constant& row : kLanginfo) {
    if (PyModule_AddIntConstant(module, row.name, row.value) < 0) return -1;
  }
  return 0;
}
int locale_traverse(PyObject* module, visitproc visit, void* arg) {
  if (LocaleState* state = state_of(module)) Py_VISIT(state->error);
  return 0;
}
int locale_clear(PyObject* module) {
  if (LocaleState* state = state_of(module)) Py_CLEAR(state->error);
  return 0;
}
void locale_free(void* module) { locale_clear(static_cast<PyObject*>(module)); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(locale_exec)}, {0, nullptr}};
PyModuleDef locale_module = {
    PyModuleDef_HEAD_INIT, "_locale",    "The C library's locale functions.", sizeof(LocaleState), functions, slots,
    locale_traverse,       locale_clear, locale_free,
};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__locale(void) { return PyModuleDef_Init(&pyston::locale_module); }
