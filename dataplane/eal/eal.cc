#include "dataplane/eal/eal.h"

#include <bpf/libbpf.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include "dataplane/sync/affinity.h"

namespace swarmdns::eal {
namespace {

int run_work(void* argument) {
  (*static_cast<std::function<void()>*>(argument))();
  return 0;
}

int print_warnings_only(libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

std::expected<void, Error> check_cpus(const EalOptions& options, const std::vector<unsigned>& allowed) {
  const auto usable = [&](unsigned cpu) { return std::ranges::find(allowed, cpu) != allowed.end(); };
  for (const unsigned cpu : options.worker_cpus) {
    if (usable(cpu)) continue;
    return std::unexpected(Error{"eal.worker_cpus",
                                 "CPU " + std::to_string(cpu) + " is not there or not ours",
                                 "name CPUs of `taskset -pc $$`"});
  }
  if (!usable(options.main_cpu)) {
    return std::unexpected(Error{"eal.main_cpu",
                                 "CPU " + std::to_string(options.main_cpu) + " is not there or not ours",
                                 "name a CPU of `taskset -pc $$`"});
  }
  return {};
}

}  // namespace

std::expected<std::unique_ptr<Eal>, Error> Eal::start(const EalOptions& options) {
  const std::vector<unsigned> allowed = sync::current_affinity();
  auto arguments = eal_arguments(options);
  if (!arguments) return std::unexpected(arguments.error());
  if (auto ok = check_cpus(options, allowed); !ok) return std::unexpected(ok.error());

  // libxdp would chain AF_XDP's program behind a dispatcher and pin both under /sys/fs/bpf: more than one
  // program on the interface is not wanted, and pins outlive the process.
  setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
  if (options.quiet) libbpf_set_print(print_warnings_only);

  std::vector<char*> argv;  // DPDK reorders the pointers
  for (std::string& argument : *arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    return std::unexpected(start_error(options, rte_errno));
  }

  std::unique_ptr<Eal> eal(new Eal);
  eal->slow_cpus_ = non_worker_cpus(options, allowed);
  for (unsigned i = 0; i < options.worker_cpus.size(); ++i) eal->lcores_.push_back(i + 1);
  eal->work_.resize(eal->lcores_.size());
  return eal;
}

Eal::~Eal() {
  wait();
  rte_eal_cleanup();
}

bool Eal::launch(unsigned index, std::function<void()> work) {
  if (index >= lcores_.size() || rte_eal_get_lcore_state(lcores_[index]) != WAIT) return false;
  work_[index] = std::move(work);
  return rte_eal_remote_launch(run_work, &work_[index], lcores_[index]) == 0;
}

void Eal::wait() noexcept {
  for (const unsigned lcore : lcores_) rte_eal_wait_lcore(lcore);
}

}  // namespace swarmdns::eal
