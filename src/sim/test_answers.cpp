// AT+X=? where the answer is always the same (3GPP 27.007 and 27.005, with each command; Quectel's manuals).
// It names what this simulator takes, which may be less than a module does.
#include "qimux/sim/command.hpp"

#include <algorithm>
#include <array>

namespace qimux::sim {
namespace {

struct TestAnswer {
  std::string_view name;
  std::string_view text;
};

// In the order of their names.
constexpr std::array kAnswers{
    TestAnswer{"+CBC", "(0),(1-100),(3300-4600)"},
    TestAnswer{"+CCLK", ""},
    TestAnswer{"+CFUN", "(0,1,4),(0,1)"},
    TestAnswer{"+CGATT", "(0,1)"},
    TestAnswer{"+CGMI", ""},
    TestAnswer{"+CGMM", ""},
    TestAnswer{"+CGMR", ""},
    TestAnswer{"+CGREG", "(0-2)"},
    TestAnswer{"+CGSN", ""},
    TestAnswer{"+CHUP", ""},
    TestAnswer{"+CIMI", ""},
    TestAnswer{"+CLCC", ""},
    TestAnswer{"+CLCK", "(\"SC\")"},
    TestAnswer{"+CLIP", "(0,1)"},
    TestAnswer{"+CMEE", "(0-2)"},
    TestAnswer{"+CMGD", "(1-20),(0-4)"},
    TestAnswer{"+CMGF", "(0,1)"},
    TestAnswer{"+CMGR", ""},
    TestAnswer{"+CMGS", ""},
    TestAnswer{"+CMGW", ""},
    TestAnswer{"+CMSS", ""},
    TestAnswer{"+CNMI", "(0-3),(0-3),(0-3),(0-2),(0,1)"},
    TestAnswer{"+CNUM", ""},
    TestAnswer{"+CPAS", "(0)"},
    TestAnswer{"+CPBS", "(\"SM\",\"ON\")"},
    TestAnswer{"+CPIN", ""},
    TestAnswer{"+CPMS", "(\"SM\"),(\"SM\"),(\"SM\")"},
    TestAnswer{"+CPWD", "(\"SC\",8)"},
    TestAnswer{"+CREG", "(0-2)"},
    TestAnswer{"+CSCA", ""},
    TestAnswer{"+CSCS", "(\"GSM\",\"HEX\",\"IRA\",\"UCS2\",\"8859-1\")"},
    TestAnswer{"+CSDH", "(0,1)"},
    TestAnswer{"+CSMP", ""},
    TestAnswer{"+CSMS", "(0)"},
    TestAnswer{"+CSQ", "(0-31,99),(0-7,99)"},
    TestAnswer{"+CSQN", "(0)"},
    TestAnswer{"+CTZU", "(0,1)"},
    TestAnswer{"+CUSD", "(0,1)"},
    TestAnswer{"+GCAP", ""},
    TestAnswer{"+GMI", ""},
    TestAnswer{"+GMM", ""},
    TestAnswer{"+GMR", ""},
    TestAnswer{"+GSN", ""},
    TestAnswer{"+ICF", "(0-6),(0-6)"},
    TestAnswer{"+IFC", "(0-2),(0-2)"},
    TestAnswer{"+IPR",
               "(4800,9600,14400,19200,28800,38400,57600,115200),(0,75,150,300,600,1200,2400,4800,9600,14400,"
               "19200,28800,38400,57600,115200)"},
    TestAnswer{"+QCCID", ""},
    TestAnswer{"+QMGDA",
               "(\"DEL READ\",\"DEL UNREAD\",\"DEL SENT\",\"DEL UNSENT\",\"DEL INBOX\",\"DEL ALL\")"},
    TestAnswer{"+QNTP", "\"SERVER\",(1-65535)"},
    TestAnswer{"+QPINC", "(\"SC\",\"P2\")"},
    TestAnswer{"+QSPN", ""},
    TestAnswer{"+QTRPIN", ""},
};
static_assert(std::ranges::is_sorted(kAnswers, {}, &TestAnswer::name));

}  // namespace

std::optional<std::string_view> testAnswer(std::string_view name) {
  const auto found = std::ranges::lower_bound(kAnswers, name, {}, &TestAnswer::name);
  if (found == kAnswers.end() || found->name != name) return std::nullopt;
  return found->text;
}

}  // namespace qimux::sim
