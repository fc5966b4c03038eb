// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/missing_component.h"

namespace weft::config {
namespace {

constexpr std::string_view kNoEffect = "has no effect in weft";

// Keys of the Collector's confighttp and configgrpc that change nothing a user of weft could
// notice.
void IgnoreServerTuning(Section* section) {
  section->Ignore({"include_metadata", "read_buffer_size", "write_buffer_size", "keepalive",
                   "keep_alives_enabled", "read_timeout", "read_header_timeout", "write_timeout",
                   "idle_timeout", "max_concurrent_streams", "response_headers",
                   "compression_algorithms"});
  section->Unbuilt({"middlewares"});
}

std::optional<Settings> ReadOtlpReceiver(Section section) {
  OtlpReceiverSettings settings;
  std::optional<Section> protocols = section.Sub("protocols");
  if (protocols) {
    if (std::optional<Section> grpc = protocols->Sub("grpc")) {
      settings.grpc = OtlpReceiverSettings::Grpc();
      grpc->ReadListenAddress(&settings.grpc->endpoint);
      uint64_t mib = settings.grpc->message_bytes_max >> 20;
      grpc->Read("max_recv_msg_size_mib", &mib, 1, 1024);
      settings.grpc->message_bytes_max = mib << 20;
      ReadListenerSecurity(&*grpc, &settings.grpc->security);
      IgnoreServerTuning(&*grpc);
      grpc->Finish();
    }
    if (std::optional<Section> http = protocols->Sub("http")) {
      settings.http = OtlpReceiverSettings::Http();
      OtlpReceiverSettings::Http& out = *settings.http;
      http->ReadListenAddress(&out.endpoint);
      http->ReadBytes("max_request_body_size", &out.body_bytes_max);
      for (auto [key, path] : {std::pair{"traces_url_path", &out.traces_path},
                               {"logs_url_path", &out.logs_path},
                               {"metrics_url_path", &out.metrics_path}}) {
        http->Read(key, path);
        if (!path->starts_with('/')) path->insert(0, "/");
      }
      http->Read("allowed_hosts", &out.allowed_hosts);
      if (std::optional<Section> cors = http->Sub("cors")) {
        cors->Read("allowed_origins", &out.cors_origins);
        cors->Read("allowed_headers", &out.cors_headers);
        cors->Read("exposed_headers", &out.cors_exposed_headers);
        cors->Read("max_age", &out.cors_max_age_s);
        cors->Finish();
      }
      ReadListenerSecurity(&*http, &out.security);
      IgnoreServerTuning(&*http);
      http->Finish();
    }
    protocols->Finish();
  }
  section.Finish();
  if (settings.grpc || settings.http) return settings;
  if (section.IsSound())
    section.Error(section.node(), "",
                  "must specify at least one protocol when using the OTLP receiver");
  return std::nullopt;
}

void ReadOptionalBytes(Section* section, std::string_view key, std::optional<uint64_t>* out) {
  if (section->Get(key) == nullptr) return;
  out->emplace(0);
  section->ReadBytes(key, &**out);
}

// The value under both keys; the section where it is not written.
const Node& PlaceOf(const Section& section, std::string_view outer, std::string_view inner) {
  const Node* node = section.node().Find(outer);
  if (node != nullptr) node = node->Find(inner);
  return node == nullptr ? section.node() : *node;
}

std::optional<Settings> ReadStore(Section section) {
  StoreSettings settings;
  section.Read("directory", &settings.directory);
  int durability = static_cast<int>(settings.durability);
  section.ReadChoice("durability", {"durable", "relaxed", "memory"}, &durability);
  settings.durability = static_cast<StoreSettings::Durability>(durability);
  if (std::optional<Section> retention = section.Sub("retention")) {
    retention->ReadDuration("age", &settings.retention_age_ns);
    retention->ReadBytes("bytes", &settings.retention_bytes);
    retention->Finish();
  }
  if (std::optional<Section> scrub = section.Sub("scrub")) {
    ReadOptionalBytes(&*scrub, "bytes_per_second", &settings.scrub_bytes_per_s);
    if (scrub->Get("interval") != nullptr)
      scrub->ReadDuration("interval", &settings.scrub_interval_ns.emplace());
    scrub->Finish();
  }
  if (std::optional<Section> memory = section.Sub("memory")) {
    ReadOptionalBytes(&*memory, "head", &settings.head_bytes_max);
    ReadOptionalBytes(&*memory, "page_cache", &settings.page_cache_bytes);
    memory->Finish();
  }
  if (std::optional<Section> flush = section.Sub("flush")) {
    ReadOptionalBytes(&*flush, "bytes", &settings.flush_bytes);
    if (flush->Get("age") != nullptr) flush->ReadDuration("age", &settings.flush_age_ns.emplace());
    flush->Finish();
  }
  ReadOptionalBytes(&section, "free_bytes_min", &settings.free_bytes_min);
  section.ReadDuration("max_clock_shift", &settings.max_clock_shift_ns);
  section.Finish();
  if (!section.IsSound()) return std::nullopt;
  uint64_t head = settings.head_bytes_max.value_or(64ull << 20);
  uint64_t flush = settings.flush_bytes.value_or(std::min<uint64_t>(24ull << 20, head / 2));
  constexpr uint64_t kHeadLeast = 4ull << 20;
  if (head < kHeadLeast)
    section.Error(PlaceOf(section, "memory", "head"), "memory::head", "must be 4MiB or more");
  else if (flush > head)
    section.Error(PlaceOf(section, "flush", "bytes"), "flush::bytes",
                  "must not be larger than memory::head");
  else if (settings.head_bytes_max && !settings.flush_bytes)
    settings.flush_bytes = flush;
  return settings;
}

std::optional<Settings> ReadDebug(Section section) {
  DebugSettings settings;
  int verbosity = 0;
  section.ReadChoice("verbosity", {"basic", "normal", "detailed"}, &verbosity);
  settings.verbosity = static_cast<DebugSettings::Verbosity>(verbosity);
  section.Ignore({"sampling_initial", "sampling_thereafter", "use_internal_logger"});
  section.IgnoreWithWarning("output_paths", kNoEffect);
  section.Finish();
  return settings;
}

// exporters::logging, removed upstream in v0.111 and still in many tutorials.
std::optional<Settings> ReadLogging(Section section) {
  DebugSettings settings;
  int level = 1, verbosity = 0;
  section.ReadChoice("loglevel", {"debug", "info", "warn", "error"}, &level);
  section.ReadChoice("verbosity", {"basic", "normal", "detailed"}, &verbosity);
  section.Ignore({"sampling_initial", "sampling_thereafter"});
  section.Finish();
  const Node* loglevel = section.Get("loglevel");
  if (loglevel != nullptr && section.Get("verbosity") != nullptr) {
    section.Error(*loglevel, "loglevel", "cannot be set together with verbosity; use verbosity");
    return std::nullopt;
  }
  using Verbosity = DebugSettings::Verbosity;
  if (loglevel != nullptr)
    settings.verbosity = level == 0   ? Verbosity::kDetailed
                         : level == 1 ? Verbosity::kNormal
                                      : Verbosity::kBasic;
  else
    settings.verbosity = static_cast<Verbosity>(verbosity);
  return settings;
}

// A listener beside the query extension's own. An empty text turns it off; where nothing is said it
// stands beside the default port, on the same host.
void ReadSecondEndpoint(std::string_view key, Section* section, const Endpoint& main,
                        std::optional<Endpoint>* out) {
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

std::optional<Settings> ReadQuery(Section section) {
  QuerySettings settings;
  section.ReadListenAddress(&settings.endpoint);
  section.Read("base_path", &settings.base_path);
  if (std::string problem = CleanBasePath(&settings.base_path); !problem.empty())
    section.Error(*section.Get("base_path"), "base_path", problem);
  ReadSecondEndpoint("grpc_endpoint", &section, settings.endpoint, &settings.grpc_endpoint);
  ReadSecondEndpoint("tempo_endpoint", &section, settings.endpoint, &settings.tempo_endpoint);
  section.Read("store", &settings.store);
  section.Read("workers", &settings.workers, 1, 64);
  section.ReadDuration("timeout", &settings.timeout_ns);
  section.ReadBytes("memory", &settings.memory_bytes);
  section.Read("allowed_hosts", &settings.allowed_hosts);
  ReadListenerSecurity(&section, &settings.security);
  section.Finish();
  return settings;
}

std::optional<Settings> ReadHealthCheck(Section section) {
  HealthCheckSettings settings;
  section.ReadListenAddress(&settings.endpoint);
  section.Read("path", &settings.path);
  section.Read("allowed_hosts", &settings.allowed_hosts);
  if (!settings.path.starts_with('/')) settings.path.insert(0, "/");
  section.IgnoreWithWarning("check_collector_pipeline", kNoEffect);
  ReadListenerSecurity(&section, &settings.security);
  section.Unbuilt({"use_v2", "response_body", "grpc", "http", "component_health"});
  section.Finish();
  return settings;
}

std::optional<Settings> ReadBearerTokenAuth(Section section) {
  return ReadBearerToken(std::move(section));
}
std::optional<Settings> ReadBasicPasswords(Section section) {
  return ReadBasicAuth(std::move(section));
}

struct ComponentType {
  ComponentKind kind;
  std::string_view name;
  std::optional<Settings> (*read)(Section section);
  // Not empty: an old name; the warning that names the new form.
  std::string_view old_name_warning;
};
constexpr ComponentType kTypes[] = {
    {ComponentKind::kReceiver, "otlp", ReadOtlpReceiver, ""},
    {ComponentKind::kExporter, "store", ReadStore, ""},
    {ComponentKind::kExporter, "debug", ReadDebug, ""},
    {ComponentKind::kExporter, "logging", ReadLogging,
     "\"logging\" is the old name of \"debug\" with verbosity (basic, normal, detailed) in place "
     "of "
     "loglevel"},
    {ComponentKind::kExtension, "query", ReadQuery, ""},
    {ComponentKind::kExtension, "health_check", ReadHealthCheck, ""},
    {ComponentKind::kExtension, "bearertokenauth", ReadBearerTokenAuth, ""},
    {ComponentKind::kExtension, "basicauth", ReadBasicPasswords, ""},
};

}  // namespace

std::string_view KindName(ComponentKind kind) {
  static constexpr std::string_view kNames[] = {"receiver", "processor", "exporter", "connector",
                                                "extension"};
  return kNames[static_cast<int>(kind)];
}

std::vector<std::string> TypesOf(ComponentKind kind) {
  std::vector<std::string> names;
  for (const ComponentType& type : kTypes)
    if (type.kind == kind && type.old_name_warning.empty()) names.emplace_back(type.name);
  return names;
}

std::optional<Settings> ReadSettings(ComponentKind kind, std::string_view type, Section section,
                                     const Node& at) {
  for (const ComponentType& known : kTypes) {
    if (known.kind != kind || known.name != type) continue;
    if (!known.old_name_warning.empty())
      section.problems()->Warn(at, section.path(), known.old_name_warning);
    return known.read(std::move(section));
  }
  if (kind == ComponentKind::kExtension && type == "memory_ballast") {
    section.problems()->Warn(at, section.path(), "memory_ballast does nothing any more: ignored");
    return NothingSettings{};
  }
  ReportMissing(kind, type, section, at);
  return std::nullopt;
}

}  // namespace weft::config
