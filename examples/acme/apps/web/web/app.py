"""A WSGI application that greets and weighs."""

import os
from urllib.parse import parse_qs

from helpers.units import grams


def application(environ, start_response):
    """Answer /?amount=2&unit=kg with the weight in grams."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    try:
        weight = grams(float(query["amount"][0]), query["unit"][0])
    except (KeyError, ValueError) as error:
        start_response("400 Bad Request", [("Content-Type", "text/plain")])
        return [str(error).encode()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.environ['GREETING']}: {weight:g} g\n".encode()]
