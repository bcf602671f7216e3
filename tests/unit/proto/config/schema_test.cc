#include "proto/config/schema.h"

#include <gtest/gtest.h>

#include <set>

#include "proto/config/check.h"
#include "proto/config/defaults.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

void for_each_field(const Descriptor* type, const std::string& prefix,
                    const std::function<void(const FieldDescriptor*, const std::string&)>& visit) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string path = prefix + field->name();
    visit(field, path);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
      for_each_field(field->message_type(), path + ".", visit);
  }
}

TEST(Schema, EveryFieldSaysWhatAnOperatorMustKnow) {
  int leaves = 0;
  for_each_field(v1::Config::descriptor(), "", [&](const FieldDescriptor* field, const std::string& path) {
    const v1::FieldRule& rule = rule_of(field);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      EXPECT_FALSE(field->is_repeated() && rule.reload() == v1::RELOAD_UNSPECIFIED) << path;
      return;
    }
    ++leaves;
    EXPECT_NE(rule.reload(), v1::RELOAD_UNSPECIFIED) << path;
    EXPECT_TRUE(rule.internal() || !rule.help().empty()) << path;
    EXPECT_TRUE(field->is_repeated() || field->has_presence())
        << path << ": unset and 0 cannot be told apart";
    EXPECT_TRUE(field->is_repeated() || rule.required() || !default_text(field).empty())
        << path << ": no default";
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      EXPECT_NE(rule.format(), v1::FORMAT_UNSPECIFIED) << path;
    }
    const bool integer = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                         field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
    EXPECT_EQ(integer, rule.has_min() && rule.has_max()) << path;
  });
  EXPECT_GT(leaves, 80);
}

// A default outside its own range, or misspelt, would be refused by the data plane at every start.
TEST(Schema, DefaultsPassTheirOwnRules) {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  config.mutable_dataplane()->mutable_eal()->add_worker_cpus(0);
  auto* port = config.mutable_dataplane()->add_ports();
  port->set_device("net_null0");
  port->add_addresses("10.0.0.1/24");
  fill_defaults(config);
  std::vector<Problem> problems;
  check_fields(config, "", problems);
  for (const Problem& problem : problems) ADD_FAILURE() << problem.path << ": " << problem.text;
  for_each_field(v1::Config::descriptor(), "", [](const FieldDescriptor* field, const std::string& path) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      EXPECT_NE(value_of_word(field->enum_type(), rule_of(field).default_()), nullptr) << path;
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL && rule_of(field).has_default_()) {
      EXPECT_TRUE(rule_of(field).default_() == "true" || rule_of(field).default_() == "false") << path;
    }
  });
}

TEST(Schema, EnumWordsAreDistinctAndRoundTrip) {
  for (const auto* type :
       {v1::IdleMode_descriptor(), v1::AclAction_descriptor(), v1::Supervision_descriptor(),
        v1::EvictionPolicy_descriptor(), v1::ResolverMode_descriptor()}) {
    const auto words = words_of(type);
    EXPECT_EQ(std::set(words.begin(), words.end()).size(), words.size());
    for (const auto& word : words) {
      ASSERT_NE(value_of_word(type, word), nullptr);
      EXPECT_EQ(word_of(value_of_word(type, word)), word);
    }
  }
  EXPECT_EQ(words_of(v1::AclAction_descriptor()), (std::vector<std::string>{"allow", "deny", "refuse"}));
  EXPECT_EQ(value_of_word(v1::IdleMode_descriptor(), "idle_mode_unspecified"), nullptr);
}

TEST(Schema, AllowedTextNamesRangeAndUnit) {
  const auto* cache = v1::CacheConfig::descriptor();
  EXPECT_EQ(allowed_text(cache->FindFieldByName("memory_mib")), "a whole number from 16 to 32768 (MiB)");
  EXPECT_EQ(allowed_text(cache->FindFieldByName("hugepages")), "true or false");
  EXPECT_EQ(allowed_text(v1::WorkerConfig::descriptor()->FindFieldByName("idle")), "one of: adaptive, spin");
}

}  // namespace
}  // namespace swarmdns::config
