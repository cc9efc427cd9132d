#include "qimux/at/urc.hpp"

#include "qimux/at/text.hpp"

#include <array>
#include <utility>

namespace qimux::at {
namespace {

using Kind = Urc::Kind;

struct Fixed {
  std::string_view line;
  Kind kind;
};
constexpr std::array kFixed{
    Fixed{"RDY", Kind::Ready},
    Fixed{"Call Ready", Kind::CallReady},
    Fixed{"SMS Ready", Kind::SmsReady},
    Fixed{"+PDP DEACT", Kind::PdpDeact},
    Fixed{"+PDP: DEACT", Kind::PdpDeact},
    Fixed{"NORMAL POWER DOWN", Kind::PowerDown},
    Fixed{"UNDER_VOLTAGE POWER DOWN", Kind::PowerDown},
    Fixed{"OVER_VOLTAGE POWER DOWN", Kind::PowerDown},
    Fixed{"UNDER_VOLTAGE WARNING", Kind::Voltage},
    Fixed{"OVER_VOLTAGE WARNING", Kind::Voltage},
};
constexpr std::array kIndexed{
    Fixed{"CONNECT OK", Kind::ConnectOk},
    Fixed{"CONNECT FAIL", Kind::ConnectFail},
    Fixed{"ALREADY CONNECT", Kind::AlreadyConnect},
    Fixed{"CLOSED", Kind::Closed},
};

// +QIRDI: <context>,<role>,<index>[,<packets>,<newest>,<total>] (application note 5.3.2, and AT+QINDI=2)
bool parseArrival(std::string_view rest, Urc& urc) {
  const auto field = fields(rest, 8);
  if (field.size() != 3 && field.size() != 6) return false;
  const auto role = number<std::uint32_t>(field[1]);
  const auto index = number<std::uint32_t>(field[2]);
  if (!role || !index || *role > 2 || *index > 5) return false;
  urc.role = static_cast<int>(*role);
  urc.index = static_cast<int>(*index);
  if (field.size() == 6) {
    const auto packets = number<std::uint32_t>(field[3]);
    const auto newest = number<std::uint32_t>(field[4]);
    const auto total = number<std::uint32_t>(field[5]);
    if (!packets || !newest || !total) return false;
    urc.backlog = Urc::Backlog{*packets, *newest, *total};
  }
  urc.kind = Kind::DataArrived;
  return true;
}

bool parsePushed(std::string_view rest, Urc& urc) {
  const auto field = fields(rest, 3);
  if (field.size() != 2) return false;
  const auto index = number<std::uint32_t>(field[0]);
  const auto length = number<std::uint32_t>(field[1]);
  if (!index || !length || *index > 5) return false;
  urc.index = static_cast<int>(*index);
  urc.value = *length;
  urc.kind = Kind::Pushed;
  return true;
}

bool parseNumbered(std::string_view line, Urc& urc) {
  const std::array<std::pair<std::string_view, Kind>, 4> heads{{{"+CFUN:", Kind::Functionality},
                                                                {"+CREG:", Kind::Registration},
                                                                {"+CGREG:", Kind::Registration},
                                                                {"ERROR:", Kind::DnsError}}};
  for (const auto& [head, kind] : heads) {
    const auto rest = after(line, head);
    if (!rest) continue;
    const auto value = number<std::uint32_t>(fields(*rest, 2).front());
    if (!value) return false;
    urc.kind = kind;
    urc.value = *value;
    return true;
  }
  return false;
}

}  // namespace

Indexed splitIndex(std::string_view line) {
  line = trim(line);
  if (line.size() > 2 && line[0] >= '0' && line[0] <= '5' && line[1] == ',') {
    return Indexed{line[0] - '0', trim(line.substr(2))};
  }
  return Indexed{-1, line};
}

Urc parseUrc(std::string_view raw, bool dns_pending) {
  const std::string_view line = trim(raw);
  Urc urc;
  urc.text = line;
  for (const auto& fixed : kFixed) {
    if (line == fixed.line) {
      urc.kind = fixed.kind;
      return urc;
    }
  }
  const Indexed indexed = splitIndex(line);
  for (const auto& fixed : kIndexed) {
    if (indexed.text != fixed.line) continue;
    // Single mode's spellings carry no index; with six sockets they say nothing, but for a refused open.
    if (indexed.index < 0 && fixed.kind != Kind::AlreadyConnect) return urc;
    urc.kind = fixed.kind;
    urc.index = indexed.index;
    return urc;
  }
  if (const auto rest = after(indexed.text, "REMOTE IP:"); rest && indexed.index >= 0) {
    if (const auto address = dottedAddress(*rest)) {
      urc.kind = Kind::RemoteIp;
      urc.index = indexed.index;
      urc.address = *address;
      return urc;
    }
  }
  if (const auto rest = after(line, "+QIRDI:"); rest && parseArrival(*rest, urc)) return urc;
  if (const auto rest = after(line, "+RECEIVE:"); rest && parsePushed(*rest, urc)) return urc;
  if (parseNumbered(line, urc)) {
    if (urc.kind == Kind::DnsError && !dns_pending) urc.kind = Kind::Unknown;
    return urc;
  }
  if (const auto rest = after(line, "+CPIN:")) {
    urc.kind = Kind::SimState;
    urc.text = *rest;
  } else if (after(line, "+QPING:")) {
    urc.kind = Kind::Ping;
    urc.text = *after(line, "+QPING:");
  } else if (const auto state = after(line, "STATE:")) {
    urc.kind = Kind::StackState;
    urc.text = *state;
  } else if (const auto address = dottedAddress(line); address && dns_pending) {
    urc.kind = Kind::DnsAddress;
    urc.address = *address;
  }
  return urc;
}

}  // namespace qimux::at
