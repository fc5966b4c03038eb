// SPDX-License-Identifier: Apache-2.0
//
// Standard output, through a pager where a person reads it and it is longer than the screen:
// $PAGER, else `less -R`; none where neither exists, and none with PAGER=cat.
//
// Until the screen is full the text is held back, so write all of it and call Finish(), which says
// whether all of it was taken. When the reader quits, Write() says so: that is no error.
// Thread rule: one thread. Next: terminal/terminal.h.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "terminal/terminal.h"

namespace weft::terminal {

class PagedOutput {
 public:
  PagedOutput(const Terminal& terminal, bool allowed);
  ~PagedOutput();
  PagedOutput(const PagedOutput&) = delete;
  PagedOutput& operator=(const PagedOutput&) = delete;

  // False when nobody reads on, or nothing can be written any more.
  bool Write(std::string_view text);
  // Returns when the reader has quit the pager. An error: something could not be written.
  Status Finish();

 private:
  bool Print(std::string_view text);  // without the pager
  void StartPager();

  const Terminal terminal_;
  std::string pager_;  // command; empty: none
  std::string held_;
  size_t rows_ = 0;
  std::FILE* pipe_ = nullptr;
  bool closed_ = false;
  Status written_;
};

// Rows that the text takes on a screen of this width; escape sequences take no place.
size_t ScreenRows(std::string_view text, size_t width);

}  // namespace weft::terminal
