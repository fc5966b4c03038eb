// SPDX-License-Identifier: Apache-2.0
//
// libcurl, loaded at first use. The struct holds the few functions that outgoing/client.cc calls.
//
// Thread rule: any thread. Source: curl/curl.h of libcurl 7.88. Next: outgoing/client.h.
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

#include "base/result.h"

namespace weft::outgoing {

struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_version_info) version_info = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  // curl issue 10634: libcurl 7.88 speaks HTTP/2 with prior knowledge once per connection; the next
  // request on it fails.
  bool http2_reuse_broken = false;
};

// Loads and initialises the library once; the same pointer or the same error ever after.
Result<const CurlLibrary*> LoadCurl();

}  // namespace weft::outgoing
