"""Whether every commit of a change is signed by someone whom the base revision allows to.

`git log` verifies, with ssh-keygen and gpg: one git process for all commits. It runs on the repository's objects alone,
from a Git folder of its own: so no configuration, replaced object or graft of the repository, and no configuration of
the user, has a say in the verdict. What %G? says is in git-log(1).
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from publisher.allowedsigners import AllowedSigners, allowed_signers, malformed
from publisher.commits import find_commit
from publisher.diagnostic import Rule, clean
from publisher.githistory import is_shallow
from publisher.gitprogram import Git
from publisher.objection import Objection
from publisher.sealedcommit import SealedCommit, sealed_commits
from publisher.source import Revision, SourceError

UNSIGNED = Rule(
    id="unsigned-commit",
    doc="With --require-signed-commits every commit of a change carries an SSH or OpenPGP signature, merges included: "
    "whoever may push to a branch can write any name as a commit's author.",
)
BAD_SIGNATURE = Rule(
    id="bad-commit-signature",
    doc="A commit's signature does not fit what it signs: the commit was changed after it was signed, or the signature "
    "was made for another purpose than git (SSH namespaces), or is damaged.",
)
UNKNOWN_SIGNER = Rule(
    id="unknown-signer",
    doc="A commit is signed by a key that the base revision's allowed_signers and allowed_signers.asc do not allow, or "
    "that has expired or was revoked by them. valid-after and valid-before of SSH keys count at the time that the "
    "commit itself tells, as with git: take a stolen key's line out.",
)
UNVERIFIED = Rule(
    id="unverified-signature",
    doc="A commit's signature cannot be verified here: it is of another sort than SSH and OpenPGP (X.509, or several "
    "at once), or the program that verifies it (ssh-keygen of OpenSSH 8.9 or newer, gpg) is not installed.",
)
RULES = (UNSIGNED, BAD_SIGNATURE, UNKNOWN_SIGNER, UNVERIFIED)

# No key but the allowed ones counts, so their trust is no question; no agent and no network for verifying.
_GPG_CONF: Final = "trust-model always\nno-autostart\ndisable-dirmngr\nno-auto-key-retrieve\n"
_CANNOT: Final = re.compile(
    r"No user exists for uid|usage:|nvalid (?:key )?option|nknown (?:key )?option", re.IGNORECASE
)


def unsigned(directory: Path, base: Revision, head: str, now: datetime) -> tuple[Objection, ...]:
    """What is wrong with the signatures of the commits that `head` has and `base` has not, the newest commit first.

    `base` is whose allowed signers count: the branch that the change goes to, as it is now. At `now` OpenPGP keys must
    not have expired. SourceError when the repository cannot be read, or is a shallow clone.
    """
    git = Git(directory=directory)
    tip = find_commit(git, head)
    if is_shallow(directory):
        message = "the clone is shallow, so not every commit of the change can be seen"
        raise SourceError(f"{message}: fetch the whole history (`git fetch --unshallow`, `fetch-depth: 0`)", usage=True)
    signers = allowed_signers(git, base)
    if not isinstance(signers, AllowedSigners):
        return signers
    with tempfile.TemporaryDirectory(prefix="signed-") as place:
        return tuple(_judged(git, Path(place), signers, base.commit.id, tip.id, now))


def _judged(git: Git, place: Path, signers: AllowedSigners, base: str, head: str, now: datetime) -> Iterator[Objection]:
    apart = _apart(git, place)
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    (place / "keys" / "gpg.conf").write_text(f"{_GPG_CONF}faked-system-time {moment}!\n")
    listed = apart.tell("-c", "core.commitGraph=false", "rev-list", "--topo-order", f"{base}..{head}", "--")
    commits = list(sealed_commits(apart, listed.decode().split()))
    ssh_keygen, gpg = shutil.which("ssh-keygen"), shutil.which("gpg")
    missing = {form for form, program in (("ssh", ssh_keygen), ("openpgp", gpg)) if program is None}
    if gpg is not None and signers.openpgp and any(commit.form == "openpgp" for commit in commits):
        fault = _import(gpg, place, signers.openpgp)
        if fault is not None:
            yield malformed(signers.openpgp_file, fault, "write what `gpg --armor --export ann@acme.example` prints")
            return
    (place / "allowed").write_bytes(signers.ssh)
    asked = [commit.id for commit in commits if commit.form in ("ssh", "openpgp") and commit.form not in missing]
    if ssh_keygen is not None and any(commit.form == "ssh" for commit in commits):
        _try(ssh_keygen, place)
    verdicts = _verdicts(apart, place, asked, ssh_keygen or "", gpg or "")
    for commit in commits:
        told = verdicts.get(commit.id)
        found = _unasked(commit) if told is None else _judgement(commit, told, signers)
        if found is not None:
            yield found


def _apart(git: Git, place: Path) -> Git:
    """A Git folder that holds nothing but the way to the repository's objects."""
    for name in ("git", "home", "keys"):
        (place / name).mkdir(mode=0o700)
    (place / "keys" / "common.conf").touch()
    objects = os.fsdecode(git.tell("rev-parse", "--git-path", "objects").removesuffix(b"\n"))
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place / "home"),
        "XDG_CONFIG_HOME": str(place / "home"),
        "GNUPGHOME": str(place / "keys"),
        "TMPDIR": str(place / "home"),
        "TZ": "UTC",  # allowed_signers may tell times without a zone
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_DIR": str(place / "git"),
    }
    form = git.tell("rev-parse", "--show-object-format").decode().strip()
    Git(directory=place, variables=variables).tell(
        "init", "--quiet", "--bare", "--template=", f"--object-format={form}"
    )
    more = os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
    if more is not None and "GIT_QUARANTINE_PATH" in os.environ:  # in a pre-receive hook, as `gitprogram` tells
        variables["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = more
    variables["GIT_OBJECT_DIRECTORY"] = str((git.directory / objects).resolve())
    return Git(directory=place, variables=variables)


def _import(gpg: str, place: Path, keys: bytes) -> str | None:
    """Let gpg know the keys; what is wrong with them."""
    home = {"HOME": str(place / "home"), "GNUPGHOME": str(place / "keys")}
    told = subprocess.run(
        [gpg, "--batch", "--quiet", "--no-tty", "--status-fd", "1", "--import"],
        input=keys,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        env={"PATH": os.environ.get("PATH", os.defpath), **home},
    )
    if told.returncode != 0 or b"IMPORT_OK" not in told.stdout or b"IMPORT_PROBLEM" in told.stdout:
        return "gpg cannot read every key in it"
    return None


def _try(ssh_keygen: str, place: Path) -> None:
    """SourceError where ssh-keygen can verify nothing: it is too old, or the system does not know who runs it."""
    asked = ("-Y", "find-principals", "-s", os.devnull, "-f", str(place / "allowed"), "-Overify-time=20260101000000")
    told = subprocess.run(
        [ssh_keygen, *asked], stdin=subprocess.DEVNULL, capture_output=True, check=False, env={"LC_ALL": "C"}
    )
    text = told.stderr.decode("utf-8", "replace").strip()
    if _CANNOT.search(text):
        message = f"ssh-keygen cannot verify signatures here ({clean(text.splitlines()[0])})"
        hint = "it is to be of OpenSSH 8.9 or newer, and run by a user that /etc/passwd knows"
        raise SourceError(f"{message}: {hint}", usage=False)


def _verdicts(git: Git, place: Path, names: list[str], ssh_keygen: str, gpg: str) -> Mapping[str, str]:
    """By commit, what %G? of git-log(1) says."""
    settings = {
        "gpg.ssh.allowedSignersFile": str(place / "allowed"),
        "gpg.ssh.program": ssh_keygen,
        "gpg.openpgp.program": gpg,
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    told: dict[str, str] = {}
    rest = names
    while rest:
        with git.started(*options, "log", "--no-walk=unsorted", "--stdin", "--format=%H %G?", asked=True) as running:
            running.write("".join(f"{name}\n" for name in rest).encode())  # git takes in all before it tells anything
            running.written()
            told |= dict(line.split(" ", 1) for line in running.out.read().decode().splitlines())
            code = running.wait()
            rest = [name for name in rest if name not in told]
            # ssh-keygen ends before it has read the commit where it cannot read the signature, and git dies of that.
            if code == -signal.SIGPIPE and rest:
                told[rest.pop(0)] = "B"
            elif code != 0 or rest:
                raise running.failure()
    return told


def _judgement(commit: SealedCommit, verdict: str, signers: AllowedSigners) -> Objection | None:
    """`verdict` is %G?: G good, U good by a key of unknown trust, B bad, E not checked; X, Y: expired, R: revoked.

    Of OpenPGP keys gpg knows the allowed ones alone, so U is as good as G; of SSH keys U is one that is not allowed.
    """
    file = signers.openpgp_file if commit.form == "openpgp" else signers.ssh_file
    if verdict == "G" or (verdict == "U" and commit.form == "openpgp"):
        return None
    if verdict in ("U", "E"):
        message = f"is signed by a key that {file} of the base revision does not allow at its time"
        hint = "sign it with an allowed key; or a platform owner allows this one first, in a change of its own"
        return _objection(commit, UNKNOWN_SIGNER, message, hint)
    if verdict in ("X", "Y", "R"):
        what = {"X": "by a signature that has expired", "Y": "by a key that has expired"}.get(verdict)
        message = f"is signed {what or 'by a key that was revoked'}, by {file} of the base revision"
        return _objection(commit, UNKNOWN_SIGNER, message, "sign it anew with a key that is valid")
    message = (
        "has a signature that does not fit: the commit was changed since, or the key is not for git (`namespaces`)"
    )
    return _objection(commit, BAD_SIGNATURE, message, _ANEW)


def _unasked(commit: SealedCommit) -> Objection | None:
    """What is said of a commit that git was not asked about."""
    match commit.form:
        case "none":
            return _objection(commit, UNSIGNED, "has no signature", _ANEW)
        case "ssh" | "openpgp":
            program = "ssh-keygen (openssh-client)" if commit.form == "ssh" else "gpg (gnupg)"
            message = f"cannot be verified: {program} is not installed"
            return _objection(commit, UNVERIFIED, message, "install it where this runs")
        case "x509":
            return _objection(commit, UNVERIFIED, "has an X.509 signature, which is not supported", _OTHER)
        case "several":
            return _objection(commit, UNVERIFIED, "has more than one signature", _OTHER)
        case "other":
            return _objection(commit, UNVERIFIED, "has a signature of no known form", _OTHER)


def _objection(commit: SealedCommit, rule: Rule, message: str, hint: str) -> Objection:
    about = f"commit {commit.id[:12]} (`{commit.subject}`, by {commit.author} as it says)"
    return Objection(rule=rule, about=commit.id, message=f"{about} {message}", hint=hint)


_ANEW: Final = "sign it (`git rebase --force-rebase --gpg-sign BASE` signs a whole branch anew), and push again"
_OTHER: Final = "sign it with an SSH or an OpenPGP key"
