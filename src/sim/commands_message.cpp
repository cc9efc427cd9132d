// Short messages read, written, sent and deleted: 3GPP 27.005, 3.4, 3.5, 4; AT+QMGDA (public
// drivers, not a manual).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <array>

namespace qimux::sim {

std::optional<SmsAddress> numberArgument(Module& module, const Call& call, std::size_t index) {
  if (index >= call.count()) return std::nullopt;
  const auto septets = typedAs(module.sms().settings().charset, call.args[index].text);
  std::optional<Byte> type;
  if (call.count() > index + 1 && !call.args[index + 1].text.empty()) {
    const auto given = call.number(index + 1, 128, 255);
    if (!given) return std::nullopt;
    type = static_cast<Byte>(*given);
  }
  // a, b and c are digits to a PDU (3GPP 24.008), and no telephone number has them. The code is 305, as for
  // any other parameter of text mode that is none (27.005 3.2.5): nothing has been asked of the network yet,
  // which would say 28.
  if (!septets || textOf(*septets).find_first_of("abc") != std::string_view::npos) return std::nullopt;
  return parseNumber(textOf(*septets), type);
}

namespace {

constexpr long kLongestTpdu = 164;

// <stat>: its word in text mode, its number in PDU mode; "ALL" or 4 is none in particular.
struct Wanted {
  std::optional<SmsState> state;
};
std::optional<Wanted> wantedState(Module& module, const Call& call) {
  constexpr long kAll = 4;
  const bool text_mode = module.sms().settings().text_mode;
  if (call.count() == 0) return Wanted{SmsState::ReceivedUnread};
  if (text_mode) {
    if (call.string(0) == "ALL") return Wanted{};
    const auto state = parseSmsState(call.string(0).value_or(""));
    return state ? std::optional<Wanted>(Wanted{state}) : std::nullopt;
  }
  const auto number = call.number(0, 0, kAll);
  if (!number) return std::nullopt;
  return *number == kAll ? Wanted{} : Wanted{static_cast<SmsState>(*number)};
}

void show(Module& module, const StoredSms& sms, const std::string& head) {
  module.terminal().info(head);
  const std::string body = bodyLine(module.sms().settings(), sms);
  module.transcript().answer(body);
  module.terminal().raw(bytesOf(body));
  module.terminal().raw(bytesOf("\r\n"));
}

// Whether a second argument asks for the state to stay: 1, of Quectel.
std::optional<bool> keepsState(const Call& call) {
  if (call.count() < 2) return false;
  const auto mode = call.number(1, 0, 1);
  return mode ? std::optional<bool>(*mode == 1) : std::nullopt;
}

void markRead(StoredSms& sms) {
  if (sms.state == SmsState::ReceivedUnread) sms.state = SmsState::ReceivedRead;
}

// AT+CMGL[=<stat>[,<mode>]] (3.4.2, 4.1)
Reply list(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (call.form == Form::Test) {
    module.terminal().info(sms.settings().text_mode
                               ? "+CMGL: (\"REC UNREAD\",\"REC READ\",\"STO UNSENT\",\"STO SENT\",\"ALL\")"
                               : "+CMGL: (0-4)");
    return Reply::ok();
  }
  if (call.form == Form::Read || call.count() > 2) return Reply::error();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  const auto wanted = wantedState(module, call);
  const auto keep = keepsState(call);
  if (!wanted || !keep) return Reply::cms(sms.settings().text_mode ? cms::kInvalidText : cms::kInvalidPdu);
  for (int place = 1; place <= SmsStore::kPlaces; ++place) {
    StoredSms* stored = sms.store().at(place);
    if (stored == nullptr || (wanted->state && *wanted->state != stored->state)) continue;
    show(module, *stored, "+CMGL: " + listLine(sms.settings(), *stored, place));
    if (!*keep) markRead(*stored);
  }
  return Reply::ok();
}

// AT+CMGR=<index>[,<mode>] (3.4.3, 4.2)
Reply read(Module& module, const Call& call) {
  Sms& sms = module.sms();
  const auto keep = keepsState(call);
  if (call.form != Form::Set || call.count() > 2 || !keep) return Reply::error();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  const auto place = call.number(0, 1, SmsStore::kPlaces);
  StoredSms* stored = place ? sms.store().at(static_cast<int>(*place)) : nullptr;
  if (stored == nullptr) return Reply::cms(cms::kInvalidIndex);
  show(module, *stored, "+CMGR: " + readLine(sms.settings(), *stored));
  if (!*keep) markRead(*stored);
  return Reply::ok();
}

// <delflag> 1 to 4: what was read; and what was sent; and what was not; and what was not read.
bool falls(SmsState state, long flag) {
  switch (state) {
    case SmsState::ReceivedRead:
      return flag >= 1;
    case SmsState::StoredSent:
      return flag >= 2;
    case SmsState::StoredUnsent:
      return flag >= 3;
    case SmsState::ReceivedUnread:
      return flag >= 4;
  }
  return false;
}

template <typename Falls>
void eraseAll(Module& module, Falls falls_away) {
  SmsStore& store = module.sms().store();
  for (int place = 1; place <= SmsStore::kPlaces; ++place) {
    const StoredSms* stored = store.at(place);
    if (stored != nullptr && falls_away(stored->state)) store.erase(place);
  }
  module.sms().freed();
}

// AT+CMGD=<index>[,<delflag>] (3.5.4). A place that is empty is empty afterwards.
Reply erase(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (call.form != Form::Set || call.count() > 2) return Reply::error();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  const auto flag = call.count() > 1 ? call.number(1, 0, 4) : std::optional<long>(0);
  if (!flag) return Reply::error();
  if (*flag != 0) {
    eraseAll(module, [&flag](SmsState state) { return falls(state, *flag); });
    return Reply::ok();
  }
  const auto place = call.number(0, 1, SmsStore::kPlaces);
  if (!place) return Reply::cms(cms::kInvalidIndex);
  sms.store().erase(static_cast<int>(*place));
  sms.freed();
  return Reply::ok();
}

// AT+QMGDA: by words in text mode, by numbers in PDU mode, as public drivers use it.
Reply eraseMany(Module& module, const Call& call) {
  using enum SmsState;
  static constexpr std::array<std::string_view, 6> kWords{"DEL READ",   "DEL UNREAD", "DEL SENT",
                                                          "DEL UNSENT", "DEL INBOX",  "DEL ALL"};
  Sms& sms = module.sms();
  if (call.form != Form::Set || call.count() != 1) return Reply::error();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  long which = sms.settings().text_mode ? 0 : call.number(0, 1, 6).value_or(0);
  for (std::size_t i = 0; sms.settings().text_mode && i < kWords.size(); ++i) {
    if (call.string(0) == kWords[i]) which = static_cast<long>(i) + 1;
  }
  if (which == 0) return Reply::error();
  eraseAll(module, [which](SmsState state) {
    static constexpr std::array kOne{ReceivedRead, ReceivedUnread, StoredSent, StoredUnsent};
    if (which <= 4) return state == kOne[static_cast<std::size_t>(which - 1)];
    return which == 6 || state == ReceivedRead || state == ReceivedUnread;
  });
  return Reply::ok();
}

// AT+CMGS=<length> or AT+CMGS=<da>[,<toda>] (3.5.1, 4.3)
Reply send(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (call.form != Form::Set || call.count() > 2) return Reply::error();
  if (const int problem = sms.sendProblem()) return Reply::cms(problem);
  SmsPhase::Order order;
  if (sms.settings().text_mode) {
    const auto to = numberArgument(module, call, 0);
    if (!to) return Reply::cms(cms::kInvalidText);
    order.number = *to;
  } else {
    const auto length = call.number(0, 1, kLongestTpdu);
    if (!length || call.count() != 1) return Reply::cms(cms::kInvalidPdu);
    order.length = static_cast<std::size_t>(*length);
  }
  module.smsPhase().begin(std::move(order));
  return Reply::later();
}

// AT+CMGW=<length>[,<stat>] or AT+CMGW[=<oa/da>[,<tooa/toda>[,<stat>]]] (3.5.3, 4.4). In text mode only
// messages to send are written, and without a number there would be nowhere to send them.
Reply write(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (call.form != Form::Set || call.count() > 3) return Reply::error();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  SmsPhase::Order order{.send = false, .number = {}, .length = 0, .state = SmsState::StoredUnsent};
  std::optional<SmsState> state = order.state;
  if (sms.settings().text_mode) {
    const auto to = numberArgument(module, call, 0);
    if (call.count() > 2) state = parseSmsState(call.string(2).value_or(""));
    if (!to || !state || *state < SmsState::StoredUnsent) return Reply::cms(cms::kInvalidText);
    order.number = *to;
  } else {
    const auto length = call.number(0, 1, kLongestTpdu);
    if (call.count() > 1) {
      const auto given = call.number(1, 0, 3);
      state = given ? std::optional<SmsState>(static_cast<SmsState>(*given)) : std::nullopt;
    }
    if (!length || !state || call.count() > 2) return Reply::cms(cms::kInvalidPdu);
    order.length = static_cast<std::size_t>(*length);
  }
  order.state = *state;
  module.smsPhase().begin(std::move(order));
  return Reply::later();
}

// AT+CMSS=<index>[,<da>[,<toda>]] (3.5.2, 4.7)
Reply sendStored(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (call.form != Form::Set || call.count() > 3) return Reply::error();
  if (const int problem = sms.sendProblem()) return Reply::cms(problem);
  const auto place = call.number(0, 1, SmsStore::kPlaces);
  StoredSms* stored = place ? sms.store().at(static_cast<int>(*place)) : nullptr;
  if (stored == nullptr) return Reply::cms(cms::kInvalidIndex);
  if (stored->message.kind() != SmsKind::Submit) return Reply::cms(cms::kNotAllowed);
  SmsMessage message = stored->message;
  if (call.count() > 1) {
    const auto to = numberArgument(module, call, 1);
    if (!to) return Reply::cms(cms::kInvalidText);
    message.peer = *to;
  }
  if (message.peer.text.empty()) return Reply::cms(cms::kNotAllowed);
  stored->state = SmsState::StoredSent;
  module.smsPhase().transmit(message, "+CMSS");
  return Reply::later();
}

}  // namespace

void addMessageCommands(CommandTable& table) {
  table.add("+CMGL", list);
  table.add("+CMGR", read);
  table.add("+CMGD", erase);
  table.add("+QMGDA", eraseMany);
  table.add("+CMGS", send);
  table.add("+CMGW", write);
  table.add("+CMSS", sendStored);
}

}  // namespace qimux::sim
