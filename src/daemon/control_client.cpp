#include "qimux/daemon/control_client.hpp"

#include "qimux/base/bytes.hpp"
#include "qimux/base/log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

namespace qimux::daemon {
namespace {

// Whether the client closed both ways, and not only its own: `printf … | nc -N` still waits for its answer.
bool hungUp(int fd) {
  pollfd asked{fd, 0, 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

uid_t peerOf(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return static_cast<uid_t>(-1);
  return peer.uid;
}

}  // namespace

std::string_view name(ControlClientState state) {
  switch (state) {
    case ControlClientState::Asking:
      return "asking";
    case ControlClientState::Answering:
      return "answering";
    case ControlClientState::Watching:
      return "watching";
    case ControlClientState::Leaving:
      return "leaving";
    case ControlClientState::Gone:
      return "gone";
  }
  return "unknown";
}

// What a handler holds of a client: the duty to answer it.
class ControlClient::Ticket {
 public:
  Ticket(std::weak_ptr<ControlClient> client, Verb verb) : client_(std::move(client)), verb_(verb) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    if (!used_)
      answer(
          Response::failed(Error{ErrorKind::Cancelled, std::string(name(verb_)), "the daemon let go of it"}));
  }
  void answer(const Response& response) {
    if (std::exchange(used_, true)) return;
    if (const auto client = client_.lock()) client->answered(response);
  }

 private:
  std::weak_ptr<ControlClient> client_;
  Verb verb_;
  bool used_ = false;
};

ControlClient::ControlClient(async::UvLoop& loop, Fd fd, ControlHandler& handler, const ControlLimits& limits,
                             std::move_only_function<void()> on_gone)
    : loop_(loop),
      handler_(handler),
      limits_(limits),
      on_gone_(std::move(on_gone)),
      fd_(std::move(fd)),
      stall_(loop),
      beat_(loop),
      idle_(loop) {}

void ControlClient::start() {
  await();
  watch_ = loop_.watch(fd_.get(), async::Interest{.readable = true},
                       [weak = weak_from_this()](async::Interest seen) {
                         if (const auto self = weak.lock()) self->happened(seen);
                       });
}

void ControlClient::happened(async::Interest seen) {
  if (state_ == ControlClientState::Gone) return;
  if (seen.gone) return gone();
  if (seen.writable) flush();
  if (seen.readable && state_ != ControlClientState::Gone) receive();
}

void ControlClient::receive() {
  std::array<char, kMaxRequestLine + 1> chunk;
  assert(input_.size() <= kMaxRequestLine);
  const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size() - input_.size(), 0);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) gone();
    return;
  }
  if (got == 0) {
    ended_ = true;
    if (hungUp(fd_.get())) return gone();
  }
  input_.append(chunk.data(), static_cast<std::size_t>(got));
  next();
}

void ControlClient::next() {
  if (state_ != ControlClientState::Asking || !output_.empty()) return want();
  const std::size_t end = input_.find('\n');
  if (end != std::string::npos) {
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    serve(line);
  } else if (input_.size() > kMaxRequestLine) {
    // Where the next request begins is not known any more.
    go(ControlClientState::Leaving);
    say(Response::failed(Error{ErrorKind::Invalid, "request", "a line has at most 4096 bytes"}));
  } else if (ended_) {
    // A line without its end may be half a request: it is not obeyed.
    return gone();
  }
  want();
}

// A question, whose beginning is no question yet.
void ControlClient::await() {
  idle_.start(limits_.idle, [this] { gone(); });
}

void ControlClient::serve(std::string_view line) {
  idle_.stop();
  const auto request = parseRequest(line);
  if (!request) return say(Response::failed(request.error()));
  if (request->verb == Verb::Watch) {
    go(ControlClientState::Watching);
    return push();
  }
  const auto level = request->verb == Verb::At ? log::Level::Info : log::Level::Debug;
  if (log::enabled(level)) {
    log::write(level, fmt::format("control: user {}: {} {}", peerOf(fd_.get()), name(request->verb),
                                  request->argument));
  }
  go(ControlClientState::Answering);
  handler_.handle(*request, ticket(request->verb));
}

void ControlClient::push() {
  beat_.start(limits_.watch, [this] { push(); });
  if (in_hand_ || !output_.empty()) return;
  handler_.handle(Request{}, ticket(Verb::Watch));
}

ControlHandler::Respond ControlClient::ticket(Verb verb) {
  in_hand_ = true;
  return [ticket = std::make_unique<Ticket>(weak_from_this(), verb)](const Response& response) {
    ticket->answer(response);
  };
}

void ControlClient::answered(const Response& response) {
  if (state_ == ControlClientState::Gone) return;
  assert(in_hand_);
  in_hand_ = false;
  if (state_ == ControlClientState::Answering) go(ControlClientState::Asking);
  say(response);
}

void ControlClient::say(const Response& response) {
  assert(output_.empty());
  output_ = response.line() + '\n';
  flush();
}

// A handler may answer from within handle(), and the next line may be here already: it is served from the
// loop, so that a pipe full of requests does not become a deep stack.
void ControlClient::flush() {
  if (output_.empty()) return want();
  const ssize_t sent = ::send(fd_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return gone();
  if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
  if (!output_.empty()) {
    if (sent > 0 || !stall_.armed()) stall_.start(limits_.stall, [this] { gone(); });
    return want();
  }
  stall_.stop();
  if (state_ == ControlClientState::Leaving) return gone();
  if (state_ == ControlClientState::Asking) await();
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && self->state_ != ControlClientState::Gone) self->next();
  });
  want();
}

void ControlClient::go(ControlClientState next) {
  assert(state_ != ControlClientState::Gone);
  log::debug(fmt::format("control: client {}: {} -> {}", fd_.get(), name(state_), name(next)));
  state_ = next;
}

// Silently where the client hung up, as every client does when it has what it wanted.
void ControlClient::gone() {
  if (state_ == ControlClientState::Gone) return;
  const auto self = shared_from_this();
  go(ControlClientState::Gone);
  stall_.stop();
  beat_.stop();
  idle_.stop();
  watch_.reset();
  fd_.reset();
  on_gone_();
}

void ControlClient::want() {
  if (state_ == ControlClientState::Gone) return;
  // Read on while a request is in hand: that is how a client's going is noticed.
  const bool room = input_.size() <= kMaxRequestLine;
  watch_->want(async::Interest{.readable = !ended_ && room && state_ != ControlClientState::Leaving,
                               .writable = !output_.empty()});
}

}  // namespace qimux::daemon
