#include "qimux/net/sock_diag.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace qimux::net {
namespace {

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

Question questionFor(const FlowKey& flow, std::uint8_t protocol) {
  Question question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.body.sdiag_family = AF_INET;
  question.body.sdiag_protocol = protocol;
  question.body.idiag_states = ~0U;
  // Of UDP the kernel is asked the other way round, as for a packet that comes in: so a socket that is not
  // connected is found too.
  const FlowKey key = protocol == IPPROTO_UDP ? flow.reversed() : flow;
  question.body.id.idiag_sport = htons(key.source.port);
  question.body.id.idiag_dport = htons(key.destination.port);
  question.body.id.idiag_src[0] = htonl(key.source.address);
  question.body.id.idiag_dst[0] = htonl(key.destination.address);
  question.body.id.idiag_cookie[0] = question.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return question;
}

std::optional<inet_diag_msg> ask(int fd, const Question& question) {
  if (::send(fd, &question, sizeof question, 0) < 0) return std::nullopt;
  // The kernel answers a question for one socket before send() returns.
  alignas(nlmsghdr) std::array<char, 4096> buffer;
  const ssize_t length = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  nlmsghdr header{};
  if (length < static_cast<ssize_t>(sizeof header + sizeof(inet_diag_msg))) return std::nullopt;
  std::memcpy(&header, buffer.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  inet_diag_msg answer{};
  std::memcpy(&answer, buffer.data() + NLMSG_HDRLEN, sizeof answer);
  return answer;
}

}  // namespace

Result<SockDiag> SockDiag::open() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd.valid()) return std::unexpected(systemError("sock_diag socket", errno));
  return SockDiag(std::move(fd));
}

SockDiag::Holder SockDiag::holder(const FlowKey& flow) {
  const auto answer = ask(fd_.get(), questionFor(flow, IPPROTO_TCP));
  if (!answer) return Holder::Unknown;
  return answer->idiag_inode == 0 ? Holder::Nobody : Holder::Program;
}

std::optional<SockDiag::Owner> SockDiag::owner(const FlowKey& flow, std::uint8_t protocol) {
  const auto answer = ask(fd_.get(), questionFor(flow, protocol));
  if (!answer || answer->idiag_inode == 0) return std::nullopt;
  return Owner{answer->idiag_uid, answer->idiag_inode};
}

}  // namespace qimux::net
