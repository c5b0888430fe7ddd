"""What must not leave a dataset unseen: keys and passwords, and what tells who a person is.

Each kind is a pattern, and a checksum where there is one, so that a number in a sum is not taken for a card. Forms of
keys: the vendors' own documentation and the public secret-scanning lists, 2026-11. IBAN lengths: SWIFT's registry.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

import msgspec

SHOWN_START = 4
AROUND = 24
LEAST_DISTINCT = 6
LEAST_PHONE_DIGITS = 8
MOST_PHONE_DIGITS = 15
PLAIN_PHONE_DIGITS = 10


class Sensitive(msgspec.Struct, frozen=True):
    """One place in a text: ``rule`` is ``secret`` or ``personal_data``, ``kind`` is for people."""

    rule: str
    kind: str
    start: int
    end: int


class Sign(StrEnum):
    """What a coarse look at bytes sees of a kind: a rare letter, a key's beginning, a run of digits and capitals."""

    AT = "@"
    LOW = "_"
    HYPHEN = "-"
    PLUS = "+"
    GOOGLE = "AIza"
    WEB = ".eyJ"
    RUN = "run"


ALL = frozenset(Sign)


class _Kind(msgspec.Struct, frozen=True):
    """``sign`` is what a coarse look at the bytes goes by; without the string ``mark`` a text cannot hold it."""

    sign: Sign
    rule: str
    name: str
    mark: str
    pattern: re.Pattern[str]
    true: Callable[[str], bool]


def found(text: str, signs: AbstractSet[Sign] = ALL) -> list[Sensitive]:
    """Every sensitive place of ``text`` in its order; of two that overlap, the one that stands first in the table.

    Only kinds of these ``signs`` are looked for.
    """
    places: list[Sensitive] = []
    for kind in KINDS:
        if kind.sign not in signs or kind.mark not in text:
            continue
        for match in kind.pattern.finditer(text):
            start, end = match.span(1)
            if kind.true(match[1]) and not any(place.start < end and start < place.end for place in places):
                places.append(Sensitive(kind.rule, kind.name, start, end))
    return sorted(places, key=lambda place: place.start)


def masked(text: str) -> str:
    """``text`` with every sensitive place shortened to its first letters."""
    return _without(text, found(text))


def around(text: str, places: Sequence[Sensitive], at: int) -> str:
    """The place of that number and what stands around it, with all of ``places`` masked."""
    place = places[at]
    start, end = max(0, place.start - AROUND), place.end + AROUND
    inside = [each for each in places if start < each.end and each.start < end]
    start, end = min(start, inside[0].start), max(end, inside[-1].end)
    shifted = [Sensitive(each.rule, each.kind, each.start - start, each.end - start) for each in inside]
    return _without(text[start:end], shifted)


def _without(text: str, places: Sequence[Sensitive]) -> str:
    return "".join(_pieces(text, places))


def _pieces(text: str, places: Sequence[Sensitive]) -> Iterator[str]:
    at = 0
    for place in places:
        yield text[at : place.start]
        yield _mask(text[place.start : place.end])
        at = place.end
    yield text[at:]


def _mask(value: str) -> str:
    """Enough to find the place again; of a short value nothing, for its beginning would be most of it."""
    return f"{value[:SHOWN_START]}…" if len(value) > 4 * SHOWN_START else "…"


def _varied(value: str) -> bool:
    """Not the row of x that stands for a key in a manual."""
    return len(set(value[SHOWN_START:])) >= LEAST_DISTINCT


def _always(value: str) -> bool:
    return bool(value)


def _digits(value: str) -> str:
    return "".join(letter for letter in value if letter.isdigit())


def _card(value: str) -> bool:
    """The issuer's first digits, their length, and Luhn's checksum."""
    digits = _digits(value)
    return bool(CARDS.fullmatch(digits)) and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(sum(divmod(value, 10)) for value in doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """The country's length, and the checksum modulo 97."""
    plain = value.replace(" ", "")
    if len(plain) != IBAN_LENGTHS.get(plain[:2], 0):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _phone(value: str) -> bool:
    digits = _digits(value)
    grouped = len(digits) < len(value) - 1
    return (LEAST_PHONE_DIGITS if grouped else PLAIN_PHONE_DIGITS) <= len(digits) <= MOST_PHONE_DIGITS


def _social(value: str) -> bool:
    """As the United States give them out: no part is zero, none begins with 666 or 9."""
    area, group, serial = value.split("-")
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _password(value: str) -> bool:
    """Not what stands for one in a template."""
    return not re.fullmatch(r"[*•.x]+|\$?\{.*\}|<.*>|%.*%|\[.*\]", value, re.IGNORECASE)


CARDS = re.compile(
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
)
IBAN_LENGTHS = {
    name: int(length)
    for name, length in re.findall(
        r"([A-Z]{2})(\d+)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23"
        "GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30"
        "NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}
_WORD = r"(?<![A-Za-z0-9])"
_NO_SUM = r"(?<![\d.$€£=+*/<>-])(?<![=+*/<>-] )"
_END = r"(?![\d.]?\d)(?! ?[=+*/<>-])"


def _secret(sign: Sign, name: str, mark: str, *, pattern: str) -> _Kind:
    return _Kind(sign, "secret", name, mark, re.compile(f"{_WORD}({pattern})"), _varied)


def _personal(sign: Sign, name: str, mark: str, *, pattern: str, true: Callable[[str], bool] = _always) -> _Kind:
    return _Kind(sign, "personal_data", name, mark, re.compile(pattern), true)


_PRIVATE_KEY = re.compile(r"(-{5}BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-{5}[^-]*)")
_IN_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*+://[^\s/:@\"]*+:([^\s/@\"]+)@")
_IBAN = r"(?<![A-Z0-9])([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?![A-Z0-9])"
_CARD = r"(?<![\d.])(\d(?:[ -]?\d){11,18})(?![\d.]?\d)"
_MAIL = r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9][A-Za-z0-9._%+-]*+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})\b"
_SOCIAL = rf"{_NO_SUM}(\d{{3}}-\d\d-\d{{4}}){_END}(?!-)"
_ABROAD = r"(?<![\w+*/=)])(\+[1-9][\d ().-]{6,20}\d)(?!\d)(?! ?[=+*/<>])"
_AREA = r"(?<!\d)(\(\d{3}\) ?\d{3}[.-]\d{4})(?!\d)"
_HYPHENED = rf"{_NO_SUM}([2-9]\d\d-\d{{3}}-\d{{4}}){_END}"
_DOTTED = rf"{_NO_SUM}([2-9]\d\d\.\d{{3}}\.\d{{4}}){_END}"
KINDS: tuple[_Kind, ...] = (
    _Kind(Sign.RUN, "secret", "a private key", "PRIVATE KEY", _PRIVATE_KEY, _always),
    _Kind(Sign.AT, "secret", "a password in a URL", "://", _IN_URL, _password),
    _secret(Sign.HYPHEN, "an Anthropic API key", "sk-ant-", pattern=r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _secret(Sign.HYPHEN, "an OpenAI API key", "sk-", pattern=r"sk-[A-Za-z0-9_-]{20,}"),
    _secret(Sign.GOOGLE, "a Google API key", "AIza", pattern=r"AIza[A-Za-z0-9_-]{35}"),
    _secret(Sign.HYPHEN, "a Google OAuth secret", "GOCSPX-", pattern=r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _secret(Sign.RUN, "an AWS access key id", "IA", pattern=r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _secret(Sign.LOW, "a GitHub token", "_", pattern=r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}"),
    _secret(Sign.HYPHEN, "a GitLab token", "glpat-", pattern=r"glpat-[A-Za-z0-9_-]{20,}"),
    _secret(Sign.HYPHEN, "a Slack token", "xox", pattern=r"xox[abeoprs]-[A-Za-z0-9-]{16,}"),
    _secret(Sign.LOW, "a Stripe key", "k_live_", pattern=r"[sr]k_live_[A-Za-z0-9]{16,}"),
    _secret(Sign.LOW, "a Hugging Face token", "hf_", pattern=r"hf_[A-Za-z0-9]{30,}"),
    _secret(Sign.LOW, "an npm token", "npm_", pattern=r"npm_[A-Za-z0-9]{36}"),
    _secret(Sign.HYPHEN, "a PyPI token", "pypi-", pattern=r"pypi-[A-Za-z0-9_-]{50,}"),
    _secret(
        Sign.WEB, "a JSON web token", ".eyJ", pattern=r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    ),
    _personal(Sign.RUN, "an IBAN", "", pattern=_IBAN, true=_iban),
    _personal(Sign.RUN, "a payment card number", "", pattern=_CARD, true=_card),
    _personal(Sign.AT, "an e-mail address", "@", pattern=_MAIL),
    _personal(Sign.RUN, "a social security number", "-", pattern=_SOCIAL, true=_social),
    _personal(Sign.PLUS, "a phone number", "+", pattern=_ABROAD, true=_phone),
    _personal(Sign.RUN, "a phone number", "(", pattern=_AREA),
    _personal(Sign.RUN, "a phone number", "-", pattern=_HYPHENED),
    _personal(Sign.RUN, "a phone number", ".", pattern=_DOTTED),
)
