// SPDX-License-Identifier: Apache-2.0
#include "api/metrics_page.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace weft::api {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before `separator` off the front.
std::string_view Take(std::string_view* text, char separator) {
  size_t end = text->find(separator);
  std::string_view piece = Trim(text->substr(0, end));
  *text = end == std::string_view::npos ? "" : text->substr(end + 1);
  return piece;
}

struct MediaRange {
  std::string type, version;
  double quality = 1;
};

MediaRange ReadRange(std::string_view text) {
  auto lower = [](std::string_view word) {
    std::string out;
    for (char c : word) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
  };
  MediaRange range;
  range.type = lower(Take(&text, ';'));
  while (!text.empty()) {
    std::string_view parameter = Take(&text, ';');
    std::string name = lower(Take(&parameter, '='));
    std::string value(Trim(parameter));
    if (name == "q") range.quality = std::strtod(value.c_str(), nullptr);
    if (name == "version") range.version = value;
  }
  return range;
}

}  // namespace

MetricsFormat PreferredFormat(std::string_view accept) {
  double open = 0, plain = 0;
  while (!accept.empty()) {
    MediaRange range = ReadRange(Take(&accept, ','));
    // 0.0.1 was a draft with other rules.
    if (range.type == "application/openmetrics-text" && range.version != "0.0.1")
      open = std::max(open, range.quality);
    if (range.type == "text/plain" || range.type == "text/*")
      plain = std::max(plain, range.quality);
  }
  return open > 0 && open >= plain ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus;
}

http::Response AnswerMetrics(const Metrics& metrics, std::string_view accept) {
  MetricsFormat format = PreferredFormat(accept);
  return {.status = 200,
          .content_type = format == MetricsFormat::kOpenMetrics
                              ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                              : "text/plain; version=0.0.4; charset=utf-8",
          .headers = {{"cache-control", "no-store"}, {"vary", "Accept"}},
          .body = metrics.Render(format)};
}

}  // namespace weft::api
