// How the commands about the ledger are spelled.
#include "controlplane/cli/command_tree.h"
#include "controlplane/cli/ledger_commands.h"
#include "controlplane/cli/verify_command.h"

namespace swarmdns::controlplane {
namespace {

void add_reading(CLI::App& ledger, Choice& choice) {
  const auto l = std::make_shared<LogOptions>();
  CLI::App* log = leaf(
      ledger, choice, "log", "who changed what, when and why; newest first",
      [l](Context& x) { return show_log(x, *l); }, "swarmctl ledger log --limit 50");
  log->add_option("--from", l->from, "begin at this height (default: the newest)")
      ->check(CLI::Range(1ul, UINT64_MAX));
  log->add_option("--limit", l->limit, "so many blocks, 1-1000 (default 20)")->check(CLI::Range(1, 1000));
  log->add_flag("--heads", l->heads, "what each node orders of its cache every second, too");

  const auto height = std::make_shared<uint64_t>();
  leaf(
      ledger, choice, "show", "one block with everything in it",
      [height](Context& x) { return show_block(x, *height); }, "swarmctl ledger show 57")
      ->add_option("HEIGHT", *height, "of the block, from 1")
      ->required()
      ->check(CLI::Range(1ul, UINT64_MAX));

  struct Heights {
    uint64_t from = 0, to = 0;
  };
  const auto d = std::make_shared<Heights>();
  CLI::App* diff = leaf(
      ledger, choice, "diff", "what differs between two heights",
      [d](Context& x) { return diff_heights(x, d->from, d->to); }, "swarmctl ledger diff 40 57");
  diff->add_option("H1", d->from, "the older height, from 0")->required();
  diff->add_option("H2", d->to, "the newer height")->required();
  choice.checks.emplace_back([diff, d]() -> std::string {
    return diff->parsed() && d->from > d->to ? "ledger diff: the older height comes first" : "";
  });
}

void add_names(CLI::App& ledger, Choice& choice) {
  struct Options {
    std::string time, name, type, reason;
    uint32_t limit = 100;
    bool yes = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* history = leaf(
      ledger, choice, "history", "what the caches learned of a name: when, on which node, from whom",
      [o](Context& x) { return show_history(x, o->name, o->type, o->limit); },
      "swarmctl ledger history www.example.com A");
  history->add_option("NAME", o->name, "domain name")->required();
  history->add_option("TYPE", o->type, "record type; all when left out");
  history->add_option("--limit", o->limit, "so many changes, 1-10000 (default 100)")
      ->check(CLI::Range(1, 10000));
  CLI::App* at = leaf(
      ledger, choice, "at", "what the caches held of a name at some time",
      [o](Context& x) { return show_at(x, o->time, o->name, o->type); },
      "swarmctl ledger at 17:05 www.example.com");
  at->add_option("TIME", o->time, "2026-11-22T17:00:00Z, 17:05 (the last one, UTC), -10m")->required();
  at->add_option("NAME", o->name, "domain name")->required();
  at->add_option("TYPE", o->type, "record type; all when left out");
  CLI::App* erase = leaf(
      ledger, choice, "erase", "destroy what all nodes have written down of a name; proofs stay valid",
      [o](Context& x) { return erase_name(x, o->name, o->yes, o->reason); },
      "swarmctl ledger erase person.example.com --reason \"request 4711\"");
  erase->add_option("NAME", o->name, "domain name")->required();
  erase->add_flag("--yes,-y", o->yes, "do not ask");
  add_reason(*erase, o->reason);
}

void add_proofs(CLI::App& ledger, Choice& choice) {
  struct Options {
    uint64_t leaf = 0, size = 0, segment = 0;
    uint32_t position = 0, incarnation = 0;
    std::string node, out, file, trust, trust_out;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* prove = group(ledger, "prove", "a proof as a file that anybody can check, without a node");
  const auto out = [o](CLI::App* command) {
    command->add_option("--out", o->out, "FILE to write (default: print it)")->type_name("FILE");
  };
  CLI::App* of_leaf = leaf(
      *prove, choice, "leaf", "that a transaction is in the ledger",
      [o](Context& x) { return prove_leaf(x, o->leaf, o->out); },
      "swarmctl ledger prove leaf 3051 --out leaf.proof");
  of_leaf->add_option("N", o->leaf, "number of the leaf, from 0 (ledger show)")->required();
  out(of_leaf);
  CLI::App* of_mutation = leaf(
      *prove, choice, "mutation", "that a node learned something, and when that was ordered",
      [o](Context& x) { return prove_mutation(x, o->node, o->segment, o->position, o->out); },
      "swarmctl ledger prove mutation n1 57 12 --out mutation.proof");
  of_mutation->add_option("NODE", o->node, "name or number")->required();
  of_mutation->add_option("SEGMENT", o->segment, "as ledger history shows it")->required();
  of_mutation->add_option("POSITION", o->position, "as ledger history shows it")->required();
  out(of_mutation);
  CLI::App* of_size = leaf(
      *prove, choice, "consistency", "that the ledger of today goes on from that of SIZE leaves",
      [o](Context& x) { return prove_consistency(x, o->size, o->out); },
      "swarmctl ledger prove consistency 3000 --out consistency.proof");
  of_size->add_option("SIZE", o->size, "of the older tree, from 1")
      ->required()
      ->check(CLI::Range(1ul, UINT64_MAX));
  out(of_size);

  CLI::App* verify = leaf(
      ledger, choice, "verify",
      "check a proof against a trust file, without a node; without FILE all of this node's ledger",
      [o](Context& x) {
        return o->file.empty() ? verify_store(x, o->incarnation) : verify_file(x, o->file, o->trust);
      },
      "swarmctl ledger verify leaf.proof --trust lab-trust.txt");
  verify->add_option("FILE", o->file, "of ledger prove");
  verify->add_option(
      "--incarnation", o->incarnation,
      "the ledger of an earlier one, as swarm recover has kept it, and the seam between the two");
  verify->add_option("--trust", o->trust, "file of ledger checkpoint --trust-file")->type_name("FILE");
  choice.checks.emplace_back([&choice, verify, o]() -> std::string {
    if (!verify->parsed()) return "";
    if (!o->file.empty() && o->incarnation != 0) return "--incarnation goes without FILE";
    if (o->file.empty() != o->trust.empty()) {
      return o->file.empty()
                 ? "--trust goes with a FILE to check"
                 : "ledger verify FILE needs --trust TRUSTFILE: whom to believe is not in the proof; "
                   "swarmctl ledger checkpoint --trust-file writes one";
    }
    choice.offline = !o->file.empty();
    return "";
  });

  CLI::App* checkpoint = leaf(
      ledger, choice, "checkpoint", "print the newest checkpoint that a majority has signed",
      [o](Context& x) { return show_checkpoint(x, o->trust_out); },
      "swarmctl ledger checkpoint --trust-file lab-trust.txt");
  checkpoint->add_option("--trust-file", o->trust_out, "also write whom to believe, for ledger verify")
      ->type_name("FILE");
}

void add_rollback(CLI::App& ledger, Choice& choice) {
  const auto o = std::make_shared<RollbackOptions>();
  CLI::App* rollback = leaf(
      ledger, choice, "rollback", "take back what was learned or changed since a height or a time",
      [o](Context& x) { return roll_back(x, *o); },
      "swarmctl ledger rollback --only cache --to 17:05 --reason \"poisoned\"");
  rollback->add_option("--only", o->only, "cache, config or zones")
      ->required()
      ->check(CLI::IsMember({"cache", "config", "zones"}));
  rollback
      ->add_option("--to", o->to, "height, or time: 2026-11-22T17:00:00Z, 17:05 (the last one, UTC), -10m")
      ->required();
  rollback->add_flag("--dry-run", o->dry_run, "only show what would change");
  rollback->add_flag("--readmit", o->readmit, "cache: put back in what was current then and is still valid");
  rollback->add_flag("--yes,-y", o->yes, "do not ask");
  add_reason(*rollback, o->reason);
  choice.checks.emplace_back([rollback, o]() -> std::string {
    return rollback->parsed() && o->readmit && o->only != "cache" ? "--readmit goes with --only cache" : "";
  });
}

void add_export(CLI::App& ledger, Choice& choice) {
  const auto o = std::make_shared<ExportOptions>();
  CLI::App* copy = leaf(
      ledger, choice, "export", "write blocks to a file", [o](Context& x) { return export_ledger(x, *o); },
      "swarmctl ledger export --from 1 --to 57 blocks.bin");
  copy->add_option("--from", o->from, "first height")->required()->check(CLI::Range(1ul, UINT64_MAX));
  copy->add_option("--to", o->to, "last height")->required();
  copy->add_flag("--bodies", o->bodies, "with the bodies of transactions");
  copy->add_option("FILE", o->file, "file to write")->required();
  choice.checks.emplace_back([copy, o]() -> std::string {
    return copy->parsed() && o->from > o->to ? "--from must not be above --to" : "";
  });
}

}  // namespace

void add_ledger(CLI::App& app, Choice& choice) {
  CLI::App* ledger = group(app, "ledger", "who changed what, proofs of it, and the way back");
  add_reading(*ledger, choice);
  add_names(*ledger, choice);
  add_proofs(*ledger, choice);
  add_rollback(*ledger, choice);
  add_export(*ledger, choice);
}

}  // namespace swarmdns::controlplane
