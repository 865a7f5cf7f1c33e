"""The English pages: nothing is left untranslated, and placeholders stay what they are."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import guiju

PACKAGE = Path(guiju.__file__).parent
PLATFORM = Path(__file__).parents[2] / "platform"
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


@pytest.fixture(scope="module")
def english():
    file = PACKAGE / "web" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
    with file.open("rb") as source:
        return read_po(source)


@pytest.fixture(scope="module")
def texts():
    """Every text that pages can show, as the code has it."""
    with (PLATFORM / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(str(PACKAGE), methods, options)
    return {text if isinstance(text, str) else text[0] for _file, _line, text, *_rest in found}


def strings(message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else message.string


def test_every_text_is_translated(english, texts):
    translated = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in english
        if all(strings(message))
    }
    assert texts - translated == set(), "run: make translations, and translate what is empty"


def test_nothing_is_translated_that_is_not_there(english, texts):
    known = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in english
        if message.id
    }
    assert known - texts == set(), "run: make translations"


def test_placeholders_are_kept(english):
    for message in english:
        text = message.id if isinstance(message.id, str) else message.id[0]
        for string in strings(message) if text else ():
            assert set(PLACEHOLDER.findall(string)) <= set(PLACEHOLDER.findall(text)), text


def test_chinese_is_left_only_where_it_belongs(english):
    left = [m.id for m in english if m.id and re.search(r"[\u4e00-\u9fff]", "".join(strings(m)))]
    assert left == []


def test_pages_speak_the_language_of_the_cookie(client):
    assert 'lang="zh-CN"' in client.get("/sign-in").text
    client.set_cookie("guiju-language", "en")
    page = client.get("/sign-in").text
    assert 'lang="en"' in page
    assert "Sign in" in page


def test_an_unknown_language_is_chinese(client):
    client.set_cookie("guiju-language", "xx")
    assert 'lang="zh-CN"' in client.get("/sign-in").text


def test_choosing_a_language_comes_back_to_the_page(client, submit):
    answer = submit(client, "/language/en", "/sign-in", next="/sign-in?next=/library/")
    assert answer.location == "/sign-in?next=/library/"
    assert "Sign in" in client.get("/sign-in").text
    assert submit(client, "/language/xx", "/sign-in").status_code == 404
    answer = submit(client, "/language/zh", "/sign-in", next="//elsewhere.example")
    assert answer.location == "/"


def test_what_may_be_left_out_is_marked_in_one_way(texts):
    assert [text for text in texts if re.search("可不填）?$", text)] == ["（可不填）"]
