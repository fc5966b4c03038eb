// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_json_decode.h"

#include <vector>

#include "codec/otlp_json_decoder.h"
#include "wire_core/protobuf_writer.h"

namespace weft::codec {
namespace {

constexpr std::string_view kTooDeep = "values nested more than 32 deep";
static_assert(wire::kValueDepthMax == 32);

}  // namespace

// ---- what a fault costs

bool OtlpJsonDecoder::Reject(int levels, std::string_view field) {
  if (walker_.fault_is_final()) return false;
  scratch_.Clear();
  messages_.Reject(at_, levels, [&](std::string place) {
    if (!field.empty()) place += "." + std::string(field);
    return walker_.FaultAt(place);
  });
  walker_.Forgive();
  return true;
}

bool OtlpJsonDecoder::LeaveOut(int levels, std::string_view field) {
  if (walker_.fault_is_final()) return false;
  messages_.Lose(at_, levels, target_.left_out, [&](const std::string& place) {
    return walker_.FaultAt(place + "." + std::string(field));
  });
  walker_.Forgive();
  return true;
}

// ---- the levels around the items

bool OtlpJsonDecoder::Read() {
  UnknownFields unknown(true);
  bool read = walker_.Document([&](Json root) {
    auto resources = [&](uint32_t, Json list) {
      return walker_.Array(list, [&](Json json) {
        if (!ResourceItems(json)) return false;
        ++at_.resource;
        return true;
      });
    };
    return walker_.Object(root, signal_.request, resources, NoteIn(&unknown));
  });
  if (read && unknown.Matters(messages_.SeenCount() > 0))
    messages_.NoteUnknown(at_, 0, unknown, signal_.request);
  return read;
}

// The resource may come behind its scopes: its place in the batch is taken first, and filled at the
// end or given back when no item refers to it.
bool OtlpJsonDecoder::ResourceItems(Json json) {
  if (!budget_.Charge(sizeof(Resource))) return walker_.FailTooLarge(json);
  const size_t items_before = target_.ItemCount(), seen_before = messages_.SeenCount();
  resource_ = static_cast<uint32_t>(target_.resources->size());
  target_.resources->emplace_back();
  Resource resource;
  UnknownFields unknown(false);
  at_.scope = 0;
  scopes_from_ = kNoScopes;
  bool read = walker_.Object(
      json, signal_.resource_items,
      [&](uint32_t number, Json value) { return ResourceField(number, value, &resource); },
      NoteIn(&unknown));
  if (!read && !Reject(1)) return false;
  if (unknown.Matters(messages_.SeenCount() > seen_before))
    messages_.NoteUnknown(at_, 1, unknown, signal_.resource_items);
  if (target_.ItemCount() == items_before) {
    target_.resources->pop_back();
  } else {
    (*target_.resources)[resource_] = resource;
  }
  return true;
}

bool OtlpJsonDecoder::ResourceField(uint32_t number, Json value, Resource* resource) {
  switch (number) {
    case resource_items::kResource:
      return ResourceOf(value, resource);
    case resource_items::kSchemaUrl:
      return walker_.String(value, &resource->schema_url) || LeaveOut(1, "schemaUrl");
    default:
      return Scopes(number, value);
  }
}

// Scopes under the old name are the same ones once more where both are there: the new name wins.
bool OtlpJsonDecoder::Scopes(uint32_t number, Json list) {
  if (scopes_from_ != kNoScopes && scopes_from_ != number) {
    if (number == resource_items::kOldScopes) return true;
    target_.DropItemsSince(old_scopes_.items);
    *target_.rejected = old_scopes_.rejection;
  }
  if (scopes_from_ == kNoScopes) old_scopes_ = {target_.ItemCount(), *target_.rejected};
  scopes_from_ = number;
  bool read = walker_.Array(list, [&](Json scope) {
    if (!ScopeItems(scope)) return false;
    ++at_.scope;
    return true;
  });
  return read || Reject(1, OtlpFieldName(signal_.resource_items, number, &OtlpField::json));
}

bool OtlpJsonDecoder::ScopeItems(Json json) {
  if (!budget_.Charge(sizeof(Scope))) return walker_.FailTooLarge(json);
  const size_t items_before = target_.ItemCount(), seen_before = messages_.SeenCount();
  scope_ = static_cast<uint32_t>(target_.scopes->size());
  target_.scopes->emplace_back();
  Scope scope;
  UnknownFields unknown(false);
  at_.item = 0;
  bool read = walker_.Object(
      json, signal_.scope_items,
      [&](uint32_t number, Json value) { return ScopeField(number, value, &scope); },
      NoteIn(&unknown));
  if (!read && !Reject(2)) return false;
  if (unknown.Matters(messages_.SeenCount() > seen_before))
    messages_.NoteUnknown(at_, 2, unknown, signal_.scope_items);
  if (target_.ItemCount() == items_before) {
    target_.scopes->pop_back();
  } else {
    (*target_.scopes)[scope_] = scope;
  }
  return true;
}

bool OtlpJsonDecoder::ScopeField(uint32_t number, Json value, Scope* scope) {
  switch (number) {
    case scope_items::kScope:
      return ScopeOf(value, scope);
    case scope_items::kSchemaUrl:
      return walker_.String(value, &scope->schema_url) || LeaveOut(2, "schemaUrl");
    default: {
      bool read = walker_.Array(value, [&](Json one) {
        if (!Item(one)) return false;
        ++at_.item;
        return true;
      });
      return read || Reject(2, signal_.scope_items[0].json);
    }
  }
}

// ---- resource and scope

bool OtlpJsonDecoder::SharedAttributes(Json list, int levels, std::string_view field,
                                       uint32_t* dropped) {
  size_t index = 0;
  bool read = walker_.Array(list, [&](Json entry) {
    if (PushAttribute(entry, 1)) {
      ++index;
      return true;
    }
    ++*dropped;
    return LeaveOut(levels, std::string(field) + ".attributes[" + std::to_string(index++) + "]");
  });
  return read || LeaveOut(levels, std::string(field) + ".attributes");
}

bool OtlpJsonDecoder::ResourceOf(Json json, Resource* resource) {
  const size_t mark = scratch_.attributes.mark();
  std::string entity_refs;
  uint32_t dropped_here = 0;
  bool read = walker_.Object(json, resource::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case resource::kAttributes:
        return SharedAttributes(value, 1, "resource", &dropped_here);
      case resource::kDropped:
        return walker_.Uint32(value, &resource->dropped_attributes) ||
               LeaveOut(1, "resource.droppedAttributesCount");
      default:
        return walker_.Array(value, [&](Json ref) { return ReadEntityRef(ref, &entity_refs); }) ||
               LeaveOut(1, "resource.entityRefs");
    }
  });
  if (!read && !LeaveOut(1, "resource")) return false;
  resource->dropped_attributes += dropped_here;
  if (!entity_refs.empty()) {
    if (!budget_.Charge(resource->entity_refs.size())) return walker_.FailTooLarge(json);
    resource->entity_refs = arena_->Copy(std::string(resource->entity_refs) + entity_refs);
  }
  return MergeAttributes(mark, &scratch_, arena_, &budget_, &resource->attributes) ||
         walker_.FailTooLarge(json);
}

bool OtlpJsonDecoder::ScopeOf(Json json, Scope* scope) {
  const size_t mark = scratch_.attributes.mark();
  uint32_t dropped_here = 0;
  bool read = walker_.Object(json, scope::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case scope::kName:
        return walker_.String(value, &scope->name) || LeaveOut(2, "scope.name");
      case scope::kVersion:
        return walker_.String(value, &scope->version) || LeaveOut(2, "scope.version");
      case scope::kAttributes:
        return SharedAttributes(value, 2, "scope", &dropped_here);
      default:
        return walker_.Uint32(value, &scope->dropped_attributes) ||
               LeaveOut(2, "scope.droppedAttributesCount");
    }
  });
  if (!read && !LeaveOut(2, "scope")) return false;
  scope->dropped_attributes += dropped_here;
  return MergeAttributes(mark, &scratch_, arena_, &budget_, &scope->attributes) ||
         walker_.FailTooLarge(json);
}

// The batch keeps entity references in protobuf, whatever they came in.
bool OtlpJsonDecoder::ReadEntityRef(Json json, std::string* encoded) {
  std::string_view schema_url, type;
  std::vector<std::string_view> id_keys, description_keys;
  auto push_to = [&](std::vector<std::string_view>* keys) {
    return [this, keys](Json key) { return walker_.String(key, &keys->emplace_back()); };
  };
  bool read = walker_.Object(json, entity_ref::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case entity_ref::kSchemaUrl:
        return walker_.String(value, &schema_url);
      case entity_ref::kType:
        return walker_.String(value, &type);
      case entity_ref::kIdKeys:
        return walker_.Array(value, push_to(&id_keys));
      default:
        return walker_.Array(value, push_to(&description_keys));
    }
  });
  if (!read) return false;
  wire::ProtoWriter out;
  for (size_t i = description_keys.size(); i-- > 0;) {
    out.Bytes(entity_ref::kDescriptionKeys, description_keys[i]);
  }
  for (size_t i = id_keys.size(); i-- > 0;) out.Bytes(entity_ref::kIdKeys, id_keys[i]);
  if (!type.empty()) out.Bytes(entity_ref::kType, type);
  if (!schema_url.empty()) out.Bytes(entity_ref::kSchemaUrl, schema_url);
  out.CloseMessage(resource::kEntityRefs, 0);
  out.AppendTo(encoded);
  return true;
}

// ---- values

bool OtlpJsonDecoder::PushAttributes(Json json, int depth) {
  return walker_.Array(json, [&](Json entry) { return PushAttribute(entry, depth); });
}

bool OtlpJsonDecoder::PushAttribute(Json json, int depth) {
  if (!budget_.Charge(sizeof(KeyValue))) return walker_.FailTooLarge(json);
  KeyValue entry;  // pushed when complete: a nested map uses the same stack meanwhile
  bool read = walker_.Object(json, key_value::kFields, [&](uint32_t number, Json value) {
    if (number == key_value::kKey) return walker_.String(value, &entry.key);
    return AnyValue(value, depth, &entry.value);
  });
  if (!read) return false;
  scratch_.attributes.Push() = entry;
  return true;
}

bool OtlpJsonDecoder::AnyValue(Json json, int depth, Value* value) {
  if (depth > wire::kValueDepthMax) return walker_.FailAt(json, kTooDeep);
  return walker_.Object(json, any_value::kFields, [&](uint32_t number, Json content) {
    switch (number) {
      case any_value::kString: {
        std::string_view text;
        if (!walker_.String(content, &text)) return false;
        *value = Value::String(text);
        return true;
      }
      case any_value::kBool: {
        bool boolean = false;
        if (!walker_.Bool(content, &boolean)) return false;
        *value = Value::Bool(boolean);
        return true;
      }
      case any_value::kInt:
        return walker_.Integer(content, value);
      case any_value::kDouble: {
        double real = 0;
        if (!walker_.Double(content, &real)) return false;
        *value = Value::Double(real);
        return true;
      }
      case any_value::kArray:
        return ArrayValue(content, depth, value);
      case any_value::kMap:
        return MapValue(content, depth, value);
      default: {
        std::string_view bytes;
        if (!walker_.Base64(content, &bytes)) return false;
        *value = Value::Bytes(bytes);
        return true;
      }
    }
  });
}

bool OtlpJsonDecoder::ArrayValue(Json json, int depth, Value* value) {
  const size_t mark = scratch_.values.mark();
  bool read = walker_.Object(json, value_list::kFields, [&](uint32_t, Json list) {
    return walker_.Array(list, [&](Json item) {
      if (!budget_.Charge(sizeof(Value))) return walker_.FailTooLarge(item);
      Value one;
      if (!AnyValue(item, depth + 1, &one)) return false;
      scratch_.values.Push() = one;
      return true;
    });
  });
  *value = Value::Array(scratch_.values.TakeSince(mark, arena_));
  return read;
}

bool OtlpJsonDecoder::MapValue(Json json, int depth, Value* value) {
  const size_t mark = scratch_.attributes.mark();
  bool read = walker_.Object(json, value_list::kFields,
                             [&](uint32_t, Json list) { return PushAttributes(list, depth + 1); });
  *value = Value::Map(scratch_.attributes.TakeSince(mark, arena_));
  return read;
}

// ---- the doors

Status DecodeTracesJson(SpanBatch* batch, DecodeBudget budget, const OtlpJsonPlace& place) {
  OtlpJsonDecoder decoder(kTraceSignal, batch, budget, place);
  if (!decoder.Read()) return Fail(decoder.fault());
  return {};
}

Status DecodeLogsJson(SpanBatch* batch, DecodeBudget budget, const OtlpJsonPlace& place) {
  OtlpJsonDecoder decoder(kLogSignal, batch, budget, place);
  if (!decoder.Read()) return Fail(decoder.fault());
  return {};
}

Status DecodeMetricsJson(MetricBatch* batch, DecodeBudget budget) {
  OtlpJsonDecoder decoder(batch, budget);
  if (!decoder.Read()) return Fail(decoder.fault());
  return {};
}

Result<uint64_t> CountMetricPointsJson(std::string_view body) {
  using Json = JsonWalker::Json;
  std::string text(body);
  Arena arena;
  JsonWalker walker(&text, &arena);
  uint64_t points = 0;
  auto count_points = [&](uint32_t, Json list) {
    return walker.Array(list, [&](Json) {
      ++points;
      return true;
    });
  };
  auto each = [&](OtlpFields fields, auto inner) {
    return [&walker, fields, inner](Json json) { return walker.Object(json, fields, inner); };
  };
  // Lists of the named field only; the rest of a level (resource, scope, schema) does not matter.
  auto in_list = [&](uint32_t wanted, auto inner) {
    return [&walker, wanted, inner](uint32_t number, Json list) {
      const bool is = number == wanted ||
                      (wanted == resource_items::kScopes && number == resource_items::kOldScopes);
      return !is || walker.Array(list, inner);
    };
  };
  auto metric = each(metric::kData, [&](uint32_t, Json kind) {
    return walker.Object(kind, metric_data::kPlain, count_points);
  });
  auto scope = each(kMetricSignal.scope_items, in_list(scope_items::kItems, metric));
  auto resource = each(kMetricSignal.resource_items, in_list(resource_items::kScopes, scope));
  auto request = each(kMetricSignal.request, in_list(request::kResources, resource));
  if (!walker.Document(request)) return Fail(walker.fault());
  return points;
}

}  // namespace weft::codec
