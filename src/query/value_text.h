// SPDX-License-Identifier: Apache-2.0
//
// An attribute value as text for people: strings as they are, arrays and maps in JSON's manner,
// bytes as hex.
//
// Thread rule: pure function.
#pragma once

#include <string>

#include "model/value.h"

namespace weft::query {

std::string ValueText(const Value& value);

}  // namespace weft::query
