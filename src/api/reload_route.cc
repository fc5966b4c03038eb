// SPDX-License-Identifier: Apache-2.0
#include "api/reload_route.h"

#include "api/answers.h"

namespace weft::api {
namespace {

bool IsLoopback(std::string_view peer) {
  return peer == "unix" || peer.starts_with("127.") || peer.starts_with("[::1]:") ||
         peer.starts_with("[::ffff:127.");
}

// Why the request may not reload; empty: it may.
std::string WhyNot(const http::RequestHead& head, bool authenticated) {
  // Browsers say with every POST which page it is of; a page may send one anywhere.
  if (!http::FindHeader(head.headers, "origin").empty()) return "no page of a browser may reload";
  if (authenticated) return "";
  if (!IsLoopback(head.peer))
    return "only this machine may reload; to let others, give the query extension an "
           "authenticator";
  for (std::string_view header : {"forwarded", "x-forwarded-for", "x-real-ip"})
    if (!http::FindHeader(head.headers, header).empty())
      return "a reload may not come through a proxy; to allow it, give the query extension an "
             "authenticator";
  return "";
}

http::Response AnswerOf(const pipeline::ReloadReport& report) {
  if (!report.status) return ErrorResponse(report.status.error());
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Field("generation", report.generation);
  json.Key("changes");
  json.BeginArray();
  for (const std::string& change : report.changes) json.String(change);
  json.EndArray();
  json.EndObject();
  return JsonResponse(std::move(body));
}

}  // namespace

void AddReloadRoute(pipeline::Reloads* reloads, bool authenticated, http::Router* router) {
  router->Add("POST", "/api/reload", {},
              [reloads, authenticated](http::Request request, http::ExchangePtr exchange) {
                if (std::string why = WhyNot(request, authenticated); !why.empty())
                  return exchange->Respond(
                      ErrorResponse({ErrorCode::kPermissionDenied, std::move(why), 0}));
                reloads->Ask([exchange](const pipeline::ReloadReport& report) {
                  exchange->Respond(AnswerOf(report));
                });
              });
}

}  // namespace weft::api
