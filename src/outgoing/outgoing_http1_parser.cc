// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_http1_parser.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "http/answer_head.h"
#include "http/http_text.h"
#include "wire_core/printable.h"

namespace weft::outgoing {

using http::TrimmedField;

namespace {

// More fields than this in one head are no answer but a way to make us work.
constexpr size_t kFieldsMax = 1000;
constexpr std::string_view kStart = "HTTP/1.";
constexpr std::string_view kNoAnswer = "it does not begin as an answer in HTTP/1 does";

// True where `list`, "a, b", has `word`.
bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    if (http::EqualsIgnoringCase(TrimmedField(list.substr(0, comma)), word)) return true;
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  }
  return false;
}

bool AnyHasWord(const http::Headers& headers, std::string_view name, std::string_view word) {
  return std::ranges::any_of(headers, [&](const auto& header) {
    return header.first == name && HasWord(header.second, word);
  });
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

OutgoingHttp1Parser::Step OutgoingHttp1Parser::Fail(std::string why) {
  state_ = State::kFailed;
  error_ = std::move(why);
  return Step::kError;
}

OutgoingHttp1Parser::Step OutgoingHttp1Parser::Next(std::string_view* in) {
  if (state_ == State::kFailed) return Step::kError;
  if (state_ == State::kLength && left_ == 0) state_ = State::kDone;
  if (state_ == State::kDone) return Step::kEnd;
  while (!in->empty()) {
    begun_ = true;
    if (state_ == State::kLength || state_ == State::kUntilEof || state_ == State::kChunk) {
      uint64_t step =
          state_ == State::kUntilEof ? in->size() : std::min<uint64_t>(left_, in->size());
      body_ = in->substr(0, step);
      in->remove_prefix(step);
      left_ -= state_ == State::kUntilEof ? 0 : step;
      if (state_ == State::kChunk && left_ == 0) state_ = State::kChunkEnd;
      return Step::kBody;
    }
    size_t lf = in->find('\n');
    size_t step = lf == in->npos ? in->size() : lf + 1;
    std::string_view piece = in->substr(0, step);
    in->remove_prefix(step);
    // No line end may ever come from a peer that speaks something else.
    if (state_ == State::kStatusLine && !BeginsAsAnswer(piece)) return Fail(std::string(kNoAnswer));
    frame_bytes_ += step;
    if (frame_bytes_ > header_bytes_max_)
      return Fail("a head of more than " + std::to_string(header_bytes_max_) + " bytes");
    if (lf == piece.npos || !line_.empty()) line_.append(piece);
    if (lf == piece.npos) continue;
    std::string whole = std::exchange(line_, {});
    std::string_view line = whole.empty() ? piece : std::string_view(whole);
    line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    Step result = OnLine(line);
    if (result != Step::kMore) return result;
  }
  return Step::kMore;
}

bool OutgoingHttp1Parser::BeginsAsAnswer(std::string_view piece) const {
  std::string start = line_.substr(0, kStart.size());
  start.append(piece.substr(0, kStart.size() - start.size()));
  return kStart.starts_with(start);
}

OutgoingHttp1Parser::Step OutgoingHttp1Parser::OnLine(std::string_view line) {
  switch (state_) {
    case State::kStatusLine:
      return OnStatusLine(line);
    case State::kHeader:
      return line.empty() ? OnHeadEnd() : OnField(line, &head_.headers);
    case State::kChunkSize:
      return OnChunkSize(line);
    case State::kChunkEnd:
      if (!line.empty()) return Fail("a chunk is longer than its size says");
      frame_bytes_ = 0;
      state_ = State::kChunkSize;
      return Step::kMore;
    case State::kTrailer:
      if (!line.empty()) return OnField(line, &trailers_);
      state_ = State::kDone;
      return Step::kEnd;
    default:
      return Fail("bytes behind the end");
  }
}

// "HTTP/1.1 200 OK", the reason may be missing.
OutgoingHttp1Parser::Step OutgoingHttp1Parser::OnStatusLine(std::string_view line) {
  auto is_digit = [&](size_t at) { return line.size() > at && line[at] >= '0' && line[at] <= '9'; };
  bool good = line.starts_with(kStart) && is_digit(7) && line.size() >= 12 && line[8] == ' ' &&
              is_digit(9) && is_digit(10) && is_digit(11) && (line.size() == 12 || line[12] == ' ');
  if (!good) return Fail(std::string(kNoAnswer));
  minor_version_ = line[7] - '0';
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head_.status < 100) return Fail("status " + std::to_string(head_.status));
  state_ = State::kHeader;
  return Step::kMore;
}

OutgoingHttp1Parser::Step OutgoingHttp1Parser::OnField(std::string_view line, http::Headers* to) {
  if (line.front() == ' ' || line.front() == '\t') {
    // A folded value of old (RFC 9112 5.2).
    if (to->empty()) return Fail("the first header is folded");
    std::string_view more = TrimmedField(line);
    if (!std::ranges::all_of(more, http::IsHeaderValueByte))
      return Fail("a header has control characters");
    to->back().second.append(" ").append(more);
    return Step::kMore;
  }
  size_t colon = line.find(':');
  std::string_view name = line.substr(0, colon);
  if (colon == line.npos || !http::IsToken(name))
    return Fail("no header: " + EscapeUnprintable(line.substr(0, 40)));
  std::string_view value = TrimmedField(line.substr(colon + 1));
  if (!std::ranges::all_of(value, http::IsHeaderValueByte))
    return Fail("header " + std::string(name) + " has control characters");
  if (to->size() >= kFieldsMax) return Fail("more than " + std::to_string(kFieldsMax) + " headers");
  to->emplace_back(http::LowerCase(name), value);
  return Step::kMore;
}

OutgoingHttp1Parser::Step OutgoingHttp1Parser::OnHeadEnd() {
  if (head_.status == 101) return Fail("101 Switching Protocols, which nobody asked for");
  if (head_.status < 200) {
    // frame_bytes_ goes on: an endless row of them is an endless head.
    head_ = {};
    state_ = State::kStatusLine;
    return Step::kMore;
  }
  frame_bytes_ = 0;
  head_.keep_alive = minor_version_ >= 1 ? !AnyHasWord(head_.headers, "connection", "close")
                                         : AnyHasWord(head_.headers, "connection", "keep-alive");
  return ChooseBody();
}

// RFC 9112 6.3.
OutgoingHttp1Parser::Step OutgoingHttp1Parser::ChooseBody() {
  int codings = 0;
  bool chunked = false;
  for (const auto& [name, value] : head_.headers) {
    if (name != "transfer-encoding") continue;
    ++codings;
    chunked = http::EqualsIgnoringCase(value, "chunked");
  }
  int64_t length = -1;
  if (!ReadContentLength(&length)) return Fail("Content-Length is not one number");
  if (codings > 0 && (codings > 1 || !chunked)) return Fail("an unknown Transfer-Encoding");
  if (chunked && length >= 0) return Fail("both Content-Length and Transfer-Encoding");
  left_ = 0;
  state_ = State::kLength;
  if (no_body_ || head_.status == 204 || head_.status == 304) return Step::kHead;
  if (chunked) {
    state_ = State::kChunkSize;
  } else if (length >= 0) {
    left_ = static_cast<uint64_t>(length);
  } else {
    state_ = State::kUntilEof;
    head_.keep_alive = false;
  }
  return Step::kHead;
}

bool OutgoingHttp1Parser::ReadContentLength(int64_t* length) const {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max() / 16;
  for (const auto& [name, value] : head_.headers) {
    if (name != "content-length") continue;
    int64_t number = 0;
    for (char c : value) {
      if (c < '0' || c > '9' || number > kMax) return false;
      number = number * 10 + (c - '0');
    }
    if (value.empty() || (*length >= 0 && *length != number)) return false;
    *length = number;
  }
  return true;
}

OutgoingHttp1Parser::Step OutgoingHttp1Parser::OnChunkSize(std::string_view line) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max() / 32;
  std::string_view digits = TrimmedField(line.substr(0, line.find(';')));
  left_ = 0;
  for (char c : digits) {
    int value = HexValue(c);
    if (value < 0 || left_ > kMax)
      return Fail("no size of a chunk: " + EscapeUnprintable(line.substr(0, 40)));
    left_ = left_ * 16 + static_cast<uint64_t>(value);
  }
  if (digits.empty()) return Fail("a chunk without its size");
  if (left_ == 0) frame_bytes_ = 0;
  state_ = left_ == 0 ? State::kTrailer : State::kChunk;
  return Step::kMore;
}

OutgoingHttp1Parser::Step OutgoingHttp1Parser::OnEof() {
  if (state_ == State::kUntilEof || state_ == State::kDone) {
    state_ = State::kDone;
    return Step::kEnd;
  }
  if (state_ == State::kFailed) return Step::kError;
  return Fail("the connection was closed in the middle of the answer");
}

}  // namespace weft::outgoing
