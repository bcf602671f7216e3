#include "proto/dns/question.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;

TEST(Question, IsAViewIntoTheMessage) {
  const auto message = test::header(0x0100, 1, 0, 0, 0) + test::question("wWw.example.", Type::AAAA);
  const auto question = parse_question(message, 12);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->name.data(), message.data() + 12);
  EXPECT_EQ(to_text(question->name), "wWw.example.");
  EXPECT_EQ(question->type, Type::AAAA);
  EXPECT_EQ(question->klass, Class::IN);
  EXPECT_EQ(12 + question->size(), message.size());
}

TEST(Question, EveryCutIsTruncated) {
  const auto message = test::header(0x0100, 1, 0, 0, 0) + test::question("a.bc.", Type::A);
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(parse_question(Bytes(message).first(size), 12).error(), Error::Truncated) << size;
  }
  EXPECT_EQ(parse_question(message, 1000).error(), Error::Truncated);
}

TEST(Question, NoCompression) {
  const auto message = test::header(0x0100, 1, 0, 0, 0) + hex("c00c 0001 0001");
  EXPECT_EQ(parse_question(message, 12).error(), Error::CompressionForbidden);
}

TEST(Question, EqualityIgnoresTheCaseOfTheName) {
  const Name upper = test::name("A.B.");
  const Name lower = test::name("a.b.");
  const Question q{upper, Type::A, Class::IN};
  EXPECT_EQ(q, (Question{lower, Type::A, Class::IN}));
  EXPECT_FALSE(q == (Question{lower, Type::AAAA, Class::IN}));
  EXPECT_FALSE(q == (Question{lower, Type::A, Class::CH}));
}

}  // namespace
}  // namespace swarmdns::dns
