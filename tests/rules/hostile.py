"""Files made to hurt a reader: what each of them is, and the mistake that is to be told of it, with its place."""

import json
from collections.abc import Mapping

from keymaker import okp_key, public_jwk

from .trees import HEAD

LIMIT = 262_144
KEYS = f"{HEAD}custom_keys:\n"
SECRETIVE = '# "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"\n'


def fill(unit: str, before: str = "", after: str = "") -> str:
    """The unit as often as a file may hold it."""
    return before + unit * ((LIMIT - len(before) - len(after)) // len(unit)) + after


def numbered(form: str, before: str = "", count: int = 9_000) -> str:
    """The form with 0, 1, 2 and so on."""
    return before + "".join(form.format(number) for number in range(count))


def stairs(line: str, end: str = "\n") -> str:
    """Each line one further in than the last, as far as a file may go."""
    return "".join(" " * depth + line + end for depth in range(715))


def _keys_against_domains() -> str:
    """Each of many keys is for many domains, none of which is among the tenant's many long ones."""
    own = ", ".join(f"d{number}.{'abcdefghi.' * 50}test" for number in range(190))
    other = ", ".join(f"x{number}" for number in range(190))
    entry = f"  - {{alg: EdDSA, jwk: {json.dumps(public_jwk(okp_key()))}, domains: [{other}]}}\n"
    return f"{HEAD.replace('a.acme.example', own)}custom_keys:\n{entry * 90}"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

HOSTILE: Mapping[str, tuple[str | bytes, str]] = {
    # aliases and anchors
    "billion-laughs": (BOMB, "1:4: yaml-alias"),
    "an-alias-to-itself": ("&a [*a]", "1:1: yaml-alias"),
    "many-anchors": (fill("- &a\n"), "1:3: yaml-alias"),
    "many-aliases": (fill("- *a\n"), "1:3: yaml-alias"),
    "merge-keys": (f"{HEAD}<<: {{plan: gold}}\n", "5:1: unknown-field"),
    "merge-of-an-alias": (f"{HEAD}<<: *base\n", "5:5: yaml-alias"),
    # nesting
    "brackets": (fill("["), "1:9: yaml-depth"),
    "braces": (fill("{"), "1:9: yaml-depth"),
    "brackets-under-the-count": ("[" * 250 + "]" * 250, "1:9: yaml-depth"),
    "braces-and-keys": (fill("{a: "), "1:33: yaml-depth"),
    "dashes-in-a-line": (fill("- "), "1:17: yaml-depth"),
    "question-marks": (fill("? "), "1:17: yaml-depth"),
    "stairs": (stairs("a:"), "9:9: yaml-depth"),
    "stairs-of-lists": (stairs("-"), "9:9: yaml-depth"),
    "flow-pairs": (fill("a: b,", f"{HEAD}x: [", "c]"), "5:33318: yaml-size"),
    # size
    "one-scalar": (fill("a", f"{HEAD}x: "), "5:1: unknown-field"),
    "one-quoted-scalar": (fill("\\n", f'{HEAD}x: "', '"'), "5:1: unknown-field"),
    "one-scalar-of-many-lines": (fill("a b\n ", f"{HEAD}x: "), "5:1: unknown-field"),
    "one-block-scalar": (fill(" a\n", f"{HEAD}x: |\n"), "5:1: unknown-field"),
    "one-number": (fill("1", f"{HEAD}tenants: "), "5:1: unknown-field"),
    "one-sexagesimal": (fill(":1", f"{HEAD}tenants: 1"), "5:1: unknown-field"),
    "one-field-name": (fill("a", HEAD, ": 1\n"), "5:262074: yaml-syntax"),
    "one-comment": (fill("#"), "1:1: yaml-empty"),
    "as-tenant": (fill("a", "tenant: "), "1:9: bad-value"),
    "as-kid": (f"{KEYS}  - kid: {'k' * 9000}\n", "6:10: bad-value"),
    "over-the-limit": (fill("#", f"{HEAD}") + "##", "1:1: file-too-large"),
    "many-fields": (numbered("f{:x}:\n", HEAD), "1:1: too-many-mistakes"),
    "many-near-names": (numbered("custom_key{:05x}: 1\n", HEAD), "1:1: too-many-mistakes"),
    "many-members": (numbered("m{:x}: 1,", f"{KEYS}  - jwk: {{") + "}", "1:1: too-many-mistakes"),
    "very-many-fields": (numbered("f{:x}:\n", HEAD, 37_000), "10000:1: yaml-size"),
    "very-many-items": (fill("- x\n", f"{HEAD}x:\n"), "19994:3: yaml-size"),
    "many-entries": (KEYS + "- {}\n" * 9_000, "6:1: bad-value"),
    "many-bad-entries": (KEYS + "- {a: 1, b: [], c: {}}\n" * 2_000, "6:1: bad-value"),
    "five-hundred-bad-entries": (KEYS + "- {a: 1, kid: 1, alg: 1, pem: 1, jwk: 1}\n" * 500, "1:1: too-many-mistakes"),
    "many-duplicates": (HEAD + "a:\n" * 9_000, "1:1: too-many-mistakes"),
    "many-tags": (fill("- !a a\n"), "1:1: too-many-mistakes"),
    "many-documents": (fill("---\n"), "2:1: yaml-documents"),
    "many-private-keys": (fill(SECRETIVE, HEAD), "5:3: private-key"),
    "many-beginnings": (fill("# -----BEGIN ", HEAD) + "\nx: 1\n", "6:1: unknown-field"),
    "long-domains": (HEAD.replace("a.acme", ", ".join(f"ä{n}.{'ü' * 500}" for n in range(99))), "4:11: domain-name"),
    "keys-against-domains": (_keys_against_domains(), "6:119: key-domain"),
    # keys of mappings
    "duplicate-keys": (f"{HEAD}plan: gold\n", "5:1: yaml-duplicate-key"),
    "duplicate-keys-spelt-otherwise": (f'{HEAD}"pl\\x61n": gold\n', "5:1: yaml-duplicate-key"),
    "a-list-as-key": (f"{HEAD}[a]: b\n", "5:1: yaml-key"),
    "a-mapping-as-key": (f"{HEAD}? {{a: b}}\n: c\n", "5:3: yaml-key"),
    "no-key": (f"{HEAD}: b\n", "5:1: yaml-syntax"),
    # tags, documents, directives
    "python-object": (f"{HEAD}x: !!python/object/apply:os.system [id]\n", "5:4: yaml-tag"),
    "standard-tag": (HEAD.replace(" acme", " !!str acme"), "2:9: yaml-tag"),
    "no-specific-tag": (HEAD.replace(" acme", " ! acme"), "2:9: yaml-tag"),
    "tag-directive": (f"%TAG !e! tag:example.com,2026:\n---\n{HEAD}", "1:1: yaml-tag"),
    "unknown-directive": (f"%X y\n---\n{HEAD}", "1:3: yaml-syntax"),
    "version-directive": (f"%YAML 2.0\n---\n{HEAD}", "1:1: yaml-syntax"),
    "a-second-document": (f"{HEAD}---\n{HEAD}", "5:1: yaml-documents"),
    "a-second-document-after-an-end": (f"{HEAD}...\n{HEAD}", "6:1: yaml-syntax"),
    # encodings and characters
    "latin-1": (f"{HEAD}# größe\n".encode("latin-1"), "5:5: yaml-encoding"),
    "overlong": (HEAD.encode() + b"# \xc0\xaf\n", "5:3: yaml-encoding"),
    "surrogates": (HEAD.encode() + b"# \xed\xa0\x80\n", "5:3: yaml-encoding"),
    "cut-off": (HEAD.encode() + "# größe".encode()[:5], "5:5: yaml-encoding"),
    "utf-16": (HEAD.encode("utf-16"), "1:1: yaml-encoding"),
    "utf-16-without-mark": (HEAD.encode("utf-16-le"), "1:2: yaml-characters"),
    "utf-32": (HEAD.encode("utf-32"), "1:1: yaml-encoding"),
    "byte-order-mark": (b"\xef\xbb\xbf" + HEAD.encode(), "1:1: yaml-encoding"),
    "byte-order-mark-within": (HEAD.replace(" acme", " \ufeffacme"), "2:9: yaml-characters"),
    "nul": (HEAD.replace("acme\n", "ac\0me\n"), "2:11: yaml-characters"),
    "escape": (f"{HEAD}# \x1b[2J\n", "5:3: yaml-characters"),
    "delete": (f"{HEAD}# \x7f\n", "5:3: yaml-characters"),
    "next-line": (f"{HEAD}# \x85\n", "5:3: yaml-characters"),
    "line-separator": (f"{HEAD}# a\u2028plan: gold\n", "5:4: yaml-characters"),
    "right-to-left-override": (f"{HEAD}# a\u202eb\n", "5:4: yaml-characters"),
    "isolate": (f"{HEAD}# größe \u2066b\n", "5:9: yaml-characters"),
    "arabic-letter-mark": (f"{HEAD}# \u061cb\n", "5:3: yaml-characters"),
    "zero-width-space": (HEAD.replace("acme\n", "ac\u200bme\n"), "2:11: yaml-characters"),
    "soft-hyphen": (HEAD.replace("acme\n", "ac\u00adme\n"), "2:11: yaml-characters"),
    "hangul-filler": (HEAD.replace("acme\n", "ac\u3164me\n"), "2:11: yaml-characters"),
    "tag-characters": (f"{HEAD}# \U000e0061\n", "5:3: yaml-characters"),
    "in-a-file-with-windows-line-ends": (f"{HEAD}# \x7f\n".replace("\n", "\r\n"), "5:3: yaml-characters"),
    "in-a-file-with-old-line-ends": (HEAD.replace("\n", "\r"), "1:11: yaml-characters"),
    "a-line-behind-a-carriage-return": (f"{HEAD}# reviewed\rx: a\n", "5:11: yaml-characters"),
    "behind-blanks": (f"{HEAD}x: [a,{' ' * 150}b]\n", "5:157: yaml-characters"),
    "escaped-surrogate": (HEAD.replace(" acme", ' "\\ud800"'), "2:12: yaml-syntax"),
    "escaped-nul": (HEAD.replace(" acme", ' "ac\\0me"'), "2:9: tenant-name"),
    # shape
    "tab-as-indentation": (f"{HEAD}custom_keys:\n\t- a\n", "6:1: yaml-syntax"),
    "open-quote": (f'{HEAD}x: "\n', "6:1: yaml-syntax"),
    "open-bracket": (f"{HEAD}x: [\n", "6:1: yaml-syntax"),
    "binary": (bytes(range(256)), "3:115: yaml-encoding"),
    "empty": ("", "1:1: yaml-empty"),
    "list": ("- version: 1\n", "1:1: wrong-type"),
    "scalar": ("version\n", "1:1: wrong-type"),
    "quoted-nothing": ('""\n', "1:1: missing-field"),
}
"""Name -> content of keyset.yaml, and `line:column: rule` of the first mistake of that rule."""
