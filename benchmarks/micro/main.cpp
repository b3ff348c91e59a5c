// Micro-benchmarks of the runtime's C++ paths (Google Benchmark): dict, str, int, attribute lookup, allocation, lexing
// and parsing. One interpreter, started like an embedding program would. Run: build/release/bin/micro_benchmarks
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "Interpreter/compiler/parser.h"
#include "Runtime/refs/ref.h"

namespace {

using pyston::Ref;

std::vector<PyObject*> make_keys(int count) {
  std::vector<PyObject*> keys;
  for (int i = 0; i < count; i++) {
    PyObject* key = PyUnicode_FromFormat("key%d", i);
    PyObject_Hash(key);
    keys.push_back(key);
  }
  return keys;
}

void release(std::vector<PyObject*>& objects) {
  for (PyObject* object : objects) Py_DECREF(object);
}

void dict_lookup(benchmark::State& state) {
  std::vector<PyObject*> keys = make_keys(static_cast<int>(state.range(0)));
  Ref<> dict = Ref<>::steal(PyDict_New());
  for (PyObject* key : keys) PyDict_SetItem(dict.get(), key, key);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(PyDict_GetItemWithError(dict.get(), keys[i]));
    if (++i == keys.size()) i = 0;
  }
  release(keys);
}
BENCHMARK(dict_lookup)->Arg(8)->Arg(1000)->Arg(100000);

void dict_build(benchmark::State& state) {
  std::vector<PyObject*> keys = make_keys(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    Ref<> dict = Ref<>::steal(PyDict_New());
    for (PyObject* key : keys) PyDict_SetItem(dict.get(), key, Py_None);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  release(keys);
}
BENCHMARK(dict_build)->Arg(8)->Arg(1000);

void str_concatenate(benchmark::State& state) {
  Ref<> left = Ref<>::steal(PyUnicode_FromString("a string of some length, "));
  Ref<> right = Ref<>::steal(PyUnicode_FromString("and another one"));
  for (auto _ : state) Ref<> sum = Ref<>::steal(PyUnicode_Concat(left.get(), right.get()));
}
BENCHMARK(str_concatenate);

void str_find(benchmark::State& state) {
  Ref<> text = Ref<>::steal(PyUnicode_FromString((std::string(state.range(0), 'a') + "needle").c_str()));
  Ref<> needle = Ref<>::steal(PyUnicode_FromString("needle"));
  for (auto _ : state) benchmark::DoNotOptimize(PyUnicode_Find(text.get(), needle.get(), 0, PY_SSIZE_T_MAX, 1));
}
BENCHMARK(str_find)->Arg(100)->Arg(10000);

void int_arithmetic(benchmark::State& state) {
  Ref<> a = Ref<>::steal(PyLong_FromLongLong(1LL << state.range(0)));
  Ref<> b = Ref<>::steal(PyLong_FromLong(12345));
  for (auto _ : state) {
    Ref<> product = Ref<>::steal(PyNumber_Multiply(a.get(), b.get()));
    Ref<> sum = Ref<>::steal(PyNumber_Add(product.get(), a.get()));
  }
}
BENCHMARK(int_arithmetic)->Arg(4)->Arg(20)->Arg(50);

void int_to_text(benchmark::State& state) {
  Ref<> one = Ref<>::steal(PyLong_FromLong(7));
  Ref<> exponent = Ref<>::steal(PyLong_FromLong(state.range(0)));
  Ref<> number = Ref<>::steal(PyNumber_Power(one.get(), exponent.get(), Py_None));
  for (auto _ : state) Ref<> text = Ref<>::steal(PyObject_Repr(number.get()));
}
BENCHMARK(int_to_text)->Arg(10)->Arg(1000)->Arg(4000);

void attribute_lookup(benchmark::State& state) {
  Ref<> globals = Ref<>::steal(PyDict_New());
  Ref<> made = Ref<>::steal(PyRun_String("class Base:\n  def method(self): pass\nclass Derived(Base):\n  pass\n"
                                         "instance = Derived()\ninstance.value = 1\n",
                                         Py_file_input, globals.get(), globals.get()));
  PyObject* instance = PyDict_GetItemString(globals.get(), "instance");
  Ref<> name = Ref<>::steal(PyUnicode_InternFromString(state.range(0) ? "method" : "value"));
  for (auto _ : state) Ref<> value = Ref<>::steal(PyObject_GetAttr(instance, name.get()));
}
BENCHMARK(attribute_lookup)->Arg(0)->Arg(1);

void allocate_tuple(benchmark::State& state) {
  for (auto _ : state) Ref<> tuple = Ref<>::steal(PyTuple_Pack(3, Py_None, Py_True, Py_False));
}
BENCHMARK(allocate_tuple);

void allocate_memory(benchmark::State& state) {
  for (auto _ : state) {
    void* block = PyObject_Malloc(state.range(0));
    benchmark::DoNotOptimize(block);
    PyObject_Free(block);
  }
}
BENCHMARK(allocate_memory)->Arg(32)->Arg(512);

void parse_source(benchmark::State& state) {
  std::string source;
  for (int i = 0; i < 200; i++) {
    source += "def function" + std::to_string(i) + "(a, b=1, *args, **kwargs):\n"
              "    total = [x * 2 + a for x in range(b) if x % 3]\n"
              "    return f'{total!r:>10} and {a.b[c](d)}' if total else None\n";
  }
  Ref<> filename = Ref<>::steal(PyUnicode_FromString("<benchmark>"));
  PyCompilerFlags flags = _PyCompilerFlags_INIT;
  flags.cf_flags |= PyCF_IGNORE_COOKIE;
  for (auto _ : state) {
    pyston::ast::Arena arena;
    benchmark::DoNotOptimize(
        pyston::parse_string(arena, source.c_str(), filename.get(), pyston::StartRule::kFile, &flags));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(source.size()));
}
BENCHMARK(parse_source);

}  // namespace

int main(int argc, char** argv) {
  Py_Initialize();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return Py_FinalizeEx() < 0 ? 1 : 0;
}
