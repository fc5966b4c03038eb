// SPDX-License-Identifier: Apache-2.0
//
// `weft tags`: which attributes occur, as TraceQL writes them, and the values of one.
//
// Thread rule: called once, by main. Next: query/tag_catalog.h, cli/name_list.h.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

void AddTagsCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli
