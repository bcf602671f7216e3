// Any octets as what `swarmctl ledger verify` reads: proof file, checkpoint note, trust file, verifier key.
// Whatever is accepted is written again octet for octet; what verifies against the trust of the seeds has
// been read as a proof.

#include <string>

#include "controlplane/ledger/verify.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace swarmdns::controlplane;

// The voters of the seeds (make_ledger_seeds.py): keys from the seeds 01 02 ... and so on.
std::string seed_trust() {
  Trust trust{"swarmdns/a0a1a2a3a4a5a6a7a8a9aaabacadaeaf/1", {{.from_height = 0, .needed = 2, .voters = {}}}};
  for (unsigned voter = 1; voter <= 3; ++voter) {
    KeySeed seed;
    for (unsigned i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::byte>(voter + i);
    trust.sets[0].voters.push_back({"n" + std::to_string(voter), key_pair_from_seed(seed).public_key});
  }
  return format_trust(trust);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string trust_of_seeds = seed_trust();
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));

  if (const auto note = parse_note(text)) {
    FUZZ_CHECK(format_note(*note) == text);
    if (const auto checkpoint = parse_checkpoint(note->text))
      FUZZ_CHECK(format_checkpoint(*checkpoint) == note->text);
  }
  if (const auto checkpoint = parse_checkpoint(text)) FUZZ_CHECK(format_checkpoint(*checkpoint) == text);
  if (const auto key = parse_vkey(text)) FUZZ_CHECK(format_vkey(*key) == text);
  if (const auto trust = parse_trust(text)) {
    const auto again = parse_trust(format_trust(*trust));
    FUZZ_CHECK(again && format_trust(*again) == format_trust(*trust));
  }
  const auto proof = parse_proof(text);
  if (proof) FUZZ_CHECK(format_proof(*proof) == text);

  const Verdict verdict = verify_proof(text, trust_of_seeds);
  FUZZ_CHECK(verdict.proof.has_value() == proof.has_value());
  FUZZ_CHECK(proof.has_value() || !verdict.holds);
  FUZZ_CHECK(!verdict.sentence.empty());
  return 0;
}
