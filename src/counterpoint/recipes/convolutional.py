"""Still images by convolutional auto-encoders."""

from counterpoint.bounds import ELBO
from counterpoint.estimators import Pathwise
from counterpoint.inference import ConvolutionalConfig
from counterpoint.models import ConvVAEConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

RECIPES = [
    Recipe(
        name="mnist-vae-conv",
        about="VAE of one layer with convolutional networks (no published number)",
        data="mnist",
        p=ConvVAEConfig(),
        q=ConvolutionalConfig(),
        bound=ELBO(),
        estimator=Pathwise(),
        fit=FitConfig(
            epochs=100,
            batch_size=100,
            buckets=1,
            patience=15,
            optimiser=OptimiserConfig(p=1e-3, schedule="exponential", floor=0.1, clip=0.0),
        ),
        particles=0,
    )
]
