// SPDX-License-Identifier: Apache-2.0
#include "http/route.h"
#include "wire_core/printable.h"

namespace weft::http {
namespace {

bool PathMatches(const Router::Route& route, std::string_view path) {
  return route.prefix ? path.starts_with(route.path) : path == route.path;
}

bool MethodMatches(const Router::Route& route, std::string_view method) {
  if (route.method == "*" || route.method == method) return true;
  return method == "HEAD" && route.method == "GET";
}

}  // namespace

void Router::Add(std::string method, std::string path, RouteOptions options, HttpHandler handler) {
  auto route = std::make_shared<Route>();
  route->method = std::move(method);
  route->prefix = path.ends_with("/*");
  if (route->prefix) path.pop_back();
  route->path = std::move(path);
  route->options = std::move(options);
  route->handler = std::move(handler);
  routes_.push_back(std::move(route));
}

void Router::AddGrpc(std::string path, GrpcOptions options, GrpcHandler handler) {
  auto route = std::make_shared<Route>();
  route->grpc = true;
  route->path = std::move(path);
  route->grpc_options = std::move(options);
  route->grpc_handler = std::move(handler);
  routes_.push_back(std::move(route));
}

void Router::StripBasePath(RequestHead* head) const {
  if (base_path_.empty()) return;
  for (std::string* path : {&head->path, &head->raw_path}) {
    if (!path->starts_with(base_path_)) continue;
    if (path->size() == base_path_.size()) {
      *path = "/";
    } else if ((*path)[base_path_.size()] == '/') {
      path->erase(0, base_path_.size());
    }
  }
}

void Router::SetFallback(HttpHandler handler) { fallback_ = std::move(handler); }

const Router::Route* Router::Find(std::string_view method, std::string_view path,
                                  bool* path_known) const {
  *path_known = false;
  const Route* best = nullptr;
  for (const auto& route : routes_) {
    if (route->grpc || !PathMatches(*route, path)) continue;
    *path_known = true;
    if (!MethodMatches(*route, method)) continue;
    if (!route->prefix) return route.get();
    if (best == nullptr || route->path.size() > best->path.size()) best = route.get();
  }
  return best;
}

const Router::Route* Router::FindGrpc(std::string_view path) const {
  for (const auto& route : routes_) {
    if (route->grpc && route->path == path) return route.get();
  }
  return nullptr;
}

bool Router::HasGrpcService(std::string_view service) const {
  if (service.empty()) return true;
  for (const auto& route : routes_) {
    if (!route->grpc || route->grpc_options.is_elsewhere) continue;
    if (route->path.size() <= service.size() + 2) continue;
    std::string_view path = route->path;
    if (path.substr(1).starts_with(service) && path[service.size() + 1] == '/') return true;
  }
  return false;
}

std::string Router::AllowedMethods(std::string_view path) const {
  std::string out;
  for (const auto& route : routes_) {
    if (route->grpc || !PathMatches(*route, path)) continue;
    if (("," + out + ",").find("," + route->method + ",") != std::string::npos) continue;
    if (!out.empty()) out += ",";
    out += route->method == "GET" ? "GET,HEAD" : route->method;
  }
  return out;
}

void Router::AnswerRefusals(std::string path, RefusalAnswer answer) {
  bool prefix = path.ends_with("/*");
  if (prefix) path.pop_back();
  refusal_rules_.push_back({std::move(path), prefix, std::move(answer)});
}

Response Router::Refuse(const RequestHead& head, Refusal refusal) const {
  const RefusalRule* best = nullptr;
  for (const RefusalRule& rule : refusal_rules_) {
    bool matches = rule.prefix ? head.path.starts_with(rule.path) : head.path == rule.path;
    if (matches && (best == nullptr || rule.path.size() > best->path.size())) best = &rule;
  }
  Response response =
      best != nullptr
          ? best->answer(head, refusal)
          : PlainResponse(refusal.status, std::to_string(refusal.status) + " " + refusal.message);
  response.status = refusal.status;
  if (refusal.retry_after_s > 0 && FindHeader(response.headers, "retry-after").empty())
    response.headers.emplace_back("retry-after", std::to_string(refusal.retry_after_s));
  for (auto& header : refusal.headers) response.headers.push_back(std::move(header));
  return response;
}

namespace {

// Nothing: `head` may pass to `route`, or to the fallback when that is null.
std::unique_ptr<Response> CheckRequest(const Entrance& entrance, const RequestHead& head,
                                       const Router::Route* route) {
  const bool open = route != nullptr && route->options.open;
  if (!open && !entrance.HostFits(head, false))
    return std::make_unique<Response>(
        entrance.router().Refuse(head, {.status = 403, .message = entrance.HostRefusal()}));
  std::optional<AuthRefusal> refused = entrance.Check(head, open);
  if (!refused) return nullptr;
  Refusal refusal{.status = refused->retry_after_s > 0 ? 429 : 401,
                  .message = std::move(refused->message),
                  .retry_after_s = refused->retry_after_s};
  if (!refused->challenge.empty())
    refusal.headers.emplace_back("www-authenticate", std::move(refused->challenge));
  return std::make_unique<Response>(entrance.router().Refuse(head, std::move(refusal)));
}

}  // namespace

std::optional<GrpcStatus> CheckCall(const Entrance& entrance, const RequestHead& head,
                                    const Router::Route* route) {
  const bool open = route != nullptr && route->grpc_options.open;
  if (!open && !entrance.HostFits(head, true))
    return GrpcStatus{
        .code = GrpcCode::kPermissionDenied, .message = entrance.HostRefusal(), .retry_after_s = 0};
  std::optional<AuthRefusal> refused = entrance.Check(head, open);
  if (!refused) return std::nullopt;
  return GrpcStatus{
      .code = refused->retry_after_s > 0 ? GrpcCode::kUnavailable : GrpcCode::kUnauthenticated,
      .message = std::move(refused->message),
      .retry_after_s = refused->retry_after_s};
}

RouteChoice ChooseRoute(const Entrance& entrance, const RequestHead& head) {
  RouteChoice choice;
  const Router& router = entrance.router();
  auto refuse = [&](Refusal refusal) {
    choice.refusal = std::make_unique<Response>(router.Refuse(head, std::move(refusal)));
  };
  bool path_known = false;
  const Router::Route* route = router.Find(head.method, head.path, &path_known);
  // Who may not pass learns nothing of what is there.
  choice.refusal = CheckRequest(entrance, head, route);
  if (choice.refusal) return choice;
  if (route == nullptr) {
    if (path_known) {
      std::string allow = router.AllowedMethods(head.path);
      refuse({.status = 405,
              .message = "method not allowed, supported: [" + allow + "]",
              .headers = {{"allow", allow}}});
    } else if (router.fallback() != nullptr) {
      choice.handler = router.fallback();
    } else {
      refuse({.status = 404, .message = "no such path: " + head.path});
    }
    return choice;
  }
  choice.handler = &route->handler;
  choice.body_bytes_max = route->options.body_bytes_max;
  if (head.content_length > 0 &&
      static_cast<uint64_t>(head.content_length) > choice.body_bytes_max) {
    refuse({.status = 413,
            .message = "body of " + std::to_string(head.content_length) +
                       " bytes is over the limit of " + std::to_string(choice.body_bytes_max)});
    return choice;
  }
  if (route->options.admit) {
    Admission admission = route->options.admit(head);
    choice.refusal = std::move(admission.refusal);
    choice.token = std::move(admission.token);
    choice.grow = std::move(admission.grow);
    choice.admitted = true;
  }
  return choice;
}

std::string_view PeerAddress(const RequestHead& head) {
  std::string_view peer = head.peer;
  return peer.starts_with("unix") ? peer : peer.substr(0, peer.rfind(':'));
}

Response PlainResponse(int status, std::string text) {
  return Response{.status = status,
                  .content_type = "text/plain; charset=utf-8",
                  .headers = {},
                  .body = EscapeUnprintable(text) + "\n"};
}

}  // namespace weft::http
