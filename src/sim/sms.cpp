#include "qimux/sim/sms.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::sim {
namespace {

// What the network and the module keep for later; more is refused, or the oldest forgotten.
constexpr std::size_t kMostWaiting = 100;
constexpr std::size_t kMostBuffered = 40;
// How soon the network tries again.
constexpr auto kAgain = std::chrono::seconds(5);

constexpr Byte kDeliver = 0x04;
constexpr Byte kHeaderFlag = 0x40;
// <mt> of AT+CNMI: all directly but those for the SIM; only those for the host.
constexpr int kDirect = 2;
constexpr int kDirectClass3 = 3;

Error invalid(std::string_view what, std::string_view why) {
  return Error{ErrorKind::Invalid, std::string(what), std::string(why)};
}

}  // namespace

Sms::Sms(async::Loop& loop, const Options& options, Transcript& transcript, Terminal& terminal, Cell& cell,
         const Clock& clock)
    : options_(options),
      transcript_(transcript),
      terminal_(terminal),
      cell_(cell),
      clock_(clock),
      centre_(parseNumber(options.service_centre).value_or(SmsAddress{})),
      later_(loop),
      again_(loop) {
  for (const auto& [from, text] : options_.sms) {
    const auto messages = composeDeliver(from, text, long_reference_++);
    for (SmsMessage message : messages.value_or(std::vector<SmsMessage>{})) {
      message.time = encodeTime(networkTime());
      if (!store_.add(StoredSms{SmsState::ReceivedUnread, centre_, message})) {
        waiting_.push_back(std::move(message));
      }
    }
  }
  if (!waiting_.empty()) again_.start(kAgain, [this] { deliver(); });
}

int Sms::storeProblem() const {
  switch (cell_.sim()) {
    case SimState::Absent:
      return cms::kNoSim;
    case SimState::Starting:
      return cms::kSimBusy;
    case SimState::PinNeeded:
      return cms::kPinRequired;
    case SimState::PukNeeded:
      return cms::kPukRequired;
    case SimState::Blocked:
      return cms::kSimFailure;
    case SimState::Ready:
      break;
  }
  // Before SMS Ready.
  return cell_.initState() < 3 ? cms::kSimBusy : 0;
}

int Sms::sendProblem() const {
  if (const int problem = storeProblem()) return problem;
  return cell_.registered() ? 0 : cms::kNoNetwork;
}

std::int64_t Sms::networkTime() const {
  return options_.wall_clock ? options_.wall_clock() : clock_.now();
}

Result<void> Sms::arrive(std::string_view from, std::string_view text) {
  auto messages = composeDeliver(from, text, long_reference_);
  if (!messages) return std::unexpected(invalid("sms", "needs a number or a short name, and a text"));
  if (waiting_.size() + messages->size() > kMostWaiting) {
    return std::unexpected(Error{ErrorKind::Full, "sms", "too many wait in the network"});
  }
  ++long_reference_;
  for (SmsMessage& message : *messages) {
    message.time = encodeTime(networkTime());
    waiting_.push_back(std::move(message));
  }
  deliver();
  return {};
}

void Sms::deliver() {
  while (!waiting_.empty() && sendProblem() == 0 && take(waiting_.front())) waiting_.pop_front();
  if (!waiting_.empty()) again_.start(kAgain, [this] { deliver(); });
}

// Class 2 is for the SIM, class 3 for the host (23.038 4; 27.005 3.4.1).
bool Sms::goesDirect(const SmsMessage& message) const {
  const int how = settings_.indications[1];
  const auto message_class = classOf(message.dcs);
  return (how == kDirect && message_class != 2) || (how == kDirectClass3 && message_class == 3);
}

bool Sms::take(const SmsMessage& message) {
  const StoredSms sms{SmsState::ReceivedUnread, centre_, message};
  transcript_.note(fmt::format("sms from {}: {}", message.peer.shown(), message.readable()));
  if (goesDirect(message)) {
    indicate(fmt::format("+CMT: {}\r\n{}", directLine(settings_, sms), bodyLine(settings_, sms)));
    return true;
  }
  const auto place = store_.add(sms);
  if (!place) {
    transcript_.note("no place on the SIM; the network keeps it");
    return false;
  }
  if (settings_.indications[1] != 0) indicate(fmt::format("+CMTI: \"SM\",{}", *place));
  return true;
}

void Sms::indicate(std::string line) {
  if (settings_.indications[0] != 0) {
    terminal_.urc(std::move(line));
    return;
  }
  if (buffered_.size() == kMostBuffered) buffered_.pop_front();
  buffered_.push_back(std::move(line));
}

void Sms::indicationsSet() {
  if (settings_.indications[0] == 0) return;
  auto lines = std::exchange(buffered_, {});
  if (settings_.indications[4] != 0) return;
  for (auto& line : lines) terminal_.urc(std::move(line));
}

Byte Sms::send(const SmsMessage& message) {
  transcript_.note(fmt::format("sms to {}: {}", message.peer.shown(), message.readable()));
  const auto own = parseNumber(options_.own_number);
  if (options_.sms_loop || (own && own->text == message.peer.text)) {
    later_.in(options_.sms_sending, [this, message] { comeBack(message); });
  }
  return reference_++;
}

void Sms::comeBack(const SmsMessage& sent) {
  if (waiting_.size() >= kMostWaiting) return;
  SmsMessage message = sent;
  message.first_octet = static_cast<Byte>(kDeliver | (sent.first_octet & kHeaderFlag));
  message.validity.clear();
  message.time = encodeTime(networkTime());
  waiting_.push_back(std::move(message));
  deliver();
}

void Sms::reset() {
  settings_ = SmsSettings{};
  buffered_.clear();
  later_.clear();
  if (!waiting_.empty()) again_.start(kAgain, [this] { deliver(); });
}

}  // namespace qimux::sim
