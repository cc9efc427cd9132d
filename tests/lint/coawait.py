#!/usr/bin/python3 -B
"""What g++ 12 miscompiles in coroutines does not stand beside a co_await.

In a statement with co_await there is no brace that builds an object (its temporaries may be destroyed twice),
no lambda that captures, and no macro that hides a return. Bind to a plain named variable first.

    coawait.py [FILE or DIRECTORY]...     prints file:line: what, and ends with 1 where there is something
    coawait.py --self-test                proves itself on good and bad snippets
"""

import glob
import os
import re
import sys

TOKEN = re.compile(r'''
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<raw>R"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)")
  | (?P<string>"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])*')
  | (?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
  | (?P<word>[A-Za-z_0-9][A-Za-z_0-9']*)
  | (?P<sign>->|::|\S)''', re.VERBOSE | re.DOTALL | re.MULTILINE)
HIDDEN_RETURN = re.compile(r"#\s*define\s+(\w+)\(.*\b(?:co_)?return\b", re.DOTALL)
HEADS = {"class", "struct", "union", "enum", "namespace", "extern"}
CONTROL = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable"}


def tokens(text):
    line = 1
    for match in TOKEN.finditer(text):
        kind = match.lastgroup if match.lastgroup != "delimiter" else "raw"
        start = line + text.count("\n", 0, match.start())
        if kind in ("word", "sign"):
            yield match.group(), start
        elif kind in ("string", "raw"):
            yield '""', start


class Statement:
    """What was seen since the last end of a statement, in one block."""

    def __init__(self):
        self.words, self.faults, self.awaits, self.closers = [], [], [], []


class Scanner:
    def __init__(self, macros):
        self.macros, self.found = macros, []

    def scan(self, text):
        self.blocks = [Statement()]
        self.open = []  # "(", "[", "brace" (builds an object) or "block"
        previous = ("", 0)
        stream = list(tokens(text))
        for index, (token, line) in enumerate(stream):
            following = stream[index + 1][0] if index + 1 < len(stream) else ""
            self.take(token, line, previous[0], following)
            previous = (token, line)
        self.finish()
        return self.found

    def take(self, token, line, previous, following):
        here = self.blocks[-1]
        if token == "{":
            self.brace(here, line, previous)
        elif token == "}":
            if self.open and self.open.pop() == "block":
                self.finish()
                self.blocks.pop()
                if not self.lambda_is_open():
                    self.finish()
        elif token in "([":
            if token == "[" and self.introduces_lambda(previous, following):
                here.words.append("lambda")
                if following != "]":
                    here.faults.append((line, "a lambda that captures"))
            self.open.append(token)
        elif token in ")]":
            if self.open:
                self.open.pop()
        elif token == ";" and (not self.open or self.open[-1] == "block"):
            self.finish()
            return
        elif token == "co_await" and previous != "operator":
            here.awaits.append(line)
        elif token in self.macros:
            here.faults.append((line, f"{token}, which hides a return"))
        here.words.append(token)

    def brace(self, here, line, previous):
        if self.is_block(here, previous):
            if not self.open or self.open[-1] == "block":
                if "lambda" not in here.words:
                    self.finish()  # the head of if, for, a function: a statement by itself
            self.open.append("block")
            self.blocks.append(Statement())
        else:
            here.faults.append((line, "a brace that builds an object"))
            self.open.append("brace")

    def is_block(self, here, previous):
        inside = bool(self.open) and self.open[-1] != "block"
        if self.lambda_head(here):
            return True
        if inside:
            return False
        if previous in CONTROL or previous in ("", ")", ";", "{", "}", ":"):
            return True
        # A function's head ends in its return type where it trails: no "=" and no co_await before the "->".
        trailing = "->" in here.words and "=" not in here.words and not here.awaits
        return bool(HEADS & set(here.words[:3])) or bool(HEADS & set(here.words) and "=" not in here.words) or trailing

    @staticmethod
    def lambda_head(here):
        """The words since the last lambda introducer are its parameters and specifiers only."""
        if "lambda" not in here.words:
            return False
        tail = here.words[len(here.words) - 1 - here.words[::-1].index("lambda"):]
        depth = 0
        for word in tail[1:]:
            depth += (word in "([") - (word in ")]")
            if depth < 0 or word in ("{", "}"):
                return False
        return depth == 0 and tail[-1] in ("]", ")", "mutable", "noexcept", ">") or (depth == 0 and "->" in tail)

    def lambda_is_open(self):
        return "lambda" in self.blocks[-1].words

    @staticmethod
    def introduces_lambda(previous, following):
        if previous in ("]", ")", "operator", "[") or following == "[":
            return False
        return not re.fullmatch(r"[A-Za-z_0-9']+", previous) or previous in ("return", "co_return", "co_await", "co_yield", "case")

    def finish(self):
        here = self.blocks[-1]
        if here.awaits:
            self.found += [(line, what) for line, what in here.faults]
        self.blocks[-1] = Statement()


def sources(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for suffix in ("hpp", "cpp"):
            yield from sorted(glob.glob(f"{path}/**/*.{suffix}", recursive=True))


def hidden_returns(texts):
    names = set()
    for text in texts:
        names |= {m.group(1) for d in re.findall(r"^[ \t]*#(?:\\\n|[^\n])*", text, re.MULTILINE) if (m := HIDDEN_RETURN.search(d))}
    return names


def main(paths):
    texts = {}
    for path in sources(paths):
        with open(path) as file:
            texts[path] = file.read()
    macros, count = hidden_returns(texts.values()), 0
    for path, text in texts.items():
        for line, what in Scanner(macros).scan(text):
            print(f"{path}:{line}: {what}, in a statement with co_await")
            count += 1
    print(f"co_await rule: {len(texts)} files, {sum(t.count('co_await') for t in texts.values())} uses, {count} findings")
    return 1 if count or not texts else 0


GOOD = r'''
const auto reply = co_await channel.execute(std::move(at));
if (co_await x) { thing({1}); }
while (const auto n = co_await read(a, b)) { Foo f{1}; use([&] { return f; }); }
Point p{1, 2}; co_await go(p);
auto f = [this](int a) -> Task<void> { co_await g(a); Point q{1}; };
Task<int> f() { co_return co_await g(); }
auto h(int a) -> Task<int> { co_return co_await g(); }
co_await wait(array[i], map[key]);
// co_await f(Point{1});
log("co_await f(Point{1})"); Point r{2};
for (auto& x : list) { co_await x.close(); }
struct S { int a{0}; }; 
switch (co_await next()) { case 1: { A a{}; break; } default: break; }
co_await each([](int a) { return a; });
Task<void> T::run() { for (;;) { Foo foo{1}; foo.go(); if (!co_await more()) co_return; } }
NEED(x); co_await y();
run([&] { B b{1}; }); co_await z();
auto operator co_await() && noexcept { return Awaiter{1}; }
'''
BAD = {
    "co_await f(Point{1});": "a brace that builds an object",
    "co_await f({1, 2});": "a brace that builds an object",
    "Point p{co_await f()};": "a brace that builds an object",
    "const Result<int> r = co_await f(std::string{});": "a brace that builds an object",
    "co_return co_await f(A<B>{});": "a brace that builds an object",
    "if (Point{1} == co_await f()) { go(); }": "a brace that builds an object",
    "co_await f(\n    Point{\n  1});": "a brace that builds an object",
    "co_await f([x] { return x; });": "a lambda that captures",
    "co_await f([&](int a) { return a; });": "a lambda that captures",
    "co_await f([this]() mutable { return 1; });": "a lambda that captures",
    "NEED(co_await f());": "NEED, which hides a return",
    "auto x = [=] { return 1; }(); auto y = g([a = 1] { return a; }) + co_await f();": "a lambda that captures",
}


def self_test():
    failures = 0
    macros = hidden_returns(["#define NEED(x) \\\n  if (!(x)) return false\n#define LOG(x) log(x)\n"])
    if macros != {"NEED"}:
        failures += 1
        print(f"macros with a hidden return: {macros}")
    for snippet in GOOD.strip().splitlines():
        for body in (snippet, f"Task<void> f() {{ {snippet} }}"):
            if found := Scanner(macros).scan(body):
                failures += 1
                print(f"good, but found {found}: {body}")
    for snippet, what in BAD.items():
        for body in (snippet, f"void g() {{}}\nTask<void> f() {{\n  if (a) {{ {snippet} }}\n}}", f"{{ Foo x{{1}}; }} {snippet}"):
            found = Scanner(macros).scan(body)
            if what not in [w for _, w in found]:
                failures += 1
                print(f"bad, but found {found}: {body}")
    print(f"co_await rule, self-test: {len(GOOD.strip().splitlines())} good, {len(BAD)} bad snippets, {failures} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else main(sys.argv[1:]))
