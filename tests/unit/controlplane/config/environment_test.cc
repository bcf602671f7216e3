#include "controlplane/config/environment.h"

#include <gtest/gtest.h>

#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

v1::Config config_of_root() {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  config.mutable_node()->set_user("root");
  config.mutable_resolver()->set_mode(v1::NONE);
  swarmdns::config::fill_defaults(config, 2);
  return config;
}

TEST(EnvironmentProblems, NothingIsAskedOfAResolverThatIsNotOurs) {
  EXPECT_TRUE(environment_problems(config_of_root()).empty());
}

TEST(EnvironmentProblems, NamesTheMissingUserAndHowToMakeIt) {
  auto config = config_of_root();
  config.mutable_node()->set_user("no-such-user");
  config.mutable_node()->add_admin_users("nobody-at-all");
  const auto problems = environment_problems(config);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].path, "node.user");
  EXPECT_EQ(problems[0].text,
            "there is no user \"no-such-user\" on this machine; make it with: useradd --system "
            "--no-create-home --shell "
            "/usr/sbin/nologin no-such-user");
  EXPECT_EQ(problems[1].path, "node.admin_users[0]");
}

TEST(EnvironmentProblems, NamesTheFilesOfTheResolver) {
  auto config = config_of_root();
  config.mutable_resolver()->set_mode(v1::UNBOUND);
  config.mutable_resolver()->set_user("root");
  config.mutable_resolver()->set_binary("/nonexistent/unbound");
  config.mutable_resolver()->set_trust_anchor_file("/nonexistent/root.key");
  config.mutable_resolver()->set_root_hints_file("/nonexistent/root.hints");
  const auto problems = environment_problems(config);
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(
      problems[0].text,
      "cannot use /nonexistent/unbound: No such file or directory; install it with: apt install unbound");
  EXPECT_EQ(problems[1].path, "resolver.trust_anchor_file");
  EXPECT_EQ(problems[2].path, "resolver.root_hints_file");
  config.mutable_resolver()->set_trust_anchor_file("");     // no validation: no anchor needed
  config.mutable_resolver()->add_forwarders("192.0.2.53");  // no recursion: no hints needed
  config.mutable_resolver()->set_binary("/bin/sh");
  EXPECT_TRUE(environment_problems(config).empty());
}

TEST(AppArmorProblem, SaysWhatToAllow) {
  auto config = config_of_root();
  config.mutable_resolver()->set_binary("/usr/sbin/unbound");
  const std::string profiles = "lsb_release (enforce)\nunbound (enforce)\n";
  EXPECT_EQ(apparmor_problem(config, profiles, ""),
            "AppArmor keeps Unbound out of /var/lib/swarmdns/resolver/; allow it with: printf '%s\\n' "
            "'/var/lib/swarmdns/resolver/** rwk,' '/var/lib/swarmdns/log/resolver.log* rw,' "
            "'/run/swarmdns/unbound.ctl rw,' >> /etc/apparmor.d/local/usr.sbin.unbound && apparmor_parser -r "
            "/etc/apparmor.d/usr.sbin.unbound");
  EXPECT_TRUE(apparmor_problem(config, "/usr/sbin/unbound (enforce)\n", ""));
}

TEST(AppArmorProblem, IsSilentWhereNothingIsInTheWay) {
  auto config = config_of_root();
  config.mutable_resolver()->set_binary("/usr/sbin/unbound");
  EXPECT_FALSE(apparmor_problem(config, "", ""));
  EXPECT_FALSE(apparmor_problem(config, "unbound (complain)\n", ""));
  EXPECT_FALSE(apparmor_problem(config, "my-unbound (enforce)\n", ""));
  EXPECT_FALSE(apparmor_problem(config, "unbound (enforce)\n", "  /var/lib/swarmdns/resolver/** rwk,\n"));
  config.mutable_resolver()->set_binary("/opt/unbound/sbin/unbound");
  EXPECT_FALSE(apparmor_problem(config, "unbound (enforce)\n", ""));
}

}  // namespace
}  // namespace swarmdns::controlplane
