// SPDX-License-Identifier: Apache-2.0
#include "http/answer_head.h"

#include <ctime>

namespace weft::http {
namespace {

void AppendValue(std::string* out, std::string_view value) {
  size_t from = out->size();
  out->append(value);
  for (size_t i = from; i < out->size(); ++i) {
    if (!IsHeaderValueByte((*out)[i])) (*out)[i] = ' ';
  }
}

void AppendHeader(std::string* out, std::string_view name, std::string_view value) {
  AppendValue(out, name);
  out->append(": ");
  AppendValue(out, value);
  out->append("\r\n");
}

}  // namespace

std::string_view HttpDate() {
  thread_local std::time_t made = 0;
  thread_local char text[40];
  thread_local size_t size = 0;
  std::time_t now = std::time(nullptr);
  if (now != made) {
    made = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return {text, size};
}

std::string FormatAnswerHead(const AnswerHead& head) {
  const Response& response = *head.response;
  std::string out;
  out.reserve(256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(StatusText(response.status)).append("\r\n");
  AppendHeader(&out, "Date", HttpDate());
  if (!response.content_type.empty()) AppendHeader(&out, "Content-Type", response.content_type);
  if (head.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (head.content_length >= 0) {
    AppendHeader(&out, "Content-Length", std::to_string(head.content_length));
  }
  if (!head.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (head.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  for (const auto& [name, value] : response.headers) AppendHeader(&out, name, value);
  out.append("\r\n");
  return out;
}

}  // namespace weft::http
