"""Layers that choose, unit by unit, between carrying their input on and changing it."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.networks.linear import Linear


class Highway(eqx.Module):
    """y = g x' + (1 - g) elu(W x + b),  g = s(V x + c)      (Srivastava et al. 2015)

    x' is x, or P x where the number of units changes. All products with x are one, and `more` adds the shares of
    other inputs, which may have been computed before a scan.
    """

    products: Linear
    units: int = eqx.field(static=True)

    def __init__(self, inputs: int, units: int, *, key):
        self.products = Linear(inputs, (2 if inputs == units else 3) * units, key=key)
        self.units = units

    @property
    def size(self) -> int:
        """How many numbers `more` has."""
        return self.products.bias.size  # pyright: ignore[reportOptionalMemberAccess]

    def __call__(self, x: Float[Array, " inputs"], more: Float[Array, " size"] | None = None) -> Float[Array, " units"]:
        all_of_it = self.products(x) if more is None else self.products(x) + more
        gate, new, *carried = jnp.split(all_of_it, self.size // self.units)
        gate = jax.nn.sigmoid(gate)
        return gate * (carried[0] if carried else x) + (1 - gate) * jax.nn.elu(new)
