#include "proto/config/defaults.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "proto/config/formats.h"
#include "proto/config/schema.h"

namespace swarmdns::config {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

void set_default(Message& message, const FieldDescriptor* field, const std::string& text) {
  const Reflection* reflection = message.GetReflection();
  uint64_t number = 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection->SetBool(&message, field, text == "true");
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      std::from_chars(text.data(), text.data() + text.size(), number);
      reflection->SetUInt32(&message, field, static_cast<uint32_t>(number));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      std::from_chars(text.data(), text.data() + text.size(), number);
      reflection->SetUInt64(&message, field, number);
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      if (const auto* value = value_of_word(field->enum_type(), text))
        reflection->SetEnum(&message, field, value);
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      reflection->SetString(&message, field, text);
      break;
    default:
      break;
  }
}

uint32_t main_cpu(const v1::EalConfig& eal, unsigned cpus) {
  if (cpus == 0) cpus = static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    if (std::find(eal.worker_cpus().begin(), eal.worker_cpus().end(), cpu) == eal.worker_cpus().end())
      return cpu;
  }
  return 0;
}

}  // namespace

void fill_schema_defaults(Message& message) {
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!field->is_repeated()) {
        fill_schema_defaults(*reflection->MutableMessage(&message, field));
      } else {
        for (int n = 0; n < reflection->FieldSize(message, field); ++n) {
          fill_schema_defaults(*reflection->MutableRepeatedMessage(&message, field, n));
        }
      }
    } else if (!field->is_repeated() && !reflection->HasField(message, field) &&
               rule_of(field).has_default_()) {
      set_default(message, field, rule_of(field).default_());
    }
  }
}

void fill_defaults(v1::DataplaneConfig& config, unsigned cpus) {
  fill_schema_defaults(config);
  v1::EalConfig& eal = *config.mutable_eal();
  if (!eal.has_main_cpu()) eal.set_main_cpu(main_cpu(eal, cpus));
  if (!eal.has_pci()) {
    eal.set_pci(std::any_of(config.ports().begin(), config.ports().end(),
                            [](const v1::PortConfig& port) { return is_pci_address(port.device()); }));
  }
  for (int i = 0; i < config.ports_size(); ++i) {
    if (!config.ports(i).has_tap()) config.mutable_ports(i)->set_tap("swtap" + std::to_string(i));
  }
  if (!config.service().has_nsid()) config.mutable_service()->set_nsid(config.node_name());
  if (!config.cache().has_hugepages()) config.mutable_cache()->set_hugepages(eal.hugepages());
  if (config.upstream().servers().empty()) config.mutable_upstream()->add_servers("127.0.0.1@553");
}

void fill_defaults(v1::Config& config, unsigned cpus) {
  fill_schema_defaults(*config.mutable_node());
  fill_schema_defaults(*config.mutable_resolver());
  fill_schema_defaults(*config.mutable_swarm());
  v1::DataplaneConfig& dataplane = *config.mutable_dataplane();
  const v1::NodeConfig& node = config.node();
  dataplane.set_node_name(node.name());
  dataplane.set_state_dir(node.state_dir());
  dataplane.set_run_dir(node.run_dir());
  dataplane.set_user(node.user());
  dataplane.set_region(node.region());
  if (dataplane.upstream().servers().empty() && config.resolver().mode() == v1::UNBOUND) {
    dataplane.mutable_upstream()->add_servers(config.resolver().address() + "@" +
                                              std::to_string(config.resolver().port()));
  }
  fill_defaults(dataplane, cpus);
}

}  // namespace swarmdns::config
