// The codec registry: search functions, found codecs, and calling them.
//
// State lives in the interpreter (`codec_search_path`, `codec_search_cache`, `codec_error_registry`). It is set up by
// the first look-up, which registers the standard error handlers and imports `encodings`.
// A codec is what a search function returned: a tuple (encoder, decoder, reader, writer), usually a CodecInfo.
#include "Runtime/codecs/codecs.h"

#include "Objects/text/text.h"

#include "internal/pycore_interp.h"
#include "internal/pycore_pyerrors.h"
#include "internal/pycore_pystate.h"

namespace pyston::codecs {
namespace {

bool initialise(PyInterpreterState* interp) {
  if (LIKELY(interp->codecs_initialized)) return true;
  interp->codec_search_path = PyList_New(0);
  interp->codec_search_cache = PyDict_New();
  interp->codec_error_registry = PyDict_New();
  if (interp->codec_search_path == nullptr || interp->codec_search_cache == nullptr ||
      interp->codec_error_registry == nullptr) {
    return false;
  }
  if (!register_standard_handlers(interp->codec_error_registry)) return false;
  interp->codecs_initialized = 1;  // `encodings` registers its search function
  PyObject* module = PyImport_ImportModuleNoBlock("encodings");
  if (module == nullptr) {
    interp->codecs_initialized = 0;
    return false;
  }
  Py_DECREF(module);
  return true;
}

/// The form under which codecs are searched and cached.
PyObject* normalised_name(const char* encoding) {
  const size_t length = strlen(encoding);
  if (length > PY_SSIZE_T_MAX) {
    PyErr_SetString(PyExc_OverflowError, "string is too large");
    return nullptr;
  }
  char* buffer = static_cast<char*>(PyMem_Malloc(length + 1));
  if (buffer == nullptr) return PyErr_NoMemory();
  text::normalize_encoding(encoding, buffer, length + 1);
  PyObject* name = PyUnicode_FromString(buffer);
  PyMem_Free(buffer);
  return name;
}

/// Item of the codec tuple for an encoding, as a new reference.
PyObject* codec_item(const char* encoding, Py_ssize_t index) {
  Ref<> codec = Ref<>::steal(_PyCodec_Lookup(encoding));
  if (!codec) return nullptr;
  return Py_NewRef(PyTuple_GET_ITEM(codec.get(), index));
}

PyObject* call_incremental(PyObject* codec, const char* errors, const char* attribute) {
  Ref<> factory = Ref<>::steal(PyObject_GetAttrString(codec, attribute));
  if (!factory) return nullptr;
  return errors != nullptr ? PyObject_CallFunction(factory.get(), "s", errors) : PyObject_CallNoArgs(factory.get());
}

PyObject* make_stream(const char* encoding, PyObject* stream, const char* errors, Py_ssize_t index) {
  Ref<> factory = Ref<>::steal(codec_item(encoding, index));
  if (!factory) return nullptr;
  return errors != nullptr ? PyObject_CallFunction(factory.get(), "Os", stream, errors)
                           : PyObject_CallOneArg(factory.get(), stream);
}

/// Calls an encoder or decoder and takes the first item of the pair that it returns.
PyObject* run(PyObject* function, PyObject* object, const char* encoding, const char* errors, const char* operation,
              const char* message) {
  Ref<> arguments = Ref<>::steal(errors != nullptr ? Py_BuildValue("(Os)", object, errors) : PyTuple_Pack(1, object));
  if (!arguments) return nullptr;
  Ref<> result = Ref<>::steal(PyObject_Call(function, arguments.get(), nullptr));
  if (!result) {
    // The failure gets an outer exception that names the codec, when its type allows that.
    _PyErr_TrySetFromCause("%s with '%s' codec failed", operation, encoding);
    return nullptr;
  }
  if (!PyTuple_Check(result.get()) || PyTuple_GET_SIZE(result.get()) != 2) {
    PyErr_SetString(PyExc_TypeError, message);
    return nullptr;
  }
  return Py_NewRef(PyTuple_GET_ITEM(result.get(), 0));
}

constexpr const char* kEncoderMessage = "encoder must return a tuple (object, integer)";
constexpr const char* kDecoderMessage = "decoder must return a tuple (object,integer)";

/// Encoder (0) or decoder (1) of a codec that converts between str and bytes.
PyObject* text_codec_item(const char* encoding, const char* instead, Py_ssize_t index) {
  Ref<> codec = Ref<>::steal(_PyCodec_LookupTextEncoding(encoding, instead));
  if (!codec) return nullptr;
  return Py_NewRef(PyTuple_GET_ITEM(codec.get(), index));
}

}  // namespace

PyInterpreterState* ready_interpreter() {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  return initialise(interp) ? interp : nullptr;
}

}  // namespace pyston::codecs

using namespace pyston;
using namespace pyston::codecs;

int PyCodec_Register(PyObject* search_function) {
  PyInterpreterState* interp = ready_interpreter();
  if (interp == nullptr) return -1;
  if (search_function == nullptr) {
    PyErr_BadArgument();
    return -1;
  }
  if (!PyCallable_Check(search_function)) {
    PyErr_SetString(PyExc_TypeError, "argument must be callable");
    return -1;
  }
  return PyList_Append(interp->codec_search_path, search_function);
}

int PyCodec_Unregister(PyObject* search_function) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  PyObject* path = interp->codec_search_path;
  if (path == nullptr) return 0;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
    if (PyList_GET_ITEM(path, i) != search_function) continue;
    if (interp->codec_search_cache != nullptr) PyDict_Clear(interp->codec_search_cache);
    return PyList_SetSlice(path, i, i + 1, nullptr);
  }
  return 0;
}

PyObject* _PyCodec_Lookup(const char* encoding) {
  if (encoding == nullptr) {
    PyErr_BadArgument();
    return nullptr;
  }
  PyInterpreterState* interp = ready_interpreter();
  if (interp == nullptr) return nullptr;
  PyObject* name = normalised_name(encoding);
  if (name == nullptr) return nullptr;
  PyUnicode_InternInPlace(&name);
  Ref<> owner = Ref<>::steal(name);
  PyObject* cached = PyDict_GetItemWithError(interp->codec_search_cache, name);
  if (cached != nullptr) return Py_NewRef(cached);
  if (PyErr_Occurred()) return nullptr;
  if (PyList_GET_SIZE(interp->codec_search_path) == 0) {
    return raise(PyExc_LookupError, "no codec search functions registered: can't find encoding");
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(interp->codec_search_path); i++) {
    Ref<> function = Ref<>::dup(PyList_GET_ITEM(interp->codec_search_path, i));
    Ref<> codec = Ref<>::steal(PyObject_CallOneArg(function.get(), name));
    if (!codec) return nullptr;
    if (codec.get() == Py_None) continue;
    if (!PyTuple_Check(codec.get()) || PyTuple_GET_SIZE(codec.get()) != 4) {
      return raise(PyExc_TypeError, "codec search functions must return 4-tuples");
    }
    if (PyDict_SetItem(interp->codec_search_cache, name, codec.get()) < 0) return nullptr;
    return codec.release();
  }
  return raise(PyExc_LookupError, "unknown encoding: %s", encoding);
}

int _PyCodec_Forget(const char* encoding) {
  PyInterpreterState* interp = _PyInterpreterState_GET();
  if (interp->codec_search_path == nullptr) return -1;
  Ref<> name = Ref<>::steal(normalised_name(encoding));
  if (!name) return -1;
  const int status = PyDict_DelItem(interp->codec_search_cache, name.get());
  if (status < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_Clear();
  return status;
}

int PyCodec_KnownEncoding(const char* encoding) {
  PyObject* codec = _PyCodec_Lookup(encoding);
  if (codec == nullptr) {
    PyErr_Clear();
    return 0;
  }
  Py_DECREF(codec);
  return 1;
}

PyObject* PyCodec_Encoder(const char* encoding) { return codec_item(encoding, 0); }
PyObject* PyCodec_Decoder(const char* encoding) { return codec_item(encoding, 1); }
PyObject* PyCodec_StreamReader(const char* encoding, PyObject* stream, const char* errors) {
  return make_stream(encoding, stream, errors, 2);
}
PyObject* PyCodec_StreamWriter(const char* encoding, PyObject* stream, const char* errors) {
  return make_stream(encoding, stream, errors, 3);
}

PyObject* _PyCodecInfo_GetIncrementalDecoder(PyObject* codec_info, const char* errors) {
  return call_incremental(codec_info, errors, "incrementaldecoder");
}
PyObject* _PyCodecInfo_GetIncrementalEncoder(PyObject* codec_info, const char* errors) {
  return call_incremental(codec_info, errors, "incrementalencoder");
}
PyObject* PyCodec_IncrementalEncoder(const char* encoding, const char* errors) {
  Ref<> codec = Ref<>::steal(_PyCodec_Lookup(encoding));
  return codec ? call_incremental(codec.get(), errors, "incrementalencoder") : nullptr;
}
PyObject* PyCodec_IncrementalDecoder(const char* encoding, const char* errors) {
  Ref<> codec = Ref<>::steal(_PyCodec_Lookup(encoding));
  return codec ? call_incremental(codec.get(), errors, "incrementaldecoder") : nullptr;
}

PyObject* PyCodec_Encode(PyObject* object, const char* encoding, const char* errors) {
  Ref<> encoder = Ref<>::steal(PyCodec_Encoder(encoding));
  return encoder ? run(encoder.get(), object, encoding, errors, "encoding", kEncoderMessage) : nullptr;
}
PyObject* PyCodec_Decode(PyObject* object, const char* encoding, const char* errors) {
  Ref<> decoder = Ref<>::steal(PyCodec_Decoder(encoding));
  return decoder ? run(decoder.get(), object, encoding, errors, "decoding", kDecoderMessage) : nullptr;
}

PyObject* _PyCodec_LookupTextEncoding(const char* encoding, const char* alternate_command) {
  Ref<> codec = Ref<>::steal(_PyCodec_Lookup(encoding));
  if (!codec) return nullptr;
  // Plain tuples come from old search functions, which only know text encodings.
  if (!PyTuple_CheckExact(codec.get())) {
    PyObject* attribute;
    if (_PyObject_LookupAttr(codec.get(), &_Py_ID(_is_text_encoding), &attribute) < 0) return nullptr;
    if (attribute != nullptr) {
      const int is_text = PyObject_IsTrue(attribute);
      Py_DECREF(attribute);
      if (is_text < 0) return nullptr;
      if (!is_text) {
        return raise(PyExc_LookupError, "'%.400s' is not a text encoding; use %s to handle arbitrary codecs", encoding,
                     alternate_command);
      }
    }
  }
  return codec.release();
}

PyObject* _PyCodec_EncodeText(PyObject* object, const char* encoding, const char* errors) {
  Ref<> encoder = Ref<>::steal(text_codec_item(encoding, "codecs.encode()", 0));
  return encoder ? run(encoder.get(), object, encoding, errors, "encoding", kEncoderMessage) : nullptr;
}
PyObject* _PyCodec_DecodeText(PyObject* object, const char* encoding, const char* errors) {
  Ref<> decoder = Ref<>::steal(text_codec_item(encoding, "codecs.decode()", 1));
  return decoder ? run(decoder.get(), object, encoding, errors, "decoding", kDecoderMessage) : nullptr;
}

int PyCodec_RegisterError(const char* name, PyObject* error) {
  PyInterpreterState* interp = ready_interpreter();
  if (interp == nullptr) return -1;
  if (!PyCallable_Check(error)) {
    PyErr_SetString(PyExc_TypeError, "handler must be callable");
    return -1;
  }
  return PyDict_SetItemString(interp->codec_error_registry, name, error);
}

PyObject* PyCodec_LookupError(const char* name) {
  PyInterpreterState* interp = ready_interpreter();
  if (interp == nullptr) return nullptr;
  if (name == nullptr) name = "strict";
  PyObject* handler = _PyDict_GetItemStringWithError(interp->codec_error_registry, name);
  if (handler != nullptr) return Py_NewRef(handler);
  if (PyErr_Occurred()) return nullptr;
  return raise(PyExc_LookupError, "unknown error handler name '%.400s'", name);
}
