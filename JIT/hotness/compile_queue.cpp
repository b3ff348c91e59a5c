// The compiling thread and the shared object it works with. The thread touches no Python object and takes no GIL: it reads a trace, which
// nobody changes while the queue has it, and writes its machine code.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

#include "JIT/exits/leave_trace.h"
#include "JIT/hotness/loops.h"

namespace pyston::jit {

extern const HostSymbol host_symbols[];  // made by the build from what the bitcode refers to

namespace {

struct Job {
  Trace* trace;
  const char* why = nullptr;
  bool orphan = false;  // the code died while the thread had it
};

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t work = PTHREAD_COND_INITIALIZER;
pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
std::deque<Job> waiting;
std::deque<Job> finished;
Job running{nullptr};
int finished_count = 0;  // read without the mutex
bool thread_lives = false;
bool stopping = false;
pthread_t thread;
const CodeGenerator* generator = nullptr;
std::string library_path;

Host host;

/// Where the library is: beside the file this code is in (the executable or libpyston), or in the lib folder next to that one's.
std::string find_library() {
  Dl_info self;
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  std::string file(path, length > 0 ? static_cast<size_t>(length) : 0);
  if (dladdr(reinterpret_cast<void*>(&op_leave_trace), &self) != 0 && strstr(self.dli_fname, ".so") != nullptr) {
    file = self.dli_fname;
  }
  std::string folder = file.substr(0, file.rfind('/') + 1);
  for (const char* relative : {"libpyston_jit.so", "../lib/libpyston_jit.so", "../lib/pyston/libpyston_jit.so"}) {
    if (access((folder + relative).c_str(), R_OK) == 0) return folder + relative;
  }
  return {};
}

const CodeGenerator* load_generator(const char** why) {
  if (generator != nullptr) return generator;
  void* library = dlopen(library_path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *why = "libpyston_jit.so does not load";
    return nullptr;
  }
  auto entry = reinterpret_cast<EntryPoint>(dlsym(library, kEntryPoint));
  if (entry == nullptr) {
    *why = "libpyston_jit.so is of another build";
    return nullptr;
  }
  generator = entry(&host, why);
  return generator;
}

const char* compile(Trace* trace) {
  const char* why = nullptr;
  const CodeGenerator* with = load_generator(&why);
  if (with != nullptr) trace->machine_code = with->compile(trace, &why);
  return why;
}

void* compile_jobs(void*) {
  pthread_mutex_lock(&mutex);
  for (;;) {
    while (waiting.empty() && !stopping) pthread_cond_wait(&work, &mutex);
    if (stopping) break;
    running = waiting.front();
    waiting.pop_front();
    pthread_mutex_unlock(&mutex);
    const char* why = compile(running.trace);
    pthread_mutex_lock(&mutex);
    if (running.orphan) {
      delete running.trace;
    } else {
      running.why = why;
      finished.push_back(running);
      __atomic_add_fetch(&finished_count, 1, __ATOMIC_RELEASE);
    }
    running = Job{nullptr};
    pthread_cond_broadcast(&idle);
  }
  pthread_mutex_unlock(&mutex);
  return nullptr;
}

// fork: waits until nothing is being compiled, so that the child finds LLVM in a state it can go on from; the child starts a thread of its own
// when it has something to compile.
void before_fork() {
  pthread_mutex_lock(&mutex);
  while (running.trace != nullptr) pthread_cond_wait(&idle, &mutex);
}
void after_fork_parent() { pthread_mutex_unlock(&mutex); }
void after_fork_child() {
  thread_lives = false;
  pthread_cond_init(&work, nullptr);
  pthread_cond_init(&idle, nullptr);
  pthread_mutex_unlock(&mutex);
}

/// With the mutex held.
void ensure_thread() {
  if (thread_lives || waiting.empty()) return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for Python's threads
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, size_t{8} << 20);
  thread_lives = pthread_create(&thread, &attributes, compile_jobs, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

bool open_code_generator(const char** why) {
  library_path = find_library();
  if (library_path.empty()) {
    *why = "libpyston_jit.so is not installed";
    return false;
  }
  const char* dump = getenv("PYSTON_DUMP");
  host = {.symbols = host_symbols,
          .leave = op_leave_trace,
          .error = kErrorHandler,
          .unwind = kUnwindHandler,
          .go_on = op_go_on,
          .exit_values = exit_values,
          .exit_iterations = &exit_iterations,
          .dump_llvm = dump != nullptr && strstr(dump, "llvm") != nullptr,
          .dump_assembly = dump != nullptr && strstr(dump, "asm") != nullptr};
  static bool registered = false;
  if (!registered) pthread_atfork(before_fork, after_fork_parent, after_fork_child);
  registered = true;
  stopping = false;
  return true;
}

void queue_compilation(Trace* trace) {
  pthread_mutex_lock(&mutex);
  waiting.push_back({trace});
  ensure_thread();
  pthread_cond_signal(&work);
  pthread_mutex_unlock(&mutex);
}

bool compile_now(Trace* trace, const char** why) {
  *why = compile(trace);
  return trace->machine_code != nullptr;
}

Trace* finished_compilation(const char** why) {
  if (__atomic_load_n(&finished_count, __ATOMIC_ACQUIRE) == 0) return nullptr;
  pthread_mutex_lock(&mutex);
  Trace* trace = nullptr;
  if (!finished.empty()) {
    trace = finished.front().trace;
    *why = finished.front().why;
    finished.pop_front();
    __atomic_sub_fetch(&finished_count, 1, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&mutex);
  return trace;
}

bool cancel_compilation(Trace* trace) {
  pthread_mutex_lock(&mutex);
  bool being_compiled = running.trace == trace;
  if (being_compiled) running.orphan = true;
  std::erase_if(waiting, [&](const Job& job) { return job.trace == trace; });
  auto erased = std::erase_if(finished, [&](const Job& job) { return job.trace == trace; });
  __atomic_sub_fetch(&finished_count, static_cast<int>(erased), __ATOMIC_RELEASE);
  pthread_mutex_unlock(&mutex);
  return !being_compiled;
}

void stop_compiling() {
  pthread_mutex_lock(&mutex);
  stopping = true;
  waiting.clear();
  bool joins = thread_lives;
  thread_lives = false;
  pthread_cond_signal(&work);
  pthread_mutex_unlock(&mutex);
  if (joins) pthread_join(thread, nullptr);
}

}  // namespace pyston::jit
