// SPDX-License-Identifier: Apache-2.0
#include "outgoing/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace weft::outgoing {
namespace {

template <class Function>
bool Bind(void* library, const char* name, Function* out) {
  *out = reinterpret_cast<Function>(::dlsym(library, name));
  return *out != nullptr;
}

Result<const CurlLibrary*> Load() {
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return Fail(ErrorCode::kUnavailable, std::string("cannot load libcurl (package libcurl4): ") +
                                             (why != nullptr ? why : "unknown reason"));
  }
  static CurlLibrary curl;
  bool bound = Bind(library, "curl_global_init", &curl.global_init) &&
               Bind(library, "curl_version_info", &curl.version_info) &&
               Bind(library, "curl_easy_init", &curl.easy_init) &&
               Bind(library, "curl_easy_cleanup", &curl.easy_cleanup) &&
               Bind(library, "curl_easy_reset", &curl.easy_reset) &&
               Bind(library, "curl_easy_setopt", &curl.easy_setopt) &&
               Bind(library, "curl_easy_getinfo", &curl.easy_getinfo) &&
               Bind(library, "curl_easy_perform", &curl.easy_perform) &&
               Bind(library, "curl_easy_strerror", &curl.easy_strerror) &&
               Bind(library, "curl_slist_append", &curl.slist_append) &&
               Bind(library, "curl_slist_free_all", &curl.slist_free_all);
  if (!bound || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Fail(ErrorCode::kUnavailable, "libcurl.so.4 cannot be initialised");
  }
  unsigned version = curl.version_info(CURLVERSION_NOW)->version_num;
  curl.http2_reuse_broken = version >= 0x075700 && version < 0x080000;
  return &curl;
}

}  // namespace

Result<const CurlLibrary*> LoadCurl() {
  static const Result<const CurlLibrary*> curl = Load();
  return curl;
}

}  // namespace weft::outgoing
