// SPDX-License-Identifier: Apache-2.0
//
// `weft reload`: asks a running weft to read its configuration again, and says what that changed.
//
// Thread rule: called once, by main. Next: cli/server_access.h, docs/operations.md.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

void AddReloadCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli
