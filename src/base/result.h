// SPDX-License-Identifier: Apache-2.0
//
// Errors are values. A function that can fail for a reason outside the program (input, a peer, a
// disk) returns Result<T>: the value, or an Error that says what happened in a sentence a person
// can act on. Nothing in weft throws; where a library throws, the calling room catches at the call.
// Bugs are not errors: they crash through WEFT_CHECK (base/check.h).
//
// Thread rule: values, no shared state. Next: base/check.h, base/env.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

// Numbered for good: codes are appended, never renumbered (they appear in metrics and exit codes).
enum class ErrorCode : uint8_t {
  kInvalidArgument = 1,    // The input is wrong and will stay wrong: do not retry.
  kNotFound = 2,           //
  kAlreadyExists = 3,      //
  kPermissionDenied = 4,   //
  kUnauthenticated = 5,    //
  kResourceExhausted = 6,  // A limit was reached. Retryable only when retry_after_s is set.
  kTooLarge = 7,           // One message is over its size limit: never retryable.
  kUnavailable = 8,        // Overload, shutting down, read-only: retry later.
  kUnimplemented = 9,      // Known and named, but this build does not do it.
  kDeadlineExceeded = 10,  //
  kCancelled = 11,         //
  kCorruption = 12,        // Stored bytes fail their checksum or contradict each other.
  kIo = 13,                // The operating system reported an error.
  kNoSpace = 14,           // The disk is full or below its reserve.
  kInternal = 15,          //
};

// "invalid_argument", "not_found", ...: stable names for logs, metrics and JSON.
std::string_view ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  // Seconds after which the caller should try again; 0 where that makes no sense.
  uint32_t retry_after_s = 0;

  // The same error with context in front: "prefix: message".
  Error WithPrefix(std::string_view prefix) const;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};
using Status = Result<void>;

inline std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}
inline std::unexpected<Error> Fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace weft

#define WEFT_CONCAT_INNER(a, b) a##b
#define WEFT_CONCAT(a, b) WEFT_CONCAT_INNER(a, b)
// Returns the error of `expression` from the enclosing function, if there is one.
#define WEFT_TRY(expression)                                        \
  do {                                                              \
    if (auto weft_status = (expression); !weft_status) [[unlikely]] \
      return std::unexpected(std::move(weft_status).error());       \
  } while (false)
// WEFT_ASSIGN(auto file, env->OpenRead(path)): declares or assigns `target`, or returns the error.
#define WEFT_ASSIGN(target, expression) \
  WEFT_ASSIGN_INNER(WEFT_CONCAT(weft_result_, __LINE__), target, expression)
#define WEFT_ASSIGN_INNER(result, target, expression)  \
  auto result = (expression);                          \
  if (!result) [[unlikely]]                            \
    return std::unexpected(std::move(result).error()); \
  target = std::move(*result)
