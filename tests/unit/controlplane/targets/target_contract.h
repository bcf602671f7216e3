// What every target keeps, whatever it is made of; and words that the tests of targets share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

inline std::span<const std::byte> octets_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string text_of(const std::vector<std::byte>& octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

inline std::string content(std::size_t bytes, unsigned seed = 1) {
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return text;
}

inline std::vector<std::string> names_of(Target& target, const std::string& prefix = "") {
  std::vector<std::string> names;
  const auto done = target.list(prefix, [&](const ObjectInfo& info) {
    names.push_back(info.name);
    return true;
  });
  EXPECT_TRUE(done) << done.error().what;
  return names;
}

#define EXPECT_DONE(expression)               \
  do {                                        \
    const auto done_ = (expression);          \
    EXPECT_TRUE(done_) << done_.error().what; \
  } while (false)

// The kind of a failure, and a part of its sentence.
#define EXPECT_FAILS(expression, expected_kind, part)                                      \
  do {                                                                                     \
    const auto done_ = (expression);                                                       \
    ASSERT_FALSE(done_);                                                                   \
    EXPECT_EQ(done_.error().kind, TargetError::Kind::expected_kind) << done_.error().what; \
    EXPECT_NE(done_.error().what.find(part), std::string::npos) << done_.error().what;     \
  } while (false)

inline void keeps_the_contract(Target& target) {
  EXPECT_TRUE(names_of(target).empty());
  const std::string body = content(5000);
  EXPECT_DONE(target.put("packs/ab/one", octets_of(body)));
  EXPECT_DONE(target.put("packs/ab/one", octets_of(body)));
  EXPECT_FAILS(target.put("packs/ab/one", octets_of(content(5000, 2))), kExists, "packs/ab/one");
  EXPECT_FAILS(target.put("packs/ab/one", octets_of("shorter")), kExists, "packs/ab/one");
  EXPECT_DONE(target.put("empty", {}));
  EXPECT_EQ(text_of(target.get("packs/ab/one", 0, 5000).value()), body);
  EXPECT_EQ(text_of(target.get("packs/ab/one", 4000, 1000).value()), body.substr(4000));
  EXPECT_EQ(text_of(target.get("packs/ab/one", 17, 1).value()), body.substr(17, 1));
  EXPECT_EQ(target.get("packs/ab/one", 5000, 0).value().size(), 0u);
  EXPECT_EQ(target.get("empty", 0, 0).value().size(), 0u);
  EXPECT_FAILS(target.get("packs/ab/one", 4000, 1001), kBroken, "packs/ab/one");
  EXPECT_FAILS(target.get("packs/ab/one", 5000, 1), kBroken, "packs/ab/one");
  EXPECT_FAILS(target.get("packs/ab/one", 5001, 0), kBroken, "packs/ab/one");
  EXPECT_FAILS(target.get("empty", 0, 1), kBroken, "empty");
  EXPECT_FAILS(target.get("packs/ab/two", 0, 1), kNotFound, "packs/ab/two");
  EXPECT_FAILS(target.get("none/two", 0, 0), kNotFound, "none/two");

  const auto info = target.head("packs/ab/one");
  ASSERT_TRUE(info) << info.error().what;
  EXPECT_EQ(info->name, "packs/ab/one");
  EXPECT_EQ(info->bytes, 5000u);
  EXPECT_FAILS(target.head("packs/ab"), kNotFound, "packs/ab");

  EXPECT_DONE(target.put("envelope", octets_of("old"), {.replace = true}));
  EXPECT_DONE(target.put("envelope", octets_of("newer"), {.replace = true}));
  EXPECT_EQ(text_of(target.get("envelope", 0, 5).value()), "newer");

  for (const char* name : {"packs/ab-c", "packs/ab.c", "packs/ab0", "packs/b/z", "packs/b/a"}) {
    EXPECT_DONE(target.put(name, octets_of(name)));
  }
  EXPECT_EQ(names_of(target, "packs/"), (std::vector<std::string>{"packs/ab-c", "packs/ab.c", "packs/ab/one",
                                                                  "packs/ab0", "packs/b/a", "packs/b/z"}));
  EXPECT_EQ(names_of(target, "packs/ab"),
            (std::vector<std::string>{"packs/ab-c", "packs/ab.c", "packs/ab/one", "packs/ab0"}));
  EXPECT_EQ(names_of(target, "packs/ab/one"), (std::vector<std::string>{"packs/ab/one"}));
  EXPECT_TRUE(names_of(target, "packs/ab/one/").empty());
  EXPECT_TRUE(names_of(target, "q").empty());
  EXPECT_EQ(names_of(target).size(), 8u);
  int seen = 0;
  EXPECT_DONE(target.list("", [&](const ObjectInfo&) { return ++seen < 3; }));
  EXPECT_EQ(seen, 3);

  EXPECT_DONE(target.remove("packs/ab/one"));
  EXPECT_DONE(target.remove("packs/ab/one"));
  EXPECT_DONE(target.remove("none/such"));
  EXPECT_FAILS(target.head("packs/ab/one"), kNotFound, "packs/ab/one");
  EXPECT_EQ(names_of(target).size(), 7u);

  for (const char* name : {"", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "A", "a b", "~new/x"}) {
    EXPECT_FAILS(target.put(name, octets_of("x")), kInvalid, "name");
    EXPECT_FAILS(target.get(name, 0, 1), kInvalid, "name");
    EXPECT_FAILS(target.head(name), kInvalid, "name");
    EXPECT_FAILS(target.remove(name), kInvalid, "name");
  }
  EXPECT_DONE(target.sweep(0));
}

}  // namespace swarmdns::controlplane
