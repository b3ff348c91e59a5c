// Processes: fork, exec, spawn, wait, signals, ids, scheduling.
#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "Lib/native/posix/posix_internal.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_import.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_signal.h"
#include "internal/pycore_structseq.h"

namespace pyston::posix {
namespace {

PyTypeObject* waitid_result_type = nullptr;
PyTypeObject* sched_param_type = nullptr;

void run_at_fork_hooks(PyObject* hooks, bool reverse) {
  if (hooks == nullptr) return;
  Ref<> copy = Ref<>::steal(PyList_GetSlice(hooks, 0, PyList_GET_SIZE(hooks)));
  if (!copy) {
    PyErr_WriteUnraisable(hooks);
    return;
  }
  if (reverse) PyList_Reverse(copy.get());
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(copy.get()); i++) {
    Ref<> result = Ref<>::steal(PyObject_CallNoArgs(PyList_GET_ITEM(copy.get(), i)));
    if (!result) PyErr_WriteUnraisable(PyList_GET_ITEM(copy.get(), i));
  }
}

}  // namespace
}  // namespace pyston::posix

using namespace pyston;

void PyOS_BeforeFork(void) {
  posix::run_at_fork_hooks(_PyInterpreterState_GET()->before_forkers, true);
  _PyImport_AcquireLock();
}

void PyOS_AfterFork_Parent(void) {
  if (_PyImport_ReleaseLock() <= 0) Py_FatalError("failed releasing import lock after fork");
  posix::run_at_fork_hooks(_PyInterpreterState_GET()->after_forkers_parent, false);
}

void PyOS_AfterFork_Child(void) {
  _PyRuntimeState* runtime = &_PyRuntime;
  PyStatus status = _PyGILState_Reinit(runtime);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  PyThreadState* tstate = _PyThreadState_GET();
  tstate->native_thread_id = PyThread_get_thread_native_id();
  status = _PyEval_ReInitThreads(tstate);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  status = _PyImport_ReInitLock();
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  _PySignal_AfterFork();
  status = _PyRuntimeState_ReInitThreads(runtime);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  status = _PyInterpreterState_DeleteExceptMain(runtime);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  posix::run_at_fork_hooks(tstate->interp->after_forkers_child, false);
}

void PyOS_AfterFork(void) { PyOS_AfterFork_Child(); }

extern "C" PyAPI_FUNC(int) _Py_Sigset_Converter(PyObject* object, void* out) {
  auto* mask = static_cast<sigset_t*>(out);
  if (sigemptyset(mask) < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return 0;
  }
  Ref<> iterator = Ref<>::steal(PyObject_GetIter(object));
  if (!iterator) return 0;
  while (true) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) return PyErr_Occurred() ? 0 : Py_CLEANUP_SUPPORTED;
    int overflow;
    const long number = PyLong_AsLongAndOverflow(item.get(), &overflow);
    if (number <= 0 || number >= NSIG) {
      if (overflow != 0 || number != -1 || !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "signal number %ld out of range [1; %i]", number, NSIG - 1);
      }
      return 0;
    }
    if (sigaddset(mask, static_cast<int>(number)) != 0) {
      if (errno != EINVAL) {
        PyErr_SetFromErrno(PyExc_OSError);
        return 0;
      }
      // Some numbers in range belong to the C library; warn as CPython does.
      const char msg[] = "invalid signal number %ld, please use valid_signals()";
      if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, msg, number)) return 0;
    }
  }
}

namespace pyston::posix {
namespace {

Ref<> posix_fork(PyObject*) {
  if (_PyInterpreterState_GET() != PyInterpreterState_Main()) {
    return raise(PyExc_RuntimeError, "fork not supported for subinterpreters");
  }
  if (PySys_Audit("os.fork", nullptr) < 0) return nullptr;
  PyOS_BeforeFork();
  const pid_t pid = fork();
  const int saved_errno = errno;
  if (pid == 0) {
    PyOS_AfterFork_Child();
  } else {
    PyOS_AfterFork_Parent();
  }
  errno = saved_errno;
  if (pid == -1) return error();
  return integer(pid);
}

Ref<> posix_forkpty(PyObject*) {
  if (_PyInterpreterState_GET() != PyInterpreterState_Main()) {
    return raise(PyExc_RuntimeError, "fork not supported for subinterpreters");
  }
  if (PySys_Audit("os.forkpty", nullptr) < 0) return nullptr;
  int primary = -1;
  PyOS_BeforeFork();
  const pid_t pid = forkpty(&primary, nullptr, nullptr, nullptr);
  const int saved_errno = errno;
  if (pid == 0) {
    PyOS_AfterFork_Child();
  } else {
    PyOS_AfterFork_Parent();
  }
  errno = saved_errno;
  if (pid == -1) return error();
  return Ref<>::steal(Py_BuildValue("(ii)", static_cast<int>(pid), primary));
}

Ref<> posix_register_at_fork(PyObject*, PyObject* before, PyObject* after_in_child, PyObject* after_in_parent) {
  if (before == nullptr && after_in_child == nullptr && after_in_parent == nullptr) {
    return raise(PyExc_TypeError, "At least one argument is required.");
  }
  struct Row {
    PyObject* function;
    const char* name;
    PyObject** list;
  };
  PyInterpreterState* interp = _PyInterpreterState_GET();
  const Row rows[] = {{before, "before", &interp->before_forkers},
                      {after_in_child, "after_in_child", &interp->after_forkers_child},
                      {after_in_parent, "after_in_parent", &interp->after_forkers_parent}};
  for (const Row& row : rows) {
    if (row.function != nullptr && !PyCallable_Check(row.function)) {
      return raise(PyExc_TypeError, "'%.200s' must be callable, not %.200s", row.name,
                   _PyType_Name(Py_TYPE(row.function)));
    }
  }
  for (const Row& row : rows) {
    if (row.function == nullptr) continue;
    if (*row.list == nullptr && (*row.list = PyList_New(0)) == nullptr) return nullptr;
    VM_CHECK(PyList_Append(*row.list, row.function));
  }
  return Ref<>::none();
}

Ref<> do_exec(const char* function, const Path& path, PyObject* argv, PyObject* env) {
  if (!PyList_Check(argv) && !PyTuple_Check(argv)) {
    return raise(PyExc_TypeError, "%s: argv must be a tuple or list", function);
  }
  const Py_ssize_t count = PySequence_Size(argv);
  if (count < 1) return raise(PyExc_ValueError, "%s: argv must not be empty", function);
  if (env != nullptr && !PyMapping_Check(env)) {
    return raise(PyExc_TypeError, "%s: environment must be a mapping object", function);
  }
  StringArray arguments;
  StringArray environment;
  if (!arguments.from_sequence(argv, function)) return nullptr;
  if (arguments.get()[0][0] == '\0') {
    return raise(PyExc_ValueError, "%s: argv first element cannot be empty", function);
  }
  if (env != nullptr && !environment.from_environment(env)) return nullptr;
  if (PySys_Audit("os.exec", "OOO", path.object, argv, env == nullptr ? Py_None : env) < 0) return nullptr;
  if (path.is_fd()) {
    fexecve(path.fd, arguments.get(), env == nullptr ? environ : environment.get());
  } else if (env == nullptr) {
    execv(path.narrow, arguments.get());
  } else {
    execve(path.narrow, arguments.get(), environment.get());
  }
  return error_with_path(path);
}
Ref<> posix_execv(PyObject*, FilePath path, Borrowed<> argv) { return do_exec("execv", path, argv, nullptr); }
Ref<> posix_execve(PyObject*, FileOrFd path, Borrowed<> argv, Borrowed<> env) { return do_exec("execve", path, argv, env); }

// ---- posix_spawn ----------------------------------------------------------------------------------------------------

enum SpawnAction : long { kSpawnOpen = 0, kSpawnClose = 1, kSpawnDup2 = 2 };

Status add_file_actions(PyObject* sequence, posix_spawn_file_actions_t* actions, PyObject* keep) {
  auto items = VM_TRY(Ref<>::steal(PySequence_Fast(sequence, "file_actions must be a sequence or None")));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); i++) {
    PyObject* action = PySequence_Fast_GET_ITEM(items.get(), i);
    if (!PyTuple_Check(action) || PyTuple_GET_SIZE(action) == 0) {
      return raise(PyExc_TypeError, "Each file_actions element must be a non-empty tuple");
    }
    const long tag = PyLong_AsLong(PyTuple_GET_ITEM(action, 0));
    if (tag == -1 && PyErr_Occurred()) return Status::kError;
    int result = 0;
    if (tag == kSpawnOpen) {
      int fd, flags;
      PyObject* path = nullptr;
      unsigned long mode;
      if (!PyArg_ParseTuple(action, "OiO&ik;A open file_action tuple must have 5 elements", &action, &fd,
                            PyUnicode_FSConverter, &path, &flags, &mode)) {
        return Status::kError;
      }
      Ref<> owner = Ref<>::steal(path);
      VM_CHECK(PyList_Append(keep, path));
      result = posix_spawn_file_actions_addopen(actions, fd, PyBytes_AS_STRING(path), flags, static_cast<mode_t>(mode));
    } else if (tag == kSpawnClose) {
      int fd;
      if (!PyArg_ParseTuple(action, "Oi;A close file_action tuple must have 2 elements", &action, &fd)) {
        return Status::kError;
      }
      result = posix_spawn_file_actions_addclose(actions, fd);
    } else if (tag == kSpawnDup2) {
      int from, to;
      if (!PyArg_ParseTuple(action, "Oii;A dup2 file_action tuple must have 3 elements", &action, &from, &to)) {
        return Status::kError;
      }
      result = posix_spawn_file_actions_adddup2(actions, from, to);
    } else {
      return raise(PyExc_TypeError, "Unknown file_actions identifier");
    }
    if (result != 0) {
      errno = result;
      return error();
    }
  }
  return Status::kOk;
}

Status set_attributes(posix_spawnattr_t* attributes, const char* function, PyObject* setpgroup, bool resetids,
                      bool setsid_flag, PyObject* setsigmask, PyObject* setsigdef, PyObject* scheduler) {
  short flags = 0;
  if (setpgroup != nullptr) {
    const long group = PyLong_AsLong(setpgroup);
    if (group == -1 && PyErr_Occurred()) return Status::kError;
    posix_spawnattr_setpgroup(attributes, static_cast<pid_t>(group));
    flags |= POSIX_SPAWN_SETPGROUP;
  }
  if (resetids) flags |= POSIX_SPAWN_RESETIDS;
  if (setsid_flag) flags |= POSIX_SPAWN_SETSID;
  if (setsigmask != nullptr) {
    sigset_t mask;
    if (!_Py_Sigset_Converter(setsigmask, &mask)) return Status::kError;
    posix_spawnattr_setsigmask(attributes, &mask);
    flags |= POSIX_SPAWN_SETSIGMASK;
  }
  if (setsigdef != nullptr) {
    sigset_t mask;
    if (!_Py_Sigset_Converter(setsigdef, &mask)) return Status::kError;
    posix_spawnattr_setsigdefault(attributes, &mask);
    flags |= POSIX_SPAWN_SETSIGDEF;
  }
  if (scheduler != nullptr && scheduler != Py_None) {
    PyObject* policy;
    PyObject* parameter;
    if (!PyTuple_Check(scheduler) || PyTuple_GET_SIZE(scheduler) != 2) {
      return raise(PyExc_TypeError, "A scheduler tuple must have two elements");
    }
    policy = PyTuple_GET_ITEM(scheduler, 0);
    parameter = PyTuple_GET_ITEM(scheduler, 1);
    if (!Py_IS_TYPE(parameter, sched_param_type)) return raise(PyExc_TypeError, "must have a sched_param object");
    sched_param native{};
    native.sched_priority = static_cast<int>(PyLong_AsLong(PyStructSequence_GetItem(parameter, 0)));
    if (PyErr_Occurred()) return Status::kError;
    if (policy != Py_None) {
      const long number = PyLong_AsLong(policy);
      if (number == -1 && PyErr_Occurred()) return Status::kError;
      posix_spawnattr_setschedpolicy(attributes, static_cast<int>(number));
      flags |= POSIX_SPAWN_SETSCHEDULER;
    }
    posix_spawnattr_setschedparam(attributes, &native);
    flags |= POSIX_SPAWN_SETSCHEDPARAM;
  }
  const int result = posix_spawnattr_setflags(attributes, flags);
  if (result != 0) {
    errno = result;
    return error();
  }
  (void)function;
  return Status::kOk;
}

Ref<> do_spawn(const char* function, bool search, const Path& path, PyObject* argv, PyObject* env, PyObject* file_actions,
               PyObject* setpgroup, bool resetids, bool setsid_flag, PyObject* setsigmask, PyObject* setsigdef,
               PyObject* scheduler) {
  if (!PyList_Check(argv) && !PyTuple_Check(argv)) {
    return raise(PyExc_TypeError, "%s: argv must be a tuple or list", function);
  }
  if (PySequence_Size(argv) < 1) return raise(PyExc_ValueError, "%s: argv must not be empty", function);
  if (!PyMapping_Check(env)) return raise(PyExc_TypeError, "%s: environment must be a mapping object", function);
  StringArray arguments;
  StringArray environment;
  if (!arguments.from_sequence(argv, function)) return nullptr;
  if (arguments.get()[0][0] == '\0') {
    return raise(PyExc_ValueError, "%s: argv first element cannot be empty", function);
  }
  if (!environment.from_environment(env)) return nullptr;
  auto keep = VM_TRY(Ref<>::steal(PyList_New(0)));
  struct Resources {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    Resources() {
      posix_spawn_file_actions_init(&actions);
      posix_spawnattr_init(&attributes);
    }
    ~Resources() {
      posix_spawn_file_actions_destroy(&actions);
      posix_spawnattr_destroy(&attributes);
    }
  } resources;
  if (file_actions != nullptr && file_actions != Py_None) {
    VM_CHECK(add_file_actions(file_actions, &resources.actions, keep.get()));
  }
  VM_CHECK(set_attributes(&resources.attributes, function, setpgroup, resetids, setsid_flag, setsigmask, setsigdef,
                          scheduler));
  if (PySys_Audit("os.posix_spawn", "OOO", path.object, argv, env) < 0) return nullptr;
  pid_t pid;
  const int result = unlocked([&] {
    return search ? posix_spawnp(&pid, path.narrow, &resources.actions, &resources.attributes, arguments.get(),
                                 environment.get())
                  : posix_spawn(&pid, path.narrow, &resources.actions, &resources.attributes, arguments.get(),
                                environment.get());
  });
  if (result != 0) {
    errno = result;
    return error_with_path(path);
  }
  return integer(pid);
}
Ref<> posix_spawn_(PyObject*, FilePath path, Borrowed<> argv, Borrowed<> env, PyObject* file_actions, PyObject* setpgroup,
                   Optional<int> resetids, Optional<int> setsid_flag, PyObject* setsigmask, PyObject* setsigdef,
                   PyObject* scheduler) {
  return do_spawn("posix_spawn", false, path, argv, env, file_actions, setpgroup, resetids.value_or(0) != 0,
                  setsid_flag.value_or(0) != 0, setsigmask, setsigdef, scheduler);
}
Ref<> posix_spawnp_(PyObject*, FilePath path, Borrowed<> argv, Borrowed<> env, PyObject* file_actions,
                    PyObject* setpgroup, Optional<int> resetids, Optional<int> setsid_flag, PyObject* setsigmask,
                    PyObject* setsigdef, PyObject* scheduler) {
  return do_spawn("posix_spawnp", true, path, argv, env, file_actions, setpgroup, resetids.value_or(0) != 0,
                  setsid_flag.value_or(0) != 0, setsigmask, setsigdef, scheduler);
}

// ---- waiting ------------------------------------------------------------------------------------------------------------

Ref<> make_rusage(const struct rusage& usage) {
  auto resource = VM_TRY(Ref<>::steal(PyImport_ImportModule("resource")));
  auto type = VM_TRY(Ref<>::steal(PyObject_GetAttrString(resource.get(), "struct_rusage")));
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return Ref<>::steal(PyObject_CallFunction(
      type.get(), "((ddllllllllllllll))", seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
      usage.ru_ixrss, usage.ru_idrss, usage.ru_isrss, usage.ru_minflt, usage.ru_majflt, usage.ru_nswap,
      usage.ru_inblock, usage.ru_oublock, usage.ru_msgsnd, usage.ru_msgrcv, usage.ru_nsignals, usage.ru_nvcsw,
      usage.ru_nivcsw));
}

Ref<> do_wait4(pid_t pid, int options) {
  int status = 0;
  struct rusage usage{};
  bool raised;
  const pid_t result = retry([&] { return wait4(pid, &status, options, &usage); }, &raised);
  if (result < 0) return raised ? Failure{} : error();
  auto resources = VM_TRY(make_rusage(usage));
  return Ref<>::steal(Py_BuildValue("(iiO)", static_cast<int>(result), status, resources.get()));
}
Ref<> posix_wait3(PyObject*, int options) { return do_wait4(-1, options); }
Ref<> posix_wait4(PyObject*, ProcessId pid, int options) { return do_wait4(pid.id, options); }

Ref<> do_waitpid(pid_t pid, int options) {
  int status = 0;
  bool raised;
  const pid_t result = retry([&] { return waitpid(pid, &status, options); }, &raised);
  if (result < 0) return raised ? Failure{} : error();
  return Ref<>::steal(Py_BuildValue("(ii)", static_cast<int>(result), status));
}
Ref<> posix_waitpid(PyObject*, ProcessId pid, int options) { return do_waitpid(pid.id, options); }
Ref<> posix_wait(PyObject*) { return do_waitpid(-1, 0); }

Ref<> posix_waitid(PyObject*, int idtype, long long id, int options) {
  siginfo_t info{};
  bool raised;
  const int result =
      retry([&] { return waitid(static_cast<idtype_t>(idtype), static_cast<id_t>(id), &info, options); }, &raised);
  if (result < 0) return raised ? Failure{} : error();
  if (info.si_pid == 0) return Ref<>::none();
  auto value = VM_TRY(Ref<>::steal(PyStructSequence_New(waitid_result_type)));
  PyStructSequence_SET_ITEM(value.get(), 0, PyLong_FromLong(info.si_pid));
  PyStructSequence_SET_ITEM(value.get(), 1, from_uid(info.si_uid).release());
  PyStructSequence_SET_ITEM(value.get(), 2, PyLong_FromLong(info.si_signo));
  PyStructSequence_SET_ITEM(value.get(), 3, PyLong_FromLong(info.si_status));
  PyStructSequence_SET_ITEM(value.get(), 4, PyLong_FromLong(info.si_code));
  if (PyErr_Occurred()) return nullptr;
  return value;
}

#define WAIT_TEST(name, convert)                                          \
  Ref<> posix_##name(PyObject*, int status) {                             \
    return Ref<>::steal(convert(name(status)));                           \
  }
WAIT_TEST(WCOREDUMP, PyBool_FromLong)
WAIT_TEST(WIFCONTINUED, PyBool_FromLong)
WAIT_TEST(WIFSTOPPED, PyBool_FromLong)
WAIT_TEST(WIFSIGNALED, PyBool_FromLong)
WAIT_TEST(WIFEXITED, PyBool_FromLong)
WAIT_TEST(WEXITSTATUS, PyLong_FromLong)
WAIT_TEST(WTERMSIG, PyLong_FromLong)
WAIT_TEST(WSTOPSIG, PyLong_FromLong)
#undef WAIT_TEST

Ref<> posix_waitstatus_to_exitcode(PyObject*, int status) {
  if (WIFEXITED(status)) return integer(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return integer(-WTERMSIG(status));
  if (WIFSTOPPED(status)) {
    return raise(PyExc_ValueError, "process stopped by delivery of signal %i", WSTOPSIG(status));
  }
  return raise(PyExc_ValueError, "invalid wait status: %i", status);
}

Ref<> posix_exit(PyObject*, int status) { _exit(status); }
Ref<> posix_abort(PyObject*) { abort(); }

Ref<> none_or_error(int result) {
  if (result < 0) return error();
  return Ref<>::none();
}
Ref<> posix_kill(PyObject*, ProcessId pid, int signal) {
  if (PySys_Audit("os.kill", "ii", static_cast<int>(pid.id), signal) < 0) return nullptr;
  if (kill(pid.id, signal) == -1) return error();
  // The signal may be meant for this very thread: its handler runs before kill() returns.
  if (PyErr_CheckSignals()) return nullptr;
  return Ref<>::none();
}
Ref<> posix_killpg(PyObject*, ProcessId pgid, int signal) {
  if (PySys_Audit("os.killpg", "ii", static_cast<int>(pgid.id), signal) < 0) return nullptr;
  if (killpg(pgid.id, signal) == -1) return error();
  if (PyErr_CheckSignals()) return nullptr;
  return Ref<>::none();
}
Ref<> posix_pidfd_open(PyObject*, ProcessId pid, Optional<unsigned> flags) {
  const long fd = syscall(SYS_pidfd_open, pid.id, flags.value_or(0));
  if (fd < 0) return error();
  return integer(fd);
}
Ref<> posix_system(PyObject*, FilePath command) {
  if (PySys_Audit("os.system", "(O)", command.keep_bytes ? command.keep_bytes.get() : command.object) < 0) return nullptr;
  return integer(unlocked([&] { return system(command.narrow); }));
}

// ---- ids ----------------------------------------------------------------------------------------------------------------

Ref<> posix_getpid(PyObject*) { return integer(getpid()); }
Ref<> posix_getppid(PyObject*) { return integer(getppid()); }
Ref<> posix_getuid(PyObject*) { return from_uid(getuid()); }
Ref<> posix_geteuid(PyObject*) { return from_uid(geteuid()); }
Ref<> posix_getgid(PyObject*) { return from_gid(getgid()); }
Ref<> posix_getegid(PyObject*) { return from_gid(getegid()); }
Ref<> posix_setuid(PyObject*, UserId id) { return none_or_error(setuid(id.id)); }
Ref<> posix_seteuid(PyObject*, UserId id) { return none_or_error(seteuid(id.id)); }
Ref<> posix_setgid(PyObject*, GroupId id) { return none_or_error(setgid(id.id)); }
Ref<> posix_setegid(PyObject*, GroupId id) { return none_or_error(setegid(id.id)); }
Ref<> posix_setreuid(PyObject*, UserId real, UserId effective) { return none_or_error(setreuid(real.id, effective.id)); }
Ref<> posix_setregid(PyObject*, GroupId real, GroupId effective) { return none_or_error(setregid(real.id, effective.id)); }
Ref<> posix_setresuid(PyObject*, UserId r, UserId e, UserId s) { return none_or_error(setresuid(r.id, e.id, s.id)); }
Ref<> posix_setresgid(PyObject*, GroupId r, GroupId e, GroupId s) { return none_or_error(setresgid(r.id, e.id, s.id)); }
Ref<> posix_getresuid(PyObject*) {
  uid_t r, e, s;
  if (getresuid(&r, &e, &s) < 0) return error();
  return Ref<>::steal(
      Py_BuildValue("(NNN)", from_uid(r).release(), from_uid(e).release(), from_uid(s).release()));
}
Ref<> posix_getresgid(PyObject*) {
  gid_t r, e, s;
  if (getresgid(&r, &e, &s) < 0) return error();
  return Ref<>::steal(
      Py_BuildValue("(NNN)", from_gid(r).release(), from_gid(e).release(), from_gid(s).release()));
}
Ref<> posix_getpgid(PyObject*, ProcessId pid) {
  const pid_t group = getpgid(pid.id);
  if (group < 0) return error();
  return integer(group);
}
Ref<> posix_getpgrp(PyObject*) { return integer(getpgrp()); }
Ref<> posix_setpgrp(PyObject*) { return none_or_error(setpgid(0, 0)); }
Ref<> posix_setpgid(PyObject*, ProcessId pid, ProcessId group) { return none_or_error(setpgid(pid.id, group.id)); }
Ref<> posix_setsid(PyObject*) { return none_or_error(setsid()); }
Ref<> posix_getsid(PyObject*, ProcessId pid) {
  const pid_t session = getsid(pid.id);
  if (session < 0) return error();
  return integer(session);
}
Ref<> posix_tcgetpgrp(PyObject*, int fd) {
  const pid_t group = tcgetpgrp(fd);
  if (group < 0) return error();
  return integer(group);
}
Ref<> posix_tcsetpgrp(PyObject*, int fd, ProcessId group) { return none_or_error(tcsetpgrp(fd, group.id)); }

Ref<> group_list(const gid_t* groups, int count) {
  auto list = VM_TRY(Ref<>::steal(PyList_New(count)));
  for (int i = 0; i < count; i++) {
    Ref<> id = from_gid(groups[i]);
    if (!id) return nullptr;
    PyList_SET_ITEM(list.get(), i, id.release());
  }
  return list;
}
Ref<> posix_getgroups(PyObject*) {
  const int count = getgroups(0, nullptr);
  if (count < 0) return error();
  auto* groups = static_cast<gid_t*>(PyMem_Calloc(count + 1, sizeof(gid_t)));
  if (groups == nullptr) return PyErr_NoMemory(), nullptr;
  const int found = getgroups(count, groups);
  Ref<> list = found < 0 ? Ref<>(error()) : group_list(groups, found);
  PyMem_Free(groups);
  return list;
}
Ref<> posix_setgroups(PyObject*, Borrowed<> sequence) {
  if (!PySequence_Check(sequence)) return raise(PyExc_TypeError, "setgroups argument must be a sequence");
  const Py_ssize_t count = PySequence_Size(sequence);
  if (count < 0) return nullptr;
  if (count > 65536) return raise(PyExc_ValueError, "too many groups");
  auto* groups = static_cast<gid_t*>(PyMem_Calloc(count + 1, sizeof(gid_t)));
  if (groups == nullptr) return PyErr_NoMemory(), nullptr;
  bool good = true;
  for (Py_ssize_t i = 0; good && i < count; i++) {
    Ref<> item = Ref<>::steal(PySequence_GetItem(sequence, i));
    GroupId id;
    good = item && binding::convert_gid(item.get(), id);
    groups[i] = id.id;
  }
  Ref<> result;
  if (good) result = none_or_error(setgroups(count, groups));
  PyMem_Free(groups);
  return result;
}
Ref<> posix_getgrouplist(PyObject*, FilePath user, GroupId base) {
  int count = 64;
  while (true) {
    auto* groups = static_cast<gid_t*>(PyMem_Calloc(count, sizeof(gid_t)));
    if (groups == nullptr) return PyErr_NoMemory(), nullptr;
    int found = count;
    const int result = getgrouplist(user.narrow, base.id, groups, &found);
    if (result >= 0) {
      Ref<> list = group_list(groups, found);
      PyMem_Free(groups);
      return list;
    }
    PyMem_Free(groups);
    if (found <= count) found = count * 2;
    count = found;
    if (count > 1 << 20) return error();
  }
}
Ref<> posix_initgroups(PyObject*, FilePath user, GroupId group) { return none_or_error(initgroups(user.narrow, group.id)); }

Ref<> posix_nice(PyObject*, int increment) {
  errno = 0;
  const int value = nice(increment);
  if (value == -1 && errno != 0) return error();
  return integer(value);
}
Ref<> posix_getpriority(PyObject*, int which, int who) {
  errno = 0;
  const int value = getpriority(static_cast<__priority_which_t>(which), static_cast<id_t>(who));
  if (errno != 0) return error();
  return integer(value);
}
Ref<> posix_setpriority(PyObject*, int which, int who, int priority) {
  return none_or_error(setpriority(static_cast<__priority_which_t>(which), static_cast<id_t>(who), priority));
}

// ---- scheduling ----------------------------------------------------------------------------------------------------------

bool convert_sched_param(PyObject* value, sched_param& out) {
  if (!Py_IS_TYPE(value, sched_param_type)) {
    PyErr_SetString(PyExc_TypeError, "must have a sched_param object");
    return false;
  }
  const long priority = PyLong_AsLong(PyStructSequence_GetItem(value, 0));
  if (priority == -1 && PyErr_Occurred()) return false;
  if (priority > INT_MAX || priority < INT_MIN) {
    PyErr_SetString(PyExc_OverflowError, "sched_priority out of range");
    return false;
  }
  out.sched_priority = static_cast<int>(priority);
  return true;
}
Ref<> sched_param_new(PyTypeObject* type, Borrowed<> priority) {
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(type)));
  PyStructSequence_SET_ITEM(result.get(), 0, Py_NewRef(priority.get()));
  return result;
}
Ref<> checked(int result) {
  if (result < 0) return error();
  return integer(result);
}
Ref<> posix_sched_get_priority_max(PyObject*, int policy) { return checked(sched_get_priority_max(policy)); }
Ref<> posix_sched_get_priority_min(PyObject*, int policy) { return checked(sched_get_priority_min(policy)); }
Ref<> posix_sched_getscheduler(PyObject*, ProcessId pid) { return checked(sched_getscheduler(pid.id)); }
Ref<> posix_sched_setscheduler(PyObject*, ProcessId pid, int policy, Borrowed<> param) {
  sched_param native{};
  if (!convert_sched_param(param, native)) return nullptr;
  return none_or_error(sched_setscheduler(pid.id, policy, &native));
}
Ref<> posix_sched_getparam(PyObject*, ProcessId pid) {
  sched_param native;
  if (sched_getparam(pid.id, &native)) return error();
  auto result = VM_TRY(Ref<>::steal(PyStructSequence_New(sched_param_type)));
  PyStructSequence_SET_ITEM(result.get(), 0, PyLong_FromLong(native.sched_priority));
  return result;
}
Ref<> posix_sched_setparam(PyObject*, ProcessId pid, Borrowed<> param) {
  sched_param native{};
  if (!convert_sched_param(param, native)) return nullptr;
  return none_or_error(sched_setparam(pid.id, &native));
}
Ref<> posix_sched_rr_get_interval(PyObject*, ProcessId pid) {
  timespec interval;
  if (sched_rr_get_interval(pid.id, &interval)) return error();
  return Ref<>::steal(PyFloat_FromDouble(static_cast<double>(interval.tv_sec) + 1e-9 * static_cast<double>(interval.tv_nsec)));
}
Ref<> posix_sched_yield(PyObject*) { return none_or_error(sched_yield()); }

Ref<> posix_sched_getaffinity(PyObject*, ProcessId pid) {
  for (int cpus = 1024; cpus <= (1 << 20); cpus *= 2) {
    cpu_set_t* mask = CPU_ALLOC(cpus);
    if (mask == nullptr) return PyErr_NoMemory(), nullptr;
    const size_t size = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(size, mask);
    if (sched_getaffinity(pid.id, size, mask) != 0) {
      CPU_FREE(mask);
      if (errno == EINVAL) continue;
      return error();
    }
    Ref<> set = Ref<>::steal(PySet_New(nullptr));
    for (int cpu = 0; set && cpu < cpus; cpu++) {
      if (!CPU_ISSET_S(cpu, size, mask)) continue;
      Ref<> number = integer(cpu);
      if (!number || PySet_Add(set.get(), number.get()) < 0) set.reset();
    }
    CPU_FREE(mask);
    return set;
  }
  return error();
}
Ref<> posix_sched_setaffinity(PyObject*, ProcessId pid, Borrowed<> mask) {
  auto iterator = VM_TRY(Ref<>::steal(PyObject_GetIter(mask)));
  cpu_set_t set;
  CPU_ZERO(&set);
  while (true) {
    Ref<> item = Ref<>::steal(PyIter_Next(iterator.get()));
    if (!item) {
      if (PyErr_Occurred()) return nullptr;
      break;
    }
    if (!PyLong_Check(item.get())) {
      return raise(PyExc_TypeError, "expected an iterator of ints, but iterator yielded %R", Py_TYPE(item.get()));
    }
    const long cpu = PyLong_AsLong(item.get());
    if (cpu == -1 && PyErr_Occurred()) return nullptr;
    if (cpu < 0) return raise(PyExc_ValueError, "negative CPU number");
    if (cpu >= CPU_SETSIZE) {
      errno = EINVAL;
      return error();
    }
    CPU_SET(cpu, &set);
  }
  return none_or_error(sched_setaffinity(pid.id, sizeof set, &set));
}

PyStructSequence_Field waitid_fields[] = {{"si_pid", nullptr}, {"si_uid", nullptr}, {"si_signo", nullptr},
                                          {"si_status", nullptr}, {"si_code", nullptr}, {nullptr, nullptr}};
PyStructSequence_Desc waitid_desc = {"posix.waitid_result", "Result of waitid.", waitid_fields, 5};
PyStructSequence_Field sched_param_fields[] = {{"sched_priority", "the scheduling priority"}, {nullptr, nullptr}};
PyStructSequence_Desc sched_param_desc = {"posix.sched_param", "Scheduling parameters.", sched_param_fields, 1};

}  // namespace

Status add_process_types(PyObject* module) {
  if (waitid_result_type == nullptr) waitid_result_type = PyStructSequence_NewType(&waitid_desc);
  if (sched_param_type == nullptr) sched_param_type = PyStructSequence_NewType(&sched_param_desc);
  if (waitid_result_type == nullptr || sched_param_type == nullptr) return Status::kError;
  sched_param_type->tp_new = constructor<sched_param_new, "sched_param(sched_priority)">;
  VM_CHECK(PyModule_AddObjectRef(module, "waitid_result", as_object(waitid_result_type)));
  VM_CHECK(PyModule_AddObjectRef(module, "sched_param", as_object(sched_param_type)));
  VM_CHECK(PyModule_AddIntConstant(module, "POSIX_SPAWN_OPEN", kSpawnOpen));
  VM_CHECK(PyModule_AddIntConstant(module, "POSIX_SPAWN_CLOSE", kSpawnClose));
  VM_CHECK(PyModule_AddIntConstant(module, "POSIX_SPAWN_DUP2", kSpawnDup2));
  return Status::kOk;
}

PyMethodDef process_methods[] = {
    method<posix_fork, "fork($module, /)", "Forks a child process: 0 in the child, its pid in the parent.">(),
    method<posix_forkpty, "forkpty($module, /)", "Forks with a new pseudo-terminal: (pid, fd).">(),
    method<posix_register_at_fork,
           "register_at_fork($module, /, *, before=None, after_in_child=None, after_in_parent=None)",
           "Registers callables that run around fork().">(),
    method<posix_execv, "execv($module, path, argv, /)", "Replaces the process by a program.">(),
    method<posix_execve, "execve($module, /, path, argv, env)", "As execv, with an environment.">(),
    method<posix_spawn_,
           "posix_spawn($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, "
           "setsigmask=(), setsigdef=(), scheduler=None)",
           "Starts a program in a new process; its pid.">(),
    method<posix_spawnp_,
           "posix_spawnp($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, "
           "setsigmask=(), setsigdef=(), scheduler=None)",
           "As posix_spawn, searching PATH.">(),
    method<posix_wait, "wait($module, /)", "Waits for a child: (pid, status).">(),
    method<posix_wait3, "wait3($module, /, options)", "Waits for a child: (pid, status, rusage).">(),
    method<posix_wait4, "wait4($module, /, pid, options)", "Waits for a process: (pid, status, rusage).">(),
    method<posix_waitpid, "waitpid($module, pid, options, /)", "Waits for a process: (pid, status).">(),
    method<posix_waitid, "waitid($module, idtype, id, options, /)", "Waits for processes; a waitid_result or None.">(),
    method<posix_WCOREDUMP, "WCOREDUMP($module, status, /)", "True if a core file was dumped.">(),
    method<posix_WIFCONTINUED, "WIFCONTINUED($module, /, status)", "True if the process was continued.">(),
    method<posix_WIFSTOPPED, "WIFSTOPPED($module, /, status)", "True if the process is stopped.">(),
    method<posix_WIFSIGNALED, "WIFSIGNALED($module, /, status)", "True if a signal ended the process.">(),
    method<posix_WIFEXITED, "WIFEXITED($module, /, status)", "True if the process called exit().">(),
    method<posix_WEXITSTATUS, "WEXITSTATUS($module, /, status)", "The exit status.">(),
    method<posix_WTERMSIG, "WTERMSIG($module, /, status)", "The signal that ended the process.">(),
    method<posix_WSTOPSIG, "WSTOPSIG($module, /, status)", "The signal that stopped the process.">(),
    method<posix_waitstatus_to_exitcode, "waitstatus_to_exitcode($module, /, status)",
           "Exit code of a wait status; negative for a signal.">(),
    method<posix_exit, "_exit($module, /, status)", "Ends the process at once, without clean-up.">(),
    method<posix_abort, "abort($module, /)", "Aborts the process.">(),
    method<posix_kill, "kill($module, pid, signal, /)", "Sends a signal.">(),
    method<posix_killpg, "killpg($module, pgid, signal, /)", "Sends a signal to a process group.">(),
    method<posix_pidfd_open, "pidfd_open($module, /, pid, flags=0)", "A descriptor that refers to a process.">(),
    method<posix_system, "system($module, /, command)", "Runs a shell command; its wait status.">(),
    method<posix_getpid, "getpid($module, /)", "The process id.">(),
    method<posix_getppid, "getppid($module, /)", "The parent's process id.">(),
    method<posix_getuid, "getuid($module, /)", "The user id.">(),
    method<posix_geteuid, "geteuid($module, /)", "The effective user id.">(),
    method<posix_getgid, "getgid($module, /)", "The group id.">(),
    method<posix_getegid, "getegid($module, /)", "The effective group id.">(),
    method<posix_setuid, "setuid($module, uid, /)", "Sets the user id.">(),
    method<posix_seteuid, "seteuid($module, euid, /)", "Sets the effective user id.">(),
    method<posix_setgid, "setgid($module, gid, /)", "Sets the group id.">(),
    method<posix_setegid, "setegid($module, egid, /)", "Sets the effective group id.">(),
    method<posix_setreuid, "setreuid($module, ruid, euid, /)", "Sets real and effective user ids.">(),
    method<posix_setregid, "setregid($module, rgid, egid, /)", "Sets real and effective group ids.">(),
    method<posix_setresuid, "setresuid($module, ruid, euid, suid, /)", "Sets all user ids.">(),
    method<posix_setresgid, "setresgid($module, rgid, egid, sgid, /)", "Sets all group ids.">(),
    method<posix_getresuid, "getresuid($module, /)", "(real, effective, saved) user ids.">(),
    method<posix_getresgid, "getresgid($module, /)", "(real, effective, saved) group ids.">(),
    method<posix_getpgid, "getpgid($module, /, pid)", "A process's group.">(),
    method<posix_getpgrp, "getpgrp($module, /)", "This process's group.">(),
    method<posix_setpgrp, "setpgrp($module, /)", "Makes this process a group leader.">(),
    method<posix_setpgid, "setpgid($module, pid, pgrp, /)", "Sets a process's group.">(),
    method<posix_setsid, "setsid($module, /)", "Starts a session.">(),
    method<posix_getsid, "getsid($module, pid, /)", "A process's session.">(),
    method<posix_tcgetpgrp, "tcgetpgrp($module, fd, /)", "The foreground group of a terminal.">(),
    method<posix_tcsetpgrp, "tcsetpgrp($module, fd, pgid, /)", "Sets the foreground group of a terminal.">(),
    method<posix_getgroups, "getgroups($module, /)", "The supplemental groups.">(),
    method<posix_setgroups, "setgroups($module, groups, /)", "Sets the supplemental groups.">(),
    method<posix_getgrouplist, "getgrouplist($module, user, group, /)", "The groups of a user.">(),
    method<posix_initgroups, "initgroups($module, username, gid, /)", "Sets the groups of a user.">(),
    method<posix_nice, "nice($module, increment, /)", "Adds to the niceness; the new value.">(),
    method<posix_getpriority, "getpriority($module, /, which, who)", "A scheduling priority.">(),
    method<posix_setpriority, "setpriority($module, /, which, who, priority)", "Sets a scheduling priority.">(),
    method<posix_sched_get_priority_max, "sched_get_priority_max($module, /, policy)", "Highest priority.">(),
    method<posix_sched_get_priority_min, "sched_get_priority_min($module, /, policy)", "Lowest priority.">(),
    method<posix_sched_getscheduler, "sched_getscheduler($module, pid, /)", "A process's policy.">(),
    method<posix_sched_setscheduler, "sched_setscheduler($module, pid, policy, param, /)", "Sets a policy.">(),
    method<posix_sched_getparam, "sched_getparam($module, pid, /)", "A process's sched_param.">(),
    method<posix_sched_setparam, "sched_setparam($module, pid, param, /)", "Sets a process's sched_param.">(),
    method<posix_sched_rr_get_interval, "sched_rr_get_interval($module, pid, /)", "Round-robin quantum, seconds.">(),
    method<posix_sched_yield, "sched_yield($module, /)", "Gives up the CPU.">(),
    method<posix_sched_getaffinity, "sched_getaffinity($module, pid, /)", "The CPUs a process may use.">(),
    method<posix_sched_setaffinity, "sched_setaffinity($module, pid, mask, /)", "Sets the CPUs of a process.">(),
    {}};

}  // namespace pyston::posix
