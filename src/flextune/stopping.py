"""Where a completion ends: the one reading of stop strings, for models that decode and for what is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def cut_at_stop(text: str, stops: Sequence[str], *, ended: bool = False) -> tuple[str, bool]:
    r"""Cut a text before the earliest stop string.

    Args:
        text: What follows the prompt.
        stops: Stop strings; an empty one is no stop.
        ended: The model ended here of its own accord (EOS). A line that ends with the text is then a whole
            line: ``"\n    }"`` meets the stop ``"\n    }\n"``.

    Returns:
        The text before the stop, and whether a stop took something away.
    """
    whole = text + "\n" if ended else text
    positions = [place for stop in stops if stop and 0 <= (place := whole.find(stop)) < len(text)]
    return (text[: min(positions)], True) if positions else (text, False)


def tokens_until_stop(
    ids: Sequence[int], decode: Callable[[Sequence[int]], str], stops: Sequence[str]
) -> int:
    """Smallest number of leading tokens whose text holds a stop string; all of them where none does.

    A stop string stays once it is there, so halving finds the first token that completes one.
    """
    low, high = 0, len(ids)
    while low < high:
        middle = (low + high) // 2
        if cut_at_stop(decode(ids[:middle]), stops)[1]:
            high = middle
        else:
            low = middle + 1
    return low


def tail_tokens(stops: Sequence[str]) -> int:
    """Tokens before a new one that a stop string may reach back to: one for every byte."""
    return max((len(stop.encode()) for stop in stops), default=0)
