#include "proto/dns/text.h"

#include <string_view>

#include "proto/dns/encode.h"
#include "proto/dns/name_text.h"
#include "proto/dns/rdata_text.h"

namespace swarmdns::dns {
namespace {

std::string flags_to_text(Flags flags) {
  std::string out;
  const auto add = [&out](bool on, std::string_view name) {
    if (on) out.append(" ").append(name);
  };
  add(flags.qr(), "qr");
  add(flags.aa(), "aa");
  add(flags.tc(), "tc");
  add(flags.rd(), "rd");
  add(flags.ra(), "ra");
  add(flags.z(), "z");
  add(flags.ad(), "ad");
  add(flags.cd(), "cd");
  return out;
}

std::string option_name(OptionCode code) {
  const std::string_view name = mnemonic(code);
  return name.empty() ? "OPT=" + std::to_string(static_cast<unsigned>(code)) : std::string(name);
}

std::string ede_to_text(Bytes data) {
  const auto error = parse_extended_error(data);
  if (!error) return to_hex(data);
  std::string out = std::to_string(static_cast<unsigned>(error->code));
  if (const auto words = mnemonic(error->code); !words.empty()) out.append(" (").append(words).append(")");
  if (!error->text.empty()) out += ": " + to_quoted(as_octets(error->text));
  return out;
}

std::string option_to_text(const Option& option) {
  std::string value;
  switch (option.code) {
    case OptionCode::NSID:
      value = to_hex(option.data) + " (" + to_quoted(option.data) + ")";
      break;
    case OptionCode::ExtendedError:
      value = ede_to_text(option.data);
      break;
    case OptionCode::TcpKeepalive:
      value = option.data.size() == 2 ? std::to_string(load_be16(option.data.data())) + " (100 ms)"
                                      : to_hex(option.data);
      break;
    case OptionCode::Padding:
      value = std::to_string(option.data.size()) + " octets";
      break;
    default:
      value = to_hex(option.data);
  }
  return "; " + option_name(option.code) + ": " + value;
}

void append_section(std::string& out, std::string_view title, const RecordRange& records) {
  std::string lines;
  for (const RecordView& record : records) {
    if (record.type() != Type::OPT) lines += record_to_text(record) + '\n';
  }
  if (!lines.empty()) out.append("\n;; ").append(title).append(" SECTION:\n").append(lines);
}

}  // namespace

std::string record_to_text(const RecordView& record) {
  const auto owner = record.owner();
  std::string out = owner ? to_text(*owner) : "<bad name>";
  out += '\t' + std::to_string(record.ttl());
  out += '\t' + to_text(record.klass());
  out += '\t' + to_text(record.type());
  out += '\t' + rdata_to_text(record);
  return out;
}

std::string question_to_text(const Question& question) {
  return to_text(question.name) + '\t' + to_text(question.klass) + '\t' + to_text(question.type);
}

std::string opt_to_text(const Opt& opt) {
  std::string out = "; EDNS: version: " + std::to_string(opt.version) + ", flags:";
  if (opt.dnssec_ok) out += " do";
  if (opt.z != 0) out += " z=" + std::to_string(opt.z);
  out += "; udp: " + std::to_string(opt.payload_size);
  for (const Option option : opt.options) out += '\n' + option_to_text(option);
  return out;
}

std::string message_to_text(const Message& message) {
  const HeaderView header = message.header();
  std::string out = ";; opcode: " + to_text(message.flags().opcode()) +
                    ", status: " + to_text(message.rcode()) + ", id: " + std::to_string(header.id()) + '\n';
  out += ";; flags:" + flags_to_text(message.flags()) + "; QUERY: " + std::to_string(header.qdcount()) +
         ", ANSWER: " + std::to_string(header.ancount()) +
         ", AUTHORITY: " + std::to_string(header.nscount()) +
         ", ADDITIONAL: " + std::to_string(header.arcount()) + '\n';
  if (const std::optional<Opt>& opt = message.opt(); opt) {
    out += "\n;; OPT PSEUDOSECTION:\n" + opt_to_text(*opt) + '\n';
  }
  if (message.question_count() != 0) {
    out += "\n;; QUESTION SECTION:\n";
    std::size_t at = kHeaderSize;
    for (std::size_t i = 0; i < message.question_count(); ++i) {
      const auto question = parse_question(message.wire(), at);
      if (!question) break;
      out += ';' + question_to_text(*question) + '\n';
      at += question->size();
    }
  }
  append_section(out, "ANSWER", message.answers());
  append_section(out, "AUTHORITY", message.authority());
  append_section(out, "ADDITIONAL", message.additional());
  return out;
}

}  // namespace swarmdns::dns
