// Creation of the sys module: its constants, the structures of version, flags and implementation, and what the
// configuration puts into it.
#include <limits.h>

#include "Lib/native/sys/sys_internal.h"
#include "Objects/bind.h"
#include "internal/pycore_floatobject.h"
#include "internal/pycore_initconfig.h"
#include "internal/pycore_long.h"
#include "internal/pycore_namespace.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pathconfig.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_structseq.h"
#include "internal/pycore_tuple.h"
#include "pythread.h"

namespace pyston::sys {

Status ready_asyncgen_hooks();

namespace {

PyTypeObject flags_type;
PyTypeObject version_info_type;
PyTypeObject hash_info_type;
PyTypeObject pyston_version_info_type;

PyStructSequence_Field flags_fields[] = {{"debug", "-d"},
                                         {"inspect", "-i"},
                                         {"interactive", "-i"},
                                         {"optimize", "-O or -OO"},
                                         {"dont_write_bytecode", "-B"},
                                         {"no_user_site", "-s"},
                                         {"no_site", "-S"},
                                         {"ignore_environment", "-E"},
                                         {"verbose", "-v"},
                                         {"bytes_warning", "-b"},
                                         {"quiet", "-q"},
                                         {"hash_randomization", "-R"},
                                         {"isolated", "-I"},
                                         {"dev_mode", "-X dev"},
                                         {"utf8_mode", "-X utf8"},
                                         {"warn_default_encoding", "-X warn_default_encoding"},
                                         {"safe_path", "-P"},
                                         {"int_max_str_digits", "-X int_max_str_digits"},
                                         {nullptr, nullptr}};
PyStructSequence_Desc flags_desc = {"sys.flags", "Flags given on the command line or in the environment.", flags_fields,
                                    18};

PyStructSequence_Field version_fields[] = {{"major", "Major release number"},
                                           {"minor", "Minor release number"},
                                           {"micro", "Patch release number"},
                                           {"releaselevel", "'alpha', 'beta', 'candidate', or 'final'"},
                                           {"serial", "Serial release number"},
                                           {nullptr, nullptr}};
PyStructSequence_Desc version_desc = {"sys.version_info", "Version information as a named tuple.", version_fields, 5};
PyStructSequence_Desc pyston_version_desc = {"sys.implementation._pyston_version_info", "pyston's own version as a named tuple.",
                                             version_fields, 5};

PyStructSequence_Field hash_info_fields[] = {{"width", "bits of a hash value"},
                                             {"modulus", "prime modulus of the hash of numbers"},
                                             {"inf", "hash of positive infinity"},
                                             {"nan", "not used any more"},
                                             {"imag", "multiplier for the imaginary part of a complex number"},
                                             {"algorithm", "name of the hash of str and bytes"},
                                             {"hash_bits", "internal output size of the algorithm"},
                                             {"seed_bits", "seed size of the algorithm"},
                                             {"cutoff", "strings shorter than this hash by another algorithm"},
                                             {nullptr, nullptr}};
PyStructSequence_Desc hash_info_desc = {"sys.hash_info", "The parameters of hashing.", hash_info_fields, 9};

/// Structures of sys cannot be instantiated by users.
Status ready_structure(PyTypeObject* type, PyStructSequence_Desc* desc) {
  if (type->tp_name != nullptr) return Status::kOk;
  return _PyStructSequence_InitType(type, desc, Py_TPFLAGS_DISALLOW_INSTANTIATION) < 0 ? Status::kError : Status::kOk;
}

/// Fills a structure from new references; null items report failure.
template <size_t N>
Ref<> make_structure(PyTypeObject* type, PyObject* (&&items)[N]) {
  Ref<> result = Ref<>::steal(PyStructSequence_New(type));
  for (size_t i = 0; i < N; i++) {
    if (result) {
      PyStructSequence_SET_ITEM(result.get(), static_cast<Py_ssize_t>(i), items[i]);
    } else {
      Py_XDECREF(items[i]);
    }
  }
  if (PyErr_Occurred()) return nullptr;
  return result;
}

PyObject* integer(long value) { return PyLong_FromLong(value); }

Ref<> make_version_info(PyTypeObject* type, long major, long minor, long micro, const char* level, long serial) {
  return make_structure(
      type, {integer(major), integer(minor), integer(micro), PyUnicode_FromString(level), integer(serial)});
}

Ref<> make_hash_info() {
  const PyHash_FuncDef* function = PyHash_GetFuncDef();
  return make_structure(&hash_info_type,
                        {integer(8 * sizeof(Py_hash_t)), PyLong_FromSsize_t(_PyHASH_MODULUS), integer(_PyHASH_INF),
                         integer(0), integer(_PyHASH_IMAG), PyUnicode_FromString(function->name),
                         integer(function->hash_bits), integer(function->seed_bits), integer(0)});
}

Ref<> make_implementation(PyObject* version_info) {
  auto attributes = VM_TRY(Ref<>::steal(PyDict_New()));
  auto add = [&](const char* name, PyObject* value) {
    const bool good = value != nullptr && PyDict_SetItemString(attributes.get(), name, value) == 0;
    Py_XDECREF(value);
    return good;
  };
  // The name and the cache tag are what lets pip pick cp311 wheels and both engines share __pycache__. Our own version is
  // no attribute of sys: packages that find sys.pyston_version_info take us for an engine without reference counts.
  if (!add("name", PyUnicode_FromString("cpython")) || !add("cache_tag", PyUnicode_FromString("cpython-311")) ||
      !add("version", Py_NewRef(version_info)) || !add("hexversion", integer(PY_VERSION_HEX)) ||
      !add("_multiarch", PyUnicode_FromString("x86_64-linux-gnu")) ||
      !add("_pyston_version_info", make_version_info(&pyston_version_info_type, 0, 1, 0, "alpha", 0).release())) {
    return nullptr;
  }
  return Ref<>::steal(_PyNamespace_New(attributes.get()));
}

int compare_names(const void* left, const void* right) {
  return strcmp(*static_cast<const char* const*>(left), *static_cast<const char* const*>(right));
}

Ref<> make_builtin_module_names() {
  size_t count = 0;
  while (PyImport_Inittab[count].name != nullptr) count++;
  auto** names = static_cast<const char**>(PyMem_Malloc(count * sizeof(char*)));
  if (names == nullptr) return PyErr_NoMemory(), nullptr;
  for (size_t i = 0; i < count; i++) names[i] = PyImport_Inittab[i].name;
  qsort(names, count, sizeof(char*), compare_names);
  Ref<> tuple = Ref<>::steal(PyTuple_New(static_cast<Py_ssize_t>(count)));
  for (size_t i = 0; tuple && i < count; i++) {
    PyObject* name = PyUnicode_InternFromString(names[i]);
    if (name == nullptr) {
      tuple.reset();
    } else {
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), name);
    }
  }
  PyMem_Free(names);
  return tuple;
}

constexpr const char* kStdlibModuleNames[] = {
#define STDLIB_MODULE(name) #name,
#include "Lib/native/sys/stdlib_module_names.def"
#undef STDLIB_MODULE
};

Ref<> make_stdlib_module_names() {
  auto names = VM_TRY(Ref<>::steal(PyList_New(0)));
  for (const char* text : kStdlibModuleNames) {
    auto name = VM_TRY(Ref<>::steal(PyUnicode_FromString(text)));
    VM_CHECK(PyList_Append(names.get(), name.get()));
  }
  return Ref<>::steal(PyFrozenSet_New(names.get()));
}

PyModuleDef sys_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "sys",
    .m_doc = "The interpreter's own state and the functions that act on it.",
    .m_size = -1,
    .m_methods = methods,
};

Ref<> wide_text(const wchar_t* text) {
  return text == nullptr ? Ref<>::none() : Ref<>::steal(PyUnicode_FromWideChar(text, -1));
}

}  // namespace

Ref<> make_flags(PyThreadState* tstate) {
  const PyConfig* config = _PyInterpreterState_GetConfig(tstate->interp);
  const PyPreConfig* preconfig = &tstate->interp->runtime->preconfig;
  return make_structure(
      &flags_type,
      {integer(config->parser_debug), integer(config->inspect), integer(config->interactive),
       integer(config->optimization_level), integer(!config->write_bytecode), integer(!config->user_site_directory),
       integer(!config->site_import), integer(!config->use_environment), integer(config->verbose),
       integer(config->bytes_warning), integer(config->quiet),
       integer(config->use_hash_seed == 0 || config->hash_seed != 0), integer(config->isolated),
       PyBool_FromLong(config->dev_mode), integer(preconfig->utf8_mode), integer(config->warn_default_encoding),
       PyBool_FromLong(config->safe_path), integer(_Py_global_config_int_max_str_digits)});
}

Status add_constants(PyThreadState* tstate, PyObject* dict) {
  auto set = [dict](const char* name, Ref<> value) {
    return value && PyDict_SetItemString(dict, name, value.get()) == 0 ? Status::kOk : Status::kError;
  };
  auto text = [](const char* value) { return Ref<>::steal(PyUnicode_FromString(value)); };
  auto copy = [dict](const char* from, const char* to) {
    PyObject* value = PyDict_GetItemString(dict, from);
    return value != nullptr && PyDict_SetItemString(dict, to, value) == 0 ? Status::kOk : Status::kError;
  };
  VM_CHECK(copy("displayhook", "__displayhook__"));
  VM_CHECK(copy("excepthook", "__excepthook__"));
  VM_CHECK(copy("breakpointhook", "__breakpointhook__"));
  VM_CHECK(copy("unraisablehook", "__unraisablehook__"));
  VM_CHECK(set("version", text(Py_GetVersion())));
  VM_CHECK(set("hexversion", Ref<>::steal(PyLong_FromLong(PY_VERSION_HEX))));
  VM_CHECK(set("_git", Ref<>::steal(Py_BuildValue("(szz)", "CPython", _Py_gitidentifier(), _Py_gitversion()))));
  VM_CHECK(set("_framework", text("")));
  VM_CHECK(set("api_version", Ref<>::steal(PyLong_FromLong(PYTHON_API_VERSION))));
  VM_CHECK(set("copyright", text(Py_GetCopyright())));
  VM_CHECK(set("platform", text(Py_GetPlatform())));
  VM_CHECK(set("maxsize", Ref<>::steal(PyLong_FromSsize_t(PY_SSIZE_T_MAX))));
  VM_CHECK(set("float_info", Ref<>::steal(PyFloat_GetInfo())));
  VM_CHECK(set("int_info", Ref<>::steal(PyLong_GetInfo())));
  VM_CHECK(ready_structure(&hash_info_type, &hash_info_desc));
  VM_CHECK(set("hash_info", make_hash_info()));
  VM_CHECK(set("maxunicode", Ref<>::steal(PyLong_FromLong(0x10FFFF))));
  VM_CHECK(set("builtin_module_names", make_builtin_module_names()));
  VM_CHECK(set("stdlib_module_names", make_stdlib_module_names()));
  VM_CHECK(set("byteorder", text("little")));
  VM_CHECK(set("abiflags", text("")));
  VM_CHECK(ready_structure(&version_info_type, &version_desc));
  VM_CHECK(set("version_info", make_version_info(&version_info_type, PY_MAJOR_VERSION, PY_MINOR_VERSION,
                                                 PY_MICRO_VERSION, "final", PY_RELEASE_SERIAL)));
  VM_CHECK(ready_structure(&pyston_version_info_type, &pyston_version_desc));
  VM_CHECK(set("implementation", make_implementation(PyDict_GetItemString(dict, "version_info"))));
  VM_CHECK(ready_structure(&flags_type, &flags_desc));
  VM_CHECK(set("flags", make_flags(tstate)));
  VM_CHECK(set("float_repr_style", text("short")));
  VM_CHECK(set("thread_info", Ref<>::steal(PyThread_GetInfo())));
  VM_CHECK(ready_asyncgen_hooks());
  return Status::kOk;
}

}  // namespace pyston::sys

using namespace pyston;

PyStatus _PySys_Create(PyThreadState* tstate, PyObject** module_out) {
  PyInterpreterState* interp = tstate->interp;
  PyObject* modules = PyDict_New();
  if (modules == nullptr) return PyStatus_Error("can't make modules dictionary");
  interp->modules = modules;
  PyObject* module = _PyModule_CreateInitialized(&sys::sys_module, PYTHON_API_VERSION);
  if (module == nullptr) return PyStatus_Error("failed to create a module object");
  PyObject* dict = PyModule_GetDict(module);
  interp->sysdict = Py_NewRef(dict);
  const bool good = PyModule_AddFunctions(module, sys::trace_methods) == 0 &&
                    PyModule_AddFunctions(module, sys::audit_methods) == 0 &&
                    PyDict_SetItemString(dict, "modules", modules) == 0 && ok(sys::add_constants(tstate, dict)) &&
                    _PyImport_FixupBuiltin(module, "sys", modules) == 0;
  if (!good) return PyStatus_Error("can't initialize sys module");
  *module_out = module;
  return PyStatus_Ok();
}

int _PySys_UpdateConfig(PyThreadState* tstate) {
  PyInterpreterState* interp = tstate->interp;
  PyObject* dict = interp->sysdict;
  const PyConfig* config = _PyInterpreterState_GetConfig(interp);
  auto set = [dict](const char* name, Ref<> value) {
    return value && PyDict_SetItemString(dict, name, value.get()) == 0 ? Status::kOk : Status::kError;
  };
  auto list = [](const PyWideStringList& source) { return Ref<>::steal(_PyWideStringList_AsList(&source)); };
  auto update = [&]() -> Status {
    if (config->module_search_paths_set) VM_CHECK(set("path", list(config->module_search_paths)));
    VM_CHECK(set("executable", sys::wide_text(config->executable == nullptr ? L"" : config->executable)));
    VM_CHECK(set("_base_executable", sys::wide_text(config->base_executable)));
    VM_CHECK(set("prefix", sys::wide_text(config->prefix)));
    VM_CHECK(set("base_prefix", sys::wide_text(config->base_prefix)));
    VM_CHECK(set("exec_prefix", sys::wide_text(config->exec_prefix)));
    VM_CHECK(set("base_exec_prefix", sys::wide_text(config->base_exec_prefix)));
    VM_CHECK(set("platlibdir", sys::wide_text(config->platlibdir)));
    const bool one_library = config->stdlib_dir != nullptr && config->stdlib_dir[0] != L'\0';
    VM_CHECK(set("_stdlib_dir", one_library ? sys::wide_text(config->stdlib_dir) : Ref<>::none()));
    VM_CHECK(set("pycache_prefix", sys::wide_text(config->pycache_prefix)));
    VM_CHECK(set("argv", list(config->argv)));
    VM_CHECK(set("orig_argv", list(config->orig_argv)));
    VM_CHECK(set("warnoptions", list(config->warnoptions)));
    VM_CHECK(set("_xoptions", sys::make_xoptions(config)));
    VM_CHECK(set("flags", sys::make_flags(tstate)));
    VM_CHECK(set("dont_write_bytecode", Ref<>::steal(PyBool_FromLong(!config->write_bytecode))));
    return Status::kOk;
  };
  return static_cast<int>(update());
}

void _PySys_Fini(PyInterpreterState*) {}
