// The _posixsubprocess module: fork and exec for subprocess.
//
// Between fork (or vfork) and exec the child only makes async-signal-safe calls: everything it needs is prepared
// before. INVARIANT: child_exec() never allocates and never touches Python objects, unless there is a preexec_fn.
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "Objects/bind.h"
#include "pycore_fileutils.h"
#include "pycore_pystate.h"

// Defined with the posix module.
extern "C" {
PyAPI_FUNC(int) _Py_Uid_Converter(PyObject*, uid_t*);
PyAPI_FUNC(int) _Py_Gid_Converter(PyObject*, gid_t*);
}

namespace pyston {
namespace {

/// What the child is to do. All pointers are owned by Job::~Job or by the caller's arguments.
struct Job {
  char* const* exec_array = nullptr;  // paths to try
  char* const* argv = nullptr;
  char* const* envp = nullptr;  // null: the parent's
  const char* cwd = nullptr;
  bool close_fds = false;
  PyObject* keep = nullptr;  // tuple of ints, sorted
  int* keep_fds = nullptr;   // the same for the child
  Py_ssize_t keep_count = 0;
  int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
  bool restore_signals = false, new_session = false;
  pid_t process_group = -1;
  bool set_uid = false, set_gid = false, set_groups = false;
  uid_t uid = 0;
  gid_t gid = 0;
  gid_t* groups = nullptr;
  size_t group_count = 0;
  int umask = -1;
  const sigset_t* old_mask = nullptr;  // not null: signals were blocked for vfork()
  PyObject* preexec_fn = nullptr;      // null: none
  PyObject* preexec_args = nullptr;

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() {
    if (exec_array != nullptr) _Py_FreeCharPArray(exec_array);
    if (argv != nullptr) _Py_FreeCharPArray(argv);
    if (envp != nullptr) _Py_FreeCharPArray(envp);
    PyMem_RawFree(keep_fds);
    PyMem_RawFree(groups);
  }
};

// ---- In the child


/// Closes [low, high], with one system call where the kernel has it.
void close_range_of(unsigned low, unsigned high, int open_max) {
  if (low > high) return;
  if (syscall(SYS_close_range, low, high, 0) == 0) return;
  for (unsigned fd = low; fd <= high && fd < static_cast<unsigned>(open_max); fd++) close(static_cast<int>(fd));
}

void close_others(const Job& job) {
  const long limit = sysconf(_SC_OPEN_MAX);
  const int open_max = limit > 0 ? static_cast<int>(limit) : 256;
  unsigned low = 3;
  for (Py_ssize_t i = 0; i < job.keep_count; i++) {
    const int fd = job.keep_fds[i];
    if (fd < 3) continue;
    if (static_cast<unsigned>(fd) > low) close_range_of(low, static_cast<unsigned>(fd) - 1, open_max);
    low = static_cast<unsigned>(fd) + 1;
  }
  close_range_of(low, UINT_MAX, open_max);
}

bool make_inheritable(const Job& job) {
  for (Py_ssize_t i = 0; i < job.keep_count; i++) {
    // The error pipe closes itself at exec: that tells the parent of success.
    if (job.keep_fds[i] == job.errpipe_write) continue;
    if (_Py_set_inheritable_async_safe(job.keep_fds[i], 1, nullptr) < 0) return false;
  }
  return true;
}

bool place_descriptor(int fd, int target) {
  if (fd == target) return _Py_set_inheritable_async_safe(fd, 1, nullptr) >= 0;
  return fd == -1 || dup2(fd, target) != -1;
}

bool connect_streams(Job& job) {
  for (int fd : {job.p2cwrite, job.c2pread, job.errread}) {
    if (fd != -1 && close(fd) < 0) return false;
  }
  close(job.errpipe_read);
  // Descriptors that stand in the way of 0 and 1 move up first.
  if (job.c2pwrite == 0) {
    job.c2pwrite = dup(job.c2pwrite);
    if (job.c2pwrite < 0) return false;
  }
  while (job.errwrite == 0 || job.errwrite == 1) {
    job.errwrite = dup(job.errwrite);
    if (job.errwrite < 0) return false;
  }
  return place_descriptor(job.p2cread, 0) && place_descriptor(job.c2pwrite, 1) && place_descriptor(job.errwrite, 2);
}

void reset_signals(const sigset_t* mask) {
  // Handlers are functions of the parent's memory; in a vfork child they must not run.
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) < 0) continue;
    if (action.sa_handler == SIG_IGN || action.sa_handler == SIG_DFL) continue;
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    sigaction(number, &standard, nullptr);
  }
  sigprocmask(SIG_SETMASK, mask, nullptr);
}

bool change_identity(const Job& job) {
  if (job.new_session && setsid() < 0 && errno != EPERM) return false;
  if (job.process_group >= 0 && setpgid(0, job.process_group) < 0) return false;
  if (job.set_groups && syscall(SYS_setgroups, job.group_count, job.groups) < 0) return false;
  if (job.set_gid && syscall(SYS_setregid, job.gid, job.gid) < 0) return false;
  if (job.set_uid && syscall(SYS_setreuid, job.uid, job.uid) < 0) return false;
  return true;
}

/// What subprocess.py reads from the error pipe: "ExceptionName:errno in hex:detail".
[[noreturn]] void report_failure(const Job& job, int error, const char* detail) {
  auto put = [&](const char* text, size_t size) { (void)_Py_write_noraise(job.errpipe_write, text, size); };
  if (error != 0) {
    char digits[16];
    char* cursor = digits + sizeof digits;
    for (unsigned rest = static_cast<unsigned>(error); rest != 0; rest /= 16) *--cursor = "0123456789ABCDEF"[rest % 16];
    put("OSError:", 8);
    put(cursor, static_cast<size_t>(digits + sizeof digits - cursor));
    put(":", 1);
  } else {
    put("SubprocessError:0:", 18);
  }
  put(detail, strlen(detail));
  _exit(255);
}

[[noreturn]] void child_exec(Job& job) {
  if (!make_inheritable(job) || !connect_streams(job)) report_failure(job, errno, "");
  if (job.cwd != nullptr && chdir(job.cwd) == -1) report_failure(job, errno, "noexec");
  if (job.umask >= 0) umask(static_cast<mode_t>(job.umask));
  if (job.restore_signals) _Py_RestoreSignals();
  if (job.old_mask != nullptr) reset_signals(job.old_mask);
  if (!change_identity(job)) report_failure(job, errno, "");
  if (job.preexec_fn != nullptr) {
    PyObject* result = PyObject_Call(job.preexec_fn, job.preexec_args, nullptr);
    if (result == nullptr) {
      PyErr_Clear();
      report_failure(job, 0, "Exception occurred in preexec_fn.");
    }
  }
  if (job.close_fds) close_others(job);

  // The error of the most promising path counts, not that of the last one.
  int error = 0;
  for (char* const* path = job.exec_array; *path != nullptr; path++) {
    if (job.envp != nullptr) {
      execve(*path, job.argv, job.envp);
    } else {
      execv(*path, job.argv);
    }
    if (errno != ENOENT && errno != ENOTDIR && error == 0) error = errno;
  }
  if (error == 0) error = errno;
  report_failure(job, error, "");
}

// ---- In the parent

Status take_descriptors(Job& job) {
  job.keep_count = PyTuple_GET_SIZE(job.keep);
  job.keep_fds = static_cast<int*>(PyMem_RawMalloc(sizeof(int) * static_cast<size_t>(job.keep_count + 1)));
  if (job.keep_fds == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  long previous = -1;
  for (Py_ssize_t i = 0; i < job.keep_count; i++) {
    PyObject* item = PyTuple_GET_ITEM(job.keep, i);
    const long fd = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
    if (fd < 0 || fd <= previous || fd > INT_MAX) {
      PyErr_Clear();
      return raise(PyExc_ValueError, "bad value(s) in fds_to_keep");
    }
    job.keep_fds[i] = static_cast<int>(fd);
    previous = fd;
  }
  return Status::kOk;
}

/// argv for execve, through the file system's encoding.
Status take_arguments(Job& job, PyObject* arguments) {
  auto list = Ref<>::steal(PySequence_Fast(arguments, "argv must be a tuple"));
  if (!list) return Status::kError;
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(list.get());
  auto encoded = Ref<>::steal(PyTuple_New(count));
  if (!encoded) return Status::kError;
  for (Py_ssize_t i = 0; i < count; i++) {
    if (PySequence_Fast_GET_SIZE(list.get()) != count) {
      return raise(PyExc_RuntimeError, "args changed during iteration");
    }
    PyObject* bytes;
    if (!PyUnicode_FSConverter(PySequence_Fast_GET_ITEM(list.get(), i), &bytes)) return Status::kError;
    PyTuple_SET_ITEM(encoded.get(), i, bytes);
  }
  job.argv = _PySequence_BytesToCharpArray(encoded.get());
  return job.argv != nullptr ? Status::kOk : Status::kError;
}

Status take_groups(Job& job, PyObject* groups) {
  if (groups == Py_None) return Status::kOk;
  if (!PyList_Check(groups)) return raise(PyExc_TypeError, "setgroups argument must be a list");
  const Py_ssize_t count = PySequence_Size(groups);
  if (count < 0) return Status::kError;
  if (count > 65536) return raise(PyExc_ValueError, "too many groups");
  job.groups = static_cast<gid_t*>(PyMem_RawMalloc(sizeof(gid_t) * static_cast<size_t>(count + 1)));
  if (job.groups == nullptr) {
    PyErr_NoMemory();
    return Status::kError;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    auto item = Ref<>::steal(PySequence_GetItem(groups, i));
    if (!item) return Status::kError;
    if (!PyLong_Check(item.get())) return raise(PyExc_TypeError, "groups must be integers");
    if (!_Py_Gid_Converter(item.get(), &job.groups[i])) return raise(PyExc_ValueError, "invalid group id");
  }
  job.group_count = static_cast<size_t>(count);
  job.set_groups = true;
  return Status::kOk;
}

Status take_identity(Job& job, PyObject* gid, PyObject* uid) {
  if (gid != Py_None) {
    if (!_Py_Gid_Converter(gid, &job.gid)) return Status::kError;
    job.set_gid = true;
  }
  if (uid != Py_None) {
    if (!_Py_Uid_Converter(uid, &job.uid)) return Status::kError;
    job.set_uid = true;
  }
  return Status::kOk;
}

/// Starts the child; the pid, or -1 with errno. With `block_signals` through vfork(), which stops this thread until
/// the child has gone on to another program; signals are blocked as their handlers must not run in the child.
pid_t start_child(Job& job, bool use_vfork) {
  pid_t pid;
  if (!use_vfork) {
    pid = fork();
    if (pid != 0) return pid;
    if (job.preexec_fn != nullptr) PyOS_AfterFork_Child();
    child_exec(job);
  }
  sigset_t all, old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_BLOCK, &all, &old) != 0) return start_child(job, /*use_vfork=*/false);
  job.old_mask = &old;
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  pid = vfork();
#pragma clang diagnostic pop
  if (pid == 0) child_exec(job);
  const int error = errno;
  job.old_mask = nullptr;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  errno = error;
  // Sandboxes without vfork() get fork().
  if (pid < 0 && (error == EINVAL || error == ENOSYS)) return start_child(job, /*use_vfork=*/false);
  return pid;
}

PyObject* fork_exec(PyObject*, PyObject* args) {
  Job job;
  PyObject *argv, *executables, *cwd, *env, *gid, *groups, *uid, *preexec_fn;
  int close_fds, restore_signals, new_session, process_group, allow_vfork;
  if (!PyArg_ParseTuple(args, "OOpO!OOiiiiiiiiiiiOOOiOp:fork_exec", &argv, &executables, &close_fds, &PyTuple_Type,
                        &job.keep, &cwd, &env, &job.p2cread, &job.p2cwrite, &job.c2pread, &job.c2pwrite, &job.errread,
                        &job.errwrite, &job.errpipe_read, &job.errpipe_write, &restore_signals, &new_session,
                        &process_group, &gid, &groups, &uid, &job.umask, &preexec_fn, &allow_vfork)) {
    return nullptr;
  }
  if (preexec_fn != Py_None && PyInterpreterState_Get() != PyInterpreterState_Main()) {
    return raise(PyExc_RuntimeError, "preexec_fn not supported within subinterpreters");
  }
  if (close_fds && job.errpipe_write < 3) return raise(PyExc_ValueError, "errpipe_write must be >= 3");
  job.close_fds = close_fds != 0;
  job.restore_signals = restore_signals != 0;
  job.new_session = new_session != 0;
  job.process_group = process_group;
  VM_CHECK(take_descriptors(job));

  Ref<> preexec_args;
  if (preexec_fn != Py_None) {
    job.preexec_fn = preexec_fn;
    preexec_args = Ref<>::steal(PyTuple_New(0));
    if (!preexec_args) return nullptr;
    job.preexec_args = preexec_args.get();
  }
  job.exec_array = _PySequence_BytesToCharpArray(executables);
  if (job.exec_array == nullptr) return nullptr;
  if (argv != Py_None) VM_CHECK(take_arguments(job, argv));
  if (env != Py_None) {
    job.envp = _PySequence_BytesToCharpArray(env);
    if (job.envp == nullptr) return nullptr;
  }
  Ref<> cwd_bytes;
  if (cwd != Py_None) {
    PyObject* bytes;
    if (!PyUnicode_FSConverter(cwd, &bytes)) return nullptr;
    cwd_bytes = Ref<>::steal(bytes);
    job.cwd = PyBytes_AS_STRING(bytes);
  }
  VM_CHECK(take_groups(job, groups));
  VM_CHECK(take_identity(job, gid, uid));

  // Changes of identity go through calls that vfork() children should not make.
  const bool use_vfork =
      allow_vfork && job.preexec_fn == nullptr && !job.set_uid && !job.set_gid && !job.set_groups;
  // In a child with preexec_fn, finalizers of the parent's garbage shall not run.
  const bool collector_was_on = job.preexec_fn != nullptr && PyGC_Disable();
  if (job.preexec_fn != nullptr) PyOS_BeforeFork();
  const pid_t pid = start_child(job, use_vfork);
  const int error = errno;
  if (job.preexec_fn != nullptr) PyOS_AfterFork_Parent();
  if (collector_was_on) PyGC_Enable();
  if (pid == -1) {
    errno = error;
    PyErr_SetFromErrno(PyExc_OSError);
    return nullptr;
  }
  return PyLong_FromPid(pid);
}

PyMethodDef methods[] = {{"fork_exec", fork_exec, METH_VARARGS,
                          "fork_exec(...) -> pid\n\nStarts a program in a child process; for subprocess only."},
                         {}};
PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "_posixsubprocess",
                          .m_doc = "The part of subprocess that has to be in C.",
                          .m_methods = methods};

}  // namespace
}  // namespace pyston

PyMODINIT_FUNC PyInit__posixsubprocess(void) { return PyModuleDef_Init(&pyston::definition); }
