#include "dataplane/volley/report.h"

#include <gtest/gtest.h>

namespace swarmdns::volley {
namespace {

void set(Result& result, Count what, std::uint64_t value) {
  result.totals.counts[static_cast<std::size_t>(what)] = value;
}

Result good() {
  Result result;
  set(result, Count::Sent, 1000);
  set(result, Count::Received, 990);
  set(result, Count::Lost, 10);
  result.totals.rcodes[0] = 900;
  result.totals.rcodes[3] = 90;
  result.seconds = 2;
  stats::Histogram latency;
  for (int i = 0; i < 980; ++i) latency.add(10'000);
  for (int i = 0; i < 10; ++i) latency.add(900'000);
  result.latency.add(latency);
  result.latency_max_ns = 900'500;
  return result;
}

TEST(Report, CountsRatesAndLoss) {
  const Result result = good();
  EXPECT_DOUBLE_EQ(result.sent_per_second(), 500);
  EXPECT_DOUBLE_EQ(result.received_per_second(), 495);
  EXPECT_DOUBLE_EQ(result.loss_percent(), 1);
  EXPECT_NEAR(result.latency_us(0.5), 10, 0.4);
  EXPECT_DOUBLE_EQ(result.latency_us(0.999), 900.5);  // never above the maximum
}

TEST(Report, LimitsDecide) {
  Options options;
  Result result = good();
  EXPECT_TRUE(failures(result, options).empty());
  options.max_loss = 1;
  EXPECT_TRUE(failures(result, options).empty());
  options.max_loss = 0.99;
  EXPECT_EQ(failures(result, options).size(), 1U);
  options.max_p99_us = 500;
  EXPECT_EQ(failures(result, options).size(), 2U);
  options = {};
  options.rate = 1000;
  result.not_sent = 53;
  EXPECT_EQ(failures(result, options).size(), 1U);
  options.max_shortfall = 10;
  EXPECT_TRUE(failures(result, options).empty());
  result.link_lost = true;
  EXPECT_EQ(failures(result, options).size(), 1U);
}

TEST(Report, WrongRepliesFail) {
  for (const Count what : kWrong) {
    Result result = good();
    set(result, what, 2);
    Options options;
    EXPECT_EQ(failures(result, options).size(), 1U);
    options.max_wrong = 2;
    EXPECT_TRUE(failures(result, options).empty());
  }
  Result result = good();
  set(result, Count::Late, 5);
  EXPECT_TRUE(failures(result, {}).empty());
}

TEST(Report, SilenceFails) {
  Result result = good();
  set(result, Count::Received, 0);
  EXPECT_EQ(failures(result, {}).size(), 1U);
  EXPECT_EQ(failures(Result{}, {}).size(), 1U);
  Result unresolved;
  unresolved.unresolved = "10.53.1.1";
  EXPECT_NE(failures(unresolved, {}).at(0).find("10.53.1.1"), std::string::npos);
}

TEST(Report, TableSaysTheMainThings) {
  Result result = good();
  set(result, Count::WrongQuestion, 3);
  const std::string text = table(result, {});
  for (const char* part : {"1,000", "990", "1.0000 %", "wrong question", "NXDOMAIN", "FAILED: 3 wrong"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_NE(table(good(), {}).find("PASSED"), std::string::npos);
}

TEST(Report, JsonIsEscapedAndComplete) {
  Options options;
  options.queries = "a\"b\\c\n";
  const std::string text = json(good(), options);
  EXPECT_NE(text.find(R"("queries": "a\"b\\c\u000a")"), std::string::npos) << text;
  for (const char* part :
       {"\"sent\": 1000,", "\"received\": 990,", "\"loss_percent\": 1,", "\"passed\": true",
        R"("rcodes": {"NOERROR": 900, "NXDOMAIN": 90})", "\"wrong\": 0,"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(Report, ProgressIsOfTheSecondAlone) {
  Result result = good();
  Totals before;
  before.counts[static_cast<std::size_t>(Count::Sent)] = 400;
  const std::string line = progress_line(7, 2, "measuring", result.totals, before, result.latency);
  EXPECT_NE(line.find("sent 300/s"), std::string::npos) << line;
  EXPECT_NE(line.find("received 495/s"), std::string::npos) << line;
}

}  // namespace
}  // namespace swarmdns::volley
