// Programs that are a `python` themselves: Py_BytesMain, Py_Main and Py_RunMain, their exit statuses and what they leave behind.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenario.h"

namespace {

template <size_t count>
void bytes_main(const char* const (&arguments)[count]) {
  char* argv[count + 1] = {};
  for (size_t i = 0; i < count; i++) argv[i] = const_cast<char*>(arguments[i]);
  SHOW(Py_BytesMain(count, argv));
  SHOW(Py_IsInitialized());
}

void command() { bytes_main({"prog", "-c", "import sys; print(sys.argv, __name__); sys.exit(3)", "arg"}); }
void command_fails() { bytes_main({"prog", "-c", "1/0"}); }
void command_exits_with_text() { bytes_main({"prog", "-c", "raise SystemExit('bye')"}); }
void module() { bytes_main({"prog", "-m", "this_module_is_missing"}); }
void module_runs() { bytes_main({"prog", "-m", "calendar", "2024", "2"}); }
void version() { bytes_main({"prog", "--version"}); }
void bad_option() { bytes_main({"prog", "-Z"}); }
void missing_script() { bytes_main({"prog", "/no/such/script.py"}); }
void directory() { bytes_main({"prog", "/tmp/."}); }
void isolated() { bytes_main({"prog", "-I", "-c", "import sys; print(sys.flags.isolated, 'prog' in sys.orig_argv, sys.flags.safe_path)"}); }

void several_mains() {
  for (int i = 0; i < 4; i++) bytes_main({"prog", "-c", "import json, threading; print(json.dumps({'a': [1, 2]}))"});
  bytes_main({"prog", "-c", "import sys; sys.exit(5)"});
  bytes_main({"prog", "-c", "print('after an exit')"});
}

void wide_main() {
  wchar_t* arguments[] = {const_cast<wchar_t*>(L"prog"), const_cast<wchar_t*>(L"-c"),
                          const_cast<wchar_t*>(L"import sys; print(ascii(sys.argv))"), const_cast<wchar_t*>(L"\u00e9\u20ac"), nullptr};
  SHOW(Py_Main(4, arguments));
}

void script() {
  char path[] = "/tmp/embed_scriptXXXXXX";
  const int descriptor = mkstemp(path);
  const char text[] = "import sys\nprint(__name__, len(sys.argv), sys.argv[1:], sys.path[0])\nraise KeyError('from script')\n";
  if (write(descriptor, text, sizeof text - 1) < 0) return;
  close(descriptor);
  char* argv[] = {const_cast<char*>("prog"), path, const_cast<char*>("a"), nullptr};
  const int status = Py_BytesMain(3, argv);
  unlink(path);
  SHOW(status);
}

void standard_input() {
  if (freopen("/dev/null", "r", stdin) == nullptr) return;
  bytes_main({"prog", "-"});
  bytes_main({"prog"});
}

void run_main(void (*fill)(PyConfig*)) {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  fill(&config);
  PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  show_status(status);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
  SHOW(Py_RunMain());
}

void configured_command() {
  run_main([](PyConfig* config) { PyConfig_SetString(config, &config->run_command, L"print('configured', __name__)\n"); });
}
void configured_module() {
  run_main([](PyConfig* config) { PyConfig_SetString(config, &config->run_module, L"no_such_module"); });
}
void configured_file() {
  run_main([](PyConfig* config) { PyConfig_SetString(config, &config->run_filename, L"/no/such/file.py"); });
}
void changed_before_main() {
  Py_Initialize();
  run("import sys; sys.argv = ['changed']; import builtins; builtins.extra = 5");
  if (freopen("/dev/null", "r", stdin) == nullptr) return;
  SHOW(Py_RunMain());
}
void exit_functions() {
  Py_Initialize();
  Py_AtExit([] { puts("C exit function"); });
  run("import atexit; atexit.register(print, 'python exit function')");
  Py_Exit(6);
}
void flush_fails() {
  run_main([](PyConfig* config) {
    PyConfig_SetString(config, &config->run_command, L"import os, sys; os.close(1); sys.stdout.write('lost')\n");
  });
}
void interrupted() {
  signal(SIGINT, SIG_DFL);
  bytes_main({"prog", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT)\nfor i in range(10**9): pass"});
}
void original_arguments() {
  Py_Initialize();
  int count;
  wchar_t** list;
  Py_GetArgcArgv(&count, &list);
  SHOW(count);
  Py_Finalize();
  bytes_main({"prog", "-c", "import sys; print(sys.orig_argv)", "x"});
}

}  // namespace

SCENARIOS({"command", command}, {"command_fails", command_fails}, {"command_exits_with_text", command_exits_with_text},
          {"module", module}, {"module_runs", module_runs}, {"version", version}, {"bad_option", bad_option},
          {"missing_script", missing_script}, {"directory", directory}, {"isolated", isolated}, {"several_mains", several_mains},
          {"wide_main", wide_main}, {"script", script}, {"standard_input", standard_input}, {"configured_command", configured_command},
          {"configured_module", configured_module}, {"configured_file", configured_file}, {"changed_before_main", changed_before_main},
          {"exit_functions", exit_functions}, {"flush_fails", flush_fails}, {"interrupted", interrupted},
          {"original_arguments", original_arguments})
