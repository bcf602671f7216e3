// Stores that fail, lie, hang and break off.
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/controlplane/targets/s3_fixture.h"
#include "tests/unit/controlplane/targets/target_contract.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

S3Settings impatient() {
  S3Settings settings = s3_settings();
  settings.http.stall_timeout_ms = 1000;
  return settings;
}

// Every request gets this answer.
ScriptedHttp::Handler always(ScriptedReply reply) {
  return [reply](const ScriptedRequest&) { return reply; };
}

}  // namespace

TEST(S3Faults, EachAnswerHasItsKindAndItsMend) {
  const struct {
    ScriptedReply reply;
    Kind kind;
    const char* part;
  } cases[] = {
      {s3_failure(403, "AccessDenied"), Kind::kRefused, "allow it in the policy"},
      {s3_failure(403, "InvalidAccessKeyId"), Kind::kRefused, "correct credentials_file"},
      {s3_failure(403, "SignatureDoesNotMatch"), Kind::kRefused, "the secret key is wrong"},
      {s3_failure(400, "ExpiredToken"), Kind::kRefused, "session token"},
      {s3_failure(404, "NoSuchBucket"), Kind::kInvalid, "correct bucket"},
      {s3_failure(404, "NoSuchKey"), Kind::kNotFound, "404 NoSuchKey"},
      {s3_failure(500, "InternalError", "We\tencountered"), Kind::kUnavailable, "(We encountered"},
      {s3_failure(503, "SlowDown"), Kind::kUnavailable, "it may answer later"},
      {s3_failure(429, "TooManyRequests"), Kind::kUnavailable, "later"},
      {s3_failure(507, "XMinioStorageFull"), Kind::kFull, "free space"},
      {s3_failure(403, "QuotaExceeded"), Kind::kFull, "quota"},
      {s3_failure(413, "EntityTooLarge"), Kind::kFull, "quota"},
      {s3_failure(400, "BadDigest"), Kind::kBroken, "not what was sent"},
      {s3_failure(409, "OperationAborted"), Kind::kUnavailable, "same time"},
      {s3_failure(400, "InvalidRequest"), Kind::kUnsupported, "object lock"},
      {s3_failure(501, "NotImplemented"), Kind::kUnsupported, "NotImplemented"},
      {{.status = 502, .body = "<html><body>Bad gateway"}, Kind::kUnavailable, "502"},
      {{.status = 418, .body = "a teapot"}, Kind::kBroken, "is url that of an S3 store"},
      {{.status = 301, .headers = {{"Location", "https://elsewhere.example/"}}},
       Kind::kInvalid,
       "sends to https://elsewhere.example/, which is not followed"},
      {{.status = 307, .headers = {{"x-amz-bucket-region", "eu-north-1"}}},
       Kind::kInvalid,
       "set region (and url) to it: eu-north-1"},
      {{.status = 400,
        .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"},
       Kind::kInvalid,
       "eu-west-3"},
  };
  for (const auto& each : cases) {
    ScriptedHttp http(always(each.reply));
    const auto got = s3_target(http.url())->get("packs/a", 0, 10);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, each.kind) << got.error().what;
    EXPECT_NE(got.error().what.find(each.part), std::string::npos) << got.error().what;
    EXPECT_TRUE(got.error().what.starts_with("s3 test: cannot get packs/a: ")) << got.error().what;
    EXPECT_EQ(http.requests().size(), 1u);
  }
}

TEST(S3Faults, AWrongClockIsTold) {
  ScriptedReply reply = s3_failure(403, "RequestTimeTooSkewed");
  reply.headers["Date"] = "Sun, 09 Sep 2001 01:46:40 GMT";
  ScriptedHttp http(always(reply));
  EXPECT_FAILS(s3_target(http.url())->head("a"), kRefused,
               "set it (chrony)");  // which the answer to a HEAD cannot say
  EXPECT_FAILS(s3_target(http.url())->put("a", octets_of("x")), kRefused, "set it (chrony)");
  EXPECT_FAILS(s3_target(http.url())->list("", [](const ObjectInfo&) { return true; }), kRefused,
               "s ahead of the store's: set it");
}

TEST(S3Faults, WrongKeysAreRefused) {
  Store store;
  S3Access access = write_access();
  access.write.secret_access_key = Secret("another");
  EXPECT_FAILS(s3_target(store.http.url(), s3_settings(), std::move(access))->get("a", 0, 1), kRefused,
               "secret key is wrong");
}

TEST(S3Faults, NobodyListens) {
  std::string url;
  {
    ScriptedHttp http(always({}));
    url = http.url();
  }
  EXPECT_FAILS(s3_target(url)->head("a"), kUnavailable, "127.0.0.1");
  EXPECT_FAILS(s3_target(url)->put("a", octets_of("x"), {.replace = true}), kUnavailable, "cannot put a");
}

TEST(S3Faults, NoAnswer) {
  ScriptedHttp http(always({.drop = true}));
  EXPECT_FAILS(s3_target(http.url())->get("a", 0, 1), kUnavailable, "cannot get a");
}

TEST(S3Faults, HalfAnObject) {
  ScriptedReply half{
      .status = 206, .headers = {{"Content-Range", "bytes 0-99/100"}}, .body = content(100), .cut_at = 50};
  ScriptedHttp cut(always(half));
  EXPECT_FAILS(s3_target(cut.url())->get("a", 0, 100), kUnavailable, "cannot get a");
  half.cut_at = SIZE_MAX;
  half.body = content(50);
  ScriptedHttp shorter(always(half));
  EXPECT_FAILS(s3_target(shorter.url())->get("a", 0, 100), kBroken, "50 octets");
  half.body = content(200000);
  ScriptedHttp longer(always(half));
  EXPECT_FAILS(s3_target(longer.url())->get("a", 0, 100), kBroken, "more than was asked for");
  half.body = content(100);
  half.headers["Content-Range"] = "bytes 100-199/200";
  ScriptedHttp other(always(half));
  EXPECT_FAILS(s3_target(other.url())->get("a", 0, 100), kBroken, "another range");
  half.status = 200;
  ScriptedHttp whole(always(half));
  EXPECT_FAILS(s3_target(whole.url())->get("a", 50, 100), kBroken, "does not know ranges");
}

TEST(S3Faults, NoProgress) {
  ScriptedHttp silent(always({.hold = true}));
  EXPECT_FAILS(s3_target(silent.url(), impatient())->get("a", 0, 1), kUnavailable, "too slow");
  ScriptedHttp stalls(always({.body = content(100), .cut_at = 50, .hold_after_cut = true}));
  EXPECT_FAILS(s3_target(stalls.url(), impatient())->get("a", 0, 100), kUnavailable, "too slow");
}

TEST(S3Faults, TakesTooLongInAll) {
  ScriptedHttp silent(always({.hold = true}));
  S3Settings settings = s3_settings();
  settings.http.exchange_timeout_ms = 50;
  EXPECT_FAILS(s3_target(silent.url(), settings)->head("a"), kUnavailable, "timed out");
}

TEST(S3Faults, IsCancelledFromAnotherThread) {
  std::stop_source stop;
  ScriptedHttp silent([&](const ScriptedRequest&) {
    stop.request_stop();  // by the server's thread, while the client waits
    return ScriptedReply{.hold = true};
  });
  const auto target = s3_target(silent.url(), s3_settings(), write_access(), stop.get_token());
  EXPECT_FAILS(target->get("a", 0, 1), kCancelled, "cancelled");
  EXPECT_FAILS(target->head("a"), kCancelled, "cancelled");
  EXPECT_EQ(silent.requests().size(), 1u);
}

TEST(S3Faults, ACancelledUploadIsAborted) {
  Store store;
  std::stop_source stop;
  store.before = [&](const ScriptedRequest& request) -> std::optional<ScriptedReply> {
    if (!request.has("partNumber=2")) return std::nullopt;
    stop.request_stop();
    return ScriptedReply{.hold = true};
  };
  S3Settings settings = s3_settings();
  settings.part_bytes = 1000;
  const auto target = s3_target(store.http.url(), settings, write_access(), stop.get_token());
  EXPECT_FAILS(target->put("a", octets_of(content(3000))), kCancelled, "part 2");
  EXPECT_TRUE(store.bucket.uploads.empty());
  EXPECT_TRUE(store.bucket.objects.empty());
}

TEST(S3Faults, AnUploadThatFailsAnywhereIsAborted) {
  // The request that fails, from the first on; in the end none does.
  for (std::size_t at = 0;; ++at) {
    ASSERT_LT(at, 20u);
    Store store;
    std::size_t number = 0;
    store.before = [&](const ScriptedRequest&) -> std::optional<ScriptedReply> {
      if (number++ != at) return std::nullopt;
      return s3_failure(500, "InternalError");
    };
    S3Settings settings = s3_settings();
    settings.part_bytes = 1000;
    const auto target = store.target(settings);
    const auto done = target->put("a", octets_of(content(2500)));
    EXPECT_TRUE(store.bucket.uploads.empty()) << at;
    if (done) {
      EXPECT_EQ(store.bucket.objects["node/backups/a"].content, content(2500));
      EXPECT_EQ(at, 6u);  // HEAD, begin, three parts, complete
      break;
    }
    EXPECT_EQ(done.error().kind, Kind::kUnavailable);
    EXPECT_TRUE(store.bucket.objects.empty());
    EXPECT_DONE(target->put("a", octets_of(content(2500))));
  }
}

TEST(S3Faults, ACompleteUploadWhoseAnswerIsLostIsFoundAgain) {
  Store store;
  bool lost = false;
  store.before = [&](const ScriptedRequest& request) -> std::optional<ScriptedReply> {
    if (lost || request.method != "POST" || !request.has("uploadId=")) return std::nullopt;
    lost = true;
    store.bucket.answer(request);
    return ScriptedReply{.drop = true};
  };
  S3Settings settings = s3_settings();
  settings.part_bytes = 1000;
  const auto target = store.target(settings);
  EXPECT_FAILS(target->put("a", octets_of(content(2500))), kUnavailable, "complete the upload of a");
  EXPECT_DONE(target->put("a", octets_of(content(2500))));
  EXPECT_EQ(store.count("POST", "uploadId="), 1u);
}

TEST(S3Faults, AnErrorBehindStatus200) {
  Store store;
  store.before = [](const ScriptedRequest& request) -> std::optional<ScriptedReply> {
    if (request.method != "POST" || !request.has("uploadId=")) return std::nullopt;
    ScriptedReply reply = s3_failure(200, "InternalError", "try again");
    return reply;
  };
  S3Settings settings = s3_settings();
  settings.part_bytes = 1000;
  EXPECT_FAILS(store.target(settings)->put("a", octets_of(content(2500))), kUnavailable,
               "InternalError (try again)");
  EXPECT_TRUE(store.bucket.uploads.empty());
}

TEST(S3Faults, WhatArrivesDamagedIsNotTaken) {
  Store store;
  store.before = [&](const ScriptedRequest& request) -> std::optional<ScriptedReply> {
    if (request.method != "PUT") return std::nullopt;
    return ScriptedReply{.headers = {{"ETag", "\"00000000000000000000000000000000\""}}};
  };
  EXPECT_FAILS(store.target()->put("a", octets_of("x")), kBroken, "its ETag says so");
}

TEST(S3Faults, ListingsThatMakeNoSense) {
  const std::string begin = "<ListBucketResult><IsTruncated>";
  const std::string object = "<Contents><Key>node/backups/a</Key><Size>1</Size></Contents>";
  const struct {
    std::string body;
    const char* part;
  } cases[] = {
      {"", "makes no sense"},
      {"garbage", "makes no sense"},
      {"<html></html>", "<html>"},
      {begin + "false</IsTruncated>" + object, "makes no sense"},
      {begin + "false</IsTruncated><Contents><Size>1</Size></Contents></ListBucketResult>", "without a key"},
      {begin + "false</IsTruncated><Contents><Key>node/backups/a</Key><Size>-1</Size></Contents></"
               "ListBucketResult>",
       "no number"},
      {begin + "false</IsTruncated>" + object + object + "</ListBucketResult>", "order of names"},
      {begin + "false</IsTruncated><Contents><Key>etc/passwd</Key></Contents></ListBucketResult>",
       "does not begin with"},
      {begin + "true</IsTruncated>" + object + "</ListBucketResult>", "gives no more"},
      {begin + "true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>",
       "gives no more"},
      {"<!DOCTYPE x [<!ENTITY a \"aaaa\">]>" + begin + "false</IsTruncated></ListBucketResult>",
       "document type"},
      {begin + std::string(5000, 'x') + "</IsTruncated></ListBucketResult>", "too long"},
  };
  for (const auto& each : cases) {
    ScriptedHttp http(always({.body = each.body}));
    EXPECT_FAILS(s3_target(http.url())->list("", [](const ObjectInfo&) { return true; }), kBroken, each.part);
  }
}

TEST(S3Faults, UploadsThatMakeNoSense) {
  const std::string more = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>";
  const struct {
    std::string body;
    const char* part;
  } cases[] = {
      {"garbage", "makes no sense"},
      {"<ListBucketResult/>", "<ListBucketResult>"},
      {more + "<Upload><Key>a</Key></Upload></ListMultipartUploadsResult>", "without a key or an id"},
      {more + "</ListMultipartUploadsResult>", "gives no more"},
      {more + "<NextKeyMarker>a</NextKeyMarker></ListMultipartUploadsResult>", "gives no more"},
  };
  for (const auto& each : cases) {
    ScriptedHttp http(always({.body = each.body}));
    EXPECT_FAILS(s3_target(http.url())->sweep(0), kBroken, each.part);
  }
}

TEST(S3Faults, AHandshakeThatHangs) {
  Store store;  // which waits for plain HTTP
  S3Settings settings = s3_settings();
  settings.http.connect_timeout_ms = 100;
  EXPECT_FAILS(s3_target("https" + store.http.url().substr(4), settings)->head("a"), kUnavailable,
               "SSL connection timeout");
  EXPECT_TRUE(store.http.requests().empty());
}

}  // namespace swarmdns::controlplane
