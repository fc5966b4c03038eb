// SPDX-License-Identifier: Apache-2.0
#include "config/missing_component.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace weft::config {
namespace {

// Types that exist in the Collector's world and not in this version: their own message, because a
// name that is right must not be called a typing error.
struct KnownElsewhere {
  ComponentKind kind;
  std::vector<std::string_view> names;
};
const std::vector<KnownElsewhere>& Elsewhere() {
  static const std::vector<KnownElsewhere> known = {
      {ComponentKind::kReceiver,
       {"jaeger",        "zipkin",       "kafka",       "opencensus",   "datadog",
        "awsxray",       "prometheus",   "hostmetrics", "host_metrics", "filelog",
        "file_log",      "skywalking",   "httpcheck",   "otlpjsonfile", "syslog",
        "fluentforward", "docker_stats", "redis",       "postgresql",   "nop"}},
      {ComponentKind::kProcessor,
       {"batch", "memory_limiter", "attributes", "resource", "filter", "transform", "span",
        "probabilistic_sampler", "tail_sampling", "resourcedetection", "resource_detection",
        "k8sattributes", "k8s_attributes", "groupbytrace", "redaction", "cumulativetodelta"}},
      {ComponentKind::kExporter,
       {"otlp",
        "otlp_grpc",
        "otlphttp",
        "otlp_http",
        "zipkin",
        "kafka",
        "file",
        "jaeger",
        "jaeger_thrift",
        "prometheus",
        "prometheusremotewrite",
        "loadbalancing",
        "load_balancing",
        "loki",
        "elasticsearch",
        "clickhouse",
        "jaeger_storage_exporter",
        "datadog",
        "awsxray",
        "opensearch",
        "nop"}},
      {ComponentKind::kConnector,
       {"spanmetrics", "span_metrics", "servicegraph", "service_graph", "forward", "routing",
        "count", "failover"}},
      {ComponentKind::kExtension,
       {"pprof", "zpages", "file_storage", "oidc", "jaeger_query", "jaeger_storage",
        "healthcheckv2", "opamp"}},
  };
  return known;
}

// Components whose work weft does by itself, or does in another way, and how.
struct OwnWay {
  ComponentKind kind;
  std::string_view name, instead;
};
constexpr OwnWay kOwnWays[] = {
    {ComponentKind::kProcessor, "batch", "weft needs none: take it out"},
    {ComponentKind::kProcessor, "memory_limiter",
     "weft bounds what requests hold (service::limits): take it out"},
    {ComponentKind::kExtension, "healthcheckv2", "weft has health_check"},
    {ComponentKind::kExtension, "jaeger_query", "weft's \"query\" answers Jaeger's API too"},
    {ComponentKind::kExtension, "jaeger_storage", "weft's exporter \"store\" keeps what comes"},
    {ComponentKind::kExporter, "jaeger_storage_exporter",
     "weft's exporter \"store\" keeps what comes"},
    {ComponentKind::kExtension, "file_storage", "weft's store has its own log: take it out"},
    {ComponentKind::kExtension, "pprof", "take it out"},
    {ComponentKind::kExtension, "zpages", "take it out; /metrics and the log say what happens"},
};

// What to do about a component that weft does not have.
std::string WayOut(ComponentKind kind, std::string_view type) {
  for (const OwnWay& own : kOwnWays)
    if (own.kind == kind && own.name == type) return std::string(own.instead);
  switch (kind) {
    case ComponentKind::kReceiver:
      return "a Collector before weft can receive that and send OTLP (docs/config.md)";
    case ComponentKind::kExporter:
      return "\"store\" keeps what comes; a Collector before weft can send it elsewhere too "
             "(docs/config.md)";
    case ComponentKind::kProcessor:
    case ComponentKind::kConnector:
    case ComponentKind::kExtension:
      return "take it out, or have it in a Collector before weft (docs/config.md)";
  }
  return "";
}

}  // namespace

void ReportMissing(const ComponentTypes& all, ComponentKind kind, std::string_view type,
                   const Section& section, const Node& at) {
  std::vector<std::string> types = all.NamesOf(kind);
  std::string exist = types.empty()
                          ? fmt::format("it has no {}s yet", KindName(kind))
                          : fmt::format("its {}s are: {}", KindName(kind), fmt::join(types, ", "));
  bool known = std::ranges::any_of(Elsewhere(), [&](const KnownElsewhere& elsewhere) {
    return elsewhere.kind == kind &&
           std::ranges::find(elsewhere.names, type) != elsewhere.names.end();
  });
  std::string nearest = known ? "" : NearestWord(type, types);
  std::string message;
  if (known) {
    message =
        fmt::format("the {} \"{}\" is known, but this version of weft does not have it; {}; {}",
                    KindName(kind), type, exist, WayOut(kind, type));
  } else if (!nearest.empty()) {
    message = fmt::format("unknown {} type \"{}\"; did you mean \"{}\"? {}", KindName(kind), type,
                          nearest, exist);
  } else {
    message = fmt::format("unknown {} type \"{}\"; {}; {}", KindName(kind), type, exist,
                          WayOut(kind, type));
  }
  section.problems()->Error(at, section.path(), message);
}

}  // namespace weft::config
