"""Which old code page a text is in, for files that are not Unicode.

charset-normalizer takes cp1252, cp1250 and cp1257 for equally good, so that Köln becomes Kõln. They are told
apart by the letters that their languages use: those count for a code page, all others against it.
"""

from collections.abc import Iterator

_WEST = "àâäáãåæçèéêëìíîïðñòóôöõøœùúûüýþÿßªº"
_CENTRE = "áâăäąćčçďđéęëěíîľĺłńňóôöőŕřśšşťţúůüűýźżžß"
_TURKISH = "âçğıiîöşüû"
_BALTIC = "āąäåčćēęėéģīįķļłńņōóõöšśūųüžźż"
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўјљњћђџ"
_TYPOGRAPHY = frozenset("“”„‘’‚–—…«»‹›•·°§€£¥©®™²³½¼¾×÷±µ¿¡´\xa0\xad№†‰¹")

# In the order of preference where a text fits several alike.
_EXPECTED: dict[str, frozenset[str]] = {
    page: frozenset(letters + letters.upper() + extra)
    for page, letters, extra in (
        ("cp1252", _WEST, ""),
        ("cp1250", _CENTRE, ""),
        ("cp1254", _TURKISH, "İ"),
        ("cp1257", _BALTIC, ""),
        ("cp1251", _CYRILLIC, ""),
        ("koi8_r", _CYRILLIC, ""),
        ("cp1253", _GREEK, "Ά"),
        ("mac_roman", _WEST, ""),
    )
}
# Letters of few languages, for which other pages have letters of more.
_RARE = {
    "cp1252": frozenset("ðþýÐÞÝõÕûÛ"),
    "cp1250": frozenset("đţűĐŢŰ"),
    "cp1257": frozenset("óśłńźõÓŚŁŃŹÕ"),
    "mac_roman": frozenset("õÕûÛ"),
}
_EAST_ASIAN = ["shift_jis", "gb18030", "big5", "euc_kr"]
_CONVINCING = 0.85
_LETTER_WEIGHT = 4
_FALLBACK = "cp1252"


def code_page_of(data: bytes) -> str:
    """The name of the code page that the bytes most likely are in. Only bytes beyond ASCII are looked at."""
    scores = {page: _fitness(data.decode(page, "replace"), page) for page in _EXPECTED}
    best = max(scores, key=lambda page: scores[page])
    if scores[best] >= _CONVINCING:
        return best
    from charset_normalizer import from_bytes

    match = from_bytes(data, cp_isolation=[*_EAST_ASIAN, *_EXPECTED], threshold=0.5).best()
    return match.encoding if match is not None else _FALLBACK


def _fitness(text: str, page: str) -> float:
    """From -1, nothing is as expected, to 1, everything is."""
    total = good = 0.0
    for before, character, after in _neighbours(text):
        if character in _TYPOGRAPHY:
            # A dash or a quotation mark amid a word is rather a letter of another page; ’ is not.
            total += 1
            good += 1 if character in "’\xad" or not (before.isalpha() and after.isalpha()) else -1
        elif not character.isascii():
            total += _LETTER_WEIGHT
            good += _LETTER_WEIGHT * _letter_fitness(before, character, after, page)
    return good / total if total else 0.0


def _letter_fitness(before: str, character: str, after: str, page: str) -> float:
    if character not in _EXPECTED[page] or not _reads_well(before, character, after):
        return -1.0
    is_portuguese = character in "õÕ" and after in {"e", "E"}
    return 0.5 if character in _RARE.get(page, ()) and not is_portuguese else 1.0


def _reads_well(before: str, character: str, after: str) -> bool:
    """Within a word the case doesn't rise, the script doesn't change, and not every letter has an accent."""
    if _is_latin(character) and _is_accented(before) and _is_accented(after):
        return False
    if not before.isalpha():
        return True
    if character.isupper() and before.islower():
        return False
    return _is_latin(before) == _is_latin(character)


def _is_latin(letter: str) -> bool:
    return letter < "\u0370"


def _is_accented(letter: str) -> bool:
    return letter.isalpha() and not letter.isascii()


def _neighbours(text: str) -> Iterator[tuple[str, str, str]]:
    return zip(" " + text, text, text[1:] + " ", strict=False)
