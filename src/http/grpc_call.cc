// SPDX-License-Identifier: Apache-2.0
#include "http/grpc_call.h"

#include <algorithm>

#include "wire_core/base64.h"

namespace weft::http {
namespace {

// First step for a message whose declared size nobody has vouched for.
constexpr size_t kMessageFirstStep = 256 * 1024;
// From here on a message is cheaper sent behind its prefix than moved to make room for it.
constexpr size_t kSplitPrefixBytes = 64 * 1024;

void AppendVarint(std::string* out, uint64_t value) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void AppendBytesField(std::string* out, uint32_t field, std::string_view bytes) {
  AppendVarint(out, field << 3 | 2);
  AppendVarint(out, bytes.size());
  out->append(bytes);
}

void AppendVarintField(std::string* out, uint32_t field, uint64_t value) {
  AppendVarint(out, field << 3);
  AppendVarint(out, value);
}

// google.rpc.Status{code = 1, message = 2, details = 3: Any{type_url = 1, value = 2}} with one
// google.rpc.RetryInfo{retry_delay = 1: Duration{seconds = 1}}.
std::string StatusWithRetryInfo(const GrpcStatus& status) {
  std::string duration;
  AppendVarintField(&duration, 1, status.retry_after_s);
  std::string retry_info;
  AppendBytesField(&retry_info, 1, duration);
  std::string any;
  AppendBytesField(&any, 1, "type.googleapis.com/google.rpc.RetryInfo");
  AppendBytesField(&any, 2, retry_info);
  std::string out;
  AppendVarintField(&out, 1, static_cast<uint32_t>(status.code));
  AppendBytesField(&out, 2, status.message);
  AppendBytesField(&out, 3, any);
  return out;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    if (u >= 0x20 && u <= 0x7e && u != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[u >> 4]);
      out.push_back(kHex[u & 15]);
    }
  }
  return out;
}

GrpcStatus Failed(GrpcCode code, std::string message) { return {code, std::move(message), 0}; }

}  // namespace

bool IsGrpcContentType(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (!content_type.starts_with(kGrpc)) return false;
  std::string_view rest = content_type.substr(kGrpc.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

std::optional<int64_t> ParseGrpcTimeoutMs(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  int64_t value = 0;
  for (char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  switch (text.back()) {
    case 'H':
      return value * 3'600'000;
    case 'M':
      return value * 60'000;
    case 'S':
      return value * 1000;
    case 'm':
      return value;
    case 'u':
      return (value + 999) / 1000;
    case 'n':
      return (value + 999'999) / 1'000'000;
    default:
      return std::nullopt;
  }
}

Headers GrpcTrailers(const GrpcStatus& status) {
  Headers out;
  out.emplace_back("grpc-status", std::to_string(static_cast<uint32_t>(status.code)));
  if (!status.message.empty()) out.emplace_back("grpc-message", PercentEncode(status.message));
  if (status.retry_after_s > 0) {
    std::string details;
    AppendBase64(StatusWithRetryInfo(status), &details);
    while (details.ends_with('=')) details.pop_back();  // gRPC sends binary metadata unpadded
    out.emplace_back("grpc-status-details-bin", std::move(details));
  }
  return out;
}

GrpcCode ToGrpcCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return GrpcCode::kInvalidArgument;
    case ErrorCode::kNotFound:
      return GrpcCode::kNotFound;
    case ErrorCode::kAlreadyExists:
      return GrpcCode::kAlreadyExists;
    case ErrorCode::kPermissionDenied:
      return GrpcCode::kPermissionDenied;
    case ErrorCode::kUnauthenticated:
      return GrpcCode::kUnauthenticated;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kTooLarge:
      return GrpcCode::kResourceExhausted;
    case ErrorCode::kUnavailable:
    case ErrorCode::kNoSpace:
      return GrpcCode::kUnavailable;
    case ErrorCode::kUnimplemented:
      return GrpcCode::kUnimplemented;
    case ErrorCode::kDeadlineExceeded:
      return GrpcCode::kDeadlineExceeded;
    case ErrorCode::kCancelled:
      return GrpcCode::kCancelled;
    case ErrorCode::kCorruption:
      return GrpcCode::kDataLoss;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return GrpcCode::kInternal;
  }
  return GrpcCode::kUnknown;
}

int ToHttpStatus(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
      return 409;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kResourceExhausted:
      return 429;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kUnavailable:
    case ErrorCode::kNoSpace:
      return 503;
    case ErrorCode::kUnimplemented:
      return 501;
    case ErrorCode::kDeadlineExceeded:
      return 504;
    case ErrorCode::kCancelled:
      return 499;
    case ErrorCode::kCorruption:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

ErrorCode FromHttpStatus(int status, ErrorCode otherwise) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 408:
      return ErrorCode::kDeadlineExceeded;
    case 413:
      return ErrorCode::kTooLarge;
    case 429:
      return ErrorCode::kResourceExhausted;
    case 503:
      return ErrorCode::kUnavailable;
    default:
      return otherwise;
  }
}

GrpcStatus GrpcMessageReader::OnData(std::string_view bytes) {
  received_ += bytes.size();
  if (prefix_filled_ < kGrpcPrefixBytes) {
    size_t step = std::min(kGrpcPrefixBytes - prefix_filled_, bytes.size());
    std::copy_n(bytes.data(), step, prefix_ + prefix_filled_);
    prefix_filled_ += step;
    bytes.remove_prefix(step);
    if (prefix_filled_ < kGrpcPrefixBytes) return {};
    if (GrpcStatus status = OnPrefix(); status.code != GrpcCode::kOk) return status;
  }
  if (bytes.size() > declared_ - message_.size()) {
    return Failed(GrpcCode::kInternal, "more than one message, or bytes behind the message of " +
                                           std::to_string(declared_) +
                                           " bytes, in a request that takes one");
  }
  if (options_->grow && !bytes.empty()) {
    GrpcStatus status = options_->grow(*head_, message_.size() + bytes.size(), token_.get());
    if (status.code != GrpcCode::kOk) return status;
  }
  message_.append(bytes);
  return {};
}

GrpcStatus GrpcMessageReader::OnPrefix() {
  declared_ = static_cast<uint64_t>(prefix_[1]) << 24 | static_cast<uint64_t>(prefix_[2]) << 16 |
              static_cast<uint64_t>(prefix_[3]) << 8 | prefix_[4];
  if (prefix_[0] > 1) {
    return Failed(GrpcCode::kInternal, "the first byte of a message must be 0 or 1");
  }
  compressed_ = prefix_[0] == 1;
  if (declared_ > options_->message_bytes_max) {
    return Failed(GrpcCode::kResourceExhausted, "message of " + std::to_string(declared_) +
                                                    " bytes is over the limit of " +
                                                    std::to_string(options_->message_bytes_max));
  }
  if (options_->admit) {
    GrpcStatus status = options_->admit(*head_, declared_, &token_);
    if (status.code != GrpcCode::kOk) return status;
    message_.reserve(declared_);
  } else {
    message_.reserve(std::min<uint64_t>(declared_, kMessageFirstStep));
  }
  return {};
}

GrpcStatus GrpcMessageReader::Finish(GrpcRequest* request) {
  if (received_ == 0) return Failed(GrpcCode::kInternal, "the request holds no message");
  if (prefix_filled_ < kGrpcPrefixBytes || message_.size() < declared_) {
    return Failed(GrpcCode::kInternal, "the request ends inside its message, after " +
                                           std::to_string(received_) + " bytes");
  }
  request->wire_bytes = declared_;
  if (compressed_) return Decompress(request);
  request->message = std::move(message_);
  return {};
}

GrpcStatus GrpcMessageReader::Decompress(GrpcRequest* request) {
  std::string_view encoding = FindHeader(head_->headers, "grpc-encoding");
  if (encoding.empty() || encoding == "identity") {
    return Failed(GrpcCode::kInternal, "a compressed message without grpc-encoding");
  }
  if (!options_->decompress) {
    return Failed(GrpcCode::kUnimplemented,
                  "grpc-encoding \"" + std::string(encoding) + "\" is not supported here");
  }
  Result<std::string> plain =
      options_->decompress(encoding, message_, options_->message_bytes_max, token_.get());
  if (!plain) {
    return {ToGrpcCode(plain.error().code), std::move(plain.error().message),
            plain.error().retry_after_s};
  }
  std::string().swap(message_);
  request->message = std::move(*plain);
  return {};
}

GrpcCallDoor::~GrpcCallDoor() {
  if (!finished_) Finish(Failed(GrpcCode::kInternal, "the call was dropped without a status"));
}

WriteState GrpcCallDoor::Send(std::string message) {
  if (finished_) return WriteState::kClosed;
  if (!started_) {
    started_ = true;
    AnswerPart head{AnswerPart::Kind::kStart, {}};
    head.response.content_type = "application/grpc";
    state_->Submit(std::move(head));
  }
  auto size = static_cast<uint32_t>(message.size());
  const char prefix[kGrpcPrefixBytes] = {0, static_cast<char>(size >> 24),
                                         static_cast<char>(size >> 16),
                                         static_cast<char>(size >> 8), static_cast<char>(size)};
  AnswerPart part{AnswerPart::Kind::kData, {}};
  if (message.size() < kSplitPrefixBytes) {
    message.insert(0, prefix, kGrpcPrefixBytes);
  } else {
    AnswerPart front{AnswerPart::Kind::kData, {}};
    front.response.body.assign(prefix, kGrpcPrefixBytes);
    state_->Submit(std::move(front));
  }
  part.response.body = std::move(message);
  return state_->Submit(std::move(part));
}

void GrpcCallDoor::Finish(GrpcStatus status) {
  if (finished_) return;
  finished_ = true;
  AnswerPart part{AnswerPart::Kind::kEnd, {}};
  part.response.headers = GrpcTrailers(status);
  state_->Submit(std::move(part));
}

}  // namespace weft::http
