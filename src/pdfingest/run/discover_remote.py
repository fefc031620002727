"""Discovery of what is not on this machine: objects of stores, and files on the web.

Below a folder the names count that count in a directory: those that end in `.pdf`, and nothing
hidden. Nothing is downloaded here.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from pdfingest.errors import UsageError
from pdfingest.model import FailureKind
from pdfingest.remote.address import Address
from pdfingest.remote.listing import look_at, objects_in
from pdfingest.remote.place import Listed, Web, as_shown, name_of, parse_place, state_of
from pdfingest.run.found import Found
from pdfingest.stop import Stop
from pdfingest.text import source_name

BATCH = 1000
"""Single objects that are looked at together."""


def place_of(text: str) -> str:
    """Return an input as it is remembered; that of a folder ends with a slash."""
    place = parse_place(text)
    is_folder = isinstance(place, Address) and not _is_pdf(text)
    return f"{str(place).rstrip('/')}/" if is_folder else text


def reach(text: str, stop: Stop, *, is_only: bool) -> Iterator[Found]:
    """Yield the PDFs below a folder of a store, or the one file that an input names.

    Args:
        text: the input.
        stop: ends the listing.
        is_only: whether there is no other input, so that names can be relative to this one.

    Raises:
        UsageError: it cannot be understood.
        ListingError: a folder cannot be listed.
        EngineUnavailableError: obstore is not installed.
    """
    place = parse_place(text)
    above = f"{text.rpartition('/')[0]}/" if is_only else ""
    if isinstance(place, Web) or _is_pdf(text):
        yield from _looked_at([text], above, stop)
        return
    below = place_of(text)
    found = filter(lambda each: _counts(each.place.removeprefix(below)), objects_in(place, stop))
    first = next(found, None)
    if first is not None:
        yield from (_found(each, below if is_only else "") for each in chain([first], found))
    elif not text.endswith("/") and place.key and not stop.requested:
        yield from _looked_at([text], above, stop)  # an object whose name does not say that it is


def reach_all(texts: Iterable[str], stop: Stop) -> Iterator[Found]:
    """Yield what a list names; what cannot be understood is a source with an error.

    Args:
        texts: places, some `BATCH` of them.
        stop: ends the listing.

    Raises:
        ListingError, EngineUnavailableError: as `reach`.
    """
    single: list[str] = []
    for text in texts:
        try:
            is_single = isinstance(parse_place(text), Web) or _is_pdf(text)
        except UsageError as error:
            yield Found(_named(text, ""), as_shown(text), error=str(error))
            continue
        if is_single:
            single.append(text)
        else:
            yield from reach(text, stop, is_only=False)
    if single:
        yield from _looked_at(single, "", stop)


def _looked_at(places: Sequence[str], above: str, stop: Stop) -> Iterator[Found]:
    """Yield single objects, and as sources with an error those that cannot be had."""
    for known in look_at(places, stop):
        if isinstance(known, Listed):
            yield _found(known, above)
            continue
        found = Found(_named(known.place, above), known.place)
        # Whether it can be had turns out when it is downloaded: a server may answer to GET alone,
        # as where a URL is signed for it, and the network may be there again.
        is_sure = known.kind == FailureKind.UNREADABLE and not isinstance(
            parse_place(known.place), Web
        )
        yield found._replace(error=known.message) if is_sure else found


def _named(place: str, above: str) -> str:
    return source_name(name_of(place, above))


def _found(listed: Listed, above: str) -> Found:
    """Make of an object what discovery finds."""
    place, size_bytes = listed.place, listed.size_bytes
    name = _named(place, above)
    try:
        parse_place(place)
    except UsageError:
        error = "its key has dots or control characters, so it could be taken for another"
        return Found(name, place, size_bytes, error)
    return Found(name, place, size_bytes, "", *state_of(listed), place)


def _counts(name: str) -> bool:
    """Return whether an object counts, given its key relative to the folder."""
    return _is_pdf(name) and not any(part.startswith(".") for part in name.split("/"))


def _is_pdf(text: str) -> bool:
    return text[-4:].lower() == ".pdf"
