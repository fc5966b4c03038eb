// SPDX-License-Identifier: Apache-2.0
#include "traceql/hints.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/edit_distance.h"

namespace weft::traceql {
namespace {

struct KnownHint {
  std::string_view name;
  bool may_be_share;  // a number from 0 to 1 beside true and false
};
constexpr KnownHint kHints[] = {{"most_recent", false}, {"sample", true},
                                {"span_sample", true},  {"trace_sample", true},
                                {"exemplars", false},   {"extrapolate", false}};
// How Tempo's own engine is tuned and watched.
constexpr std::string_view kInner[] = {
    "job_size",       "time_overlap_cutoff",     "concurrent_blocks", "debug",
    "info",           "debug_return_in",         "debug_std_dev",     "debug_data_factor",
    "spanonly_fetch", "skip_ast_transformations"};

bool IsShare(const Expression& value) {
  const Literal& literal = value.literal;
  if (literal.type == Type::kInt) return literal.integer == 0 || literal.integer == 1;
  return literal.type == Type::kFloat && literal.real >= 0 && literal.real <= 1;
}

}  // namespace

HintVerdict CheckHint(std::string_view name, const Expression& value) {
  if (std::ranges::find(kInner, name) != std::end(kInner))
    return {fmt::format("the hint {} is one of Tempo's own engine, weft has nothing like it", name),
            "leave it out", false};
  const KnownHint* known = std::ranges::find(kHints, name, &KnownHint::name);
  if (known == std::end(kHints)) {
    const KnownHint* nearest = std::ranges::min_element(
        kHints, {}, [&](const KnownHint& hint) { return EditDistance(hint.name, name); });
    return {fmt::format("'{}' is not a hint", name), fmt::format("did you mean {}?", nearest->name),
            false};
  }
  bool is_literal = value.kind == Expression::Kind::kLiteral;
  if (is_literal && value.literal.type == Type::kBool) return {};
  if (is_literal && known->may_be_share && IsShare(value)) return {};
  // exemplars=N asks for so many.
  if (is_literal && name == "exemplars" && value.literal.type == Type::kInt) return {};
  return {fmt::format("the hint {} is true or false{}", name,
                      known->may_be_share   ? ", or a number from 0 to 1"
                      : name == "exemplars" ? ", or a number"
                                            : ""),
          "", true};
}

}  // namespace weft::traceql
