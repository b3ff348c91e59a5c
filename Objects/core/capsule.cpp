// Capsules: a C pointer with a name and a destructor, as an object. C modules pass their C interfaces around in them.
#include "Objects/bind.h"

using namespace pyston;

namespace {

struct CapsuleObject {
  PyObject_HEAD
  void* pointer;
  const char* name;  // owned by the creator
  void* context;
  PyCapsule_Destructor destructor;
};

CapsuleObject* as_capsule(PyObject* object) { return reinterpret_cast<CapsuleObject*>(object); }

bool same_name(const char* left, const char* right) {
  if (LIKELY(left == right)) return true;  // FAST: within one module it is the same literal
  if (left == nullptr || right == nullptr) return false;
  return strcmp(left, right) == 0;
}

/// The capsule, or null with ValueError naming the function that was called.
CapsuleObject* legal(PyObject* object, const char* message) {
  if (object != nullptr && PyCapsule_CheckExact(object) && as_capsule(object)->pointer != nullptr) {
    return as_capsule(object);
  }
  PyErr_SetString(PyExc_ValueError, message);
  return nullptr;
}

void capsule_dealloc(PyObject* self) {
  if (as_capsule(self)->destructor != nullptr) as_capsule(self)->destructor(self);
  PyObject_Free(self);
}

PyObject* capsule_repr(PyObject* self) {
  const char* name = as_capsule(self)->name;
  const char* quote = name != nullptr ? "\"" : "";
  return PyUnicode_FromFormat("<capsule object %s%s%s at %p>", quote, name != nullptr ? name : "NULL", quote, self);
}

}  // namespace

PyTypeObject PyCapsule_Type = {
    .ob_base = type_head(),
    .tp_name = "PyCapsule",
    .tp_basicsize = sizeof(CapsuleObject),
    .tp_dealloc = capsule_dealloc,
    .tp_repr = capsule_repr,
    .tp_doc = "A C pointer (`void *`) wrapped in an object, which lets a C module hand its C interface\n"
              "to other modules through the import mechanism.",
};

extern "C" {

PyObject* PyCapsule_New(void* pointer, const char* name, PyCapsule_Destructor destructor) {
  if (pointer == nullptr) {
    PyErr_SetString(PyExc_ValueError, "PyCapsule_New called with null pointer");
    return nullptr;
  }
  auto* capsule = PyObject_New(CapsuleObject, &PyCapsule_Type);
  if (capsule == nullptr) return nullptr;
  capsule->pointer = pointer;
  capsule->name = name;
  capsule->context = nullptr;
  capsule->destructor = destructor;
  return as_object(capsule);
}

int PyCapsule_IsValid(PyObject* object, const char* name) {
  return object != nullptr && PyCapsule_CheckExact(object) && as_capsule(object)->pointer != nullptr &&
         same_name(as_capsule(object)->name, name);
}

void* PyCapsule_GetPointer(PyObject* object, const char* name) {
  CapsuleObject* capsule = legal(object, "PyCapsule_GetPointer called with invalid PyCapsule object");
  if (capsule == nullptr) return nullptr;
  if (!same_name(name, capsule->name)) {
    PyErr_SetString(PyExc_ValueError, "PyCapsule_GetPointer called with incorrect name");
    return nullptr;
  }
  return capsule->pointer;
}

const char* PyCapsule_GetName(PyObject* object) {
  CapsuleObject* capsule = legal(object, "PyCapsule_GetName called with invalid PyCapsule object");
  return capsule == nullptr ? nullptr : capsule->name;
}
PyCapsule_Destructor PyCapsule_GetDestructor(PyObject* object) {
  CapsuleObject* capsule = legal(object, "PyCapsule_GetDestructor called with invalid PyCapsule object");
  return capsule == nullptr ? nullptr : capsule->destructor;
}
void* PyCapsule_GetContext(PyObject* object) {
  CapsuleObject* capsule = legal(object, "PyCapsule_GetContext called with invalid PyCapsule object");
  return capsule == nullptr ? nullptr : capsule->context;
}

int PyCapsule_SetPointer(PyObject* object, void* pointer) {
  if (pointer == nullptr) {
    PyErr_SetString(PyExc_ValueError, "PyCapsule_SetPointer called with null pointer");
    return -1;
  }
  CapsuleObject* capsule = legal(object, "PyCapsule_SetPointer called with invalid PyCapsule object");
  if (capsule == nullptr) return -1;
  capsule->pointer = pointer;
  return 0;
}
int PyCapsule_SetName(PyObject* object, const char* name) {
  CapsuleObject* capsule = legal(object, "PyCapsule_SetName called with invalid PyCapsule object");
  if (capsule == nullptr) return -1;
  capsule->name = name;
  return 0;
}
int PyCapsule_SetDestructor(PyObject* object, PyCapsule_Destructor destructor) {
  CapsuleObject* capsule = legal(object, "PyCapsule_SetDestructor called with invalid PyCapsule object");
  if (capsule == nullptr) return -1;
  capsule->destructor = destructor;
  return 0;
}
int PyCapsule_SetContext(PyObject* object, void* context) {
  CapsuleObject* capsule = legal(object, "PyCapsule_SetContext called with invalid PyCapsule object");
  if (capsule == nullptr) return -1;
  capsule->context = context;
  return 0;
}

// "package.module.attribute": imports the first part, reads the rest as attributes.
void* PyCapsule_Import(const char* name, int) {
  size_t size = strlen(name) + 1;
  auto* copy = static_cast<char*>(PyMem_Malloc(size));
  if (copy == nullptr) return PyErr_NoMemory();
  memcpy(copy, name, size);
  Ref<> object;
  for (char* part = copy; part != nullptr;) {
    char* dot = strchr(part, '.');
    if (dot != nullptr) *dot++ = '\0';
    if (!object) {
      object = Ref<>::steal(PyImport_ImportModule(part));
      if (!object) PyErr_Format(PyExc_ImportError, "PyCapsule_Import could not import module \"%s\"", part);
    } else {
      object = Ref<>::steal(PyObject_GetAttrString(object.get(), part));
    }
    if (!object) break;
    part = dot;
  }
  PyMem_Free(copy);
  if (!object) return nullptr;
  if (PyCapsule_IsValid(object.get(), name)) return as_capsule(object.get())->pointer;
  PyErr_Format(PyExc_AttributeError, "PyCapsule_Import \"%s\" is not valid", name);
  return nullptr;
}

}  // extern "C"
