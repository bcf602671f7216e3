#include "controlplane/app/resolver_flush.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

const std::string kName("\3www\7example\0", 13);

TEST(ResolverFlush, AllAndZones) {
  v1::FlushRequest request;
  request.set_all(true);
  EXPECT_EQ(resolver_flush_commands(request, {}), std::vector<std::string>{"flush_zone ."});
  request.set_zone(kName);
  EXPECT_EQ(resolver_flush_commands(request, {}), std::vector<std::string>{"flush_zone www.example."});
}

TEST(ResolverFlush, OneType) {
  v1::FlushRequest request;
  request.set_name(kName);
  request.set_qtype(28);
  EXPECT_EQ(resolver_flush_commands(request, {1}), std::vector<std::string>{"flush_type www.example. AAAA"});
}

TEST(ResolverFlush, AllTypesIncludeThoseWeHoldAndThoseUnboundForgetsByItself) {
  v1::FlushRequest request;
  request.set_name(kName);
  const auto commands = resolver_flush_commands(request, {65280, 16});
  EXPECT_EQ(commands.front(), "flush www.example.");
  const auto has = [&](const std::string& command) {
    return std::count(commands.begin(), commands.end(), command);
  };
  EXPECT_EQ(has("flush_type www.example. TXT"), 1);  // once, though we hold it
  EXPECT_EQ(has("flush_type www.example. DS"), 1);
  EXPECT_EQ(has("flush_type www.example. TYPE65280"), 1);
}

TEST(ResolverFlush, OddNamesCannotSmuggleACommand) {
  v1::FlushRequest request;
  request.set_name(std::string("\6a\nstop\0", 8));
  request.set_qtype(1);
  EXPECT_EQ(resolver_flush_commands(request, {}), std::vector<std::string>{"flush_type a\\010stop. A"});
  request.set_name(std::string("\x05xx", 3));
  EXPECT_TRUE(resolver_flush_commands(request, {}).empty());
  EXPECT_TRUE(resolver_flush_commands(v1::FlushRequest(), {}).empty());
}

}  // namespace
}  // namespace swarmdns::controlplane
