/* A program of tests/embed is a set of scenarios: `PROGRAM` lists their names, `PROGRAM NAME` runs one. What a scenario prints, and how the
   process ends, must be the same with libpython3.11 and with libpyston3.11. Plain C, so that C programs are among them. */
#ifndef SCENARIO_H
#define SCENARIO_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct scenario {
  const char* name;
  void (*run)(void);
};

/* Set for scenarios that hand their own arguments on. */
static char* scenario_program;

#define SCENARIOS(...)                                                        \
  int main(int argc, char** argv) {                                           \
    static const struct scenario all[] = {__VA_ARGS__};                       \
    const size_t count = sizeof all / sizeof all[0];                          \
    size_t i;                                                                 \
    scenario_program = argv[0];                                               \
    for (i = 0; i < count; i++) {                                             \
      if (argc < 2) {                                                         \
        puts(all[i].name);                                                    \
      } else if (strcmp(argv[1], all[i].name) == 0) {                         \
        all[i].run();                                                         \
        fflush(stdout);                                                       \
        return 0;                                                             \
      }                                                                       \
    }                                                                         \
    return argc < 2 ? 0 : 3;                                                  \
  }

/* Shows an expression's integer value. */
#define SHOW(expression) (printf("%s = %ld\n", #expression, (long)(expression)), fflush(stdout))
/* Shows a C string. */
#define SHOW_TEXT(expression)                               \
  do {                                                      \
    const char* shown = (expression);                       \
    printf("%s = %s\n", #expression, shown ? shown : "NULL"); \
    fflush(stdout);                                         \
  } while (0)
#define SHOW_WIDE(expression)                                 \
  do {                                                        \
    const wchar_t* shown = (expression);                      \
    printf("%s = %ls\n", #expression, shown ? shown : L"NULL"); \
    fflush(stdout);                                           \
  } while (0)

/* Shows and drops an object; NULL shows and clears the exception. */
static inline void show_object(const char* what, PyObject* object) {
  if (object != NULL) {
    PyObject* text = PyObject_Repr(object);
    if (text == NULL) {
      PyErr_Clear();
      printf("%s: <no repr>\n", what);
    } else {
      printf("%s: %s\n", what, PyUnicode_AsUTF8(text));
      Py_DECREF(text);
    }
    Py_DECREF(object);
  } else if (PyErr_Occurred()) {
    PyObject *type, *value, *traceback, *text;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    text = PyObject_Repr(value);
    printf("%s: raised %s\n", what, text ? PyUnicode_AsUTF8(text) : "<no repr>");
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
  } else {
    printf("%s: NULL without an exception\n", what);
  }
  fflush(stdout);
}

/* Runs statements in __main__; Python's and C's output stay in order. */
static inline int run(const char* source) {
  int status;
  fflush(stdout);
  status = PyRun_SimpleString(source);
  PyRun_SimpleString("import sys; sys.stdout and sys.stdout.flush()");
  return status;
}

/* KiB of memory that the process has at the moment. */
static inline long resident_memory(void) {
  long size = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2) resident = -1;
  if (file != NULL) fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static inline void show_status(PyStatus status) {
  if (PyStatus_IsExit(status)) {
    printf("status: exit %d\n", status.exitcode);
  } else if (PyStatus_IsError(status)) {
    printf("status: error %s\n", status.err_msg);
  } else {
    printf("status: ok\n");
  }
  fflush(stdout);
}

#endif
