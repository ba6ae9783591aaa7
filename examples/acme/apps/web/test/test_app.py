import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest


def test_it_greets_and_weighs(url):
    with urllib.request.urlopen(f"{url}/?amount=2&unit=kg") as answer:
        assert answer.read() == b"welcome: 2000 g\n"


@pytest.mark.parametrize("query", ["", "amount=2", "amount=2&unit=stone", "amount=x&unit=g"])
def test_a_bad_question_gets_400(url, query):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/?{query}")
    assert caught.value.code == 400


def test_the_message_of_the_day_is_in_the_image():
    assert Path("/etc/motd").read_text() == "Have a nice day.\n"


@pytest.mark.skip(reason="waits for the design of the new page")
def test_the_new_page():
    raise NotImplementedError


def test_the_virtual_environment_of_the_image_is_active():
    assert sys.prefix == "/opt/web"
    assert shutil.which("python3") == "/opt/web/bin/python3"
