// SPDX-License-Identifier: Apache-2.0
#include "net/port_holder.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace weft::net {
namespace {

namespace fs = std::filesystem;

// Inodes of the sockets in state LISTEN (0A) on `port`, of one /proc/net table.
void CollectListeners(const char* table, uint16_t port, std::set<std::string>* inodes) {
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
        timeout >> inode;
    size_t colon = local.rfind(':');
    if (state != "0A" || colon == std::string::npos) continue;
    if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) inodes->insert(inode);
  }
}

bool HoldsAny(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code error;
  fs::directory_iterator files(process / "fd", error);
  if (error) return false;
  for (; files != fs::directory_iterator(); files.increment(error)) {
    if (error) return false;
    std::string target = fs::read_symlink(files->path(), error).string();
    if (!target.starts_with("socket:[") || !target.ends_with("]")) continue;
    if (inodes.contains(target.substr(8, target.size() - 9))) return true;
  }
  return false;
}

}  // namespace

std::string FindPortHolder(uint16_t port) {
  std::set<std::string> inodes;
  CollectListeners("/proc/net/tcp", port, &inodes);
  CollectListeners("/proc/net/tcp6", port, &inodes);
  if (inodes.empty()) return "";
  std::error_code error;
  fs::directory_iterator processes("/proc", error);
  if (error) return "";
  for (; processes != fs::directory_iterator(); processes.increment(error)) {
    if (error) return "";
    std::string pid = processes->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!HoldsAny(processes->path(), inodes)) continue;
    std::ifstream comm(processes->path() / "comm");
    std::string name;
    std::getline(comm, name);
    return (name.empty() ? "a process" : name) + " (pid " + pid + ")";
  }
  return "";
}

}  // namespace weft::net
