// SPDX-License-Identifier: Apache-2.0
#include "net/route.h"

namespace weft::net {
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
    if (!route->grpc || route->path.size() <= service.size() + 2) continue;
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

RouteChoice ChooseRoute(const Router& router, const RequestHead& head) {
  RouteChoice choice;
  bool path_known = false;
  const Router::Route* route = router.Find(head.method, head.path, &path_known);
  if (route == nullptr) {
    if (path_known) {
      std::string allow = router.AllowedMethods(head.path);
      choice.refusal = std::make_unique<Response>(
          PlainResponse(405, "405 method not allowed, supported: [" + allow + "]"));
      choice.refusal->headers.emplace_back("allow", std::move(allow));
    } else if (router.fallback() != nullptr) {
      choice.handler = router.fallback();
    } else {
      choice.refusal =
          std::make_unique<Response>(PlainResponse(404, "404 no such path: " + head.path));
    }
    return choice;
  }
  choice.handler = &route->handler;
  choice.body_bytes_max = route->options.body_bytes_max;
  if (head.content_length > 0 &&
      static_cast<uint64_t>(head.content_length) > choice.body_bytes_max) {
    choice.refusal = std::make_unique<Response>(PlainResponse(
        413, "413 body of " + std::to_string(head.content_length) + " bytes is over the limit of " +
                 std::to_string(choice.body_bytes_max)));
    return choice;
  }
  if (route->options.admit) {
    Admission admission = route->options.admit(head);
    choice.refusal = std::move(admission.refusal);
    choice.token = std::move(admission.token);
    choice.admitted = true;
  }
  return choice;
}

Response PlainResponse(int status, std::string text) {
  return Response{.status = status,
                  .content_type = "text/plain; charset=utf-8",
                  .headers = {},
                  .body = std::move(text) + "\n"};
}

}  // namespace weft::net
