"""Which texts are keys of objects. The same rule for every store, so that what one of them takes, all take."""

from publisher.diagnostic import quote


def is_key(text: str) -> bool:
    """Whether the text is a key: printable ASCII, with `/` between its parts and no part empty, `.` or `..`.

    There is no backslash in it: Azure lists it as `/`
    (https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
    """
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return plain and all(part not in ("", ".", "..") for part in text.split("/"))


def check_key(key: str) -> None:
    """Raise ValueError unless the text is a key. It is a mistake of the caller's: keys are made, not typed."""
    if not is_key(key):
        raise ValueError(f"{quote(key)} is no key; a key is a relative path in ASCII, no part empty, `.` or `..`")


def check_prefix(prefix: str) -> None:
    """Raise ValueError unless the text is a key and one `/` after it."""
    if not (prefix.endswith("/") and is_key(prefix[:-1])):
        raise ValueError(f"{quote(prefix)} is no prefix; a prefix is a key and `/` after it")
