# Run by the build (cmake -P) with UI, DIST and NPM: installs the UI's packages as locked, where they
# are not installed yet, and builds it into DIST. Several build trees share ui/node_modules, hence
# the lock.
file(LOCK ${UI}/.build.lock TIMEOUT 600)
set(installed ${UI}/node_modules/.package-lock.json)
if(NOT EXISTS ${installed} OR ${UI}/package-lock.json IS_NEWER_THAN ${installed})
  execute_process(COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error WORKING_DIRECTORY ${UI}
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "npm ci failed in ${UI}; -DWEFT_UI=OFF builds weft without its web UI")
  endif()
  file(TOUCH ${installed})
endif()
execute_process(COMMAND ${NPM} run --silent build -- --outDir ${DIST} --emptyOutDir --logLevel warn
  WORKING_DIRECTORY ${UI} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "the UI does not build")
endif()
