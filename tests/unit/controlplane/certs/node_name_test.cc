#include "controlplane/certs/node_name.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

const std::string kUri = "swarmdns://303132333435363738396162636465ff/2/node/17";
const NodeName kName{"0123456789abcde\xff", 2, 17};

TEST(NodeName, IsWrittenAndReadBack) {
  EXPECT_EQ(node_uri(kName), kUri);
  EXPECT_EQ(parse_node_uri(kUri), kName);
  EXPECT_EQ(parse_node_uri(node_uri({kName.swarm_id, 4294967295u, 18446744073709551615u}))->node,
            18446744073709551615u);
}

TEST(NodeName, AnythingElseIsNone) {
  const std::string id = "303132333435363738396162636465ff";
  for (const std::string& uri :
       {std::string(), std::string("swarmdns://"), "https://" + id + "/2/node/17", "swarmdns://" + id,
        "swarmdns://" + id + "/2", "swarmdns://" + id + "/2/node/", "swarmdns://" + id + "/2/node/0",
        "swarmdns://" + id + "/0/node/1", "swarmdns://" + id + "/02/node/1",
        "swarmdns://" + id + "/2/node/17 ", "swarmdns://" + id + "/2/node/17/x",
        "swarmdns://" + id + "/4294967296/node/1", "swarmdns://" + id + "/2/node/18446744073709551616",
        "swarmdns://" + id.substr(2) + "/2/node/1", "swarmdns://" + id.substr(2) + "FF/2/node/1",
        "swarmdns://" + id.substr(2) + "0g/2/node/1", "swarmdns://" + id + "/-1/node/1"}) {
    EXPECT_FALSE(parse_node_uri(uri)) << uri;
  }
}

}  // namespace
}  // namespace swarmdns::controlplane
