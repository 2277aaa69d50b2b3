"""The wheel is the whole program: it runs without the checkout, with the templates of site/."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from program import environment
from repos import Repo
from signing import keyset, make_signer

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("jwks_publisher-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "content")
    return folder / "content"


def test_it_holds_the_package_and_the_templates_and_nothing_else(unpacked: Path) -> None:
    assert {path.name.partition("-")[0] for path in unpacked.iterdir()} == {"publisher", "jwks_publisher"}
    templates = {path.name for path in (ROOT / "site").iterdir()}
    assert {path.name for path in (unpacked / "publisher/site").iterdir()} == templates


def test_it_builds_documents_and_the_overview_with_hostile_text_escaped(unpacked: Path, tmp_path: Path) -> None:
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", "version: 1\n")
    entry = make_signer("KID").entry().replace("kid: KID", "kid: \"<script>alert('x')</script>\"")
    made.write("keysets/acme/keyset.yaml", keyset("acme", ["login.acme.example"], entry))
    made.commit()
    command = [sys.executable, "-P", "-m", "publisher", "build", "--out", str(tmp_path / "out"), "--index"]
    settings = environment(PYTHONPATH=str(unpacked))
    done = subprocess.run(command, cwd=made.path, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out/index.html").read_text()
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    assert "<script" not in page
    assert 'href="login.acme.example/.well-known/jwks.json"' in page
