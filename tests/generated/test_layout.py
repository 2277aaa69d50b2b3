"""What a rotation and a revocation leave as it was in generated.yaml: all but the fields that change."""

import pytest
from keymaker import block, ec_key, flow, public_jwk, public_pem

from publisher.generatedfile import read
from publisher.yamlfile import load

from .running import DAY, LEAD, NOW, RETENTION, World, at, kid

SINCE = NOW - 100 * DAY
MESSY = f"""\
# The platform's; ask before you change a thing.
version: 1
generated_keys:
  # Over, and goes with its comment.
  - kid: gone
    alg: ES256
    jwk: {flow(public_jwk(ec_key(7)))}
    publish: {{until: {at(NOW - 9 * DAY)}}}

  # Lost in the train.
  - {{kid: lost, alg: ES256, jwk: {flow(public_jwk(ec_key(8)))}, revoked: {{at: {at(SINCE)}, reason: lost}}}}

  # Signs.
  - alg: ES256   # the usual one
    kid: "now"
    pem: {block(public_pem(ec_key(0)))}
    signs:
      # since the audit
      from: {at(SINCE)}
    publish: {{from: {at(SINCE - LEAD)}}}  # two days before
    domains: [login.acme.example, acme.idp.example]
# The end.
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are not in the other text."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def unlimited(text: str) -> str:
    return text.replace("    domains: [login.acme.example, acme.idp.example]\n", "")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_fields_that_change_change(world: World, newline: str) -> None:
    before = unlimited(MESSY).replace("\n", newline)
    world.tenant("acme", before.encode())
    world.done("rotate", "acme")
    after = world.text()
    assert after.count(newline) == after.count("\n")
    out, new = changed(before, after)
    assert out == [
        "  # Over, and goes with its comment.",
        "  - kid: gone",
        f"    jwk: {flow(public_jwk(ec_key(7)))}",
        f"    publish: {{until: {at(NOW - 9 * DAY)}}}",
        "    signs:",
        "      # since the audit",
        f"      from: {at(SINCE)}",
        f"    publish: {{from: {at(SINCE - LEAD)}}}  # two days before",
    ]
    assert new[:2] == [
        f"    signs: {{from: {at(SINCE)}, until: {at(NOW + LEAD)}}}",
        f"    publish: {{from: {at(SINCE - LEAD)}, until: {at(NOW + LEAD + RETENTION)}}}  # two days before",
    ]
    made = world.made()[-1]
    # Quoted where it begins with a dash, as one thumbprint in 64 does.
    assert new[2].replace('"', "") == f"  - kid: {made.kid}"
    assert after.splitlines()[-1] == "# The end."
    assert [key.kid for key in world.made()] == ["lost", "now", made.kid]
    assert world.mistakes() == []


def test_a_revocation_is_one_line_more(world: World) -> None:
    world.tenant("acme", unlimited(MESSY))
    world.done("revoke", "acme", "now", "--reason", "it was: stolen #1", "--emergency", "--replace")
    out, new = changed(unlimited(MESSY), world.text())
    assert out == []
    assert new[0] == f'    revoked: {{at: {at(NOW)}, reason: "it was: stolen #1"}}'
    assert [key.kid for key in world.made()[:3]] == ["gone", "lost", "now"]
    assert world.mistakes() == []


def test_a_flow_layout_stays_one(world: World) -> None:
    fields = {"kid": "now", "alg": "ES256", "jwk": public_jwk(ec_key(0)), "signs": {"from": "X"}}
    text = f"{{version: 1, generated_keys: [{flow(fields)}]}}\n".replace("from: X", f"from: {at(SINCE)}")
    world.tenant("acme", text.replace("signs: ", f"publish: {{from: {at(SINCE - LEAD)}}}, signs: "))
    world.done("rotate", "acme")
    assert world.text().startswith('{version: 1, generated_keys: [{"kid": "now", ')
    assert world.text().count("\n") == 1
    old, new = world.made()
    assert (old.window.signs_until, new.window.signs_from) == (NOW + LEAD, NOW + LEAD)
    assert world.mistakes() == []


def test_json_stays_json(world: World) -> None:
    entry = {"kid": "now", "alg": "ES256", "jwk": public_jwk(ec_key(0))}
    text = f'{{"version": 1, "generated_keys": [{flow(entry)}]}}'
    world.tenant("acme", text)
    world.done("rotate", "acme")
    assert len(world.made()) == 2
    assert world.mistakes() == []
    assert load(world.file().read_bytes(), "").diagnostics == ()


def test_a_layout_that_cannot_be_kept_is_written_anew_below_its_first_comments(world: World) -> None:
    entry = f"{{kid: now, # odd\n  alg: ES256, jwk: {flow(public_jwk(ec_key(0)))}}}"
    world.tenant("acme", f"# Mine.\nversion: 1\ngenerated_keys:\n  - {entry}\n")
    world.done("rotate", "acme")
    assert world.text().startswith("# Mine.\nversion: 1\ngenerated_keys:\n  - kid: now\n    alg: ES256\n")
    assert world.mistakes() == []


def test_an_empty_list_is_filled_and_no_file_is_made_with_a_line_for_people(world: World) -> None:
    world.tenant("acme", "version: 1\ngenerated_keys: []  # none yet\n")
    world.tenant("globex")
    world.done("rotate", "acme")
    world.done("rotate", "globex")
    assert world.text().startswith("version: 1\ngenerated_keys:  # none yet\n  - kid: ")
    assert world.text("globex").startswith(
        "# Written by the platform. People change keyset.yaml beside it.\nversion: 1\n"
    )
    assert read(world.file("globex").read_bytes()).entries[0]["kid"] == world.made("globex")[0].kid
    assert kid(0) not in world.text()


def test_the_files_mode_stays(world: World) -> None:
    world.tenant("acme", unlimited(MESSY))
    world.file().chmod(0o640)
    world.done("rotate", "acme")
    assert world.file().stat().st_mode & 0o7777 == 0o640
