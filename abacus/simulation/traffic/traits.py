"""Who a simulated visitor is: device, browser, country, and what only the page knows."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import click

from abacus.shares import parse_share, percent
from chalicelib.domain.manifest import Experiment
from chalicelib.domain.segments import OTHER

# segment → value → share of the visitors; values that are not named share the rest as they do by default.
Shares = Mapping[str, Mapping[str, float]]


class Traits(NamedTuple):
    """What a visitor's requests show. country: ISO 3166."""

    device: str = "desktop"
    browser: str = "firefox"
    country: str = "US"

    @property
    def headers(self) -> dict[str, str]:
        """Those of a request. CloudFront replaces the country by its own; a local product takes it as it is."""
        return {"User-Agent": AGENTS[self.device, self.browser], "CloudFront-Viewer-Country": self.country}


# The beginnings of real ones; with none of these words a visitor would count as a bot or as no browser.
AGENTS = {
    (
        "mobile",
        "safari",
    ): "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1",
    ("mobile", "chrome"): "Mozilla/5.0 (Linux; Android 10; K) Chrome/143.0.0.0 Mobile Safari/537.36",
    ("tablet", "safari"): "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Version/12.1 Mobile/15E148 Safari/604.1",
    ("desktop", "chrome"): "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/143.0.0.0 Safari/537.36",
    ("desktop", "safari"): "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15",
    ("desktop", "firefox"): "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
}
KINDS: dict[tuple[str, str], float] = dict(zip(AGENTS, (32, 23, 5, 22, 8, 10), strict=True))  # weight in percent
COUNTRIES: dict[str, float] = {"US": 50, "GB": 15, "DE": 10, "FR": 8, "CH": 5, "BR": 5, "SE": 4, "NZ": 3}
BY_KIND = ("device", "browser")


def traits_of(visitor: str, shares: Shares | None = None) -> Traits:
    """Of a visitor, always the same. The random numbers are its own, so that who clicks stays as the seed says."""
    rng = random.Random(f"{visitor} traits")
    kinds = _kinds(shares or {})
    ((device, browser),) = rng.choices(list(kinds), list(kinds.values()))
    countries = divided(COUNTRIES, (shares or {}).get("country", {}))
    (country,) = rng.choices(list(countries), list(countries.values()))
    return Traits(device, browser, country)


def _kinds(shares: Shares) -> dict[tuple[str, str], float]:
    """The weight of each device with its browser, where the shares of one of the two are given."""
    for place, name in enumerate(BY_KIND):
        if name in shares:
            usual = {value: sum(n for kind, n in KINDS.items() if kind[place] == value) for value in _values(name)}
            wanted = divided(usual, shares[name])
            return {kind: n * wanted[kind[place]] / usual[kind[place]] for kind, n in KINDS.items()}
    return KINDS


def _values(name: str) -> list[str]:
    """The devices, or the browsers, that there are."""
    return sorted({kind[BY_KIND.index(name)] for kind in KINDS})


def divided(usual: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
    """Weights in which the `given` values have their shares, and the others divide the rest as they usually do.

    >>> divided({"a": 50, "b": 30, "c": 20}, {"a": 0.75})
    {'a': 0.75, 'b': 0.15, 'c': 0.1}
    """
    if not given:
        return dict(usual)
    others = {value: n for value, n in usual.items() if value not in given}
    rest = 1 - sum(given.values())
    return {**given, **{value: rest * n / sum(others.values()) for value, n in others.items()}}


def said_segments(
    experiment: Experiment, visitor: str, traits: Traits, shares: Shares | None = None, *, first: bool
) -> dict[str, str]:
    """What an impression says of its visitor, by segment. `first`: on the first visit."""
    known = traits._asdict() | {"visitor": "new" if first else "returning"}
    return {
        segment.name: known.get(segment.name)
        or _attribute(f"{visitor} {segment.name}", segment.values, (shares or {}).get(segment.name, {}))
        for segment in experiment.segments
    }


def _attribute(seed: str, values: Sequence[str], given: Mapping[str, float]) -> str:
    if not given:
        return random.Random(seed).choice(values)
    weights = divided(dict.fromkeys(values, 1.0), given)
    (value,) = random.Random(seed).choices(list(weights), list(weights.values()))
    return value


def parse_shares(given: Sequence[str], experiments: Iterable[Experiment]) -> dict[str, dict[str, float]]:
    """`device=mobile=70%`, also of a browser, a country or an attribute that some experiment has as a segment.

    Raises click.BadParameter."""
    known: dict[str, set[str]] = {name: set(_values(name)) for name in BY_KIND}
    for segment in (segment for experiment in experiments for segment in experiment.segments if segment.attribute):
        known.setdefault(segment.name, {OTHER}).update(segment.values)
    shares: dict[str, dict[str, float]] = {}
    for text in given:
        place, _, share = text.rpartition("=")
        name, _, value = place.partition("=")
        if name != "country" and name not in known:
            raise click.BadParameter(f"{text}: {name!r} is none of {', '.join(sorted((*known, 'country')))}")
        if name == "country" and not re.fullmatch("[A-Z]{2}", value):
            raise click.BadParameter(f"{text}: {value!r} is not a country: write two capital letters, such as CH")
        if name != "country" and value not in known[name]:
            raise click.BadParameter(f"{text}: {value!r} is none of {', '.join(sorted(known[name]))}")
        try:
            shares.setdefault(name, {})[value] = parse_share(share)
        except ValueError as error:
            raise click.BadParameter(f"{text}: {share!r} {error}") from None
    if len(shares.keys() & set(BY_KIND)) > 1:
        raise click.BadParameter("name shares of devices or of browsers, not of both: one decides the other")
    for name, values in shares.items():
        _check_sum(name, values, COUNTRIES.keys() if name == "country" else known[name] - {OTHER})
    return shares


def _check_sum(name: str, values: Mapping[str, float], known: Iterable[str]) -> None:
    total = sum(values.values())
    if total > 1 + 1e-9:
        raise click.BadParameter(f"{name}: the shares add up to {percent(total)}, which is more than 100 %")
    if total < 1 - 1e-9 and not set(known) - values.keys():
        raise click.BadParameter(f"{name}: the shares of all values add up to {percent(total)}; they must make 100 %")
