// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_proto_decode.h"

namespace weft::codec {
namespace {

using wire::LengthTag;
using wire::ProtoError;
using wire::VarintTag;

uint32_t Low32(const wire::ProtoReader& in) { return static_cast<uint32_t>(in.value()); }

}  // namespace

// ---- faults

Error OtlpProtoDecoder::fault() const {
  std::string message = error_path_;
  if (!message.empty()) message += ": ";
  message += "byte " + std::to_string(error_position_ - message_.data()) + ": ";
  message += wire::ProtoErrorText(error_);
  return {error_ == ProtoError::kTooLarge ? ErrorCode::kTooLarge : ErrorCode::kInvalidArgument,
          std::move(message)};
}

bool OtlpProtoDecoder::FailAt(const char* position, ProtoError error) {
  error_ = error;
  error_position_ = position;
  return false;
}

bool OtlpProtoDecoder::Within(std::string_view name, int64_t index) {
  std::string path(name);
  if (index >= 0) path += "[" + std::to_string(index) + "]";
  if (!error_path_.empty()) path += "." + error_path_;
  error_path_ = std::move(path);
  return false;
}

bool OtlpProtoDecoder::Finish(const Reader& in, OtlpFields fields) {
  if (in.error() == ProtoError::kNone) [[likely]]
    return true;
  FailAt(in.position(), in.error());
  std::string_view name = OtlpFieldName(fields, in.number());
  return name.empty() ? false : Within(name);
}

bool OtlpProtoDecoder::Unhandled(const Reader& in, OtlpFields fields) {
  std::string_view name = OtlpFieldName(fields, in.number());
  if (name.empty()) return true;
  FailAt(in.position(), ProtoError::kUnexpectedType);
  return Within(name);
}

// ---- resource and scope

bool OtlpProtoDecoder::ReadResource(std::string_view bytes, Resource* resource) {
  size_t mark = scratch_.attributes.mark();
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(resource::kAttributes):
        if (!PushAttribute(in.bytes(), 1)) {
          return Within("attributes", static_cast<int64_t>(scratch_.attributes.mark() - mark));
        }
        break;
      case VarintTag(resource::kDropped):
        resource->dropped_attributes = Low32(in);
        break;
      case LengthTag(resource::kEntityRefs):
        if (!AddEntityRef(in, resource)) return Within("entity_refs");
        break;
      default:
        if (!Unhandled(in, resource::kFields)) return false;
    }
  }
  return Finish(in, resource::kFields) && TakeAttributes(mark, in, &resource->attributes);
}

// Entity references stay encoded. One run of them is a view; pieces that lie apart are joined.
bool OtlpProtoDecoder::AddEntityRef(const Reader& in, Resource* resource) {
  Reader inner(in.bytes());
  while (inner.Next()) {
    bool known = inner.tag() == LengthTag(entity_ref::kSchemaUrl) ||
                 inner.tag() == LengthTag(entity_ref::kType) ||
                 inner.tag() == LengthTag(entity_ref::kIdKeys) ||
                 inner.tag() == LengthTag(entity_ref::kDescriptionKeys);
    if (!known && !Unhandled(inner, entity_ref::kFields)) return false;
  }
  if (!Finish(inner, entity_ref::kFields)) return false;
  std::string_view before = resource->entity_refs, piece = in.field();
  if (before.empty()) {
    resource->entity_refs = piece;
  } else if (before.data() + before.size() == piece.data()) {
    resource->entity_refs = {before.data(), before.size() + piece.size()};
  } else {
    size_t total = before.size() + piece.size();
    if (!budget_.Charge(total)) return FailAt(in.position(), ProtoError::kTooLarge);
    std::string joined(before);
    joined += piece;
    resource->entity_refs = arena_->Copy(joined);
  }
  return true;
}

bool OtlpProtoDecoder::ReadScope(std::string_view bytes, Scope* scope) {
  size_t mark = scratch_.attributes.mark();
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(scope::kName):
        scope->name = in.bytes();
        break;
      case LengthTag(scope::kVersion):
        scope->version = in.bytes();
        break;
      case LengthTag(scope::kAttributes):
        if (!PushAttribute(in.bytes(), 1)) {
          return Within("attributes", static_cast<int64_t>(scratch_.attributes.mark() - mark));
        }
        break;
      case VarintTag(scope::kDropped):
        scope->dropped_attributes = Low32(in);
        break;
      default:
        if (!Unhandled(in, scope::kFields)) return false;
    }
  }
  return Finish(in, scope::kFields) && TakeAttributes(mark, in, &scope->attributes);
}

// ---- the levels around the items

bool OtlpProtoDecoder::ReadTraces(SpanBatch* batch) {
  // A guess that is right within a factor of two for real spans; vectors double from there.
  batch->spans.reserve(message_.size() / 512 + 1);
  return Request(kTraceSignal, &OtlpProtoDecoder::SpanItem, batch);
}

bool OtlpProtoDecoder::ReadLogs(SpanBatch* batch) {
  return Request(kLogSignal, &OtlpProtoDecoder::LogItem, batch);
}

bool OtlpProtoDecoder::Request(const OtlpSignal& signal, ReadItem item, SpanBatch* batch) {
  Reader in(message_);
  while (in.Next()) {
    if (in.tag() != LengthTag(request::kResources)) {
      if (!Unhandled(in, signal.request)) return false;
      continue;
    }
    if (!ResourceItems(signal, item, in.bytes(), batch)) {
      return Within(signal.request[0].name, static_cast<int64_t>(at_.resource));
    }
    ++at_.resource;
  }
  return Finish(in, signal.request);
}

// The resource may come behind its scopes: its place in the batch is taken first, and filled at the
// end or given back when no item refers to it.
bool OtlpProtoDecoder::ResourceItems(const OtlpSignal& signal, ReadItem item,
                                     std::string_view bytes, SpanBatch* batch) {
  if (!budget_.Charge(sizeof(Resource))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  const size_t items_before = batch->spans.size() + batch->logs.size();
  resource_ = static_cast<uint32_t>(batch->resources.size());
  batch->resources.emplace_back();
  Resource resource;
  at_.scope = 0;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(resource_items::kResource):
        if (!ReadResource(in.bytes(), &resource)) return Within("resource");
        break;
      case LengthTag(resource_items::kSchemaUrl):
        resource.schema_url = in.bytes();
        break;
      case LengthTag(resource_items::kScopes):
        if (!ScopeItems(signal, item, in.bytes(), batch)) {
          return Within(OtlpFieldName(signal.resource_items, in.number()),
                        static_cast<int64_t>(at_.scope));
        }
        ++at_.scope;
        break;
      default:
        if (!Unhandled(in, signal.resource_items)) return false;
    }
  }
  if (!Finish(in, signal.resource_items)) return false;
  if (batch->spans.size() + batch->logs.size() == items_before) {
    batch->resources.pop_back();
  } else {
    batch->resources[resource_] = resource;
  }
  return true;
}

bool OtlpProtoDecoder::ScopeItems(const OtlpSignal& signal, ReadItem item, std::string_view bytes,
                                  SpanBatch* batch) {
  if (!budget_.Charge(sizeof(Scope))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  const size_t items_before = batch->spans.size() + batch->logs.size();
  scope_ = static_cast<uint32_t>(batch->scopes.size());
  batch->scopes.emplace_back();
  Scope scope;
  at_.item = 0;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(scope_items::kItems):
        if (!(this->*item)(in.bytes(), batch)) {
          return Within(OtlpFieldName(signal.scope_items, in.number()),
                        static_cast<int64_t>(at_.item));
        }
        ++at_.item;
        break;
      case LengthTag(scope_items::kScope):
        if (!ReadScope(in.bytes(), &scope)) return Within("scope");
        break;
      case LengthTag(scope_items::kSchemaUrl):
        scope.schema_url = in.bytes();
        break;
      default:
        if (!Unhandled(in, signal.scope_items)) return false;
    }
  }
  if (!Finish(in, signal.scope_items)) return false;
  if (batch->spans.size() + batch->logs.size() == items_before) {
    batch->scopes.pop_back();
  } else {
    batch->scopes[scope_] = scope;
  }
  return true;
}

}  // namespace weft::codec
