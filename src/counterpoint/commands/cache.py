"""Compiled programs outlive a command: a second run of a recipe compiles next to nothing."""


def keep_compiled() -> None:
    """Point JAX's compilation cache at the user's cache folder, unless the user has pointed it elsewhere."""
    import jax
    from platformdirs import user_cache_path

    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        jax.config.update("jax_compilation_cache_dir", str(user_cache_path("counterpoint") / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
