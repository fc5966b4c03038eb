// SPDX-License-Identifier: Apache-2.0
//
// What the OTLP/JSON writers of all signals share: values, resources, scopes and the levels around
// items, as the specification has them: lowerCamelCase names, ids in hex, enums as numbers, 64-bit
// integers as decimal strings, bytes in base64. And as protobuf libraries write the same messages:
// ids are bytes like others, enums have names.
//
// Thread rule: pure functions. Next: codec/otlp_json_encode.cc, otlp_json_metrics_encode.cc.
#pragma once

#include <string_view>
#include <vector>

#include "codec/otlp_fields.h"
#include "model/span_batch.h"
#include "wire_core/json_writer.h"

namespace weft::codec {

class OtlpJsonWriter : public wire::JsonWriter {
 public:
  OtlpJsonWriter(bool protojson, std::string* out) : wire::JsonWriter(out), protojson_(protojson) {}
  bool protojson() const { return protojson_; }

 private:
  bool protojson_;
};

inline void PutText(std::string_view key, std::string_view text, OtlpJsonWriter* out) {
  if (!text.empty()) out->Field(key, text);
}
inline void PutCount(std::string_view key, uint32_t count, OtlpJsonWriter* out) {
  if (count != 0) out->Field(key, count);
}
inline void PutEnum(std::string_view key, uint32_t value, OtlpJsonWriter* out) {
  if (value != 0) out->Field(key, static_cast<int32_t>(value));
}
inline void PutTime(std::string_view key, uint64_t time_ns, OtlpJsonWriter* out) {
  if (time_ns == 0) return;
  out->Key(key);
  out->UintText(time_ns);
}
template <class AnyId>
void PutId(std::string_view key, const AnyId& id, OtlpJsonWriter* out) {
  if (id.empty()) return;
  out->Key(key);
  if (out->protojson()) {
    out->Base64(id.view());
  } else {
    out->Hex(id.view());
  }
}

void PutValue(const Value& value, OtlpJsonWriter* out);
void PutKeyValues(std::string_view key, Attributes entries, OtlpJsonWriter* out);
// The two fields that most messages have.
void PutAttributes(Attributes attributes, uint32_t dropped, OtlpJsonWriter* out);
void PutResource(const Resource& resource, OtlpJsonWriter* out);
void PutScope(const Scope& scope, OtlpJsonWriter* out);

// ResourceSpans / ResourceLogs / ResourceMetrics around the runs of `items`, in a list of this
// name.
template <class Batch, class Item, class PutItem>
void PutRequest(const OtlpSignal& signal, std::string_view list_name, const Batch& batch,
                const std::vector<Item>& items, OtlpJsonWriter* out, PutItem&& put_item) {
  out->BeginObject();
  out->Key(list_name);
  out->BeginArray();
  for (size_t at = 0; at < items.size();) {
    const uint32_t resource_index = items[at].resource;
    const Resource& resource = batch.resources[resource_index];
    out->BeginObject();
    PutResource(resource, out);
    out->Key(signal.resource_items[0].json);
    out->BeginArray();
    while (at < items.size() && items[at].resource == resource_index) {
      const uint32_t scope_index = items[at].scope;
      const Scope& scope = batch.scopes[scope_index];
      out->BeginObject();
      PutScope(scope, out);
      out->Key(signal.scope_items[0].json);
      out->BeginArray();
      for (; at < items.size() && items[at].resource == resource_index &&
             items[at].scope == scope_index;
           ++at) {
        put_item(items[at], out);
      }
      out->EndArray();
      PutText("schemaUrl", scope.schema_url, out);
      out->EndObject();
    }
    out->EndArray();
    PutText("schemaUrl", resource.schema_url, out);
    out->EndObject();
  }
  out->EndArray();
  out->EndObject();
}

}  // namespace weft::codec
