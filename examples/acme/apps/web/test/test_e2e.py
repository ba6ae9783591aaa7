"""The application as its visitors see it, with a browser that the project's own image lacks.

Only the image is another one: code, environment and limits are those of the project.
"""

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.container("e2e")


def test_a_visitor_is_greeted(url):
    page = subprocess.run(["visit", f"{url}/?amount=2&unit=kg"], capture_output=True, text=True, check=True)
    assert page.stdout == "200 welcome: 2000 g\n"


def test_the_rest_is_that_of_the_image():
    assert shutil.which("python3") == "/usr/bin/python3"
