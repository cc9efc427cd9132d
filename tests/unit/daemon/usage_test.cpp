#include "qimux/daemon/usage.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace qimux;
using namespace qimux::daemon;
using Json = nlohmann::ordered_json;
using std::chrono::day;
using std::chrono::month;
using std::chrono::year;

namespace {

Date on(int y, unsigned m, unsigned d) {
  return {year(y), month(m), day(d)};
}

// "2026-11-23 10/20 a 1/2 b 9/18": a period in one line.
std::string shown(const Json& period) {
  const auto volume = [](const Json& json) { return json["sent"].dump() + "/" + json["received"].dump(); };
  std::string text = period["period"].get<std::string>() + " " + volume(period);
  for (const Json& row : period["by"]) text += " " + row["name"].get<std::string>() + " " + volume(row);
  return text;
}

std::string shownAll(const Json& list) {
  std::string text;
  for (const Json& period : list) text += (text.empty() ? "" : "; ") + shown(period);
  return text;
}

UsageSpan span(std::string_view text) {
  return parseUsageSpan(text).value();
}

const Date kToday = on(2026, 11, 23);

}  // namespace

TEST_CASE("a day's and a month's bytes, by whom, what costs most first") {
  Usage usage;
  usage.add(kToday, "a", {1, 2});
  usage.add(kToday, "b", {4, 8});
  usage.add(kToday, "b", {5, 10});
  usage.add(on(2026, 11, 24), "a", {100, 0});
  CHECK(shownAll(usage.report(span("1d"))) == "2026-11-24 100/0 a 100/0");
  CHECK(shownAll(usage.report(span("62d"))) == "2026-11-24 100/0 a 100/0; 2026-11-23 10/20 b 9/18 a 1/2");
  CHECK(shownAll(usage.report(span("3m"))) == "2026-11 110/20 a 101/2 b 9/18");
  CHECK(shownAll(usage.today(kToday)) == "2026-11-23 10/20 b 9/18 a 1/2; 2026-11 110/20 a 101/2 b 9/18");
  CHECK(shownAll(usage.today(on(2026, 12, 1))) == "2026-12-01 0/0; 2026-12 0/0");
}

TEST_CASE("what was counted before the date is known moves to the first day that is") {
  Usage usage;
  usage.add(std::nullopt, "a", {1, 1});
  usage.add(std::nullopt, "b", {2, 2});
  CHECK(shownAll(usage.today(std::nullopt)) == "unknown 3/3 b 2/2 a 1/1");
  CHECK(shownAll(usage.report(span("1d"))) == "unknown 3/3 b 2/2 a 1/1");
  usage.add(kToday, "a", {10, 10});
  CHECK(shownAll(usage.today(kToday)) == "2026-11-23 13/13 a 11/11 b 2/2; 2026-11 13/13 a 11/11 b 2/2");
}

TEST_CASE("which dates are believed") {
  CHECK(believable(on(2026, 1, 1), 2026) == on(2026, 1, 1));
  CHECK(believable(on(2099, 12, 31), 2026));
  CHECK_FALSE(believable(on(2025, 12, 31), 2026));
  CHECK_FALSE(believable(on(1970, 1, 1), 2026));
  CHECK_FALSE(believable(on(2100, 1, 1), 2026));
  CHECK_FALSE(believable(on(2026, 2, 30), 2026));
}

TEST_CASE("of more than 256 names in a period the rest is others, and no byte is lost") {
  Usage usage;
  for (int i = 0; i < 1000; ++i) usage.add(kToday, "name" + std::to_string(i), {1, 10});
  const Json today = usage.today(kToday)[0];
  CHECK(today["by"].size() == Usage::kKeys);
  CHECK(today["sent"] == 1000);
  CHECK(today["received"] == 10'000);
  CHECK(today["by"][0]["name"] == "others");
  CHECK(today["by"][0]["sent"] == 1000 - 255);
  // One that has its place keeps it.
  usage.add(kToday, "name7", {1, 0});
  CHECK(usage.today(kToday)[0]["by"].size() == Usage::kKeys);
  CHECK(usage.today(kToday)[0]["by"][0]["sent"] == 1000 - 255);
}

TEST_CASE("62 days and 24 months are kept, the oldest go") {
  Usage usage;
  const std::chrono::sys_days first = on(2024, 1, 1);
  for (int i = 0; i < 1000; ++i) usage.add(Date(first + std::chrono::days(i)), "a", {1, 1});
  const Json days = usage.report(span("62d"));
  CHECK(days.size() == 62);
  CHECK(days.front()["period"] == "2026-09-26");
  CHECK(days.back()["period"] == "2026-07-27");
  const Json months = usage.report(span("24m"));
  CHECK(months.size() == 24);
  CHECK(months.back()["period"] == "2024-10");
}

TEST_CASE("a clock that was in the future for a while costs no true day") {
  Usage usage;
  const std::chrono::sys_days first = on(2026, 1, 1);
  for (int i = 0; i < 40; ++i) usage.add(Date(first + std::chrono::days(i)), "a", {1, 1});
  for (int i = 0; i < 22; ++i)
    usage.add(Date(std::chrono::sys_days(on(2080, 1, 1)) + std::chrono::days(i)), "a", {7, 7});
  for (int i = 40; i < 62; ++i) usage.add(Date(first + std::chrono::days(i)), "a", {1, 1});
  const Json days = usage.report(span("62d"));
  CHECK(days.size() == 62);
  CHECK(days.front()["period"] == "2026-03-03");
  CHECK(days.back()["period"] == "2026-01-01");
}

TEST_CASE("a clock that begins too early at each start costs no day") {
  const std::chrono::sys_days first = on(2026, 9, 1);
  const Date image = on(2026, 4, 1);
  Usage usage;
  for (int i = 0; i < 62; ++i) usage.add(Date(first + std::chrono::days(i)), "a", {1, 1});
  const Date last(first + std::chrono::days(61));
  const auto full = usage.report(span("62d"));
  for (int boot = 0; boot < 3; ++boot) {
    usage.add(image, "b", {10, 10});
    CHECK(shown(usage.report(span("1d"))[0]) == "unknown 10/10 b 10/10");
    CHECK(shown(usage.today(image)[0]) == "unknown 10/10 b 10/10");
    usage.add(last, "c", {100, 100});
  }
  CHECK(shown(usage.today(last)[0]) == "2026-11-01 331/331 c 300/300 b 30/30 a 1/1");
  CHECK(shown(usage.today(last)[1]) == "2026-11 331/331 c 300/300 b 30/30 a 1/1");
  const auto after = usage.report(span("62d"));
  CHECK(after.size() == 62);
  CHECK(shown(after.back()) == shown(full.back()));
  // There was room among the months, but it is the day that tells.
  CHECK(usage.report(span("24m")).size() == 3);
}

TEST_CASE("a clock that is months too early costs no month either") {
  Usage usage;
  for (int i = 0; i < 24; ++i)
    usage.add(on(2027 + i / 12, 1 + static_cast<unsigned>(i % 12), 1), "a", {1, 1});
  usage.add(on(2026, 11, 23), "b", {10, 10});
  usage.add(on(2028, 12, 1), "a", {1, 1});
  CHECK(usage.report(span("24m")).size() == 24);
  CHECK(shown(usage.report(span("1m"))[0]) == "2028-12 12/12 b 10/10 a 2/2");
}

TEST_CASE("one day in the future among 61 true ones gives its place to the next true one") {
  const std::chrono::sys_days first = on(2026, 9, 1);
  Usage usage;
  for (int i = 0; i < 61; ++i) usage.add(Date(first + std::chrono::days(i)), "a", {1, 1});
  usage.add(on(2080, 1, 1), "a", {7, 7});
  usage.add(Date(first + std::chrono::days(61)), "a", {1, 1});
  const Json days = usage.report(span("62d"));
  CHECK(days.size() == 62);
  CHECK(days.front()["period"] == "2026-11-01");
  CHECK(days.back()["period"] == "2026-09-01");
}

TEST_CASE("what is saved is read again") {
  Usage usage;
  usage.add(kToday, "tcp 198.51.100.1:443", {UINT64_MAX - 1, 2});
  usage.add(on(2026, 10, 1), "names", {3, 4});
  usage.add(on(2026, 10, 1), "\"\\\xff", {5, 6});
  Usage with_unknown = usage;
  with_unknown.add(std::nullopt, "a", {7, 8});
  const auto again = Usage::load(with_unknown.save());
  REQUIRE(again);
  CHECK(again->save() == with_unknown.save());
  CHECK(again->report(span("62d")).size() == 3);
  // A sum stands at the top of its range.
  usage.add(kToday, "tcp 198.51.100.1:443", {100, 0});
  CHECK(usage.today(kToday)[0]["sent"] == UINT64_MAX);
}

TEST_CASE("what is not ours is not read") {
  const std::string good = R"({"version":1,"unknown":{},"days":{"2026-11-23":{"a":[1,2]}},"months":{}})";
  CHECK(Usage::load(good));
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), good.substr(0, 40),
        std::string(R"({"version":2,"unknown":{},"days":{},"months":{}})"),
        std::string(R"({"version":1,"unknown":{},"days":{}})"),
        std::string(R"({"version":1,"unknown":{},"days":{"2026-11-2x":{}},"months":{}})"),
        std::string(R"({"version":1,"unknown":{},"days":{"2026-11":{}},"months":{}})"),
        std::string(R"({"version":1,"unknown":{"a":[1]},"days":{},"months":{}})"),
        std::string(R"({"version":1,"unknown":{"a":[1,-2]},"days":{},"months":{}})"),
        std::string(R"({"version":1,"unknown":{"a":[1,2.5]},"days":{},"months":{}})"),
        std::string(R"({"version":1,"unknown":{"a":{"a":{"a":{"a":{}}}}},"days":{},"months":{}})"),
        std::string(100'000, '['),
        R"({"version":1,"unknown":{")" + std::string(65, 'x') + R"(":[1,2]},"days":{},"months":{}})"}) {
    INFO(text.substr(0, 100));
    const auto usage = Usage::load(text);
    REQUIRE_FALSE(usage);
    CHECK(usage.error().kind == ErrorKind::Garbled);
  }
}

TEST_CASE("a span is days or months, no more than are kept") {
  CHECK(span("7d").count == 7);
  CHECK(span("7d").unit == UsageSpan::Unit::Days);
  CHECK(span("24m").unit == UsageSpan::Unit::Months);
  for (const char* bad :
       {"", "7", "d", "0d", "63d", "25m", "7w", "7dd", "-1d", " 7d", "99999999999999999999d"})
    CHECK_FALSE(parseUsageSpan(bad));
}
