#include "controlplane/targets/s3_url.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {

TEST(S3Url, PathAndVirtualHost) {
  const auto path = S3Urls::make("https://s3.example:8443", "swarm", S3Style::kPath);
  ASSERT_TRUE(path) << path.error();
  EXPECT_EQ(path->object("node/a_b~c+d e"), "https://s3.example:8443/swarm/node/a_b~c%2Bd%20e");
  EXPECT_EQ(path->bucket({{"uploads", ""}, {"prefix", "a/b"}}),
            "https://s3.example:8443/swarm?prefix=a%2Fb&uploads=");
  const auto host = S3Urls::make("https://s3.example/", "swarm", S3Style::kVirtualHost);
  ASSERT_TRUE(host) << host.error();
  EXPECT_EQ(host->object("a", {{"uploadId", "x/y="}, {"partNumber", "1"}}),
            "https://swarm.s3.example/a?partNumber=1&uploadId=x%2Fy%3D");
  EXPECT_EQ(host->bucket({{"list-type", "2"}}), "https://swarm.s3.example/?list-type=2");
}

TEST(S3Url, PlainHttpStaysOnThisMachine) {
  for (const char* url :
       {"http://127.0.0.1:9000", "http://127.1.2.3", "http://[::1]:9000", "http://localhost:9000"}) {
    EXPECT_TRUE(S3Urls::make(url, "swarm", S3Style::kPath)) << url;
  }
  for (const char* url : {"http://192.0.2.1", "http://s3.example", "http://127.0.0.1.example", "http://[::2]",
                          "http://localhost.example"}) {
    const auto urls = S3Urls::make(url, "swarm", S3Style::kPath);
    ASSERT_FALSE(urls) << url;
    EXPECT_NE(urls.error().find("url: http:// is taken for this machine itself"), std::string::npos)
        << urls.error();
  }
}

TEST(S3Url, ErrorsNameTheField) {
  const struct {
    const char* url;
    const char* bucket;
    S3Style style;
    const char* part;
  } cases[] = {
      {"", "swarm", S3Style::kPath, "url: '' is no URL"},
      {"s3.example", "swarm", S3Style::kPath, "url:"},
      {"ftp://s3.example", "swarm", S3Style::kPath, "url: an S3 store is asked by https://, not by ftp"},
      {"https://key:secret@s3.example", "swarm", S3Style::kPath, "url: no user"},
      {"https://s3.example/swarm", "swarm", S3Style::kPath, "url: nothing behind the host"},
      {"https://s3.example?x", "swarm", S3Style::kPath, "url: nothing behind the host"},
      {"https://s3.example", "Swarm", S3Style::kPath, "bucket: 'Swarm'"},
      {"https://s3.example", "sw", S3Style::kPath, "bucket: 'sw'"},
      {"https://s3.example", "swarm/x", S3Style::kPath, "bucket:"},
      {"https://s3.example", "a..b", S3Style::kPath, "bucket:"},
      {"https://192.0.2.1", "swarm", S3Style::kVirtualHost, "style: virtual_host needs a host name"},
      {"https://s3.example", "swarm.backups", S3Style::kVirtualHost, "style: no certificate covers"},
  };
  for (const auto& each : cases) {
    const auto urls = S3Urls::make(each.url, each.bucket, each.style);
    ASSERT_FALSE(urls) << each.url;
    EXPECT_NE(urls.error().find(each.part), std::string::npos) << urls.error();
    EXPECT_EQ(urls.error().find("secret"), std::string::npos) << urls.error();
  }
}

}  // namespace swarmdns::controlplane
