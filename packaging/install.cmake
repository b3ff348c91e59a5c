# The tree that `./dev install DIR` and `cmake --install` make. It can be moved: every path in it is relative to where it is found.
#
#   bin/pyston, bin/python3.11 -> pyston      the command, and the name that scripts and virtual environments ask for
#   bin/pyston-config, lib/pkgconfig/         flags for extensions and for programs that embed; bin/python3.11-config -> pyston-config
#   lib/libpyston3.11.so                      the library for such programs
#   lib/libpython3.11/libpython3.11.so.1.0    the same under CPython's name: as LD_LIBRARY_PATH it makes unmodified programs run on it
#   lib/libpyston_jit.so                      the trace compiler, opened when the first loop is to be compiled
#
# The build directory has the same shape, so that everything works from there too.

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bin ${CMAKE_BINARY_DIR}/lib/libpython3.11)
file(CREATE_LINK pyston ${CMAKE_BINARY_DIR}/bin/python3.11 SYMBOLIC)
file(CREATE_LINK pyston-config ${CMAKE_BINARY_DIR}/bin/python3.11-config SYMBOLIC)
foreach(name libpython3.11.so libpython3.11.so.1.0)
  file(CREATE_LINK ../libpyston3.11.so ${CMAKE_BINARY_DIR}/lib/libpython3.11/${name} SYMBOLIC)
endforeach()
configure_file(packaging/pyston-config ${CMAKE_BINARY_DIR}/bin/pyston-config COPYONLY)

# `cmake --install` alone must not leave out what the default build does.
install(CODE "if(NOT EXISTS ${CMAKE_BINARY_DIR}/lib/libpyston3.11.so)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target pyston libpyston COMMAND_ERROR_IS_FATAL ANY)
endif()")
install(TARGETS pyston RUNTIME DESTINATION bin)
install(PROGRAMS packaging/pyston-config DESTINATION bin)
install(FILES ${CMAKE_BINARY_DIR}/bin/python3.11 ${CMAKE_BINARY_DIR}/bin/python3.11-config DESTINATION bin)
install(FILES ${CMAKE_BINARY_DIR}/lib/libpyston3.11.so DESTINATION lib PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(DIRECTORY ${CMAKE_BINARY_DIR}/lib/libpython3.11 DESTINATION lib)
if(TARGET pyston_jit)
  install(TARGETS pyston_jit LIBRARY DESTINATION lib)
endif()
install(FILES packaging/pyston-3.11.pc packaging/pyston-3.11-embed.pc DESTINATION lib/pkgconfig)
