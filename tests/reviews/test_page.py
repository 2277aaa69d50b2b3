"""The page loads nothing and runs nothing, says everything, and is what browsers take it for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from publisher.review import Review
from publisher.reviewhtml import page
from publisher.reviewsummary import advice, headline

from .hostile import HOSTILE
from .renderers import parsed, skeleton, visible
from .samples import blocked, fine, full, many
from .values import reworded

REVIEWS = {"fine": fine(), "blocked": blocked(), "many": many(25), "full": full()}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "ul", "li", "span", "br"),
    *("code", "pre", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.mark.parametrize("review", REVIEWS.values(), ids=REVIEWS)
def test_the_page_stands_alone(review: Review) -> None:
    document = parsed(page(review))
    assert {str(one.tag) for one in document.iter()} <= TAGS
    assert {name for one in document.iter() for name in one.attrib} <= {
        *("lang", "charset", "name", "content", "http-equiv", "class", "scope", "open")
    }
    policy = document.find("head/meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert policy.get("content") == "default-src 'none'; style-src 'unsafe-inline'"
    assert not re.search(r"url\(|@import", document.findtext("head/style") or "@import")


@pytest.mark.parametrize("review", REVIEWS.values(), ids=REVIEWS)
def test_the_page_says_everything(review: Review) -> None:
    text = visible(parsed(page(review)))
    assert headline(review) in text
    assert advice(review) in text
    for tenant in review.tenants:
        for key in tenant.keys:
            assert key.shown.thumbprint in text
        for danger in tenant.dangers:
            assert danger.message.replace("`", "") in text
        for mistake in tenant.mistakes:
            assert f"{mistake.path}:{mistake.line}:{mistake.column}" in text


def test_of_many_alike_one_is_shown_in_full_and_no_key_is_left_out() -> None:
    review = many(120)
    document = parsed(page(review))
    text = visible(document)
    assert "118 tenants alike, of which tenant-0000 is above in full" in text
    assert len(document.findall(".//details")) == 4
    assert all(key.shown.thumbprint in text for tenant in review.tenants for key in tenant.keys)


def test_what_takes_effect_when() -> None:
    rows = [
        [cell.strip() for cell in map(visible, row)] for row in parsed(page(fine())).findall(".//table[1]//tbody/tr")
    ]
    assert rows[:2] == [
        ["next publish", "may mint tokens", "acme: partner-2026"],
        ["2026-05-05T09:10:00Z", "safe to sign with, were it published now", "acme: partner-2026"],
    ]


@pytest.mark.browser
def test_a_browser_reads_it_so(tmp_path: Path) -> None:
    """Chromium's document, of a page with hostile text everywhere, is that of the parser that the tests go by."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "`make test-browser` installs it"
    count = iter(range(10**6))
    texts = [one for one in HOSTILE if one.isascii() and one.isprintable() and len(one) < 60]
    made = page(reworded(full(), lambda _: texts[next(count) % len(texts)]))
    (tmp_path / "review.html").write_text(made, encoding="utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    done = subprocess.run(
        [*command, "--dump-dom", f"file://{tmp_path}/review.html"], capture_output=True, check=True, timeout=120
    )
    assert skeleton(parsed(done.stdout.decode())) == skeleton(parsed(made))
