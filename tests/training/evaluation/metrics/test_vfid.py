from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.training.evaluation.metrics.vfid import frechet_distance

Array = NDArray[np.float64]


def whitened(count: int, size: int, seed: int) -> Array:
    """Return samples whose mean is exactly 0 and whose covariance is exactly the identity."""
    samples = np.random.default_rng(seed).normal(size=(count, size))
    samples -= samples.mean(axis=0)
    return np.asarray(samples @ np.linalg.inv(np.linalg.cholesky(np.cov(samples, rowvar=False))).T)


def test_gaussians_with_diagonal_covariances() -> None:
    """The distance of N(m, diag(a^2)) and N(n, diag(b^2)) is |m - n|^2 + |a - b|^2."""
    a, b = np.array([1.0, 2.0, 0.5]), np.array([3.0, 1.0, 0.5])
    m, n = np.array([0.0, 1.0, -2.0]), np.array([2.0, 1.0, 1.0])
    originals, results = whitened(20, 3, 0) * a + m, whitened(9, 3, 1) * b + n
    expected = np.sum((m - n) ** 2) + np.sum((a - b) ** 2)
    assert frechet_distance(originals, results) == pytest.approx(expected, abs=1e-10)


def test_it_is_the_formula_with_the_root_of_a_matrix() -> None:
    rng = np.random.default_rng(2)
    originals, results = rng.normal(size=(60, 8)) @ rng.normal(size=(8, 8)), rng.normal(size=(40, 8)) + 0.3
    s1, s2 = np.cov(originals, rowvar=False), np.cov(results, rowvar=False)
    values, vectors = np.linalg.eig(s1 @ s2)
    root = np.real(vectors @ np.diag(np.sqrt(values)) @ np.linalg.inv(vectors))
    np.testing.assert_allclose(root @ root, s1 @ s2, atol=1e-8)
    distance = np.sum((originals.mean(0) - results.mean(0)) ** 2) + np.trace(s1 + s2 - 2 * root)
    assert frechet_distance(originals, results) == pytest.approx(distance, rel=1e-9)


def test_few_clips_with_many_features() -> None:
    originals = np.random.default_rng(3).normal(size=(5, 1024))
    assert frechet_distance(originals, originals) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(originals, originals + 0.5) == pytest.approx(256.0)
    assert math.isnan(frechet_distance(originals[:1], originals))


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 3.0))
def test_it_is_symmetric_and_never_negative(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(6, 4)), scale * rng.normal(size=(7, 4))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), abs=1e-9)
    assert frechet_distance(a, b) >= 0
