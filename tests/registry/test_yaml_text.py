"""YAML is read strictly, by the core rules of YAML 1.2, to what JSON can say."""

from __future__ import annotations

import pytest
import yaml

from multicluster.registry import yaml_text
from multicluster.registry.yaml_text import Position, YamlProblem, parse, positions

SCALARS = [
    ("no", "no"),
    ("on", "on"),
    ("true", True),
    ("False", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("'null'", "null"),
    ('"5"', "5"),
    ("5", 5),
    ("-5", -5),
    ("0123", 123),
    ("0x1F", 31),
    ("0o17", 15),
    ("1_000", "1_000"),
    ("1.5", 1.5),
    ("-1e3", -1000.0),
    (".5", 0.5),
    ("1.2.3", "1.2.3"),
    ("2026-11-21", "2026-11-21"),
    ("12:30:45", "12:30:45"),
    (".inf", ".inf"),
    ("9" * 41, "9" * 41),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_is_what_yaml_1_2_says(text, value):
    assert parse(f"a: {text}\n") == {"a": value}


def test_keys_are_texts():
    assert parse("{1: a, true: b, null: c}") == {"1": "a", "true": "b", "null": "c"}


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm():
    assert parse("a: 1\r\nb: [x,\r\n y]\r\n") == {"a": 1, "b": ["x", "y"]}


def test_the_same_is_read_without_libyaml(monkeypatch):
    text = "a: {b: [1, 'x', ~]}\nc: |\n  two\n  lines\n"
    fast = parse(text), positions(text)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    assert (parse(text), positions(text)) == fast


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "? {a: b}\n: c\n"])
def test_a_key_that_is_no_text_is_refused(text):
    with pytest.raises(YamlProblem, match="a key must be a plain text"):
        parse(text)


@pytest.mark.parametrize("text", ["&a x", "a: &a {}", "- &a []"])
def test_an_anchor_is_refused(text):
    with pytest.raises(YamlProblem, match="anchors are refused"):
        parse(text)


@pytest.mark.parametrize("text", ["!!str x", "a: !local {}", "- !!set {x: }", "!!python/name:os.system x"])
def test_a_tag_is_refused(text):
    with pytest.raises(YamlProblem, match="tags are refused"):
        parse(text)


def test_a_control_character_is_refused_with_words():
    with pytest.raises(YamlProblem, match="not readable as YAML"):
        parse("a: \x01")


def test_a_deep_nest_is_refused_before_it_is_read_to_its_end():
    with pytest.raises(YamlProblem, match="nested deeper than 40 levels"):
        parse("[" * 1_000_000)


def test_positions_count_from_one_and_know_keys_and_values():
    found = positions("a:\n  - b: x\n")

    assert found[(("a",), "key")] == Position(line=1, column=1)
    assert found[(("a", 0, "b"), "key")] == Position(line=2, column=5)
    assert found[(("a", 0, "b"), "value")] == Position(line=2, column=8)


def test_the_limit_of_depth_is_the_documented_one():
    at_limit = "[" * yaml_text.MAX_DEPTH + "]" * yaml_text.MAX_DEPTH

    assert isinstance(parse(at_limit), list)
