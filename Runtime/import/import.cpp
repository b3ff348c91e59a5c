// The import statement's machinery below importlib: sys.modules, the fast path of a module that is already there, the
// global import lock, and the C API of `import.h`. Finding and loading is importlib's, the installed Python code.
#include "Runtime/import/import_internal.h"

#include "internal/pycore_ceval.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pylifecycle.h"

using namespace pyston;
using namespace pyston::import;

// ---- sys.modules --------------------------------------------------------------------------------------------------

namespace {

/// Borrowed from the interpreter; null with RuntimeError once it is gone.
PyObject* modules_of(PyInterpreterState* interp) {
  if (interp->modules == nullptr) PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
  return interp->modules;
}

/// New reference, or null; a miss sets no exception.
PyObject* get_module(PyThreadState* tstate, PyObject* name) {
  PyObject* modules = tstate->interp->modules;
  if (modules == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
    return nullptr;
  }
  if (LIKELY(PyDict_CheckExact(modules))) return Py_XNewRef(PyDict_GetItemWithError(modules, name));
  PyObject* module = PyObject_GetItem(modules, name);
  if (module == nullptr && PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_Clear();
  return module;
}

}  // namespace

int _PyImport_IsInitialized(PyInterpreterState* interp) { return interp->modules != nullptr; }

PyObject* PyImport_GetModuleDict(void) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  if (interp->modules == nullptr) Py_FatalError("interpreter has no modules dictionary");
  return interp->modules;
}

PyObject* _PyImport_GetModuleId(_Py_Identifier* id) {
  PyObject* name = _PyUnicode_FromId(id);
  return name == nullptr ? nullptr : PyImport_GetModule(name);
}

int _PyImport_SetModule(PyObject* name, PyObject* module) {
  PyObject* modules = modules_of(_PyInterpreterState_GET());
  return modules == nullptr ? -1 : PyObject_SetItem(modules, name, module);
}

int _PyImport_SetModuleString(const char* name, PyObject* module) {
  PyObject* modules = modules_of(_PyInterpreterState_GET());
  return modules == nullptr ? -1 : PyMapping_SetItemString(modules, name, module);
}

namespace {

/// New reference to sys.modules[name], made empty when missing.
Ref<> add_module(PyThreadState* tstate, PyObject* name) {
  PyObject* modules = modules_of(tstate->interp);
  if (modules == nullptr) return nullptr;
  PyObject* existing = get_module(tstate, name);
  if (existing != nullptr && PyModule_Check(existing)) return Ref<>::steal(existing);
  Py_XDECREF(existing);
  if (PyErr_Occurred()) return nullptr;
  auto module = VM_TRY(Ref<>::steal(PyModule_NewObject(name)));
  VM_CHECK(PyObject_SetItem(modules, name, module.get()));
  return module;
}

void remove_module(PyThreadState* tstate, PyObject* name) {
  PyObject* type;
  PyObject* value;
  PyObject* traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject* modules = tstate->interp->modules;
  if (modules != nullptr && PyMapping_HasKey(modules, name) && PyObject_DelItem(modules, name) < 0) {
    _PyErr_WriteUnraisableMsg("removing a module that failed to import", name);
  }
  PyErr_Restore(type, value, traceback);
}

}  // namespace

/// Borrowed from sys.modules.
PyObject* PyImport_AddModuleObject(PyObject* name) {
  Ref<> module = add_module(_PyThreadState_GET(), name);
  if (!module) return nullptr;
  return module.get();  // sys.modules holds it
}

PyObject* PyImport_AddModule(const char* name) {
  Ref<> text = Ref<>::steal(PyUnicode_FromString(name));
  return text ? PyImport_AddModuleObject(text.get()) : nullptr;
}

PyObject* _PyImport_GetModuleAttr(PyObject* module_name, PyObject* attribute) {
  Ref<> module = Ref<>::steal(PyImport_Import(module_name));
  return module ? PyObject_GetAttr(module.get(), attribute) : nullptr;
}

PyObject* _PyImport_GetModuleAttrString(const char* module_name, const char* attribute) {
  Ref<> name = Ref<>::steal(PyUnicode_FromString(module_name));
  Ref<> key = Ref<>::steal(PyUnicode_FromString(attribute));
  return name && key ? _PyImport_GetModuleAttr(name.get(), key.get()) : nullptr;
}

// ---- the global import lock (recursive, kept for `imp` and fork) ---------------------------------------------------

namespace {
PyThread_type_lock import_lock = nullptr;
unsigned long import_lock_owner = PYTHREAD_INVALID_THREAD_ID;
int import_lock_depth = 0;
}  // namespace

void _PyImport_AcquireLock(void) {
  const unsigned long me = PyThread_get_thread_ident();
  if (me == PYTHREAD_INVALID_THREAD_ID) return;
  if (import_lock == nullptr) import_lock = PyThread_allocate_lock();
  if (import_lock == nullptr) return;
  if (import_lock_owner == me) {
    import_lock_depth++;
    return;
  }
  if (import_lock_owner != PYTHREAD_INVALID_THREAD_ID || !PyThread_acquire_lock(import_lock, 0)) {
    PyThreadState* saved = PyEval_SaveThread();
    PyThread_acquire_lock(import_lock, WAIT_LOCK);
    PyEval_RestoreThread(saved);
  }
  import_lock_owner = me;
  import_lock_depth = 1;
}

int _PyImport_ReleaseLock(void) {
  const unsigned long me = PyThread_get_thread_ident();
  if (me == PYTHREAD_INVALID_THREAD_ID || import_lock == nullptr) return 0;
  if (import_lock_owner != me) return -1;
  if (--import_lock_depth == 0) {
    import_lock_owner = PYTHREAD_INVALID_THREAD_ID;
    PyThread_release_lock(import_lock);
  }
  return 1;
}

/// In a forked child the lock may belong to a thread that no longer exists.
PyStatus _PyImport_ReInitLock(void) {
  if (import_lock != nullptr) {
    import_lock = PyThread_allocate_lock();
    if (import_lock == nullptr) return PyStatus_NoMemory();
    if (import_lock_depth > 1) {
      PyThread_acquire_lock(import_lock, NOWAIT_LOCK);
      import_lock_owner = PyThread_get_thread_ident();
      import_lock_depth--;
    } else {
      import_lock_owner = PYTHREAD_INVALID_THREAD_ID;
      import_lock_depth = 0;
    }
  }
  return PyStatus_Ok();
}

namespace pyston::import {
bool lock_held() { return import_lock_owner != PYTHREAD_INVALID_THREAD_ID; }
}  // namespace pyston::import

void _PyImport_Fini(void) {
  forget_extensions();
  if (import_lock != nullptr) {
    PyThread_free_lock(import_lock);
    import_lock = nullptr;
  }
}

void _PyImport_Fini2(void) {}

// ---- import --------------------------------------------------------------------------------------------------------

namespace {

/// Drops the frames of importlib from a traceback, unless -v wants them, so that users see their own import line.
void remove_importlib_frames(PyThreadState* tstate) {
  PyObject* type;
  PyObject* value;
  PyObject* base_traceback;
  PyErr_Fetch(&type, &value, &base_traceback);
  if (type != nullptr && _PyInterpreterState_GetConfig(tstate->interp)->verbose == 0) {
    const bool always_trim = PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type),
                                              reinterpret_cast<PyTypeObject*>(PyExc_ImportError));
    PyObject** outer_link = nullptr;  // where the chunk being looked at hangs; set while inside importlib
    PyObject** previous = &base_traceback;
    PyObject* traceback = base_traceback;
    bool in_importlib = false;
    while (traceback != nullptr) {
      auto* row = reinterpret_cast<PyTracebackObject*>(traceback);
      PyCodeObject* code = PyFrame_GetCode(row->tb_frame);
      const bool now_in_importlib =
          PyUnicode_CompareWithASCIIString(code->co_filename, "<frozen importlib._bootstrap>") == 0 ||
          PyUnicode_CompareWithASCIIString(code->co_filename, "<frozen importlib._bootstrap_external>") == 0;
      const bool is_marker = PyUnicode_CompareWithASCIIString(code->co_name, "_call_with_frames_removed") == 0;
      Py_DECREF(code);
      if (now_in_importlib && !in_importlib) outer_link = previous;
      in_importlib = now_in_importlib;
      PyObject* next = as_object(row->tb_next);
      if (in_importlib && (always_trim || is_marker)) {
        Py_XINCREF(next);
        Py_XSETREF(*outer_link, next);
        previous = outer_link;
      } else {
        previous = reinterpret_cast<PyObject**>(&row->tb_next);
      }
      traceback = next;
    }
  }
  PyErr_Restore(type, value, base_traceback);
}

/// Absolute name of a relative import from `globals`.
Ref<> resolve_name(PyThreadState* tstate, PyObject* name, PyObject* globals, int level) {
  if (globals == nullptr) return raise(PyExc_KeyError, "'__name__' not in globals");
  if (!PyDict_Check(globals)) return raise(PyExc_TypeError, "globals must be a dict");
  PyObject* given = PyDict_GetItemWithError(globals, &_Py_ID(__package__));
  if (given == nullptr && PyErr_Occurred()) return nullptr;
  PyObject* spec = PyDict_GetItemWithError(globals, &_Py_ID(__spec__));
  if (spec == nullptr && PyErr_Occurred()) return nullptr;
  Ref<> package;
  if (given != nullptr && given != Py_None) {
    if (!PyUnicode_Check(given)) return raise(PyExc_TypeError, "package must be a string");
    package = Ref<>::dup(given);
    if (spec != nullptr && spec != Py_None) {
      auto parent = VM_TRY(Ref<>::steal(PyObject_GetAttr(spec, &_Py_ID(parent))));
      const int equal = PyObject_RichCompareBool(given, parent.get(), Py_EQ);
      if (equal < 0) return nullptr;
      if (equal == 0 && PyErr_WarnEx(PyExc_ImportWarning, "__package__ != __spec__.parent", 1) < 0) return nullptr;
    }
  } else if (spec != nullptr && spec != Py_None) {
    package = VM_TRY(Ref<>::steal(PyObject_GetAttr(spec, &_Py_ID(parent))));
    if (!PyUnicode_Check(package.get())) return raise(PyExc_TypeError, "__spec__.parent must be a string");
  } else {
    if (PyErr_WarnEx(PyExc_ImportWarning,
                     "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__",
                     1) < 0) {
      return nullptr;
    }
    PyObject* module_name = PyDict_GetItemWithError(globals, &_Py_ID(__name__));
    if (module_name == nullptr) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
      return nullptr;
    }
    if (!PyUnicode_Check(module_name)) return raise(PyExc_TypeError, "__name__ must be a string");
    const int has_path = PyDict_Contains(globals, &_Py_ID(__path__));
    if (has_path < 0) return nullptr;
    package = Ref<>::dup(module_name);
    if (!has_path) {
      const Py_ssize_t dot = PyUnicode_FindChar(module_name, '.', 0, PyUnicode_GET_LENGTH(module_name), -1);
      if (dot == -2) return nullptr;
      if (dot == -1) return raise(PyExc_ImportError, "attempted relative import with no known parent package");
      package = VM_TRY(Ref<>::steal(PyUnicode_Substring(module_name, 0, dot)));
    }
  }
  Py_ssize_t end = PyUnicode_GET_LENGTH(package.get());
  if (end == 0) return raise(PyExc_ImportError, "attempted relative import with no known parent package");
  for (int up = 1; up < level; up++) {
    end = PyUnicode_FindChar(package.get(), '.', 0, end, -1);
    if (end == -2) return nullptr;
    if (end == -1) return raise(PyExc_ImportError, "attempted relative import beyond top-level package");
  }
  auto base = VM_TRY(Ref<>::steal(PyUnicode_Substring(package.get(), 0, end)));
  if (PyUnicode_GET_LENGTH(name) == 0) return base;
  return Ref<>::steal(PyUnicode_FromFormat("%U.%U", base.get(), name));
}

/// Waits for a module that another thread is still initialising.
Status ensure_initialized(PyThreadState* tstate, PyObject* module, PyObject* name) {
  PyObject* spec = nullptr;
  if (_PyObject_LookupAttr(module, &_Py_ID(__spec__), &spec) < 0) return Status::kError;
  const int busy = _PyModuleSpec_IsInitializing(spec);
  Py_XDECREF(spec);
  if (!busy) return Status::kOk;
  Ref<> value = Ref<>::steal(
      PyObject_CallMethodOneArg(tstate->interp->importlib, &_Py_ID(_lock_unlock_module), name));
  return value ? Status::kOk : Status::kError;
}

Ref<> find_and_load(PyThreadState* tstate, PyObject* name) {
  PyInterpreterState* interp = tstate->interp;
  static int depth = 0;
  static _PyTime_t accumulated = 0;
  const bool timed = _PyInterpreterState_GetConfig(interp)->import_time != 0;
  if (PySys_Audit("import", "OOOOO", name, Py_None, PySys_GetObject("path") ?: Py_None,
                  PySys_GetObject("meta_path") ?: Py_None, PySys_GetObject("path_hooks") ?: Py_None) < 0) {
    return nullptr;
  }
  _PyTime_t started = 0;
  _PyTime_t outer_accumulated = accumulated;
  if (timed) {
    if (depth == 0) fputs("import time: self [us] | cumulative | imported package\n", stderr);
    depth++;
    started = _PyTime_GetPerfCounter();
    accumulated = 0;
  }
  Ref<> module = Ref<>::steal(
      PyObject_CallMethodObjArgs(interp->importlib, &_Py_ID(_find_and_load), name, interp->import_func, nullptr));
  if (timed) {
    depth--;
    const _PyTime_t total = _PyTime_GetPerfCounter() - started;
    const char* text = PyUnicode_AsUTF8(name);
    fprintf(stderr, "import time: %9ld | %10ld | %*s%s\n",
            static_cast<long>(_PyTime_AsMicroseconds(total - accumulated, _PyTime_ROUND_CEILING)),
            static_cast<long>(_PyTime_AsMicroseconds(total, _PyTime_ROUND_CEILING)), depth * 2, "",
            text == nullptr ? "?" : text);
    accumulated = outer_accumulated + total;
  }
  return module;
}

/// What `import a.b.c` binds without a fromlist: the head package.
Ref<> head_of(PyThreadState* tstate, PyObject* name, PyObject* absolute, Ref<> module, int level) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  if (level != 0 && length == 0) return module;
  const Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
  if (dot == -2) return nullptr;
  if (dot == -1) return module;
  if (level == 0) {
    auto front = VM_TRY(Ref<>::steal(PyUnicode_Substring(name, 0, dot)));
    return Ref<>::steal(PyImport_ImportModuleLevelObject(front.get(), nullptr, nullptr, nullptr, 0));
  }
  const Py_ssize_t cut = length - dot;
  auto head = VM_TRY(Ref<>::steal(PyUnicode_Substring(absolute, 0, PyUnicode_GET_LENGTH(absolute) - cut)));
  Ref<> result = Ref<>::steal(get_module(tstate, head.get()));
  if (!result && !PyErr_Occurred()) return raise(PyExc_KeyError, "%R not in sys.modules as expected", head.get());
  return result;
}

Ref<> import_level(PyThreadState* tstate, PyObject* name, PyObject* globals, PyObject* fromlist, int level) {
  if (name == nullptr) return raise(PyExc_ValueError, "Empty module name");
  if (!PyUnicode_Check(name)) return raise(PyExc_TypeError, "module name must be a string");
  if (level < 0) return raise(PyExc_ValueError, "level must be >= 0");
  Ref<> absolute;
  if (level > 0) {
    absolute = VM_TRY(resolve_name(tstate, name, globals, level));
  } else {
    if (PyUnicode_GET_LENGTH(name) == 0) return raise(PyExc_ValueError, "Empty module name");
    absolute = Ref<>::dup(name);
  }
  Ref<> module = Ref<>::steal(get_module(tstate, absolute.get()));
  if (!module && PyErr_Occurred()) return nullptr;
  if (module && module.get() != Py_None) {
    VM_CHECK(ensure_initialized(tstate, module.get(), absolute.get()));
  } else {
    module = VM_TRY(find_and_load(tstate, absolute.get()));
  }
  int has_from = 0;
  if (fromlist != nullptr && fromlist != Py_None) {
    has_from = PyObject_IsTrue(fromlist);
    if (has_from < 0) return nullptr;
  }
  if (!has_from) return head_of(tstate, name, absolute.get(), std::move(module), level);
  PyObject* path = nullptr;
  VM_CHECK(_PyObject_LookupAttr(module.get(), &_Py_ID(__path__), &path));
  if (path == nullptr) return module;
  Py_DECREF(path);
  PyInterpreterState* interp = tstate->interp;
  return Ref<>::steal(PyObject_CallMethodObjArgs(interp->importlib, &_Py_ID(_handle_fromlist), module.get(), fromlist,
                                                 interp->import_func, nullptr));
}

}  // namespace

/// Null without an exception when there is no such module.
PyObject* PyImport_GetModule(PyObject* name) {
  PyThreadState* tstate = _PyThreadState_GET();
  Ref<> module = Ref<>::steal(get_module(tstate, name));
  if (module && module.get() != Py_None && failed(ensure_initialized(tstate, module.get(), name))) {
    remove_importlib_frames(tstate);
    return nullptr;
  }
  return module.release();
}

PyObject* PyImport_ImportModuleLevelObject(PyObject* name, PyObject* globals, PyObject*, PyObject* fromlist, int level) {
  PyThreadState* tstate = _PyThreadState_GET();
  PyObject* module = import_level(tstate, name, globals, fromlist, level).release();
  if (UNLIKELY(module == nullptr)) remove_importlib_frames(tstate);
  return module;
}

PyObject* PyImport_ImportModuleLevel(const char* name, PyObject* globals, PyObject* locals, PyObject* fromlist,
                                     int level) {
  Ref<> text = Ref<>::steal(PyUnicode_FromString(name));
  return text ? PyImport_ImportModuleLevelObject(text.get(), globals, locals, fromlist, level) : nullptr;
}

PyObject* PyImport_ImportModule(const char* name) {
  Ref<> text = Ref<>::steal(PyUnicode_FromString(name));
  return text ? PyImport_Import(text.get()) : nullptr;
}

PyObject* PyImport_ImportModuleNoBlock(const char* name) { return PyImport_ImportModule(name); }

/// Imports through the current `__import__`, as a Python import statement in the running frame would.
PyObject* PyImport_Import(PyObject* name) {
  PyThreadState* tstate = _PyThreadState_GET();
  Ref<> globals = Ref<>::dup(PyEval_GetGlobals());
  Ref<> builtins;
  if (globals) {
    builtins = Ref<>::steal(PyObject_GetItem(globals.get(), &_Py_ID(__builtins__)));
    if (!builtins) return nullptr;
  } else {
    builtins = Ref<>::steal(PyImport_ImportModuleLevel("builtins", nullptr, nullptr, nullptr, 0));
    if (!builtins) return nullptr;
    globals = Ref<>::steal(Py_BuildValue("{OO}", &_Py_ID(__builtins__), builtins.get()));
    if (!globals) return nullptr;
  }
  Ref<> import_function;
  if (PyDict_Check(builtins.get())) {
    import_function = Ref<>::steal(PyObject_GetItem(builtins.get(), &_Py_ID(__import__)));
    if (!import_function) PyErr_SetObject(PyExc_KeyError, &_Py_ID(__import__));
  } else {
    import_function = Ref<>::steal(PyObject_GetAttr(builtins.get(), &_Py_ID(__import__)));
  }
  if (!import_function) return nullptr;
  Ref<> fromlist = Ref<>::steal(PyList_New(0));
  if (!fromlist) return nullptr;
  Ref<> result = Ref<>::steal(PyObject_CallFunction(import_function.get(), "OOOOi", name, globals.get(), globals.get(),
                                                    fromlist.get(), 0));
  if (!result) return nullptr;
  PyObject* module = get_module(tstate, name);
  if (module == nullptr && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, name);
  return module;
}

PyObject* PyImport_ReloadModule(PyObject* module) {
  Ref<> importlib = Ref<>::steal(PyImport_ImportModule("importlib"));
  if (!importlib) return nullptr;
  return PyObject_CallMethodOneArg(importlib.get(), &_Py_ID(reload), module);
}

PyObject* PyImport_GetImporter(PyObject* path) {
  PyObject* cache = PySys_GetObject("path_importer_cache");
  PyObject* hooks = PySys_GetObject("path_hooks");
  if (cache == nullptr || hooks == nullptr || !PyDict_Check(cache) || !PyList_Check(hooks)) return Py_NewRef(Py_None);
  PyObject* known = PyDict_GetItemWithError(cache, path);
  if (known != nullptr || PyErr_Occurred()) return Py_XNewRef(known);
  if (PyDict_SetItem(cache, path, Py_None) < 0) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks); i++) {
    Ref<> hook = Ref<>::dup(PyList_GET_ITEM(hooks, i));
    Ref<> importer = Ref<>::steal(PyObject_CallOneArg(hook.get(), path));
    if (importer) {
      if (PyDict_SetItem(cache, path, importer.get()) < 0) return nullptr;
      return importer.release();
    }
    if (!PyErr_ExceptionMatches(PyExc_ImportError)) return nullptr;
    PyErr_Clear();
  }
  return Py_NewRef(Py_None);
}

// ---- running a module's code ----------------------------------------------------------------------------------------

namespace {

Ref<> module_dict_for_exec(PyThreadState* tstate, PyObject* name) {
  Ref<> module = add_module(tstate, name);
  if (!module) return nullptr;
  PyObject* dict = PyModule_GetDict(module.get());
  const int present = PyDict_Contains(dict, &_Py_ID(__builtins__));
  if (present < 0 || (present == 0 && PyDict_SetItem(dict, &_Py_ID(__builtins__), PyEval_GetBuiltins()) < 0)) {
    remove_module(tstate, name);
    return nullptr;
  }
  return Ref<>::dup(dict);
}

Ref<> exec_in_module(PyThreadState* tstate, PyObject* name, PyObject* dict, PyObject* code) {
  Ref<> value = Ref<>::steal(PyEval_EvalCode(code, dict, dict));
  if (!value) {
    remove_module(tstate, name);
    return nullptr;
  }
  Ref<> module = Ref<>::steal(get_module(tstate, name));
  if (!module && !PyErr_Occurred()) return raise(PyExc_ImportError, "Loaded module %R not found in sys.modules", name);
  return module;
}

}  // namespace

PyObject* PyImport_ExecCodeModuleObject(PyObject* name, PyObject* code, PyObject* pathname, PyObject* cpathname) {
  PyThreadState* tstate = _PyThreadState_GET();
  Ref<> dict = module_dict_for_exec(tstate, name);
  if (!dict) return nullptr;
  if (pathname == nullptr) pathname = reinterpret_cast<PyCodeObject*>(code)->co_filename;
  PyObject* external = PyObject_GetAttrString(tstate->interp->importlib, "_bootstrap_external");
  if (external == nullptr) {
    remove_module(tstate, name);
    return nullptr;
  }
  Ref<> result = Ref<>::steal(PyObject_CallMethodObjArgs(external, &_Py_ID(_fix_up_module), dict.get(), name, pathname,
                                                         cpathname == nullptr ? Py_None : cpathname, nullptr));
  Py_DECREF(external);
  if (!result) {
    remove_module(tstate, name);
    return nullptr;
  }
  return exec_in_module(tstate, name, dict.get(), code).release();
}

PyObject* PyImport_ExecCodeModuleWithPathnames(const char* name, PyObject* code, const char* pathname,
                                               const char* cpathname) {
  Ref<> text = Ref<>::steal(PyUnicode_FromString(name));
  if (!text) return nullptr;
  Ref<> cpath;
  if (cpathname != nullptr && !(cpath = Ref<>::steal(PyUnicode_DecodeFSDefault(cpathname)))) return nullptr;
  Ref<> path;
  if (pathname != nullptr) {
    path = Ref<>::steal(PyUnicode_DecodeFSDefault(pathname));
    if (!path) return nullptr;
  } else if (cpath) {
    PyInterpreterState* interp = _PyInterpreterState_GET();
    Ref<> external = Ref<>::steal(PyObject_GetAttrString(interp->importlib, "_bootstrap_external"));
    if (external) {
      path = Ref<>::steal(PyObject_CallMethodOneArg(external.get(), &_Py_ID(_get_sourcefile), cpath.get()));
    }
    if (!path) PyErr_Clear();
  }
  return PyImport_ExecCodeModuleObject(text.get(), code, path.get(), cpath.get());
}

PyObject* PyImport_ExecCodeModuleEx(const char* name, PyObject* code, const char* pathname) {
  return PyImport_ExecCodeModuleWithPathnames(name, code, pathname, nullptr);
}

PyObject* PyImport_ExecCodeModule(const char* name, PyObject* code) {
  return PyImport_ExecCodeModuleWithPathnames(name, code, nullptr, nullptr);
}

// ---- magic numbers --------------------------------------------------------------------------------------------------

long PyImport_GetMagicNumber(void) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  Ref<> external = Ref<>::steal(PyObject_GetAttrString(interp->importlib, "_bootstrap_external"));
  if (!external) return -1;
  Ref<> number = Ref<>::steal(PyObject_GetAttrString(external.get(), "_RAW_MAGIC_NUMBER"));
  return number ? PyLong_AsLong(number.get()) : -1;
}

const char* PyImport_GetMagicTag(void) { return "cpython-311"; }

// ---- frozen modules -------------------------------------------------------------------------------------------------

int PyImport_ImportFrozenModuleObject(PyObject* name) {
  PyThreadState* tstate = _PyThreadState_GET();
  const char* original = nullptr;
  const _frozen* frozen = find_frozen(name, &original);
  if (frozen == nullptr || frozen->code == nullptr) return 0;
  Ref<PyCodeObject> code = frozen_code(frozen, name);
  if (!code) return -1;
  if (frozen->is_package) {
    Ref<> module = add_module(tstate, name);
    Ref<> path = Ref<>::steal(PyList_New(0));
    if (!module || !path || PyDict_SetItemString(PyModule_GetDict(module.get()), "__path__", path.get()) < 0) return -1;
  }
  Ref<> dict = module_dict_for_exec(tstate, name);
  if (!dict) return -1;
  Ref<> module = exec_in_module(tstate, name, dict.get(), code.object());
  if (!module) return -1;
  // FrozenImporter reads it when it completes the module.
  Ref<> original_name = original == nullptr ? Ref<>::none() : Ref<>::steal(PyUnicode_FromString(original));
  if (!original_name || PyObject_SetAttrString(module.get(), "__origname__", original_name.get()) < 0) return -1;
  return 1;
}

int PyImport_ImportFrozenModule(const char* name) {
  Ref<> text = Ref<>::steal(PyUnicode_InternFromString(name));
  return text ? PyImport_ImportFrozenModuleObject(text.get()) : -1;
}
