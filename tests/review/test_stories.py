"""Reviews of changes in real repositories: what counts, since when, and what a publish will do with it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from against.world import ACME, COMING, GLOBEX, LOST, NOW, OLD, PARTNER, POLICY, ROOMY, SIGNS, generated, key, keyset

from publisher.keychange import Mints
from publisher.reviewhtml import page
from publisher.reviewjson import review_json
from publisher.reviewmarkdown import markdown
from publisher.reviewtext import lines as text_lines
from publisher.source import SourceError

from .stories import Story, dangers, lines, rules, tenant

ROTATED = keyset(SIGNS, OLD, COMING, LOST, PARTNER, key("new", 9, f"signs: {{from: {ROOMY}}}"))
DROPPED = keyset(OLD, COMING, LOST, PARTNER)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


# --- what is compared


def test_a_key_that_comes_in_tells_who_may_mint_tokens_where_and_from_when(story: Story) -> None:
    story.branch({"acme/keyset.yaml": ROTATED})
    review = story.review()
    acme = tenant(review)
    (change,) = acme.keys
    assert (change.what, change.shown.kid, change.shown.alg, change.shown.kind) == ("added", "new", "ES256", "P-256")
    assert change.gains == (Mints(domains=("a.acme.example", "b.acme.example"), start=NOW, until=None),)
    assert change.safe is not None
    assert change.safe.published == NOW
    assert change.safe.everywhere == NOW + timedelta(minutes=20)
    assert {domain for one in acme.documents for domain in one.domains} == {"a.acme.example", "b.acme.example"}
    assert all(one.after.keys == one.before.keys + 1 for one in acme.documents)
    assert (review.verdict, review.all_dangers, review.all_mistakes) == ("fine", (), ())


def test_nothing_is_told_of_a_comment_but_that_the_files_differ(story: Story) -> None:
    story.branch({"acme/keyset.yaml": f"# a comment\n{ACME}", "README": "text"})
    review = story.review()
    acme = tenant(review)
    assert (acme.keys, acme.documents, acme.settings, acme.dangers, acme.rank) == ((), (), (), (), 4)
    assert review.others == ("keysets/README",)
    assert "<h2>Files of no tenant</h2>" in page(review)
    assert review.verdict == "fine"


def test_what_came_to_the_base_since_is_not_taken_for_taken_back(story: Story) -> None:
    change = story.branch({"acme/keyset.yaml": ROTATED})
    tip = story.on("main", {"globex/keyset.yaml": GLOBEX.replace("domains: [", "domains: [login.globex.example, ")})
    review = story.review()
    assert [one.tenant for one in review.tenants] == ["acme"]
    assert (review.base.commit, review.head.commit) == (tip, change)
    assert story.repo.git("status", "--porcelain") == ""
    assert story.repo.git("rev-parse", "main", "change").split() == [tip, change]
    assert review.verdict == "fine"


def test_a_tenant_that_the_base_changed_as_well_is_told(story: Story) -> None:
    comment = {"acme/keyset.yaml": f"# a comment\n{ACME}", "globex/keyset.yaml": f"# a comment\n{GLOBEX}"}
    story.branch(comment)
    story.on("main", {"acme/keyset.yaml": f"# another\n{ACME.replace('domains: [', 'domains: [new.acme.example, ')}"})
    apart, note = story.review().notes
    assert apart.startswith("the change could not be merged here")
    assert note.startswith("`keysets/acme` differs in the base, too, since the change parted from it")


def test_a_change_that_parted_at_several_commits_hides_nothing(story: Story) -> None:
    with_new = story.commit({"acme/keyset.yaml": ROTATED})
    other = story.branch({"globex/keyset.yaml": f"# a comment\n{GLOBEX}"}, "other", with_new)
    story.branch({"acme/keyset.yaml": ACME}, "taken-back", with_new)
    story.repo.git("branch", "--force", "main", other)
    for branch, merged in (("main", "taken-back"), ("change", "other")):
        story.repo.git("switch", "--quiet", *(["--create", branch, "taken-back"] if branch == "change" else [branch]))
        story.repo.git("merge", "--quiet", "--no-ff", "--message", "Merge", merged)
    story.on("change", {"acme/keyset.yaml": ROTATED})
    with pytest.raises(SourceError, match=r"parted from [0-9a-f]{12} at several commits"):
        story.review()
    story.repo.git("merge", "--quiet", "--strategy", "ours", "--message", "Merge", "main")
    assert [one.shown.kid for one in tenant(story.review()).keys] == ["new"]


def test_tenants_come_and_go_and_one_that_moves_stays_one(story: Story) -> None:
    story.branch(
        {
            "globex/keyset.yaml": None,
            "eu/globex/keyset.yaml": GLOBEX,
            "acme/keyset.yaml": None,
            "acme/generated.yaml": None,
            "acme/partner.pem": None,
            "initech/keyset.yaml": keyset(key("first", 8), tenant="initech", domains="id.initech.example"),
        }
    )
    review = story.review()
    assert [(one.tenant, one.before, one.after) for one in sorted(review.tenants, key=lambda one: one.tenant)] == [
        ("acme", "keysets/acme", None),
        ("globex", "keysets/globex", "keysets/eu/globex"),
        ("initech", None, "keysets/initech"),
    ]
    assert ("drops-active-key", "a.acme.example", "signs") in dangers(review)
    assert tenant(review, "initech").documents[0].what == "added"
    (note,) = review.notes
    assert note.startswith("the tenant `globex` moves from `keysets/globex` to `keysets/eu/globex`, as it is")


def test_the_working_tree_is_compared_as_it_lies(story: Story) -> None:
    story.change({"acme/keyset.yaml": ROTATED, "initech/keyset.yaml": "version: 1\n"})
    review = story.review(None)
    assert review.head.commit is None
    assert [one.shown.kid for one in tenant(review).keys] == ["new"]
    assert "keysets/initech/keyset.yaml" in {one.path for one in review.all_mistakes}
    assert review.verdict == "refused"


def test_a_revocation_tells_for_how_long_the_key_may_yet_be_accepted(story: Story) -> None:
    struck = key("signs", 0, "revoked: {at: 2026-05-31T00:00:00Z, reason: stolen}")
    story.branch({"acme/keyset.yaml": keyset(struck, OLD, COMING, LOST, PARTNER)})
    review = story.review()
    revoked = next(one for one in tenant(review).keys if one.what == "revoked")
    assert revoked.exposure is not None
    assert revoked.exposure.purged == timedelta(minutes=5)
    assert review.verdict == "fine"


def test_what_was_wrong_with_the_files_of_a_changed_tenant_keeps_the_change_back(story: Story) -> None:
    story.commit({"acme/generated.yml": "", "globex/generated.yml": ""})
    story.branch({"acme/keyset.yaml": ROTATED})
    assert [(one.rule, one.path) for one in story.review().all_mistakes] == [
        ("misnamed-file", "keysets/acme/generated.yml")
    ]


def test_the_first_change_brings_the_folder_and_another_may_take_it_away(story: Story) -> None:
    repo = story.repo
    repo.git("switch", "--quiet", "--orphan", "empty")
    repo.write("README", "nothing yet")
    repo.commit()
    repo.git("switch", "--quiet", "--create", "first")
    repo.git("checkout", "--quiet", "main", "--", "keysets")
    repo.commit()
    review = story.review(head="first", base="empty")
    assert review.verdict == "fine"
    assert {(one.tenant, one.before is None) for one in review.tenants} == {("acme", True), ("globex", True)}
    assert {one.what for one in tenant(review).keys} == {"added"}
    repo.git("switch", "--quiet", "--create", "gone", "main")
    repo.git("rm", "-r", "--quiet", "keysets")
    repo.commit()
    review = story.review(head="gone")
    assert review.verdict == "refused"
    assert rules(review) == ["policy-missing"]
    assert {one.after for one in review.tenants} == {None}
    assert {rule for rule, *_ in dangers(review)} >= {"drops-active-key"}
    with pytest.raises(SourceError, match="there is no folder `keysets`"):
        story.review(head="empty", base="empty")


def test_what_comes_in_the_place_of_a_tenant_is_a_mistake(story: Story) -> None:
    story.branch({"globex/keyset.yaml": None})
    (story.repo.path / "keysets" / "globex").rmdir()
    story.repo.link("keysets/globex", "acme")
    story.repo.commit()
    assert rules(story.review()) == ["symlink"]


def test_a_key_that_comes_sooner_or_stays_longer_is_no_new_one(story: Story) -> None:
    sooner = ACME.replace("publish: {from: 2026-07-01T00:00:00Z}", "publish: {from: 2026-06-05T00:00:00Z}")
    story.branch({"acme/keyset.yaml": sooner.replace("until: 2026-08-01T00:00:00Z", "until: 2026-09-01T00:00:00Z")})
    coming, old = tenant(story.review()).keys
    (first,), (last,) = coming.gains, old.gains
    assert (first.start, first.until, first.meets) == (hours(96), hours(30 * 24), True)
    assert coming.safe is not None
    assert (last.start, last.until, last.meets) == (hours(61 * 24), hours(92 * 24), False)
    assert old.safe is None


def test_copies_from_before_the_change_have_the_old_cache_terms(story: Story) -> None:
    struck = key("signs", 0, "revoked: {at: 2026-05-31T00:00:00Z, reason: stolen}")
    changed = keyset(struck, OLD, COMING, LOST, PARTNER, key("new", 9, f"signs: {{from: {ROOMY}}}"))
    story.branch({"policy.yaml": POLICY.replace("max_age: 300", "max_age: 60"), "acme/keyset.yaml": changed})
    new, signs = (one for one in tenant(story.review()).keys if one.what in ("added", "revoked"))
    assert new.safe is not None
    assert new.safe.everywhere == NOW + timedelta(minutes=20)
    assert signs.exposure is not None
    assert signs.exposure.purged == timedelta(minutes=5)


def test_with_a_store_copies_of_terms_before_both_sides_count_as_well(story: Story) -> None:
    story.commit({"policy.yaml": POLICY.replace("max_age: 300", "max_age: 7200")})
    story.publish(now=NOW - timedelta(minutes=2))
    story.commit({"policy.yaml": POLICY})
    story.publish(now=NOW - timedelta(minutes=1))
    struck = key("signs", 0, "revoked: {at: 2026-05-31T00:00:00Z, reason: stolen}")
    changed = keyset(struck, OLD, COMING, LOST, PARTNER, key("new", 9, f"signs: {{from: {ROOMY}}}"))
    story.branch({"acme/keyset.yaml": changed})
    # Two hours at the CDN and two more at whoever asked that, from the last release on, which was a minute ago.
    for store, wait, longest in ((False, 20, timedelta(minutes=10)), (True, (24 + 4) * 60 - 1, timedelta(hours=4))):
        new, signs = (one for one in tenant(story.review(store=store)).keys if one.what in ("added", "revoked"))
        assert new.safe is not None
        assert signs.exposure is not None
        assert new.safe.everywhere - NOW == timedelta(minutes=wait)
        assert signs.exposure.caches == timedelta(days=1) + longest


def hours(number: int) -> datetime:
    return NOW + timedelta(hours=number)


# --- what a publish would meet, and waivers


def test_a_hazard_comes_with_the_line_that_waives_it_which_counts_once_it_is_in_the_base(story: Story) -> None:
    story.branch({"acme/keyset.yaml": DROPPED})
    first = story.review()
    assert first.verdict == "blocked"
    assert dangers(first) == [
        ("drops-active-key", "a.acme.example", "signs"),
        ("drops-active-key", "b.acme.example", "signs"),
    ]
    assert {one.hint.rpartition(", then ")[2] for one in first.all_dangers} == {"waive it"}
    waivers = lines(first.all_dangers)
    story.on("change", {"waivers.yaml": waivers})
    own = story.review()
    assert (own.verdict, own.platform) == ("blocked", ("keysets/waivers.yaml",))
    assert "waivers that this change brings do not count for it: they are merged first" in own.notes
    (brought,) = own.waivers
    assert (brought.what, brought.about) == ("added", "drops-active-key of acme, kid signs")
    assert "drops-active-key of acme, kid signs" in page(own)
    story.on("main", {"waivers.yaml": waivers})
    story.branch({"acme/keyset.yaml": DROPPED}, "again")
    waived = story.review("again")
    assert waived.verdict == "fine"
    assert {(one.waived, one.why) for one in waived.all_dangers} == {
        (True, "waived until 2026-06-08T00:00:00Z: say why")
    }
    assert story.review("again", now=NOW + timedelta(days=8)).verdict == "blocked"


def test_a_waiver_that_the_change_takes_out_or_ends_waives_nothing_in_it(story: Story) -> None:
    waivers = "version: 1\nwaivers:\n" + "".join(
        f"  - {{rule: {rule}, tenant: acme, kid: {kid}, until: 2026-06-08T00:00:00Z, reason: agreed}}\n"
        for rule, kid in (("drops-active-key", "signs"), ("drops-retiring-key", "old"))
    )
    story.commit({"waivers.yaml": waivers})
    dropped = keyset(COMING, LOST, PARTNER)
    story.branch({"acme/keyset.yaml": dropped})
    assert story.review().verdict == "fine"
    story.branch({"acme/keyset.yaml": dropped, "waivers.yaml": "version: 1\n"}, "out")
    assert {rule for rule, *_ in dangers(story.review("out"))} == {"drops-active-key", "drops-retiring-key"}
    ended = waivers.replace("kid: signs, until: 2026-06-08", "kid: signs, until: 2026-05-30")
    story.branch({"acme/keyset.yaml": dropped, "waivers.yaml": ended}, "ended")
    assert {rule for rule, *_ in dangers(story.review("ended"))} == {"drops-active-key"}
    assert [one.rule for one in story.review("ended").warnings] == ["waiver-expired"]


def test_a_new_policy_is_warned_of_as_check_does(story: Story) -> None:
    story.branch({"policy.yaml": f"{POLICY}rotation: {{lead: 13h}}\n"})
    review = story.review()
    assert [(one.rule, one.path) for one in review.warnings] == [("lead-under-a-day", "keysets/policy.yaml")]
    assert review.verdict == "fine"


def test_a_verifier_that_breaks_counts_as_named_though_the_change_names_it_no_more(story: Story) -> None:
    rsa = PARTNER.replace("    domains: [a.acme.example]\n", "")
    story.commit({"acme/generated.yaml": None, "acme/keyset.yaml": keyset(rsa, more="consumers: [aws-alb]\n")})
    story.branch({"acme/keyset.yaml": keyset(rsa, key("new", 9, f"signs: {{from: {ROOMY}}}"))})
    acme = tenant(story.review())
    assert acme.mistakes == ()
    assert [(one.consumer, one.kid) for one in acme.breaks if one.named] == [("aws-alb", "new")]


def test_a_revocation_that_leaves_a_document_empty_is_told_though_it_passes(story: Story) -> None:
    struck = key("theirs", 6, "revoked: {at: 2026-05-31T00:00:00Z, reason: stolen}")
    story.branch({"globex/keyset.yaml": keyset(struck, tenant="globex", domains="id.globex.example")})
    review = story.review()
    assert [(one.rule, one.domain, one.waived) for one in review.all_dangers] == [
        ("empty-set", "id.globex.example", True)
    ]
    assert review.verdict == "fine"


def test_what_the_base_cannot_publish_is_told_where_no_store_tells_what_is_served(story: Story) -> None:
    story.publish()
    story.commit({"acme/keyset.yaml": ACME.replace("plan: enterprise", "plan: gold")})
    story.branch({"acme/keyset.yaml": DROPPED})
    (note,) = story.review().notes
    assert note.startswith("mistakes of the base in `keysets/acme`: what is served there is not known")
    review = story.review(store=True)
    assert (review.notes, review.verdict) == ((), "blocked")


def test_with_a_store_hazards_go_by_what_is_published(story: Story) -> None:
    story.branch({"acme/keyset.yaml": DROPPED})
    review = story.review(store=True)
    assert (review.store, review.verdict) == (None, "blocked")
    assert "nothing was ever published to the store" in review.notes[0]
    story.publish()
    review = story.review(store=True)
    assert review.store == story.store
    assert dangers(review) == dangers(story.review())


def test_with_a_store_a_key_that_another_tenant_had_keeps_the_change_back(story: Story) -> None:
    story.publish()
    story.commit({"globex/keyset.yaml": keyset(key("next", 8), tenant="globex", domains="id.globex.example")})
    added = key("new", 6, f"signs: {{from: {ROOMY}}}")  # globex's of old
    story.branch({"acme/keyset.yaml": keyset(SIGNS, OLD, COMING, LOST, PARTNER, added)})
    review = story.review(store=True)
    assert (rules(review), review.verdict) == (["key-shared"], "refused")


def test_a_store_that_is_behind_or_ahead_is_no_hazard_of_the_change(story: Story) -> None:
    story.publish()
    story.branch({"acme/keyset.yaml": ROTATED})
    story.on("main", {"globex/keyset.yaml": GLOBEX.replace("domains: [", "domains: [login.globex.example, ")})
    story.publish()
    assert story.review(store=True).verdict == "fine"
    assert story.review(store=True, now=NOW - timedelta(days=1)).all_dangers == ()


# --- whose rules count


def test_what_only_a_policy_of_the_same_change_allows_is_refused(story: Story) -> None:
    plans = POLICY.replace("plans: {", "plans: {gold: {custom_keys: 10}, ")
    story.branch({"policy.yaml": plans, "acme/keyset.yaml": ACME.replace("plan: enterprise", "plan: gold")})
    review = story.review()
    assert rules(review) == ["plan-unknown"]
    story.on("main", {"policy.yaml": plans})
    assert story.review().verdict == "fine"


def test_a_policy_that_changes_is_told_setting_by_setting_and_by_whom_it_touches(story: Story) -> None:
    story.change({"initech/keyset.yaml": keyset(key("one", 8), tenant="initech", domains="id.initech.example")})
    starter = keyset(key("few", 7), tenant="umbrella", domains="id.umbrella.example").replace("enterprise", "starter")
    story.commit({"umbrella/keyset.yaml": starter})
    weaker = POLICY.replace("token_lifetime: 24h", "token_lifetime: 12h").replace("[RS256, PS256, ES256]", "[ES256]")
    story.branch({"policy.yaml": weaker.replace("cache: {max_age: 300", "cache: {max_age: 600")})
    review = story.review()
    assert review.policy is not None
    told = {one.field: (one.before, one.after, one.weaker) for one in review.policy.changes}
    assert told["token_lifetime"] == ("24 h", "12 h", True)
    assert told["cache.max_age"] == ("5 min", "10 min", True)
    assert told["algorithms"] == ("ES256, PS256, RS256", "ES256", False)
    assert review.policy.all_cached
    touched = {one.tenant: one for one in review.policy.touched}
    assert sorted(touched) == ["acme", "globex", "initech", "umbrella"]
    assert [one.rule for one in touched["acme"].mistakes] == ["algorithm-not-allowed"]
    times = {name: [(one.name, one.after) for one in touched[name].times] for name in ("globex", "umbrella")}
    assert times["globex"] == [("token_lifetime", "12 h"), ("rotation.alg", "ES256")]
    assert times["umbrella"] == [("rotation.alg", "ES256")]  # its plan has a lifetime of its own
    assert review.platform == ("keysets/policy.yaml",)


def test_a_policy_that_moves_canonical_domains_is_reviewed_tenant_by_tenant(story: Story) -> None:
    story.branch({"policy.yaml": POLICY.replace("{tenant}.idp.example", "{tenant}.keys.example")})
    review = story.review()
    assert [one.tenant for one in review.tenants] == ["acme"]  # globex has no generated key
    assert [one.what for one in tenant(review).documents] == ["removed", "added"]
    assert ("drops-active-key", "acme.idp.example", "made") in dangers(review)


def test_a_policy_with_mistakes_is_refused_and_the_base_judges(story: Story) -> None:
    story.branch({"policy.yaml": "version: 1\nplanz: {}\n", "acme/keyset.yaml": ROTATED})
    review = story.review()
    assert rules(review) == ["unknown-field"]
    assert tenant(review).mistakes == ()


# --- what a change may not do


def test_a_domain_is_not_taken_from_another_tenant_be_it_given_up_in_the_same_change(story: Story) -> None:
    taken = GLOBEX.replace("domains: [", "domains: [b.acme.example, ")
    story.branch({"acme/keyset.yaml": ACME.replace(", b.acme.example", ""), "globex/keyset.yaml": taken})
    review = story.review()
    assert [(one.rule, one.subject) for one in review.refusals] == [("domain-taken", "b.acme.example")]
    assert review.verdict == "refused"


def test_an_author_changes_only_the_tenants_that_are_theirs(story: Story) -> None:
    story.branch({"acme/keyset.yaml": ROTATED})
    assert story.review(may=("acme",)).verdict == "fine"
    (refusal,) = story.review(may=("globex",)).refusals
    assert (refusal.rule, refusal.subject) == ("outside-author", "keysets/acme/keyset.yaml")
    story.on("change", {"policy.yaml": POLICY + "# more\n"})
    story.repo.write(".github/workflows/check.yml", "on: push\n")
    story.repo.commit()
    told = [one.subject for one in story.review(may=("acme",)).refusals]
    assert told == [".github/workflows/check.yml", "keysets/policy.yaml"]


def test_commits_that_nobody_signed_are_refused_where_that_is_asked_for(story: Story) -> None:
    story.branch({"acme/keyset.yaml": ROTATED})
    assert story.review().verdict == "fine"
    review = story.review(signed=True)
    assert review.verdict == "refused"
    assert review.refusals


def test_a_key_that_was_revoked_once_never_comes_back(story: Story) -> None:
    story.branch({"acme/keyset.yaml": ACME.replace("    revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}\n", "")})
    assert rules(story.review()) == ["ledger-shortened"]


def test_a_removed_generated_key_is_refused(story: Story) -> None:
    story.branch({"acme/generated.yaml": generated(key("other", 8, f"signs: {{from: {ROOMY}}}"))})
    assert "generated-key-removed" in rules(story.review())


def test_a_name_stands_for_the_folder_that_the_base_has(story: Story) -> None:
    story.branch({"eu/acme/keyset.yaml": keyset(key("evil", 9), domains="id.evil.example")})
    review = story.review(may=("acme",))
    assert [(one.rule, one.subject) for one in review.refusals] == [("outside-author", "keysets/eu/acme/keyset.yaml")]
    assert rules(review) == ["tenant-twice"]


def test_what_a_change_makes_together_with_what_came_to_the_base_is_reviewed(story: Story) -> None:
    """Each by itself is fine: a new domain, claimed by one tenant here and by another one there."""
    story.branch({"globex/keyset.yaml": GLOBEX.replace("domains: [", "domains: [new.acme.example, ")})
    assert story.review().verdict == "fine"
    story.on("main", {"acme/keyset.yaml": ACME.replace("b.acme.example]", "b.acme.example, new.acme.example]")})
    review = story.review()
    assert review.verdict == "refused"
    assert rules(review) == ["domain-owner"]
    story.on("main", {"acme/keyset.yaml": ACME})
    assert story.review().verdict == "fine"


def test_two_changes_of_one_tenant_are_checked_as_they_will_stand_together(story: Story) -> None:
    story.branch({"acme/generated.yaml": generated(key("made", 5), key("second", 9, f"signs: {{from: {ROOMY}}}"))})
    story.on(
        "main", {"acme/keyset.yaml": keyset(OLD, COMING, LOST, PARTNER, SIGNS.replace("kid: signs", "kid: second"))}
    )
    assert "kid-twice" in rules(story.review())


def test_what_may_be_a_private_key_is_shown_in_no_format(story: Story) -> None:
    secret = "4dXrsLCrU44cEuXnS3kSfRt7mietsqkORFi9Bnau8xQ"
    named = GLOBEX.replace("plan: enterprise", f"plan: {secret}").replace("domains: [", f"domains: [{secret}.example, ")
    story.branch({"globex/keyset.yaml": named.replace("domains:", f"consumers: [{secret}]\ndomains:")})
    review = story.review()
    assert review.verdict == "refused"
    for shown in (markdown(review), page(review), str(review_json(review)), "".join(map(str, text_lines(review)))):
        assert secret not in shown
