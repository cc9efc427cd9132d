#include "qimux/bridge/name_service.hpp"

#include "qimux/bridge/udp_session.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

// The module answers one at a time; one more is ready when it has.
constexpr std::size_t kAskedAtOnce = 2;
// A program that opens a connection and asks nothing keeps it this long (RFC 7766 6.2.3).
constexpr async::Duration kConnectionIdle = 20s;
// Answers that a program does not read: one of the largest size, and no more questions until it does.
constexpr std::size_t kMaxUnread = 65537;
constexpr async::Duration kUpstreamPatience = 10s;
constexpr std::size_t kMaxForwarded = 64;

DnsOutcome outcomeOf(const Result<Multiplexer::Addresses>& result) {
  if (result) return DnsOutcome{DnsOutcome::Kind::Addresses, *result};
  if (result.error().kind == ErrorKind::Invalid) return DnsOutcome{DnsOutcome::Kind::NoSuchName, {}};
  return DnsOutcome{};
}

}  // namespace

// One program's connection: questions in, answers out in whatever order they come.
class NameService::Connection {
 public:
  Connection(NameService& owner, std::unique_ptr<AppStream> stream, std::function<void()> closed)
      : owner_(owner), stream_(std::move(stream)), closed_(std::move(closed)), idle_(owner.loop_) {
    stream_->onChange([this] { onChange(); });
    idle_.start(kConnectionIdle, [this] { close(); });
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { *alive_ = false; }

  void onChange() {
    if (over_) return;
    flush();
    std::array<Byte, 2048> chunk;
    while (unread_.size() < kMaxUnread && stream_->readable() > 0) {
      const std::size_t count = stream_->read(chunk);
      if (count == 0) break;
      idle_.start(kConnectionIdle, [this] { close(); });
      for (const auto& message : dns_.feed(ByteView(chunk).first(count))) ask(message);
      if (dns_.failed()) return close();
    }
    const bool answered = waiting_.use_count() == 1 && unread_.empty();
    const auto input = stream_->readable() == 0 ? stream_->input() : AppStream::Input::Open;
    if (input == AppStream::Input::Reset || (input == AppStream::Input::Ended && answered)) close();
  }

 private:
  void ask(const Bytes& message) {
    // A reply that is destroyed uncalled is silence: then the ticket goes with it.
    owner_.ask(message, DnsTransport::Tcp, [this, alive = alive_, ticket = waiting_](const Bytes& answer) {
      if (!*alive) return;
      const Bytes framed = DnsStream::frame(answer);
      unread_.insert(unread_.end(), framed.begin(), framed.end());
      flush();
      // It may have been the last: that is known when this reply, which holds a ticket, is gone.
      owner_.loop_.post([this, alive] {
        if (*alive) onChange();
      });
    });
  }

  void flush() {
    if (unread_.empty()) return;
    const std::size_t taken = stream_->write(unread_);
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  void close() {
    if (std::exchange(over_, true)) return;
    idle_.stop();
    stream_->endOutput();
    owner_.loop_.post([this, alive = alive_] {
      if (!*alive) return;
      const auto closed = std::move(closed_);
      owner_.connections_.remove_if([this](const auto& entry) { return entry.get() == this; });
      closed();
    });
  }

  NameService& owner_;
  std::unique_ptr<AppStream> stream_;
  std::function<void()> closed_;
  DnsStream dns_;
  Bytes unread_;
  std::shared_ptr<bool> waiting_ =
      std::make_shared<bool>();  // one holder for each question without an answer
  bool over_ = false;
  async::Timer idle_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The server that knows other types, asked over one of the module's UDP sockets, which is given back when
// idle.
class NameService::Upstream final : public UdpObserver {
 public:
  Upstream(async::Loop& loop, Multiplexer& multiplexer, net::Endpoint server)
      : loop_(loop), multiplexer_(multiplexer), server_(server), late_(loop) {}
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream() override {
    if (session_ != nullptr) session_->abandon();
  }

  void forward(DnsForward question) {
    forgetLate();
    if (question.message.size() > module::kMaxSend || pending_.size() >= kMaxForwarded || !ready()) {
      return question.reply(dnsFailure(question.message, question.transport));
    }
    // An id of our own: two programs may have chosen the same.
    const std::uint16_t id = ++next_id_;
    Bytes asked = question.message;
    asked[0] = static_cast<Byte>(id >> 8);
    asked[1] = static_cast<Byte>(id & 0xff);
    session_->send(std::move(asked));
    pending_.insert_or_assign(id, Pending{std::move(question), loop_.now() + kUpstreamPatience});
    watchLate();
  }

 private:
  struct Pending {
    DnsForward question;
    async::TimePoint until;
  };

  bool ready() {
    if (session_ == nullptr) session_ = multiplexer_.associate(server_, *this).value_or(nullptr);
    return session_ != nullptr;
  }

  void forgetLate() {
    for (auto it = pending_.begin(); it != pending_.end();) {
      if (it->second.until > loop_.now()) {
        ++it;
        continue;
      }
      auto question = std::move(it->second.question);
      it = pending_.erase(it);
      question.reply(dnsFailure(question.message, question.transport));
    }
  }

  void watchLate() {
    if (pending_.empty() || late_.armed()) return;
    // All have the same patience, so looking when the first one's is over is early enough for each.
    auto first = async::TimePoint::max();
    for (const auto& [id, pending] : pending_) first = std::min(first, pending.until);
    late_.startAt(first, [this] {
      forgetLate();
      watchLate();
    });
  }

  void datagram(ByteView payload) override {
    if (payload.size() < 2) return;
    const auto found = pending_.find(static_cast<std::uint16_t>(payload[0] << 8 | payload[1]));
    if (found == pending_.end()) return;
    Bytes answer(payload.begin(), payload.end());
    const auto& message = found->second.question.message;
    answer[0] = message[0];
    answer[1] = message[1];
    if (!dnsAnswers(message, answer)) return;
    auto question = std::move(found->second.question);
    pending_.erase(found);
    question.reply(std::move(answer));
  }
  void failed(Failure) override {
    for (auto& [id, pending] : std::exchange(pending_, {})) {
      auto& question = pending.question;
      question.reply(dnsFailure(question.message, question.transport));
    }
  }
  void ended() override { session_ = nullptr; }

  async::Loop& loop_;
  Multiplexer& multiplexer_;
  net::Endpoint server_;
  async::Timer late_;
  UdpSession* session_ = nullptr;
  std::map<std::uint16_t, Pending> pending_;
  std::uint16_t next_id_ = 0;
};

NameService::NameService(async::Loop& loop, Multiplexer& multiplexer, const DnsOptions& options,
                         std::optional<net::Endpoint> upstream)
    : loop_(loop),
      multiplexer_(multiplexer),
      answerer_(options),
      deadline_(loop),
      alive_(std::make_shared<bool>(true)) {
  if (upstream) upstream_ = std::make_unique<Upstream>(loop, multiplexer, *upstream);
}

NameService::~NameService() {
  *alive_ = false;
}

void NameService::ask(ByteView message, DnsTransport transport, DnsReply reply) {
  auto forward = answerer_.ask(message, transport, loop_.now(), std::move(reply));
  if (forward && upstream_ != nullptr) upstream_->forward(std::move(*forward));
  pump();
}

void NameService::pump() {
  while (asked_ < kAskedAtOnce) {
    auto host = answerer_.nextQuestion();
    if (!host) break;
    ++asked_;
    multiplexer_.resolve(*host,
                         [this, alive = alive_, host = *host](const Result<Multiplexer::Addresses>& result) {
                           if (!*alive) return;
                           --asked_;
                           answerer_.answered(host, outcomeOf(result), loop_.now());
                           pump();
                         });
  }
  rearm();
}

void NameService::rearm() {
  const auto next = answerer_.nextDeadline();
  if (next == async::TimePoint::max()) return deadline_.stop();
  deadline_.startAt(next, [this] {
    answerer_.expire(loop_.now());
    pump();
  });
}

void NameService::online(bool up) {
  answerer_.unavailable(!up, loop_.now());
  pump();
}

void NameService::serve(std::unique_ptr<AppStream> stream, std::function<void()> closed) {
  if (connections_.size() >= kMaxConnections) {
    ++connections_refused_;
    stream->reset();
    return loop_.post(std::move(closed));
  }
  connections_.push_back(std::make_unique<Connection>(*this, std::move(stream), std::move(closed)));
  connections_.back()->onChange();
}

}  // namespace qimux::bridge
