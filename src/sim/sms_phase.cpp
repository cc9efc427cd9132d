#include "qimux/sim/sms_phase.hpp"

#include "qimux/sim/module.hpp"
#include "qimux/sim/sms_alphabet.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::sim {
namespace {

constexpr Byte kEnd = 0x1a;
constexpr Byte kEscape = 0x1b;
constexpr Byte kBackspace = 0x08;
constexpr std::string_view kPrompt = "\r\n> ";
// 160 characters of four digits each; the longest PDU is shorter.
constexpr std::size_t kMostTyped = 1024;
// Bits of <fo>: what kind it is, and whether <vp> is there, as one octet.
constexpr int kKindBits = 0x03;
constexpr int kSubmit = 0x01;
constexpr int kValidityBits = 0x18;

}  // namespace

void SmsPhase::begin(Order order) {
  order_ = std::move(order);
  text_mode_ = module_.sms().settings().text_mode;
  typed_.clear();
  first_ = true;
  overflow_ = false;
  module_.terminal().raw(bytesOf(kPrompt));
  module_.terminal().beginData(*this);
}

std::size_t SmsPhase::feed(ByteView bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    // The LF behind the command's CR is not part of it.
    const bool stray = std::exchange(first_, false) && bytes[i] == '\n';
    if (stray) continue;
    if (bytes[i] == kEscape) {
      module_.transcript().note("sms cancelled by ESC");
      module_.terminal().endData();
      module_.terminal().complete(Reply::ok(), module_.options().command_latency);
      return i + 1;
    }
    if (bytes[i] == kEnd) {
      finish();
      return i + 1;
    }
    type(bytes[i]);
  }
  return bytes.size();
}

void SmsPhase::type(Byte byte) {
  Terminal& terminal = module_.terminal();
  const bool line_end = byte == '\r';
  if (module_.settings().echo && !line_end) terminal.raw(ByteView(&byte, 1));
  if (text_mode_ && line_end) terminal.raw(bytesOf(kPrompt));
  if (text_mode_ && byte == kBackspace) {
    if (!typed_.empty()) typed_.pop_back();
    return;
  }
  if (!text_mode_ && (line_end || byte == '\n')) return;
  if (typed_.size() == kMostTyped) {
    overflow_ = true;
  } else {
    typed_ += static_cast<char>(byte);
  }
}

void SmsPhase::finish() {
  Terminal& terminal = module_.terminal();
  terminal.endData();
  module_.transcript().payloadIn(bytesOf(typed_));
  auto sms = overflow_ ? std::nullopt : text_mode_ ? fromText() : fromPdu();
  int problem = 0;
  if (!sms) {
    problem = text_mode_ ? cms::kInvalidText : cms::kInvalidPdu;
  } else if (order_.send && sms->centre.text.empty()) {
    problem = cms::kCentreUnknown;
  }
  if (problem != 0) {
    terminal.complete(Reply::cms(problem), module_.options().command_latency);
  } else if (order_.send) {
    transmit(sms->message, "+CMGS");
  } else {
    write(std::move(*sms));
  }
}

void SmsPhase::transmit(const SmsMessage& message, std::string_view command) {
  module_.later().in(module_.options().sms_sending, [this, message, command = std::string(command)] {
    Terminal& terminal = module_.terminal();
    // The network can be lost meanwhile.
    if (const int problem = module_.sms().sendProblem()) {
      terminal.complete(Reply::cms(problem));
      return;
    }
    terminal.info(fmt::format("{}: {}", command, module_.sms().send(message)));
    terminal.complete(Reply::ok());
  });
}

void SmsPhase::write(StoredSms sms) {
  const auto place = module_.sms().store().add(std::move(sms));
  module_.later().in(module_.options().command_latency, [this, place] {
    Terminal& terminal = module_.terminal();
    if (place) terminal.info(fmt::format("+CMGW: {}", *place));
    terminal.complete(place ? Reply::ok() : Reply::cms(cms::kMemoryFull));
  });
}

std::optional<StoredSms> SmsPhase::fromPdu() const {
  const auto octets = octetsOfHex(typed_);
  if (!octets) return std::nullopt;
  auto centre = decodeServiceCentre(*octets);
  if (!centre) return std::nullopt;
  const ByteView tpdu = ByteView(*octets).subspan(centre->size);
  auto message = decodeTpdu(tpdu);
  if (!message || tpdu.size() != order_.length) return std::nullopt;
  const bool to_send = order_.send || order_.state >= SmsState::StoredUnsent;
  if (to_send != (message->kind() == SmsKind::Submit)) return std::nullopt;
  if (order_.send && message->peer.text.empty()) return std::nullopt;
  const bool own_centre = centre->number.text.empty();
  return StoredSms{order_.state, own_centre ? module_.sms().centre() : centre->number, std::move(*message)};
}

std::optional<StoredSms> SmsPhase::fromText() const {
  const SmsSettings& settings = module_.sms().settings();
  const auto& [first_octet, validity, pid, dcs] = settings.parameters;
  SmsMessage message;
  message.first_octet = static_cast<Byte>((first_octet & ~kKindBits) | kSubmit);
  message.peer = order_.number;
  message.pid = static_cast<Byte>(pid);
  message.dcs = static_cast<Byte>(dcs);
  if ((first_octet & kValidityBits) != 0) message.validity = {static_cast<Byte>(validity)};
  const bool packed = alphabetOf(message.dcs) == SmsAlphabet::Default;
  if (packed && !message.hasHeader()) {
    const auto septets = typedAs(settings.charset, typed_);
    if (!septets || septets->size() > kMostSeptets) return std::nullopt;
    message.length = septets->size();
    message.data = packSeptets(*septets);
  } else {
    auto octets = octetsOfHex(typed_);
    if (!octets || octets->size() > kMostOctets) return std::nullopt;
    message.length = packed ? octets->size() * 8 / 7 : octets->size();
    message.data = std::move(*octets);
  }
  // What it is now can be read again: a header that does not fit, for one, cannot.
  if (!decodeTpdu(encodeTpdu(message))) return std::nullopt;
  return StoredSms{order_.state, module_.sms().centre(), std::move(message)};
}

}  // namespace qimux::sim
