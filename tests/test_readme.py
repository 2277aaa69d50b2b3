"""The README and the help texts say what is so: their commands are run, their options exist."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from program import environment, run
from repos import Repo
from s3server import S3Server
from signing import keyset, make_signer
from test_end_to_end import edge

from publisher.cli import cli
from publisher.refusals import HAZARDS
from publisher.rules import CATALOGUE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS: list[tuple[str, str, str]] = re.findall(r"(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)```", README, re.DOTALL)
CONTEXT = click.Context(cli, info_name="jwks-publisher")
COMMANDS = {name: cli.get_command(CONTEXT, name) for name in cli.list_commands(CONTEXT)}
SUBCOMMANDS = {
    f"{name} {below}": command
    for name, group in COMMANDS.items()
    if isinstance(group, click.Group)
    for below, command in group.commands.items()
}
EVERY = {**COMMANDS, **SUBCOMMANDS}


def _block(language: str, containing: str) -> str:
    return next(text for _, known, text in BLOCKS if known == language and containing in text)


def test_the_first_two_commands_are_publish_and_test() -> None:
    first = next(text for _, language, text in BLOCKS if language == "sh")
    assert first == "make publish\nmake test\n"
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+(?:-[a-z]+)*)\b", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("make ")]
    assert commands[0] == "make test"


def test_ones_own_key_sets_and_bucket_as_the_readme_says(tmp_path: Path, s3_server: S3Server) -> None:
    made = Repo(tmp_path / "own")
    for name, _, text in BLOCKS:
        if name:
            made.write(name, text)
    if shutil.which("openssl"):
        subprocess.run(["sh", "-c", _block("sh", "openssl")], cwd=made.path, check=True, capture_output=True)
    else:
        entry = make_signer("x").entry()
        made.write("keysets/initech/signing.pem", re.sub(r"(?m)^ +", "", entry[entry.index("-----") :]))
    s3_server.client().create_bucket(Bucket="my-bucket")
    for line in _block("sh", "jwks-publisher check").splitlines():
        if line.startswith("git "):
            made.commit("Add initech")
        elif "https://{domain}" in line:
            with edge("s3://my-bucket/jwks", made.path, **s3_server.settings) as base:
                assert run("verify", "--via", base, cwd=made.path).code == 0
        else:
            ran = run(*line.split()[1:], cwd=made.path, **s3_server.settings)
            assert ran.code == 0, ran


def test_the_example_of_a_key_is_valid(tmp_path: Path) -> None:
    made = Repo(tmp_path / "example")
    made.write("keysets/policy.yaml", "version: 1\n")
    signer = make_signer("acme-2026-01")
    fields = "\n".join(line for line in _block("yaml", "revoked:").splitlines() if not line.startswith("kid:"))
    made.write("keysets/acme/keyset.yaml", keyset("acme", ["login.acme.example"], signer.entry(fields)))
    ran = run("check", cwd=made.path)
    assert ran.code == 0, ran.out


def test_completion_works_as_the_readme_says(tmp_path: Path) -> None:
    name = "_JWKS_PUBLISHER_COMPLETE"
    assert name in _block("sh", "eval")
    ran = run(cwd=tmp_path, **{name: "bash_source"})
    assert "_jwks_publisher_completion" in ran.out
    words = {"COMP_WORDS": "jwks-publisher ver", "COMP_CWORD": "1", name: "bash_complete"}
    assert "verify" in run(cwd=tmp_path, **words).out


def test_the_table_of_commands_is_complete() -> None:
    table = README[README.index("## Commands") : README.index("Exit codes")]
    assert re.findall(r"^\| `([a-z-]+)", table, re.MULTILINE) == list(COMMANDS)


def test_every_option_and_identifier_in_the_readme_exists() -> None:
    known = {name for command in (cli, *EVERY.values()) if command for one in command.params for name in one.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) <= known
    for hazard in re.findall(r"`([a-z]+-[a-z]+)`: ", README):
        assert hazard in {**HAZARDS, **CATALOGUE}
    settings = {one.envvar for command in (cli, *EVERY.values()) if command for one in command.params}
    assert set(re.findall(r"JWKS_PUBLISHER_[A-Z]+(?=`)", README)) <= settings


@pytest.mark.parametrize("name", list(EVERY))
def test_help_describes_every_option_and_its_variable(name: str) -> None:
    command = EVERY[name]
    assert command is not None
    text = command.get_help(click.Context(command, info_name=name, parent=CONTEXT))
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in text
            # `revoke --now` is no instant.
            if parameter.opts[0] != "--json" and parameter.name != "at_once":
                expected = parameter.opts[0].removeprefix("--").upper().replace("-", "_")
                assert parameter.envvar == f"JWKS_PUBLISHER_{expected}"
    assert len(text.splitlines()) < 70


def test_help_names_the_exit_codes_and_every_command(tmp_path: Path) -> None:
    ran = run("--help", cwd=tmp_path)
    assert ran.code == 0
    assert "0 fine, 1 findings, 2 usage, 3 failure, 130 interrupted" in ran.out
    assert re.findall(r"^  ([a-z][a-z-]+) ", ran.out, re.MULTILINE) == list(COMMANDS)


def test_the_console_script_and_the_module_are_one_program(tmp_path: Path) -> None:
    script = ROOT / ".venv/bin/jwks-publisher"
    if not script.exists():
        script = Path(shutil.which("jwks-publisher") or "")
    done = subprocess.run([script, "--version"], cwd=tmp_path, env=environment(), capture_output=True, check=True)
    assert done.stdout.decode() == run("--version", cwd=tmp_path).out
