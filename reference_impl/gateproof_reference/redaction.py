"""Keys that must not leave, and what stands in their place (bifrost#3954, hermes-agent#54087)."""

import re
from collections.abc import Mapping

from gateproof_reference.wirejson import dump, dump_ascii

MASK = "***"

SHORTEST = 8
"""Characters of the shortest key that is cut out of answers. A shorter one is no secret, and cutting it out would corrupt
answers that only happen to hold these letters."""

KEY_SHAPED = re.compile(r"(?i:(\bbearer\s+)(?=\S*\d)[\w.~+/=-]{16,})|\bsk-(?=[\w-]*\d)[\w-]{16,}")
"""What looks like a key, whoever's it is. Looked for only where a failure is told, never in what a model says: an answer
may well be about keys."""


def masked(words: str) -> str:
    """Return the words of a failure without what looks like a key in them."""
    return KEY_SHAPED.sub(lambda found: (found[1] or "") + MASK, words)


def redactor(*keys: str | None) -> Mapping[bytes, bytes]:
    """Return what must never reach a client, as it stands in a header or a text and as it stands in JSON, and its mask."""
    secret = [key for key in keys if key is not None and len(key) >= SHORTEST]
    forms = [form for key in secret for form in (key.encode(), dump(key)[1:-1], dump_ascii(key)[1:-1])]
    return dict.fromkeys(forms, MASK.encode("ascii"))


def scrub(data: bytes, secrets: Mapping[bytes, bytes]) -> bytes:
    """Return `data` without the secrets of a redactor()."""
    for secret, mask in secrets.items():
        data = data.replace(secret, mask)
    return data
