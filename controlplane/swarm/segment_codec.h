// A segment's leaves as one value of the store: compressed, with a length. Any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// Without body.segment(), which is kept apart.
std::string pack_segment(const v1::SegmentBody& body);
// The error is a sentence.
std::expected<v1::SegmentBody, std::string> unpack_segment(std::string_view value);

}  // namespace swarmdns::controlplane
