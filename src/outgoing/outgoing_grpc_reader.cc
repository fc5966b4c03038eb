// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_grpc_reader.h"

#include <algorithm>

#include "wire_core/base64.h"
#include "wire_core/printable.h"

namespace weft::outgoing {

using http::FindHeader;
using http::GrpcCode;
using http::Headers;
using http::kGrpcPrefixBytes;

namespace {

// Of a declared length, this much is believed before it has come.
constexpr uint64_t kReserveBytesMax = 64 * 1024;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// http-grpc-status-mapping.md.
GrpcCode OfHttpStatus(int status) {
  switch (status) {
    case 400:
      return GrpcCode::kInternal;
    case 401:
      return GrpcCode::kUnauthenticated;
    case 403:
      return GrpcCode::kPermissionDenied;
    case 404:
      return GrpcCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcCode::kUnavailable;
    default:
      return GrpcCode::kUnknown;
  }
}

// Codes of today, and any later one.
GrpcCode ParseCode(std::string_view text) {
  uint32_t code = 0;
  for (char c : text) {
    if (c < '0' || c > '9' || code > 1000) return GrpcCode::kUnknown;
    code = code * 10 + static_cast<uint32_t>(c - '0');
  }
  const auto last = static_cast<uint32_t>(GrpcCode::kUnauthenticated);
  return text.empty() || code > last ? GrpcCode::kUnknown : static_cast<GrpcCode>(code);
}

}  // namespace

std::string DecodeGrpcMessage(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    int high = i + 2 < text.size() && text[i] == '%' ? HexValue(text[i + 1]) : -1;
    int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low >= 0) {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

void OutgoingGrpcReader::OnHead(int status, Headers headers) {
  end_.http_status = status;
  end_.headers = std::move(headers);
  is_grpc_ = status == 200 && http::IsGrpcContentType(FindHeader(end_.headers, "content-type"));
}

OutgoingGrpcReader::Step OutgoingGrpcReader::Break(std::string why) {
  why_ = std::move(why);
  return Step::kBroken;
}

OutgoingGrpcReader::Step OutgoingGrpcReader::Next(std::string_view* in) {
  if (!why_.empty()) return Step::kBroken;
  // The page that a proxy sends with its 502.
  if (!is_grpc_) *in = {};
  while (!in->empty()) {
    if (prefix_filled_ < kGrpcPrefixBytes) {
      if (prefix_filled_ == 0) message_.clear();
      size_t step = std::min(kGrpcPrefixBytes - prefix_filled_, in->size());
      std::copy_n(in->data(), step, prefix_ + prefix_filled_);
      prefix_filled_ += step;
      in->remove_prefix(step);
      if (prefix_filled_ < kGrpcPrefixBytes) return Step::kMore;
      if (OnPrefix() == Step::kBroken) return Step::kBroken;
    }
    size_t step = std::min<uint64_t>(declared_ - message_.size(), in->size());
    message_.append(in->substr(0, step));
    in->remove_prefix(step);
    if (message_.size() == declared_) return OnMessage();
  }
  return Step::kMore;
}

OutgoingGrpcReader::Step OutgoingGrpcReader::OnPrefix() {
  declared_ = static_cast<uint64_t>(prefix_[1]) << 24 | static_cast<uint64_t>(prefix_[2]) << 16 |
              static_cast<uint64_t>(prefix_[3]) << 8 | prefix_[4];
  if (prefix_[0] > 1) return Break("the first byte of a message is neither 0 nor 1");
  if (declared_ > message_bytes_max_) {
    too_large_ = true;
    return Break("a message of " + std::to_string(declared_) + " bytes is over the limit of " +
                 std::to_string(message_bytes_max_));
  }
  message_.reserve(std::min(declared_, kReserveBytesMax));
  return Step::kMore;
}

OutgoingGrpcReader::Step OutgoingGrpcReader::OnMessage() {
  prefix_filled_ = 0;
  if (prefix_[0] == 0) return Step::kMessage;
  std::string_view encoding = FindHeader(end_.headers, "grpc-encoding");
  if (encoding.empty() || encoding == "identity" || coding_ == nullptr || !coding_->decompress) {
    return Break("a compressed message in grpc-encoding \"" + EscapeUnprintable(encoding) +
                 "\", which was not asked for");
  }
  Result<std::string> plain = coding_->decompress(encoding, message_, message_bytes_max_);
  if (!plain) {
    too_large_ = plain.error().code == ErrorCode::kTooLarge;
    return Break("a message that cannot be decompressed: " + plain.error().message);
  }
  message_ = std::move(*plain);
  return Step::kMessage;
}

OutgoingGrpcEnd OutgoingGrpcReader::TakeEnd(Headers trailers) {
  end_.trailers = std::move(trailers);
  const bool in_head = FindHeader(end_.trailers, "grpc-status").empty();
  const Headers& where = in_head ? end_.headers : end_.trailers;
  std::string_view code = FindHeader(where, "grpc-status");
  if (!code.empty()) {
    end_.status = {ParseCode(code), DecodeGrpcMessage(FindHeader(where, "grpc-message")), 0};
    std::string_view details = FindHeader(where, "grpc-status-details-bin");
    end_.status_details = DecodeBase64(details).value_or("");
  } else if (end_.http_status != 200) {
    end_.status = {OfHttpStatus(end_.http_status),
                   "HTTP status " + std::to_string(end_.http_status) + " without a gRPC status", 0};
  } else {
    end_.status = {GrpcCode::kUnknown,
                   is_grpc_ ? "the answer has no gRPC status" : "the answer is not gRPC's", 0};
  }
  if (end_.status.code == GrpcCode::kOk && prefix_filled_ > 0)
    end_.status = {GrpcCode::kInternal, "the answer ends inside a message", 0};
  return std::move(end_);
}

}  // namespace weft::outgoing
