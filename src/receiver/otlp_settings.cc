// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_settings.h"

#include <utility>

namespace weft::receiver {
namespace {

// Keys of the Collector's confighttp and configgrpc that change nothing a user of weft could
// notice.
void IgnoreServerTuning(config::Section* section) {
  section->Ignore({"read_buffer_size", "write_buffer_size", "keepalive", "keep_alives_enabled",
                   "read_timeout", "read_header_timeout", "write_timeout", "idle_timeout",
                   "max_concurrent_streams", "response_headers", "compression_algorithms"});
  section->Unbuilt({"middlewares"});
}

}  // namespace

std::any ReadOtlpSettings(config::Section section) {
  OtlpReceiverSettings settings;
  std::optional<config::Section> protocols = section.Sub("protocols");
  if (protocols) {
    if (std::optional<config::Section> grpc = protocols->Sub("grpc")) {
      settings.grpc = OtlpReceiverSettings::Grpc();
      grpc->ReadListenAddress(&settings.grpc->endpoint);
      uint64_t mib = settings.grpc->message_bytes_max >> 20;
      grpc->Read("max_recv_msg_size_mib", &mib, 1, 1024);
      settings.grpc->message_bytes_max = mib << 20;
      grpc->Read("include_metadata", &settings.grpc->include_metadata);
      config::ReadListenerSecurity(&*grpc, &settings.grpc->security);
      IgnoreServerTuning(&*grpc);
      grpc->Finish();
    }
    if (std::optional<config::Section> http = protocols->Sub("http")) {
      settings.http = OtlpReceiverSettings::Http();
      OtlpReceiverSettings::Http& out = *settings.http;
      http->ReadListenAddress(&out.endpoint);
      http->ReadBytes("max_request_body_size", &out.body_bytes_max);
      http->Read("include_metadata", &out.include_metadata);
      for (auto [key, path] : {std::pair{"traces_url_path", &out.traces_path},
                               {"logs_url_path", &out.logs_path},
                               {"metrics_url_path", &out.metrics_path}}) {
        http->Read(key, path);
        if (!path->starts_with('/')) path->insert(0, "/");
      }
      http->Read("allowed_hosts", &out.allowed_hosts);
      if (std::optional<config::Section> cors = http->Sub("cors")) {
        cors->Read("allowed_origins", &out.cors_origins);
        cors->Read("allowed_headers", &out.cors_headers);
        cors->Read("exposed_headers", &out.cors_exposed_headers);
        cors->Read("max_age", &out.cors_max_age_s);
        cors->Finish();
      }
      config::ReadListenerSecurity(&*http, &out.security);
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
  return {};
}

std::vector<config::ListenSetting> OtlpListens(const config::ComponentId& id, std::any* settings) {
  auto& otlp = *std::any_cast<OtlpReceiverSettings>(settings);
  const std::string name = id.ToString(), protocols = "receivers::" + name + "::protocols::";
  std::vector<config::ListenSetting> out;
  if (otlp.grpc)
    out.push_back({.name = name + "/grpc",
                   .key = protocols + "grpc::endpoint",
                   .endpoint = &otlp.grpc->endpoint,
                   .security = &otlp.grpc->security});
  if (otlp.http)
    out.push_back({.name = name + "/http",
                   .key = protocols + "http::endpoint",
                   .endpoint = &otlp.http->endpoint,
                   .security = &otlp.http->security});
  return out;
}

}  // namespace weft::receiver
