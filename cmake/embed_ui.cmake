# weft_embed_ui(): library weft_ui_assets, the web UI as constant data (src/api/ui_assets.h).
#
# -DWEFT_UI=OFF        leaves the UI out (the default where no npm is found, with a warning)
# -DWEFT_UI_DIST=DIR   embeds a UI that was built elsewhere; then only node is needed
#
# Otherwise the build runs `npm ci` and `npm run build` in ui/, whenever a source of the UI changed.
find_program(WEFT_NODE node)
find_program(WEFT_NPM npm)
set(WEFT_UI_DIST "" CACHE PATH "a built UI to embed; empty: build ui/")
if(WEFT_NODE AND (WEFT_NPM OR WEFT_UI_DIST))
  option(WEFT_UI "embed the web UI" ON)
else()
  option(WEFT_UI "embed the web UI" OFF)
endif()

function(weft_embed_ui)
  set(ui ${PROJECT_SOURCE_DIR}/ui)
  set(generated ${PROJECT_BINARY_DIR}/generated/ui_assets.cc)
  set(embed ${PROJECT_SOURCE_DIR}/cmake/embed_ui.mjs)
  set(build_ui ${PROJECT_SOURCE_DIR}/cmake/build_ui.cmake)
  if(NOT WEFT_UI)
    message(WARNING "the web UI is left out: node and npm were not found, or WEFT_UI is OFF")
    file(WRITE ${generated} "#include \"api/ui_assets.h\"\nnamespace weft::api {\n"
      "std::span<const UiAsset> UiAssets() { return {}; }\n"
      "const UiAsset* FindUiAsset(std::string_view) { return nullptr; }\n}  // namespace weft::api\n")
  elseif(WEFT_UI_DIST)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${WEFT_UI_DIST}/*)
    add_custom_command(OUTPUT ${generated}
      COMMAND ${WEFT_NODE} ${embed} ${WEFT_UI_DIST} ${generated}
      DEPENDS ${files} ${embed} COMMENT "embedding the UI of ${WEFT_UI_DIST}" VERBATIM)
  else()
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${ui}/src/* ${ui}/public/*)
    set(dist ${PROJECT_BINARY_DIR}/ui_dist)
    add_custom_command(OUTPUT ${generated}
      COMMAND ${CMAKE_COMMAND} -DUI=${ui} -DDIST=${dist} -DNPM=${WEFT_NPM} -P ${build_ui}
      COMMAND ${WEFT_NODE} ${embed} ${dist} ${generated}
      DEPENDS ${files} ${embed} ${build_ui} ${ui}/index.html ${ui}/package.json
        ${ui}/package-lock.json ${ui}/tsconfig.json ${ui}/vite.config.ts
      COMMENT "building the UI" VERBATIM)
  endif()
  add_library(weft_ui_assets STATIC ${generated})
  target_include_directories(weft_ui_assets PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()
