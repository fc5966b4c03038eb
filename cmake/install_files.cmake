# Run by `cmake --install` and by cpack, with WEFT_SOURCE and WEFT_BINARY set: everything beside the
# binary. Manual pages, completions and the example configuration come out of the binary itself, so
# that they say what it does.
set(share "${CMAKE_INSTALL_PREFIX}/share")
# What belongs to a prefix of /usr lies in /etc; any other prefix keeps everything below itself.
if(CMAKE_INSTALL_PREFIX MATCHES "/usr$")
  string(REGEX REPLACE "/usr$" "" root "${CMAKE_INSTALL_PREFIX}")
  set(etc "${root}/etc")
  # Where the package will lie, which is not where it is put together.
  set(run_prefix /usr)
  set(run_etc /etc)
  set(zsh_folder vendor-completions)
else()
  set(etc "${CMAKE_INSTALL_PREFIX}/etc")
  set(run_prefix "${CMAKE_INSTALL_PREFIX}")
  set(run_etc "${etc}")
  set(zsh_folder site-functions)
endif()

get_filename_component(made "${WEFT_BINARY}" DIRECTORY)
set(made "${made}/install_texts")
file(REMOVE_RECURSE "${made}")
file(MAKE_DIRECTORY "${made}/man" "${made}/completion")

# Standard output of `weft ARGUMENTS` as a file.
function(weft_writes file)
  execute_process(COMMAND "${WEFT_BINARY}" ${ARGN} OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

execute_process(COMMAND "${WEFT_BINARY}" man --write "${made}/man" COMMAND_ERROR_IS_FATAL ANY)
file(GLOB pages "${made}/man/*.1")
find_program(gzip gzip)
if(gzip)
  execute_process(COMMAND "${gzip}" -9nf ${pages} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB pages "${made}/man/*.1.gz")
endif()
file(INSTALL ${pages} DESTINATION "${share}/man/man1")

weft_writes("${made}/completion/weft" completion bash)
weft_writes("${made}/completion/_weft" completion zsh)
weft_writes("${made}/completion/weft.fish" completion fish)
file(INSTALL "${made}/completion/weft" DESTINATION "${share}/bash-completion/completions")
file(INSTALL "${made}/completion/_weft" DESTINATION "${share}/zsh/${zsh_folder}")
file(INSTALL "${made}/completion/weft.fish" DESTINATION "${share}/fish/vendor_completions.d")

# The built-in configuration, with the service's data directory.
weft_writes("${made}/built_in.yaml" print-config)
file(READ "${made}/built_in.yaml" yaml)
set(head "# The configuration of the weft service: OpenTelemetry Collector YAML (man weft-serve).\n\
# `weft check config ${run_etc}/weft/weft.yaml` names every mistake in it.\n")
string(REGEX REPLACE "^#[^\n]*\n" "${head}" yaml "${yaml}")
string(REGEX REPLACE "( *# Empty:[^\n]*\n *)directory: \"\"" "    directory: /var/lib/weft" yaml "${yaml}")
if(NOT yaml MATCHES "directory: /var/lib/weft\n")
  message(FATAL_ERROR "the built-in configuration names no data directory to replace")
endif()
file(WRITE "${made}/weft.yaml" "${yaml}")
file(INSTALL "${made}/weft.yaml" DESTINATION "${etc}/weft")

file(READ "${WEFT_SOURCE}/packaging/weft.service.in" unit)
string(REPLACE "@PREFIX@" "${run_prefix}" unit "${unit}")
string(REPLACE "@ETC@" "${run_etc}" unit "${unit}")
file(WRITE "${made}/weft.service" "${unit}")
file(INSTALL "${made}/weft.service" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")

file(GLOB docs "${WEFT_SOURCE}/docs/*.md")
file(INSTALL "${WEFT_SOURCE}/README.md" "${WEFT_SOURCE}/LICENSE"
  "${WEFT_SOURCE}/packaging/debian/copyright" DESTINATION "${share}/doc/weft")
file(INSTALL ${docs} "${WEFT_SOURCE}/docs/grafana" DESTINATION "${share}/doc/weft/docs")
