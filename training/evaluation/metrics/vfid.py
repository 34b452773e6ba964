"""VFID: how far the results' distribution of I3D features is from the originals'."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["frechet_distance"]

Features = NDArray[np.float64]


def frechet_distance(originals: Features, results: Features) -> float:
    """Return the squared Frechet distance of the two Gaussians that have the features' means and covariances.

    |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)) in float64, with the covariances of samples (n - 1). With S1 =
    A'A and S2 = B'B, the centred features divided by sqrt(n - 1), the eigenvalues of S1 S2 are the squared singular
    values of A B': the trace of the root is the sum of these singular values. It needs no root of a matrix that has
    hardly any rank (there are 1,024 features, and clips by the dozen), is never complex, and is 0 for equal sets.

    Args:
        originals: (n, d), a row for each clip.
        results: (m, d).

    Returns:
        The distance, 0 or more; nan with fewer than two rows on a side.
    """
    if min(len(originals), len(results)) < 2:
        return math.nan
    mean_a, mean_b = originals.mean(axis=0), results.mean(axis=0)
    a = (originals - mean_a) / math.sqrt(len(originals) - 1)
    b = (results - mean_b) / math.sqrt(len(results) - 1)
    root_trace = float(np.linalg.svd(a @ b.T, compute_uv=False).sum())
    distance = float(((mean_a - mean_b) ** 2).sum() + (a**2).sum() + (b**2).sum()) - 2.0 * root_trace
    return max(distance, 0.0)
