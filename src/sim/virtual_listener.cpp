// Scripted far ends that come by themselves.
#include "virtual_link.hpp"

#include <algorithm>
#include <utility>

namespace qimux::sim {
namespace {

constexpr std::size_t kMostWaiting = 16;

class VirtualListener final : public Listener {
 public:
  explicit VirtualListener(std::shared_ptr<VirtualDoor> door) : door_(std::move(door)) {}
  std::unique_ptr<Socket> accept(SocketEvents& events) override {
    const auto link = door_->accept();
    link->accepted(events);
    return std::make_unique<VirtualSocket>(link);
  }
  void refuse() override { door_->refuse(); }

 private:
  std::shared_ptr<VirtualDoor> door_;
};

}  // namespace

VirtualDoor::VirtualDoor(async::Loop& loop, ListenerEvents& events) : events_(events), turn_(loop) {}

VirtualDoor::~VirtualDoor() {
  if (knocking_) knocking_->shutOut();
  for (const auto& link : waiting_) link->shutOut();
}

bool VirtualDoor::add(std::shared_ptr<VirtualLink> link) {
  if (waiting_.size() >= kMostWaiting) return false;
  waiting_.push_back(std::move(link));
  plan();
  return true;
}

void VirtualDoor::plan() {
  if (knocking_ || turn_.armed()) return;
  const auto next = std::ranges::find_if(waiting_, [](const auto& link) { return link->knocks(); });
  if (next == waiting_.end()) return;
  turn_.start(async::Duration{0}, [this, next] {
    knocking_ = std::move(*next);
    waiting_.erase(next);
    events_.knocks(knocking_->from());
  });
}

std::shared_ptr<VirtualLink> VirtualDoor::accept() {
  auto link = std::exchange(knocking_, nullptr);
  plan();
  return link;
}

void VirtualDoor::refuse() {
  const auto link = accept();
  if (link->turnedAway() && !add(link)) link->shutOut();
}

std::unique_ptr<Listener> VirtualNetwork::listen(Protocol protocol, std::uint16_t port,
                                                 ListenerEvents& events) {
  std::weak_ptr<VirtualDoor>& place = doors_[{protocol, port}];
  if (!place.expired()) return nullptr;
  auto door = std::make_shared<VirtualDoor>(loop_, events);
  place = door;
  return std::make_unique<VirtualListener>(std::move(door));
}

bool VirtualNetwork::call(Protocol protocol, std::uint16_t port, Endpoint from,
                          std::unique_ptr<VirtualPeer> peer) {
  const auto it = doors_.find({protocol, port});
  const auto door = it == doors_.end() ? nullptr : it->second.lock();
  if (!door) return false;
  auto link = std::make_shared<VirtualLink>(*this, protocol, from, *door, std::move(peer));
  if (!door->add(link)) return false;
  links_.push_back(std::move(link));
  return true;
}

}  // namespace qimux::sim
