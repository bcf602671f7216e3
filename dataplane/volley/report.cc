#include "dataplane/volley/report.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "proto/dns/types.h"

namespace swarmdns::volley {
namespace {

constexpr std::array<std::pair<const char*, double>, 4> kPercentiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

[[gnu::format(printf, 1, 2)]] std::string format(const char* text, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, text);
  std::vsnprintf(line, sizeof line, text, arguments);
  va_end(arguments);
  return line;
}

// 1234567 as "1,234,567".
std::string grouped(double value) {
  std::string digits = format("%.0f", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string grouped(std::uint64_t value) {
  return grouped(static_cast<double>(value));
}

double per_cent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string rcode_name(std::size_t rcode) {
  if (rcode == kRcodes - 1) return "OTHER";
  return dns::to_text(static_cast<dns::Rcode>(rcode));
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += format("\\u%04x", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::uint64_t count_of(const Result& result, Count what) {
  return result.totals[what];
}

std::string row(const char* name, const std::string& value, const std::string& note = {}) {
  return format("%-18s %16s", name, value.c_str()) + (note.empty() ? "" : "  " + note) + "\n";
}

}  // namespace

double Result::sent_per_second() const noexcept {
  return seconds > 0 ? static_cast<double>(totals[Count::Sent]) / seconds : 0;
}

double Result::received_per_second() const noexcept {
  return seconds > 0 ? static_cast<double>(totals[Count::Received]) / seconds : 0;
}

double Result::loss_percent() const noexcept {
  return per_cent(totals[Count::Lost], totals[Count::Sent]);
}

double Result::shortfall_percent() const noexcept {
  return per_cent(not_sent, not_sent + totals[Count::Sent]);
}

double Result::latency_us(double fraction) const noexcept {
  return static_cast<double>(std::min(latency.percentile_ns(fraction), latency_max_ns)) / 1000;
}

std::vector<std::string> failures(const Result& result, const Options& options) {
  std::vector<std::string> out;
  if (!result.unresolved.empty()) {
    out.push_back(result.unresolved + " did not say its MAC within " + format("%g s", options.resolve_s) +
                  "; check the cable, the VLAN and the addresses, or give --mac");
    return out;
  }
  if (count_of(result, Count::Sent) == 0) {
    out.push_back(result.interrupted ? "stopped before anything was measured" : "nothing could be sent");
    return out;
  }
  if (result.link_lost) out.push_back("the link went down during the run");
  if (count_of(result, Count::Received) == 0) out.push_back("not one usable reply came");
  if (result.loss_percent() > options.max_loss)
    out.push_back(format("%.4f %% lost, %g %% allowed", result.loss_percent(), options.max_loss));
  if (result.latency_us(0.99) > options.max_p99_us)
    out.push_back(format("p99 is %.1f us, %g us allowed", result.latency_us(0.99), options.max_p99_us));
  if (result.totals.wrong() > options.max_wrong)
    out.push_back(grouped(result.totals.wrong()) + " wrong replies, " + grouped(options.max_wrong) +
                  " allowed");
  if (options.rate > 0 && result.shortfall_percent() > options.max_shortfall)
    out.push_back(
        format("%.2f %% of the queries due could not be sent, %g %% allowed: this machine or the port "
               "does not keep the rate",
               result.shortfall_percent(), options.max_shortfall));
  return out;
}

std::string table(const Result& result, const Options& options) {
  std::string out;
  const auto failed = failures(result, options);
  if (result.unresolved.empty()) {
    out += row("time", format("%.3f s", result.seconds), result.interrupted ? "cut short" : "");
    out += row("sent", grouped(count_of(result, Count::Sent)), grouped(result.sent_per_second()) + "/s");
    if (options.rate > 0 && result.not_sent > 0)
      out += row("not sent in time", grouped(result.not_sent), format("%.4f %%", result.shortfall_percent()));
    out += row("received", grouped(count_of(result, Count::Received)),
               grouped(result.received_per_second()) + "/s");
    out += row("lost", grouped(count_of(result, Count::Lost)), format("%.4f %%", result.loss_percent()));
    if (count_of(result, Count::GivenUp) > 0)
      out += row("  given up early", grouped(count_of(result, Count::GivenUp)),
                 "ports and IDs ran out; see --ports");
    if (count_of(result, Count::Late) > 0) out += row("late", grouped(count_of(result, Count::Late)));
    out += row("wrong", grouped(result.totals.wrong()));
    for (const Count what : kWrong) {
      if (count_of(result, what) == 0) continue;
      std::string name = "  " + std::string(kCountNames[static_cast<std::size_t>(what)]);
      std::ranges::replace(name, '_', ' ');
      out += row(name.c_str(), grouped(count_of(result, what)));
    }
    if (count_of(result, Count::Other) > 0)
      out += row("other frames", grouped(count_of(result, Count::Other)),
                 "not of the target's address and port");
    out += row("truncated (TC)", grouped(count_of(result, Count::Truncated)));
    for (std::size_t i = 0; i < kRcodes && !options.echo; ++i) {
      const std::uint64_t n = result.totals.rcodes[i];
      if (n != 0)
        out += row(rcode_name(i).c_str(), grouped(n),
                   format("%.3f %%", per_cent(n, count_of(result, Count::Received))));
    }
    out += "latency, us       ";
    for (const auto& [name, fraction] : kPercentiles)
      out += format(" %s %.1f ", name, result.latency_us(fraction));
    out += format(" max %.1f  mean %.1f\n", static_cast<double>(result.latency_max_ns) / 1000,
                  result.latency.mean_ns() / 1000);
    if (options.rate > 0)
      out += format("sent late by, us   p50 %.1f  p99 %.1f  p99.9 %.1f\n",
                    static_cast<double>(result.lag.percentile_ns(0.5)) / 1000,
                    static_cast<double>(result.lag.percentile_ns(0.99)) / 1000,
                    static_cast<double>(result.lag.percentile_ns(0.999)) / 1000);
  }
  if (result.unresolved.empty())
    out += row("this side idle", format("%.1f %%", result.idle_percent),
               result.idle_percent < 2 ? "it may be dnsvolley that sets the pace" : "");
  for (const std::string& failure : failed) out += "FAILED: " + failure + "\n";
  if (failed.empty())
    out += options.max_loss == kNoLimit ? "PASSED (no limit on loss: --max-loss)\n" : "PASSED\n";
  return out;
}

std::string json(const Result& result, const Options& options) {
  const auto field = [](const char* name, double value) {
    return format("  \"%s\": %.*f,\n", name, value == std::floor(value) ? 0 : 4, value);
  };
  std::string out = "{\n  \"tool\": \"dnsvolley\",\n  \"version\": " + quoted(SWARMDNS_VERSION) + ",\n";
  out += "  \"queries\": " + quoted(options.queries) + ",\n  \"device\": " + quoted(options.device) + ",\n";
  out += field("rate", options.rate);
  out += field("seconds", result.seconds);
  for (std::size_t i = 0; i < kCounts; ++i)
    out += "  \"" + std::string(kCountNames[i]) + "\": " + std::to_string(result.totals.counts[i]) + ",\n";
  out += "  \"not_sent\": " + std::to_string(result.not_sent) + ",\n";
  out += "  \"wrong\": " + std::to_string(result.totals.wrong()) + ",\n";
  out += field("sent_per_second", result.sent_per_second());
  out += field("received_per_second", result.received_per_second());
  out += field("loss_percent", result.loss_percent());
  out += field("idle_percent", result.idle_percent);
  out += "  \"rcodes\": {";
  const char* comma = "";
  for (std::size_t i = 0; i < kRcodes; ++i) {
    if (result.totals.rcodes[i] == 0) continue;
    out += comma + quoted(rcode_name(i)) + ": " + std::to_string(result.totals.rcodes[i]);
    comma = ", ";
  }
  out += "},\n  \"latency_us\": {";
  for (const auto& [name, fraction] : kPercentiles)
    out += format("\"%s\": %.3f, ", name, result.latency_us(fraction));
  out += format("\"max\": %.3f, \"mean\": %.3f},\n", static_cast<double>(result.latency_max_ns) / 1000,
                result.latency.mean_ns() / 1000);
  out += format("  \"sent_late_us\": {\"p50\": %.3f, \"p99\": %.3f},\n",
                static_cast<double>(result.lag.percentile_ns(0.5)) / 1000,
                static_cast<double>(result.lag.percentile_ns(0.99)) / 1000);
  out += std::string("  \"interrupted\": ") + (result.interrupted ? "true" : "false") + ",\n";
  const auto failed = failures(result, options);
  out += std::string("  \"passed\": ") + (failed.empty() ? "true" : "false") + ",\n  \"failures\": [";
  for (std::size_t i = 0; i < failed.size(); ++i) out += (i == 0 ? "" : ", ") + quoted(failed[i]);
  return out + "]\n}\n";
}

std::string progress_line(double at_seconds, double seconds, const char* phase, const Totals& now,
                          const Totals& before, const stats::HistogramSnapshot& latency) {
  const auto since = [&](Count what) { return static_cast<double>(now[what] - before[what]); };
  return format("%7.1f s  %-9s  sent %s/s  received %s/s  lost %s  wrong %s  p50 %.1f us  p99 %.1f us\n",
                at_seconds, phase, grouped(since(Count::Sent) / seconds).c_str(),
                grouped(since(Count::Received) / seconds).c_str(), grouped(since(Count::Lost)).c_str(),
                grouped(static_cast<double>(now.wrong() - before.wrong())).c_str(),
                static_cast<double>(latency.percentile_ns(0.5)) / 1000,
                static_cast<double>(latency.percentile_ns(0.99)) / 1000);
}

}  // namespace swarmdns::volley
