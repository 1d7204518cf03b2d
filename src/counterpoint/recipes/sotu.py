"""State of the Union addresses: table 4 of Gan et al. 2015."""

from dataclasses import replace

from counterpoint.inference import TSBNRecognitionConfig
from counterpoint.models import TSBNConfig
from counterpoint.recipes.gan import network, regression
from counterpoint.training import FitConfig, OptimiserConfig

FIT = FitConfig(epochs=5000, patience=40, validate=25, buckets=1, batch_size=1, optimiser=OptimiserConfig(p=1e-3))

ALONE = "The baseline without latent variables: softmax regression on the words of the year before"
RECIPES = [
    regression("sotu-ar", ALONE, "sotu", replace(FIT, validate=1), particles=0),  # overfits within 25 epochs
    *(
        network(
            f"sotu-{name}",
            about,
            "sotu",
            TSBNConfig(units=units, sees=False),
            TSBNRecognitionConfig(),
            FIT,
            particles=0,
        )
        for name, units, about in (
            ("hmsbn", (25,), "HMSBN of 25 units over the words of each year (MP .327, PP .353)"),
            ("dhmsbn-s", (25, 25), "two layers of 25 units (MP .299, PP .378)"),
        )
    ),
]
