#include "dataplane/volley/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>
#include <sstream>

namespace swarmdns::volley {
namespace {

constexpr const char* kExamples =
    "examples\n"
    "  100,000 queries a second for a minute over a NIC, popular names more often, at most 0.1 % lost:\n"
    "    dnsvolley --device 0000:01:00.0 --target 10.53.1.1 --source 10.53.1.64/26 \\\n"
    "        --queries names.txt --zipf 1 --rate 100k --warmup 5 --duration 60 --max-loss 0.1 --max-p99 500\n"
    "  As fast as the server answers, over the veth eth1, both families, DO on 30 % of the queries:\n"
    "    dnsvolley --device net_af_xdp0,iface=eth1 --target 10.53.1.1 --target fd53:1::1 \\\n"
    "        --source 10.53.1.64/26 --source fd53:1:1::/64 --queries names.txt --do 30 --duration 10\n"
    "  Every name once, each answer compared:\n"
    "    dnsvolley ... --queries names.txt --expect answers.txt --rate 10k --count $(wc -l < names.txt)\n"
    "\n"
    "exit status: 0 all limits kept; 1 a limit not kept, wrong replies, or no reply at all; 2 usage, or the\n"
    "port could not be opened. More in dnsvolley(1).\n";

// What CLI11 does not know as a value, as it was written; checked while parsing, read behind it.
struct Words {
  std::vector<std::string> targets;
  std::vector<std::string> gateways;
  std::vector<std::string> sources;
  std::string mac;
  std::string own_mac;
  std::string rate;
  std::optional<double> zipf;
  bool no_rd = false;
};

// "250k", "1.5M" in queries a second; nullopt: no rate.
std::optional<double> rate_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, text.data() + text.size());
  if (unit == "k") value *= 1e3;
  if (unit == "M") value *= 1e6;
  if (error != std::errc() || (!unit.empty() && unit != "k" && unit != "M")) return std::nullopt;
  if (!(value >= 0.01 && value <= 1e9)) return std::nullopt;
  return value;
}

// The checks: what is wrong with a word, or nothing.
std::string check_rate(const std::string& text) {
  return rate_of(text) ? "" : "\"" + text + "\" is no rate from 0.01 to 1000M; write 5000, 250k or 1.5M";
}
std::string check_address(const std::string& text) {
  return net::Address::parse(text) ? "" : "\"" + text + "\" is no address";
}
std::string check_prefix(const std::string& text) {
  const auto prefix = net::Prefix::parse(text);
  return prefix ? "" : prefix.error();
}
std::string check_mac(const std::string& text) {
  return net::parse_mac(text) ? "" : "\"" + text + "\" is no MAC address; write 02:00:00:00:00:01";
}

// A range that does not stand in the help, where it would crowd out the words. "nan" is in none.
template <class Number>
CLI::Validator within(Number least, Number most) {
  return CLI::Validator(
      [least, most](std::string& text) {
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
          return std::string();
        std::ostringstream problem;
        problem << '"' << text << "\" is no number from " << least << " to " << most;
        return problem.str();
      },
      "");
}

CLI::Validator checked(std::string (*check)(const std::string&)) {
  return CLI::Validator([check](std::string& text) { return check(text); }, "");
}

void add_port_options(CLI::App& app, Options& o) {
  const char* const group = "The port";
  app.add_option("--device,--vdev", o.device,
                 "PCI address bound to vfio-pci, or a vdev: net_af_xdp0,iface=eth1 or net_memif0,socket=...")
      ->required()
      ->type_name("DEVICE")
      ->group(group);
  app.add_option("--cpu", o.cpu, "CPU of the lcore that sends and receives; it polls (default: the last one)")
      ->type_name("N")
      ->group(group);
  app.add_option("--main-cpu", o.main_cpu, "CPU of the main thread, which sleeps (default: the first one)")
      ->type_name("N")
      ->group(group);
  app.add_flag("--hugepages", o.hugepages, "take memory from hugepages")->group(group);
  app.add_option("--memory", o.memory_mib, "MiB of memory for frames")
      ->type_name("MIB")
      ->capture_default_str()
      ->check(within(64, 65536))
      ->group(group);
  app.add_option("--descriptors", o.descriptors, "of each ring, a power of two")
      ->type_name("N")
      ->capture_default_str()
      ->check(within(64, 8192))
      ->group(group);
  app.add_option("--burst", o.burst, "frames sent or received at once")
      ->type_name("N")
      ->capture_default_str()
      ->check(within(1, 64))
      ->group(group);
  app.add_option("--eal", o.eal, "further arguments of DPDK's EAL")->type_name("ARG")->group(group);
}

void add_link_options(CLI::App& app, Options& o, Words& w) {
  const char* const group = "Addresses";
  app.add_option("--target", w.targets, "the server's address; one of each family may be given")
      ->type_name("ADDRESS")
      ->check(checked(check_address))
      ->required()
      ->group(group);
  app.add_option("--port", o.target_port, "the server's port")
      ->type_name("N")
      ->capture_default_str()
      ->check(within(1, 65535))
      ->group(group);
  app.add_option("--gateway", w.gateways, "router to a target that is not on the link")
      ->type_name("ADDRESS")
      ->check(checked(check_address))
      ->group(group);
  app.add_option("--mac", w.mac, "MAC of the server or gateway (default: asked for by ARP and ND)")
      ->type_name("MAC")
      ->check(checked(check_mac))
      ->group(group);
  app.add_option("--own-mac", w.own_mac, "MAC to send from (default: the port's)")
      ->type_name("MAC")
      ->check(checked(check_mac))
      ->group(group);
  app.add_option("--vlan", o.vlan, "802.1Q tag on all frames")
      ->type_name("1-4094")
      ->check(within(1, 4094))
      ->group(group);
  app.add_option("--source", w.sources, "client addresses, e.g. 10.53.1.64/26; may be given more than once")
      ->required()
      ->type_name("PREFIX")
      ->check(checked(check_prefix))
      ->group(group);
  app.add_option("--clients", o.clients, "most client addresses taken of a prefix, spread evenly over it")
      ->type_name("N")
      ->capture_default_str()
      ->check(within(1, 16777216))
      ->group(group);
  app.add_option("--ports", o.ports,
                 "source ports, a power of two (default: 16, or what rate and time-out want)")
      ->type_name("N")
      ->check(within(1, 16384))
      ->group(group);
  app.add_option("--first-port", o.first_port, "the first of them (default: 49152)")
      ->type_name("N")
      ->check(within(1, 65535))
      ->group(group);
  app.add_option("--v6-share", o.v6_share, "per cent of the queries by IPv6, when there are targets of both")
      ->type_name("PERCENT")
      ->capture_default_str()
      ->check(within(0.0, 100.0))
      ->group(group);
}

void add_query_options(CLI::App& app, Options& o, Words& w) {
  const char* const group = "Queries";
  const auto percent = within(0.0, 100.0);
  app.add_option("--queries", o.queries, "the list: a name and a type on each line")
      ->required()
      ->type_name("FILE")
      ->group(group);
  static const std::map<std::string, Order> kOrders{{"list", Order::List}, {"uniform", Order::Uniform}};
  auto* const order =
      app.add_option("--order", o.order, "list: one after the other; uniform: at random (default: list)")
          ->type_name("ORDER")
          ->transform(CLI::CheckedTransformer(kOrders, CLI::ignore_case).description(""))
          ->group(group);
  app.add_option("--zipf", w.zipf, "at random, line k of the list with weight 1 / k^S")
      ->type_name("S")
      ->check(within(0.0, 10.0))
      ->excludes(order)
      ->group(group);
  app.add_option("--seed", o.seed, "equal seeds ask the same questions")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  app.add_option("--edns", o.edns, "per cent of the queries with EDNS")
      ->type_name("PERCENT")
      ->capture_default_str()
      ->check(percent)
      ->group(group);
  app.add_option("--do", o.dnssec_ok, "per cent of the queries with DO")
      ->type_name("PERCENT")
      ->capture_default_str()
      ->check(percent)
      ->group(group);
  app.add_option("--cookies", o.cookies, "per cent of the queries with a client cookie")
      ->type_name("PERCENT")
      ->capture_default_str()
      ->check(percent)
      ->group(group);
  app.add_option("--payload", o.payload_size, "UDP payload size that EDNS offers")
      ->type_name("OCTETS")
      ->capture_default_str()
      ->check(within(512, 65535))
      ->group(group);
  app.add_flag("--random-case", o.random_case, "random case in every name (0x20); replies must keep it")
      ->group(group);
  app.add_flag("--no-rd", w.no_rd, "do not ask for recursion")->group(group);
  app.add_flag("--cd", o.checking_disabled, "set CD")->group(group);
}

void add_run_options(CLI::App& app, Options& o, Words& w) {
  const char* const group = "The run";
  app.add_option("--rate", w.rate,
                 "queries a second, on a schedule that waits for no reply, e.g. 250k (default: flat out)")
      ->type_name("RATE")
      ->check(checked(check_rate))
      ->group(group);
  app.add_flag("--random-gaps", o.random_gaps, "at a rate: each query at a random time of its interval")
      ->needs("--rate")
      ->group(group);
  app.add_option("--duration", o.duration_s, "seconds of sending behind the warm-up")
      ->type_name("S")
      ->check(within(0.001, 1e7))
      ->group(group);
  app.add_option("--count", o.count, "queries behind the warm-up")
      ->type_name("N")
      ->check(within<std::uint64_t>(1, 1'000'000'000'000'000))
      ->group(group);
  app.add_option("--warmup", o.warmup_s, "seconds of sending that do not count")
      ->type_name("S")
      ->capture_default_str()
      ->check(within(0.0, 1e6))
      ->group(group);
  app.add_option("--timeout", o.timeout_s, "seconds until a query counts as lost")
      ->type_name("S")
      ->capture_default_str()
      ->check(within(0.001, 60.0))
      ->group(group);
  app.add_option("--outstanding", o.window, "flat out: queries that may wait for replies at a time; 0: flood")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  app.add_option("--resolve-timeout", o.resolve_s, "seconds to wait for the link and for the server's MAC")
      ->type_name("S")
      ->capture_default_str()
      ->check(within(0.1, 3600.0))
      ->group(group);
}

void add_judging_options(CLI::App& app, Options& o) {
  const char* const group = "Replies, limits, reports";
  app.add_option("--expect", o.expectations,
                 "what answers must be: lines of name type rcode [rdata | rdata ...]")
      ->type_name("FILE")
      ->group(group);
  app.add_option(
         "--expect-rcode", o.good_rcodes,
         "response codes that are right where --expect does not say (default: NOERROR,NXDOMAIN); ANY: all")
      ->type_name("RCODE")
      ->delimiter(',')
      ->group(group);
  app.add_flag("--strict", o.strict, "look into every record of every reply")->group(group);
  app.add_flag("--echo", o.echo, "the peer sends our own frames back: the ceiling of port and machine")
      ->group(group);
  app.add_flag("--ignore-checksums", o.ignore_checksums, "take replies with wrong IP and UDP checksums")
      ->group(group);
  const auto not_negative = within(0.0, 1e12);
  app.add_option("--max-loss", o.max_loss, "most queries lost (default: any)")
      ->type_name("PERCENT")
      ->check(within(0.0, 100.0))
      ->group(group);
  app.add_option("--max-p99", o.max_p99_us, "highest 99th percentile of the latency (default: any)")
      ->type_name("US")
      ->check(not_negative)
      ->group(group);
  app.add_option("--max-shortfall", o.max_shortfall, "most queries of a rate that could not be sent")
      ->type_name("PERCENT")
      ->capture_default_str()
      ->check(within(0.0, 100.0))
      ->group(group);
  app.add_option("--max-wrong", o.max_wrong, "most wrong replies")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--progress", o.progress, "a line each second on standard error")->group(group);
  app.add_option("--json", o.json, "the report as JSON; - is standard output, and no table then")
      ->type_name("FILE")
      ->group(group);
}

// The words as values; they have been checked.
void take(const Words& words, Options& o) {
  const auto take_addresses = [](const std::vector<std::string>& texts, std::vector<net::Address>& out) {
    for (const std::string& text : texts) {
      if (const auto address = net::Address::parse(text)) out.push_back(*address);
    }
  };
  take_addresses(words.targets, o.targets);
  take_addresses(words.gateways, o.gateways);
  for (const std::string& text : words.sources) {
    if (const auto prefix = net::Prefix::parse(text)) o.sources.push_back(*prefix);
  }
  if (!words.mac.empty()) o.mac = net::parse_mac(words.mac);
  if (!words.own_mac.empty()) o.own_mac = net::parse_mac(words.own_mac);
  if (!words.rate.empty()) o.rate = rate_of(words.rate).value_or(0);
  if (words.zipf) {
    o.order = Order::Zipf;
    o.zipf = *words.zipf;
  }
  o.recursion_desired = !words.no_rd;
}

}  // namespace

std::optional<int> parse_command_line(int argc, char** argv, Options& options) {
  CLI::App app("dnsvolley - asks a DNS server over a DPDK port and judges its replies", "dnsvolley");
  app.set_version_flag("--version", std::string("dnsvolley ") + SWARMDNS_VERSION);
  app.get_formatter()->column_width(34);
  Words words;
  add_port_options(app, options);
  add_link_options(app, options, words);
  add_query_options(app, options, words);
  add_run_options(app, options, words);
  add_judging_options(app, options);
  app.footer(kExamples);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help, --version
    app.exit(wish);
    return kPassed;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "dnsvolley: %s\nTry dnsvolley --help.\n", error.what());
    return kUsage;
  }
  take(words, options);
  return std::nullopt;
}

}  // namespace swarmdns::volley
