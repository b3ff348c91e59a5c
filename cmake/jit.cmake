# The tracing JIT's shared object, libpyston_jit.so: the code generator, LLVM, and the micro-ops and kernels as embedded
# bitcode. The executable opens it when the first loop is to be compiled; it gets a table of what the bitcode refers to (host_symbols),
# made from the bitcode itself.
find_path(LLVM_INCLUDE_DIRS llvm/ExecutionEngine/Orc/LLJIT.h PATHS /usr/lib/llvm-19/include NO_DEFAULT_PATH REQUIRED)
find_library(LLVM_LIBRARY LLVM-19 PATHS /usr/lib/llvm-19/lib NO_DEFAULT_PATH REQUIRED)

set(JIT_BITCODE ${CMAKE_BINARY_DIR}/jit_kernels.bc)
add_custom_command(OUTPUT ${JIT_BITCODE}
  COMMAND ${CMAKE_CXX_COMPILER} -std=gnu++20 -O2 -fPIC -emit-llvm -c ${CMAKE_SOURCE_DIR}/JIT/codegen/kernels.cpp -o ${JIT_BITCODE}
    -MD -MF ${JIT_BITCODE}.d -MT ${JIT_BITCODE}
    -I${CMAKE_SOURCE_DIR} -isystem ${PYTHON_HEADERS} -isystem ${PYTHON_HEADERS}/internal
    -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-strict-aliasing -fwrapv -ffp-contract=off -fno-math-errno
    -DPy_BUILD_CORE=1 -DNDEBUG -DPYSTON_WITH_JIT=1
  DEPENDS ${CMAKE_SOURCE_DIR}/JIT/codegen/kernels.cpp
  DEPFILE ${JIT_BITCODE}.d
  VERBATIM)

find_program(LLVM_NM llvm-nm-19 REQUIRED)
set(JIT_HOST_SYMBOLS ${CMAKE_BINARY_DIR}/jit_host_symbols.cpp)
add_custom_command(OUTPUT ${JIT_HOST_SYMBOLS}
  COMMAND ${CMAKE_SOURCE_DIR}/tools/jit_host_symbols ${LLVM_NM} ${JIT_BITCODE} ${JIT_HOST_SYMBOLS}
  DEPENDS ${JIT_BITCODE} ${CMAKE_SOURCE_DIR}/tools/jit_host_symbols
  VERBATIM)
add_library(part_JIT_host_symbols OBJECT ${JIT_HOST_SYMBOLS})
target_link_libraries(part_JIT_host_symbols PRIVATE pyston_options)
# A plain object also in link-time-optimised builds: what it names must survive as it is named.
target_compile_options(part_JIT_host_symbols PRIVATE -fno-lto)
list(APPEND PYSTON_OBJECTS $<TARGET_OBJECTS:part_JIT_host_symbols>)
add_library(pic_JIT_host_symbols OBJECT EXCLUDE_FROM_ALL ${JIT_HOST_SYMBOLS})
target_link_libraries(pic_JIT_host_symbols PRIVATE pyston_options movable_code)
target_compile_options(pic_JIT_host_symbols PRIVATE -fno-lto)
list(APPEND PYSTON_MOVABLE_OBJECTS $<TARGET_OBJECTS:pic_JIT_host_symbols>)

set(JIT_EMBEDDED ${CMAKE_BINARY_DIR}/jit_bitcode.S)
file(CONFIGURE OUTPUT ${JIT_EMBEDDED} CONTENT [[
  .section .rodata
  .globl pyston_jit_bitcode
  .globl pyston_jit_bitcode_end
pyston_jit_bitcode:
  .incbin "@JIT_BITCODE@"
pyston_jit_bitcode_end:
  .section .note.GNU-stack,"",@progbits
]] @ONLY)
set_source_files_properties(${JIT_EMBEDDED} PROPERTIES OBJECT_DEPENDS ${JIT_BITCODE})

# The library's tables of opcodes and IR instructions are its own copies of the executable's sources.
add_library(pyston_jit SHARED JIT/codegen/codegen.cpp JIT/codegen/lower.cpp JIT/ir/ir_tables.cpp Interpreter/bytecode/opcodes.cpp
  ${JIT_EMBEDDED})
set_target_properties(pyston_jit PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(pyston_jit PRIVATE ${CMAKE_SOURCE_DIR})
target_include_directories(pyston_jit SYSTEM PRIVATE ${PYTHON_HEADERS} ${PYTHON_HEADERS}/internal ${LLVM_INCLUDE_DIRS})
target_compile_definitions(pyston_jit PRIVATE Py_BUILD_CORE=1 NDEBUG PYSTON_WITH_JIT=1)
target_compile_options(pyston_jit PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti> -fvisibility=hidden
  -Wall -Wextra -Wno-missing-field-initializers)
if(PYSTON_SANITIZED)  # the sanitizers' functions are the executable's
  target_compile_options(pyston_jit PRIVATE -fno-sanitize=all)
endif()
target_link_libraries(pyston_jit PRIVATE ${LLVM_LIBRARY})
target_link_options(pyston_jit PRIVATE -fuse-ld=lld -Wl,--exclude-libs,ALL -Wl,--unresolved-symbols=report-all)
