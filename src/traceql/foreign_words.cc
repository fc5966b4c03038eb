// SPDX-License-Identifier: Apache-2.0
#include "traceql/foreign_words.h"

#include <fmt/format.h>

#include <cctype>

namespace weft::traceql {
namespace {

struct Translation {
  std::string_view word;  // lower case; of a field also without _ and .
  std::string_view meaning;
};

constexpr std::string_view kDurationExample = "duration, as in duration > 100ms";
constexpr std::string_view kStatusExample = "status, as in status = error";
constexpr std::string_view kErrorExample = "status = error";
constexpr std::string_view kRegexExample = "=~ with a regular expression: {0} =~ \"GET .*\"";

// Fields by their names in other systems and in OTLP.
constexpr Translation kFields[] = {
    {"traceid", "trace:id"},
    {"spanid", "span:id"},
    {"parentid", "span:parentID"},
    {"parentspan", "span:parentID"},
    {"parentspanid", "span:parentID"},
    {"service", "resource.service.name"},
    {"servicename", "resource.service.name"},
    {"localservicename", "resource.service.name"},
    {"application", "resource.service.name"},
    {"rootservice", "rootServiceName, or trace:rootService"},
    {"tracerootservice", "rootServiceName, or trace:rootService"},
    {"rootspan", "rootName, or trace:rootName"},
    {"rootspanname", "rootName, or trace:rootName"},
    {"rootoperation", "rootName, or trace:rootName"},
    {"rootoperationname", "rootName, or trace:rootName"},
    {"roottracename", "rootName, or trace:rootName"},
    {"tracerootname", "rootName, or trace:rootName"},
    {"tracename", "rootName, or trace:rootName"},
    {"op", "name"},
    {"operation", "name"},
    {"operationname", "name"},
    {"spanname", "name"},
    {"statuscode", kStatusExample},
    {"spanstatus", kStatusExample},
    {"otelstatuscode", kStatusExample},
    {"statusmessage", "statusMessage"},
    {"statusdescription", "statusMessage"},
    {"otelstatusdescription", "statusMessage"},
    {"errormessage", "statusMessage"},
    {"errors", kErrorExample},
    {"failed", kErrorExample},
    {"haserror", kErrorExample},
    {"iserror", kErrorExample},
    {"spankind", "kind, as in kind = server"},
    {"latency", kDurationExample},
    {"elapsed", kDurationExample},
    {"spanduration", kDurationExample},
    {"minduration", kDurationExample},
    {"maxduration", kDurationExample},
    {"durationms", kDurationExample},
    {"durationns", kDurationExample},
    {"durationnano", kDurationExample},
    {"tracelatency", "traceDuration, as in traceDuration > 1s"},
    {"traceduration", "traceDuration, as in traceDuration > 1s"},
    {"childcount", "span:childCount"},
    {"eventname", "event:name"},
    {"scopename", "instrumentation:name"},
    {"otelscopename", "instrumentation:name"},
    {"scopeversion", "instrumentation:version"},
    {"otelscopeversion", "instrumentation:version"},
};

// Operators that other languages write as words; {0} is the field before it.
constexpr Translation kOperatorWords[] = {
    {"and", "&&"},
    {"or", "||"},
    {"not", "! before a condition, as in !({0} = 1), or != and !~"},
    {"is", "{0} = nil (absent) or {0} != nil (present)"},
    {"exists", "{0} != nil"},
    {"in", "{0} = \"a\" || {0} = \"b\", or {0} =~ \"a|b\""},
    {"between", "{0} >= 1 && {0} <= 2"},
    {"like", kRegexExample},
    {"ilike", "=~ with a regular expression: {0} =~ \"(?i)get .*\""},
    {"rlike", kRegexExample},
    {"regex", kRegexExample},
    {"regexp", kRegexExample},
    {"match", kRegexExample},
    {"matches", kRegexExample},
    {"has", "{0} =~ \".*text.*\""},
    {"contains", "{0} =~ \".*text.*\""},
    {"includes", "{0} =~ \".*text.*\""},
    {"startswith", "{0} =~ \"text.*\""},
    {"endswith", "{0} =~ \".*text\""},
    {"eq", "="},
    {"equals", "="},
    {"ne", "!="},
    {"neq", "!="},
    {"lt", "<"},
    {"lte", "<="},
    {"gt", ">"},
    {"gte", ">="},
};

// Operators of other languages that fall into two of ours.
constexpr Translation kOperatorSigns[] = {
    {"==", "="}, {"!==", "!="}, {"<>", "!="}, {"=<", "<="}, {"=>", ">="}, {"~=", "=~"},
};

constexpr Translation kUnits[] = {
    {"ns", "ns"},
    {"nanosecond", "ns"},
    {"nanoseconds", "ns"},
    {"us", "us"},
    {"micros", "us"},
    {"microsecond", "us"},
    {"microseconds", "us"},
    {"ms", "ms"},
    {"msec", "ms"},
    {"millis", "ms"},
    {"millisecond", "ms"},
    {"milliseconds", "ms"},
    {"s", "s"},
    {"sec", "s"},
    {"secs", "s"},
    {"second", "s"},
    {"seconds", "s"},
    {"m", "m"},
    {"min", "m"},
    {"mins", "m"},
    {"minute", "m"},
    {"minutes", "m"},
    {"h", "h"},
    {"hr", "h"},
    {"hrs", "h"},
    {"hour", "h"},
    {"hours", "h"},
    {"d", "d"},
    {"day", "d"},
    {"days", "d"},
    {"w", "w"},
    {"week", "w"},
    {"weeks", "w"},
};
constexpr Translation kNothing[] = {
    {"null", "nil"}, {"none", "nil"}, {"undefined", "nil"}, {"empty", "nil"}};

template <size_t n>
std::string_view Translate(std::string_view word, const Translation (&table)[n]) {
  for (const Translation& entry : table)
    if (entry.word == word) return entry.meaning;
  return {};
}

}  // namespace

std::string LowerCase(std::string_view word) {
  std::string lower;
  for (char c : word) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string_view ForeignField(std::string_view name) {
  std::string plain = LowerCase(name);
  std::erase_if(plain, [](char c) { return c == '_' || c == '.'; });
  return Translate(plain, kFields);
}

std::string ForeignOperator(std::string_view word, std::string_view field) {
  return fmt::format(fmt::runtime(Translate(LowerCase(word), kOperatorWords)), field);
}

std::string_view ForeignSign(std::string_view sign) { return Translate(sign, kOperatorSigns); }

std::string_view ForeignUnit(std::string_view word) { return Translate(LowerCase(word), kUnits); }

std::string_view ForeignValue(std::string_view word) {
  return Translate(LowerCase(word), kNothing);
}

}  // namespace weft::traceql
