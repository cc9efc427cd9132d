#include "qimux/module/sockets.hpp"

#include "qimux/at/text.hpp"

#include <fmt/format.h>

#include <cassert>
#include <utility>

namespace qimux::module {
namespace {

using namespace std::chrono_literals;
using at::Command;

// The manuals promise 300 ms for most of these; a busy module takes longer, and the bytes have to cross the
// line: 1,500 of them need 1.6 s at 9600 baud.
constexpr auto kQueryDeadline = 5s;
constexpr auto kReadDeadline = 10s;
constexpr auto kSendDeadline = 20s;
constexpr auto kCloseDeadline = 10s;

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 0xff, (address >> 8) & 0xff,
                     address & 0xff);
}

// A header names its far end, "10.0.0.1:80" as its first field.
bool isFrom(std::string_view header, std::string_view from) {
  const auto rest = at::after(header, "+QIRD:");
  const std::string_view named = rest ? at::fields(*rest, 1).front() : std::string_view();
  return from.empty() || !named.contains(':') || named == from;
}

bool isRefusal(const Error& error) {
  return error.kind == ErrorKind::Refused;
}

}  // namespace

std::string_view name(Protocol protocol) {
  return protocol == Protocol::Tcp ? "tcp" : "udp";
}

Result<SendCounters> parseSendCounters(std::string_view line) {
  const Error garbled{ErrorKind::Garbled, "AT+QISACK", std::string(line)};
  const auto rest = at::after(line, "+QISACK:");
  if (!rest) return std::unexpected(garbled);
  const auto field = at::fields(*rest, 4);
  if (field.size() != 3) return std::unexpected(garbled);
  const auto sent = at::number<std::uint64_t>(field[0]);
  const auto acknowledged = at::number<std::uint64_t>(field[1]);
  const auto unacknowledged = at::number<std::uint64_t>(field[2]);
  if (!sent || !acknowledged || !unacknowledged) return std::unexpected(garbled);
  if (*sent < *acknowledged || *sent - *acknowledged != *unacknowledged) return std::unexpected(garbled);
  return SendCounters{*sent, *acknowledged, *unacknowledged};
}

StackState parseStackState(const std::vector<std::string>& lines) {
  StackState stack;
  for (const auto& line : lines) {
    if (const auto state = at::after(line, "STATE:")) stack.state = *state;
    const auto rest = at::after(line, "+QISTATE:");
    if (!rest) continue;
    const auto field = at::fields(*rest, 8);
    const auto index = at::number<unsigned>(field[0]);
    if (!index || *index >= kSockets || field.size() < 5) continue;
    stack.sockets.at(*index) = SocketState{std::string(field[1]), std::string(field[2]),
                                           std::string(field[3]), std::string(field[4])};
  }
  return stack;
}

async::Task<Result<void>> Sockets::open(int index, Protocol protocol, std::uint32_t address,
                                        std::uint16_t port) {
  assert(index >= 0 && index < kSockets);
  Command command(fmt::format("AT+QIOPEN={},\"{}\",\"{}\",{}", index,
                              protocol == Protocol::Tcp ? "TCP" : "UDP", dotted(address), port),
                  kQueryDeadline, Command::Ending::Open);
  const auto reply = co_await channel_.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  co_return Result<void>();
}

async::Task<Result<void>> Sockets::send(int index, ByteView payload) {
  assert(!payload.empty() && payload.size() <= kMaxSend);
  Command command(fmt::format("AT+QISEND={},{}", index, payload.size()), kSendDeadline,
                  Command::Ending::Send);
  command.payload = payload;
  const auto reply = co_await channel_.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  co_return Result<void>();
}

async::Task<Result<Bytes>> Sockets::read(int index, std::size_t most, std::string from) {
  assert(most >= 1 && most <= kMaxRead);
  // The role is the client's, 1: what the client of a server socket sent would be read with role 2.
  Command command(fmt::format("AT+QIRD={},1,{},{}", context_, index, most), kReadDeadline,
                  Command::Ending::Read);
  auto reply = co_await channel_.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->lines.empty() && !isFrom(reply->lines.front(), from)) {
    co_return std::unexpected(Error{ErrorKind::Garbled, "AT+QIRD", reply->lines.front()});
  }
  co_return std::move(reply->block);
}

async::Task<Result<SendCounters>> Sockets::acknowledged(int index) {
  auto told = co_await askCounters(index);
  if (!told && told.error().kind == ErrorKind::Garbled) told = co_await askCounters(index);
  co_return told;
}

async::Task<Result<SendCounters>> Sockets::askCounters(int index) {
  Command command(fmt::format("AT+QISACK={}", index), kQueryDeadline, Command::Ending::Ok, "+QISACK:");
  const auto reply = co_await channel_.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->lines.empty())
    co_return std::unexpected(Error{ErrorKind::Garbled, "AT+QISACK", "an answer without counters"});
  co_return parseSendCounters(reply->lines.front());
}

async::Task<Result<void>> Sockets::close(int index) {
  Command command(fmt::format("AT+QICLOSE={}", index), kCloseDeadline, Command::Ending::CloseOk);
  const auto reply = co_await channel_.execute(std::move(command));
  if (!reply && !isRefusal(reply.error())) co_return std::unexpected(reply.error());
  co_return Result<void>();
}

async::Task<Result<StackState>> Sockets::state(async::Duration deadline) {
  Command command("AT+QISTATE", deadline, Command::Ending::StateList);
  const auto reply = co_await channel_.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  co_return parseStackState(reply->lines);
}

}  // namespace qimux::module
