#include "qimux/sim/quirk.hpp"

#include <algorithm>
#include <array>

namespace qimux::sim {
namespace {

constexpr std::array kQuirks{
    QuirkInfo{Quirk::UrcNoSpace, "urc-no-space", "+QIRDI: and +QIRD: are printed without the blank"},
    QuirkInfo{Quirk::ClosedNoSpace, "closed-no-space", "n,CLOSED instead of n, CLOSED"},
    QuirkInfo{Quirk::ClosedTwice, "closed-twice", "n, CLOSED is printed twice, the second one later"},
    QuirkInfo{Quirk::ClosedDiscards, "closed-discards",
              "unread data is thrown away when the far end closes, unless TCP/BufferRemain is set"},
    QuirkInfo{Quirk::IndexedSendOk, "indexed-send-ok", "n,SEND OK and n,SEND FAIL"},
    QuirkInfo{Quirk::PdpDeactColon, "pdp-deact-colon", "+PDP: DEACT instead of +PDP DEACT"},
    QuirkInfo{Quirk::QisackNoSpaces, "qisack-no-spaces", "+QISACK: 30,20,10 without blanks after the commas"},
    QuirkInfo{Quirk::PlainCloseOk, "plain-close-ok", "CLOSE OK without the index"},
    QuirkInfo{Quirk::StateNoFinalOk, "state-no-final-ok", "AT+QISTATE ends with its sixth line, not with OK"},
    QuirkInfo{Quirk::DeactInitialError, "deact-initial-error", "AT+QIDEACT in IP INITIAL gives ERROR"},
    QuirkInfo{Quirk::AlreadyConnectError, "already-connect-error", "ALREADY CONNECT is followed by ERROR"},
    QuirkInfo{Quirk::AlreadyConnectFail, "already-connect-fail",
              "an occupied index answers OK and n, CONNECT FAIL instead of ALREADY CONNECT"},
    QuirkInfo{Quirk::EscCancels, "esc-cancels", "ESC cancels AT+QISEND with a length, too"},
    QuirkInfo{Quirk::LoseEdge, "lose-edge",
              "data that comes while AT+QIRD or AT+QISEND runs is not announced by +QIRDI"},
    QuirkInfo{Quirk::EdgeAfterEmptyRead, "edge-after-empty-read",
              "AT+QINDI=1 announces again only after a read that found nothing"},
    QuirkInfo{Quirk::UdpConcatenates, "udp-concatenates",
              "one AT+QIRD may return parts of several datagrams"},
    QuirkInfo{Quirk::UrcInSend, "urc-in-send", "URCs are printed between the prompt and SEND OK"},
    QuirkInfo{Quirk::LateConnectFail, "late-connect-fail",
              "AT+QICLOSE of a connecting index is followed by n, CONNECT FAIL"},
    QuirkInfo{Quirk::TypeaheadLost, "typeahead-lost", "what is typed while a command runs is thrown away"},
    QuirkInfo{Quirk::CrCrLf, "cr-cr-lf", "with echo on, an answer begins with CR CR LF"},
    QuirkInfo{Quirk::QimuxRefused, "qimux-refused", "AT+QIMUX is ERROR until AT+QIDEACT was given"},
    QuirkInfo{Quirk::Chunked, "chunked", "output comes in pieces of random size, from one byte up"},
    QuirkInfo{Quirk::HeadBlank, "head-blank", "a blank between IPD<length>TCP: and the data"},
    QuirkInfo{Quirk::Listenning, "listenning", "AT+QISSTAT spells S: LISTENNING"},
    QuirkInfo{Quirk::ClosedIndexed, "closed-indexed", "0, CLOSED with AT+QIMUX=0, too"},
};
static_assert(kQuirks.size() == static_cast<std::size_t>(Quirk::Count));

}  // namespace

std::span<const QuirkInfo> quirks() {
  return kQuirks;
}

std::optional<Quirk> parseQuirk(std::string_view name) {
  const auto it = std::ranges::find(kQuirks, name, &QuirkInfo::name);
  if (it == kQuirks.end()) return std::nullopt;
  return it->quirk;
}

}  // namespace qimux::sim
