// The figures of a bench program: a table on standard output, and the JSON that all of scripts/bench writes:
// a list of
// {"bench", "case", "value", "unit", "ratio_to": {yardstick: ratio}}, a ratio above 1 always meaning that
// ours is better.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace swarmdns::bench {

// What every bench program can be told.
struct Runs {
  std::string json;
  unsigned repeat = 5;
  double seconds = 1.0;

  void add_to(CLI::App& app) {
    app.add_option("--json", json, "write the figures to this file");
    app.add_option("--repeat", repeat, "runs a case; the median counts")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    app.add_option("--seconds", seconds, "timed seconds a run")
        ->capture_default_str()
        ->check(CLI::Range(0.01, 60.0));
  }
};

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Figure {
  std::string name;  // the case
  double value = 0;  // a median
  double least = 0;
  double most = 0;
  std::string unit;
  std::vector<std::pair<std::string, double>> ratio_to;

  static Figure of(std::string name, const std::vector<double>& samples, std::string unit) {
    return {std::move(name),           median(samples), std::ranges::min(samples),
            std::ranges::max(samples), std::move(unit), {}};
  }
};

class Report {
 public:
  explicit Report(std::string bench) : bench_(std::move(bench)) {}

  // Prints the figure's line at once.
  void add(Figure figure) {
    std::printf("%-22s %12.1f %-14s (%.1f - %.1f)", figure.name.c_str(), figure.value, figure.unit.c_str(),
                figure.least, figure.most);
    for (const auto& [yardstick, ratio] : figure.ratio_to)
      std::printf("  %.2f x %s", ratio, yardstick.c_str());
    std::printf("\n");
    std::fflush(stdout);
    figures_.push_back(std::move(figure));
  }

  // Writes the file that was asked for, if one was; ends the program when it cannot be written.
  void write_json(const std::string& path) const {
    if (path.empty()) return;
    std::ofstream out(path);
    out << "[";
    for (std::size_t i = 0; i < figures_.size(); ++i) {
      const Figure& figure = figures_[i];
      out << (i == 0 ? "\n" : ",\n") << R"( {"bench": ")" << bench_ << R"(", "case": ")" << figure.name
          << R"(", "value": )" << figure.value << R"(, "unit": ")" << figure.unit << R"(", "ratio_to": {)";
      for (std::size_t r = 0; r < figure.ratio_to.size(); ++r) {
        out << (r == 0 ? "" : ", ") << '"' << figure.ratio_to[r].first << "\": " << figure.ratio_to[r].second;
      }
      out << "}}";
    }
    out << "\n]\n" << std::flush;
    if (out) return;
    std::fprintf(stderr, "bench-%s: cannot write %s\n", bench_.c_str(), path.c_str());
    std::exit(1);
  }

 private:
  std::string bench_;
  std::vector<Figure> figures_;
};

}  // namespace swarmdns::bench
