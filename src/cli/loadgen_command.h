// SPDX-License-Identifier: Apache-2.0
//
// `weft loadgen`: sends generated spans (load/load_shape.h) and says how many were acknowledged,
// how fast, and how long the answers took. Requests are made before the time is taken. It can write
// down every acknowledged trace, so that a test can ask for them after a crash.
//
// Thread rule: called once, by main.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

// Adds the subcommand; when it was chosen, *exit_code is set after it ran.
void AddLoadgenCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli
