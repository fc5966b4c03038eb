// SPDX-License-Identifier: Apache-2.0
//
// `weft demo`: sends the traffic of the demo's shop (load/demo_shop.h) to a receiver over
// OTLP/HTTP, first a quarter of an hour of history, then as it happens, until it is stopped. When
// the receiver goes away it waits for it to come back and sends what queued.
//
// Thread rule: called once, by main.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

// Adds the subcommand; when it was chosen, *exit_code is set after it ran.
void AddDemoCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli
