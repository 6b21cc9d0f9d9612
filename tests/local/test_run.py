"""`abacus run`, from outside: one port, nothing lost, nothing left behind, and a sentence for whatever is wrong."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
from itertools import count, islice
from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.paths import PROJECT
from tests.support.builders import a_visitor
from tests.support.product import ABACUS, Product, a_visit, alive, descendants, kill_all, start, until

pytestmark = pytest.mark.ministack


def addresses(pids: set[int]) -> set[str]:
    """Where these processes listen: hexadecimal addresses as /proc/net has them."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink()) if link.is_symlink() else ""
            inodes |= {target[8:-1]} if target.startswith("socket:[") else set()
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {line[1].partition(":")[0] for line in lines[1:] if line[3] == "0A" and line[9] in inodes}


def test_only_loopback_is_listened_on(product: Product) -> None:
    assert addresses(descendants(product.process.pid)) == {"0100007F"}  # 127.0.0.1, little endian


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/demo/", "text/html"),
        ("/ab.js", "text/javascript"),
        ("/manifest.json", "application/json"),
        ("/api/features/abacus", "application/json"),
        ("/health", "application/json"),
        ("/stats", "application/json"),
    ],
)
def test_one_port_serves_pages_snippet_manifest_and_api(product: Product, path: str, kind: str) -> None:
    answer = product.ask(path)
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, kind)


def test_an_event_is_counted_and_its_repetition_is_not(product: Product) -> None:
    before = product.variants("cta-color")["blue"]
    visit = a_visit(a_visitor("blue", nth=41), "blue", "impression", "click")  # of no other test
    answers = [product.ask("/events", visit).json() for _ in range(2)]
    assert answers == [
        {"accepted": 2, "repeated": 0, "queued": 0, "refused": []},
        {"accepted": 0, "repeated": 2, "queued": 0, "refused": []},
    ]
    until(lambda: product.variants("cta-color")["blue"] != before)
    assert product.variants("cta-color")["blue"] == (before[0] + 1, before[1] + 1)


def test_too_large_a_body_is_refused_by_the_app_itself(product: Product) -> None:
    answer = product.ask("/events", b"x" * 65_537)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "too-large")


def test_pages_are_compressed_and_known_again_and_served_in_parts(product: Product) -> None:
    whole = product.ask("/demo/")
    packed = product.ask("/demo/", Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == whole.body
    assert product.ask("/demo/", If_None_Match=packed.headers["ETag"]).status == 304
    part = product.ask("/demo/", Range="bytes=0-8")
    assert (part.status, part.body) == (206, whole.body[:9])
    head = product.ask("/demo/", method="HEAD")
    assert (head.headers["Content-Length"], head.body) == (str(len(whole.body)), b"")


def test_pages_carry_the_distributions_security_headers(product: Product) -> None:
    headers = product.ask("/demo/").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/nothing.html", "/demo/nothing/", "/manifest/live.json"])
def test_a_missing_page_is_a_page_that_leads_on(product: Product, path: str) -> None:
    answer = product.ask(path)
    assert (answer.status, b"There is no such page" in answer.body) == (404, True)


def test_the_api_answers_404_where_it_has_no_route_and_never_403(product: Product) -> None:
    assert [product.ask(p).status for p in ("/stats/a/b", "/events/x", "/stats/nothing")] == [404, 404, 404]


def test_the_emulators_own_pages_are_out_of_reach(product: Product) -> None:
    assert product.ask("/_ministack/reset", b"", method="POST").status == 403


def test_other_commands_find_the_one_that_runs_here(product: Product) -> None:
    command = [ABACUS, "publish", "--dry-run", "--home", product.home]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "no experiment changes\n")


def test_a_busy_port_gets_a_sentence(product: Product, tmp_path: Path) -> None:
    port = int(product.base_url.rpartition(":")[2])
    said = start(tmp_path / "other", port=port).said
    assert said == (
        f"Error: Port {port} is already in use (Address already in use). Take another one: PORT={port + 1} make run\n"
    )


def test_a_second_run_in_the_same_folder_gets_a_sentence(product: Product) -> None:
    pid = product.process.pid
    port = int(product.base_url.rpartition(":")[2])
    said = start(product.home, port=port).said
    assert said == f"Error: ABacus runs in this folder already (process {pid}). Stop it with: kill {pid}\n"


def test_a_changed_manifest_is_published_while_it_runs_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "manifest", tmp_path / "manifest")
    hero = tmp_path / "manifest" / "hero.yaml"
    product = start(tmp_path / "state", manifest=tmp_path / "manifest")

    def status() -> str:
        shown = {e["key"]: e["status"] for e in product.ask("/manifest.json").json()["experiments"]}
        return str(shown["hero"])

    hero.write_text(hero.read_text().replace("status: running", "status: paused"))
    until(lambda: status() == "paused")
    hero.write_text(hero.read_text().replace("status: paused", "status: pausd"))
    said = product.stop_after("not published: ")
    assert f"{hero}:5: status: 'pausd' is not one of" in said


def test_a_wrong_manifest_gets_its_file_line_and_rule(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "manifest", tmp_path / "manifest")
    wrong = tmp_path / "manifest" / "hero.yaml"
    wrong.write_text(wrong.read_text().replace("status: running", "status: runing"))
    product = start(tmp_path / "state", manifest=tmp_path / "manifest")
    assert product.process.returncode == 1
    assert f"{wrong}:5: status: 'runing' is not one of" in product.said


def test_a_stop_leaves_no_process_and_loses_no_event(tmp_path: Path) -> None:
    first = start(tmp_path)
    assert first.ask("/events", a_visit("v2", "blue", "impression")).status == 202
    last_words = first.stop(signal.SIGTERM)
    assert last_words.startswith("0: starting ...\n")
    assert last_words.endswith(f"\nstopping; the state stays in {tmp_path}\n")
    second = start(tmp_path)
    until(lambda: second.variants("cta-color")["blue"] == (1, 0))
    last_words = second.stop(signal.SIGINT)
    assert last_words.startswith("0: starting ...\n")
    assert last_words.endswith(f"\nstopping; the state stays in {tmp_path}\n")


def test_a_kill_leaves_no_process_and_the_next_start_waits_for_what_is_being_saved(tmp_path: Path) -> None:
    first = start(tmp_path)
    first.ask("/events", a_visit("v2", "blue", "impression"))
    family = descendants(first.process.pid)
    first.process.kill()
    second = start(tmp_path)
    assert not any(alive(pid) for pid in family - {first.process.pid})
    until(lambda: second.variants("cta-color")["blue"] == (1, 0))
    last_words = first.stop(signal.SIGKILL)
    assert last_words.startswith("-9: starting ...\n")
    assert "stopping" not in last_words
    second.stop()


def test_when_a_part_of_it_dies_it_says_which_and_stops(tmp_path: Path) -> None:
    product = start(tmp_path)
    for pid in descendants(product.process.pid):
        if b"abacus.local.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    _, said = product.process.communicate(timeout=60)
    assert product.process.returncode == 1
    assert said.startswith("starting ...\n")
    assert "\nError: worker ended by itself;" in said


def test_a_kill_of_every_process_right_after_an_answer_loses_no_event_and_doubles_none(tmp_path: Path) -> None:
    experiment = load(PROJECT / "manifest").experiment("cta-color")
    assert experiment is not None
    numbered = (f"visitor-{number}" for number in count())
    events, track, collect = islice((v for v in numbered if experiment.assign(v, 0) == "blue"), 3)
    first = start(tmp_path)
    # The last two make ids and times on the server: each request is an event of its own.
    assert first.ask("/events", a_visit(events, "blue", "impression", "click")).status == 202
    properties = {"experimentId": "cta-color", "variationId": "blue", "hashValue": track}
    logged = [{"event_name": name, "properties_json": properties} for name in ("Experiment Viewed", "click")]
    assert first.ask("/track", logged).status == 202
    impression = {"action": "log_impression", "experimentId": "cta-color", "userId": collect, "variant": "blue"}
    assert [first.ask("/collect", impression).status for _ in range(2)] == [200, 200]
    kill_all(first)
    second = start(tmp_path)
    until(lambda: second.variants("cta-color")["blue"] == (4, 2))
    kill_all(second)
    third = start(tmp_path)
    until(lambda: third.variants("cta-color")["blue"] == (4, 2))
    conservation = third.ask("/stats/cta-color").json()["health"]["conservation"]
    assert (conservation["received"], conservation["repeated"], conservation["counted"]) == (6, 0, 6)
    third.stop()
