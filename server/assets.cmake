# Writes the table of compiled-in files (assets.h):
#
#     cmake -DOUTPUT=assets.c -DROOT=web "-DFILES=web/index.html;web/lib/api.js" -P assets.cmake
#
# A file's path is the one below ROOT. One that lies elsewhere is named PATH=FILE, as in
# "lib/uPlot.esm.js=build/node_modules/uplot/dist/uPlot.esm.js". -DFIND=NAME: the function that finds a file is called
# so, and not asset_find. -DGZIP=PROGRAM: files are there compressed too, where that makes them smaller.

foreach(name OUTPUT ROOT FILES)
    if(NOT DEFINED ${name})
        message(FATAL_ERROR "assets.cmake needs -D${name}=…")
    endif()
endforeach()
get_filename_component(ROOT "${ROOT}" ABSOLUTE)
if(NOT DEFINED FIND)
    set(FIND asset_find)
endif()

function(media_type path result)
    if(path MATCHES "\\.html$")
        set(type "text/html; charset=utf-8")
    elseif(path MATCHES "\\.m?js$")
        set(type "text/javascript; charset=utf-8")
    elseif(path MATCHES "\\.css$")
        set(type "text/css; charset=utf-8")
    elseif(path MATCHES "\\.svg$")
        set(type "image/svg+xml")
    elseif(path MATCHES "\\.png$")
        set(type "image/png")
    elseif(path MATCHES "\\.ico$")
        set(type "image/x-icon")
    elseif(path MATCHES "\\.json$")
        set(type "application/json")
    elseif(path MATCHES "\\.webmanifest$")
        set(type "application/manifest+json")
    elseif(path MATCHES "\\.(txt|md)$")
        set(type "text/plain; charset=utf-8")
    else()
        message(FATAL_ERROR "assets.cmake does not know the media type of ${path}; add its ending")
    endif()
    set(${result} "${type}" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
set(number 0)

# An array of a file's bytes: its C text and its length.
function(byte_array name file text length)
    file(READ "${file}" hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR count "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    # One byte more, so that an empty file is an array too.
    set(${text} "static const unsigned char ${name}[] = {${bytes}0};\n" PARENT_SCOPE)
    set(${length} ${count} PARENT_SCOPE)
endfunction()

foreach(entry IN LISTS FILES)
    if(entry MATCHES "^([^=]+)=(.+)$")
        set(path "${CMAKE_MATCH_1}")
        get_filename_component(file "${CMAKE_MATCH_2}" ABSOLUTE)
    else()
        get_filename_component(file "${entry}" ABSOLUTE)
        file(RELATIVE_PATH path "${ROOT}" "${file}")
    endif()
    media_type("${path}" type)
    file(SHA256 "${file}" etag)
    byte_array(data_${number} "${file}" array length)
    string(APPEND arrays "${array}")
    set(gzipped "NULL, 0")
    if(DEFINED GZIP)
        execute_process(COMMAND "${GZIP}" -9 -n -c "${file}" OUTPUT_FILE "${OUTPUT}.gz" COMMAND_ERROR_IS_FATAL ANY)
        byte_array(gzipped_${number} "${OUTPUT}.gz" array gzipped_length)
        file(REMOVE "${OUTPUT}.gz")
        if(gzipped_length LESS length)
            string(APPEND arrays "${array}")
            set(gzipped "gzipped_${number}, ${gzipped_length}")
        endif()
    endif()
    string(APPEND rows "    {\"/${path}\", \"${type}\", \"${etag}\", data_${number}, ${length}, ${gzipped}},\n")
    math(EXPR number "${number} + 1")
endforeach()

set(text "/* Written by assets.cmake. */
#include \"assets.h\"

#include <string.h>

${arrays}
static const struct asset assets[] = {
${rows}    {NULL, NULL, NULL, NULL, 0, NULL, 0},
};

const struct asset *${FIND}(const char *path);

const struct asset *${FIND}(const char *path)
{
    const char *wanted = strcmp(path, \"/\") == 0 ? \"/index.html\" : path;

    for (const struct asset *asset = assets; asset->path != NULL; asset++)
        if (strcmp(asset->path, wanted) == 0)
            return asset;
    return NULL;
}
")
# Only a change of content is written, so that what depends on it is not built again for nothing.
set(old "")
if(EXISTS "${OUTPUT}")
    file(READ "${OUTPUT}" old)
endif()
if(NOT old STREQUAL text)
    file(WRITE "${OUTPUT}" "${text}")
endif()
