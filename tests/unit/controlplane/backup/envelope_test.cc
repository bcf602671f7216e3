#include "controlplane/backup/envelope.h"

#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

const std::string kObject = "epochs/00";

Envelope sealed(const RootKey& key, std::initializer_list<unsigned> recipients, const std::string& day = "") {
  std::vector<Recipient> who;
  for (const unsigned one : recipients) who.push_back(samples::operator_key(one).recipient);
  const RootKey epoch = samples::root_key(1);
  return *seal_envelope(epoch.commitment(), day, key, who);
}

TEST(Envelope, OpensForEachRecipient) {
  const RootKey key = samples::root_key(1);
  const Envelope envelope = sealed(key, {10, 20, 30});
  const auto read = decode_envelope(as_octets(encode_envelope(envelope)), kObject);
  ASSERT_TRUE(read) << read.error().what;
  for (const unsigned one : {10, 20, 30}) {
    const auto opened = open_envelope(*read, samples::operator_key(one), kObject);
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(opened->octets().view(), key.octets().view());
  }
}

TEST(Envelope, SaysWhoseItIsToAnotherKey) {
  const Envelope envelope = sealed(samples::root_key(1), {10, 20});
  const OperatorKey stranger = samples::operator_key(99);
  const auto refused = open_envelope(envelope, stranger, kObject);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kWrongKey);
  EXPECT_EQ(refused.error().what, "the operator key " + to_hex(stranger.recipient.id()) +
                                      " is no recipient of epochs/00: its recipients are " +
                                      recipient_ids_text(envelope.recipients()) +
                                      "; take the key of one of these");
  for (const unsigned one : {10, 20})
    EXPECT_NE(refused.error().what.find(to_hex(samples::operator_key(one).recipient.id())),
              std::string::npos);
}

TEST(Envelope, RotationTakesAndGivesAccess) {
  const Envelope before = sealed(samples::root_key(1), {10, 20});
  const std::vector<Recipient> next = {samples::operator_key(20).recipient,
                                       samples::operator_key(30).recipient};
  const auto after = rewrap_envelope(before, samples::operator_key(10), next, kObject);
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(after->key, before.key);
  EXPECT_TRUE(open_envelope(*after, samples::operator_key(30), kObject));
  EXPECT_EQ(open_envelope(*after, samples::operator_key(10), kObject).error().kind, Kind::kWrongKey);
  EXPECT_EQ(rewrap_envelope(before, samples::operator_key(30), next, kObject).error().kind, Kind::kWrongKey);
  EXPECT_NE(envelope_hash(before), envelope_hash(*after));
}

TEST(Envelope, NobodySlipsInAKeyOfHisOwn) {
  const Envelope envelope = sealed(samples::root_key(1), {10});
  Envelope forged = sealed(samples::root_key(2), {10});
  forged.key = envelope.key;
  const auto refused = open_envelope(forged, samples::operator_key(10), kObject);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kAltered);
}

TEST(Envelope, EveryAlteredOctetIsSeen) {
  const std::string octets = encode_envelope(sealed(samples::root_key(1), {10, 20}, "2026-11-22"));
  const RootKey key = samples::root_key(1);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    std::string wrong = octets;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x40);
    const auto read = decode_envelope(as_octets(wrong), kObject);
    if (!read) continue;
    bool same = read->epoch == key.commitment() && read->day == "2026-11-22" && read->key == key.commitment();
    for (const unsigned one : {10, 20})
      same = open_envelope(*read, samples::operator_key(one), kObject) && same;
    EXPECT_FALSE(same) << i;
  }
}

TEST(Envelope, CutAndLongerOnesAreRefused) {
  const std::string octets = encode_envelope(sealed(samples::root_key(1), {10, 20}));
  for (std::size_t size = 0; size < octets.size(); ++size)
    EXPECT_FALSE(decode_envelope(as_octets(octets.substr(0, size)), kObject)) << size;
  EXPECT_EQ(decode_envelope(as_octets(octets + "x"), kObject).error().kind, Kind::kCut);
}

TEST(Envelope, WantsRecipientsOnceEach) {
  const RootKey key = samples::root_key(1);
  const Recipient one = samples::operator_key(10).recipient;
  EXPECT_FALSE(seal_envelope(key.commitment(), "", key, {}));
  EXPECT_FALSE(seal_envelope(key.commitment(), "", key, std::vector{one, one}));
}

}  // namespace
}  // namespace swarmdns::controlplane
