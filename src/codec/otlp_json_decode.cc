// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_json_decode.h"

#include <vector>

#include "codec/otlp_json_decoder.h"
#include "wire/protobuf_writer.h"

namespace weft::codec {

// ---- the levels around the items

bool OtlpJsonDecoder::Request(const OtlpSignal& signal, ReadItem item) {
  return walker_.Document([&](Json root) {
    return walker_.Object(root, signal.request, [&](uint32_t, Json list) {
      return walker_.Array(list, [&](Json json) {
        if (!ResourceItems(signal, item, json)) return false;
        ++at_.resource;
        return true;
      });
    });
  });
}

// The resource may come behind its scopes: its place in the batch is taken first, and filled at the
// end or given back when no item refers to it.
bool OtlpJsonDecoder::ResourceItems(const OtlpSignal& signal, ReadItem item, Json json) {
  if (!budget_.Charge(sizeof(Resource))) return walker_.FailTooLarge(json);
  const size_t items_before = ItemCount();
  resource_ = static_cast<uint32_t>(batch_->resources.size());
  batch_->resources.emplace_back();
  Resource resource;
  at_.scope = 0;
  bool read = walker_.Object(json, signal.resource_items, [&](uint32_t number, Json value) {
    switch (number) {
      case resource_items::kResource:
        return ReadResource(value, &resource);
      case resource_items::kSchemaUrl:
        return walker_.String(value, &resource.schema_url);
      default:
        return walker_.Array(value, [&](Json scope) {
          if (!ScopeItems(signal, item, scope)) return false;
          ++at_.scope;
          return true;
        });
    }
  });
  if (!read) return false;
  if (ItemCount() == items_before) {
    batch_->resources.pop_back();
  } else {
    batch_->resources[resource_] = resource;
  }
  return true;
}

bool OtlpJsonDecoder::ScopeItems(const OtlpSignal& signal, ReadItem item, Json json) {
  if (!budget_.Charge(sizeof(Scope))) return walker_.FailTooLarge(json);
  const size_t items_before = ItemCount();
  scope_ = static_cast<uint32_t>(batch_->scopes.size());
  batch_->scopes.emplace_back();
  Scope scope;
  at_.item = 0;
  bool read = walker_.Object(json, signal.scope_items, [&](uint32_t number, Json value) {
    switch (number) {
      case scope_items::kScope:
        return ReadScope(value, &scope);
      case scope_items::kSchemaUrl:
        return walker_.String(value, &scope.schema_url);
      default:
        return walker_.Array(value, [&](Json one) {
          if (!(this->*item)(one)) return false;
          ++at_.item;
          return true;
        });
    }
  });
  if (!read) return false;
  if (ItemCount() == items_before) {
    batch_->scopes.pop_back();
  } else {
    batch_->scopes[scope_] = scope;
  }
  return true;
}

// ---- resource and scope

bool OtlpJsonDecoder::ReadResource(Json json, Resource* resource) {
  const size_t mark = scratch_.attributes.mark();
  std::string entity_refs;
  bool read = walker_.Object(json, resource::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case resource::kAttributes:
        return PushAttributes(value, 1);
      case resource::kDropped:
        return walker_.Uint32(value, &resource->dropped_attributes);
      default:
        return walker_.Array(value, [&](Json ref) { return ReadEntityRef(ref, &entity_refs); });
    }
  });
  if (!read) return false;
  if (!entity_refs.empty()) {
    if (!budget_.Charge(resource->entity_refs.size())) return walker_.FailTooLarge(json);
    resource->entity_refs = arena_->Copy(std::string(resource->entity_refs) + entity_refs);
  }
  return MergeAttributes(mark, &scratch_, arena_, &budget_, &resource->attributes) ||
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

bool OtlpJsonDecoder::ReadScope(Json json, Scope* scope) {
  const size_t mark = scratch_.attributes.mark();
  bool read = walker_.Object(json, scope::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case scope::kName:
        return walker_.String(value, &scope->name);
      case scope::kVersion:
        return walker_.String(value, &scope->version);
      case scope::kAttributes:
        return PushAttributes(value, 1);
      default:
        return walker_.Uint32(value, &scope->dropped_attributes);
    }
  });
  return read && (MergeAttributes(mark, &scratch_, arena_, &budget_, &scope->attributes) ||
                  walker_.FailTooLarge(json));
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
  if (depth > wire::kValueDepthMax)
    return checker_.TooDeep() || walker_.FailAt(json, "values nested too deep");
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
      case any_value::kInt: {
        int64_t integer = 0;
        if (!walker_.Int64(content, &integer)) return false;
        *value = Value::Int(integer);
        return true;
      }
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

Status DecodeTracesJson(SpanBatch* batch, DecodeBudget budget, int64_t offset_base) {
  OtlpJsonDecoder decoder(batch, budget);
  decoder.set_offset_base(offset_base);
  if (!decoder.ReadTraces()) return Fail(decoder.fault());
  return {};
}

Status DecodeLogsJson(SpanBatch* batch, DecodeBudget budget, int64_t offset_base) {
  OtlpJsonDecoder decoder(batch, budget);
  decoder.set_offset_base(offset_base);
  if (!decoder.ReadLogs()) return Fail(decoder.fault());
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
      return number != wanted || walker.Array(list, inner);
    };
  };
  auto metric = each(metric::kFields, [&](uint32_t, Json kind) {
    return walker.Object(kind, metric_kind::kFields, count_points);
  });
  auto scope = each(kMetricSignal.scope_items, in_list(scope_items::kItems, metric));
  auto resource = each(kMetricSignal.resource_items, in_list(resource_items::kScopes, scope));
  auto request = each(kMetricSignal.request, in_list(request::kResources, resource));
  if (!walker.Document(request)) return Fail(walker.fault());
  return points;
}

}  // namespace weft::codec
