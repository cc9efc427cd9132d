#include "qimux/sim/quirk.hpp"

#include <algorithm>
#include <array>

namespace qimux::sim {
namespace {

constexpr std::array kQuirks{
    QuirkInfo{Quirk::UrcNoSpace, "urc-no-space", "+QIRDI: and +QIRD: are printed without the blank",
              "application note 5.3.2"},
    QuirkInfo{Quirk::ClosedNoSpace, "closed-no-space", "n,CLOSED instead of n, CLOSED",
              "a driver of AliOS for modules of this family"},
    QuirkInfo{Quirk::ClosedTwice, "closed-twice", "n, CLOSED is printed twice, the second one later",
              "geolink/opentracker issues 14 and 28, logs of an M95"},
    QuirkInfo{Quirk::ClosedDiscards, "closed-discards",
              "unread data is thrown away when the far end closes, unless TCP/BufferRemain is set",
              "zerynth/lib-quectel-m95, which sets TCP/BufferRemain against it"},
    QuirkInfo{Quirk::IndexedSendOk, "indexed-send-ok", "n,SEND OK and n,SEND FAIL",
              "a tracker's log of a GC65"},
    QuirkInfo{Quirk::PdpDeactColon, "pdp-deact-colon", "+PDP: DEACT instead of +PDP DEACT",
              "iwasz/libcomms and NguyenDuyThan/Libraries_common wait for it"},
    QuirkInfo{Quirk::QisackNoSpaces, "qisack-no-spaces", "+QISACK: 30,20,10 without blanks after the commas",
              "vshymanskyy/TinyGSM reads it with and without"},
    QuirkInfo{Quirk::PlainCloseOk, "plain-close-ok", "CLOSE OK without the index",
              "application note 3.3, 3.4"},
    QuirkInfo{Quirk::StateNoFinalOk, "state-no-final-ok", "AT+QISTATE ends with its sixth line, not with OK",
              "application note 5.6.2"},
    QuirkInfo{Quirk::DeactInitialError, "deact-initial-error", "AT+QIDEACT in IP INITIAL gives ERROR",
              "Quectel MC60 AT manual V1.2"},
    QuirkInfo{Quirk::AlreadyConnectError, "already-connect-error", "ALREADY CONNECT is followed by ERROR",
              "geolink/opentracker issue 28, a log of an M95"},
    QuirkInfo{Quirk::AlreadyConnectFail, "already-connect-fail",
              "an occupied index answers OK and n, CONNECT FAIL instead of ALREADY CONNECT",
              "NguyenDuyThan/Libraries_common, an M95"},
    QuirkInfo{Quirk::EscCancels, "esc-cancels", "ESC cancels AT+QISEND with a length, too",
              "application note 5.2.2.2, 5.2.2.3"},
    QuirkInfo{Quirk::LoseEdge, "lose-edge",
              "data that comes while AT+QIRD or AT+QISEND runs is not announced by +QIRDI",
              "not on this family; a u-blox in particle-iot/device-os issue 1530"},
    QuirkInfo{Quirk::EdgeAfterEmptyRead, "edge-after-empty-read",
              "AT+QINDI=1 announces again only after a read that found nothing",
              "Quectel MC60 AT manual V1.2, read closely"},
    QuirkInfo{Quirk::UdpConcatenates, "udp-concatenates", "one AT+QIRD may return parts of several datagrams",
              "a tracker's log of a GC65: UDP,1500 in one read"},
    QuirkInfo{Quirk::UrcInSend, "urc-in-send", "URCs are printed between the prompt and SEND OK",
              "an M25 meter's firmware; the manuals say otherwise"},
    QuirkInfo{Quirk::LateConnectFail, "late-connect-fail",
              "AT+QICLOSE of a connecting index is followed by n, CONNECT FAIL",
              "nobody says what comes; the order worth fearing"},
    QuirkInfo{Quirk::TypeaheadLost, "typeahead-lost", "what is typed while a command runs is thrown away",
              "p30arena/stm32-mc60-tb, its log of an MC60"},
    QuirkInfo{Quirk::CrCrLf, "cr-cr-lf", "with echo on, an answer begins with CR CR LF",
              "geolink/opentracker, a raw log of an M95"},
    QuirkInfo{Quirk::QimuxRefused, "qimux-refused", "AT+QIMUX is ERROR until AT+QIDEACT was given",
              "vshymanskyy/TinyGSM issue 324, an M95"},
    QuirkInfo{Quirk::Chunked, "chunked", "output comes in pieces of random size, from one byte up",
              "any UART behind a USB bridge"},
    QuirkInfo{Quirk::HeadBlank, "head-blank", "a blank between IPD<length>TCP: and the data",
              "application note 5.3.1"},
    QuirkInfo{Quirk::Listenning, "listenning", "AT+QISSTAT spells S: LISTENNING", "application note 5.6.2"},
    QuirkInfo{Quirk::ClosedIndexed, "closed-indexed", "0, CLOSED with AT+QIMUX=0, too",
              "geolink/opentracker issues 14 and 28, logs of an M95"},
    QuirkInfo{Quirk::GarbageBeforeSync, "garbage-before-sync",
              "with --autobaud, bytes before the first AT are answered with garbage",
              "geolink/opentracker issue 25, an M95"},
    QuirkInfo{Quirk::StateUnanswered, "state-unanswered", "AT+QISTATE in IP INITIAL is not answered at all",
              "iwasz/libcomms, an MC60"},
    QuirkInfo{Quirk::ModeUnanswered, "mode-unanswered",
              "AT+QIMODE in the first seconds after the start is not answered",
              "p30arena/stm32-mc60-tb, its log of an MC60"},
    QuirkInfo{Quirk::PromptMissing, "prompt-missing",
              "every eighth AT+QISEND is not answered, and asks for no data",
              "an M25 meter's firmware, which tries three times"},
    QuirkInfo{Quirk::PlusInData, "plus-in-data",
              "+++ typed into a block of known length is answered by > - and silence",
              "iwasz/libcomms, an MC60"},
    QuirkInfo{Quirk::ReadNoOk, "read-no-ok", "behind the data of AT+QIRD there is no OK",
              "application note 5.3.2"},
    QuirkInfo{Quirk::NameModeFail, "name-mode-fail",
              "a name with AT+QIDNSIP=0 is OK and n, CONNECT FAIL instead of ERROR",
              "vshymanskyy/TinyGSM pull request 438, an MC60"},
    QuirkInfo{Quirk::LateAddress, "late-address", "the addresses of a name come one by one, 50 ms apart",
              "zerynth/lib-quectel-m95 takes the first and discards for 100 ms"},
    QuirkInfo{Quirk::StackCme, "stack-cme", "commands of the stack fail with +CME ERROR: 3 instead of ERROR",
              "geolink/opentracker and zerynth/lib-quectel-m95 take both"},
    QuirkInfo{Quirk::UnknownCme, "unknown-cme", "an unknown command is +CME ERROR: 4 instead of ERROR",
              "geolink/opentracker issue 72, an M95"},
    QuirkInfo{Quirk::Send1459, "send-1459", "AT+QISEND takes less than 1460 bytes",
              "Quectel MC60 AT manual V1.2, in its table"},
    QuirkInfo{Quirk::DeactInitialSilent, "deact-initial-silent",
              "AT+QIDEACT in IP INITIAL is not answered at all", "geolink/opentracker, an M95"},
    QuirkInfo{Quirk::UrcWhileRunning, "urc-while-running",
              "lines of its own are printed while a command runs, before its answer",
              "zerynth/lib-quectel-m95 looks for them there; an M25 meter's firmware met one"},
    QuirkInfo{Quirk::ClosedKeepsIndex, "closed-keeps-index",
              "after n, CLOSED the index stays taken until AT+QICLOSE",
              "zerynth/lib-quectel-m95; geolink/opentracker issue 28"},
    QuirkInfo{Quirk::FailKeepsIndex, "fail-keeps-index",
              "after n, CONNECT FAIL the index stays taken until AT+QICLOSE",
              "ARMmbed/mbed-os, RT-Thread-packages/at_device and zerynth/lib-quectel-m95 close it"},
    QuirkInfo{Quirk::CpinNotReady, "cpin-not-ready", "AT+CFUN=0 says +CPIN: NOT READY",
              "a tracker's log of a GC65"},
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
