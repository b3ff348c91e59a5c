// The _warnings module and the PyErr_Warn* functions: whether and how a warning is shown.
//
// warnings.py and this file share their state: a list of filters, the registry of "once" and the default action. When
// warnings.py is imported its attributes count, and are copied here at every use; before that, and late at shutdown, the
// copies here do. Each module's __warningregistry__ remembers what it warned about, and under "version" for which state
// of the filters that holds.
#include <cstdarg>
#include <cstring>

#include "Objects/bind.h"
#include "pycore_frame.h"
#include "pycore_interp.h"
#include "pycore_long.h"
#include "pycore_pyerrors.h"
#include "pycore_pylifecycle.h"
#include "pycore_pystate.h"
#include "pycore_sysmodule.h"
#include "pycore_traceback.h"
#include "pycore_warnings.h"

namespace pyston {
namespace {

using WarningsState = _warnings_runtime_state;

WarningsState& warnings_state() { return _PyInterpreterState_GET()->warnings; }

bool is_text(PyObject* value, const char* text) { return _PyUnicode_EqualToASCIIString(value, text); }

// ---- State

PyObject* make_filter(PyObject* category, PyObject* action, const char* module) {
  auto module_name = module != nullptr ? Ref<>::steal(PyUnicode_InternFromString(module)) : Ref<>::none();
  if (!module_name) return nullptr;
  return PyTuple_Pack(5, action, Py_None, category, module_name.get(), _PyLong_GetZero());
}

PyObject* initial_filters() {
  struct Row {
    PyObject* category;
    PyObject* action;
    const char* module;
  };
  const Row rows[] = {
      {PyExc_DeprecationWarning, &_Py_ID(default), "__main__"},
      {PyExc_DeprecationWarning, &_Py_ID(ignore), nullptr},
      {PyExc_PendingDeprecationWarning, &_Py_ID(ignore), nullptr},
      {PyExc_ImportWarning, &_Py_ID(ignore), nullptr},
      {PyExc_ResourceWarning, &_Py_ID(ignore), nullptr},
  };
  auto filters = Ref<>::steal(PyList_New(0));
  if (!filters) return nullptr;
  for (const Row& row : rows) {
    auto filter = Ref<>::steal(make_filter(row.category, row.action, row.module));
    if (!filter || PyList_Append(filters.get(), filter.get()) < 0) return nullptr;
  }
  return filters.release();
}

enum class Import { kNever, kIfNeeded };

/// warnings.<name>; null without an exception if the module or the attribute is not there.
Ref<> module_attribute(PyObject* name, Import import) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  Ref<> module;
  if (import == Import::kIfNeeded) {
    module = Ref<>::steal(PyImport_Import(&_Py_ID(warnings)));
    if (!module) {
      if (PyErr_ExceptionMatches(PyExc_ImportError)) PyErr_Clear();
      return nullptr;
    }
  } else {
    // So late at shutdown that there is no sys.modules.
    if (interp->modules == nullptr) return nullptr;
    module = Ref<>::steal(PyImport_GetModule(&_Py_ID(warnings)));
    if (!module) return nullptr;
  }
  PyObject* value;
  if (_PyObject_LookupAttr(module.get(), name, &value) < 0) return nullptr;
  return Ref<>::steal(value);
}

/// Takes warnings.<name> over into `field` if there is one; the value in effect, borrowed from `field`.
PyObject* refresh(PyObject*& field, PyObject* name) {
  auto value = module_attribute(name, Import::kNever);
  if (!value) {
    if (PyErr_Occurred()) return nullptr;
    return field;
  }
  PyObject* old = field;
  field = value.release();
  Py_XDECREF(old);
  return field;
}

PyObject* once_registry() {
  PyObject* registry = refresh(warnings_state().once_registry, &_Py_ID(onceregistry));
  if (registry != nullptr && !PyDict_Check(registry)) {
    return raise(PyExc_TypeError, "_warnings.onceregistry must be a dict, not '%.200s'", Py_TYPE(registry)->tp_name);
  }
  return registry;
}

PyObject* default_action() {
  PyObject* action = refresh(warnings_state().default_action, &_Py_ID(defaultaction));
  if (action != nullptr && !PyUnicode_Check(action)) {
    return raise(PyExc_TypeError, "_warnings.defaultaction must be a string, not '%.200s'", Py_TYPE(action)->tp_name);
  }
  return action;
}

// ---- Filters

/// A pattern of a filter: None, a str that has to be equal, or an object with match().
Lookup matches(PyObject* pattern, PyObject* text) {
  if (pattern == Py_None) return Lookup::kFound;
  if (PyUnicode_CheckExact(pattern)) {
    const int order = PyUnicode_Compare(pattern, text);
    if (order == -1 && PyErr_Occurred()) return Lookup::kError;
    return order == 0 ? Lookup::kFound : Lookup::kMissing;
  }
  auto result = Ref<>::steal(PyObject_CallMethodOneArg(pattern, &_Py_ID(match), text));
  if (!result) return Lookup::kError;
  return static_cast<Lookup>(PyObject_IsTrue(result.get()));
}

struct Warning {
  PyObject* category;
  PyObject* text;
  Py_ssize_t lineno;
  PyObject* module;
};

Lookup filter_applies(PyObject* filter, const Warning& warning) {
  Lookup message = matches(PyTuple_GET_ITEM(filter, 1), warning.text);
  if (message != Lookup::kFound) return message;
  const int is_subclass = PyObject_IsSubclass(warning.category, PyTuple_GET_ITEM(filter, 2));
  if (is_subclass <= 0) return static_cast<Lookup>(is_subclass);
  const Lookup module = matches(PyTuple_GET_ITEM(filter, 3), warning.module);
  if (module != Lookup::kFound) return module;
  const Py_ssize_t line = PyLong_AsSsize_t(PyTuple_GET_ITEM(filter, 4));
  if (line == -1 && PyErr_Occurred()) return Lookup::kError;
  return line == 0 || line == warning.lineno ? Lookup::kFound : Lookup::kMissing;
}

/// The action for a warning; `filter` becomes the one that decided, or None.
Ref<> choose_action(const Warning& warning, Ref<>& filter) {
  auto filters = Ref<>::dup(refresh(warnings_state().filters, &_Py_ID(filters)));
  if (!filters && PyErr_Occurred()) return nullptr;
  if (!filters || !PyList_Check(filters.get())) {
    return raise(PyExc_ValueError, "_warnings.filters must be a list");
  }
  // match() can change the list.
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(filters.get()); i++) {
    filter = Ref<>::dup(PyList_GET_ITEM(filters.get(), i));
    if (!PyTuple_Check(filter.get()) || PyTuple_GET_SIZE(filter.get()) != 5) {
      return raise(PyExc_ValueError, "_warnings.filters item %zd isn't a 5-tuple", i);
    }
    auto action = Ref<>::dup(PyTuple_GET_ITEM(filter.get(), 0));
    if (!PyUnicode_Check(action.get())) {
      return raise(PyExc_TypeError, "action must be a string, not '%.200s'", Py_TYPE(action.get())->tp_name);
    }
    const Lookup applies = filter_applies(filter.get(), warning);
    if (applies == Lookup::kError) return nullptr;
    if (applies == Lookup::kFound) return action;
  }
  filter = Ref<>::none();
  PyObject* action = default_action();
  if (action == nullptr) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "_warnings.defaultaction not found");
    return nullptr;
  }
  return Ref<>::dup(action);
}

// ---- Registries

enum class Remember { kNo, kYes };

/// Whether the registry has `key`, from the present state of the filters; adds it when asked to.
Lookup already_warned(PyObject* registry, PyObject* key, Remember remember) {
  PyObject* version = PyDict_GetItemWithError(registry, &_Py_ID(version));
  if (version == nullptr && PyErr_Occurred()) return Lookup::kError;
  const long current = warnings_state().filters_version;
  if (version == nullptr || !PyLong_CheckExact(version) || PyLong_AsLong(version) != current) {
    if (PyErr_Occurred()) PyErr_Clear();
    PyDict_Clear(registry);
    auto number = Ref<>::steal(PyLong_FromLong(current));
    if (!number || PyDict_SetItem(registry, &_Py_ID(version), number.get()) < 0) return Lookup::kError;
  } else {
    PyObject* seen = PyDict_GetItemWithError(registry, key);
    if (seen != nullptr) {
      const int truth = PyObject_IsTrue(seen);
      if (truth != 0) return static_cast<Lookup>(truth);
    } else if (PyErr_Occurred()) {
      return Lookup::kError;
    }
  }
  if (remember == Remember::kYes && PyDict_SetItem(registry, key, Py_True) < 0) return Lookup::kError;
  return Lookup::kMissing;
}

/// For "once" and "module": whether the text was shown before, at whatever line.
Lookup shown_before(PyObject* registry, const Warning& warning) {
  auto key = Ref<>::steal(PyTuple_Pack(2, warning.text, warning.category));
  if (!key) return Lookup::kError;
  return already_warned(registry, key.get(), Remember::kYes);
}

// ---- Showing

/// Without warnings.py: "file:1: Category: text" and the source line on sys.stderr. Errors are dropped.
void show_plainly(PyObject* category, PyObject* text, PyObject* filename, int lineno, PyObject* source_line) {
  PyThreadState* tstate = _PyThreadState_GET();
  auto file = Ref<>::dup(_PySys_GetAttr(tstate, &_Py_ID(stderr)));
  if (!file) {
    fputs("lost sys.stderr\n", stderr);
    return;
  }
  auto name = Ref<>::steal(PyObject_GetAttr(category, &_Py_ID(__name__)));
  if (name) {
    char number[32];
    PyOS_snprintf(number, sizeof number, ":%d: ", lineno);
    const bool done = PyFile_WriteObject(filename, file.get(), Py_PRINT_RAW) >= 0 &&
                      PyFile_WriteString(number, file.get()) >= 0 &&
                      PyFile_WriteObject(name.get(), file.get(), Py_PRINT_RAW) >= 0 &&
                      PyFile_WriteString(": ", file.get()) >= 0 &&
                      PyFile_WriteObject(text, file.get(), Py_PRINT_RAW) >= 0 &&
                      PyFile_WriteString("\n", file.get()) >= 0;
    if (done && source_line == nullptr) {
      _Py_DisplaySourceLine(file.get(), filename, lineno, 2, nullptr, nullptr);
    } else if (done) {
      const Py_ssize_t length = PyUnicode_GET_LENGTH(source_line);
      Py_ssize_t start = 0;
      for (; start < length; start++) {
        const Py_UCS4 c = PyUnicode_READ_CHAR(source_line, start);
        if (c != ' ' && c != '\t' && c != '\014') break;
      }
      auto stripped = Ref<>::steal(PyUnicode_Substring(source_line, start, length));
      if (stripped) {
        PyFile_WriteString("  ", file.get());
        PyFile_WriteObject(stripped.get(), file.get(), Py_PRINT_RAW);
        PyFile_WriteString("\n", file.get());
      }
    }
  }
  if (PyErr_Occurred()) PyErr_Clear();
}

Status show(const Warning& warning, PyObject* message, PyObject* filename, PyObject* lineno, PyObject* source_line,
            PyObject* source) {
  // A source means a ResourceWarning that shows where the resource came from: for that the module is worth importing.
  auto function = module_attribute(&_Py_ID(_showwarnmsg), source != nullptr ? Import::kIfNeeded : Import::kNever);
  if (!function) {
    if (PyErr_Occurred()) return Status::kError;
    show_plainly(warning.category, warning.text, filename, static_cast<int>(warning.lineno), source_line);
    return Status::kOk;
  }
  if (!PyCallable_Check(function.get())) {
    return raise(PyExc_TypeError, "warnings._showwarnmsg() must be set to a callable");
  }
  auto type = module_attribute(&_Py_ID(WarningMessage), Import::kNever);
  if (!type) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "unable to get warnings.WarningMessage");
    return Status::kError;
  }
  auto record = Ref<>::steal(PyObject_CallFunctionObjArgs(type.get(), message, warning.category, filename, lineno,
                                                          Py_None, Py_None, source, nullptr));
  if (!record) return Status::kError;
  auto result = Ref<>::steal(PyObject_CallOneArg(function.get(), record.get()));
  return result ? Status::kOk : Status::kError;
}

/// The module name for a file: without ".py".
Ref<> module_from_filename(PyObject* filename) {
  if (PyUnicode_READY(filename) < 0) return nullptr;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(filename);
  if (length == 0) return Ref<>::steal(PyUnicode_FromString("<unknown>"));
  auto suffix = Ref<>::steal(PyUnicode_FromString(".py"));
  if (!suffix) return nullptr;
  if (PyUnicode_Tailmatch(filename, suffix.get(), 0, length, 1) == 1) {
    return Ref<>::steal(PyUnicode_Substring(filename, 0, length - 3));
  }
  return Ref<>::dup(filename);
}

/// `module`, `registry`, `source_line`, `source` may be null.
Status warn_explicit(PyObject* category, PyObject* message_, PyObject* filename, int lineno, PyObject* module_,
                     PyObject* registry, PyObject* source_line, PyObject* source) {
  // Late at shutdown the module's __name__ is None already.
  if (module_ == Py_None) return Status::kOk;
  if (registry != nullptr && !PyDict_Check(registry) && registry != Py_None) {
    return raise(PyExc_TypeError, "'registry' must be a dict or None");
  }
  if (registry == Py_None) registry = nullptr;
  if (source == Py_None) source = nullptr;

  auto module = module_ != nullptr ? Ref<>::dup(module_) : module_from_filename(filename);
  if (!module) return Status::kError;
  auto message = Ref<>::dup(message_);
  Ref<> text;
  const int is_warning = PyObject_IsInstance(message_, PyExc_Warning);
  if (is_warning < 0) return Status::kError;
  if (is_warning) {
    text = Ref<>::steal(PyObject_Str(message_));
    category = as_object(Py_TYPE(message_));
  } else {
    text = Ref<>::dup(message_);
    message = Ref<>::steal(PyObject_CallOneArg(category, message_));
  }
  if (!text || !message) return Status::kError;
  auto line = Ref<>::steal(PyLong_FromLong(lineno));
  if (!line) return Status::kError;
  auto key = Ref<>::steal(PyTuple_Pack(3, text.get(), category, line.get()));
  if (!key) return Status::kError;
  if (registry != nullptr) {
    const Lookup seen = already_warned(registry, key.get(), Remember::kNo);
    if (seen != Lookup::kMissing) return seen == Lookup::kError ? Status::kError : Status::kOk;
  }

  const Warning warning = {category, text.get(), lineno, module.get()};
  Ref<> filter;
  auto action = choose_action(warning, filter);
  if (!action) return Status::kError;
  if (is_text(action.get(), "error")) {
    PyErr_SetObject(category, message.get());
    return Status::kError;
  }
  if (is_text(action.get(), "ignore")) return Status::kOk;

  Lookup before = Lookup::kMissing;
  if (!is_text(action.get(), "always")) {
    if (registry != nullptr && PyDict_SetItem(registry, key.get(), Py_True) < 0) return Status::kError;
    if (is_text(action.get(), "once")) {
      if (registry == nullptr) {
        registry = once_registry();
        if (registry == nullptr) return Status::kError;
      }
      before = shown_before(registry, warning);
    } else if (is_text(action.get(), "module")) {
      if (registry != nullptr) before = shown_before(registry, warning);
    } else if (!is_text(action.get(), "default")) {
      return raise(PyExc_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R", action.get(),
                   filter.get());
    }
  }
  if (before == Lookup::kError) return Status::kError;
  if (before == Lookup::kFound) return Status::kOk;
  return show(warning, message.get(), filename, line.get(), source_line, source);
}

// ---- Where a warning comes from

bool contains(PyObject* text, const char* part) {
  auto needle = Ref<>::steal(PyUnicode_InternFromString(part));
  const int found = needle ? PyUnicode_Contains(text, needle.get()) : -1;
  if (found < 0) PyErr_Clear();
  return found > 0;
}

/// Frames of the import system do not count for stack levels.
bool is_internal(PyFrameObject* frame) {
  if (frame == nullptr) return false;
  auto code = Ref<PyCodeObject>::steal(PyFrame_GetCode(frame));
  PyObject* filename = code->co_filename;
  if (filename == nullptr || !PyUnicode_Check(filename)) return false;
  return contains(filename, "importlib") && contains(filename, "_bootstrap");
}

struct Context {
  Ref<> filename;
  int lineno;
  Ref<> module;
  Ref<> registry;
};

Status find_context(Py_ssize_t stack_level, Context& context) {
  auto frame = Ref<PyFrameObject>::steal(PyThreadState_GetFrame(_PyThreadState_GET()));
  const bool count_all = stack_level <= 0 || is_internal(frame.get());
  while (--stack_level > 0 && frame) {
    do {
      frame = Ref<PyFrameObject>::steal(PyFrame_GetBack(frame.get()));
    } while (!count_all && frame && is_internal(frame.get()));
  }
  Ref<> globals;
  if (frame) {
    globals = Ref<>::dup(frame->f_frame->f_globals);
    auto code = Ref<PyCodeObject>::steal(PyFrame_GetCode(frame.get()));
    context.filename = Ref<>::dup(code->co_filename);
    context.lineno = PyFrame_GetLineNumber(frame.get());
  } else {
    globals = Ref<>::dup(_PyInterpreterState_GET()->sysdict);
    context.filename = Ref<>::steal(PyUnicode_FromString("sys"));
    context.lineno = 1;
  }
  if (!context.filename || !globals) return Status::kError;

  PyObject* registry = PyDict_GetItemWithError(globals.get(), &_Py_ID(__warningregistry__));
  if (registry != nullptr) {
    context.registry = Ref<>::dup(registry);
  } else {
    if (PyErr_Occurred()) return Status::kError;
    context.registry = Ref<>::steal(PyDict_New());
    if (!context.registry ||
        PyDict_SetItem(globals.get(), &_Py_ID(__warningregistry__), context.registry.get()) < 0) {
      return Status::kError;
    }
  }
  PyObject* name = PyDict_GetItemWithError(globals.get(), &_Py_ID(__name__));
  if (name == nullptr && PyErr_Occurred()) return Status::kError;
  if (name != nullptr && (name == Py_None || PyUnicode_Check(name))) {
    context.module = Ref<>::dup(name);
  } else {
    context.module = Ref<>::steal(PyUnicode_FromString("<string>"));
  }
  return context.module ? Status::kOk : Status::kError;
}

Status warn(PyObject* category, PyObject* message, Py_ssize_t stack_level, PyObject* source) {
  Context context;
  VM_CHECK(find_context(stack_level, context));
  return warn_explicit(category, message, context.filename.get(), context.lineno, context.module.get(),
                       context.registry.get(), nullptr, source);
}

/// The category that the arguments of warnings.warn() stand for, borrowed.
PyObject* effective_category(PyObject* message, PyObject* category) {
  const int is_warning = PyObject_IsInstance(message, PyExc_Warning);
  if (is_warning < 0) return nullptr;
  if (is_warning) return as_object(Py_TYPE(message));
  if (category == nullptr || category == Py_None) return PyExc_UserWarning;
  const int is_category = PyObject_IsSubclass(category, PyExc_Warning);
  if (is_category <= 0) {
    // The error of issubclass() about something that is no class is replaced, too.
    return raise(PyExc_TypeError, "category must be a Warning subclass, not '%s'", Py_TYPE(category)->tp_name);
  }
  return category;
}

Ref<> module_warn(Borrowed<>, Borrowed<> message, PyObject* category, Optional<Py_ssize_t> stacklevel,
                  PyObject* source) {
  category = effective_category(message, category);
  if (category == nullptr) return nullptr;
  VM_CHECK(warn(category, message, stacklevel.value_or(1), source));
  return Ref<>::none();
}

/// The source line through the module's loader; null without an exception if there is none.
Ref<> line_from_loader(PyObject* globals, int lineno) {
  auto loader = Ref<>::dup(PyDict_GetItemWithError(globals, &_Py_ID(__loader__)));
  if (!loader) return nullptr;
  auto name = Ref<>::dup(PyDict_GetItemWithError(globals, &_Py_ID(__name__)));
  if (!name) return nullptr;
  PyObject* found;
  if (_PyObject_LookupAttr(loader.get(), &_Py_ID(get_source), &found) <= 0) return nullptr;
  auto get_source = Ref<>::steal(found);
  auto source = Ref<>::steal(PyObject_CallOneArg(get_source.get(), name.get()));
  if (!source || source.get() == Py_None) return nullptr;
  auto lines = Ref<>::steal(PyUnicode_Splitlines(source.get(), 0));
  if (!lines) return nullptr;
  return Ref<>::dup(PyList_GetItem(lines.get(), lineno - 1));
}

PyObject* module_warn_explicit(PyObject*, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"message", "category", "filename",       "lineno", "module",
                                       "registry", "module_globals", "source", nullptr};
  PyObject *message, *category, *filename;
  int lineno;
  PyObject *module = nullptr, *registry = nullptr, *globals = nullptr, *source = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOUi|OOOO:warn_explicit", const_cast<char**>(kNames), &message,
                                   &category, &filename, &lineno, &module, &registry, &globals, &source)) {
    return nullptr;
  }
  Ref<> source_line;
  if (globals != nullptr && globals != Py_None) {
    if (!PyDict_Check(globals)) {
      return raise(PyExc_TypeError, "module_globals must be a dict, not '%.200s'", Py_TYPE(globals)->tp_name);
    }
    source_line = line_from_loader(globals, lineno);
    if (!source_line && PyErr_Occurred()) return nullptr;
  }
  if (!ok(warn_explicit(category, message, filename, lineno, module, registry, source_line.get(), source))) {
    return nullptr;
  }
  return Py_NewRef(Py_None);
}

Ref<> filters_mutated(Borrowed<>) {
  warnings_state().filters_version++;
  return Ref<>::none();
}

PyMethodDef methods[] = {
    method<module_warn, "warn($module, /, message, category=None, stacklevel=1, source=None)",
           "Issues a warning, or ignores it, or raises it.">(),
    {"warn_explicit", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(module_warn_explicit)),
     METH_VARARGS | METH_KEYWORDS, "Issues a warning for a place that is given."},
    method<filters_mutated, "_filters_mutated($module, /)", "Has to be called after every change of the filters.">(),
    {}};

int execute(PyObject* module) {
  const WarningsState& state = warnings_state();
  if (PyModule_AddObjectRef(module, "filters", state.filters) < 0) return -1;
  if (PyModule_AddObjectRef(module, "_onceregistry", state.once_registry) < 0) return -1;
  return PyModule_AddObjectRef(module, "_defaultaction", state.default_action);
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_warnings",
                          .m_doc = "The part of warnings that has to work before any module is imported.",
                          .m_methods = methods,
                          .m_slots = slots};

int warn_format(PyObject* source, PyObject* category, Py_ssize_t stack_level, const char* format, va_list arguments) {
  auto message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  if (!message) return -1;
  return static_cast<int>(
      warn(category != nullptr ? category : PyExc_RuntimeWarning, message.get(), stack_level, source));
}

}  // namespace
}  // namespace pyston

using namespace pyston;

int _PyWarnings_InitState(PyInterpreterState* interp) {
  WarningsState& state = interp->warnings;
  if (state.filters == nullptr) state.filters = initial_filters();
  if (state.once_registry == nullptr) state.once_registry = PyDict_New();
  if (state.default_action == nullptr) state.default_action = PyUnicode_FromString("default");
  state.filters_version = 0;
  return state.filters != nullptr && state.once_registry != nullptr && state.default_action != nullptr ? 0 : -1;
}

void _PyWarnings_Fini(PyInterpreterState* interp) {
  Py_CLEAR(interp->warnings.filters);
  Py_CLEAR(interp->warnings.once_registry);
  Py_CLEAR(interp->warnings.default_action);
}

PyMODINIT_FUNC _PyWarnings_Init(void) { return PyModuleDef_Init(&definition); }

int PyErr_WarnEx(PyObject* category, const char* text, Py_ssize_t stack_level) {
  auto message = Ref<>::steal(PyUnicode_FromString(text));
  if (!message) return -1;
  return static_cast<int>(
      warn(category != nullptr ? category : PyExc_RuntimeWarning, message.get(), stack_level, nullptr));
}

int PyErr_WarnFormat(PyObject* category, Py_ssize_t stack_level, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = warn_format(nullptr, category, stack_level, format, arguments);
  va_end(arguments);
  return result;
}

int PyErr_ResourceWarning(PyObject* source, Py_ssize_t stack_level, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = warn_format(source, PyExc_ResourceWarning, stack_level, format, arguments);
  va_end(arguments);
  return result;
}

int PyErr_WarnExplicitObject(PyObject* category, PyObject* message, PyObject* filename, int lineno, PyObject* module,
                             PyObject* registry) {
  if (category == nullptr) category = PyExc_RuntimeWarning;
  return static_cast<int>(warn_explicit(category, message, filename, lineno, module, registry, nullptr, nullptr));
}

int PyErr_WarnExplicit(PyObject* category, const char* text, const char* filename_text, int lineno,
                       const char* module_text, PyObject* registry) {
  auto message = Ref<>::steal(PyUnicode_FromString(text));
  auto filename = Ref<>::steal(message ? PyUnicode_DecodeFSDefault(filename_text) : nullptr);
  if (!filename) return -1;
  Ref<> module;
  if (module_text != nullptr) {
    module = Ref<>::steal(PyUnicode_FromString(module_text));
    if (!module) return -1;
  }
  return PyErr_WarnExplicitObject(category, message.get(), filename.get(), lineno, module.get(), registry);
}

int PyErr_WarnExplicitFormat(PyObject* category, const char* filename_text, int lineno, const char* module_text,
                             PyObject* registry, const char* format, ...) {
  auto filename = Ref<>::steal(PyUnicode_DecodeFSDefault(filename_text));
  if (!filename) return -1;
  Ref<> module;
  if (module_text != nullptr) {
    module = Ref<>::steal(PyUnicode_FromString(module_text));
    if (!module) return -1;
  }
  va_list arguments;
  va_start(arguments, format);
  auto message = Ref<>::steal(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (!message) return -1;
  return static_cast<int>(
      warn_explicit(category, message.get(), filename.get(), lineno, module.get(), registry, nullptr, nullptr));
}

void _PyErr_WarnUnawaitedCoroutine(PyObject* coroutine) {
  auto function = module_attribute(&_Py_ID(_warn_unawaited_coroutine), Import::kIfNeeded);
  bool warned = false;
  if (function) {
    auto result = Ref<>::steal(PyObject_CallOneArg(function.get(), coroutine));
    // A broken hook still leaves the plain warning; one turned into an exception has been given.
    warned = result || PyErr_ExceptionMatches(PyExc_RuntimeWarning);
    if (!result) PyErr_WriteUnraisable(coroutine);
  } else if (PyErr_Occurred()) {
    PyErr_WriteUnraisable(coroutine);
  }
  if (warned) return;
  if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%S' was never awaited",
                       reinterpret_cast<PyCoroObject*>(coroutine)->cr_qualname) < 0) {
    PyErr_WriteUnraisable(coroutine);
  }
}
