"""Golden cases of strict YAML and of the kinds of fields."""

from .trees import Case, change

CASES = (
    Case(
        rule="yaml-encoding",
        add={"acme/generated.yaml": "version: 1\ngenerated_keys: []  # Schlüssel\n".encode("latin-1")},
        place="acme/generated.yaml:2:27",
        says="the file is not UTF-8; save it as UTF-8",
    ),
    Case(
        rule="yaml-encoding",
        edits=change("version: 1\ntenant: acme\n", "▸\ufeffversion: 1\ntenant: acme\n"),
        says="the file begins with a byte order mark; save it as UTF-8 without BOM",
    ),
    Case(
        rule="yaml-characters",
        edits=change("the laptop was stolen", "the laptop ▸\u202ewas stolen"),
        says="the character U+202E is not allowed; remove it, or write it as an escape in quotes",
    ),
    Case(
        rule="yaml-syntax",
        edits=change("  - auth.acme.example\n", " ▸- auth.acme.example\n"),
        says="not YAML: did not find expected key; check indentation, colons and quotes here",
    ),
    Case(
        rule="yaml-syntax",
        edits=change("tenant: acme", "tenant: ▸`acme`"),
        says="not YAML: found character that cannot start any token; check indentation, colons and quotes here",
    ),
    Case(
        rule="yaml-empty",
        add={"acme/generated.yaml": "▸# to come\n"},
        says="the file is empty; write at least `version: 1`",
    ),
    Case(
        rule="yaml-documents",
        edits=change("  - kid: gen-next", "▸---\n  - kid: gen-next", "acme/generated.yaml"),
        says="a second document begins here; keep one document a file",
    ),
    Case(
        rule="too-many-mistakes",
        add={"hooli/keyset.yaml": "▸version: 1\n" + "".join(f"field{number}: 1\n" for number in range(300))},
        says="there are more than 200 mistakes in this file; correct these first",
        also=("unknown-field",),
    ),
    Case(
        rule="yaml-alias",
        edits=change("domains: [login.acme.example]", "domains: ▸*main"),
        says="aliases are not allowed; write the value out",
    ),
    Case(
        rule="yaml-alias",
        edits=change("tenant: acme", "tenant: ▸&name acme"),
        says="anchors are not allowed; remove the `&name`",
    ),
    Case(
        rule="yaml-tag",
        edits=change("tenant: acme", "tenant: ▸!!python/object/apply:os.system [id]"),
        says="tags are not allowed; remove the `!tag`; quote what is text",
    ),
    Case(
        rule="yaml-depth",
        edits=change("  - auth.acme.example\n", "  - [[[[[[▸[deep]]]]]]]\n"),
        says="more than 8 levels of nesting; no field needs that; check the brackets",
        also=("wrong-type",),
    ),
    Case(
        rule="yaml-size",
        add={"acme/generated.yaml": "version: 1\ngenerated_keys: [" + "x, " * 19_995 + "▸x]\n"},
        says="the file holds more than 20,000 values; take out what is no key",
    ),
    Case(
        rule="yaml-duplicate-key",
        edits=change("plan: enterprise\n", "plan: enterprise\n▸plan: starter\n"),
        says="the field `plan` stands twice in one mapping; keep one of the two",
    ),
    Case(
        rule="yaml-key",
        edits=change("plan: enterprise\n", "plan: enterprise\n▸[plan]: starter\n"),
        says="a field's name must be text; write `name: value`",
    ),
    Case(
        rule="unknown-field",
        edits=change("    publish: {from: 2026-01-01", "    ▸pubish: {from: 2026-01-01"),
        says="`pubish` is not a field here; did you mean `publish`?",
    ),
    Case(
        rule="unknown-field",
        edits=change("    publish: {from: 2026-01-01T00:00:00Z, until:", "    publish: {▸to:"),
        says="`to` is not a field here; known here: from, until",
    ),
    Case(
        rule="missing-field",
        edits=change("at: 2026-05-01T00:00:00Z, ", ""),
        place="acme/keyset.yaml:41:14",
        says="`at` is missing; add `at:` (when the key was compromised)",
    ),
    Case(
        rule="missing-field",
        edits=change("plan: enterprise\n", "plan:▸\n"),
        says="there is no value; write a name",
    ),
    Case(
        rule="wrong-type",
        edits=change("  - login.acme.example\n  - auth.acme.example\n", "  ▸login.acme.example\n"),
        says="`login.acme.example` is not a list; write a list",
    ),
    Case(
        rule="wrong-type",
        edits=change("version: 1\ntenant: acme", 'version: ▸"1"\ntenant: acme'),
        says="`1` is text, as it is quoted; remove the quotes",
    ),
    Case(
        rule="implicit-type",
        edits=change("kid: own-rsa", "kid: ▸0123"),
        says='`0123` is not text to YAML readers; quote it: "0123"',
    ),
    Case(
        rule="bad-value",
        edits=change("version: 1\ntenant: acme", "version: ▸2\ntenant: acme"),
        says="2 is out of bounds; write 1",
    ),
    Case(
        rule="bad-value",
        edits=change("  - auth.acme.example\n", "  - auth.acme.example\n  - ▸login.acme.example\n"),
        says="`login.acme.example` is named twice; name it once",
    ),
    Case(
        rule="instant",
        edits=change("from: 2026-01-01T00:00:00Z", "from: ▸2026-01-01"),
        says="`2026-01-01` is not an instant with a time zone; write an instant as 2026-01-01T00:00:00Z",
    ),
    Case(
        rule="instant",
        edits=change("until: 2030-01-01T00:00:00Z", "until: ▸2030-02-30T00:00:00Z"),
        says="`2030-02-30T00:00:00Z` is no day of the calendar, or before 1970; "
        "write an instant as 2026-01-01T00:00:00Z",
    ),
    Case(
        rule="policy-algorithm",
        edits=change("algorithms: [", "algorithms: [▸HS256, ", "policy.yaml"),
        says="`HS256` would let every reader mint tokens; did you mean `RS256`?",
    ),
    Case(
        rule="policy-algorithm",
        edits=change("algorithms: [", "algorithms: [▸RSA, ", "policy.yaml"),
        says="`RSA` is not known; known here: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, "
        "EdDSA, Ed25519, Ed448",
    ),
    Case(
        rule="policy-canonical-domain",
        edits=change('"{tenant}.idp.example"', '▸"{name}.idp.example"', "policy.yaml"),
        says='`{name}.idp.example` is not a pattern for canonical domains; write it as "{tenant}.idp.example"',
    ),
)
