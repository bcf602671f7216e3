#include "controlplane/cli/commands.h"
#include "controlplane/cli/json.h"

namespace swarmdns::controlplane {
namespace {

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string link_text(const v1::NicPort& port) {
  if (port.interface().empty()) return "-";
  if (!port.link_up()) return "down";
  return port.speed_mbps() > 0 ? "up " + std::to_string(port.speed_mbps()) + " Mbit/s" : "up";
}

void print_notes(Context& context, const google::protobuf::RepeatedPtrField<std::string>& notes) {
  for (const std::string& note : notes) context.out << context.style.warn("Note: ") << note << "\n";
}

void print_port(Context& context, const v1::NicPort& port) {
  const auto line = [&](const std::string& key, const std::string& value) {
    context.out << "  " << key << std::string(16 - key.size(), ' ') << value << "\n";
  };
  context.out << context.style.bold(port.pci_address()) << "\n";
  line("vendor:device", port.vendor() + ":" + port.device());
  line("driver", or_dash(port.driver()));
  line("interface", or_dash(port.interface()));
  line("link", link_text(port));
  line("mac", or_dash(port.mac()));
  line("numa node", port.numa_node() < 0 ? "-" : std::to_string(port.numa_node()));
  line("addresses", or_dash(joined(port.addresses())));
  line("default route", port.default_route() ? "yes" : "no");
  line("iommu group", or_dash(port.iommu_group()));
  line("group members", or_dash(joined(port.group_members())));
  line("earlier driver", or_dash(port.previous_driver()));
}

}  // namespace

int list_ports(Context& context) {
  const auto answer = context.node.list_ports("");
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  Table table({"PCI ADDRESS", "ID", "DRIVER", "INTERFACE", "LINK", ">NUMA", "IOMMU", "IN USE BY"});
  for (const v1::NicPort& port : answer->ports()) {
    std::string use = joined(port.addresses());
    if (port.default_route()) use += use.empty() ? "default route" : ", default route";
    if (port.driver() == "vfio-pci") use = "DPDK";
    table.add({port.pci_address(), port.vendor() + ":" + port.device(), or_dash(port.driver()),
               or_dash(port.interface()), link_text(port),
               port.numa_node() < 0 ? "-" : std::to_string(port.numa_node()), or_dash(port.iommu_group()),
               or_dash(use)});
  }
  if (!table.empty()) context.out << table.render(context.style);
  print_notes(context, answer->notes());
  return kExitOk;
}

int show_port(Context& context, const std::string& device) {
  // Of the API, no name means all ports; of this command it is a script's empty variable.
  if (device.empty()) {
    return fail(context, {Refusal::Kind::kNotFound,
                          "there is no PCI network port \"\"; `swarmctl port list` shows those there are"});
  }
  const auto answer = context.node.list_ports(device);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  for (const v1::NicPort& port : answer->ports()) print_port(context, port);
  print_notes(context, answer->notes());
  return kExitOk;
}

int bind_port(Context& context, const std::string& device, bool force) {
  const auto answer = context.node.bind_port(device, force);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  context.out << answer->port().pci_address()
              << " is bound to vfio-pci; name it in the configuration: device: \""
              << answer->port().pci_address() << "\"\n";
  print_notes(context, answer->notes());
  return kExitOk;
}

int unbind_port(Context& context, const std::string& device, const std::string& driver) {
  const auto answer = context.node.unbind_port(device, driver);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  context.out << answer->port().pci_address() << " is back with " << answer->port().driver();
  if (!answer->port().interface().empty()) context.out << " as " << answer->port().interface();
  context.out << "\n";
  print_notes(context, answer->notes());
  return kExitOk;
}

}  // namespace swarmdns::controlplane
