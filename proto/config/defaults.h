// Fills in what a configuration leaves out. Idempotent; pure apart from the number of CPUs; any thread.
#pragma once

#include <google/protobuf/message.h>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::config {

// Defaults that the schema states as values, for every unset field below `message`; missing messages are
// created.
void fill_schema_defaults(google::protobuf::Message& message);

// The above, then the defaults that depend on other fields: main_cpu, pci, tap names, nsid, the cache's
// hugepages, the upstream. `cpus`: CPUs of the machine, 0 = ask it.
void fill_defaults(v1::DataplaneConfig& config, unsigned cpus = 0);

// All of Config. The data plane's internal fields and its upstream come from `node` and `resolver`.
void fill_defaults(v1::Config& config, unsigned cpus = 0);

}  // namespace swarmdns::config
