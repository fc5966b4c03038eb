// SPDX-License-Identifier: Apache-2.0
#include "api/web_ui.h"

#include <string>
#include <string_view>

#include "api/ui_assets.h"

namespace weft::api {
namespace {

constexpr std::string_view kNoUiPage =
    "<!doctype html><html lang=en><meta charset=utf-8><title>weft</title>"
    "<h1>weft is running</h1><p>This build has no web UI: it was made where Node.js was missing. "
    "Everything else works: <code>weft services</code>, <code>weft query '{}'</code>, "
    "<code>weft trace ID</code>, and the API under <code>/api/weft/v1</code>.</html>\n";

// A path of the UI itself: not an API's, and its last segment is no file name. Two traces to
// compare have dots between them: /trace/A...B.
bool IsPage(std::string_view path) {
  if (path == "/api" || path.starts_with("/api/")) return false;
  if (path.starts_with("/trace/")) return true;
  return path.substr(path.rfind('/') + 1).find('.') == std::string_view::npos;
}

bool AcceptsGzip(const http::Headers& headers) {
  return http::FindHeader(headers, "accept-encoding").find("gzip") != std::string_view::npos;
}

// The page under a base path: links and files inside it are looked up below `base_path`, which lies
// in the page as <base>, the first of which counts. "" where the files lie as they were built.
struct BasedPage {
  std::string html, etag;
};

BasedPage PageUnder(const std::string& base_path) {
  const UiAsset* page = FindUiAsset("/index.html");
  constexpr std::string_view kHead = "<head>";
  if (page == nullptr || base_path.empty()) return {};
  const size_t head = page->identity.find(kHead);
  if (head == std::string_view::npos) return {};
  BasedPage based;
  based.html = page->identity;
  based.html.insert(head + kHead.size(), "<base href=\"" + base_path + "/\">");
  based.etag = page->etag;
  based.etag.insert(1, base_path);
  return based;
}

http::Response Found(const UiAsset& asset, const http::Request& request) {
  http::Response response;
  response.headers = {
      {"content-security-policy", std::string(kUiContentSecurityPolicy)},
      {"x-content-type-options", "nosniff"},
      {"referrer-policy", "same-origin"},
      {"etag", std::string(asset.etag)},
      {"vary", "accept-encoding"},
      {"cache-control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache"}};
  if (http::FindHeader(request.headers, "if-none-match").find(asset.etag) !=
      std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.content_type = asset.content_type;
  if (!asset.gzip.empty() && AcceptsGzip(request.headers)) {
    response.headers.emplace_back("content-encoding", "gzip");
    response.body = asset.gzip;
  } else {
    response.body = asset.identity;
  }
  return response;
}

http::Response Answer(const http::Router& router, const BasedPage& based,
                      const http::Request& request) {
  bool is_page = IsPage(request.path);
  const UiAsset* asset = FindUiAsset(request.path == "/" ? "/index.html" : request.path);
  if (asset == nullptr && is_page) asset = FindUiAsset("/index.html");
  if (asset == nullptr && !is_page)
    return router.Refuse(request, {.status = 404, .message = "no such path: " + request.path});
  if (request.method != "GET" && request.method != "HEAD")
    return router.Refuse(request, {.status = 405,
                                   .message = "only GET is answered here",
                                   .headers = {{"allow", "GET,HEAD"}}});
  if (asset != nullptr && asset->path == "/index.html" && !based.html.empty()) {
    UiAsset page = *asset;
    page.identity = based.html;
    page.gzip = {};
    page.etag = based.etag;
    return Found(page, request);
  }
  if (asset != nullptr) return Found(*asset, request);
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .headers = {{"content-security-policy", "default-src 'none'; frame-ancestors 'none'"},
                      {"cache-control", "no-cache"}},
          .body = std::string(kNoUiPage)};
}

}  // namespace

void ServeWebUi(const std::string& base_path, http::Router* router) {
  router->SetFallback(
      [based = PageUnder(base_path), router](http::Request request, http::ExchangePtr exchange) {
        exchange->Respond(Answer(*router, based, request));
      });
}

}  // namespace weft::api
