"""A shop that renders its headline on the server and counts purchases there. The snippet counts what is seen and
clicked. README.md says how to start it."""

from __future__ import annotations

import os
from uuid import uuid4

from flask import Flask, Response, make_response, render_template_string, request
from tracker import COOKIE, YEAR, Assignment, Tracker, from_edge, visitor_of

HEADLINES = {"plain": "Tea, delivered", "bold": "Better tea by Friday"}
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tea</title><script src="{{ tracker }}/ab.js"></script></head>
<body>
{% if order %}
<p>Order {{ order }} is on its way.</p>
{% else %}
<section data-ab="headline">
  <h1>{{ headline }}</h1>
  <form method="post" action="/buy"><button>Buy for 12.50</button></form>
</section>
{% endif %}
</body>
</html>"""


def create_app(tracker: Tracker, *, edge: bool = False) -> Flask:
    """The shop. `edge`: its CDN runs the edge function, so the header x-abacus can be believed."""
    app = Flask(__name__)

    def assigned(visitor: str, cookie: str) -> Assignment:
        if edge:
            return from_edge(request.headers.get("x-abacus", ""), "headline", "plain")
        return tracker.assign("headline", "plain", {"targetingKey": visitor, "url": request.url, "abacus": cookie})

    @app.get("/")
    def home() -> Response:
        cookie = request.cookies.get(COOKIE, "")
        visitor = visitor_of(cookie)
        headline = HEADLINES[assigned(visitor, cookie).variant]
        response = make_response(render_template_string(PAGE, headline=headline, tracker=tracker.url))
        if not cookie:
            # Readable by scripts, because the snippet goes on with it. On https add secure=True.
            response.set_cookie(COOKIE, f"{visitor}~", max_age=YEAR, samesite="Lax")
        response.headers["Cache-Control"] = "private, no-store"  # the page is one visitor's
        return response

    @app.post("/buy")
    def buy() -> str:
        cookie = request.cookies.get(COOKIE, "")
        visitor = visitor_of(cookie)
        shown = assigned(visitor, cookie)
        order = str(uuid4())  # in a real shop: the number of the order, so that a repeated report counts once
        if shown.enrolled:
            purchase = {"id": f"order-{order}", "type": "goal", "goal": "purchase", "value": 12.5}
            tracker.count(visitor, {**purchase, "experiment": "headline", "variant": shown.variant})
        return render_template_string(PAGE, order=order, tracker=tracker.url)

    return app


def app() -> Flask:
    """What `flask --app shop run` starts."""
    environ = os.environ
    tracker = Tracker(environ["TRACKER"], environ["CLIENT"], environ["SECRET"])
    return create_app(tracker, edge=environ.get("EDGE") == "1")
