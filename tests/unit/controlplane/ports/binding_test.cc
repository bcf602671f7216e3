#include "controlplane/ports/binding.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;

// A tree of files in the place of sysfs, and the kernel's reactions to what is written there.
class FakeMachine final : public Machine {
 public:
  explicit FakeMachine(const std::string& sys) : Machine(sys) {
    fs::create_directories(sys + "/bus/pci/devices");
    fs::create_directories(sys + "/kernel/iommu_groups");
    fs::create_directories(sys + "/class/net");
    for (const char* driver : {"e1000e", "pcieport"})
      fs::create_directories(sys + "/bus/pci/drivers/" + driver);
  }

  void add_device(const std::string& pci, const std::string& pci_class, const std::string& driver,
                  const std::string& interface, const std::string& group) {
    const std::string path = sys() + "/bus/pci/devices/" + pci;
    fs::create_directories(path);
    std::ofstream(path + "/class") << pci_class << "\n";
    std::ofstream(path + "/vendor") << "0x8086\n";
    std::ofstream(path + "/device") << "0x10d3\n";
    std::ofstream(path + "/numa_node") << "-1\n";
    native_[pci] = {driver, interface};
    attach(pci, driver);
    if (!group.empty()) {
      const std::string folder = sys() + "/kernel/iommu_groups/" + group + "/devices/";
      fs::create_directories(folder + pci);
      fs::create_directory_symlink("../../../kernel/iommu_groups/" + group, path + "/iommu_group");
    }
  }
  void add_driver(const std::string& name) { fs::create_directories(sys() + "/bus/pci/drivers/" + name); }

  std::expected<void, std::string> write(const std::string& path, const std::string& text) override {
    written.push_back(path.substr(sys().size()) + " = " + text.substr(0, text.find('\n')));
    if (path.ends_with("/driver_override")) {
      const std::string pci = fs::path(path).parent_path().filename();
      override_[pci] = text.substr(0, text.find('\n'));
    } else if (path.ends_with("/unbind")) {
      detach(text);
    } else if (path.ends_with("/drivers_probe")) {
      const std::string driver = override_[text].empty() ? native_[text].first : override_[text];
      if (driver != refusing_driver) attach(text, driver);
    } else if (path.ends_with("/bind")) {
      if (fs::path(path).parent_path().filename() == unfit_driver) return std::unexpected("No such device");
      attach(text, fs::path(path).parent_path().filename());
    }
    return {};
  }
  std::expected<void, std::string> load_module(const std::string& name) override {
    modules.push_back(name);
    if (!loadable) return std::unexpected("modprobe " + name + ": not found");
    add_driver(name);
    return {};
  }
  // What udev does: the kernel's own name for an interface is not the one it keeps.
  void settle() override {
    for (const auto& [pci, native] : native_) {
      const std::string net = sys() + "/bus/pci/devices/" + pci + "/net/";
      if (fs::exists(net + "eth0")) fs::rename(net + "eth0", net + native.second);
    }
  }
  std::vector<std::string> addresses(const std::string& interface) const override {
    const auto at = used.find(interface);
    return at == used.end() ? std::vector<std::string>() : at->second;
  }
  bool has_default_route(const std::string& interface) const override { return interface == default_route; }
  bool vfio_in_use(const std::string& node) const override { return node == open_node; }

  std::map<std::string, std::vector<std::string>> used;
  std::string default_route;
  std::string refusing_driver;
  std::string unfit_driver;  // fails when told to take a device
  std::string open_node;     // below /dev/vfio
  bool loadable = true;
  std::vector<std::string> modules;
  std::vector<std::string> written;

 private:
  void attach(const std::string& pci, const std::string& driver) {
    if (driver.empty()) return;
    const std::string path = sys() + "/bus/pci/devices/" + pci;
    fs::create_directory_symlink("../../drivers/" + driver, path + "/driver");
    const auto& [native, interface] = native_[pci];
    if (driver != native || interface.empty()) return;
    fs::create_directories(path + "/net/" + (written.empty() ? interface : "eth0"));  // udev has not come yet
    fs::create_directories(sys() + "/class/net/" + interface);
    std::ofstream(sys() + "/class/net/" + interface + "/address") << "02:00:00:00:00:01\n";
    std::ofstream(sys() + "/class/net/" + interface + "/carrier") << "1\n";
    std::ofstream(sys() + "/class/net/" + interface + "/speed") << "1000\n";
  }
  void detach(const std::string& pci) {
    const std::string path = sys() + "/bus/pci/devices/" + pci;
    fs::remove(path + "/driver");
    fs::remove_all(path + "/net");
  }

  std::map<std::string, std::pair<std::string, std::string>> native_;  // driver, interface
  std::map<std::string, std::string> override_;
};

class BindingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/binding_XXXXXX";
    dir_ = mkdtemp(pattern);
    machine_ = std::make_unique<FakeMachine>(dir_ + "/sys");
    machine_->add_device(kPci, "0x020000", "e1000e", "eth1", "7");
    machine_->add_driver("vfio-pci");
    binder_ = std::make_unique<PortBinder>(*machine_, dir_ + "/memory");
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string bind_error(bool force = false) {
    const auto result = binder_->bind(kPci, force);
    return result ? "" : result.error().text;
  }

  static constexpr const char* kPci = "0000:01:00.0";
  std::string dir_;
  std::unique_ptr<FakeMachine> machine_;
  std::unique_ptr<PortBinder> binder_;
};

TEST_F(BindingTest, ListsNetworkDevicesOnly) {
  machine_->add_device("0000:00:1f.0", "0x060100", "", "", "3");
  machine_->add_device("0000:02:00.0", "0x028000", "", "", "");
  const auto nics = list_nics(*machine_);
  ASSERT_EQ(nics.size(), 2u);
  EXPECT_EQ(nics[0].pci_address, kPci);
  EXPECT_EQ(nics[0].driver, "e1000e");
  EXPECT_EQ(nics[0].interface, "eth1");
  EXPECT_EQ(nics[0].mac, "02:00:00:00:00:01");
  EXPECT_EQ(nics[0].vendor, "8086");
  EXPECT_TRUE(nics[0].link_up);
  EXPECT_EQ(nics[0].speed_mbps, 1000u);
  EXPECT_EQ(nics[0].iommu_group, "7");
  EXPECT_EQ(nics[1].driver, "");
  EXPECT_EQ(nics[1].iommu_group, "");
}

TEST_F(BindingTest, FindsByAddressShortAddressAndInterface) {
  for (const char* name : {"0000:01:00.0", "01:00.0", "eth1"}) EXPECT_TRUE(find_nic(*machine_, name)) << name;
  machine_->add_device("0000:0a:00.0", "0x020000", "e1000e", "", "8");
  for (const char* name : {"0000:0A:00.0", "0A:00.0"}) EXPECT_TRUE(find_nic(*machine_, name)) << name;
  EXPECT_FALSE(find_nic(*machine_, "eth9"));
  EXPECT_FALSE(find_nic(*machine_, ""));
}

TEST_F(BindingTest, FindsTheInterfaceOfAVirtioDevice) {
  machine_->add_device("0000:03:00.0", "0x020000", "virtio-pci", "", "");
  fs::create_directories(dir_ + "/sys/bus/pci/devices/0000:03:00.0/virtio2/net/ens3");
  EXPECT_EQ(find_nic(*machine_, "0000:03:00.0")->interface, "ens3");
}

TEST_F(BindingTest, BindsAndGivesBack) {
  const auto bound = binder_->bind("eth1", false);
  ASSERT_TRUE(bound) << bound.error().text;
  EXPECT_EQ(bound->nic.driver, "vfio-pci");
  EXPECT_TRUE(bound->notes.empty());
  EXPECT_EQ(binder_->previous_driver(kPci), "e1000e");
  EXPECT_EQ(machine_->written,
            (std::vector<std::string>{"/bus/pci/devices/0000:01:00.0/driver_override = vfio-pci",
                                      "/bus/pci/devices/0000:01:00.0/driver/unbind = 0000:01:00.0",
                                      "/bus/pci/drivers_probe = 0000:01:00.0"}));
  const auto back = binder_->unbind(kPci, "");
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->nic.driver, "e1000e");
  EXPECT_EQ(back->nic.interface, "eth1");
  EXPECT_EQ(binder_->previous_driver(kPci), "");
}

TEST_F(BindingTest, RefusesAPortInUseUnlessForced) {
  machine_->used["eth1"] = {"192.0.2.7/24", "2001:db8::7/64"};
  machine_->default_route = "eth1";
  EXPECT_EQ(bind_error(),
            "eth1 (0000:01:00.0) carries the address 192.0.2.7/24, 2001:db8::7/64, the default route: "
            "binding it takes "
            "them from the kernel and may cut you off. Move them elsewhere first (ip address del, ip link "
            "set nomaster), "
            "or use --force");
  EXPECT_TRUE(machine_->written.empty());
  EXPECT_EQ(bind_error(true), "");
}

TEST_F(BindingTest, RefusesAPartOfABridge) {
  fs::create_directory_symlink("../br0", dir_ + "/sys/class/net/eth1/master");
  EXPECT_NE(bind_error().find("carries a place in br0"), std::string::npos);
}

TEST_F(BindingTest, ExplainsAMissingIommu) {
  fs::remove_all(dir_ + "/sys/kernel/iommu_groups");
  const std::string error = bind_error();
  EXPECT_NE(error.find("no IOMMU in use"), std::string::npos) << error;
  EXPECT_NE(error.find("intel_iommu=on iommu=pt"), std::string::npos) << error;
  EXPECT_NE(error.find("echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"), std::string::npos)
      << error;
  EXPECT_TRUE(machine_->written.empty());
  // --force is about addresses, not about this.
  EXPECT_NE(bind_error(true), "");
}

TEST_F(BindingTest, UnsafeModeBindsWithANote) {
  fs::remove_all(dir_ + "/sys/kernel/iommu_groups");
  fs::create_directories(dir_ + "/sys/module/vfio/parameters");
  std::ofstream(dir_ + "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") << "Y\n";
  const auto bound = binder_->bind(kPci, false);
  ASSERT_TRUE(bound) << bound.error().text;
  ASSERT_EQ(bound->notes.size(), 1u);
  EXPECT_NE(bound->notes[0].find("can write to all memory"), std::string::npos);
}

// vfio-pci makes a group of its own for each port it takes without an IOMMU.
TEST_F(BindingTest, AGroupThatVfioMadeIsNoIommu) {
  const std::string group = dir_ + "/sys/kernel/iommu_groups/7";
  std::ofstream(group + "/name") << "vfio-noiommu\n";
  fs::create_directories(dir_ + "/sys/module/vfio/parameters");
  std::ofstream(dir_ + "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") << "Y\n";
  EXPECT_FALSE(has_iommu(*machine_));
  EXPECT_EQ(find_nic(*machine_, kPci)->iommu_group, "");
  EXPECT_EQ(find_nic(*machine_, kPci)->vfio_node, "noiommu-7");
  machine_->add_device("0000:02:00.0", "0x020000", "e1000e", "eth2", "");
  const auto second = binder_->bind("0000:02:00.0", false);
  ASSERT_TRUE(second) << second.error().text;
  ASSERT_EQ(second->notes.size(), 1u);
  EXPECT_NE(second->notes[0].find("can write to all memory"), std::string::npos);
}

TEST_F(BindingTest, LoadsVfioWhenItIsNotThere) {
  fs::remove_all(dir_ + "/sys/bus/pci/drivers/vfio-pci");
  EXPECT_EQ(bind_error(), "");
  EXPECT_EQ(machine_->modules, std::vector<std::string>{"vfio-pci"});
}

TEST_F(BindingTest, SaysWhenVfioCannotBeLoaded) {
  fs::remove_all(dir_ + "/sys/bus/pci/drivers/vfio-pci");
  machine_->loadable = false;
  EXPECT_EQ(bind_error(),
            "the driver vfio-pci is not there, and could not be loaded (modprobe vfio-pci: not found); "
            "install a kernel "
            "that has it (Debian: linux-image-amd64) and boot it");
  EXPECT_TRUE(machine_->written.empty());
}

TEST_F(BindingTest, NamesTheOthersOfTheGroup) {
  machine_->add_device("0000:01:00.1", "0x020000", "e1000e", "eth2", "7");
  machine_->add_device("0000:00:01.0", "0x060400", "pcieport", "", "7");  // a bridge does not count
  const auto bound = binder_->bind(kPci, false);
  ASSERT_TRUE(bound) << bound.error().text;
  ASSERT_EQ(bound->notes.size(), 1u);
  EXPECT_EQ(bound->notes[0],
            "IOMMU group 7 also holds 0000:01:00.1 (e1000e): a group is given away as a whole, so the port "
            "can be used "
            "once these are bound to vfio-pci too, or sit in another slot");
  const auto second = binder_->bind("eth2", false);
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_TRUE(second->notes.empty());
}

TEST_F(BindingTest, AFailedBindGivesThePortBack) {
  machine_->refusing_driver = "vfio-pci";
  EXPECT_EQ(bind_error(), "vfio-pci did not take 0000:01:00.0; the kernel log (dmesg) says why");
  EXPECT_EQ(find_nic(*machine_, kPci)->driver, "e1000e");
}

TEST_F(BindingTest, NothingToDoIsSaid) {
  EXPECT_EQ(binder_->unbind(kPci, "").error().text,
            "0000:01:00.0 is not bound to vfio-pci (its driver: e1000e); there is nothing to give back");
  ASSERT_EQ(bind_error(), "");
  EXPECT_EQ(bind_error(), "0000:01:00.0 is bound to vfio-pci already");
  EXPECT_EQ(binder_->bind("eth9", false).error().kind, BindError::Kind::kNotFound);
  EXPECT_EQ(binder_->unbind("eth9", "").error().kind, BindError::Kind::kNotFound);
}

// The kernel waits for the process, without end.
TEST_F(BindingTest, APortThatAProcessHasOpenIsNotGivenBack) {
  ASSERT_EQ(bind_error(), "");
  machine_->open_node = "7";
  machine_->written.clear();
  const auto back = binder_->unbind(kPci, "");
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, BindError::Kind::kRefused);
  EXPECT_NE(back.error().text.find("in use"), std::string::npos) << back.error().text;
  EXPECT_NE(back.error().text.find("/dev/vfio/7"), std::string::npos) << back.error().text;
  EXPECT_TRUE(machine_->written.empty());
  machine_->open_node.clear();
  EXPECT_TRUE(binder_->unbind(kPci, ""));
}

TEST_F(BindingTest, ADriverThatDoesNotFitLeavesThePortWithVfio) {
  ASSERT_EQ(bind_error(), "");
  machine_->add_driver("igb");
  machine_->unfit_driver = "igb";
  const auto back = binder_->unbind(kPci, "igb");
  ASSERT_FALSE(back);
  EXPECT_EQ(
      back.error().text,
      "0000:01:00.0: igb does not take it: No such device; it is with vfio-pci as before; name the driver "
      "by --driver");
  EXPECT_EQ(find_nic(*machine_, kPci)->driver, "vfio-pci");
  EXPECT_EQ(binder_->previous_driver(kPci), "e1000e");
}

TEST_F(BindingTest, APortThatNoDriverTakesStaysWithVfio) {
  machine_->add_device("0000:02:00.0", "0x020000", "", "", "8");
  ASSERT_TRUE(binder_->bind("0000:02:00.0", false));
  const auto back = binder_->unbind("0000:02:00.0", "");
  ASSERT_FALSE(back);
  EXPECT_NE(back.error().text.find("no driver took it back"), std::string::npos) << back.error().text;
  EXPECT_EQ(find_nic(*machine_, "0000:02:00.0")->driver, "vfio-pci");
}

TEST_F(BindingTest, APortWithoutAnyDriverIsGivenBack) {
  ASSERT_EQ(bind_error(), "");
  fs::remove(dir_ + "/sys/bus/pci/devices/" + kPci + "/driver");
  const auto back = binder_->unbind(kPci, "");
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->nic.driver, "e1000e");
}

TEST_F(BindingTest, UnbindToANamedDriver) {
  ASSERT_EQ(bind_error(), "");
  machine_->loadable = false;
  EXPECT_EQ(binder_->unbind(kPci, "igb").error().text,
            "there is no driver \"igb\" (modprobe igb: not found); name another by --driver");
  machine_->add_driver("igb");
  const auto back = binder_->unbind(kPci, "igb");
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->nic.driver, "igb");
}

}  // namespace
}  // namespace swarmdns::controlplane
