"""Findings to print, and what a stranger may write into a place that one shows."""

from dataclasses import replace

from publisher.diagnostic import Diagnostic

HOSTILE = (
    "::error::forged",
    "x\n::error::forged",
    "x\r\n::warning file=a::forged",
    "x%0A::error::forged",
    "x%0D%0A##[error]forged",
    "x%250A::stop-commands::forged",
    "\u2028::error::forged",
    "\u00a0 ::add-mask::forged",
    "x\x85::error::forged",
    "##[add-mask]forged",
    "a ##[group]forged",
    "##vso[task.setvariable variable=a]forged",
    "a,title=forged,file=other::forged",
    "a:b,c=d",
    "<script>alert(1)</script>",
    "</code><img src=x onerror=alert(1)>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "]]><a/>",
    "--><a/>",
    "[a](javascript:alert(1))",
    "`[a](https://evil.example)`",
    "![a](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/login",
    "www.evil.example",
    "[a](3)",
    "[a](sarif:/runs/0/results/0)",
    "{0} {{1}} {",
    "@everyone",
    "@acme/security",
    "`@everyone",
    "fixes #1 !2 acme/keys#3",
    "\u202eabc\u2066def",
    "a\u200bb\ufeff",
    "\x1b[31mred\x1b[0m\x07",
    "a\0b",
    "a\udcff",
    "\\x3cscript>",
    '"}],"runs":[{"',
    "../../etc/passwd",
    "//evil.example/a",
    "file:///etc/passwd",
    "keysets/größe und mehr/%2e%2e/keyset.yaml",
    "",
)

FINDING = Diagnostic(
    path="keysets/acme/keyset.yaml",
    line=7,
    column=12,
    rule="kid-twice",
    message="the kid `own` is already that of custom_keys[0] (`own`) in keyset.yaml",
    hint="give each key a kid of its own",
    subject=("custom_keys", "own", "kid"),
)
WARNING = Diagnostic(
    path="keysets/policy.yaml",
    line=3,
    column=1,
    rule="lead-under-a-day",
    message="the lead of 5h is short",
    hint="48h is the default",
    subject=("rotation", "lead"),
)


def hostile(text: str) -> list[Diagnostic]:
    """A finding with the text in each place, and one with it in all places."""
    return [
        replace(FINDING, path=text),
        replace(FINDING, path=f"keysets/{text}/keyset.yaml"),
        replace(FINDING, rule=text),
        replace(FINDING, message=text),
        replace(FINDING, message=f"the kid `{text}` is already that of custom_keys[0]"),
        replace(FINDING, hint=text),
        replace(FINDING, path=text, rule=text, message=text, hint=text),
        replace(FINDING, subject=("custom_keys", text, "kid")),
    ]


def many(count: int, like: Diagnostic = FINDING) -> list[Diagnostic]:
    """As many findings, each on a line of its own and about a key of its own."""
    return [replace(like, line=1 + at, subject=("custom_keys", f"key-{at}", "kid")) for at in range(count)]
