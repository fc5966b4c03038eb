// SPDX-License-Identifier: Apache-2.0
#include "http/h2c_settings.h"

#include "wire_core/base64.h"

namespace weft::http {
namespace {

constexpr size_t kSettingBytes = 6;
constexpr size_t kSettingsTextMax = 1024;

}  // namespace

std::optional<std::string> DecodeH2cSettings(std::string_view text) {
  if (text.size() > kSettingsTextMax) return std::nullopt;
  std::optional<std::string> out = DecodeBase64(text);
  if (out && out->size() % kSettingBytes != 0) return std::nullopt;
  return out;
}

}  // namespace weft::http
