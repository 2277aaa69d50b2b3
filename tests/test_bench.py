"""The benchmarks run: on few tenants, and without a word on their figures, which only a whole run can have."""

import subprocess
import sys
from pathlib import Path


def test_the_benchmark_prints_both_figures_and_the_ratio(tmp_path: Path) -> None:
    script = Path(__file__).parent / "bench.py"
    command = [sys.executable, str(script), "--tenants", "12", "--rounds", "1", "--build", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout
    assert "round 1: parse " in out
    assert "ratio (median of 1 rounds): " in out
    assert "peak memory: " in out
    assert "bytes a key" in out


def test_the_benchmark_of_a_change_prints_the_ratios(tmp_path: Path) -> None:
    script = Path(__file__).parent / "bench_review.py"
    command = [sys.executable, str(script), "--tenants", "3", "--rounds", "1", "--build", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout
    assert "check --changed: " in out
    assert "review: " in out
    assert "ms CPU of which " in out
    assert out.count(": ratio ") == 4
