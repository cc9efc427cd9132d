#include "points.hpp"

#include <array>

namespace qimux::sim::test {
namespace {

constexpr std::array kPoints{
    Point{1, "the prompt has no line end; behind it everything is payload; too few bytes, and it is silent",
          "`prompt-missing`, `plus-in-data`, `lose-prompt`", "application note 5.2.1; iwasz/libcomms"},
    Point{2, "success is not always OK, and OK is not always the end",
          "`plain-close-ok`, `state-no-final-ok`, `read-no-ok`",
          "application note 3, 5.4, 5.6.2, 8.2; Quectel MC60 AT manual V1.2"},
    Point{3, "+QIRDI tells of an edge: once, and not again until all is read",
          "`lose-edge`, `edge-after-empty-read`, `--indi`",
          "Quectel MC60 AT manual V1.2; geolink/opentracker issue 14"},
    Point{4, "blocks are as long as they say, whatever stands in them; nothing to read is OK alone", "",
          "geolink/opentracker issue 14; iwasz/libcomms"},
    Point{5, "lines of its own between commands and right behind their ends, in pieces of any size",
          "`chunked`, `urc-while-running`, `urc TEXT`", "geolink/opentracker issue 25"},
    Point{6, "the outcome of AT+QIOPEN comes up to 75 s later, in any order, or not at all",
          "`connect-fail`, `connect-hang`, `connect-delay`, `late-connect-fail`, `name-mode-fail`, "
          "`--connect-timeout`",
          "Quectel M26 AT manual V1.1; zerynth/lib-quectel-m95"},
    Point{7, "n, CLOSED with data unread, twice, or in the middle of a block",
          "`closed-discards`, `closed-twice`, `urc-in-send`",
          "geolink/opentracker issues 14, 28; zerynth/lib-quectel-m95"},
    Point{8, "+PDP DEACT: every socket is gone without a word, and nothing opens before AT+QIDEACT",
          "`pdp-deact`", "application note 6.3; zerynth/lib-quectel-m95"},
    Point{9, "it starts again by itself: RDY, settings back, the SIM busy for seconds", "`reboot`",
          "Quectel M26 AT manual V1.1; geolink/opentracker issue 28"},
    Point{10, "SEND FAIL while the send buffer is full; SEND OK long before delivery; counters that lag",
          "`send-fail`, `--send-buffer`, `--rtt`", "application note 5.2.2; geolink/opentracker"},
    Point{11, "what Ctrl-Z and ESC do in a block of known length", "`esc-cancels`",
          "application note 5.2.2.2; Quectel M26 AT manual V1.1 says otherwise"},
    Point{12, "a datagram is read in parts, or together with others; AT+QINDI=2 tells the size of each",
          "`udp-concatenates`, `--indi`", "a tracker's logs of a GC65; iwasz/libcomms"},
    Point{13, "echo of commands and of data, CR CR LF, and no word before the rate is found",
          "`cr-cr-lf`, `garbage-before-sync`, `--autobaud`",
          "geolink/opentracker; Quectel MC60 AT manual V1.2"},
    Point{14, "a command out of state is ERROR", "`qimux-refused`, `deact-initial-error`",
          "application note 5.6.1; Quectel MC60 AT manual V1.2"},
    Point{15, "an index that is taken: ALREADY CONNECT, with ERROR behind it, or CONNECT FAIL",
          "`already-connect-error`, `already-connect-fail`, `closed-keeps-index`, `fail-keeps-index`",
          "geolink/opentracker issue 28; NguyenDuyThan/Libraries_common"},
    Point{16, "commands that take seconds or minutes, and nothing else is heard meanwhile",
          "`typeahead-lost`, `deact-initial-silent`, `state-unanswered`, `mode-unanswered`, `--latency`",
          "application note 5.5, 6.3"},
    Point{17, "names: several addresses without a count, ERROR: n with a STATE line, late ones",
          "`late-address`, `name-fail`", "application note 8.2; zerynth/lib-quectel-m95"},
    Point{18, "the same line in several spellings",
          "`urc-no-space`, `closed-no-space`, `closed-indexed`, `indexed-send-ok`, `pdp-deact-colon`, "
          "`qisack-no-spaces`, `head-blank`, `listenning`, `stack-cme`, `unknown-cme`",
          "application note 5.3.2; logs of an M95 and a GC65"},
    Point{19, "asleep, it loses the first bytes; DTR decides in the other way of sleeping",
          "`AT+QSCLK`, `dtr`", "Quectel MC60 AT manual V1.2; application note 9"},
    Point{20, "as a server: REMOTE IP, another role in +QIRDI, AT+QISRVC changes what an index means", "",
          "application note 3.2, 3.4"},
    Point{21, "a receive buffer that is full closes the window; datagrams are lost", "`--receive-buffer`",
          "not documented; a GC65 is drained by 4,500 bytes a +QIRDI"},
    Point{22, "a line with a rate, an input FIFO of 3,584 bytes, and noise", "`--baud`, `noise`",
          "Quectel MC60-OpenCPU user guide V2.0"},
    Point{23, "lines that have nothing to do with anybody, some unknown, one with a trailing blank",
          "`cpin-not-ready`, `urc TEXT`", "Quectel MC60-OpenCPU SDK; Quectel M26 AT manual V1.1"},
    Point{24, "joined commands, 256 characters a line, lower case, CR or CR LF", "",
          "Quectel MC60 AT manual V1.2"},
};

}  // namespace

std::span<const Point> points() {
  return kPoints;
}

}  // namespace qimux::sim::test
