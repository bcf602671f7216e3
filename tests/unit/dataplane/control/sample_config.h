// A configuration that is good as it is, for the tests of control/.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "dataplane/control/configurator.h"

namespace swarmdns::control {

inline v1::DataplaneConfig plain_config(const std::string& directory = "/tmp") {
  v1::DataplaneConfig config;
  config.set_node_name("n1");
  config.set_state_dir(directory);
  config.set_run_dir(directory);
  config.set_user("root");
  config.mutable_eal()->add_worker_cpus(1);
  v1::PortConfig& port = *config.add_ports();
  port.set_device("net_af_xdp0,iface=eth9");
  port.add_addresses("10.53.1.1/24");
  port.add_addresses("fd53:1::1/64");
  config.mutable_upstream()->add_servers("127.0.0.1@553");
  config.mutable_cache()->set_memory_mib(16);
  return config;
}

// The same with its defaults.
inline v1::DataplaneConfig sample_config(const std::string& directory = "/tmp") {
  auto config = checked(plain_config(directory));
  EXPECT_TRUE(config) << config.error();
  return config.value_or(v1::DataplaneConfig());
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    char name[] = "/tmp/swarmdns-control-XXXXXX";
    path_ = mkdtemp(name) == nullptr ? "/nonexistent" : name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace swarmdns::control
