// PyArena: memory that is released all at once, and objects that it keeps alive. Used for syntax trees.
#include "Runtime/python.h"
#include "pycore_pyarena.h"

namespace {

constexpr size_t kBlockSize = 8 * 1024;
constexpr size_t kAlignment = 16;

struct Block {
  Block* next;
  size_t size;  // payload bytes
  size_t used;
  char* payload() { return reinterpret_cast<char*>(this) + kHeader; }
  static constexpr size_t kHeader = 32;
};
static_assert(sizeof(Block) <= Block::kHeader);

Block* new_block(size_t size) {
  auto* block = static_cast<Block*>(PyMem_Malloc(Block::kHeader + size));
  if (block != nullptr) *block = {nullptr, size, 0};
  return block;
}

}  // namespace

struct _arena {
  Block* blocks;      // newest first; allocation is from the newest
  PyObject* objects;  // list
};

PyArena* _PyArena_New(void) {
  auto* arena = static_cast<PyArena*>(PyMem_Malloc(sizeof(PyArena)));
  if (arena == nullptr) return reinterpret_cast<PyArena*>(PyErr_NoMemory());
  arena->blocks = new_block(kBlockSize);
  arena->objects = arena->blocks != nullptr ? PyList_New(0) : nullptr;
  if (arena->objects == nullptr) {
    if (arena->blocks == nullptr) PyErr_NoMemory();
    PyMem_Free(arena->blocks);
    PyMem_Free(arena);
    return nullptr;
  }
  return arena;
}

void _PyArena_Free(PyArena* arena) {
  Block* block = arena->blocks;
  while (block != nullptr) {
    Block* next = block->next;
    PyMem_Free(block);
    block = next;
  }
  Py_DECREF(arena->objects);
  PyMem_Free(arena);
}

void* _PyArena_Malloc(PyArena* arena, size_t size) {
  size = (size + kAlignment - 1) & ~(kAlignment - 1);
  Block* block = arena->blocks;
  if (block->size - block->used < size) {
    block = new_block(size > kBlockSize ? size : kBlockSize);
    if (block == nullptr) return PyErr_NoMemory();
    block->next = arena->blocks;
    arena->blocks = block;
  }
  void* result = block->payload() + block->used;
  block->used += size;
  return result;
}

/// Steals the reference on success.
int _PyArena_AddPyObject(PyArena* arena, PyObject* object) {
  const int result = PyList_Append(arena->objects, object);
  if (result >= 0) Py_DECREF(object);
  return result;
}
