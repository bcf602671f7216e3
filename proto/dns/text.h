// Messages and records as dig prints them, for tools and tests. Allocates: never for the packet path.
#pragma once

#include <string>

#include "proto/dns/edns.h"
#include "proto/dns/message.h"
#include "proto/dns/question.h"
#include "proto/dns/record.h"

namespace swarmdns::dns {

// "example.com.\t300\tIN\tA\t192.0.2.1", without a line end. A malformed owner is shown as "<bad name>".
std::string record_to_text(const RecordView& record);
// "example.com.\tIN\tA".
std::string question_to_text(const Question& question);
// One line a property: version, flags, payload, and each option by name; no line end.
std::string opt_to_text(const Opt& opt);
// Header line, flags line, and all sections in the manner of dig, each line ended.
std::string message_to_text(const Message& message);

}  // namespace swarmdns::dns
