# CPack: the Debian packages goodness and libgoodness-dev. server/install/package makes them as Debian compiles.

# What Debian wants beside: who made what, under which licence; what has changed; what lintian is wrong about.
set(changes ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz)
add_custom_command(
  OUTPUT ${changes}
  COMMAND ${GZIP} -9nc ${CMAKE_CURRENT_SOURCE_DIR}/changelog > ${changes}
  DEPENDS changelog
  VERBATIM)
add_custom_target(goodness_changes ALL DEPENDS ${changes})
foreach(part program=goodness library=libgoodness-dev)
  string(REGEX MATCH "(.*)=(.*)" part ${part})
  install(FILES copyright ${changes} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CMAKE_MATCH_2} COMPONENT ${CMAKE_MATCH_1})
  install(FILES lintian DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${CMAKE_MATCH_2} COMPONENT ${CMAKE_MATCH_1})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The Goodness authors")
set(CPACK_PACKAGE_CONTACT "The Goodness authors <goodness@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "train Forward-Forward networks and watch each layer learn")
set(CPACK_COMPONENTS_ALL program library)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME goodness)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "dataset-fashion-mnist, xdg-utils")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "curl, npm")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
"A local web dashboard for Forward-Forward networks (Hinton 2022): how each
layer's goodness on positive data parts from its goodness on negative data,
live. A daemon trains in the background, keeps every run, answers REST
calls and streams events; the same trainer works without it, too.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libgoodness-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "libcjson-dev, libgcrypt20-dev, libopenblas-dev, libzip-dev, zlib1g-dev")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
"Headers and the static library, for C programs: images and labels from IDX
files or numpy's archives, training on any number of threads with the same
results to the last bit, networks in the safetensors format, prediction and
evaluation.")

include(CPack)
