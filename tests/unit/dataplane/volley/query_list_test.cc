#include "dataplane/volley/query_list.h"

#include <gtest/gtest.h>

#include "dataplane/net/checksum.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::volley {
namespace {

TEST(QueryList, TakesNamesAndTypesAndPassesOverComments) {
  const auto list = QueryList::parse(
      "# comment\n\nwww.Example.com. A\r\n  example.org\tTYPE65280  \n; another\n. NS", "list");
  ASSERT_TRUE(list) << list.error();
  ASSERT_EQ(list->size(), 3U);
  EXPECT_EQ(test::to_hex(list->question(0)),
            test::to_hex(test::hex("03 777777 07 4578616d706c65 03 636f6d 00 0001 0001")));
  EXPECT_EQ(test::to_hex(list->question(1)),
            test::to_hex(test::hex("07 6578616d706c65 03 6f7267 00 ff00 0001")));
  EXPECT_EQ(test::to_hex(list->question(2)), test::to_hex(test::hex("00 0002 0001")));
  EXPECT_EQ(list->type(1), static_cast<dns::Type>(65280));
  EXPECT_EQ(list->name(0).size(), 17U);
}

TEST(QueryList, KnowsTheSumOfEachQuestion) {
  const auto list = QueryList::parse("a.example. A\nab.example. AAAA\n", "list");
  ASSERT_TRUE(list);
  for (std::uint32_t i = 0; i < list->size(); ++i) {
    const auto question = list->question(i);
    const unsigned sum = ~test::internet_checksum(question) & 0xffff;  // in network order
    EXPECT_EQ(__builtin_bswap16(list->sum(i)), sum) << i;
  }
}

TEST(QueryList, NamesTheLineThatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto list = QueryList::parse(text, "q.txt");
    return list ? std::string("none") : list.error();
  };
  EXPECT_EQ(error("a. A\nb.\n").substr(0, 8), "q.txt:2:");
  EXPECT_EQ(error("a. A extra\n").substr(0, 8), "q.txt:1:");
  EXPECT_NE(error("a..b. A\n").find("EmptyLabel"), std::string::npos);
  EXPECT_NE(error("a. NOSUCH\n").find("NOSUCH"), std::string::npos);
  EXPECT_NE(error(std::string(64, 'x') + ". A\n").find("LabelTooLong"), std::string::npos);
  EXPECT_NE(error("# nothing\n").find("no question"), std::string::npos);
}

TEST(QueryList, WordsKeepWhatIsQuoted) {
  const auto words = words_of("x TXT \"a  b\" \"c\\\" d\" e");
  ASSERT_EQ(words.size(), 5U);
  EXPECT_EQ(words[2], "\"a  b\"");
  EXPECT_EQ(words[3], "\"c\\\" d\"");
}

}  // namespace
}  // namespace swarmdns::volley
