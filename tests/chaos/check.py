"""After the chaos: is every acknowledged event there, once, in rows and tallies?"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

from abacus.aws.target import FILE
from abacus.local.emulated_stacks import LocalAws
from abacus.operations.rows.recount import live_tallies
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.event_encoding import decode
from tests.chaos.chaos import Chaos

EXPERIMENTS = ("cta-color", "hero")


async def problems(chaos: Chaos) -> list[str]:
    """What does not hold after `chaos.run`, a sentence each. Erases first who came back: a crash on this machine
    restores what was accepted since the last snapshot, erased or not."""
    store = _store(chaos)
    while any(row.needs_fold for row in store.scan()):
        await asyncio.sleep(0.5)
    back = {row.key.visitor for row in store.scan() if row.key.visitor.startswith("gone")}
    chaos.counts["erased visitors who came back"] = len(back & chaos.erased)
    for visitor in sorted(back):
        while store.rows_of(visitor):
            await chaos.command("erase", visitor)
    found = [*_rows(chaos, store), *_tallies(chaos, store), *_answers(chaos)]
    status, output = await chaos.command("audit")
    return found if status == 0 else [*found, f"abacus audit says: {output}"]


def _store(chaos: Chaos) -> DynamoStore:
    known = json.loads((chaos.home / "state" / FILE).read_text())
    client = LocalAws(known["AWS_ENDPOINT_URL"], {}).dynamodb
    return DynamoStore(client, known["ABACUS_PARTICIPANTS"], known["ABACUS_TALLIES"])


def _rows(chaos: Chaos, store: DynamoStore) -> Iterator[str]:
    stored = {
        (row.key.visitor, row.key.experiment): {decode(element).id for element in row.counted}
        for row in store.scan()
        if not row.key.visitor.startswith("gone")
    }
    expected = chaos.expected.ids
    chaos.counts["events expected"] = sum(map(len, expected.values()))
    chaos.counts["events in the rows"] = sum(map(len, stored.values()))
    chaos.counts["lost"] = sum(len(ids - stored.get(key, set())) for key, ids in expected.items())
    more = sum(len(ids - expected.get(key, set())) for key, ids in stored.items())
    if chaos.counts["lost"]:
        lost = [f"{key}: {sorted(ids - stored.get(key, set()))}" for key, ids in expected.items()]
        yield f"{chaos.counts['lost']} acknowledged events are lost, such as {[x for x in lost if '[]' not in x][:5]}"
    if more:
        yield f"{more} events are in the rows that were never sent"


def _tallies(chaos: Chaos, store: DynamoStore) -> Iterator[str]:
    totals: dict[tuple[str, str], Counter[str]] = {}
    for key in EXPERIMENTS:
        if store.generations(key).fill is not None:
            yield f"{key}: a rebuild is not finished"
        for cell, tally in live_tallies(store, key).items():
            if cell.span == "total":
                totals.setdefault((key, cell.variant), Counter()).update(tally.numbers())
    doubled = 0
    for arm, expected in chaos.expected.totals.items():
        actual = totals.get(arm, Counter())
        doubled += max(0, actual["events"] - expected["events"])
        differing = {name: (n, actual[name]) for name, n in expected.items() if actual[name] != n}
        if differing:
            yield f"{arm}: expected and counted: {differing}"
    chaos.counts["doubled"] = doubled


def _answers(chaos: Chaos) -> Iterator[str]:
    assert chaos.product is not None
    for key in EXPERIMENTS:
        sums = chaos.product.ask(f"/stats/{key}?series=none").json()["health"]["conservation"]
        events = sum(total["events"] for arm, total in chaos.expected.totals.items() if arm[0] == key)
        if sums["accepted"] != events or sums["received"] != sums["accepted"] + sums["repeated"] or not sums["holds"]:
            yield f"{key}: {events} events were sent, and the answer says {sums}"
