// The swarm itself: its genesis, settings, certificates, version.
#include <algorithm>

#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane {

v1::SwarmSettings with_defaults(v1::SwarmSettings settings) {
  if (settings.max_voters() == 0) settings.set_max_voters(5);
  if (settings.max_standbys() == 0) settings.set_max_standbys(3);
  if (settings.max_log_members() == 0) settings.set_max_log_members(7);
  if (settings.promote_after_ms() == 0) settings.set_promote_after_ms(10'000);
  if (settings.demote_after_ms() == 0) settings.set_demote_after_ms(60'000);
  if (settings.certificate_life_s() == 0) settings.set_certificate_life_s(86'400);
  if (settings.retain_blocks_s() == 0) settings.set_retain_blocks_s(365ULL * 86'400);
  if (settings.retain_mutations_s() == 0) settings.set_retain_mutations_s(48ULL * 3600);
  if (settings.sharing() == v1::SHARING_SCOPE_UNSPECIFIED) settings.set_sharing(v1::SHARE_REGION);
  return settings;
}

std::expected<void, std::string> check_settings(const v1::SwarmSettings& settings) {
  const auto out = [](const char* field, const char* range) {
    return handlers::refused(std::string(field) + ": " + range);
  };
  if (settings.max_voters() > 9 || settings.max_voters() % 2 == 0)
    return out("max_voters", "1, 3, 5, 7 or 9: an even number survives no more losses");
  if (settings.max_standbys() > 9) return out("max_standbys", "1 to 9");
  if (settings.max_log_members() > 18) return out("max_log_members", "1 to 18");
  if (settings.promote_after_ms() < 1000 || settings.promote_after_ms() > 3'600'000)
    return out("promote_after_ms", "1000 to 3600000");
  if (settings.demote_after_ms() < 1000 || settings.demote_after_ms() > 86'400'000)
    return out("demote_after_ms", "1000 to 86400000");
  if (settings.certificate_life_s() < 600 || settings.certificate_life_s() > 30 * 86'400)
    return out("certificate_life_s", "600 to 2592000");
  if (settings.retain_blocks_s() < 3600) return out("retain_blocks_s", "at least 3600");
  if (settings.retain_mutations_s() < 600 || settings.retain_mutations_s() > 90ULL * 86'400)
    return out("retain_mutations_s", "600 to 7776000");
  if (!v1::SharingScope_IsValid(settings.sharing())) return out("sharing", "region, swarm or none");
  return {};
}

}  // namespace swarmdns::controlplane

namespace swarmdns::controlplane::handlers {
namespace {

constexpr std::size_t kSwarmIdBytes = 16;
constexpr std::size_t kNameMost = 63;
constexpr std::size_t kCertificatesMost = std::size_t{256} << 10;
constexpr int kRootsMost = 4;

// Without regard to what was there before.
Applied put_certificates(StateView& state, const v1::CertificateRotation& body) {
  if (body.roots().empty() || body.roots_size() > kRootsMost) return refused("certificates.roots: 1 to 4");
  if (body.issuer().empty()) return refused("certificates.issuer: there is none");
  if (body.ByteSizeLong() > kCertificatesMost) return refused("certificates: more than 256 KiB");
  for (const v1::SealedKey& sealed : body.sealed()) {
    if (!live_member(state, sealed.member()))
      return refused("certificates.sealed: " + std::to_string(sealed.member()) + " is no member");
  }
  write(state, std::string(keys::kCertificates), body);
  return {};
}

}  // namespace

Applied genesis(StateView& state, const BlockPlace& place, const v1::Genesis& body) {
  if (place.height != 1 || state.get(keys::kSwarm)) return refused("genesis: the swarm has begun already");
  if (body.swarm_id().size() != kSwarmIdBytes) return refused("genesis.swarm_id: not of 16 octets");
  if (body.incarnation() == 0) return refused("genesis.incarnation: counted from 1");
  if (body.name().empty() || body.name().size() > kNameMost)
    return refused("genesis.name: 1 to 63 octets long");
  if (!body.has_first()) return refused("genesis.first: a swarm begins with one member");
  const v1::SwarmSettings chosen = with_defaults(body.settings());
  if (auto good = check_settings(chosen); !good) return refused("genesis.settings." + good.error());

  v1::SwarmRecord swarm;
  swarm.set_swarm_id(body.swarm_id());
  swarm.set_incarnation(body.incarnation());
  swarm.set_name(body.name());
  swarm.set_previous_swarm_id(body.previous_swarm_id());
  swarm.set_previous_incarnation(body.previous_incarnation());
  swarm.set_previous_height(body.previous_height());
  swarm.set_founded_ms(place.time_ms);
  swarm.set_version(kOldestVersion);
  swarm.set_next_member(1);
  write(state, std::string(keys::kSwarm), swarm);
  write(state, std::string(keys::kSettings), chosen);
  if (auto carried = carried_over(state, place, body); !carried) return carried;
  if (auto added = first_member(state, place, body.first()); !added) return added;
  v1::LogMembers log;
  log.add_voters(read<v1::SwarmRecord>(state, keys::kSwarm)->next_member() - 1);
  write(state, std::string(keys::kLogMembers), log);
  return put_certificates(state, body.certificates());
}

Applied settings(StateView& state, const v1::SettingsChanged& body) {
  if (auto good = check_settings(body.settings()); !good) return refused("settings." + good.error());
  write(state, std::string(keys::kSettings), body.settings());
  return {};
}

Applied certificates(StateView& state, const v1::CertificateRotation& body) {
  const auto newest = read<v1::CertificateRotation>(state, keys::kCertificates);
  if (!newest || body.number() != newest->number() + 1) {
    return refused("certificates.number: the authority was changed meanwhile, by rotation " +
                   std::to_string(newest ? newest->number() : 0) + "; begin from that one");
  }
  return put_certificates(state, body);
}

Applied version(StateView& state, const v1::VersionRaised& body) {
  auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  if (!swarm) return refused("the swarm has no genesis yet");
  if (body.version() != swarm->version() + 1) {
    return refused("version: " + std::to_string(swarm->version() + 1) + " is the next, not " +
                   std::to_string(body.version()));
  }
  std::string behind;
  state.scan(keys::kMembers, [&](std::string_view, std::string_view value) {
    v1::MemberRecord member;
    if (member.ParseFromString(std::string(value)) && member.removed_height() == 0 &&
        member.version_max() < body.version())
      behind += (behind.empty() ? "" : ", ") + member.name();
    return true;
  });
  if (!behind.empty()) return refused("version: " + behind + " has an older program; upgrade it first");
  swarm->set_version(body.version());
  write(state, std::string(keys::kSwarm), *swarm);
  return {};
}

}  // namespace swarmdns::controlplane::handlers
