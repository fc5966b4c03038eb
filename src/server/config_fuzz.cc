// SPDX-License-Identifier: Apache-2.0
//
// Any text as a configuration: must load or name what is wrong, in bounded time and memory. The
// outside world is replaced: variables hold the input itself, files do not exist.
#include <cstddef>
#include <cstdint>

#include "config/config.h"
#include "server/components.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 16 * 1024) return 0;
  std::string text(reinterpret_cast<const char*>(data), size);
  weft::config::Surroundings surroundings{
      .env = [&text](const std::string& name) -> std::optional<std::string> {
        if (name == "SELF") return text;
        return name == "X" ? std::optional<std::string>("[1, a]") : std::nullopt;
      },
      .read_file = [&text](const std::string& path) -> weft::Result<std::string> {
        if (path == "input") return text;
        return weft::Fail(weft::ErrorCode::kNotFound, "no file " + path);
      }};
  auto loaded = weft::config::Load({.uris = {"input"}, .settings = {}}, surroundings,
                                   weft::server::Components().types());
  if (!loaded && loaded.error().message.empty()) __builtin_trap();
  return 0;
}
