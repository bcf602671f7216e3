#include "controlplane/config/reference.h"

#include "proto/config/formats.h"
#include "proto/config/schema.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

const char* const kHead =
    "# Configuration\n"
    "\n"
    "<!-- Made by `swarmctl config reference`; change the schema (proto/swarmdns/v1/config.proto), not this "
    "page. -->\n"
    "\n"
    "A node is configured by one YAML file. Every key, its default and what it may be stand below; a key "
    "that is not\n"
    "here is an error, and so is a value out of range. `swarmctl config check FILE` says everything that is "
    "wrong with\n"
    "a file, `swarmctl config apply FILE` applies it, `swarmctl config show --defaults` prints what is in "
    "force.\n"
    "[examples/node.yaml](examples/node.yaml) is a complete example.\n"
    "\n"
    "**Takes effect**: *live* at once; *restart* when the data plane is restarted (`swarmctl node restart "
    "dataplane`);\n"
    "*resolver* at once, by a restart of the resolver that the control plane does itself; *control plane* "
    "when the\n"
    "control plane is restarted. A list is written `[a, b]` or one element a line after `- `.\n";

std::string escaped(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string type_text(const FieldDescriptor* field) {
  std::string text = config::allowed_text(field);
  const v1::FieldRule& rule = config::rule_of(field);
  if (!field->is_repeated()) return text;
  std::string count = "list";
  if (rule.has_min_items() && rule.has_max_items()) {
    count += " of " + std::to_string(rule.min_items()) + " to " + std::to_string(rule.max_items());
  } else if (rule.has_max_items()) {
    count += " of up to " + std::to_string(rule.max_items());
  }
  return count + ", each " + text;
}

std::string default_cell(const FieldDescriptor* field) {
  const v1::FieldRule& rule = config::rule_of(field);
  if (rule.required()) return "**required**";
  if (!rule.default_note().empty()) return rule.default_note();
  if (rule.has_default_()) return "`" + config::default_text(field) + "`";
  return field->is_repeated() ? "none" : "";
}

const char* reload_cell(v1::Reload reload) {
  switch (reload) {
    case v1::LIVE:
      return "live";
    case v1::RESOLVER_RESTART:
      return "resolver";
    case v1::CONTROLPLANE_RESTART:
      return "control plane";
    default:
      return "restart";
  }
}

void section(const Descriptor* type, const std::string& path, bool list, std::string& out) {
  std::string table;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (config::rule_of(field).internal() || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) continue;
    table += "| `" + field->name() + "` | " + escaped(config::rule_of(field).help()) + " | " +
             escaped(type_text(field)) + " | " + escaped(default_cell(field)) + " | " +
             reload_cell(config::rule_of(field).reload()) + " |\n";
  }
  if (!table.empty()) {
    out += "\n## " + path + (list ? " (list)" : "") + "\n\n";
    out += "| key | what it is | allowed | default | takes effect |\n|---|---|---|---|---|\n" + table;
  }
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    section(field->message_type(), path.empty() ? field->name() : path + "." + field->name(),
            field->is_repeated(), out);
  }
}

}  // namespace

std::string config_reference() {
  std::string out = kHead;
  section(v1::Config::descriptor(), "", false, out);
  return out;
}

}  // namespace swarmdns::controlplane
