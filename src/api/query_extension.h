// SPDX-License-Identifier: Apache-2.0
//
// extensions::query as a component: a QueryServer over the store that its settings name, on its two
// or three listeners.
//
// Thread rule: Start() and Stop() by one thread. Next: api/query_server.h, api/query_settings.h.
#pragma once

#include <memory>

#include "api/query_server.h"
#include "api/query_settings.h"
#include "pipeline/component_row.h"

namespace weft::api {

class QueryExtension : public pipeline::Component {
 public:
  QueryExtension(const config::ComponentId& id, QuerySettings settings, pipeline::Deps deps);

  Status Start() override;
  // Cuts queries short, so that draining the http::Server waits for ingest only.
  void Stop() override;

 private:
  Result<QueryServerOptions> Options() const;

  const config::ComponentId id_;
  const QuerySettings settings_;
  const pipeline::Deps deps_;
  std::unique_ptr<QueryServer> server_;
};

extern const pipeline::ComponentRow kQueryExtension;

}  // namespace weft::api
