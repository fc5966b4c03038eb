// SPDX-License-Identifier: Apache-2.0
#include "api/query_settings.h"

#include <fmt/format.h>

namespace weft::api {
namespace {

// A listener beside the query extension's own. An empty text turns it off; where nothing is said it
// stands beside the default port, on the same host.
void ReadSecondEndpoint(std::string_view key, config::Section* section,
                        const config::Endpoint& main, std::optional<config::Endpoint>* out) {
  if (std::string text; section->Has(key)) {
    section->Read(key, &text);
    section->Read(key, &**out);
    if (text.empty()) out->reset();
  } else if (main.port == QuerySettings().endpoint.port) {
    (*out)->host = main.host;
  } else {
    out->reset();
  }
}

// "weft", "/weft/" -> "/weft"; "/" -> "". What a URL's path cannot hold plainly is a problem.
std::string CleanBasePath(std::string* path) {
  while (path->ends_with('/')) path->pop_back();
  if (path->empty()) return "";
  if (!path->starts_with('/')) path->insert(0, "/");
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  if (path->find_first_not_of(kPlain) == std::string::npos &&
      path->find("//") == std::string::npos && (*path + "/").find("/./") == std::string::npos &&
      (*path + "/").find("/../") == std::string::npos)
    return "";
  return fmt::format("\"{}\" is no path such as /weft: letters, digits and -._~ between slashes",
                     *path);
}

}  // namespace

std::any ReadQuerySettings(config::Section section) {
  QuerySettings settings;
  section.ReadListenAddress(&settings.endpoint);
  section.Read("base_path", &settings.base_path);
  if (std::string problem = CleanBasePath(&settings.base_path); !problem.empty())
    section.Error(*section.Get("base_path"), "base_path", problem);
  ReadSecondEndpoint("grpc_endpoint", &section, settings.endpoint, &settings.grpc_endpoint);
  ReadSecondEndpoint("tempo_endpoint", &section, settings.endpoint, &settings.tempo_endpoint);
  section.Read("store", &settings.store);
  section.Refer(config::kStoreRole, "store", settings.store);
  section.Read("workers", &settings.workers, 1, 64);
  section.ReadDuration("timeout", &settings.timeout_ns);
  section.ReadBytes("memory", &settings.memory_bytes);
  section.Read("allowed_hosts", &settings.allowed_hosts);
  config::ReadListenerSecurity(&section, &settings.security);
  section.Finish();
  return settings;
}

std::vector<config::ListenSetting> QueryListens(const config::ComponentId& id, std::any* settings) {
  auto& query = *std::any_cast<QuerySettings>(settings);
  const std::string name = id.ToString(), path = "extensions::" + name + "::";
  std::vector<config::ListenSetting> out;
  auto add = [&](const std::string& suffix, const char* key, config::Endpoint* endpoint) {
    out.push_back({name + suffix, path + key, endpoint, &query.security, true});
  };
  add("", "endpoint", &query.endpoint);
  if (query.grpc_endpoint) add("/grpc", "grpc_endpoint", &*query.grpc_endpoint);
  if (query.tempo_endpoint) add("/tempo", "tempo_endpoint", &*query.tempo_endpoint);
  return out;
}

}  // namespace weft::api
