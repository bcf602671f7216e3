// The copy of the trust anchor in which the resolver follows key rollovers (RFC 5011).
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

namespace swarmdns::controlplane {

// Puts `source` at `copy` (owned by `uid`, `gid`) when there is no copy, or when `source` is not the file the
// copy was made from: what was seeded is remembered beside it in `seed`. Otherwise the copy, with what it has
// learnt, stays. true: it was written.
std::expected<bool, std::string> seed_trust_anchor(const std::string& source, const std::string& copy,
                                                   const std::string& seed, uid_t uid, gid_t gid);

}  // namespace swarmdns::controlplane
