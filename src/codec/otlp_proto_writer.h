// SPDX-License-Identifier: Apache-2.0
//
// What the OTLP protobuf writers of all signals share: values, resources, scopes and the levels
// around items. ProtoWriter writes from the end to the front, so everything here runs backwards:
// items from the last to the first, fields from the highest number to the lowest.
//
// Thread rule: pure functions. Next: codec/otlp_proto_encode.cc, otlp_proto_metrics_encode.cc.
#pragma once

#include <ranges>
#include <string_view>
#include <vector>

#include "codec/otlp_encode.h"
#include "codec/otlp_fields.h"
#include "model/span_batch.h"
#include "wire_core/protobuf_writer.h"

namespace weft::codec {

class OtlpWriter : public wire::ProtoWriter {
 public:
  OtlpWriter(size_t bytes_expected, ProtoText text)
      : ProtoWriter(bytes_expected), sound_(text == ProtoText::kSound) {}
  void String(uint32_t number, std::string_view text) {
    sound_ ? Text(number, text) : Bytes(number, text);
  }

 private:
  const bool sound_;
};

inline void PutText(uint32_t number, std::string_view text, OtlpWriter* out) {
  if (!text.empty()) out->String(number, text);
}
inline void PutCount(uint32_t number, uint32_t count, OtlpWriter* out) {
  if (count != 0) out->Varint(number, count);
}
inline void PutEnum(uint32_t number, uint32_t value, OtlpWriter* out) {
  if (value != 0) out->Int32(number, value);
}
inline void PutFixed64(uint32_t number, uint64_t value, OtlpWriter* out) {
  if (value != 0) out->Fixed64(number, value);
}
inline void PutFixed32(uint32_t number, uint32_t value, OtlpWriter* out) {
  if (value != 0) out->Fixed32(number, value);
}
template <class AnyId>
void PutId(uint32_t number, const AnyId& id, OtlpWriter* out) {
  if (!id.empty()) out->Bytes(number, id.view());
}

// The content of an AnyValue. Its one field is written even when it is 0 or "": which of the types
// it has is part of the value.
void PutValue(const Value& value, OtlpWriter* out);
void PutAttributes(uint32_t number, Attributes attributes, OtlpWriter* out);
void PutResource(const Resource& resource, OtlpWriter* out);
void PutScope(const Scope& scope, OtlpWriter* out);

// ResourceSpans / ResourceLogs / ResourceMetrics around the runs of `items`: put_item writes the
// content of one.
template <class Batch, class Item, class PutItem>
void PutRequest(const Batch& batch, const std::vector<Item>& items, OtlpWriter* out,
                PutItem&& put_item) {
  size_t at = items.size();
  while (at > 0) {
    const uint32_t resource_index = items[at - 1].resource;
    const size_t resource_mark = out->bytes();
    PutText(resource_items::kSchemaUrl, batch.resources[resource_index].schema_url, out);
    while (at > 0 && items[at - 1].resource == resource_index) {
      const uint32_t scope_index = items[at - 1].scope;
      const size_t scope_mark = out->bytes();
      PutText(scope_items::kSchemaUrl, batch.scopes[scope_index].schema_url, out);
      for (;
           at > 0 && items[at - 1].resource == resource_index && items[at - 1].scope == scope_index;
           --at) {
        size_t item_mark = out->bytes();
        put_item(items[at - 1], out);
        out->CloseMessage(scope_items::kItems, item_mark);
      }
      PutScope(batch.scopes[scope_index], out);
      out->CloseMessage(resource_items::kScopes, scope_mark);
    }
    PutResource(batch.resources[resource_index], out);
    out->CloseMessage(request::kResources, resource_mark);
  }
}

}  // namespace weft::codec
