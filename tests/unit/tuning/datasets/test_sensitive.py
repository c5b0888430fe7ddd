import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.tuning.datasets.planted import TEXT_FAULTS, WEB_TOKEN
from tuneway.tuning.datasets.search import MOST_IN_A_ROW, sensitive_findings
from tuneway.tuning.datasets.sensitive import around, found, masked
from tuneway.tuning.datasets.suspects import Suspects

SENSITIVE = [
    ("sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x", "an OpenAI API key"),
    ("sk-ant-api03-Ab3dEf6hIj9lMn2pQr5t", "an Anthropic API key"),
    ("AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "a Google API key"),
    ("GOCSPX-a1B2c3D4e5F6g7H8i9J0k1", "a Google OAuth secret"),
    ("ASIAQ4T7ZK2M9X3B5N6P", "an AWS access key id"),
    ("gho_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "a GitHub token"),
    ("github_pat_11ABCDEFG0a1b2c3d4e5f6", "a GitHub token"),
    ("glpat-a1B2c3D4e5F6g7H8i9J0", "a GitLab token"),
    ("xoxb-123456789012-abcdefghijkl", "a Slack token"),
    ("sk_live_a1B2c3D4e5F6g7H8", "a Stripe key"),
    ("hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH", "a Hugging Face token"),
    ("npm_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "an npm token"),
    ("pypi-" + "AgEIcHlwaS5vcmcCJDU3" * 3, "a PyPI token"),
    (WEB_TOKEN, "a JSON web token"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBg", "a private key"),
    ("hunter2", "a password in a URL"),
    ("ann.lee+shop@mail.acme.co.uk", "an e-mail address"),
    ("+49 170 1234567", "a phone number"),
    ("+442079460958", "a phone number"),
    ("+1 (555) 123-4567", "a phone number"),
    ("(555) 123-4567", "a phone number"),
    ("555-123-4567", "a phone number"),
    ("555.123.4567", "a phone number"),
    ("DE89 3704 0044 0532 0130 00", "an IBAN"),
    ("GB29NWBK60161331926819", "an IBAN"),
    ("NL91 ABNA 0417 1643 00", "an IBAN"),
    ("4111 1111 1111 1111", "a payment card number"),
    ("5500-0000-0000-0004", "a payment card number"),
    ("378282246310005", "a payment card number"),
    ("3782 822463 10005", "a payment card number"),
    ("6011000990139424", "a payment card number"),
    ("078-05-1120", "a social security number"),
]
HARMLESS = [
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-...",
    "a risk-management-of-the-whole-portfolio plan",
    "AKIA is not a key",
    "4111 1111 1111 1112",
    "1234567890123456",
    "0000 0000 0000 0000",
    "3.14159265358979323846",
    "DE89 3704 0044 0532 0130 01",
    "XX89 3704 0044 0532 0130 00",
    "100-20-3000 = -2920",
    "000-12-3456",
    "Then 500-200-1000 = <<500-200-1000=-700>>-700",
    "x+1234567890 = 5",
    "5 + 100 200 300 = 600",
    "1000 2000 3000 4000 5000",
    "2024-01-01 12:30:00",
    "version 1.2.3-beta.4",
    "@property and @media screen",
    "me at acme dot com, a@b",
    "https://acme.com:8080/path@2",
    "postgres://user:***@host/db",
    "postgres://user:${PASSWORD}@host/db",
    "postgres://user:<password>@host/db",
    "-----BEGIN PUBLIC KEY-----",
    "eyJhbGciOiJIUzI1NiJ9 alone",
    "snake_case_names_of_many_words_in_a_row",
    "https://arxiv.org/abs/2301.00001 and ISBN 978-3-16-148410-0",
]


def in_text(value: str) -> str:
    return f"postgres://shop:{value}@db.internal" if value == "hunter2" else value


@pytest.mark.parametrize(("value", "kind"), SENSITIVE)
@pytest.mark.parametrize("frame", ["{}", "it is {}.", "({})", '"{}",', "a\n{}\nb", "key={}", "see {} and more"])
def test_each_kind_is_found_and_masked(value: str, kind: str, frame: str) -> None:
    text = frame.format(in_text(value))
    if kind in {"a phone number", "a social security number"} and "=" in frame:
        return  # a number behind a sign of equality is taken for a sum
    (place,) = found(text)
    assert (place.kind, text[place.start : place.end].startswith(value[:20])) == (kind, True)
    assert value not in masked(text)
    assert value not in around(text, [place], 0)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(text) == []
    assert masked(text) == text


def test_two_secrets_side_by_side_are_both_masked() -> None:
    text = "mail ann@acme.com, key sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x."
    assert [place.kind for place in found(text)] == ["an e-mail address", "an OpenAI API key"]
    assert "ann@" not in around(text, found(text), 1)


FILLER = st.text(st.sampled_from("abc de.,-+=0123456789XY\n"), max_size=60)


@example(value="+49 170 1234567", before="", after="5", cut=90)
@given(value=st.sampled_from([value for value, _ in SENSITIVE]), before=FILLER, after=FILLER, cut=st.integers(1, 90))
def test_the_coarse_look_misses_nothing_that_the_fine_one_finds(value: str, before: str, after: str, cut: int) -> None:
    text = f"{before} {in_text(value)} {after}"
    line = msgspec.json.encode({"text": text}) + b"\n"
    suspects = Suspects()
    for at in range(0, len(line), cut):
        suspects.feed(line[at : at + cut])
    assert sensitive_findings(line, suspects.within(len(line))) == sensitive_findings(line)


@pytest.mark.parametrize(
    "before", ["", "Of 120.50 she paid 1,000.25 in 2024-25; RATE 7.125. " * 40], ids=["words", "numbers"]
)
@pytest.mark.parametrize(("value", "kind"), SENSITIVE)
def test_a_kind_is_seen_wherever_it_stands_also_among_numbers(value: str, kind: str, before: str) -> None:
    for shift in range(8):
        line = msgspec.json.encode({"text": f"{'a' * shift} {before} {in_text(value)} "}) + b"\n"
        suspects = Suspects()
        suspects.feed(line)
        (finding,) = sensitive_findings(line, suspects.within(len(line)))
        assert kind in finding.message


def test_a_place_is_told_in_its_own_line_only() -> None:
    lines = [b'{"a":"plain"}\n', b'{"a":"ann@acme.com"}\n', b'{"a":"plain"}\n']
    suspects = Suspects()
    suspects.feed(b"".join(lines))
    ends = [sum(map(len, lines[: place + 1])) for place in range(3)]
    assert [bool(suspects.within(end)) for end in ends] == [False, True, False]


def test_a_row_tells_its_first_places_with_their_paths() -> None:
    row = {"a": [{"b": "ann@acme.com"}, 3, None, True], "c": "none", "d": ["x@y.org"] * 50}
    findings = sensitive_findings(msgspec.json.encode(row))
    assert [finding.path for finding in findings[:2]] == ["$.a[0].b", "$.d[0]"]
    assert len(findings) == MOST_IN_A_ROW


def test_every_planted_text_is_one_of_these_kinds() -> None:
    assert {fault.rule for fault in TEXT_FAULTS} == {"secret", "personal_data"}
