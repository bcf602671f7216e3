#include "proto/config/diff.h"

#include <google/protobuf/util/message_differencer.h>

#include "proto/config/schema.h"

namespace swarmdns::config {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

bool is_message(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

bool same_field(const Message& from, const Message& to, const FieldDescriptor* field) {
  // The differencer takes an unset field for one that holds its zero.
  if (!field->is_repeated() &&
      from.GetReflection()->HasField(from, field) != to.GetReflection()->HasField(to, field)) {
    return false;
  }
  google::protobuf::util::MessageDifferencer differencer;
  return differencer.CompareWithFields(from, to, {field}, {field});
}

v1::Reload reload_of(const FieldDescriptor* field) {
  const v1::Reload reload = rule_of(field).reload();
  return reload == v1::RELOAD_UNSPECIFIED ? v1::RESTART : reload;
}

void walk(const Message& from, const Message& to, const std::string& prefix, std::vector<Change>& changes) {
  const Reflection* reflection = from.GetReflection();
  for (int i = 0; i < from.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = from.GetDescriptor()->field(i);
    const std::string path = prefix + field->name();
    if (is_message(field) && !field->is_repeated()) {
      walk(reflection->GetMessage(from, field), reflection->GetMessage(to, field), path + ".", changes);
    } else if (is_message(field) && reflection->FieldSize(from, field) == reflection->FieldSize(to, field)) {
      for (int n = 0; n < reflection->FieldSize(from, field); ++n) {
        walk(reflection->GetRepeatedMessage(from, field, n), reflection->GetRepeatedMessage(to, field, n),
             path + "[" + std::to_string(n) + "].", changes);
      }
    } else if (!same_field(from, to, field)) {
      changes.push_back({path, reload_of(field)});
    }
  }
}

void copy_field(const Message& from, Message& to, const FieldDescriptor* field) {
  const Reflection* reflection = to.GetReflection();
  Message* scratch = from.New();
  scratch->CopyFrom(from);
  reflection->SwapFields(scratch, &to, {field});
  delete scratch;
}

void copy_live(const Message& wanted, Message& result) {
  const Reflection* reflection = wanted.GetReflection();
  for (int i = 0; i < wanted.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = wanted.GetDescriptor()->field(i);
    if (is_message(field) && !field->is_repeated()) {
      if (reflection->HasField(wanted, field) || reflection->HasField(result, field)) {
        copy_live(reflection->GetMessage(wanted, field), *reflection->MutableMessage(&result, field));
      }
    } else if (is_message(field) && reload_of(field) != v1::LIVE) {
      if (reflection->FieldSize(wanted, field) != reflection->FieldSize(result, field)) continue;
      for (int n = 0; n < reflection->FieldSize(wanted, field); ++n) {
        copy_live(reflection->GetRepeatedMessage(wanted, field, n),
                  *reflection->MutableRepeatedMessage(&result, field, n));
      }
    } else if (reload_of(field) == v1::LIVE) {
      copy_field(wanted, result, field);
    }
  }
}

}  // namespace

std::vector<Change> diff(const Message& from, const Message& to) {
  std::vector<Change> changes;
  walk(from, to, "", changes);
  return changes;
}

std::vector<std::string> paths_of(const std::vector<Change>& changes, v1::Reload reload) {
  std::vector<std::string> paths;
  for (const Change& change : changes) {
    if (change.reload == reload) paths.push_back(change.path);
  }
  return paths;
}

v1::DataplaneConfig with_live_changes(const v1::DataplaneConfig& in_force,
                                      const v1::DataplaneConfig& wanted) {
  v1::DataplaneConfig result = in_force;
  copy_live(wanted, result);
  return result;
}

}  // namespace swarmdns::config
