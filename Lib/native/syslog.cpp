// The syslog module.
#include <syslog.h>

#include "Lib/native/constants.h"

namespace pyston {
namespace {

// The C library keeps a pointer to the identity: it has to live as long as the log is open.
PyObject* identity = nullptr;
bool is_open = false;

/// The program's name without its path, from sys.argv; null (without an exception) if there is none.
Ref<> program_name() {
  PyObject* argv = PySys_GetObject("argv");
  if (argv == nullptr || !PyList_Check(argv) || PyList_GET_SIZE(argv) == 0) return nullptr;
  PyObject* script = PyList_GET_ITEM(argv, 0);
  if (!PyUnicode_Check(script) || PyUnicode_GET_LENGTH(script) == 0) return nullptr;
  const Py_ssize_t slash = PyUnicode_FindChar(script, '/', 0, PyUnicode_GET_LENGTH(script), -1);
  if (slash == -2) return nullptr;
  if (slash < 0) return Ref<>::dup(script);
  return Ref<>::steal(PyUnicode_Substring(script, slash + 1, PyUnicode_GET_LENGTH(script)));
}

PyObject* openlog_(PyObject*, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"ident", "logoption", "facility", nullptr};
  PyObject* given = nullptr;
  long option = 0;
  long facility = LOG_USER;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Ull:openlog", const_cast<char**>(kNames), &given, &option,
                                   &facility)) {
    return nullptr;
  }
  Ref<> name = given != nullptr ? Ref<>::dup(given) : program_name();
  if (!name && PyErr_Occurred()) return nullptr;
  const char* text = nullptr;
  if (name) {
    text = PyUnicode_AsUTF8(name.get());
    if (text == nullptr) return nullptr;
  }
  if (PySys_Audit("syslog.openlog", "Oll", name ? name.get() : Py_None, option, facility) < 0) return nullptr;
  openlog(text, static_cast<int>(option), static_cast<int>(facility));
  is_open = true;
  Py_XSETREF(identity, name.release());
  return Py_NewRef(Py_None);
}

PyObject* syslog_(PyObject*, PyObject* args) {
  PyObject* message;
  int priority = LOG_INFO;
  if (!PyArg_ParseTuple(args, "iU;[priority,] message string", &priority, &message)) {
    PyErr_Clear();
    if (!PyArg_ParseTuple(args, "U;[priority,] message string", &message)) return nullptr;
  }
  const char* text = PyUnicode_AsUTF8(message);
  if (text == nullptr) return nullptr;
  if (PySys_Audit("syslog.syslog", "is", priority, text) < 0) return nullptr;
  if (!is_open) {
    auto none = Ref<>::steal(PyTuple_New(0));
    auto opened = Ref<>::steal(none ? openlog_(nullptr, none.get(), nullptr) : nullptr);
    if (!opened) return nullptr;
  }
  // Another thread may open the log anew meanwhile.
  auto held = Ref<>::dup(identity);
  Py_BEGIN_ALLOW_THREADS;
  syslog(priority, "%s", text);
  Py_END_ALLOW_THREADS;
  return Py_NewRef(Py_None);
}

Ref<> closelog_(Borrowed<>) {
  if (PySys_Audit("syslog.closelog", nullptr) < 0) return nullptr;
  if (is_open) {
    closelog();
    Py_CLEAR(identity);
    is_open = false;
  }
  return Ref<>::none();
}

Ref<> setlogmask_(Borrowed<>, int mask) {
  if (PySys_Audit("syslog.setlogmask", "l", static_cast<long>(mask)) < 0) return nullptr;
  return Ref<>::steal(PyLong_FromLong(setlogmask(mask)));
}

Ref<> log_mask(Borrowed<>, int priority) { return Ref<>::steal(PyLong_FromLong(LOG_MASK(priority))); }
Ref<> log_upto(Borrowed<>, int priority) { return Ref<>::steal(PyLong_FromLong(LOG_UPTO(priority))); }

PyMethodDef methods[] = {
    {"openlog", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(openlog_)), METH_VARARGS | METH_KEYWORDS,
     "openlog([ident[, logoption[, facility]]])\n\nChooses how later messages are marked."},
    method<closelog_, "closelog($module, /)", "Goes back to the defaults.">(),
    {"syslog", syslog_, METH_VARARGS, "syslog([priority,] message)\n\nSends a message to the system's log."},
    method<setlogmask_, "setlogmask($module, maskpri, /)", "Chooses which priorities are logged.">(),
    method<log_mask, "LOG_MASK($module, pri, /)", "The mask of one priority.">(),
    method<log_upto, "LOG_UPTO($module, pri, /)", "The mask of all priorities up to one.">(),
    {}};

constexpr IntConstant kConstants[] = {
#define ROW(name) {#name, name}
    ROW(LOG_ALERT), ROW(LOG_AUTH), ROW(LOG_AUTHPRIV), ROW(LOG_CONS), ROW(LOG_CRIT), ROW(LOG_CRON), ROW(LOG_DAEMON),
    ROW(LOG_DEBUG), ROW(LOG_EMERG), ROW(LOG_ERR), ROW(LOG_INFO), ROW(LOG_KERN), ROW(LOG_LOCAL0), ROW(LOG_LOCAL1),
    ROW(LOG_LOCAL2), ROW(LOG_LOCAL3), ROW(LOG_LOCAL4), ROW(LOG_LOCAL5), ROW(LOG_LOCAL6), ROW(LOG_LOCAL7),
    ROW(LOG_LPR), ROW(LOG_MAIL), ROW(LOG_NDELAY), ROW(LOG_NEWS), ROW(LOG_NOTICE), ROW(LOG_NOWAIT), ROW(LOG_ODELAY),
    ROW(LOG_PERROR), ROW(LOG_PID), ROW(LOG_SYSLOG), ROW(LOG_USER), ROW(LOG_UUCP), ROW(LOG_WARNING),
#undef ROW
};

int execute(PyObject* module) { return add_constants(module, kConstants); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "syslog",
                          .m_doc = "Sending messages to the system's log.",
                          .m_methods = methods,
                          .m_slots = slots};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit_syslog(void) { return PyModuleDef_Init(&pyston::definition); }
