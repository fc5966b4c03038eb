// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/metrics.h"

namespace weft {

void ReportProcess(MetricsScrape* scrape) {
  // /proc/self/stat after the command's ")": state is field 3, utime 14, stime 15, threads 20,
  // start time 22, vsize 23, rss 24 (proc(5)).
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  size_t close = line.rfind(')');
  if (close == std::string::npos) return;
  std::vector<double> fields;
  const char* at = line.c_str() + close + 3;  // past ") S"
  for (char* next = nullptr;; at = next) {
    double value = std::strtod(at, &next);
    if (next == at) break;
    fields.push_back(value);
  }
  constexpr size_t kFirst = 4;  // fields[0] is field 4
  if (fields.size() <= 24 - kFirst) return;
  double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  scrape->Counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.", {},
                  (fields[14 - kFirst] + fields[15 - kFirst]) / ticks);
  scrape->Gauge("process_resident_memory_bytes", "Resident memory.", {},
                fields[24 - kFirst] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  scrape->Gauge("process_threads", "Threads.", {}, fields[20 - kFirst]);
  scrape->Gauge("process_virtual_memory_bytes", "Address space.", {}, fields[23 - kFirst]);
  if (rlimit limit{}; getrlimit(RLIMIT_NOFILE, &limit) == 0)
    scrape->Gauge("process_max_fds", "Most file descriptors that may be open.", {},
                  static_cast<double>(limit.rlim_cur));
  std::error_code error;
  std::filesystem::directory_iterator fds("/proc/self/fd", error);
  if (!error)
    scrape->Gauge("process_open_fds", "Open file descriptors.", {},
                  static_cast<double>(std::distance(begin(fds), end(fds))));
  std::ifstream system("/proc/stat");
  while (std::getline(system, line))
    if (line.starts_with("btime "))
      scrape->Gauge("process_start_time_seconds", "Start, in seconds since the Unix epoch.", {},
                    std::strtod(line.c_str() + 6, nullptr) + fields[22 - kFirst] / ticks);
}

}  // namespace weft
