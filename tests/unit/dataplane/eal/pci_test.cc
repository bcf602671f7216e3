#include "dataplane/eal/pci.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace swarmdns::eal {
namespace {

namespace fs = std::filesystem;

class PciError : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/pci_XXXXXX";
    sys_ = mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(sys_); }

  void add(const std::string& name, const std::string& driver, const std::string& pci_class = "0x020000") {
    const std::string path = sys_ + "/bus/pci/devices/" + name;
    fs::create_directories(path);
    std::ofstream(path + "/class") << pci_class << "\n";
    if (!driver.empty()) fs::create_directory_symlink("../../drivers/" + driver, path + "/driver");
    fs::create_directories(sys_ + "/kernel/iommu_groups/9/devices/" + name);
    fs::create_directory_symlink(sys_ + "/kernel/iommu_groups/9", path + "/iommu_group");
  }
  std::string text() const { return pci_error("ports[0].device", "0000:01:00.0", sys_).text(); }

  std::string sys_;
};

TEST_F(PciError, NoSuchDevice) {
  EXPECT_NE(text().find("there is no PCI device 0000:01:00.0"), std::string::npos) << text();
}

TEST_F(PciError, StillTheKernels) {
  add("0000:01:00.0", "e1000e");
  EXPECT_NE(text().find("the kernel's e1000e"), std::string::npos) << text();
  EXPECT_NE(text().find("`swarmctl port bind 0000:01:00.0`"), std::string::npos) << text();
}

TEST_F(PciError, WithoutAnyDriver) {
  add("0000:01:00.0", "");
  EXPECT_NE(text().find("`swarmctl port bind 0000:01:00.0`"), std::string::npos) << text();
}

// VFIO gives a group to nobody while the kernel drives one of it; bridges do not count, nor does what has no
// driver.
TEST_F(PciError, TheRestOfTheGroupIsNamed) {
  add("0000:01:00.0", "vfio-pci");
  add("0000:00:05.0", "pcieport", "0x060400");
  add("0000:01:00.2", "vfio-pci");
  add("0000:01:00.3", "");
  EXPECT_EQ(text().find("IOMMU group"), std::string::npos) << text();
  EXPECT_NE(text().find("DPDK printed above"), std::string::npos) << text();
  add("0000:01:00.1", "e1000e");
  EXPECT_NE(text().find("its IOMMU group also holds 0000:01:00.1 (e1000e); bind these"), std::string::npos)
      << text();
}

}  // namespace
}  // namespace swarmdns::eal
