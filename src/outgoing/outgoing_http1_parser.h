// SPDX-License-Identifier: Apache-2.0
//
// The grammar of HTTP/1 answers: bytes in, however they were cut; head, body and trailers out.
// Lengths are declared, chunked, or end with the connection; 1xx heads are skipped; answers to
// HEAD, 204 and 304 have no body. What is unclear about a body's end is an error: the next answer
// on the connection would begin somewhere else for us than for the peer. Lines may end in a bare
// LF.
//
// Heads, chunk frames and trailers are bounded; the body's bound is its taker's.
// Made by OutgoingHttp1, one per request. Thread rule: loop thread. Source: RFC 9112 sections 4
// to 7. Next: outgoing/outgoing_http1.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/http.h"

namespace weft::outgoing {

class OutgoingHttp1Parser {
 public:
  struct Head {
    int status = 0;
    http::Headers headers;  // names in lower case
    bool keep_alive = false;
  };
  enum class Step : uint8_t {
    kMore,   // `in` is used up
    kHead,   // head() is whole, and of no 1xx
    kBody,   // body() has bytes of the body; they lie in `in`
    kEnd,    // trailers() are whole; the next byte is another answer's
    kError,  // error() says why; nothing can follow
  };

  OutgoingHttp1Parser(bool is_answer_to_head, uint32_t header_bytes_max)
      : no_body_(is_answer_to_head), header_bytes_max_(header_bytes_max) {}

  // Takes from the front of `in` what one step needs. Called again with the rest, until kMore.
  Step Next(std::string_view* in);
  // The peer has closed: kEnd where that ends the body, else kError.
  Step OnEof();

  Head& head() { return head_; }
  std::string_view body() const { return body_; }
  http::Headers& trailers() { return trailers_; }
  const std::string& error() const { return error_; }
  // A byte has come.
  bool begun() const { return begun_; }
  // The end of the answer is that of the connection.
  bool until_eof() const { return state_ == State::kUntilEof; }

 private:
  enum class State : uint8_t {
    kStatusLine,
    kHeader,
    kLength,     // left_ bytes of the body
    kUntilEof,   //
    kChunkSize,  // the line with it
    kChunk,      // left_ bytes of it
    kChunkEnd,   // the empty line behind it
    kTrailer,
    kDone,
    kFailed,
  };

  // True where the line so far, with `piece` behind it, may become a status line.
  bool BeginsAsAnswer(std::string_view piece) const;
  Step OnLine(std::string_view line);
  Step OnStatusLine(std::string_view line);
  Step OnField(std::string_view line, http::Headers* to);
  Step OnHeadEnd();
  Step OnChunkSize(std::string_view line);
  Step ChooseBody();
  // False: Content-Length is no number, or several.
  bool ReadContentLength(int64_t* length) const;
  Step Fail(std::string why);

  const bool no_body_;
  const size_t header_bytes_max_;
  State state_ = State::kStatusLine;
  bool begun_ = false;
  size_t frame_bytes_ = 0;  // of the head, the chunk's frame or the trailers so far
  std::string line_;        // as far as it has come, where it was cut
  uint64_t left_ = 0;
  int minor_version_ = 1;
  Head head_;
  std::string_view body_;
  http::Headers trailers_;
  std::string error_;
};

}  // namespace weft::outgoing
