# How a folder becomes a library and its *_test.c files become tests, so that adding a file needs no edit here.

add_library(amp_flags INTERFACE)
target_include_directories(amp_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_compile_options(amp_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -fno-omit-frame-pointer)
target_compile_definitions(amp_flags INTERFACE AMP_VERSION="${PROJECT_VERSION}")
if(AMP_WERROR)
    target_compile_options(amp_flags INTERFACE -Werror)
endif()
if(AMP_SANITIZE)
    target_compile_options(amp_flags INTERFACE -fsanitize=${AMP_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(amp_flags INTERFACE -fsanitize=${AMP_SANITIZE})
endif()

# amp_library(name DEPS lib... [SOURCES file...] [TEST_DEPS lib...] [POSIX]): every *.c of this folder but *_test.c and main.c, without walking into
# subfolders that have a CMakeLists.txt of their own; each *_test.c becomes the ctest "<folder>/<name>".
# POSIX: the folder may use POSIX; without it only what C11 has is visible.
function(amp_library name)
    cmake_parse_arguments(ARG "POSIX" "" "DEPS;SOURCES;TEST_DEPS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    list(FILTER sources EXCLUDE REGEX "_test\\.c$|_fuzz\\.c$|_bench\\.c$|/main\\.c$")
    add_library(${name} STATIC ${sources} ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE amp_flags)
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
    if(ARG_POSIX)
        target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    endif()
    amp_tests(${name} ${ARG_TEST_DEPS})
endfunction()

# amp_tests(library): the *_test.c files of this folder, each a program linked with the library.
function(amp_tests library)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.c)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    foreach(source ${tests})
        get_filename_component(base ${source} NAME_WE)
        string(REPLACE "/" "_" target "${folder}_${base}")
        add_executable(${target} ${source})
        target_link_libraries(${target} PRIVATE ${library} ${ARGN} amp_flags)
        target_compile_definitions(${target} PRIVATE _GNU_SOURCE AMP_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
            AMP_BINARY_DIR="${CMAKE_BINARY_DIR}")
        add_test(NAME ${folder}/${base} COMMAND ${target})
        set_tests_properties(${folder}/${base} PROPERTIES TIMEOUT 300)
    endforeach()
endfunction()
