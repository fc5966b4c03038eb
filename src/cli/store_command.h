// SPDX-License-Identifier: Apache-2.0
//
// `weft store`: what is to be done about a data directory itself: check all of its blocks, give a
// damaged one up.
//
// Thread rule: one thread, from the command line. Next: store/store.h, docs/operations.md.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

void AddStoreCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli
