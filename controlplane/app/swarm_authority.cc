// The operator changes the certification authority.
#include "controlplane/app/swarm_host.h"
#include "controlplane/member/rotation.h"

namespace swarmdns::controlplane {
namespace {

constexpr int kAttempts = 3;  // the leader may be sealing the key anew in that moment

}  // namespace

Outcome<v1::RotateAuthorityResponse> SwarmHost::rotate_authority(const v1::RotateAuthorityRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  if (request.root_key().empty()) {
    return std::unexpected(
        Refusal{Refusal::Kind::kInvalid, "--root-key: the key of the root in force signs what is new"});
  }
  for (int attempt = 1;; ++attempt) {
    std::expected<AuthorityNow, std::string> from;
    RotationWish wish{request.root_key(), request.passphrase(), request.new_root(), 0};
    member_->run([&] {
      from = authority_now(member_->core().chain().state());
      wish.now = static_cast<std::int64_t>(member_->reactor().wall_ms() / 1000);
    });
    if (!from) return std::unexpected(Refusal{Refusal::Kind::kPrecondition, from.error()});
    auto made = make_rotation(*from, wish);
    if (!made) return std::unexpected(Refusal{Refusal::Kind::kInvalid, made.error()});
    v1::Transaction transaction;
    *transaction.mutable_certificate_rotation() = made->rotation;
    const auto committed = commit(std::move(transaction), request.caller());
    if (!committed) {
      const auto now = on_reactor<std::expected<AuthorityNow, std::string>>(
          [this] { return authority_now(member_->core().chain().state()); });
      const bool overtaken = committed.error().kind == Refusal::Kind::kInvalid && now &&
                             now->rotation.number() != from->rotation.number();
      if (overtaken && attempt < kAttempts) continue;
      return std::unexpected(committed.error());
    }
    v1::RotateAuthorityResponse response;
    *response.mutable_committed() = *committed;
    response.set_root_key(std::string(made->root_key.view()));
    response.set_root_certificate(made->root_certificate);
    return response;
  }
}

}  // namespace swarmdns::controlplane
