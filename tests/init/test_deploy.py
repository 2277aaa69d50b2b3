"""The CronJobs and the systemd units: their command lines are run, in a clone that they make themselves."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from repos import Repo
from s3server import S3Server

from .world import Runner

WANTED = "All is as the state says: 1 tenant, 1 domain"


def _store(runner: Runner, origin: Repo, s3_server: S3Server) -> dict[str, str]:
    """Settings for a store in which something was published."""
    runner.settings |= s3_server.settings
    store = f"s3://{s3_server.make_bucket()}/jwks"
    done = runner.run(f"jwks-publisher publish --store {store}", origin.path)
    assert done.returncode == 0, done.stderr
    return {"JWKS_PUBLISHER_STORE": store, "JWKS_PUBLISHER_VIA": "", "JWKS_REPOSITORY": origin.path.as_uri()}


def test_the_cronjobs_publish_and_audit(runner: Runner, origin: Repo, s3_server: S3Server, tmp_path: Path) -> None:
    given = _store(runner, origin, s3_server)
    documents: list[Any] = list(yaml.safe_load_all((origin.path / "deploy/kubernetes/cronjob.yaml").read_text()))
    settings = next(one["data"] for one in documents if one["kind"] == "ConfigMap")
    assert set(settings) - set(given) == {"JWKS_PUBLISHER_CDN"}
    told = {}
    for one in (one for one in documents if one["kind"] == "CronJob"):
        (container,) = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        line = [part.replace("/data/", f"{tmp_path}/") for part in container["command"]]
        assert line[:4] == ["bash", "-euo", "pipefail", "-c"]
        done = runner.run(f"set -u\n{line[4]}", tmp_path, **{**settings, **given})
        assert done.returncode == 0, done.stderr
        told[one["metadata"]["name"]] = done.stdout
    assert "Nothing to change" in told["jwks-publish"]
    assert WANTED in told["jwks-audit"]


def _unit(origin: Repo, name: str) -> list[tuple[str, str]]:
    """The settings of a unit."""
    lines = (origin.path / "deploy/systemd" / name).read_text().splitlines()
    return [(line.partition("=")[0], line.partition("=")[2]) for line in lines if re.match(r"[A-Z]\w+=", line)]


@pytest.mark.chaos
def test_the_services_publish_and_audit(runner: Runner, origin: Repo, s3_server: S3Server, tmp_path: Path) -> None:
    given = _store(runner, origin, s3_server)
    text = (origin.path / "deploy/systemd/jwks-publisher.env").read_text()
    settings = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    for name, expected in (("jwks-publisher", "Nothing to change"), ("jwks-publisher-audit", WANTED)):
        unit = _unit(origin, f"{name}.service")
        assert ("EnvironmentFile", "/etc/jwks-publisher.env") in unit
        state = tmp_path / dict(unit)["StateDirectory"]
        assert dict(unit)["WorkingDirectory"] == f"/var/lib/{state.name}"
        state.mkdir()
        for _ in range(2):
            lines = [value for key, value in unit if key.startswith("ExecStart")]
            assert [line.split()[0] for line in lines] == [
                *["/usr/bin/git"] * 2,
                "/opt/jwks-publisher/bin/jwks-publisher",
            ]
            script = "\n".join(lines).replace("/opt/jwks-publisher/bin/", "")
            done = runner.run(script, state, **{**settings, **given})
            assert done.returncode == 0, done.stderr
        assert expected in done.stdout


def test_systemd_takes_the_units(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for path in (origin.path / "deploy/systemd").glob("*.*"):
        text = path.read_text().replace("/opt/jwks-publisher/bin/", f"{runner.bin}/")
        (tmp_path / path.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.glob("jwks*") if path.suffix in (".service", ".timer"))
    assert len(units) == 4
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "jwks" in line]
    assert told == [], done.stderr
    calendars = [value for unit in ("", "-audit") for key, value in _unit(origin, f"jwks-publisher{unit}.timer")]
    for calendar in (one for one in calendars if one.startswith("*:")):
        subprocess.run([analyze, "calendar", calendar], capture_output=True, check=True)
