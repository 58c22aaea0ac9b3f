"""A real data set: the particle flow on scikit-learn's handwritten digits, beside classifiers people use.

One digit against the rest, 8 x 8 pixels, logistic loss. ReLU neurons with a bias, trained by mini-batch SGD.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from mfcourse import checks
from mfcourse.flows import flow
from mfcourse.problems import from_data
from mfcourse.starts import sphere_start
from mfcourse.stochastic import begin, stochastic

EPOCHS, BATCH = 100, 50
STEP = 0.5  # with twice as much, some runs jump to where all neurons are silent, and stay there


def split(digit, seed):
    """(x_train, x_test, y_train, y_test): pixels in [0, 1], label 1 for the digit, -1 for the rest; 30 % for tests."""
    digit, seed = checks.count("digit", digit, 0, 9), checks.count("seed", seed, 0, 2**32 - 1)
    x, y = load_digits(return_X_y=True)
    labels = np.where(y == digit, 1.0, -1.0)
    return train_test_split(x / 16, labels, test_size=0.3, random_state=seed, stratify=labels)


def train(x, y, m, seed, epochs=EPOCHS):
    """(problem, Run): SGD on m ReLU particles with |w| = |theta| = 1 at the start, `epochs` times through the data."""
    m, seed, epochs = checks.count("m", m), checks.count("seed", seed, 0), checks.count("epochs", epochs, 0)
    problem = from_data(x, y, "relu", "logistic")
    start = sphere_start(m, np.random.default_rng([seed, m]), problem.risk.dimension, radius=1.0, weight=1.0)
    step = stochastic(problem, STEP, STEP, BATCH, seed)
    return problem, flow(problem, step, begin(*start), epochs * (len(x) // BATCH))


def accuracies(digit=8, m=200, seed=0):
    """Test accuracy of the particles, of scikit-learn's MLP of the same width, and of logistic regression."""
    x, x_test, y, y_test = split(digit, seed)
    problem, run = train(x, y, m, seed)
    prediction = problem.risk.features.on(x_test).push(*run.state[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs are what one gets without asking
        mlp = MLPClassifier((m,), random_state=seed).fit(x, y)
    linear = LogisticRegression(max_iter=10_000).fit(x, y)
    return {
        "digit": digit,
        "seed": seed,
        "m": m,
        "particles": float(np.mean(np.sign(prediction) == y_test)),
        "mlp": float(mlp.score(x_test, y_test)),
        "logistic_regression": float(linear.score(x_test, y_test)),
    }
