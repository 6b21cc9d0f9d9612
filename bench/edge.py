"""What the edge function costs beside an empty one, in Node without its compiler: CloudFront's runtime interprets too.

CloudFront measures a function's time as a share of the most it allows, about a millisecond (compute utilisation). That
cannot be measured here; the ratio to an empty function can. Each call evaluates the file and runs the handler, as for a
request.
"""

from __future__ import annotations

from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.site.edge_function import MAX_BYTES, edge_function
from abacus.site.esbuild import BuildError
from abacus.site.public_manifest import public
from abacus.site.snippet import Options
from chalicelib.domain.manifest import Manifest, Urls
from tests.site.edge.function import a_request, a_response, run
from tests.support.builders import an_experiment

ROUNDS = 3_000
EMPTY = b"function handler(event) { return event.request; }"


def full() -> bytes:
    """A function that is nearly as large as CloudFront takes, with page targeting in every experiment."""
    code = b""
    for count in range(5, 200, 5):
        experiments = tuple(an_experiment(f"x{number}", urls=pages(number)) for number in range(count))
        try:
            code = edge_function(public(Manifest(experiments=experiments)), Options(edge=True))
        except BuildError:
            break
    return code


def pages(number: int) -> Urls:
    """Another pattern in each experiment; each matches the shop's pages."""
    return Urls.model_validate({"include": ({"pattern": f"/sho{'p' * (number % 2)}*"}, {"pattern": f"/{number}*"})})


def main() -> None:
    """Print bytes and times of three functions."""
    visitor = a_request("https://example.com/shop/tea?x=1", "3f2b8c1e-9f0a-4b61-9c7e-2f1a5d0c7e11~hero.bold.0~")
    events = [visitor, a_request("https://example.com/"), a_response(visitor)]
    functions = {
        "empty": EMPTY,
        "demo's manifest": edge_function(public(load(PROJECT / "manifest")), Options(edge=True)),
        f"nearly {MAX_BYTES // 1024} KB": full(),
    }
    print(f"{'function':20}{'bytes':>8}{'least ms':>10}{'median ms':>11}{'× empty':>9}")
    empty = 0.0
    for name, code in functions.items():
        times = run(code, events, "--jitless", rounds=ROUNDS)
        empty = empty or times["median_ms"]
        ratio = times["median_ms"] / empty
        print(f"{name:20}{len(code):8}{times['least_ms']:10.3f}{times['median_ms']:11.3f}{ratio:9.1f}")
