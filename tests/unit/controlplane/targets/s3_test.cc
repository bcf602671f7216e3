// S3Target against a bucket in memory, which checks each signature.
#include "controlplane/targets/s3.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/targets/s3_fixture.h"
#include "tests/unit/controlplane/targets/target_contract.h"

namespace swarmdns::controlplane {

TEST(S3Target, KeepsTheContract) {
  Store store;
  keeps_the_contract(*store.target());
}

TEST(S3Target, KeepsTheContractWithoutIfNoneMatch) {
  Store store;
  store.bucket.conditional = false;
  keeps_the_contract(*store.target());
}

TEST(S3Target, KeepsTheContractWhereEtagsAreNoDigests) {
  Store store;
  store.bucket.plain_etags = false;
  keeps_the_contract(*store.target());
}

TEST(S3Target, KeepsTheContractInParts) {
  Store store;
  S3Settings settings = s3_settings();
  settings.part_bytes = 1000;
  keeps_the_contract(*store.target(settings));
  EXPECT_TRUE(store.bucket.uploads.empty());
}

TEST(S3Target, KeepsTheContractAtAHostOfItsOwn) {
  Store store;
  store.bucket.host = "swarm.localhost";
  keeps_the_contract(
      *s3_target(store.http.url("localhost"), s3_settings(), write_access(), {}, S3Style::kVirtualHost));
}

TEST(S3Target, WithoutAPrefix) {
  Store store;
  S3Settings settings = s3_settings();
  settings.prefix = "";
  keeps_the_contract(*store.target(settings));
}

TEST(S3Target, SignsTheSessionToken) {
  Store store;
  S3Access access = write_access();
  access.write.session_token = Secret("a/session+token==");
  EXPECT_DONE(s3_target(store.http.url(), s3_settings(), std::move(access))->put("a", octets_of("x")));
  EXPECT_EQ(store.http.requests().back().header("x-amz-security-token"), "a/session+token==");
}

TEST(S3Target, AnObjectThatIsThereIsNotSentAgain) {
  Store store;
  const auto target = store.target();
  EXPECT_DONE(target->put("a", octets_of("content")));
  EXPECT_DONE(target->put("a", octets_of("content")));
  EXPECT_EQ(store.count("PUT"), 1u);
  EXPECT_EQ(store.count("GET"), 0u);
}

TEST(S3Target, AnObjectThatComesMeanwhileIsNotReplaced) {
  Store store;
  bool put_by_others = false;
  std::string theirs = "theirs";
  store.before = [&](const ScriptedRequest& request) -> std::optional<ScriptedReply> {
    if (request.method == "PUT" && !put_by_others) {
      put_by_others = true;
      store.bucket.objects["node/backups/a"] = {theirs, "no-digest", "", ""};
    }
    return std::nullopt;
  };
  EXPECT_FAILS(store.target()->put("a", octets_of("mine")), kExists, "other octets");
  EXPECT_EQ(store.bucket.objects["node/backups/a"].content, "theirs");
  store.bucket.objects.clear();
  put_by_others = false;
  theirs = "mine";
  EXPECT_DONE(store.target()->put("a", octets_of("mine")));
}

TEST(S3Target, AsksOnceWhetherTheStoreHasConditions) {
  Store store;
  store.bucket.conditional = false;
  const auto target = store.target();
  EXPECT_DONE(target->put("a", octets_of("x")));
  EXPECT_DONE(target->put("b", octets_of("x")));
  EXPECT_EQ(store.count("PUT"), 3u);
}

TEST(S3Target, LargeBodiesWaitForTheStoreToAgree) {
  Store store;
  const std::string body = content(3 << 20);
  const auto target = store.target();
  EXPECT_DONE(target->put("a", octets_of(body)));
  EXPECT_EQ(text_of(target->get("a", 0, body.size()).value()), body);
  bool expected = false;
  for (const auto& request : store.http.requests()) expected |= request.header("expect") == "100-continue";
  EXPECT_TRUE(expected);
}

TEST(S3Target, LocksAndReadsTheLockBack) {
  Store store;
  const auto target = store.target();
  EXPECT_DONE(target->put("a", octets_of("x"), {.locked_until_ms = 2'000'000'000'500}));
  EXPECT_EQ(store.bucket.objects["node/backups/a"].lock_mode, "GOVERNANCE");
  EXPECT_EQ(store.bucket.objects["node/backups/a"].locked_until, "2033-05-18T03:33:21Z");
  // Put again for longer: the same object, locked for longer; for less, nothing is changed.
  EXPECT_DONE(target->put("a", octets_of("x"), {.locked_until_ms = 2'000'086'400'000}));
  EXPECT_EQ(store.bucket.objects["node/backups/a"].locked_until, "2033-05-19T03:33:20Z");
  EXPECT_DONE(target->put("a", octets_of("x"), {.locked_until_ms = 1'000}));
  EXPECT_EQ(store.bucket.objects["node/backups/a"].locked_until, "2033-05-19T03:33:20Z");

  S3Settings settings = s3_settings();
  settings.part_bytes = 1000;
  settings.lock_mode = S3LockMode::kCompliance;
  EXPECT_DONE(
      store.target(settings)->put("parts", octets_of(content(2500)), {.locked_until_ms = 2'000'000'000'000}));
  EXPECT_EQ(store.bucket.objects["node/backups/parts"].lock_mode, "COMPLIANCE");
}

TEST(S3Target, ALockThatIsForgottenIsSaid) {
  Store store;
  store.bucket.locks = false;
  EXPECT_FAILS(store.target()->put("a", octets_of("x"), {.locked_until_ms = 2'000'000'000'000}), kUnsupported,
               "object_lock_days");
  EXPECT_FAILS(store.target()->put("a", octets_of("x"), {.locked_until_ms = 2'000'000'000'000}), kUnsupported,
               "no object lock");
}

TEST(S3Target, RemovesWithAKeyOfItsOwn) {
  Store store;
  store.bucket.delete_key = true;
  EXPECT_DONE(store.target()->put("a", octets_of("x")));
  EXPECT_FAILS(store.target()->remove("a"), kRefused, "AccessDenied");
  S3Access access = write_access();
  access.remove = S3Credentials{Bucket::kDeleteKey, Secret(Bucket::kDeleteSecret), Secret()};
  const auto target = s3_target(store.http.url(), s3_settings(), std::move(access));
  EXPECT_DONE(target->remove("a"));
  EXPECT_TRUE(store.bucket.objects.empty());
  EXPECT_DONE(target->put("b", octets_of("x")));
}

TEST(S3Target, ObjectsOfOthersAreNotListed) {
  Store store;
  store.bucket.objects["node/backups/A Foreign Name"] = {"x", "e", "", ""};
  store.bucket.objects["node/backups/"] = {"", "e", "", ""};
  store.bucket.objects["node/backups/mine"] = {"x", "e", "", ""};
  store.bucket.objects["other/mine"] = {"x", "e", "", ""};
  EXPECT_EQ(names_of(*store.target()), (std::vector<std::string>{"mine"}));
}

TEST(S3Target, ListsPageByPage) {
  Store store;
  for (int i = 0; i < 20; ++i) {
    store.bucket.objects["node/backups/packs/" + std::to_string(100 + i)] = {std::string(i, 'x'), "e", "",
                                                                             ""};
  }
  const auto target = store.target();
  EXPECT_EQ(names_of(*target, "packs/").size(), 20u);
  EXPECT_EQ(store.count("GET", "list-type=2"), 7u);
  int seen = 0;
  EXPECT_DONE(target->list("packs/", [&](const ObjectInfo& info) {
    EXPECT_EQ(info.bytes, static_cast<std::uint64_t>(seen));
    EXPECT_EQ(info.modified_ms, 1'000'000'000'000);
    return ++seen < 4;
  }));
  EXPECT_EQ(store.count("GET", "list-type=2"), 9u);
}

TEST(S3Target, SweepsOldUploadsOfItsPrefix) {
  Store store;
  for (int i = 0; i < 8; ++i) {
    store.bucket.uploads["old" + std::to_string(i)] = {
        "node/backups/packs/a", "2001-09-09T01:46:40.000Z", {}, {}};
  }
  store.bucket.uploads["other"] = {"other/packs/a", "2001-09-09T01:46:40.000Z", {}, {}};
  store.bucket.uploads["young"] = {"node/backups/packs/a", "2099-09-09T01:46:40.000Z", {}, {}};
  EXPECT_EQ(store.target()->sweep(24 * 3'600'000).value(), 8u);
  EXPECT_EQ(store.bucket.uploads.size(), 2u);
  EXPECT_EQ(store.target()->sweep(24 * 3'600'000).value(), 0u);
}

}  // namespace swarmdns::controlplane
