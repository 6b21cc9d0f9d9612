"""The normal distribution: quantiles and tails that stay exact where they are tiny."""

from __future__ import annotations

import math
from functools import lru_cache

_SQRT2 = math.sqrt(2)

# Wichura's rational approximations, highest power first: centre, shoulder, far tail.
_CENTRE = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
_SHOULDER = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e0,
        3.64784832476320460504e0,
        5.76949722146069140550e0,
        4.63033784615654529590e0,
        1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e0,
        2.05319162663775882187e0,
        1.0,
    ),
)
_TAIL = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580e0,
        5.46378491116411436990e0,
        6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)


def _ratio(powers: tuple[tuple[float, ...], tuple[float, ...]], x: float) -> float:
    top = bottom = 0.0
    for over, under in zip(*powers, strict=True):
        top = top * x + over
        bottom = bottom * x + under
    return top / bottom


def quantile(p: float) -> float:
    """z with Φ(z) = p, for 0 < p < 1, to about 16 digits.

    Source: Wichura (1988), AS 241, Applied Statistics 37:477-484. Not `statistics.NormalDist`, whose import
    costs a cold start 13 ms.

    >>> f"{quantile(0.975):.12f}"
    '1.959963984540'
    """
    centred = p - 0.5
    if abs(centred) <= 0.425:
        return centred * _ratio(_CENTRE, 0.180625 - centred * centred)
    r = math.sqrt(-math.log(p if centred < 0 else 1 - p))
    z = _ratio(_SHOULDER, r - 1.6) if r <= 5 else _ratio(_TAIL, r - 5)
    return z if centred > 0 else -z


@lru_cache(64)
def critical(alpha: float) -> float:
    """The two-sided critical value: P(|Z| > z) = alpha.

    >>> f"{critical(0.05):.6f}"
    '1.959964'
    """
    return -quantile(alpha / 2)


def cdf(z: float) -> float:
    """Φ(z) = P(Z ≤ z), relative accuracy kept in the lower tail.

    >>> cdf(0.0)
    0.5
    """
    return math.erfc(-z / _SQRT2) / 2


def ln_cdf(z: float) -> float:
    """ln Φ(z), also where Φ(z) is below 1e-308.

    >>> f"{ln_cdf(-100.0):.4f} {ln_cdf(2.0):.6f}"
    '-5005.5242 -0.023013'
    """
    return ln_two_sided(z) - math.log(2) if z < 0 else math.log1p(-math.erfc(z / _SQRT2) / 2)


def two_sided(z: float) -> float:
    """P(|Z| ≥ |z|) = erfc(|z|/√2).

    >>> f"{two_sided(1.959963984540054):.6f}"
    '0.050000'
    """
    return math.erfc(abs(z) / _SQRT2)


def ln_two_sided(z: float) -> float:
    """ln P(|Z| ≥ |z|), also where the probability is below 1e-308.

    Beyond z = 25 by the continued fraction of Mills' ratio:
    P = 2φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))). Source: Abramowitz & Stegun 26.2.14.

    >>> f"{ln_two_sided(100.0):.6f}"
    '-5004.831062'
    """
    z = abs(z)
    if z < 25:
        return math.log1p(-math.erf(z / _SQRT2)) if z < 1 else math.log(math.erfc(z / _SQRT2))
    fraction = z
    for k in range(40, 0, -1):
        fraction = z + k / fraction
    return -z * z / 2 + math.log(2 / math.pi) / 2 - math.log(fraction)
