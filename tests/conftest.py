"""Strict settings for every test. Order matters: the environment, then jax, then the import hook."""

import os

# Two host devices, for the tests that one device equals two. Compilation dominates tests: without optimisation and with
# the older emitters it takes a third of the time, and as one piece, not 32, a fifth less. Read once, when jax starts.
os.environ["XLA_FLAGS"] = " ".join(
    (
        os.environ.get("XLA_FLAGS", ""),
        "--xla_force_host_platform_device_count=2",
        "--xla_backend_optimization_level=0",
        "--xla_cpu_use_fusion_emitters=false",
        "--xla_cpu_parallel_codegen_split_count=1",
    )
)
os.environ["MPLBACKEND"] = "Agg"

import gc
from pathlib import Path

import jax
import jaxtyping
import pytest

# Shapes and types of every call into the library are checked; must precede its first import.
jaxtyping.install_import_hook("counterpoint", "typechecker.check")

jax.config.update("jax_numpy_rank_promotion", "raise")
# Compiled programs outlive a run: a second run of the suite compiles next to nothing.
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parent.parent / ".pytest_cache" / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def pytest_collection_finish(session):
    """What was imported stays to the end, and tracing makes many objects: looked through as often as by default, they
    take a twelfth of the time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture
def x64():
    """float64 in this test."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def pytest_terminal_summary(terminalreporter):
    """Says how many tests saw real data: a clone without corpora passes, but shows less."""
    count = lambda *outcomes: sum(
        "corpus" in getattr(report, "keywords", {})
        for outcome in outcomes
        for report in terminalreporter.stats.get(outcome, [])
    )
    used, skipped = count("passed", "failed"), count("skipped")
    terminalreporter.write_line(f"corpora: {used} tests used real corpora, {skipped} skipped")


@pytest.fixture(autouse=True)
def _few_programs():
    """Every compiled program holds memory maps, of which Linux grants a process some 65,000: let go in time."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > 8_000:
        jax.clear_caches()
