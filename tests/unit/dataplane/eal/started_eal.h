// DPDK for the tests of this process: started when first asked for, with one worker lcore on the CPU the test
// runs on, and without pinning the tests that come after.
#pragma once

#include <memory>
#include <string>

#include "dataplane/eal/eal.h"
#include "dataplane/sync/affinity.h"

namespace swarmdns::eal {

class StartedEal {
 public:
  // Null when DPDK cannot be started here; why_not() says why.
  [[nodiscard]] static Eal* get() { return instance().eal_.get(); }
  [[nodiscard]] static const std::string& why_not() { return instance().why_not_; }

 private:
  StartedEal() {
    const std::vector<unsigned> before = sync::current_affinity();
    EalOptions options;
    options.main_cpu = before.front();
    options.worker_cpus = {before.back()};
    options.memory_mib = 96;
    options.file_prefix = "swunit";
    auto eal = Eal::start(options);
    if (eal) {
      eal_ = std::move(*eal);
    } else {
      why_not_ = eal.error().text();
    }
    (void)sync::set_affinity(before);
  }
  static StartedEal& instance() {
    static StartedEal started;
    return started;
  }

  std::unique_ptr<Eal> eal_;
  std::string why_not_;
};

}  // namespace swarmdns::eal
