/* The calls of old: Py_SetProgramName, Py_Initialize, the global flags, PySys_SetArgv, and what the getters answer. */
#include <signal.h>
#include <stdlib.h>

#include "scenario.h"

static void plain(void) {
  SHOW(Py_IsInitialized());
  Py_Initialize();
  SHOW(Py_IsInitialized());
  run("import sys; print('hello from', sys.implementation.name, sys.version_info[:3], sys.argv, __name__)");
  SHOW(Py_FinalizeEx());
  SHOW(Py_IsInitialized());
  SHOW(Py_FinalizeEx());
}

static void initialize_twice(void) {
  Py_Initialize();
  run("x = 1");
  Py_Initialize();
  Py_InitializeEx(0);
  run("print(x)");
  Py_Finalize();
}

static void program_name(void) {
  Py_SetProgramName(L"./some_program");
  SHOW_WIDE(Py_GetProgramName());
  Py_Initialize();
  SHOW_WIDE(Py_GetProgramName());
  SHOW_WIDE(Py_GetProgramFullPath());
  run("import sys; print(sys.executable, sys._base_executable)");
  Py_Finalize();
  SHOW_WIDE(Py_GetProgramName());
}

static void program_name_on_path(void) {
  setenv("PATH", "/nowhere:/bin:/usr/bin", 1);
  Py_SetProgramName(L"true");
  Py_Initialize();
  run("import sys; print(sys.executable, sys.prefix, sys.path)");
  Py_Finalize();
}

static void default_paths(void) {
  setenv("PATH", "/nowhere", 1);
  Py_Initialize();
  SHOW_WIDE(Py_GetProgramName());
  SHOW_WIDE(Py_GetProgramFullPath());
  SHOW_WIDE(Py_GetPrefix());
  SHOW_WIDE(Py_GetExecPrefix());
  SHOW_WIDE(Py_GetPythonHome());
  run("import sys; print(sys.prefix, sys.exec_prefix, sys.base_prefix, sys.executable, sys.argv)");
  run("print([p for p in sys.path if 'pyston' not in p])");
  Py_Finalize();
}

static void getters_before(void) {
  SHOW_WIDE(Py_GetProgramName());
  SHOW_WIDE(Py_GetProgramFullPath());
  SHOW_WIDE(Py_GetPrefix());
  SHOW_WIDE(Py_GetExecPrefix());
  SHOW_WIDE(Py_GetPythonHome());
  SHOW_WIDE(Py_GetPath());
}

static void python_home(void) {
  Py_SetPythonHome(L"/usr");
  SHOW_WIDE(Py_GetPythonHome());
  Py_Initialize();
  SHOW_WIDE(Py_GetPythonHome());
  run("import sys; print(sys.prefix, sys.exec_prefix, [p for p in sys.path if 'pyston' not in p])");
  Py_Finalize();
}

static void python_home_pair(void) {
  Py_SetPythonHome(L"/usr:/usr/.");
  Py_Initialize();
  run("import sys; print(sys.prefix, sys.exec_prefix, [p for p in sys.path if 'pyston' not in p])");
  Py_Finalize();
}

static void python_home_wrong(void) {
  Py_SetPythonHome(L"/nowhere/at/all");
  Py_Initialize();
  puts("not reached");
}

static void set_path(void) {
  Py_SetPath(L"/usr/lib/python3.11:/usr/lib/python3.11/lib-dynload:/tmp/extra");
  SHOW_WIDE(Py_GetPath());
  Py_Initialize();
  SHOW_WIDE(Py_GetPath());
  run("import sys; print(sys.path[:3], repr(sys.prefix), repr(sys.exec_prefix), repr(sys.executable))");
  Py_Finalize();
}

static void arguments(void) {
  static wchar_t* three[] = {L"script.py", L"one", L"two"};
  static wchar_t* empty[] = {L""};
  static wchar_t* command[] = {L"-c", L"x"};
  Py_Initialize();
  PySys_SetArgvEx(3, three, 0);
  run("import sys; print(sys.argv, sys.path[0])");
  PySys_SetArgv(3, three);
  run("import os; print(sys.argv, sys.path[0] == os.getcwd())");
  PySys_SetArgvEx(1, empty, 1);
  run("print(sys.argv, repr(sys.path[0]))");
  PySys_SetArgvEx(2, command, 1);
  run("print(sys.argv, repr(sys.path[0]))");
  PySys_SetArgvEx(0, NULL, 0);
  run("print(sys.argv)");
  PySys_SetPath(L"/a:/b");
  run("print(sys.path)");
  Py_Finalize();
}

static void flags(void) {
  Py_IsolatedFlag = 1;
  Py_NoSiteFlag = 1;
  Py_OptimizeFlag = 2;
  Py_DontWriteBytecodeFlag = 1;
  Py_BytesWarningFlag = 1;
  Py_QuietFlag = 1;
  Py_UnbufferedStdioFlag = 1;
  Py_FrozenFlag = 1;
  Py_Initialize();
  run("import sys; print(sys.flags, 'site' in sys.modules); assert False");
  Py_Finalize();
  SHOW(Py_IsolatedFlag);
  SHOW(Py_NoSiteFlag);
  SHOW(Py_OptimizeFlag);
}

static void ignored_environment(void) {
  setenv("PYTHONOPTIMIZE", "2", 1);
  setenv("PYTHONPATH", "/from/environment", 1);
  Py_IgnoreEnvironmentFlag = 1;
  Py_Initialize();
  run("import sys; print(sys.flags.optimize, '/from/environment' in sys.path)");
  Py_Finalize();
}

static void environment(void) {
  setenv("PYTHONOPTIMIZE", "2", 1);
  setenv("PYTHONPATH", "/from/environment:relative:", 1);
  setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
  setenv("PYTHONHASHSEED", "7", 1);
  Py_Initialize();
  run("import sys, os; print(sys.flags, [p.replace(os.getcwd(), '.') for p in sys.path[:4]])");
  run("print(hash('text'))");
  Py_Finalize();
}

static void warn_options(void) {
  PySys_AddWarnOption(L"error");
  PySys_AddXOption(L"one=1");
  PySys_AddXOption(L"bare");
  Py_Initialize();
  run("import sys, warnings; print(sys.warnoptions, sys._xoptions)\ntry: warnings.warn('w')\nexcept UserWarning as e: print('raised', e)");
  SHOW(PySys_HasWarnOptions());
  show_object("xoptions", Py_NewRef(PySys_GetXOptions()));
  PySys_ResetWarnOptions();
  run("print(sys.warnoptions)");
  Py_Finalize();
}

static void* handler(void) {
  struct sigaction action;
  sigaction(SIGINT, NULL, &action);
  return (void*)action.sa_handler;
}

static void signals(void) {
  signal(SIGINT, SIG_DFL);
  Py_InitializeEx(0);
  SHOW(handler() == (void*)SIG_DFL);
  run("import signal; print(signal.getsignal(signal.SIGINT), int(signal.getsignal(signal.SIGPIPE)))");
  Py_Finalize();
  Py_InitializeEx(1);
  SHOW(handler() == (void*)SIG_DFL);
  run("import signal; print(signal.getsignal(signal.SIGINT), int(signal.getsignal(signal.SIGPIPE)))");
  Py_Finalize();
  SHOW(handler() == (void*)SIG_DFL);
}

static void version(void) {
  SHOW(strncmp(Py_GetVersion(), "3.11.2 ", 7));
  SHOW_TEXT(Py_GetPlatform());
  SHOW(Py_Version);
  SHOW(strlen(Py_GetBuildInfo()) > 0);
  SHOW(strlen(Py_GetCompiler()) > 0);
  SHOW(strlen(Py_GetCopyright()) > 0);
}

static void decode_locale(void) {
  size_t length;
  wchar_t* text = Py_DecodeLocale("plain \xff text", &length);
  char* bytes;
  SHOW(length);
  bytes = Py_EncodeLocale(text, NULL);
  SHOW_TEXT(bytes == NULL ? "failed" : "round trip");
  SHOW(strcmp(bytes, "plain \xff text"));
  PyMem_Free(bytes);
  PyMem_RawFree(text);
}

SCENARIOS({"plain", plain}, {"initialize_twice", initialize_twice}, {"program_name", program_name},
          {"program_name_on_path", program_name_on_path}, {"default_paths", default_paths}, {"getters_before", getters_before},
          {"python_home", python_home}, {"python_home_pair", python_home_pair}, {"python_home_wrong", python_home_wrong},
          {"set_path", set_path}, {"arguments", arguments}, {"flags", flags}, {"ignored_environment", ignored_environment},
          {"environment", environment}, {"warn_options", warn_options}, {"signals", signals}, {"version", version},
          {"decode_locale", decode_locale})
