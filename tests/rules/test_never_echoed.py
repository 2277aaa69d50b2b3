"""Secrets that stand in key-set files by mistake are told as such, and no part of them is ever shown."""

import gzip
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import PrivateFormat
from keymaker import PASSPHRASE, ec_key, flow, key_of, okp_key, private_jwk, private_pem, public_jwk, rsa_key
from program import Ran, run
from repos import Repo

from publisher.report import diagnostics_json

from .trees import HEAD, SOUND, Tree, check, write

pytestmark = pytest.mark.chaos

WINDOW = 12
"""So many characters in a row of a secret are too many."""

SECRETS = {
    "P-256": private_jwk(ec_key(70))["d"],
    "Ed25519": private_jwk(okp_key(70))["d"],
    "RSA": private_jwk(rsa_key(0))["d"],
    "prime": private_jwk(rsa_key(0))["p"],
    "PEM": private_pem(ec_key(70)),
    "OpenSSH": private_pem(okp_key(70), PrivateFormat.OpenSSH),
    "passphrase": PASSPHRASE.decode(),
}
assert all(len(secret) > 40 for secret in SECRETS.values())
FILES = ("acme/keyset.yaml", "acme/generated.yaml", "policy.yaml")


@cache
def windows(secret: str) -> frozenset[str]:
    """Every part of the secret of that length; of PEM, what is between its first and last line."""
    lines = secret.splitlines()
    bodies = lines[1:-1] if len(lines) > 1 else lines
    return frozenset(body[at : at + WINDOW] for body in bodies for at in range(len(body) - WINDOW + 1))


def shown(output: str, secrets: tuple[str, ...] = tuple(SECRETS.values())) -> list[str]:
    """Parts of secrets that stand in the output."""
    parts = {output[at : at + WINDOW] for at in range(len(output) - WINDOW + 1)}
    return [part for secret in secrets for part in windows(secret) & parts]


def places(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of every scalar in a YAML text, and whether it is a field's name. Read by PyYAML."""
    pending = [yaml.compose(text)]
    while pending:
        node = pending.pop()
        assert node is not None
        if isinstance(node, yaml.MappingNode):
            yield from ((key.start_mark.index, key.end_mark.index, True) for key, _ in node.value)
            pending += [item for _, item in node.value]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
        else:
            yield node.start_mark.index, node.end_mark.index, False


def everything_told(folder: Path) -> str:
    """All that `check` finds, as text and as JSON."""
    found = check(folder).diagnostics
    return "\n".join(map(str, found)) + json.dumps(diagnostics_json(found), ensure_ascii=False)


FORMS: dict[str, Callable[[str], str]] = {
    "text": json.dumps,
    "list": lambda secret: json.dumps([secret]),
    "value": lambda secret: json.dumps({"x": secret}),
    "name": lambda secret: "{? " + json.dumps(secret) + " : x}",
    "member": lambda secret: "{d: " + json.dumps(secret) + "}",
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("file", FILES)
def test_in_place_of_every_value_and_name(file: str, name: str, tmp_path: Path) -> None:
    """Each scalar of sound files in turn; two secrets also in a list, and as a mapping's name, value and member."""
    text, secret = SOUND[file], SECRETS[name]
    assert isinstance(text, str)
    write(tmp_path, SOUND)
    for start, end, is_name in places(text):
        if text[start : start + 1] == "|":
            end -= 1  # a block's last line end
        for form in ("text",) if is_name or name not in ("Ed25519", "PEM") else FORMS:
            (tmp_path / "keysets" / file).write_text(text[:start] + FORMS[form](secret) + text[end:])
            told = everything_told(tmp_path)
            assert shown(told, (secret,)) == [], (text[max(0, start - 30) : start], form)
            if "\n" in secret or (form == "member" and file != "policy.yaml"):
                assert ": private-key: " in told, (text[max(0, start - 30) : start], form)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("file", [*FILES, "acme/partner.pem", "acme/notes/old.txt", "acme/gateway.pem"])
def test_as_a_comment_and_as_a_file(file: str, name: str, tmp_path: Path) -> None:
    secret, before = SECRETS[name], SOUND.get(file, "")
    assert isinstance(before, str)
    comment = "".join(f"# {line}\n" for line in secret.splitlines())
    indented = json.dumps({"kty": "OKP", "d": secret}, indent=2)
    for content in (before + comment, secret, f'{{"d": "{secret}"}}', indented):
        write(tmp_path, {**SOUND, file: content})
        told = everything_told(tmp_path)
        assert shown(told, (secret,)) == []
        if "\n" in secret or (content.startswith("{") and name != "passphrase"):
            assert [line for line in told.splitlines() if f"{file}:" in line and ": private-key: " in line]


@pytest.mark.parametrize("name", ["P-256", "RSA", "Ed25519"])
@pytest.mark.parametrize(
    "comment", ["# d: {}", "#   d : '{}'", "# jwk: {{kty: EC, d: {}}}", '# "d": "{}"', "domains: [] # q: {}"]
)
def test_private_members_in_comments(comment: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, {"policy.yaml": "version: 1\n", "acme/keyset.yaml": f"{HEAD}{comment.format(SECRETS[name])}\n"})
    told = everything_told(tmp_path)
    assert "keysets/acme/keyset.yaml:5:" in told
    assert "private-key: a private key begins here" in told
    assert shown(told) == []


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-521", "Ed25519", "Ed448"])
def test_whole_private_jwks(kind: str, tmp_path: Path) -> None:
    jwk = private_jwk(key_of(kind, 71))
    secrets = tuple(value for name, value in jwk.items() if name not in public_jwk(key_of(kind, 71)))
    assert secrets
    for text in (
        f"{HEAD}custom_keys:\n  - alg: ES256\n    jwk: {flow(jwk)}\n",
        f"{HEAD}custom_keys:\n  - alg: ES256\n    jwk: {json.dumps(jwk)}\n",
        f"{HEAD}custom_keys:\n  - alg: ES256\n    pem: {json.dumps(json.dumps(jwk))}\n",
        f"{HEAD}custom_keys:\n  - {flow(jwk)}\n",
        f"{HEAD}custom_keys: {flow(jwk)}\n",
        f"{HEAD}custom_keys:\n  - jwk: {{keys: [{flow(jwk)}]}}\n",
        flow(jwk),
    ):
        write(tmp_path, {"policy.yaml": "version: 1\n", "acme/keyset.yaml": text})
        told = everything_told(tmp_path)
        assert shown(told, secrets) == []
        assert ": private-key: " in told


def test_behind_very_many_mistakes(tmp_path: Path) -> None:
    """A private key is told even where no more mistakes are."""
    many = "".join(f"field{number}: 1\n" for number in range(500))
    entry = f"custom_keys:\n  - jwk: {flow(private_jwk(ec_key(70)))}\n"
    write(tmp_path, {"policy.yaml": "version: 1\n", "acme/keyset.yaml": HEAD + many + entry})
    told = everything_told(tmp_path)
    assert "keysets/acme/keyset.yaml:506:" in told
    assert ": private-key: `d` is a member of private keys" in told
    assert shown(told) == []


@pytest.mark.parametrize("name", SECRETS)
def test_in_what_tenants_claim_from_each_other(name: str, tmp_path: Path) -> None:
    """Two tenants with the same secret as their name, domain and kid."""
    secret = json.dumps(SECRETS[name])
    text = f"version: 1\ntenant: {secret}\nplan: {secret}\ndomains: [{secret}]\ncustom_keys:\n"
    text += f"  - {{kid: {secret}, alg: {secret}, domains: [a.example], jwk: {flow(public_jwk(ec_key(72)))}}}\n"
    if len(SECRETS[name]) <= 255 and "\n" not in SECRETS[name]:
        text = text.replace(f"kid: {secret}, ", "")  # it is a kid, and kids are public
    write(tmp_path, {"policy.yaml": "version: 1\n", "a/keyset.yaml": text, "b/keyset.yaml": text})
    told = everything_told(tmp_path)
    assert shown(told) == []
    assert told.count("key-shared") == 2


def test_utf_16_files(tmp_path: Path) -> None:
    """As PowerShell writes what a program prints."""
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        write(tmp_path, {**SOUND, "acme/old.pem": SECRETS["PEM"].encode(encoding)})
        assert "keysets/acme/old.pem:1:" in everything_told(tmp_path)


@pytest.mark.parametrize(
    "first",
    [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        "PuTTY-User-Key-File-3: ssh-ed25519",
    ],
)
def test_every_kind_of_armour(first: str, tmp_path: Path) -> None:
    write(tmp_path, {**SOUND, "acme/notes.txt": f"kept here\n\n  {first}\nabc\n"})
    (found,) = check(tmp_path).diagnostics
    assert (found.path, found.line, found.column) == ("keysets/acme/notes.txt", 3, 3)
    assert str(found).endswith(": a private key begins here; remove it; treat the key as exposed and replace it")


def test_words_that_only_look_alike_are_accepted(tmp_path: Path) -> None:
    """Neither text about private keys nor thumbprints in comments are private keys."""
    notes = f'-----BEGIN PUBLIC KEY-----\nBEGIN PRIVATE KEY\n\'d\': see above\n"kid": "{"a" * 43}"\n# kid: {"b" * 43}\n'
    keyset = SOUND["acme/keyset.yaml"]
    assert isinstance(keyset, str)
    write(tmp_path, {**SOUND, "acme/notes.txt": notes, "acme/keyset.yaml": f"{keyset}# kid: {'c' * 43}, no d: here\n"})
    assert check(tmp_path).diagnostics == ()


def _broken_sets() -> Tree:
    """A tenant for each secret and each place and form that a person may have put it in."""
    tree: dict[str, str | bytes] = {
        "policy.yaml": f"version: 1\n# {SECRETS['passphrase']}\nplan: {flow(SECRETS['P-256'])}\n"
    }
    for number, (_, secret) in enumerate(SECRETS.items()):
        text, name = json.dumps(secret), f"t{number}"
        head = HEAD.replace("acme", name)
        tree[f"{name}/keyset.yaml"] = (
            f"{head}note: {text}\ncustom_keys:\n  - jwk: {{kty: OKP, d: {text}}}\n  - pem: {text}\n"
        )
        tree[f"{name}/generated.yaml"] = f"version: 1\n{{{text}: 1}}\n"
        tree[f"{name}/notes.txt"] = secret
        tree[f"u{number}/keyset.yaml"] = head.replace(name, text).replace("[a.", f"[{text}, a.") + f"? {text}\n: 1\n"
    return tree


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed repository full of secrets."""
    repo = Repo(tmp_path_factory.mktemp("broken"))
    write(repo.path, _broken_sets())
    repo.commit()
    return repo.path


@pytest.fixture(scope="module")
def broken_tenants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a sound policy, as a broken one stops plans and publishes before they look at any tenant."""
    repo = Repo(tmp_path_factory.mktemp("tenants"))
    write(repo.path, {**_broken_sets(), "policy.yaml": "version: 1\n"})
    repo.commit()
    return repo.path


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--format", "json"),
        ("--log-format", "json", "check", "--rev", "HEAD"),
        ("plan", "--store", "file:///{}/store"),
        ("--log-format", "json", "publish", "--format", "json", "--store", "file:///{}/store"),
        ("build", "--out", "{}/out"),
        ("show", "t0"),
        ("show", "t4", "--json"),
        ("show", "u1"),
    ],
    ids=" ".join,
)
def test_the_program_shows_no_part_of_them(arguments: tuple[str, ...], broken: Path, tmp_path: Path) -> None:
    ran: Ran = run(*(argument.format(tmp_path) for argument in arguments), cwd=broken)
    assert ran.code == 1
    output = ran.out + ran.err
    assert shown(output) == []
    assert "internal error" not in output
    assert "private-key" in output or "u1" in arguments or "--store" in arguments
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    "arguments",
    [("plan",), ("plan", "--out", "{}/plan.json"), ("publish",), ("publish", "--format", "json")],
    ids=" ".join,
)
def test_plans_publishes_and_what_they_store_show_no_part_of_them(
    arguments: tuple[str, ...], broken_tenants: Path, tmp_path: Path
) -> None:
    """Shards keep why a tenant stays at what it serves."""
    store = f"file://{tmp_path}/store"
    ran = run(*(argument.format(tmp_path) for argument in arguments), "--store", store, cwd=broken_tenants)
    assert ran.code == 1
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    stored = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in written]
    output = ran.out + ran.err + "".join(data.decode() for data in stored)
    assert shown(output) == []
    assert "internal error" not in output
    assert "private-key" in ran.out
    assert any(path.suffix == ".gz" for path in written) == ("publish" in arguments)
