// What each verb's result looks like to a person. One table of columns or fields a view; JSON goes out as it
// came.
//
// `width` is the terminal's, 0 where the output is no terminal: then nothing is cut off.
#pragma once

#include "qimux/ctl/value.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace qimux::ctl {

// {link, since_s, address, operator, …, sockets: […]}: the fields, then the sockets.
std::string renderStatus(const Json& status, std::size_t width);
// {sockets: […]} or the array alone.
std::string renderSockets(const Json& result, std::size_t width);
// {flows: […]} or the array alone.
std::string renderFlows(const Json& result, std::size_t width);
// {"group.name": count, …}: a block for each group, in the order of their first counters.
std::string renderStats(const Json& stats);
// [{step, why, took_ms, ago_s, result}]
std::string renderRecoveries(const Json& result, std::size_t width);
// {lines: ["+CSQ: 21,0"], final: "OK"}: the module's words, a line each.
std::string renderAt(const Json& result);
// {name, addresses: ["198.51.100.7"]}: an address a line.
std::string renderDns(const Json& result);
// {address, time_ms}
std::string renderPing(const Json& result);
// {by, periods: [{period, sent, received, by: [{name, sent, received}]}]}: a table for each period.
std::string renderUsage(const Json& result, std::size_t width);
// {level: "info"}
std::string renderLogLevel(const Json& result);
// {version: "0.1.0"}
std::string renderVersion(const Json& result);

// A ping without a reply, a name without an address: an answer that says no.
bool saysNo(std::string_view verb, const Json& result);

}  // namespace qimux::ctl
