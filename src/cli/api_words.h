// SPDX-License-Identifier: Apache-2.0
//
// The words that the native API has for kinds and types (docs/api.md), both ways: the commands
// print them, and read them in a server's answers.
//
// Thread rule: pure functions. Next: cli/server_source.cc.
#pragma once

#include <string>
#include <string_view>

#include "model/span_batch.h"
#include "query/tag_catalog.h"

namespace weft::cli {

// The kind that KindText() has this word for. An unknown word: kUnspecified.
SpanKind KindOf(std::string_view word);

// "string", "int", ...; "keyword" for a status or a kind.
std::string_view TypeWord(const query::TagValue& value);
// An unknown type: a string.
query::TagValue TagValueOf(std::string_view type, std::string text);

}  // namespace weft::cli
