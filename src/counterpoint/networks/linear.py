"""Linear layers."""

import equinox as eqx
from jax import Array, random
from jaxtyping import Float


class Linear(eqx.Module):
    """y = x W^T + b, for one x; weights and biases begin uniform in +-1 / sqrt(inputs).

    `equinox.nn.Linear` with the product written from the other side. Mapped over a batch it is rows times W^T, where
    W x would be W times columns, whose result has to be turned round before what follows can use it.
    """

    weight: Float[Array, "outputs inputs"]
    bias: Float[Array, " outputs"] | None

    def __init__(self, inputs: int, outputs: int, use_bias: bool = True, *, key):
        a, b = random.split(key)
        most = 1 / inputs**0.5 if inputs else 1.0
        begin = lambda key, *shape: random.uniform(key, shape, minval=-most, maxval=most)
        self.weight, self.bias = begin(a, outputs, inputs), begin(b, outputs) if use_bias else None

    def __call__(self, x, *, key=None):
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias
