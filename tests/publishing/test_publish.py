"""Publishing, against an S3 that behaves: what lies in the bucket afterwards, and who wins a race."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from abacus.authoring.load import load
from abacus.cli import main
from abacus.local.emulated_stacks import environment
from abacus.paths import PROJECT
from abacus.publishing import manifest_store as published
from abacus.publishing.history import restored
from abacus.publishing.publish import NO_AUTHOR, Author, plan, write
from abacus.publishing.remote import Remote
from abacus.site.build import FRESH, Asset, build_site
from abacus.site.snippet import Options
from chalicelib.domain.errors import NotFound
from chalicelib.domain.manifest import Experiment, Manifest, Namespace, Period, Phase, Variant
from chalicelib.storage.manifest_cache import ManifestCache

NOW = 1_795_248_000_000


def an_experiment(**fields: object) -> Experiment:
    defaults: dict[str, object] = {
        "key": "cta-color",
        "status": "running",
        "seed": "cta-color",
        "variants": (Variant(key="blue"), Variant(key="green")),
        "phases": (Phase(weights=(0.5, 0.5)),),
    }
    return Experiment.model_validate(defaults | fields)


def a_manifest(**fields: object) -> Manifest:
    return Manifest(experiments=(an_experiment(**fields),))


def no_site(manifest: Manifest) -> dict[str, Asset]:
    return {"ab.js": Asset(manifest.digest.encode(), "text/javascript", "public, max-age=30")}


class Shop:
    """One bucket, and publishing to it."""

    def __init__(self, aws) -> None:
        self.s3, self.bucket = aws.s3, aws.names["BucketName"]

    def publish(self, manifest, now=NOW, author=NO_AUTHOR):
        planned = self.plan(manifest, now)
        write(planned, self.s3, self.bucket, now, build=no_site, author=author)
        return planned

    def plan(self, manifest, now=NOW):
        return plan(manifest, self.s3, self.bucket, now)

    def write(self, planned, now=NOW, build=no_site):
        return write(planned, self.s3, self.bucket, now, build=build)

    def get(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)

    def body(self, key):
        return self.get(key)["Body"].read()

    def keys(self):
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]]


@pytest.fixture
def shop(aws) -> Shop:
    return Shop(aws)


pytestmark = pytest.mark.ministack


def test_a_publish_writes_the_live_manifest_its_copy_its_history_and_the_site(shop):
    digest = shop.publish(a_manifest()).manifest.digest
    assert shop.keys() == [
        f"manifest/{digest}.json",
        f"manifest/history/{NOW:014d}-{digest}.json",
        "manifest/live.json",
        "site/ab.js",
        "site/api/features/abacus",
        "site/manifest.json",
    ]
    assert shop.body("manifest/live.json") == shop.body(f"manifest/{digest}.json")
    assert shop.body("site/ab.js") == digest.encode()


def test_what_is_served_says_its_type_and_how_long_it_may_be_kept(shop):
    shop.publish(a_manifest())
    answer = shop.get("site/manifest.json")
    assert (answer["ContentType"], answer["CacheControl"]) == ("application/json; charset=utf-8", FRESH)
    assert answer["ETag"]
    assert shop.get("manifest/live.json")["CacheControl"] == "no-store"


def test_the_lambda_reads_what_was_published(shop):
    planned = shop.publish(a_manifest())
    assert ManifestCache(shop.s3, shop.bucket).current(NOW) == planned.manifest


def test_publishing_the_same_again_changes_nothing_but_writes_the_site(shop):
    first = shop.publish(a_manifest())
    shop.s3.delete_object(Bucket=shop.bucket, Key="site/ab.js")
    again = shop.publish(a_manifest(), NOW + 1000)
    assert (again.manifest, again.changes) == (first.manifest, [])
    assert len(list(published.history(shop.s3, shop.bucket))) == 1
    assert shop.body("site/ab.js") == first.manifest.digest.encode()


def test_of_two_publishers_who_saw_the_same_one_wins_and_the_other_is_told(shop):
    shop.publish(a_manifest())
    mine, theirs = shop.plan(a_manifest(description="mine")), shop.plan(a_manifest(description="theirs"))
    shop.write(theirs)
    with pytest.raises(published.Overtaken, match="Someone else published just now"):
        shop.write(mine)
    assert published.read_live(shop.s3, shop.bucket).manifest == theirs.manifest


def test_of_twenty_racing_first_publishers_exactly_one_wins(shop):
    plans = [shop.plan(a_manifest(description=str(i))) for i in range(20)]

    def attempt(planned):
        try:
            return bool(shop.write(planned))
        except published.Overtaken:
            return False

    with ThreadPoolExecutor(10) as pool:
        won = list(pool.map(attempt, plans))
    assert sum(won) == 1
    live = published.read_live(shop.s3, shop.bucket).manifest
    assert live == plans[won.index(True)].manifest
    assert shop.body("site/ab.js") == live.digest.encode()


def test_a_lost_answer_to_our_own_success_is_no_defeat(shop):
    planned = shop.plan(a_manifest())
    published.write_live(shop.s3, shop.bucket, planned.manifest, None)
    published.write_live(shop.s3, shop.bucket, planned.manifest, None)  # the client's second try


def test_a_publisher_overtaken_while_writing_the_site_leaves_the_winners_site(shop):
    mine = shop.plan(a_manifest(description="mine"))

    real_put = shop.s3.put_object
    overtaking = []

    class Slow:
        """An S3 through which another publisher finishes just before our first site file arrives."""

        exceptions = shop.s3.exceptions
        get_object = shop.s3.get_object

        def put_object(self, **request):
            if request["Key"].startswith("site/") and not overtaking:
                overtaking.append(shop.publish(a_manifest(description="theirs")).manifest)
            return real_put(**request)

    write(mine, Slow(), shop.bucket, NOW, build=no_site)  # type: ignore[arg-type]
    assert shop.body("site/ab.js") == overtaking[0].digest.encode()
    assert json.loads(shop.body("site/manifest.json"))["digest"] == overtaking[0].digest


def test_a_refused_change_leaves_the_live_manifest_as_it_was(shop):
    shop.publish(a_manifest())
    before = shop.body("manifest/live.json"), shop.keys()
    planned = shop.publish(a_manifest(seed="other"))
    assert planned.refused == ["cta-color"]
    assert (shop.body("manifest/live.json"), shop.keys()) == before


def test_a_refused_experiment_holds_up_no_other(shop):
    hero = an_experiment(key="hero", seed="hero")
    shop.publish(Manifest(experiments=(an_experiment(), hero)))
    wrong = an_experiment(seed="other", description="not published")
    planned = shop.publish(Manifest(experiments=(wrong, hero.model_copy(update={"status": "paused"}))), NOW + 1)
    live = published.read_live(shop.s3, shop.bucket).manifest
    assert (planned.refused, live.experiment("hero").status) == (["cta-color"], "paused")
    assert live.experiment("cta-color") == an_experiment(periods=(Period(),), began=NOW)
    *_, last = published.history(shop.s3, shop.bucket)
    assert last.changes == ("hero: running → paused: all visitors see blue until it runs again",)


def test_an_experiment_that_needs_a_refused_change_is_refused_too(shop):
    first = an_experiment(namespace=Namespace(name="n", start=0.0, end=1.0))
    shop.publish(Manifest(experiments=(first,)))
    smaller = an_experiment(namespace=Namespace(name="n", start=0.0, end=0.5))
    second = an_experiment(key="hero", seed="hero", namespace=Namespace(name="n", start=0.5, end=1.0))
    planned = shop.publish(Manifest(experiments=(smaller, second)), NOW + 1)
    assert planned.refused == ["cta-color", "hero"]
    assert "would share visitors of namespace n with cta-color" in str(planned.refusals[1])
    assert planned.manifest.experiment("hero") is None


def test_a_site_that_cannot_be_built_leaves_everything_as_it_was(shop):
    shop.publish(a_manifest())
    before = shop.body("manifest/live.json")

    def broken(manifest):
        raise RuntimeError("no esbuild")

    with pytest.raises(RuntimeError):
        shop.write(shop.plan(a_manifest(description="new")), build=broken)
    assert shop.body("manifest/live.json") == before


def test_history_lists_every_publishing_with_what_changed(shop):
    first = shop.publish(a_manifest(), author=Author("ada"))
    second = shop.publish(a_manifest(status="paused"), NOW + 1, Author("bob", "the shop is down"))
    assert list(published.history(shop.s3, shop.bucket)) == [
        published.Publishing(
            at=NOW,
            digest=first.manifest.digest,
            by="ada",
            changes=("cta-color: new, running: blue 50 %, green 50 %, coverage 100 %",),
        ),
        published.Publishing(
            at=NOW + 1,
            digest=second.manifest.digest,
            by="bob",
            note="the shop is down",
            changes=("cta-color: running → paused: all visitors see blue until it runs again",),
        ),
    ]


def test_every_published_manifest_stays_under_its_digest(shop):
    first = shop.publish(a_manifest())
    shop.publish(a_manifest(status="stopped", winner="green"), NOW + 1)
    assert published.read_copy(shop.s3, shop.bucket, first.manifest.digest) == first.manifest


def test_an_unknown_digest_is_not_found(shop):
    with pytest.raises(NotFound, match="No manifest 'feed' was ever published here"):
        published.read_copy(shop.s3, shop.bucket, "feed")


def test_a_rollback_of_weights_opens_a_phase_with_the_old_ones(shop):
    half, most = Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9))
    first = shop.publish(a_manifest())
    second = shop.publish(a_manifest(phases=(half, most)), NOW + 1)
    wanted = restored(first.manifest, second.manifest)
    assert wanted.experiments[0].phases == (half, most, half)
    rolled = shop.publish(wanted, NOW + 2)
    assert rolled.refusals == []


def test_a_rollback_pauses_what_did_not_run_then_and_keeps_the_rest(shop):
    first = shop.publish(a_manifest(description="then"))
    hero = an_experiment(key="hero", seed="hero")
    second = shop.publish(Manifest(experiments=(an_experiment(description="now"), hero)), NOW + 1)
    wanted = restored(first.manifest, second.manifest)
    assert [(e.key, e.status, e.description) for e in wanted.experiments] == [
        ("cta-color", "running", "then"),
        ("hero", "paused", ""),
    ]
    rolled = shop.publish(wanted, NOW + 2).manifest
    assert rolled.experiment("hero").periods == (Period(start=None, end=NOW + 2),)


def test_the_demo_manifest_publishes(shop):
    assert shop.publish(load(PROJECT / "manifest")).refusals == []


# --- the commands ----------------------------------------------------------------------------------------------

A = "key: a\nstatus: running\nvariants: [{key: x}, {key: y}]\n"


@pytest.fixture
def abacus(aws, tmp_path, monkeypatch):
    """abacus("publish", ...) in a project whose only experiment is what abacus.says was last set to."""
    for name, value in environment(aws.endpoint, {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ABACUS_BUCKET", aws.names["BucketName"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest").mkdir()

    def run(*arguments):
        (tmp_path / "manifest/a.yaml").write_text(run.says)
        result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        return result.exit_code, result.output

    run.says = A
    return run


def test_publish_history_and_rollback_on_the_command_line(abacus, shop):
    code, first = abacus("publish", "--note", "hello")
    assert code == 0, first
    assert first.startswith("a: new, running: x 50 %, y 50 %, coverage 100 %\npublished ")
    digest = first.split("published ")[1][:16]
    assert b"<!doctype html>" in shop.body("site/index.html").lower()

    abacus.says = A.replace("running", "paused")
    dry = abacus("publish", "--dry-run")
    assert dry == (0, "a: running → paused: all visitors see x until it runs again\n")
    assert published.read_live(shop.s3, shop.bucket).manifest.digest == digest
    assert abacus("publish")[0] == 0

    abacus.says = A.replace("{key: y}", "{key: z}")
    code, refused = abacus("publish")
    assert code == 1
    assert "refusal: a: variants x, y → x, z" in refused
    assert "not published: a. What was live stays live" in refused

    code, rolled = abacus("rollback", digest[:6])
    assert code == 0
    assert rolled.startswith("a: paused → running: visitors take part again\npublished ")
    assert rolled.endswith("Write these lines into them:\na:\n    status: running\n")

    code, lines = abacus("history")
    heads = [line for line in lines.split("\n") if line and not line.startswith(" ")]
    assert (code, len(heads)) == (0, 3)
    assert heads[0].startswith(digest)
    assert f"rollback to {digest}" in lines
    assert "    hello\n" in lines


def overtaken_once(monkeypatch, other):
    """`other()` publishes between the plan of the next publish and its writing."""
    real, left = published.write_live, [other]

    def write_live(s3, bucket, manifest, etag):
        if left:
            left.pop()()
        return real(s3, bucket, manifest, etag)

    monkeypatch.setattr(published, "write_live", write_live)


def test_who_is_overtaken_by_the_same_change_keeps_the_note_and_is_told_no_error(abacus, shop, monkeypatch):
    abacus("publish")
    abacus.says = A.replace("running", "paused")
    overtaken_once(monkeypatch, lambda: abacus("publish"))
    code, output = abacus("publish", "--note", "pause for lunch")
    assert (code, output.splitlines()[0]) == (0, "a: running → paused: all visitors see x until it runs again")
    live = published.read_live(shop.s3, shop.bucket).manifest
    assert f"wrote the site again; live is already {live.digest}" in output
    entries = list(published.history(shop.s3, shop.bucket))
    assert [(e.note, len(e.changes)) for e in entries] == [("", 1), ("", 1), ("pause for lunch", 0)]


def test_who_is_overtaken_by_another_change_publishes_nothing_that_was_not_shown(abacus, shop, monkeypatch):
    abacus("publish")

    def other():
        abacus.says = A.replace("running", "stopped")
        abacus("publish")

    abacus.says = A.replace("running", "paused")
    overtaken_once(monkeypatch, other)
    code, output = abacus("publish")
    assert code == 1
    assert "Someone else published just now" in output
    assert published.read_live(shop.s3, shop.bucket).manifest.experiment("a").status == "stopped"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rollback", "feed"), "Error: No manifest 'feed' was ever published here: see `abacus history`."),
        (("publish", "--bucket", "nobodys"), "There is no such bucket. Check --bucket, --stage and --region."),
        (("publish", "--manifest", "nowhere"), "nowhere:1: is not a folder"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(abacus, arguments, told):
    code, output = abacus(*arguments)
    assert code == 1
    assert told in output


def test_every_publish_refreshes_the_cdn(aws):
    class CloudFront:
        requests: ClassVar[list[dict[str, Any]]] = []

        def create_invalidation(self, **request):
            self.requests.append(request)

    remote = Remote(aws.s3, "bucket", CloudFront(), "E123", "ada")  # type: ignore[arg-type]
    remote.invalidate()
    remote.invalidate()  # of the same manifest, as after a change of the site alone
    assert [request["DistributionId"] for request in CloudFront.requests] == ["E123", "E123"]
    first, second = (request["InvalidationBatch"] for request in CloudFront.requests)
    assert first["Paths"] == {"Quantity": 1, "Items": ["/*"]}
    assert first["CallerReference"] != second["CallerReference"]  # or CloudFront would ignore the second


PASS = b"function handler(event) { return event.response || event.request; }"


def test_a_publish_replaces_and_publishes_the_edge_function_where_the_site_uses_it(aws, monkeypatch):
    cloudfront = aws.client("cloudfront")
    config = {"Comment": "assigns", "Runtime": "cloudfront-js-2.0"}
    made = cloudfront.create_function(Name="assign", FunctionConfig=config, FunctionCode=PASS)
    cloudfront.publish_function(Name="assign", IfMatch=made["ETag"])

    def live() -> bytes:
        return cloudfront.get_function(Name="assign", Stage="LIVE")["FunctionCode"].read()

    bucket = aws.names["BucketName"]
    aws.s3.put_object(Bucket=bucket, Key="site/edge.js", Body=b"function handler(event) { return 1; }")
    remote = Remote(aws.s3, bucket, cloudfront, "E123", "ada", edge_function="assign")
    remote.publish_edge_function()
    assert live() == PASS  # the option is off
    monkeypatch.setattr("abacus.publishing.remote.options", lambda: Options(edge=True))
    remote.publish_edge_function()
    assert live() == b"function handler(event) { return 1; }"
    tag = cloudfront.describe_function(Name="assign", Stage="DEVELOPMENT")["ETag"]
    remote.publish_edge_function()  # the same code: nothing to do
    assert cloudfront.describe_function(Name="assign", Stage="DEVELOPMENT")["ETag"] == tag


def test_the_edge_function_is_a_file_of_the_site_where_the_option_is_on():
    manifest = load(PROJECT / "manifest")
    assert "edge.js" not in build_site(manifest, Options())
    assert b"function handler(event)" in build_site(manifest, Options(edge=True))["edge.js"].body
