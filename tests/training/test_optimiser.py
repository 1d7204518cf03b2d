"""The paper's RMSprop, number by number."""

import jax.numpy as jnp
import numpy as np

from counterpoint.training import OptimiserConfig


def test_rmsprop_is_the_variant_of_the_paper():
    """n <- .95 n + .05 g^2, m <- .95 m + .05 g, step (g - 1e-4 w) / sqrt(n - m^2 + 1e-4), momentum .9 (ascent)."""
    rule = OptimiserConfig(name="rmsprop", p=1e-4, decay=1e-4, clip=0.0)._rule(1e-4, 10)
    w, state = jnp.array([0.5, -2.0]), None
    state = rule.init(w)
    want, n, m, v = np.array([0.5, -2.0]), 0.0, 0.0, 0.0
    for gradient in ([0.3, -1.0], [-0.2, 0.4], [2.0, 0.0]):
        ascent = np.array(gradient)
        n, m = 0.95 * n + 0.05 * ascent**2, 0.95 * m + 0.05 * ascent
        v = 0.9 * v + 1e-4 * (ascent - 1e-4 * want) / np.sqrt(n - m**2 + 1e-4)
        want = want + v
        updates, state = rule.update(-jnp.asarray(gradient), state, w)
        w = w + updates
        np.testing.assert_allclose(w, want, rtol=1e-6)
