// From a unit's flow graph to its code object: prefix instructions, the graph passes, bytes, location table (PEP 657),
// exception table, names of local variables, flags.
#include "Interpreter/compiler/codegen.h"

#include <pycore_code.h>
#include <pycore_opcode.h>

#include <vector>

namespace pyston {

namespace {

/// Growing byte string. FAST: make_room() once an instruction, then put() without checks.
class Bytes {
 public:
  void make_room(size_t size) {
    if (UNLIKELY(bytes_.size() - used_ < size)) bytes_.resize(bytes_.size() * 2 + size + 128);
  }
  void put(int byte) { bytes_[used_++] = static_cast<char>(byte); }
  Ref<> to_object() const {
    return Ref<>::steal(PyBytes_FromStringAndSize(bytes_.data(), static_cast<Py_ssize_t>(used_)));
  }

 private:
  std::vector<char> bytes_;
  size_t used_ = 0;
};

// --- location table ---

class LocationWriter {
 public:
  explicit LocationWriter(int first_line) : line_(first_line) {}

  void add(const Instruction& instruction, int units) {
    for (; units > 8; units -= 8) add_entry(instruction.position, 8);
    add_entry(instruction.position, units);
  }
  Ref<> to_object() const { return out_.to_object(); }

 private:
  static constexpr size_t kLongestEntry = 1 + 4 * 6;

  void start(int code, int units) { out_.put(0x80 | (code << 3) | (units - 1)); }
  void byte(int value) { out_.put(value); }
  void varint(unsigned value) {
    for (; value >= 64; value >>= 6) byte(64 | (value & 63));
    byte(static_cast<int>(value));
  }
  void signed_varint(int value) {
    varint(value < 0 ? ((0u - static_cast<unsigned>(value)) << 1) | 1 : static_cast<unsigned>(value) << 1);
  }

  void add_entry(const ast::Position& at, int units) {
    out_.make_room(kLongestEntry);
    if (at.lineno < 0) {
      start(PY_CODE_LOCATION_INFO_NONE, units);
      return;
    }
    const int delta = at.lineno - line_;
    const int column = at.col_offset;
    const int end_column = at.end_col_offset;
    line_ = at.lineno;
    if (column < 0 || end_column < 0) {
      if (at.end_lineno == at.lineno || at.end_lineno == -1) {
        start(PY_CODE_LOCATION_INFO_NO_COLUMNS, units);
        signed_varint(delta);
        return;
      }
    } else if (at.end_lineno == at.lineno) {
      if (delta == 0 && column < 80 && end_column - column < 16 && end_column >= column) {
        start(PY_CODE_LOCATION_INFO_SHORT0 + (column >> 3), units);
        byte(((column & 7) << 4) | (end_column - column));
        return;
      }
      if (delta >= 0 && delta < 3 && column < 128 && end_column < 128) {
        start(PY_CODE_LOCATION_INFO_ONE_LINE0 + delta, units);
        byte(column);
        byte(end_column);
        return;
      }
    }
    start(PY_CODE_LOCATION_INFO_LONG, units);
    signed_varint(delta);
    varint(static_cast<unsigned>(at.end_lineno - at.lineno));
    varint(static_cast<unsigned>(column + 1));
    varint(static_cast<unsigned>(end_column + 1));
  }

  int line_;
  Bytes out_;
};

// --- exception table ---

void add_table_number(Bytes& out, unsigned value, int first_bit) {
  // Big-endian groups of six bits; bit 6 says that more follow, bit 7 starts an entry.
  int groups = 1;
  out.make_room(6);
  while (groups < 6 && (value >> (6 * groups)) != 0) groups++;
  for (int i = groups - 1; i >= 0; i--) {
    out.put(static_cast<int>((value >> (6 * i)) & 63) | (i > 0 ? 64 : 0) | first_bit);
    first_bit = 0;
  }
}

void add_table_entry(Bytes& out, int start, int end, const Block* handler) {
  if (end == start) return;
  const int depth = handler->start_depth - 1 - handler->preserves_offset;
  add_table_number(out, start, 0x80);
  add_table_number(out, end - start, 0);
  add_table_number(out, handler->offset, 0);
  add_table_number(out, (depth << 1) | handler->preserves_offset, 0);
}

Ref<> exception_table(const FlowGraph& graph) {
  Bytes out;
  const Block* handler = nullptr;
  int start = -1;
  int offset = 0;
  for (Block* block = graph.entry(); block != nullptr; block = block->next) {
    for (const Instruction& instruction : block->instructions) {
      if (instruction.handler != handler) {
        if (handler != nullptr) add_table_entry(out, start, offset, handler);
        start = offset;
        handler = instruction.handler;
      }
      offset += instruction_units(instruction);
    }
  }
  if (handler != nullptr) add_table_entry(out, start, offset, handler);
  return out.to_object();
}

// --- bytes ---

/// The bytes of one instruction; the inline caches behind it are zero. Gives the place behind them.
char* write_instruction(char* out, const Instruction& instruction) {
  const unsigned oparg = static_cast<unsigned>(instruction.oparg);
  if (UNLIKELY(oparg > 0xFF)) {
    for (int shift = 24; shift > 0; shift -= 8) {
      if ((oparg >> shift) == 0) continue;
      *out++ = static_cast<char>(EXTENDED_ARG);
      *out++ = static_cast<char>(oparg >> shift);
    }
  }
  *out++ = static_cast<char>(instruction.opcode);
  *out++ = static_cast<char>(oparg);
  for (int caches = _PyOpcode_Caches[instruction.opcode]; caches > 0; caches--) {
    *out++ = 0;
    *out++ = 0;
  }
  return out;
}

// --- variables ---

/// Frame slots of cells and free variables: a cell that is also a parameter shares the parameter's slot.
std::vector<int> variable_slots(const Unit& unit, int& dropped) {
  std::vector<int> slots;
  const int locals = unit.locals.size();
  dropped = 0;
  for (const NameMap::Entry& cell : unit.cells.entries()) {
    const int parameter = unit.locals.get(cell.name, -1);
    if (parameter >= 0) {
      slots.push_back(parameter);
      dropped++;
    } else {
      slots.push_back(locals + static_cast<int>(slots.size()) - dropped);
    }
  }
  for (int i = 0; i < unit.frees.size(); i++) slots.push_back(locals + static_cast<int>(slots.size()) - dropped);
  return slots;
}

bool uses_variable_slot(int opcode) {
  switch (opcode) {
    case MAKE_CELL:
    case LOAD_CLOSURE:
    case LOAD_DEREF:
    case STORE_DEREF:
    case DELETE_DEREF:
    case LOAD_CLASSDEREF: return true;
    default: return false;
  }
}

int code_flags(const Compiler& compiler, const Unit& unit) {
  const Scope& scope = *unit.scope;
  int flags = 0;
  if (scope.type == FunctionBlock) {
    flags |= CO_NEWLOCALS | CO_OPTIMIZED;
    if (scope.is_nested) flags |= CO_NESTED;
    if (scope.is_generator) {
      flags |= scope.is_coroutine ? CO_ASYNC_GENERATOR : CO_GENERATOR;
    } else if (scope.is_coroutine) {
      flags |= CO_COROUTINE;
    }
    if (scope.has_varargs) flags |= CO_VARARGS;
    if (scope.has_varkeywords) flags |= CO_VARKEYWORDS;
  }
  flags |= compiler.flags() & PyCF_MASK;
  if (compiler.is_top_level_await(unit) && scope.is_coroutine && !scope.is_generator) flags |= CO_COROUTINE;
  return flags;
}

/// What must happen before the first instruction of the body.
void insert_prefix(Unit& unit, const std::vector<int>& slots, int flags) {
  std::vector<Instruction> prefix;
  if (unit.frees.size() > 0) prefix.push_back({COPY_FREE_VARS, unit.frees.size(), kNoPosition, nullptr, nullptr});
  const int cells = unit.cells.size();
  // Cells are made in the order of their slots.
  std::vector<int> order(unit.locals.size() + cells, -1);
  for (int i = 0; i < cells; i++) order[slots[i]] = i;
  for (int cell : order) {
    if (cell >= 0) prefix.push_back({MAKE_CELL, cell, kNoPosition, nullptr, nullptr});
  }
  if (flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) {
    prefix.push_back({RETURN_GENERATOR, 0, {unit.first_line, -1, unit.first_line, -1}, nullptr, nullptr});
    prefix.push_back({POP_TOP, 0, kNoPosition, nullptr, nullptr});
  }
  std::vector<Instruction>& body = unit.graph.entry()->instructions;
  body.insert(body.begin(), prefix.begin(), prefix.end());
}

Ref<> names_tuple(const NameMap& names) {
  Ref<> tuple = Ref<>::steal(PyTuple_New(names.size()));
  if (!tuple) return nullptr;
  Py_ssize_t index = 0;
  for (const NameMap::Entry& entry : names.entries()) PyTuple_SET_ITEM(tuple.get(), index++, Py_NewRef(entry.name));
  return tuple;
}

bool fill_variables(const Unit& unit, const std::vector<int>& slots, PyObject* names, PyObject* kinds) {
  auto set = [&](int slot, PyObject* name, int kind) {
    PyTuple_SET_ITEM(names, slot, Py_NewRef(name));
    _PyLocals_SetKind(kinds, slot, static_cast<_PyLocals_Kind>(kind));
  };
  for (int i = 0; i < unit.locals.size(); i++) {
    PyObject* name = unit.locals.entries()[i].name;
    set(i, name, CO_FAST_LOCAL | (unit.cells.get(name, -1) >= 0 ? CO_FAST_CELL : 0));
  }
  for (int i = 0; i < unit.cells.size(); i++) {
    if (slots[i] >= unit.locals.size()) set(slots[i], unit.cells.entries()[i].name, CO_FAST_CELL);
  }
  for (int i = 0; i < unit.frees.size(); i++) {
    set(slots[unit.cells.size() + i], unit.frees.entries()[i].name, CO_FAST_FREE);
  }
  return true;
}

}  // namespace

Ref<PyCodeObject> Compiler::assemble(bool add_return_none) {
  Unit& current = unit();
  FlowGraph& graph = current.graph;
  if (!graph.current_returns()) {
    clear_position();
    if (add_return_none && !emit_constant(Py_None)) return nullptr;
    emit(RETURN_VALUE);
  }
  if (!graph.normalize_blocks()) return nullptr;
  const int flags = code_flags(*this, current);
  int dropped = 0;
  const std::vector<int> slots = variable_slots(current, dropped);
  insert_prefix(current, slots, flags);
  for (Block* block = graph.entry(); block != nullptr; block = block->next) {
    for (Instruction& instruction : block->instructions) {
      if (uses_variable_slot(instruction.opcode)) instruction.oparg = slots[instruction.oparg];
    }
  }
  if (!graph.optimize(current)) return nullptr;
  graph.duplicate_exits_without_line();
  graph.trim_unused_constants(current);
  graph.propagate_lines();
  graph.give_exits_lines(current.first_line);
  const bool is_suspendable = current.scope->is_generator || current.scope->is_coroutine;
  const int stack_size = graph.compute_stack_depth(is_suspendable ? 1 : 0);
  if (stack_size < 0) return nullptr;
  graph.assign_handlers();
  graph.remove_pseudo_handlers();
  graph.choose_jump_directions();
  graph.compute_offsets();

  int units = 0;
  for (Block* block = graph.entry(); block != nullptr; block = block->next) units += block->units;
  Ref<> code_bytes = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, units * Py_ssize_t{sizeof(_Py_CODEUNIT)}));
  if (!code_bytes) return nullptr;
  char* code = PyBytes_AS_STRING(code_bytes.get());
  LocationWriter locations(current.first_line);
  for (Block* block = graph.entry(); block != nullptr; block = block->next) {
    for (const Instruction& instruction : block->instructions) {
      char* end = write_instruction(code, instruction);
      locations.add(instruction, static_cast<int>((end - code) / sizeof(_Py_CODEUNIT)));
      code = end;
    }
  }
  Ref<> location_bytes = locations.to_object();
  Ref<> exception_bytes = exception_table(graph);
  const int variables = current.locals.size() + static_cast<int>(slots.size()) - dropped;
  Ref<> variable_names = Ref<>::steal(PyTuple_New(variables));
  Ref<> kinds = Ref<>::steal(PyBytes_FromStringAndSize(nullptr, variables));
  Ref<> constants = Ref<>::steal(PyTuple_New(current.count()));
  Ref<> names = names_tuple(current.names);
  if (!location_bytes || !exception_bytes || !variable_names || !kinds || !constants || !names) return nullptr;
  fill_variables(current, slots, variable_names.get(), kinds.get());
  for (int i = 0; i < current.count(); i++) PyTuple_SET_ITEM(constants.get(), i, Py_NewRef(current.constant(i)));
  // Equal tuples are one object in the whole module.
  PyObject* shared_constants = constant_cache_.canonical_tuple(constants.get());
  PyObject* shared_names = names_cache_.canonical_tuple(names.get());
  PyObject* shared_variable_names = names_cache_.canonical_tuple(variable_names.get());
  if (shared_constants == nullptr || shared_names == nullptr || shared_variable_names == nullptr) return nullptr;
  _PyCodeConstructor constructor = {
      .filename = filename_,
      .name = current.name,
      .qualname = current.qualified_name != nullptr ? current.qualified_name : current.name,
      .flags = flags,
      .code = code_bytes.get(),
      .firstlineno = current.first_line,
      .linetable = location_bytes.get(),
      .consts = shared_constants,
      .names = shared_names,
      .localsplusnames = shared_variable_names,
      .localspluskinds = kinds.get(),
      .argcount = current.positional_only_count + current.argument_count,
      .posonlyargcount = current.positional_only_count,
      .kwonlyargcount = current.keyword_only_count,
      .stacksize = stack_size,
      .exceptiontable = exception_bytes.get(),
  };
  if (_PyCode_Validate(&constructor) < 0) return nullptr;
  return Ref<PyCodeObject>::steal(_PyCode_New(&constructor));
}

}  // namespace pyston
