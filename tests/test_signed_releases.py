"""--signing-key and --trusted-keys from the command line: whose releases count, and who may add one."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from program import Ran, run
from repos import Repo
from signing import Signer, keyset, make_signer

pytestmark = pytest.mark.chaos

FIRST = "releases/0000000001.json"


class Signed:
    """A store, and two pairs of keys in files: `ours` and `theirs`."""

    def __init__(self, repo: Repo, tmp_path: Path, signers: dict[str, Signer]) -> None:
        self.repo, self.root, self.files, self.signers = repo, tmp_path / "store", tmp_path, signers
        for name in ("ours", "theirs"):
            self.make(name)

    def make(self, name: str, guard: KeySerializationEncryption | None = None) -> None:
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard or NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.files / f"{name}.pem").write_bytes(private)
        (self.files / f"{name}.pub").write_bytes(public)

    def run(self, command: str, *, sign: str = "", trust: str = "", **settings: str) -> Ran:
        options = ["--signing-key", str(self.files / f"{sign}.pem")] if sign else []
        options += ["--trusted-keys", str(self.files / f"{trust}.pub")] if trust else []
        return run(command, "--store", f"file://{self.root}", *options, cwd=self.repo.path, **settings)

    def add(self) -> None:
        entries = self.signers["globex"].entry() + make_signer("added").entry()
        self.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], entries))
        self.repo.commit("Add a key")

    @property
    def releases(self) -> list[str]:
        return sorted(path.name for path in (self.root / "releases").glob("*.json"))


@pytest.fixture
def signed(repo: Repo, tmp_path: Path, signers: dict[str, Signer]) -> Signed:
    return Signed(repo, tmp_path, signers)


def test_a_signed_release_is_verified_by_who_reads_it(signed: Signed) -> None:
    assert signed.run("publish", sign="ours", trust="ours").code == 0
    assert set(json.loads((signed.root / FIRST).read_bytes())) == {"payload", "protected", "signature"}
    assert signed.run("publish", sign="ours", trust="ours").out.startswith("Nothing to change")
    assert signed.run("plan", trust="ours").code == 0
    signed.add()
    assert signed.run("publish", sign="ours", trust="ours").code == 0
    assert len(signed.releases) == 2
    assert signed.run("publish", sign="ours").code == 0, "who trusts no key reads it all the same"


def test_a_signed_log_takes_no_unsigned_release(signed: Signed) -> None:
    signed.run("publish", sign="ours")
    signed.add()
    ran = signed.run("publish")
    assert ran.code == 3
    assert "the releases of this store are signed; give --signing-key to add one" in ran.err
    assert "Traceback" not in ran.err
    assert len(signed.releases) == 1
    assert b"added" not in (signed.root / "live/id.globex.example/.well-known/jwks.json").read_bytes()


def test_who_trusts_a_key_adds_no_unsigned_release_to_an_empty_store(signed: Signed) -> None:
    ran = signed.run("publish", trust="ours")
    assert (ran.code, "give --signing-key" in ran.err) == (3, True)
    assert not (signed.root / "live").exists()


@pytest.mark.parametrize("command", ["plan", "publish"])
@pytest.mark.parametrize("sign", ["", "theirs"])
def test_a_release_without_a_trusted_signature_is_refused(signed: Signed, command: str, sign: str) -> None:
    assert signed.run("publish", sign=sign).code == 0
    signed.add()
    ran = signed.run(command, trust="ours", **({} if command == "plan" else {"sign": "ours"}))
    assert ran.code == 3, ran
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert len(signed.releases) == 1


def test_a_tampered_release_is_refused(signed: Signed) -> None:
    signed.run("publish", sign="ours")
    value = json.loads((signed.root / FIRST).read_bytes())
    changed = "B" if value["payload"][40] == "A" else "A"
    tampered = {**value, "payload": value["payload"][:40] + changed + value["payload"][41:]}
    (signed.root / FIRST).write_text(json.dumps(tampered))
    for command in ("plan", "publish"):
        ran = signed.run(command, trust="ours")
        assert (ran.code, ran.err.count("\n")) == (3, 1), ran
    unread = signed.run("plan")
    assert (unread.code, "is damaged" in unread.err) == (3, True), "HEAD names its digest"


def test_the_password_comes_from_the_environment(signed: Signed) -> None:
    signed.make("locked", BestAvailableEncryption(b"open sesame"))
    refused = signed.run("publish", sign="locked")
    assert refused.code in (2, 3)
    assert "Traceback" not in refused.err
    password = {"JWKS_PUBLISHER_SIGNING_KEY_PASSWORD": "open sesame"}
    assert signed.run("publish", sign="locked", trust="locked", **password).code == 0


def test_a_file_that_is_no_key_is_one_line(signed: Signed) -> None:
    (signed.files / "bad.pem").write_text("nonsense")
    (signed.files / "bad.pub").write_text("nonsense")
    for options in ({"sign": "bad"}, {"trust": "bad"}):
        ran = signed.run("publish", **options)
        assert (ran.code in (2, 3), ran.err.count("\n")) == (True, 1), ran
        assert "nonsense" not in ran.err
