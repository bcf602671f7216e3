#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "dataplane/eal/eal.h"

namespace swarmdns::eal {
namespace {

EalOptions options() {
  EalOptions result;
  result.worker_cpus = {1, 3};
  result.devices = {"net_af_xdp0,iface=eth1"};
  return result;
}

bool has(const std::vector<std::string>& arguments, const std::string& wanted) {
  return std::ranges::find(arguments, wanted) != arguments.end();
}

std::string after(const std::vector<std::string>& arguments, const std::string& option) {
  const auto at = std::ranges::find(arguments, option);
  return at == arguments.end() || at + 1 == arguments.end() ? std::string() : *(at + 1);
}

TEST(EalArguments, MapLcoresToCpusWithTheMainOneApart) {
  const auto arguments = eal_arguments(options()).value();
  EXPECT_EQ(after(arguments, "--lcores"), "0@0,1@1,2@3");
  EXPECT_EQ(after(arguments, "--main-lcore"), "0");
}

TEST(EalArguments, AMachineWithOneCpuSharesIt) {
  EalOptions small = options();
  small.worker_cpus = {0};
  EXPECT_EQ(after(eal_arguments(small).value(), "--lcores"), "0@0,1@0");
}

TEST(EalArguments, HugepagesOrNot) {
  EXPECT_TRUE(has(eal_arguments(options()).value(), "--no-huge"));
  EalOptions huge = options();
  huge.hugepages = true;
  const auto arguments = eal_arguments(huge).value();
  EXPECT_FALSE(has(arguments, "--no-huge"));
  EXPECT_TRUE(has(arguments, "--in-memory"));
}

TEST(EalArguments, PciIsProbedOnlyForPortsThatNameIt) {
  EXPECT_TRUE(has(eal_arguments(options()).value(), "--no-pci"));
  EalOptions pci = options();
  pci.devices.push_back("0000:01:00.0");
  const auto arguments = eal_arguments(pci).value();
  EXPECT_FALSE(has(arguments, "--no-pci"));
  EXPECT_EQ(after(arguments, "-a"), "0000:01:00.0");
}

TEST(EalArguments, APortIsNamedAsDpdkNamesIt) {
  EXPECT_EQ(pci_port_name("0000:01:00.0"), "0000:01:00.0");
  EXPECT_EQ(pci_port_name("0000:0A:00.1"), "0000:0a:00.1");
  EXPECT_EQ(pci_port_name("0a:00.1,vectorized=0"), "0000:0a:00.1");
}

// A machine with DPDK but without the packages of its drivers: hugepages have nothing to do with it.
TEST(EalStartError, MissingDriversAreNotTakenForMissingHugepages) {
  EalOptions pci = options();
  pci.hugepages = true;
  pci.devices = {"0000:01:00.0"};
  const Error error = start_error(pci, ENODEV);
  EXPECT_EQ(error.field, "ports");
  EXPECT_NE(error.mend.find("librte-meta-bus"), std::string::npos) << error.text();
  EXPECT_EQ(start_error(options(), ENODEV).field, "eal");
}

TEST(EalStartError, HugepagesAreNamedWhenMemoryIsWhatLacks) {
  EalOptions huge = options();
  huge.hugepages = true;
  for (const int error : {EACCES, ENOMEM}) {
    EXPECT_EQ(start_error(huge, error).field, "eal.hugepages") << error;
    EXPECT_NE(start_error(huge, error).mend.find("echo 129 > /proc/sys/vm/nr_hugepages"), std::string::npos);
    EXPECT_EQ(start_error(options(), error).field, "eal");
  }
}

TEST(EalArguments, ExtraArgumentsComeLast) {
  EalOptions extra = options();
  extra.extra_args = {"--single-file-segments"};
  EXPECT_EQ(eal_arguments(extra).value().back(), "--single-file-segments");
}

TEST(EalArguments, ErrorsNameFieldAndMend) {
  const auto field_of = [](const EalOptions& wrong) {
    const auto arguments = eal_arguments(wrong);
    EXPECT_FALSE(arguments);
    EXPECT_FALSE(arguments || arguments.error().mend.empty());
    return arguments ? std::string() : arguments.error().field;
  };
  EalOptions wrong = options();
  wrong.worker_cpus = {};
  EXPECT_EQ(field_of(wrong), "eal.worker_cpus");
  wrong.worker_cpus = {2, 2};
  EXPECT_EQ(field_of(wrong), "eal.worker_cpus");
  wrong = options();
  wrong.memory_mib = 63;
  EXPECT_EQ(field_of(wrong), "eal.memory_mib");
  wrong = options();
  wrong.file_prefix = "../etc";
  EXPECT_EQ(field_of(wrong), "eal.file_prefix");
  wrong.file_prefix = "";
  EXPECT_EQ(field_of(wrong), "eal.file_prefix");
}

TEST(EalArguments, SlowThreadsKeepOffTheWorkersCpus) {
  EXPECT_EQ(non_worker_cpus(options(), {0, 1, 2, 3}), (std::vector<unsigned>{0, 2}));
  EXPECT_EQ(non_worker_cpus(options(), {1, 3}), (std::vector<unsigned>{0}));  // all taken: the main lcore's
}

TEST(PciAddress, IsToldFromAVdev) {
  for (const char* pci : {"0000:01:00.0", "01:00.0", "0000:af:1f.7", "0000:01:00.0,arg=1"}) {
    EXPECT_TRUE(is_pci_address(pci)) << pci;
  }
  for (const char* other : {"net_af_xdp0,iface=eth1", "", "01:00", "01:00.8", "1:00.0", "0000:01:00.00",
                            "zz:00.0", "net_null0", ":01:00.0", "0000:01:0.0"}) {
    EXPECT_FALSE(is_pci_address(other)) << other;
  }
}

}  // namespace
}  // namespace swarmdns::eal
