// SPDX-License-Identifier: Apache-2.0
//
// The files of the web UI as they lie in the binary: made by cmake/embed_ui.mjs out of ui/'s build,
// compiled into library weft_ui_assets (cmake/embed_ui.cmake). A build without npm holds no file.
//
// How to serve them: a path that FindUiAsset() knows is that file; any other GET that is not under
// /api and whose last segment has no dot is a page of the UI and gets "/index.html". Send
// kUiContentSecurityPolicy with every answer, `gzip` bytes where the client accepts gzip, the etag
// (304 when If-None-Match names it), and `Cache-Control: public, max-age=31536000, immutable` for
// an immutable file (its name holds its hash), `no-cache` for the others. Thread rule: constant
// data.
#pragma once

#include <span>
#include <string_view>

namespace weft::api {

struct UiAsset {
  std::string_view path;          // "/index.html", "/assets/index-4f2a9c.js"
  std::string_view content_type;  // with charset where it is text
  std::string_view identity;      // the file
  std::string_view gzip;          // the same, compressed; empty where that is not smaller
  std::string_view etag;          // quoted
  bool immutable = false;
};

// By path, ascending. Empty in a build without the UI.
std::span<const UiAsset> UiAssets();
// Null when no such file.
const UiAsset* FindUiAsset(std::string_view path);

inline constexpr std::string_view kUiContentSecurityPolicy =
    "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'; "
    "object-src 'none'";

}  // namespace weft::api
