#include "qimux/sim/server.hpp"

#include <cassert>

namespace qimux::sim {

void Server::begin(Protocol protocol, int most) {
  assert(state_ == State::Initial);
  state_ = State::Opening;
  protocol_ = protocol;
  most_ = most;
  ++attempts_;
}

bool Server::listen(Network& network, std::uint16_t port) {
  assert(state_ == State::Opening);
  listener_ = network.listen(protocol_, port, *this);
  state_ = listener_ ? State::Listening : State::Initial;
  return listener_ != nullptr;
}

void Server::stop() {
  state_ = State::Initial;
  listener_.reset();
}

}  // namespace qimux::sim
