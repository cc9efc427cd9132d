#include "qimux/sim/catalogue.hpp"

#include <array>

namespace qimux::sim {
namespace {

constexpr std::string_view kMc60 = "Quectel MC60 AT manual V1.2";
constexpr std::string_view kM26 = "Quectel M26 AT manual V1.1";
constexpr std::string_view kV250 = "ITU-T V.250";
// No manual that describes it was at hand.
constexpr std::string_view kDrivers = "as known from public drivers, not from a manual";

constexpr std::array kCommands{
    // The line.
    CommandInfo{"ATE", "echo of what is typed: 0 off, 1 on", kV250},
    CommandInfo{"ATV", "results as digits (0) or words (1)", kV250},
    CommandInfo{"ATZ", "back to what is stored", kV250},
    CommandInfo{"ATQ", "results shown (0) or not (1)", kV250},
    CommandInfo{"ATX", "how much a result says: kept, without effect here", kV250},
    CommandInfo{"ATS", "a register, ATS0=n, ATS0?: kept, without effect here", kV250},
    CommandInfo{"AT&F", "settings of the factory", kV250},
    CommandInfo{"AT&W", "stores the settings of the line", kV250},
    CommandInfo{"AT&D", "what a change of DTR does to the data mode", "application note 4"},
    CommandInfo{"AT&C", "DCD always on (0) or with a session of transparent mode (1)", kV250},
    CommandInfo{"+++", "with silence around it: from the data mode to commands", "application note 4, 6.3"},
    CommandInfo{"ATO", "from commands back to the data mode", "application note 4.1"},
    CommandInfo{"ATD", "dials, and finds no carrier: there are no calls", kV250},
    CommandInfo{"ATA", "takes a call, of which there are none", kV250},
    CommandInfo{"ATH", "hangs up", kV250},
    CommandInfo{"AT+CHUP", "hangs up", "3GPP 27.007 6.5"},
    CommandInfo{"AT+CLCC", "calls there are: none", "3GPP 27.007 7.18"},
    CommandInfo{"AT+CLIP", "whether callers' numbers are told: kept, without effect here", "3GPP 27.007 7.7"},
    CommandInfo{"AT+CUSD", "whether what the network says is told: kept, without effect here",
                "3GPP 27.007 7.15"},
    CommandInfo{"ATL", "loudness, without effect here", kV250},
    CommandInfo{"ATM", "loudspeaker, without effect here", kV250},
    CommandInfo{"ATP", "dialling by pulses, without effect here", kV250},
    CommandInfo{"ATT", "dialling by tones, without effect here", kV250},
    CommandInfo{"AT+IPR", "the rate of the line; 0 finds it out by itself", kV250},
    CommandInfo{"AT+IFC", "flow control", kV250},
    CommandInfo{"AT+ICF", "bits of a character: kept, without effect here", kV250},
    CommandInfo{"AT+CMEE", "errors bare, as numbers or as text", "3GPP 27.007 9.1"},

    // Who it is.
    CommandInfo{"ATI", "maker, model and revision", kV250},
    CommandInfo{"AT+GMI", "maker", kV250},
    CommandInfo{"AT+CGMI", "maker", "3GPP 27.007 5.1"},
    CommandInfo{"AT+GMM", "model", kV250},
    CommandInfo{"AT+CGMM", "model", "3GPP 27.007 5.2"},
    CommandInfo{"AT+GMR", "revision", kV250},
    CommandInfo{"AT+CGMR", "revision", "3GPP 27.007 5.3"},
    CommandInfo{"AT+GSN", "IMEI", kV250},
    CommandInfo{"AT+CGSN", "IMEI", "3GPP 27.007 5.4"},
    CommandInfo{"AT+GCAP", "what it is capable of", kV250},
    CommandInfo{"AT+CIMI", "IMSI of the SIM", "3GPP 27.007 5.6"},
    CommandInfo{"AT+QCCID", "number of the SIM card", kMc60},

    // The SIM, the network, power.
    CommandInfo{"AT+CPIN", "whether the SIM wants a PIN or PUK, and giving it", "3GPP 27.007 8.3"},
    CommandInfo{"AT+QTRPIN", "tries left for PIN and PUK", kDrivers},
    CommandInfo{"AT+QPINC", "the same, of newer modules", "github.com/mudita/MuditaOS"},
    CommandInfo{"AT+CLCK", "whether the PIN is asked for", "3GPP 27.007 7.4"},
    CommandInfo{"AT+CPWD", "changes the PIN", "3GPP 27.007 7.5"},
    CommandInfo{"AT+CNUM", "own number", "3GPP 27.007 7.1"},
    CommandInfo{"AT+CPBS", "which phone book", "3GPP 27.007 8.11"},
    CommandInfo{"AT+CPBR", "reads the phone book, in which only the own number is",
                "3GPP 27.007 8.12; its lengths as known from public drivers"},
    CommandInfo{"AT+CPAS", "what the telephone does: nothing", "3GPP 27.007 8.1"},
    CommandInfo{"AT+CBC", "battery: always full",
                "3GPP 27.007 8.4; the millivolts as known from public drivers"},
    CommandInfo{"AT+CFUN", "all of it, nothing, no radio; or a restart", "3GPP 27.007 8.2"},
    CommandInfo{"AT+CSQ", "signal", "3GPP 27.007 8.5"},
    CommandInfo{"AT+CREG", "registration with GSM, asked or reported", "3GPP 27.007 7.2"},
    CommandInfo{"AT+CGREG", "registration with GPRS, asked or reported", "3GPP 27.007 10.1.20"},
    CommandInfo{"AT+CGATT", "attachment to GPRS", "3GPP 27.007 10.1.9"},
    CommandInfo{"AT+COPS", "operator: the one there is, in its forms", "3GPP 27.007 7.3"},
    CommandInfo{"AT+QSPN", "the operator's name on the SIM", kDrivers},
    CommandInfo{"AT+CSQN", "whether changes of the signal are told: they never are", kDrivers},
    CommandInfo{"AT+QINISTAT", "how far the start has come", kMc60},
    CommandInfo{"AT+QNSTATUS", "state of the network", kM26},
    CommandInfo{"AT+QIURC", "whether Call Ready is said", kMc60},
    CommandInfo{"AT+QPOWD", "power down", kMc60},
    CommandInfo{"AT+QSCLK", "sleep by DTR (1) or by silence (2)", kMc60},
    CommandInfo{"AT+QCLK", "the note's name for AT+QSCLK, on firmware note only", "application note 9"},
    CommandInfo{"AT+CCLK", "the clock", "3GPP 27.007 8.15"},
    CommandInfo{"AT+CTZU",
                "whether the network sets the clock, which it never does: kept, without effect here",
                "3GPP 27.007 8.40"},
    CommandInfo{"AT+QNTP", "sets the clock from a server", kMc60},

    // Short messages.
    CommandInfo{"AT+CMGF", "messages as PDU (0) or text (1)", "3GPP 27.005 3.2.3"},
    CommandInfo{"AT+CMGL", "lists messages", "3GPP 27.005 3.4.2"},
    CommandInfo{"AT+CMGR", "reads a message", "3GPP 27.005 3.4.3"},
    CommandInfo{"AT+CMGS", "sends a message", "3GPP 27.005 3.5.1"},
    CommandInfo{"AT+CMGD", "deletes messages", "3GPP 27.005 3.5.4"},
    CommandInfo{"AT+CSCA", "number of the service centre", "3GPP 27.005 3.3.1"},
    CommandInfo{"AT+CMGW", "writes a message to the SIM", "3GPP 27.005 3.5.3"},
    CommandInfo{"AT+CMSS", "sends one from there", "3GPP 27.005 3.5.2"},
    CommandInfo{"AT+QMGDA", "deletes messages by their kind", kDrivers},
    CommandInfo{"AT+CPMS", "where messages are, and how many", "3GPP 27.005 3.2.2"},
    CommandInfo{"AT+CSMS", "the service: phase 2", "3GPP 27.005 3.2.1"},
    CommandInfo{"AT+CSMP", "what is sent with a text", "3GPP 27.005 3.3.2"},
    CommandInfo{"AT+CSDH", "how much is shown with a text", "3GPP 27.005 3.3.3"},
    CommandInfo{"AT+CSCS", "character set of texts and numbers", "3GPP 27.007 5.5"},
    CommandInfo{"AT+CNMI", "how new messages are told", "3GPP 27.005 3.4.1"},

    // The stack and its contexts.
    CommandInfo{"AT+QIFGCNT", "which of the two contexts commands act on", "application note 3, 7.2"},
    CommandInfo{"AT+QICSGP", "access point, and user and password, without effect here",
                "application note 3"},
    CommandInfo{"AT+QIMUX", "one connection (0) or six (1)", "application note 3, 3.3"},
    CommandInfo{"AT+QIMODE", "non-transparent (0) or transparent (1)", "application note 3, 4"},
    CommandInfo{"AT+QITCFG",
                "wait, size and escape of the transparent mode, and retries, without effect here",
                "application note 4"},
    CommandInfo{"AT+QIDNSIP", "AT+QIOPEN takes an address (0) or a name (1)", "application note 3, 8.1"},
    CommandInfo{"AT+QIREGAPP", "registers the stack", "application note 3"},
    CommandInfo{"AT+QIACT", "activates the context", "application note 3"},
    CommandInfo{"AT+QILOCIP", "the context's own address", "application note 3"},
    CommandInfo{"AT+QIDEACT", "deactivates the context", "application note 5.5, 6.3"},
    CommandInfo{"AT+QISCON", "stores settings of the stack", kMc60},
    CommandInfo{"AT+QIKALIVE", "keep-alive of TCP", kMc60},
    CommandInfo{"AT+QCFG", "TCP/BufferRemain: unread data outlives its connection",
                "zerynth/lib-quectel-m95"},
    CommandInfo{"AT+QIDNSCFG", "servers for names: kept, without effect here, where --host resolves names",
                "application note 8.2"},
    CommandInfo{"AT+QIDNSGIP", "addresses of a name", "application note 8.2"},
    CommandInfo{"AT+QPING", "echo requests", kMc60},

    // Connections and their data.
    CommandInfo{"AT+QIOPEN", "opens a TCP or UDP connection", "application note 3.1, 3.3, 4.1"},
    CommandInfo{"AT+QICLOSE", "closes one, or the listener", "application note 3, 5.4"},
    CommandInfo{"AT+QISERVER", "listens", "application note 3.2, 3.4, 4.2"},
    CommandInfo{"AT+QILPORT", "ports to listen on", "application note 3.2"},
    CommandInfo{"AT+QISRVC", "whether commands mean own (1) or accepted (2) connections",
                "application note 3.2, 5.4"},
    CommandInfo{"AT+QISTAT", "state of the stack, or with six connections theirs", "application note 5.6.2"},
    CommandInfo{"AT+QISTATE", "state of the stack and of each connection", "application note 5.6.2"},
    CommandInfo{"AT+QISSTAT", "state of the listener", "application note 5.6.2"},
    CommandInfo{"AT+QISEND", "sends: up to Ctrl-Z, a length, or a time", "application note 5.2.1"},
    CommandInfo{"AT+QIAUTOS", "sends by itself after a time", "application note 5.2.2.3"},
    CommandInfo{"AT+QISACK", "bytes sent, acknowledged, and between", "application note 5.2.2, 6.1"},
    CommandInfo{"AT+QISDE", "echo of data that is sent", kMc60},
    CommandInfo{"AT+QIPROMPT", "prompt and SEND OK, each shown or not", kMc60},
    CommandInfo{"AT+QINDI", "received data is pushed (0) or announced (1, 2)", "application note 5.3.2"},
    CommandInfo{"AT+QIRD", "reads received data", "application note 5.3.2"},
    CommandInfo{"AT+QIHEAD", "length before pushed data", "application note 5.3.1"},
    CommandInfo{"AT+QISHOWRA", "far end before pushed data", "application note 5.3.1"},
    CommandInfo{"AT+QISHOWLA", "own address before pushed data", "application note 5.3.1"},
    CommandInfo{"AT+QISHOWPT", "protocol before pushed data", "application note 5.3.1"},
};

}  // namespace

std::span<const CommandInfo> catalogue() {
  return kCommands;
}

}  // namespace qimux::sim
