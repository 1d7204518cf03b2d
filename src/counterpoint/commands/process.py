"""What a command asks of its process before it computes."""

import ctypes
import sys

# numbers of mallopt, from glibc's malloc.h
TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8


def settle() -> None:
    """Compiled programs outlive the command, and memory that is let go stays with the process."""
    keep_compiled()
    keep_memory()


def keep_compiled() -> None:
    """Point JAX's compilation cache at the user's cache folder, unless the user has pointed it elsewhere: a second run
    of a recipe compiles next to nothing."""
    import jax
    from platformdirs import user_cache_path

    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        jax.config.update("jax_compilation_cache_dir", str(user_cache_path("counterpoint") / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def keep_memory() -> None:
    """Let glibc reuse what was freed. By itself it maps every large array anew, and the kernel clears its pages at
    their first touch, which takes longer than most passes over the array. One arena holds all, since others end at 64
    MB; compiling, which takes small pieces by many threads, is slower by a third for it. Elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1), (ARENA_MAX, 1)):
            set_option(option, value)
