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

std::string OtlpProtoDecoder::FaultAt(std::string_view place) const {
  return std::string(place) + (error_path_.empty() ? ": " : ".") + fault().message;
}

bool OtlpProtoDecoder::Reject(const Reading& to, int levels) {
  if (error_ == ProtoError::kTooLarge) return false;
  scratch_.Clear();
  to.messages.Reject(at_, levels, [&](const std::string& place) { return FaultAt(place); });
  error_path_.clear();
  return true;
}

bool OtlpProtoDecoder::LeaveOut(const Reading& to, int levels) {
  if (error_ == ProtoError::kTooLarge) return false;
  to.messages.Lose(at_, levels, to.target.left_out,
                   [&](const std::string& place) { return FaultAt(place); });
  error_path_.clear();
  return true;
}

// ---- resource and scope

bool OtlpProtoDecoder::SharedAttribute(const Reading& to, int levels, std::string_view bytes,
                                       size_t index, uint32_t* dropped) {
  if (PushAttribute(bytes, 1)) [[likely]]
    return true;
  ++*dropped;
  Within("attributes", static_cast<int64_t>(index));
  return Within(levels == 1 ? "resource" : "scope") || LeaveOut(to, levels);
}

bool OtlpProtoDecoder::ReadResource(const Reading& to, std::string_view bytes, Resource* resource) {
  size_t mark = scratch_.attributes.mark(), index = 0;
  uint32_t dropped_here = 0;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(resource::kAttributes):
        if (!SharedAttribute(to, 1, in.bytes(), index++, &dropped_here)) return false;
        break;
      case VarintTag(resource::kDropped):
        resource->dropped_attributes = Low32(in);
        break;
      case LengthTag(resource::kEntityRefs):
        if (!AddEntityRef(in, resource) && !Within("entity_refs") && !Within("resource") &&
            !LeaveOut(to, 1))
          return false;
        break;
      default:
        if (!Unhandled(in, resource::kFields) && !Within("resource") && !LeaveOut(to, 1))
          return false;
    }
  }
  if (!Finish(in, resource::kFields) && !Within("resource") && !LeaveOut(to, 1)) return false;
  resource->dropped_attributes += dropped_here;
  return TakeAttributes(mark, in, &resource->attributes);
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

bool OtlpProtoDecoder::ReadScope(const Reading& to, std::string_view bytes, Scope* scope) {
  size_t mark = scratch_.attributes.mark(), index = 0;
  uint32_t dropped_here = 0;
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
        if (!SharedAttribute(to, 2, in.bytes(), index++, &dropped_here)) return false;
        break;
      case VarintTag(scope::kDropped):
        scope->dropped_attributes = Low32(in);
        break;
      default:
        if (!Unhandled(in, scope::kFields) && !Within("scope") && !LeaveOut(to, 2)) return false;
    }
  }
  if (!Finish(in, scope::kFields) && !Within("scope") && !LeaveOut(to, 2)) return false;
  scope->dropped_attributes += dropped_here;
  return TakeAttributes(mark, in, &scope->attributes);
}

// ---- the levels around the items

bool OtlpProtoDecoder::OtherField(const Reading& to, int levels, const Reader& in,
                                  OtlpFields fields, UnknownFields* unknown) {
  if (OtlpFieldName(fields, in.number()).empty()) {
    unknown->Note("field " + std::to_string(in.number()), in.tag() == LengthTag(in.number()));
    return true;
  }
  if (levels == 0) return Unhandled(in, fields);
  const bool schema = in.number() == resource_items::kSchemaUrl;
  return Unhandled(in, fields) || (schema ? LeaveOut(to, levels) : Reject(to, levels));
}

bool OtlpProtoDecoder::Request(const OtlpSignal& signal, const OtlpTarget& target) {
  // A guess that is right within a factor of two for real spans; vectors double from there.
  if (signal.is_traces) target.spans->spans.reserve(message_.size() / 512 + 1);
  const Reading to(signal, target);
  UnknownFields unknown(true);
  Reader in(message_);
  while (in.Next()) {
    if (in.tag() != LengthTag(request::kResources)) {
      if (!OtherField(to, 0, in, signal.request, &unknown)) return false;
      continue;
    }
    if (!ResourceItems(to, in.bytes())) {
      return Within(signal.request[0].name, static_cast<int64_t>(at_.resource));
    }
    ++at_.resource;
  }
  if (!Finish(in, signal.request)) return false;
  EndLevel(to, 0, 0, unknown, signal.request);
  return true;
}

// The resource may come behind its scopes: its place in the batch is taken first, and filled at the
// end or given back when no item refers to it.
bool OtlpProtoDecoder::ResourceItems(const Reading& to, std::string_view bytes) {
  if (!budget_.Charge(sizeof(Resource))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  const size_t items_before = to.target.ItemCount(), seen_before = to.messages.SeenCount();
  resource_ = static_cast<uint32_t>(to.target.resources->size());
  to.target.resources->emplace_back();
  Resource resource;
  UnknownFields unknown(false);
  bool old_scopes = false;
  at_.scope = 0;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(resource_items::kResource):
        if (!ReadResource(to, in.bytes(), &resource)) return Within("resource");
        break;
      case LengthTag(resource_items::kSchemaUrl):
        resource.schema_url = in.bytes();
        break;
      case LengthTag(resource_items::kScopes):
        if (!ScopeItems(to, in.bytes())) {
          return Within(OtlpFieldName(to.signal.resource_items, in.number()),
                        static_cast<int64_t>(at_.scope));
        }
        ++at_.scope;
        break;
      case LengthTag(resource_items::kOldScopes):
        old_scopes = true;
        break;
      default:
        if (!OtherField(to, 1, in, to.signal.resource_items, &unknown)) return false;
    }
  }
  if (!Finish(in, to.signal.resource_items)) return false;
  if (old_scopes && at_.scope == 0 && !OldScopes(to, bytes)) return false;
  EndLevel(to, 1, seen_before, unknown, to.signal.resource_items);
  if (to.target.ItemCount() == items_before) {
    to.target.resources->pop_back();
  } else {
    (*to.target.resources)[resource_] = resource;
  }
  return true;
}

// REQUIRES: `bytes` were read to their end.
bool OtlpProtoDecoder::OldScopes(const Reading& to, std::string_view bytes) {
  Reader in(bytes);
  while (in.Next()) {
    if (in.tag() != LengthTag(resource_items::kOldScopes)) continue;
    if (!ScopeItems(to, in.bytes()))
      return Within(OtlpFieldName(to.signal.resource_items, in.number()),
                    static_cast<int64_t>(at_.scope));
    ++at_.scope;
  }
  return true;
}

bool OtlpProtoDecoder::ScopeItems(const Reading& to, std::string_view bytes) {
  if (!budget_.Charge(sizeof(Scope))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  const size_t items_before = to.target.ItemCount(), seen_before = to.messages.SeenCount();
  scope_ = static_cast<uint32_t>(to.target.scopes->size());
  to.target.scopes->emplace_back();
  Scope scope;
  UnknownFields unknown(false);
  at_.item = 0;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(scope_items::kItems):
        if (!Item(to, in.bytes())) {
          return Within(OtlpFieldName(to.signal.scope_items, in.number()),
                        static_cast<int64_t>(at_.item));
        }
        ++at_.item;
        break;
      case LengthTag(scope_items::kScope):
        if (!ReadScope(to, in.bytes(), &scope)) return Within("scope");
        break;
      case LengthTag(scope_items::kSchemaUrl):
        scope.schema_url = in.bytes();
        break;
      default:
        if (!OtherField(to, 2, in, to.signal.scope_items, &unknown)) return false;
    }
  }
  if (!Finish(in, to.signal.scope_items)) return false;
  EndLevel(to, 2, seen_before, unknown, to.signal.scope_items);
  if (to.target.ItemCount() == items_before) {
    to.target.scopes->pop_back();
  } else {
    (*to.target.scopes)[scope_] = scope;
  }
  return true;
}

}  // namespace weft::codec
