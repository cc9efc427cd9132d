# How a room, a program and a room's unit tests are built: one way for all of them.

add_library(qimux_warnings INTERFACE)
target_compile_options(qimux_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# What a program does not call is not in it.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)

# qimux_room(NAME LIBRARIES...): the static library of src/NAME without its main.cpp.
# A room that has no sources yet is not built, and neither is what needs it.
function(qimux_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(qimux_${name} INTERFACE)
    set(kind INTERFACE)
  else()
    add_library(qimux_${name} STATIC ${sources})
    target_link_libraries(qimux_${name} PRIVATE qimux_warnings)
    set(kind PUBLIC)
  endif()
  target_include_directories(qimux_${name} ${kind} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(qimux_${name} ${kind} ${ARGN})
endfunction()

# qimux_program(NAME MAIN DIRECTORY LIBRARIES...): installed in that directory of the prefix.
function(qimux_program name main directory)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${main})
    add_executable(${name} ${main})
    target_link_libraries(${name} PRIVATE qimux_warnings ${ARGN})
    target_compile_definitions(${name} PRIVATE QIMUX_VERSION="${PROJECT_VERSION}")
    install(TARGETS ${name} DESTINATION ${directory})
  endif()
endfunction()
