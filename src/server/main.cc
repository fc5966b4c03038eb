// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include "cli/cli.h"
#include "server/components.h"
#include "server/serve_command.h"

int main(int argc, char** argv) {
  // glibc gives each thread an arena of its own and keeps what it freed: a server of few threads
  // needs two.
  mallopt(M_ARENA_MAX, 2);
  static constexpr weft::cli::AddCommand kFirst[] = {weft::server::AddServeCommand};
  return weft::cli::RunCli(argc, argv, weft::server::Components().types(), kFirst, "serve");
}
