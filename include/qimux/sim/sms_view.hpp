// How a stored message looks to the host: the parts of +CMGR, +CMGL and +CMT (3GPP 27.005, 3.4, 4.1, 4.2).
#pragma once

#include "qimux/sim/sms_store.hpp"
#include "qimux/sim/te_charset.hpp"

#include <array>
#include <string>

namespace qimux::sim {

// What is gone after a restart.
struct SmsSettings {
  bool text_mode = false;                         // AT+CMGF
  TeCharset charset = TeCharset::Gsm;             // AT+CSCS
  bool show_more = false;                         // AT+CSDH
  std::array<int, 4> parameters{17, 167, 0, 0};   // AT+CSMP: <fo>,<vp>,<pid>,<dcs>
  std::array<int, 5> indications{2, 1, 0, 0, 0};  // AT+CNMI: <mode>,<mt>,<bm>,<ds>,<bfr>
};

// What stands behind "+CMGR: ", "+CMGL: " and "+CMT: ".
std::string readLine(const SmsSettings& settings, const StoredSms& sms);
std::string listLine(const SmsSettings& settings, const StoredSms& sms, int place);
std::string directLine(const SmsSettings& settings, const StoredSms& sms);
// What stands in the line under it: the PDU, or the text in the set of AT+CSCS; text that is no plain text of
// the default alphabet in hex.
std::string bodyLine(const SmsSettings& settings, const StoredSms& sms);
// A number in quotes, in the set of AT+CSCS.
std::string quoted(const SmsSettings& settings, const SmsAddress& address);

}  // namespace qimux::sim
