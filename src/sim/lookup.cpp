#include "lookup.hpp"

#include "qimux/base/fd.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace qimux::sim {
namespace {

constexpr std::size_t kMostQuestions = 16;

std::vector<Ipv4> askMachine(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  std::vector<Ipv4> found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    found.push_back(Ipv4{ntohl(reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr.s_addr)});
  }
  ::freeaddrinfo(list);
  return found;
}

}  // namespace

// Shared with the thread, which may outlive everything else.
struct Lookups::Answer {
  Fd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::vector<Ipv4> found;
  // `found` is complete.
  std::atomic<bool> ready = false;
};

struct Lookups::Question {
  std::shared_ptr<Answer> answer;
  Network::Resolved done;
  std::unique_ptr<async::UvLoop::FdWatch> watch;
};

Lookups::Lookups(async::UvLoop& loop) : loop_(loop) {}

Lookups::~Lookups() = default;

void Lookups::ask(const std::string& host, Network::Resolved done) {
  auto answer = std::make_shared<Answer>();
  bool asked = answer->event.valid() && questions_.size() < kMostQuestions;
  if (asked) try {
      std::thread([answer, host] {
        answer->found = askMachine(host);
        answer->ready.store(true, std::memory_order_release);
        (void)!::eventfd_write(answer->event.get(), 1);
      }).detach();
    } catch (const std::system_error&) {
      asked = false;
    }
  if (!asked) {
    loop_.post([done = std::move(done)]() mutable { done({}); });
    return;
  }
  const auto question = questions_.insert(questions_.end(), Question{answer, std::move(done), nullptr});
  question->watch = loop_.watch(answer->event.get(), async::Interest{.readable = true},
                                [this, question](async::Interest) { answered(question); });
}

void Lookups::answered(std::list<Question>::iterator question) {
  if (!question->answer->ready.load(std::memory_order_acquire)) return;
  Question over = std::move(*question);
  questions_.erase(question);
  over.watch.reset();
  over.done(std::move(over.answer->found));
}

}  // namespace qimux::sim
