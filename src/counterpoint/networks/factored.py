"""A matrix that something else chooses, as a product of three."""

import equinox as eqx
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float


class Factored(eqx.Module):
    """W(y) = U diag(G y) V: each of F factors is a row of V, a column of U, and how much y asks for it
    (Memisevic and Hinton 2007; Taylor and Hinton 2009)

    left U (R, F), gate G (F, S), right V (F, C). `chosen(y)` has the gate G y (F,), and stands where a matrix (R, C)
    does in W @ x and z @ W.
    """

    left: Float[Array, "R F"]
    gate: Float[Array, "F *S"]
    right: Float[Array, "F C"]

    def chosen(self, y: Float[Array, " S"]) -> "Factored":
        """W(y)."""
        return Factored(self.left, self.gate @ y, self.right)

    @property
    def T(self) -> "Factored":
        return Factored(self.right.T, self.gate, self.left.T)

    def __matmul__(self, x: Float[Array, " C"]) -> Float[Array, " R"]:
        return self.left @ (self.gate * (self.right @ x))

    def __rmatmul__(self, z: Float[Array, " R"]) -> Float[Array, " C"]:
        return ((z @ self.left) * self.gate) @ self.right


def factored(key, scale: float, rows: int, factors: int, columns: int, styles: int) -> Factored:
    """Whose entries have about standard deviation `scale` whatever y, of sum 1, is."""
    of_left, of_gate, of_right = random.split(key, 3)
    each = (scale / factors**0.5) ** 0.5
    gate = 1 + 0.1 * random.normal(of_gate, (factors, styles))
    left, right = random.normal(of_left, (rows, factors)), random.normal(of_right, (factors, columns))
    return Factored(each * left, jnp.asarray(gate), each * right)
