// What stands in a capture for what is personal: the same thing always has the same stand-in, of the same
// length as text, and of the same sort to the daemon's cores (a host's address for a host's address, a name
// of letters for a name of letters). So a replay of the stand-ins takes every way that the original took.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/net/address.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::capture {

// What the cores know of the world besides their inputs, and treat as special.
struct Surroundings {
  net::Cidr network;          // tun.address
  std::uint32_t gateway = 0;  // which is the name server too
  std::optional<net::Endpoint> upstream;
  std::vector<std::optional<net::Cidr>> policy;  // what each rule says of destinations
};

class StandIns {
 public:
  explicit StandIns(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // Groups, loopback, the TUN's own network and the private namespace's addresses are nobody's, and stay.
  std::uint32_t address(std::uint32_t real);
  // Each label by itself, in the case of the original. Labels that mean something to a name server stay.
  std::string name(std::string_view real);
  // A number that names somebody: IMEI, IMSI, ICCID, a telephone's.
  std::string digits(std::string_view real);
  // `text` with the stand-ins of the addresses that occur in it.
  std::string addressesIn(std::string_view text);

  // TCP payload: filler. ESC stays, which may end a send (bridge::EscapeRule).
  static Bytes stream(ByteView payload);
  // A datagram: and behind an ESC, what a module could take for a command stays one.
  static Bytes datagram(ByteView payload);
  // A DNS message with other names and addresses. What cannot be taken apart is filler from there on.
  Bytes dnsMessage(ByteView message);

  const Surroundings& surroundings() const { return surroundings_; }

  // Stand-ins made since the last call whose originals rules of the policy speak of, and which.
  struct Ruled {
    std::uint32_t address;
    std::string rules;  // "1,3", from 1
  };
  std::vector<Ruled> takeRuled() { return std::exchange(ruled_, {}); }

 private:
  bool stays(std::uint32_t address) const;
  std::string label(std::string_view real);
  void noteRules(std::uint32_t real, std::uint32_t stand_in);

  Surroundings surroundings_;
  std::map<std::uint32_t, std::uint32_t> addresses_;
  std::map<std::string, std::string> labels_;
  std::map<std::string, std::string> digits_;
  std::map<std::string, std::uint64_t> counters_;  // by shape: how many stand-ins of it there are
  std::vector<Ruled> ruled_;
};

}  // namespace qimux::capture
