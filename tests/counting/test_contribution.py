"""What one row adds to the tallies."""

from __future__ import annotations

import time
from collections import Counter
from itertools import permutations

import pytest

from chalicelib.counting.contribution import contribution
from chalicelib.storage.tally import Cell, Tally
from tests.support.builders import DAY, HOUR, NOON, an_element

TOTAL = Cell("total", "", 0, "green")
TODAY = Cell("day", "2026-11-21", 0, "green")


def impression(event_id: str = "i1", **fields: object) -> str:
    return an_element(id=event_id, **fields)  # type: ignore[arg-type]


def click(event_id: str = "c1", **fields: object) -> str:
    return an_element(id=event_id, type="click", **fields)  # type: ignore[arg-type]


def test_a_visitor_who_saw_and_clicked() -> None:
    cells = contribution({impression(), impression("i2", at=NOON + HOUR), click()}, 4)
    visitor = Tally(
        impressions=2,
        clicks=1,
        visitors=1,
        sx=2,
        sy=1,
        sxx=4,
        syy=1,
        sxy=2,
        received=4,
        events=3,
        converted=Counter(click=1),
    )
    assert cells == {
        TOTAL: visitor,
        TODAY: visitor,
        Cell("hour", "2026-11-21T12", 0, "green"): Tally(impressions=1, clicks=1),
        Cell("hour", "2026-11-21T13", 0, "green"): Tally(impressions=1),
    }


def test_nothing_adds_nothing() -> None:
    assert contribution(set(), 0) == {}


def test_a_late_click_goes_back_to_the_day_and_phase_of_the_first_impression() -> None:
    cells = contribution({impression(), click(at=NOON + 2 * DAY, phase=1)}, 2)
    assert cells[TODAY].clicks == 1
    assert [cell for cell in cells if cell.span != "hour"] == [TOTAL, TODAY]


def test_a_visitor_seen_in_two_variants_counts_in_the_first_with_all_clicks() -> None:
    elements = [
        impression(),
        impression("i2", variant="blue", at=NOON + 1, phase=1),
        click(variant="blue", at=NOON + 2, phase=1),
    ]
    expected = Tally(
        visitors=1,
        impressions=2,
        clicks=1,
        sx=2,
        sy=1,
        sxx=4,
        syy=1,
        sxy=2,
        received=3,
        events=3,
        converted=Counter(click=1),
        flagged=Counter({"multiple-variants": 1}),
    )
    for order in permutations(elements):
        cells = contribution(order, 3)
        assert cells[TOTAL] == expected
        assert [cell for cell in cells if cell.span != "hour"] == [TOTAL, TODAY]


def test_a_click_before_the_first_impression_does_not_count_in_any_order_of_arrival() -> None:
    elements = [click(at=NOON - 1), impression(), an_element(id="g1", type="goal", goal="signup", at=NOON - HOUR)]
    expected = Tally(
        visitors=1,
        impressions=1,
        sx=1,
        sxx=1,
        received=3,
        events=3,
        excluded_events=2,
        flagged=Counter({"before-impression": 1}),
    )
    for order in permutations(elements):
        assert contribution(order, 3)[TOTAL] == expected


def test_an_earlier_impression_that_arrives_late_makes_the_click_count() -> None:
    elements = {click(at=NOON - 1), impression()}
    assert contribution(elements, 2)[TOTAL].converted == Counter()
    assert contribution(elements | {impression("i0", at=NOON - 2)}, 3)[TOTAL].converted == Counter(click=1)


def test_a_click_in_the_millisecond_of_the_impression_counts() -> None:
    assert contribution({click("a"), impression("b")}, 2)[TOTAL].clicks == 1


def test_where_the_sender_chooses_each_variant_has_its_own_first_impression() -> None:
    elements = {
        impression(client=True),
        click(at=NOON + 1, variant="blue", client=True),
        impression("i2", at=NOON + 2, variant="blue", client=True),
    }
    blue = contribution(elements, 3)[Cell("total", "", 0, "blue")]
    assert (blue.visitors, blue.clicks, blue.flagged) == (1, 0, Counter({"before-impression": 1}))


def test_where_the_sender_chooses_a_visitor_counts_in_each_variant_seen() -> None:
    cells = contribution({impression(client=True), impression("i2", variant="blue", at=NOON + 1, client=True)}, 2)
    assert cells[TOTAL].visitors == 1
    assert cells[Cell("total", "", 0, "blue")].visitors == 1
    assert cells[TOTAL].events + cells[Cell("total", "", 0, "blue")].events == 2


def test_a_click_without_an_impression_makes_no_visitor() -> None:
    assert contribution({click()}, 1)[TOTAL] == Tally(
        received=1, events=1, excluded=Counter({"no-impression": 1}), excluded_events=1
    )


def test_a_visitor_later_flagged_as_a_bot_is_left_out() -> None:
    cells = contribution({impression(), click(at=NOON + 1, bot=True)}, 2)
    assert cells[TOTAL] == Tally(received=2, events=2, excluded=Counter(bot=1), excluded_events=2)


def test_a_browser_that_speaks_after_the_bot_takes_the_visitor_back() -> None:
    cells = contribution({impression(), click(at=NOON + 1, bot=True), click("c2", at=NOON + 2)}, 3)
    assert (cells[TOTAL].visitors, cells[TOTAL].clicks, cells[TOTAL].excluded_events) == (1, 1, 1)
    assert cells[TOTAL].excluded == Counter()


def test_one_id_with_two_contents_is_the_lesser_of_them_in_any_order() -> None:
    one, other = impression(at=NOON), impression(at=NOON + DAY)
    assert contribution([one, other], 2) == contribution([other, one], 2)
    assert contribution([one, other], 2)[TODAY].events == 1


def test_the_squares_stop_at_a_hundred_and_the_counts_do_not() -> None:
    total = contribution({impression(f"i{n}", at=NOON + n) for n in range(150)}, 150)[TOTAL]
    assert (total.impressions, total.sx, total.sxx) == (150, 100, 10_000)


def test_goals_count_the_visitor_once_and_the_events_each() -> None:
    signups = {an_element(id=f"g{n}", type="goal", goal="signup", at=NOON + n) for n in range(3)}
    total = contribution({impression(), *signups}, 4)[TOTAL]
    assert (total.converted, total.goal_events) == (Counter(signup=1), Counter(signup=3))


def test_the_first_twenty_four_hours_of_activity_are_counted_and_no_more() -> None:
    elements = {impression(f"i{n}", at=NOON + n * HOUR) for n in range(30)}
    hours = sorted(cell.when for cell in contribution(elements, 30) if cell.span == "hour")
    assert (len(hours), hours[0], hours[-1]) == (24, "2026-11-21T12", "2026-11-22T11")
    assert contribution(elements, 30)[TOTAL].impressions == 30


def test_an_hour_holds_what_happened_in_it_whatever_becomes_of_the_visitor() -> None:
    signups = {an_element(id=f"g{n}", type="goal", goal="signup", at=NOON - 1) for n in range(2)}
    buys = {an_element(id=f"b{n}", type="goal", goal="buy", at=NOON - 1) for n in range(3)}
    cells = contribution({impression(), impression("i2"), click(), click("c2"), click("c3")} | signups | buys, 10)
    assert {cell.when: tally for cell, tally in cells.items() if cell.span == "hour"} == {
        "2026-11-21T11": Tally(goal_events=Counter(signup=2, buy=3)),
        "2026-11-21T12": Tally(impressions=2, clicks=3),
    }


def marked(letters: str, event_id: str = "i1") -> str:
    return f"i|green|0|{NOON}|{event_id}|{letters}"


def test_an_event_that_arrived_late_is_no_activity_by_the_hour() -> None:
    late = {impression() + "|l", click("c1", at=NOON + HOUR) + "|l"}
    cells = contribution(late | {impression("i2", at=NOON + 2 * HOUR)}, 3)
    assert {cell.when for cell in cells if cell.span == "hour"} == {"2026-11-21T14"}
    assert (cells[TOTAL].impressions, cells[TOTAL].clicks) == (2, 1)


def test_the_marks_of_the_first_impression_flag_the_visitor() -> None:
    total = contribution({marked("lnms"), f"i|green|0|{NOON + 1}|i2"}, 2)[TOTAL]
    assert total.flagged == Counter({"late-arrival": 1, "no-cookie": 1, "burst": 1, "shared-id": 1})
    assert (total.visitors, total.flagged_events) == (1, Counter({"shared-id": 2}))
    assert contribution({impression("i0", at=NOON - 1), marked("lnms")}, 2)[TOTAL].flagged == Counter()


def test_more_than_twenty_events_in_a_second_are_too_fast_for_a_person() -> None:
    for n, expected in ((20, 0), (21, 1)):
        clicks = {click(f"c{i}", at=NOON + 999 * i // n) for i in range(n - 1)}
        assert contribution(clicks | {impression()}, n)[TOTAL].flagged["too-fast"] == expected


def test_more_than_sixty_impressions_in_an_hour_are_several_people() -> None:
    for n, expected in ((60, 0), (61, 1)):
        elements = {impression(f"i{i}", at=NOON + i * 58_000) for i in range(n)}
        assert contribution(elements, n)[TOTAL].flagged["shared-id"] == expected


def test_reserved_fields_of_an_element_are_ignored() -> None:
    assert contribution({f"i|green|0|{NOON}|i1|||future"}, 1) == contribution({impression()}, 1)


def bought(event_id: str, cents: int, *, cap: int = 50_000, at: int = NOON) -> str:
    return f"g:buy|green|0|{at}|{event_id}||{cents}^{cap}"


def numbers_of(*elements: str) -> dict[str, int]:
    numbers = contribution(elements, len(elements))[TOTAL].numbers()
    return {name: number for name, number in numbers.items() if "buy" in name}


def test_a_single_purchase_needs_two_sums_besides_the_counts() -> None:
    assert numbers_of(impression(), bought("b1", 4990)) == {
        "converted.buy": 1,
        "goal_events.buy": 1,
        "value_sum.buy": 4990,
        "value_squares.buy": 4990**2,
    }


def test_a_visitors_sum_is_capped_and_what_was_cut_is_kept() -> None:
    assert numbers_of(impression(), bought("b1", 40_000), bought("b2", 30_000)) == {
        "converted.buy": 1,
        "goal_events.buy": 2,
        "repeat.buy": 1,
        "repeat_squares.buy": 3,
        "value_sum.buy": 50_000,
        "value_squares.buy": 50_000**2,
        "value_cut.buy": 20_000,
        "value_capped.buy": 1,
        "value_repeat.buy": 50_000,
    }


def test_refunds_are_capped_too() -> None:
    numbers = numbers_of(impression(), bought("r1", -60_000))
    assert (numbers["value_sum.buy"], numbers["value_cut.buy"], numbers["value_capped.buy"]) == (-50_000, -10_000, 1)


def test_where_the_cap_was_changed_the_first_events_cap_holds_and_without_any_there_is_none() -> None:
    first, second = bought("b1", 300, cap=100, at=NOON + 1), bought("b2", 300, cap=900, at=NOON + 2)
    none = f"g:buy|green|0|{NOON}|b0||70000"
    assert numbers_of(impression(), first, second)["value_sum.buy"] == 100
    assert numbers_of(impression(), none, second)["value_sum.buy"] == 900
    assert numbers_of(impression(), none)["value_sum.buy"] == 70_000


def test_a_visitor_enters_the_count_of_a_goal_with_at_most_a_hundred_events() -> None:
    numbers = numbers_of(impression(), *(bought(f"b{n}", 1) for n in range(120)))
    assert (numbers["goal_events.buy"], numbers["value_sum.buy"]) == (120, 120)
    assert (numbers["repeat.buy"], numbers["repeat_squares.buy"], numbers["value_repeat.buy"]) == (99, 9_999, 120 * 99)


def test_a_refund_is_taken_from_the_sum_before_the_cap() -> None:
    numbers = numbers_of(impression(), bought("b1", 60_000), bought("r1", -60_000))
    assert "value_sum.buy" not in numbers
    assert (numbers["converted.buy"], numbers["goal_events.buy"]) == (1, 2)


def test_purchases_come_out_the_same_in_whatever_order_they_arrive() -> None:
    elements = [impression(), bought("b1", 40_000), bought("b2", 30_000), bought("r1", -500)]
    assert len({str(contribution(order, 4)) for order in permutations(elements)}) == 1


def test_conversions_after_the_window_do_not_count() -> None:
    seen = f"i|green|0|{NOON}|i1||^3600"
    inside, outside = bought("b1", 100, at=NOON + HOUR), bought("b2", 100, at=NOON + HOUR + 1)
    tally = contribution([seen, inside, outside, click(at=NOON + 2 * HOUR)], 4)[TOTAL]
    assert (tally.value_sum["buy"], tally.clicks, tally.excluded_events, tally.flagged["after-window"]) == (
        100,
        0,
        2,
        1,
    )


def test_impressions_after_the_window_still_count() -> None:
    tally = contribution([f"i|green|0|{NOON}|i1||^60", impression("i2", at=NOON + HOUR)], 2)[TOTAL]
    assert (tally.impressions, tally.flagged) == (2, Counter())


def test_the_squares_of_clicks_stop_at_a_hundred_too() -> None:
    clicks = {click(f"c{n}", at=NOON + n) for n in range(150)}
    total = contribution(clicks | {impression()}, 151)[TOTAL]
    assert (total.clicks, total.sy, total.syy, total.sxy) == (150, 100, 10_000, 100)


def test_one_event_whose_sender_assigns_makes_the_whole_row_count_by_variant() -> None:
    elements = {impression(), impression("i2", variant="blue", at=NOON + 1, client=True)}
    cells = contribution(elements, 2)
    assert (cells[TOTAL].visitors, cells[Cell("total", "", 0, "blue")].visitors) == (1, 1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_days_and_hours_are_utc_wherever_the_process_runs(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        cells = {cell.when for cell in contribution({impression()}, 1)}
    finally:
        monkeypatch.undo()
        time.tzset()
    assert cells == {"", "2026-11-21", "2026-11-21T12"}
