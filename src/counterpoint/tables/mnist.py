"""Still images: Burda et al. 2015, sigmoid belief networks by NVIL, VIMCO and reweighted wake-sleep, denoising."""

from counterpoint.tables.table import Column, Row, Table

UNIT = "nats, higher is better"
QUOTED, GAN = "Burda et al. 2015, as others quote it", "Gan et al. 2015 (AISTATS), a bound"
NVIL = "Mnih and Gregor 2014, as Gan et al. 2015 (AISTATS) quote it, a bound"
AIS = "as Gan et al. 2015 (AISTATS) quote it, a bound by an estimate of Z"
AGAIN = "run by Gu et al. 2016, as others quote it, a bound"
WINDOWS = "as Goodfellow et al. 2014 quote it"
CORPORA = ("mnist", "mnist-fixed", "omniglot", "caltech")


def encoder(title: str, kind: str, published: float | None = None) -> Row:
    """An auto-encoder, on every corpus."""
    recipes = {name: f"{name}-{kind}" for name in CORPORA} | {"units": f"mnist-{kind}"}
    return Row(title, recipes, {} if published is None else {"mnist": published}, "" if published is None else QUOTED)


def network(depth: int, name: str, estimator: str, published: float | None = None, source: str = "") -> Row:
    """A sigmoid belief network of `depth` layers of 200 units."""
    kind = f"sbn{depth if depth > 1 else ''}-{name}"
    recipes = {name: f"{name}-{kind}" for name in CORPORA}
    known = {} if published is None else {"mnist-fixed": published}
    return Row(f"SBN {'-'.join(['200'] * depth)}, {estimator}", recipes, known, source)


def machine(title: str, recipe: str, measure: str, published: float | None = None) -> Row:
    """A Boltzmann machine, on the digits that are drawn once."""
    known = {} if published is None else {"mnist-fixed": published}
    return Row(title, {"mnist-fixed": recipe}, known, "" if published is None else AIS, {"mnist-fixed": measure})


TABLE = Table(
    name="mnist",
    title="Still images",
    about="""\
Log-likelihood of the test images in nats, estimated by 5000 importance samples from q: log (1/5000) sum_k p(x, z_k) /
q(z_k | x), on average a lower bound. Each repeat is the one that was best on the validation set by the bound it was
trained on.

MNIST comes in two binarisations, which differ by about 2 nats: from the grey values, anew at every step of training and
once for the test set (Burda et al.), and drawn once for all (Larochelle and Murray 2011: the belief networks). The last
10000 of the training digits validate; Burda et al. train on them. Their OMNIGLOT is a file of its own that cannot be
had; ours is shrunk and split otherwise. Silhouettes of Caltech 101 have the published split. A unit is active where the
variance over test images of its mean given x is above 0.01 (Burda et al.); units of both layers count.

RBM, DBN and DBM have a Z. That of the RBM is bounded by chains that warm up from each image, so that its number is on
average too small; those of DBN and DBM are bounds in which an estimate stands for Z, which flatters, as in the papers.

Published numbers of belief networks are variational bounds, which are lower than a log-likelihood by 5000 samples. Left
out is what could be read in no source (IWAE of one layer, of two layers all but IWAE-50, OMNIGLOT, reweighted
wake-sleep) and what re-runs by others tell: VIMCO-5 of three layers at -91.33, where the paper is said to have -93.6
(the code y0ast/VIMCO), NVIL of one layer and two at -113.5 and -99.7 (Gu et al. 2016, as others quote it).

Denoising auto-encoders and generative stochastic networks have no likelihood that could be computed: what is known of
them is the mean log-density of the grey test digits under Gaussian windows around 10000 samples, of the width that
suits the validation set best. It ranks models seldom as a likelihood does, and it is no log-probability of an image.
Our samples are means of p(x | z), z from the end of a chain of 200 moves of its own; the published ones follow each
other along one chain.""",
    columns=(
        Column("mnist", "MNIST, drawn anew", UNIT, "log_likelihood"),
        Column("units", "active units there", "of 50, or of 100 and 50", "active_units", 0),
        Column("mnist-fixed", "MNIST, drawn once", UNIT, "log_likelihood"),
        Column("omniglot", "OMNIGLOT, ours", UNIT, "log_likelihood"),
        Column("caltech", "Caltech 101 silhouettes", UNIT, "log_likelihood"),
        Column("parzen", "MNIST, grey, Parzen windows", "nats of a density, higher is better", "parzen", 0),
    ),
    rows=(
        encoder("VAE, one layer", "vae", -86.76),
        encoder("VAE, one layer, 5 samples", "vae-5"),
        encoder("VAE, one layer, 50 samples", "vae-50"),
        encoder("IWAE-5, one layer", "iwae-5"),
        encoder("IWAE-50, one layer", "iwae-50"),
        encoder("VAE, two layers", "vae2"),
        encoder("VAE, two layers, 5 samples", "vae2-5"),
        encoder("VAE, two layers, 50 samples", "vae2-50"),
        encoder("IWAE-5, two layers", "iwae2-5"),
        encoder("IWAE-50, two layers", "iwae2-50", -82.90),
        network(1, "nvil", "NVIL", -113.1, NVIL),
        network(1, "vimco", "VIMCO-5"),
        network(1, "rws", "RWS-5"),
        network(2, "nvil", "NVIL", -99.8, NVIL),
        network(2, "vimco", "VIMCO-5"),
        network(2, "rws", "RWS-5"),
        network(3, "nvil", "NVIL", -97.5, AGAIN),
        network(3, "vimco", "VIMCO-5"),
        network(3, "rws", "RWS-5"),
        machine("RBM 500, persistent chains, from below", "mnist-rbm", "annealed_per_sequence"),
        machine("DBN 500-784, ours; 500-2000, published", "mnist-dbn", "elbo_per_sequence", -86.22),
        machine("DBM 500-1000", "mnist-dbm", "elbo_per_sequence", -84.62),
        Row(
            "Diffusion, binomial chain of 40 steps, a bound",
            {"mnist": "mnist-diffusion"},
            measures={"mnist": "elbo_per_sequence"},
        ),
        Row("Denoising auto-encoder 2000, walkback 5", {"parzen": "mnist-dae"}),
        Row(
            "GSN 1500-1500, walkback 4",
            {"parzen": "mnist-gsn"},
            {"parzen": (214, 1.1)},
            f"Bengio et al. 2014, {WINDOWS}",
        ),
        Row(
            "Stacked contractive auto-encoder",
            published={"parzen": (121, 1.6)},
            source=f"Bengio et al. 2013, {WINDOWS}",
        ),
        Row("Deep belief network", published={"parzen": (138, 2)}, source=f"Bengio et al. 2013, {WINDOWS}"),
        Row("Generative adversarial network", published={"parzen": (225, 2)}, source="Goodfellow et al. 2014"),
        Row("SBN 200, variational Bayes", published={"mnist-fixed": -116.96, "caltech": -136.84}, source=GAN),
        Row("SBN.multi 200, as Gan et al. name it", published={"mnist-fixed": -113.02}, source=GAN),
        Row("SBN.multi 200-200, as Gan et al. name it", published={"mnist-fixed": -110.74}, source=GAN),
        Row("SBN 200-200", published={"caltech": -125.60}, source=GAN),
        Row(
            "Independent pixels",
            {name: f"{name}-vae" for name in CORPORA},
            measures=dict.fromkeys(CORPORA, "marginal_per_sequence"),
        ),
    ),
)
