// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace swarmdns::controlplane {

std::string with_commas(uint64_t value);           // "1,234,567"
std::string bytes_text(uint64_t bytes);            // "33.1 MiB"
std::string duration_text(uint64_t ms);            // "850 ms", "12 s", "3 min", "5 h 12 min", "4 d 3 h"
std::string nanoseconds_text(uint64_t ns);         // "820 ns", "1.3 us", "4.2 ms", "1.2 s"
std::string rate_text(double per_second);          // "0", "12.5", "1,234"
std::string percent_text(double part, double of);  // "12.3 %"; "-" when `of` is 0

}  // namespace swarmdns::controlplane
