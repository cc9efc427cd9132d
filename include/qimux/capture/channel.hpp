// One way out of the cores, as a capture has it: what is to come next, and whether it comes (replay.hpp).
#pragma once

#include "qimux/capture/record.hpp"

#include <deque>
#include <optional>
#include <string>

namespace qimux::capture {

struct Divergence {
  unsigned line = 0;  // of the record that was expected, or else of the moment that ran
  async::Duration at{};
  std::string channel;   // "port>", "stream> 3"
  std::string expected;  // "" where nothing more was
  std::string got;       // "" where nothing came
};

class Channel {
 public:
  Channel(std::string name, async::Duration slack) : name_(std::move(name)), slack_(slack) {}

  // `record` outlives the channel. `refused`: what the edge answered to it, or null.
  void expect(const Record& record) { expected_.push_back({&record, 0, nullptr}); }
  void refused(const Record& answer) {
    if (!expected_.empty()) expected_.back().refused = &answer;
  }

  // What came of it.
  struct Outcome {
    std::optional<Divergence> divergence;
    const Record* refused = nullptr;
  };
  // Compared as a sequence of bytes, whatever the pieces were.
  Outcome bytes(async::Duration now, ByteView got);
  Outcome packet(async::Duration now, ByteView got);
  // Something without bytes.
  Outcome event(async::Duration now, const Record& got);
  // A write to a stream: `taken` is how much of it went then.
  Outcome write(async::Duration now, ByteView got, std::size_t& taken);

  // The first that should have come: before that line of the file, or by that time.
  std::optional<Divergence> missingBefore(unsigned line) const;
  std::optional<Divergence> overdue(async::Duration now) const;
  std::size_t matched() const { return matched_; }
  std::uint64_t bytesMatched() const { return bytes_matched_; }

 private:
  struct Item {
    const Record* record;
    std::size_t done;
    const Record* refused;
  };
  Divergence differs(async::Duration now, std::string got) const;
  std::optional<Divergence> early(async::Duration now) const;
  std::string frontText() const;
  const Record* pop();

  std::string name_;
  async::Duration slack_;
  std::deque<Item> expected_;
  std::size_t matched_ = 0;
  std::uint64_t bytes_matched_ = 0;
};

// Packets that differ in nothing but identification and (right) checksums are the same.
Bytes comparable(ByteView packet);

}  // namespace qimux::capture
