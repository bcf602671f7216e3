#include "controlplane/cli/completion.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "controlplane/cli/cli.h"
#include "controlplane/supervise/run_program.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

std::string script_of(const std::string& shell) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  CliEnvironment environment{.out = out, .err = err, .in = in};
  EXPECT_EQ(run_cli({"completion", shell}, environment), 0) << err.str();
  return out.str();
}

// What bash offers for the words typed; the last one is being completed.
std::string bash_offers(const std::vector<std::string>& words) {
  char pattern[] = "/tmp/completion_XXXXXX";
  const std::string dir = mkdtemp(pattern);
  std::string script = script_of("bash") + "COMP_WORDS=(swarmctl";
  for (const auto& word : words) script += " '" + word + "'";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\ncd " + dir +
            "\n_swarmctl\necho \"${COMPREPLY[*]}\"\n";
  EXPECT_TRUE(config::write_file_atomically(dir + "/script", script));
  const auto result = run_program({"/bin/bash", dir + "/script"}, 20000);
  std::filesystem::remove_all(dir);
  if (!result) return result.error();
  std::string output = result->output;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

TEST(Completion, BashOffersCommandsByLevel) {
  EXPECT_EQ(bash_offers({"sta"}), "status stats");
  EXPECT_EQ(bash_offers({"cache", "d"}), "dump");
  EXPECT_EQ(bash_offers({"cache", "flush", "--a"}), "--all");
  EXPECT_EQ(bash_offers({"-o", "json", "port", "un"}), "unbind");
  EXPECT_EQ(bash_offers({"node", "restart", "r"}), "resolver");
  EXPECT_EQ(bash_offers({"swarm", "r"}), "remove recover rotate-ca");
  EXPECT_EQ(bash_offers({"ledger", "prove", "m"}), "mutation");
  EXPECT_EQ(bash_offers({"ledger", "rollback", "--only", "ca"}), "cache");
  EXPECT_EQ(bash_offers({"swarm", "settings", "max_v"}), "max_voters=");
  EXPECT_EQ(bash_offers({"completion", ""}).find("bash") == std::string::npos, false);
}

TEST(Completion, BashOffersFilesWhereAFileIsWanted) {
  EXPECT_EQ(bash_offers({"config", "check", "scr"}), "script");
  EXPECT_EQ(bash_offers({"cache", "show", "scr"}), "");
  EXPECT_EQ(bash_offers({"swarm", "init", "--root-key", "scr"}), "script");
  EXPECT_EQ(bash_offers({"ledger", "verify", "scr"}), "script");
}

TEST(Completion, OtherShellsNameEveryCommand) {
  for (const char* shell : {"zsh", "fish"}) {
    const std::string script = script_of(shell);
    for (const char* word : {"status", "flush", "unbind", "reference", "per-lcore"}) {
      EXPECT_NE(script.find(word), std::string::npos) << shell << ": " << word;
    }
  }
}

}  // namespace
}  // namespace swarmdns::controlplane
