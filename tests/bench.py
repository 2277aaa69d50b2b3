"""`make bench`: check and compile of many tenants, cold, from Git, against parsing the same files alone.

Both run here, in turn, on one machine, so that the ratio holds where seconds do not. The whole command is charged: its
start, git's own CPU, every rule, compiling every document. The parser is charged for nothing but its calls.
"""

import argparse
import itertools
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from publisher.git import open_revision
from publisher.jwk import encode, encode_integer
from publisher.source import Folder
from publisher.weakness import FERMAT_ROUNDS

TENANTS, KEYS = 20_000, 7
RATIO, PEAK_MB, BYTES_A_KEY = 3.0, 300, 200


def main() -> None:
    """Make the repositories, measure, print; exit code 1 where a bound does not hold."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tenants", type=int, default=TENANTS)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--build", type=Path, default=Path("build/bench"), help="where the repositories are kept")
    arguments.add_argument("--parse", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.parse:
        print(_parse(options.parse))
        return
    few = options.tenants // 4
    large, small = (_repository(options.build / f"{number}", number) for number in (options.tenants, few))
    pairs = []
    for number in range(options.rounds):
        parse, (check, _) = _parse_alone(large), _check(large)
        pairs.append((parse, check))
        print(
            f"round {number + 1}: parse {parse:.2f} s CPU, check + compile {check:.2f} s CPU, ratio {check / parse:.2f}"
        )
    ratio = statistics.median(check / parse for parse, check in pairs)
    (_, peak), (_, peak_small) = _check(large), _check(small)
    grown = (peak - peak_small) * 1024 / ((options.tenants - few) * KEYS)
    print(f"{options.tenants} tenants of {KEYS} keys (3 RSA-2048, 2 P-256, 1 P-384, 1 Ed25519), two files each")
    print(f"every rule on, Fermat at {FERMAT_ROUNDS} rounds, no verdict kept")
    print(f"ratio (median of {options.rounds} rounds): {ratio:.2f}, bound {RATIO}")
    print(f"peak memory: {peak / 1024:.0f} MB, bound {PEAK_MB} MB")
    print(f"growth from {few} tenants on: {grown:.0f} bytes a key, bound {BYTES_A_KEY}")
    sys.exit(ratio > RATIO or peak / 1024 > PEAK_MB or grown > BYTES_A_KEY)


def _parse_alone(repository: Path) -> float:
    """CPU seconds of PyYAML's C loader on every file, in a process of its own."""
    command = [sys.executable, __file__, "--parse", str(repository)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _parse(repository: Path) -> float:
    spent = 0.0
    for folder in open_revision(repository, "keysets", "HEAD").folders():
        if isinstance(folder, Folder):
            files = [file.data for file in folder.files.values()]
            start = time.process_time()
            for data in files:
                yaml.load(data, Loader=yaml.CSafeLoader)
            spent += time.process_time() - start
    return spent


def _check(repository: Path) -> tuple[float, int]:
    """CPU seconds of the whole command with its children, and the peak of its resident memory in KiB."""
    command = [sys.executable, "-m", "publisher", "check", "--rev", "HEAD", "--jobs", "1", "--repo", str(repository)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit("check found mistakes in the generated tenants; run it by hand in build/bench")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def _repository(path: Path, tenants: int) -> Path:
    """A repository of generated tenants; kept for the next run, as making it takes longer than measuring."""
    if (path / "complete").exists():
        return path
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    importer = subprocess.Popen(["git", "-C", str(path), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert importer.stdin is not None
    branch = subprocess.run(
        ["git", "-C", str(path), "symbolic-ref", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    importer.stdin.write(f"commit {branch}\ncommitter bench <bench@example.org> 0 +0000\ndata 0\n".encode())
    for name, data in itertools.chain([("keysets/policy.yaml", "version: 1\n")], _files(tenants)):
        importer.stdin.write(f"M 100644 inline {name}\ndata {len(data)}\n{data}\n".encode())
    importer.stdin.close()
    if importer.wait() != 0:
        sys.exit("git fast-import failed")
    (path / "complete").touch()
    return path


def _files(tenants: int) -> Iterator[tuple[str, str]]:
    moduli = _moduli(3 * tenants)
    for number in range(tenants):
        name = f"tenant-{number:06}"
        custom = [_rsa(next(moduli)), _ec("P-256"), _ec("P-384")]
        generated = [_rsa(next(moduli)), _rsa(next(moduli)), _ec("P-256"), _ed25519()]
        yield f"keysets/{name}/generated.yaml", "version: 1\ngenerated_keys:\n" + _entries(generated, "generated")
        yield (
            f"keysets/{name}/keyset.yaml",
            f"version: 1\ntenant: {name}\nplan: enterprise\n"
            f"domains:\n  - login.{name}.example\n  - auth.{name}.example\n"
            "custom_keys:\n" + _entries(custom, "custom"),
        )


def _entries(keys: list[tuple[str, dict[str, str]]], kind: str) -> str:
    text = ""
    for number, (alg, jwk) in enumerate(keys):
        year = 2026 + number
        text += f"  - kid: {kind}-{number}\n    alg: {alg}\n    jwk:\n"
        text += "".join(f"      {member}: {value}\n" for member, value in jwk.items())
        ends = number + 1 < len(keys)  # the last one signs on
        gone, last = (
            (f", until: {year + 2}-01-01T00:00:00Z", f", until: {year + 1}-12-01T00:00:00Z") if ends else ("", "")
        )
        text += f"    publish: {{from: {year}-01-01T00:00:00Z{gone}}}\n"
        text += f"    signs: {{from: {year}-02-01T00:00:00Z{last}}}\n"
    return text


def _moduli(number: int) -> Iterator[int]:
    """Moduli of 2048 bits, each the product of two primes: all pairs of few primes, as a key pair takes 50 ms."""
    primes: list[int] = []
    while len(primes) * (len(primes) - 1) // 2 < number:
        numbers = rsa.generate_private_key(65537, 2048).private_numbers()
        primes += [numbers.p, numbers.q]
    pairs = list(itertools.combinations(primes, 2))
    random.shuffle(pairs)
    return (p * q for p, q in pairs)


def _rsa(modulus: int) -> tuple[str, dict[str, str]]:
    return "RS256", {"kty": "RSA", "n": encode_integer(modulus), "e": "AQAB"}


def _ec(crv: str) -> tuple[str, dict[str, str]]:
    curve, alg, width = (ec.SECP256R1(), "ES256", 32) if crv == "P-256" else (ec.SECP384R1(), "ES384", 48)
    point = ec.generate_private_key(curve).public_key().public_numbers()
    x, y = (encode(one.to_bytes(width, "big")) for one in (point.x, point.y))
    return alg, {"kty": "EC", "crv": crv, "x": x, "y": y}


def _ed25519() -> tuple[str, dict[str, str]]:
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "EdDSA", {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}


if __name__ == "__main__":
    main()
