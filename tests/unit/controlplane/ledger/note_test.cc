#include "controlplane/ledger/note.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

// The example of tlog-cosignature: a checkpoint with a log's signature and a witness's.
const std::string kExample =
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/"
    "zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

TEST(Note, ExampleOfTheSpecification) {
  const auto note = parse_note(kExample);
  ASSERT_TRUE(note) << note.error();
  EXPECT_TRUE(note->text.ends_with("q2I=\n"));
  ASSERT_EQ(note->signatures.size(), 2u);
  EXPECT_EQ(note->signatures[0].name, "example.com/behind-the-sofa");
  EXPECT_EQ(note->signatures[0].octets.size(), 64u);
  EXPECT_EQ(note->signatures[1].name, "witness.example.com/w1");
  EXPECT_EQ(note->signatures[1].key_id, 0x8d66cf3fu);
  EXPECT_EQ(note->signatures[1].octets.size(), 72u);
  EXPECT_EQ(OctetReader(as_octets(note->signatures[1].octets)).be64(), 1679315147u);
  EXPECT_EQ(format_note(*note), kExample);
}

TEST(Note, TextMayHaveEmptyLines) {
  const auto note = parse_note("a\n\nb\n\n— n AAAAAAA=\n");
  ASSERT_TRUE(note) << note.error();
  EXPECT_EQ(note->text, "a\n\nb\n");
  EXPECT_EQ(note->signatures.size(), 1u);
}

TEST(Note, MalformedOnesAreRefused) {
  const std::string good = "a\n\n— n AAAAAAA=\n";
  ASSERT_TRUE(parse_note(good));
  for (const std::string& bad : {
           std::string(),
           std::string("\n"),
           std::string("a\n"),
           std::string("a\n\n"),
           std::string("a\n\n\n"),
           std::string("a\n— n AAAAAAA=\n"),          // no empty line
           std::string("a\n\n— n AAAAAAA="),          // no newline at the end
           good + "\n",                               // an empty line behind
           good + "x\n",                              // a line that is no signature
           std::string("a\n\n- n AAAAAAA=\n"),        // a hyphen
           std::string("a\n\n—n AAAAAAA=\n"),         // no space behind the dash
           std::string("a\n\n—  n AAAAAAA=\n"),       // two
           std::string("a\n\n— n  AAAAAAA=\n"),       // two before the signature
           std::string("a\n\n— n\n"),                 // no signature
           std::string("a\n\n—  AAAAAAA=\n"),         // no name
           std::string("a\n\n— n+m AAAAAAA=\n"),      // a plus in the name
           std::string("a\n\n— n\u00a0 AAAAAAA=\n"),  // a Unicode space in the name
           std::string("a\n\n— n AAAAAA==\n"),        // a key id alone
           std::string("a\n\n— n AAAAAAB=\n"),        // base64 with bits behind its end
           std::string("a\n\n— n AAAAAAA\n"),         // without padding
           std::string("a\n\n— n AAAAAAA= \n"),       // a space at the end
           std::string("a\r\n\n— n AAAAAAA=\n"),      // a carriage return
           std::string("a\t\n\n— n AAAAAAA=\n"),      // a tab
           std::string("\xff\n\n— n AAAAAAA=\n"),     // not UTF-8
           std::string("\xc0\x80\n\n— n AAAAAAA=\n"),
           std::string("\xed\xa0\x80\n\n— n AAAAAAA=\n"),
           std::string("\xf4\x90\x80\x80\n\n— n AAAAAAA=\n"),
           std::string("\xe2\x82\n\n— n AAAAAAA=\n"),
       }) {
    EXPECT_FALSE(parse_note(bad)) << bad;
  }
}

TEST(Note, SizeAndSignaturesAreLimited) {
  Note note{"a\n", std::vector<NoteSignature>(kNoteSignaturesMost, {"n", 1, "s"})};
  EXPECT_EQ(*parse_note(format_note(note)), note);
  note.signatures.push_back({"n", 1, "s"});
  EXPECT_EQ(parse_note(format_note(note)).error(), "a note has at most 64 signatures");
  const std::string large(kNoteOctetsMost, 'a');
  EXPECT_EQ(parse_note(large + "\n\n— n AAAAAAA=\n").error(), "a note has at most 65536 octets");
}

TEST(VerifierKey, GoesThereAndBack) {
  const VerifierKey key = samples::vkey(1);
  const std::string text = format_vkey(key);
  EXPECT_TRUE(text.starts_with("n1+")) << text;
  const auto again = parse_vkey(text);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, key);
}

// Base64 may have plus signs of its own.
TEST(VerifierKey, PlusInTheKeyIsNoSeparator) {
  VerifierKey key{"n", {}};
  key.key.fill(std::byte{0xFB});
  EXPECT_GT(std::ranges::count(format_vkey(key), '+'), 2);
  EXPECT_EQ(*parse_vkey(format_vkey(key)), key);
}

TEST(VerifierKey, EveryOctetCounts) {
  const std::string good = format_vkey(samples::vkey(1));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string text = good;
    text[i] = static_cast<char>(text[i] ^ 0x01);
    EXPECT_FALSE(parse_vkey(text)) << text;
    EXPECT_FALSE(parse_vkey(good.substr(0, i))) << good.substr(0, i);
  }
  EXPECT_FALSE(parse_vkey(good + "="));
  EXPECT_FALSE(parse_vkey(good + "\n"));
}

// The example of signed-note is a key of another type.
TEST(VerifierKey, OtherTypesAreRefused) {
  EXPECT_EQ(
      parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").error(),
      "verifier key \"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\": it is not "
      "a key for Ed25519 cosignatures (type 4)");
}

TEST(VerifierKey, NamesAreChecked) {
  EXPECT_TRUE(is_key_name("example.com/log42"));
  EXPECT_TRUE(is_key_name("knoten-ä"));
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a+b"), std::string("a\nb"), std::string("a\u2003b"),
        std::string("a\u3000"), std::string("\x85"), std::string("a\0b", 3), std::string(256, 'a')})
    EXPECT_FALSE(is_key_name(bad)) << bad;
}

}  // namespace
}  // namespace swarmdns::controlplane
