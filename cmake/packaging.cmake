# `cmake --install build/release [--prefix DIR]`, and `cpack -G DEB` in build/release for a Debian
# package (./dev package). What is installed beside the binary: cmake/install_files.cmake.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # the binary is enough: no test needs to be built
install(TARGETS weft RUNTIME DESTINATION bin)
install(CODE "set(WEFT_SOURCE [[${PROJECT_SOURCE_DIR}]])\nset(WEFT_BINARY [[$<TARGET_FILE:weft>]])")
install(SCRIPT cmake/install_files.cmake)

set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME weft)
set(CPACK_PACKAGE_CONTACT "The weft authors <weft@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "distributed tracing in one binary")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "receives spans over OpenTelemetry's protocol, stores them durably,
answers questions about them and serves a web interface. The package runs
it as a service that listens on this machine only.")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libcurl is loaded when a command first needs it, so dpkg-shlibdeps does not see it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.54~), libcurl4")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, less")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/postinst ${debian}/prerm ${debian}/postrm
  ${debian}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
