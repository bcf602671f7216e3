// DNS over TCP against a real socket: framing, pipelining, order, limits, endings.
#include "tests/unit/dataplane/stream/fixture.h"

namespace swarmdns::stream::test {
namespace {

TEST_F(StreamTest, AnswersFromTheCache) {
  insert("www.example.com");
  start();
  Client client(tcp_port);
  client.send(framed(make_query("www.EXAMPLE.com", 0x4242)));
  const Octets reply = client.receive();
  const auto message = dns::Message::parse(reply);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->id(), 0x4242);
  EXPECT_EQ(message->rcode(), dns::Rcode::NoError);
  EXPECT_EQ(message->answers().size(), 1U);
  EXPECT_TRUE(identical(message->question()->name, name("www.EXAMPLE.com")));
  EXPECT_EQ(count(Counter::CacheHits), 1U);
  EXPECT_EQ(count(Counter::StreamAccepted), 1U);
  EXPECT_EQ(count(Counter::StreamReplies), 1U);
  EXPECT_TRUE(eventually([this] {  // the reply is sent before it is timed
    stats::HistogramSnapshot hits;
    hits.add(stats->hits);
    return hits.count == 1;
  }));
}

TEST_F(StreamTest, AnswersMayBeLargerThanAnyDatagram) {
  insert("big.example.com", 3500);  // 56,000 octets
  start();
  Client client(tcp_port);
  client.send(framed(make_query("big.example.com", 1, 512)));
  const Octets reply = client.receive();
  const auto message = dns::Message::parse(reply);
  ASSERT_TRUE(message.has_value());
  EXPECT_FALSE(message->flags().tc());
  EXPECT_EQ(message->answers().size(), 3500U);
}

TEST_F(StreamTest, ManyQueriesInOneSegmentAndOneInMany) {
  insert("www.example.com");
  start();
  Client client(tcp_port);
  Octets burst;
  for (std::uint16_t i = 0; i < 40; ++i) {
    const Octets query = framed(make_query("www.example.com", i));
    burst.insert(burst.end(), query.begin(), query.end());
  }
  client.send(burst);
  for (std::uint16_t i = 0; i < 40; ++i) EXPECT_EQ(id_of(client.receive()), i);

  for (const std::byte b : framed(make_query("www.example.com", 99))) {
    client.send({b});
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(id_of(client.receive()), 99);
}

TEST_F(StreamTest, AnswersComeInTheOrderTheyAreReady) {
  insert("cached.example.com");
  start();
  Client client(tcp_port);
  Octets burst;
  for (const auto& query : {make_query("first.example.com", 1), make_query("second.example.com", 2),
                            make_query("cached.example.com", 3)}) {
    const Octets f = framed(query);
    burst.insert(burst.end(), f.begin(), f.end());
  }
  client.send(burst);
  EXPECT_EQ(id_of(client.receive()), 3);
  const auto first = next_question();
  const auto second = next_question();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->transport, dns::Transport::Tcp);
  answer(*second);
  EXPECT_EQ(id_of(client.receive()), 2);
  answer(*first);
  const Octets reply = client.receive();
  EXPECT_EQ(id_of(reply), 1);
  EXPECT_TRUE(identical(dns::Message::parse(reply)->question()->name, name("first.example.com")));
  EXPECT_EQ(count(Counter::MissReplies), 2U);
}

TEST_F(StreamTest, AQuestionEndsTheMissThreadsSleep) {
  start();
  const auto asked = [this] { return channel->next_request() != nullptr; };
  Client client(tcp_port);
  std::thread asker([&client] {
    std::this_thread::sleep_for(20ms);
    client.send(framed(make_query("new.example", 1)));
  });
  while (!asked()) bell.doze(asked, std::chrono::hours(1));  // hangs if nobody rings
  asker.join();
}

TEST_F(StreamTest, ALateAnswerNeverReachesAnotherClient) {
  start();
  auto gone = std::make_unique<Client>(tcp_port);
  gone->send(framed(make_query("secret.example.com", 1)));
  const auto question = next_question();
  ASSERT_TRUE(question);
  gone->abort();
  ASSERT_TRUE(eventually([&] { return limits.total() == 0; }));
  Client next(tcp_port);  // takes the place of the one that is gone
  next.send(framed(make_query("id.server.invalid", 2)));
  const auto other = next_question();
  ASSERT_TRUE(other);
  EXPECT_EQ(static_cast<std::uint32_t>(other->waiter.handle),
            static_cast<std::uint32_t>(question->waiter.handle));
  EXPECT_NE(other->waiter.handle, question->waiter.handle);
  answer(*question);
  EXPECT_TRUE(next.silent_for(100ms));
  answer(*other);
  EXPECT_EQ(id_of(next.receive()), 2);
}

TEST_F(StreamTest, BeyondTheLimitOfUnansweredQueriesItIsNotRead) {
  options.max_pipelined = 3;
  start();
  Client client(tcp_port);
  Octets burst;
  for (std::uint16_t i = 0; i < 10; ++i) {
    const Octets query = framed(make_query("n" + std::to_string(i) + ".example.com", i));
    burst.insert(burst.end(), query.begin(), query.end());
  }
  client.send(burst);
  std::deque<miss::Request> open;
  for (int i = 0; i < 3; ++i) open.push_back(*next_question());
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(channel->next_request(), nullptr);
  for (int answered = 0; answered < 10; ++answered) {
    answer(open.front());
    open.pop_front();
    EXPECT_EQ(id_of(client.receive()), answered);
    if (answered < 7) open.push_back(*next_question());
  }
}

TEST_F(StreamTest, IdleConnectionsEndCleanly) {
  options.idle_timeout_ms = 150;
  start();
  Client client(tcp_port);
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_TRUE(client.ended_cleanly);
  EXPECT_EQ(count(Counter::StreamIdleClosed), 1U);
  EXPECT_EQ(limits.total(), 0U);
}

TEST_F(StreamTest, ATrickleIsIdleToo) {
  options.idle_timeout_ms = 300;
  start();
  Client client(tcp_port);
  const Octets query = framed(make_query("www.example.com", 1));
  std::size_t sent = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (client.silent_for(50ms) && sent + 1 < query.size()) client.send({query[sent++]});
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(count(Counter::StreamIdleClosed), 1U);
}

TEST_F(StreamTest, WhoWaitsForAnAnswerIsNotIdle) {
  options.idle_timeout_ms = 150;
  start();
  Client client(tcp_port);
  client.send(framed(make_query("slow.example.com", 1)));
  const auto question = next_question();
  ASSERT_TRUE(question);
  EXPECT_TRUE(client.silent_for(500ms));
  answer(*question);
  EXPECT_EQ(id_of(client.receive()), 1);
}

TEST_F(StreamTest, AfterAHalfCloseTheAnswersStillCome) {
  start();
  Client client(tcp_port);
  client.send(framed(make_query("a.example.com", 1)));
  client.end_sending();
  const auto question = next_question();
  ASSERT_TRUE(question);
  EXPECT_TRUE(client.silent_for(50ms));
  answer(*question);
  EXPECT_EQ(id_of(client.receive()), 1);
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_TRUE(client.ended_cleanly);
  EXPECT_EQ(limits.total(), 0U);
}

TEST_F(StreamTest, ConnectionsPerClientAreBounded) {
  options.max_connections_per_client = 2;
  insert("www.example.com");
  start();
  Client first(tcp_port);
  Client second(tcp_port);
  Client third(tcp_port);
  EXPECT_TRUE(third.closed_by_server());
  EXPECT_EQ(count(Counter::StreamRefused), 1U);
  first.send(framed(make_query("www.example.com", 1)));
  EXPECT_EQ(id_of(first.receive()), 1);
  second.close();
  ASSERT_TRUE(eventually([&] { return limits.total() == 1; }));
  Client fourth(tcp_port);
  fourth.send(framed(make_query("www.example.com", 4)));
  EXPECT_EQ(id_of(fourth.receive()), 4);
}

TEST_F(StreamTest, ConnectionsInAllAreBoundedAndOptionsAreLive) {
  options.max_connections = 1;
  insert("www.example.com");
  start();
  Client first(tcp_port);
  Client second(tcp_port);
  EXPECT_TRUE(second.closed_by_server());
  options.max_connections = 2;
  options_slot->set(std::make_shared<const Options>(options));
  ASSERT_TRUE(eventually([&] {
    Client again(tcp_port);
    again.send(framed(make_query("www.example.com", 3)));
    return id_of(again.receive()) == 3;
  }));
}

TEST_F(StreamTest, AFrameThatIsNoDnsEndsTheConnectionAfterItsAnswers) {
  start();
  for (const Octets& bad : {Octets{std::byte{0}, std::byte{0}}, Octets{std::byte{0}, std::byte{11}},
                            Octets{std::byte{0xff}, std::byte{0xff}}}) {
    Client client(tcp_port);
    Octets burst = framed(make_query("a.example.com", 1));
    burst.insert(burst.end(), bad.begin(), bad.end());
    client.send(burst);
    const auto question = next_question();
    ASSERT_TRUE(question);
    answer(*question);
    EXPECT_EQ(id_of(client.receive()), 1);
    EXPECT_TRUE(client.closed_by_server());
  }
  EXPECT_EQ(count(Counter::StreamBadFrame), 3U);
  EXPECT_EQ(limits.total(), 0U);
}

TEST_F(StreamTest, ResponsesAndShortMessagesGetNothing) {
  insert("www.example.com");
  start();
  Client client(tcp_port);
  Octets response = make_query("www.example.com", 1);
  response[2] |= std::byte{0x80};
  client.send(framed(response));
  client.send(framed(make_query("www.example.com", 2)));
  EXPECT_EQ(id_of(client.receive()), 2);
  EXPECT_EQ(count(Counter::DropResponse), 1U);
}

TEST_F(StreamTest, FormErrIsAnswered) {
  start();
  Client client(tcp_port);
  Octets query = make_query("www.example.com", 5);
  query.resize(20);  // cut inside the question
  client.send(framed(query));
  const Octets reply = client.receive();
  EXPECT_EQ(id_of(reply), 5);
  EXPECT_EQ(rcode_of(reply), 1U);
}

// One who asks for much and reads nothing holds back nobody but himself, within bounded memory.
TEST_F(StreamTest, ASlowReaderIsNotReadEither) {
  options.idle_timeout_ms = 400;
  insert("big.example.com", 3500);
  insert("www.example.com");
  start();
  Client slow(tcp_port, 4096);
  const Octets query = framed(make_query("big.example.com", 1));
  for (int i = 0; i < 300; ++i) (void)slow.send_some(query);
  Client other(tcp_port);
  other.send(framed(make_query("www.example.com", 2)));
  EXPECT_EQ(id_of(other.receive()), 2);
  ASSERT_TRUE(eventually([&] { return count(Counter::StreamIdleClosed) >= 1; }));
  EXPECT_LT(count(Counter::StreamQueries), 150U);
}

TEST_F(StreamTest, ASlowReaderThatReadsGetsAll) {
  insert("big.example.com", 3500);
  start();
  Client client(tcp_port, 4096);
  Octets burst;
  for (std::uint16_t i = 0; i < 100; ++i) {
    const Octets query = framed(make_query("big.example.com", i));
    burst.insert(burst.end(), query.begin(), query.end());
  }
  client.send(burst);
  std::this_thread::sleep_for(100ms);
  for (std::uint16_t i = 0; i < 100; ++i) ASSERT_EQ(id_of(client.receive()), i);
}

TEST_F(StreamTest, WithAFullMissRingTheClientIsTold) {
  start(2);
  Client client(tcp_port);
  Octets burst;
  for (std::uint16_t i = 0; i < 3; ++i) {
    const Octets query = framed(make_query("n" + std::to_string(i) + ".example.com", i));
    burst.insert(burst.end(), query.begin(), query.end());
  }
  client.send(burst);
  const Octets reply = client.receive();
  EXPECT_EQ(id_of(reply), 2);
  EXPECT_EQ(rcode_of(reply), 2U);
}

TEST_F(StreamTest, KeepaliveIsOffered) {
  insert("www.example.com");
  start();
  Client client(tcp_port);
  Octets query = make_query("www.example.com", 1, 0);
  query[11] = std::byte{1};  // ARCOUNT
  std::array<std::byte, 64> space{};
  dns::OptWriter opt(space, {});
  ASSERT_TRUE(opt.tcp_keepalive_request());
  query.insert(query.end(), opt.finish().begin(), opt.finish().end());
  client.send(framed(query));
  const Octets reply = client.receive();
  const auto message = dns::Message::parse(reply);
  ASSERT_TRUE(message && message->opt());
  const auto option = message->opt()->find(dns::OptionCode::TcpKeepalive);
  ASSERT_TRUE(option.has_value());
  EXPECT_EQ(dns::parse_tcp_keepalive(*option)->timeout, policy.service.tcp_keepalive_ds);
}

TEST_F(StreamTest, TheAclHolds) {
  const std::vector<guard::AclRule> refuse = {{*net::Prefix::parse("127.0.0.0/8"), guard::AclAction::Refuse}};
  policy.acl = guard::Acl::build(refuse, guard::AclAction::Allow);
  insert("www.example.com");
  start();
  Client client(tcp_port);
  client.send(framed(make_query("www.example.com", 1)));
  EXPECT_EQ(rcode_of(client.receive()), 5U);

  thread->stop();
  const std::vector<guard::AclRule> deny = {{*net::Prefix::parse("127.0.0.0/8"), guard::AclAction::Deny}};
  policy.acl = guard::Acl::build(deny, guard::AclAction::Allow);
  start();
  Client denied(tcp_port);
  EXPECT_TRUE(denied.closed_by_server());
}

TEST_F(StreamTest, StoppingClosesEverything) {
  start();
  Client first(tcp_port);
  Client second(tcp_port);
  ASSERT_TRUE(eventually([&] { return limits.total() == 2; }));
  thread->stop();
  EXPECT_TRUE(first.closed_by_server());
  EXPECT_TRUE(second.closed_by_server());
  EXPECT_EQ(limits.total(), 0U);
}

}  // namespace
}  // namespace swarmdns::stream::test
