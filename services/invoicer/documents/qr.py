"""QR symbols of text (ISO/IEC 18004:2015): byte mode, error correction level M, one fixed mask.

Written by ourselves: a library takes 2 ms for a symbol, twenty times as long. What is alike for
every symbol of a size is made once: which bit of the message goes to which module. Sections below
are the standard's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, zip_longest
from operator import itemgetter

# Table 9, level M by version: error correction codewords of a block, and the data codewords of
# each block.
_BLOCKS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (10, (16,)),
    (16, (28,)),
    (26, (44,)),
    (18, (32,) * 2),
    (24, (43,) * 2),
    (16, (27,) * 4),
    (18, (31,) * 4),
    (22, (38,) * 2 + (39,) * 2),
    (22, (36,) * 3 + (37,) * 2),
    (26, (43,) * 4 + (44,)),
    (30, (50,) + (51,) * 4),
    (22, (36,) * 6 + (37,) * 2),
    (22, (37,) * 8 + (38,)),
)
# Table E.1: centres of the alignment patterns.
_CENTRES: tuple[tuple[int, ...], ...] = (
    (),
    (6, 18),
    (6, 22),
    (6, 26),
    (6, 30),
    (6, 34),
    (6, 22, 38),
    (6, 24, 42),
    (6, 26, 46),
    (6, 28, 50),
    (6, 30, 54),
    (6, 32, 58),
    (6, 34, 62),
)
_BYTE_MODE, _COUNT_BITS, _LONG_FROM = 0b0100, (8, 16), 10  # tables 2 and 3
_PADS = b"\xec\x11"  # 7.4.10
_FIELD = 0x11D  # 7.5.2
_FORMAT, _FORMAT_MASK, _FORMAT_GENERATOR = 0b00_010, 0b101010000010010, 0b10100110111  # 7.9
_VERSION_GENERATOR, _VERSIONED_FROM = 0b1111100100101, 7  # 7.10


def symbol(content: bytes) -> list[str]:
    """The smallest symbol of `content` as rows of "0" and "1" (dark), without a quiet zone.

    Raises ValueError for more than the 331 bytes that version 13 holds, which EPC069-12 allows.
    """
    for version in range(1, len(_BLOCKS) + 1):
        capacity = sum(_BLOCKS[version - 1][1])
        count_bits = _COUNT_BITS[version >= _LONG_FROM]
        if 4 + count_bits + 8 * len(content) <= 8 * capacity:
            break
    else:
        raise ValueError(f"{len(content)} bytes are too much for a QR symbol of ours")
    head = (_BYTE_MODE << count_bits | len(content)) << 8 * len(content)
    bits = head | int.from_bytes(content)
    data = (bits << 4).to_bytes(1 + count_bits // 8 + len(content))  # 7.4.9: the terminator
    padded = (data + _PADS * capacity)[:capacity]
    layout = _layout(version)
    message = int.from_bytes(_message(version, padded)) << layout.rest
    masked = f"{message ^ layout.mask:0{layout.bits}b}01"
    modules = "".join(layout.take(masked))
    return [modules[at : at + layout.side] for at in range(0, len(modules), layout.side)]


# -- 7.5, 7.6: error correction ----------------------------------------------------------------


def _message(version: int, data: bytes) -> bytes:
    """Data and error correction codewords, the blocks of each interleaved."""
    length, sizes = _BLOCKS[version - 1]
    table, top = _remainders(length), 8 * (length - 1)
    low = (1 << top) - 1
    blocks, corrections, start = [], [], 0
    for size in sizes:
        block = data[start : start + size]
        start += size
        remainder = 0
        for codeword in block:
            remainder = (remainder & low) << 8 ^ table[remainder >> top ^ codeword]
        blocks.append(block)
        corrections.append(remainder.to_bytes(length))
    of_data = (each for each in chain(*zip_longest(*blocks)) if each is not None)
    return bytes(chain(of_data, *zip(*corrections, strict=True)))


@cache
def _remainders(length: int) -> tuple[int, ...]:
    """What each codeword leaves when it is divided by the generator polynomial of that degree."""
    generator, root = [1], 1
    for _ in range(length):
        shifted = [*generator, 0]
        generator = [a ^ _times(b, root) for a, b in zip(shifted, [0, *generator], strict=True)]
        root = _times(root, 2)
    return tuple(
        int.from_bytes(bytes(_times(factor, each) for each in generator[1:]))
        for factor in range(256)
    )


def _times(a: int, b: int) -> int:
    """Product in GF(256)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = a << 1, b >> 1
        if a & 0x100:
            a ^= _FIELD
    return product


# -- 6.3, 7.7 to 7.10: where things stand --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """`take` picks every module, row by row, out of the message's bits and then a 0 and a 1."""

    side: int
    bits: int
    rest: int
    mask: int
    take: Callable[[str], tuple[str, ...]]


@cache
def _layout(version: int) -> _Layout:
    side = 17 + 4 * version
    fixed = dict(_fixed(version, side))
    free = [place for place in _way(side) if place not in fixed]
    number = {place: bit for bit, place in enumerate(free)}
    picks = []
    for row in range(side):
        for column in range(side):
            place = (row, column)
            picks.append(len(free) + fixed[place] if place in fixed else number[place])
    return _Layout(
        side=side,
        bits=len(free),
        rest=len(free) % 8,
        mask=int("".join("01"[column % 3 == 0] for _, column in free), 2),  # table 10, 010
        take=itemgetter(*picks),
    )


def _way(side: int) -> Iterator[tuple[int, int]]:
    """7.7.3: up and down in columns of two, from the right; the column of the timing pattern is
    passed over."""
    upward = True
    for right in (*range(side - 1, 6, -2), 5, 3, 1):
        for row in range(side - 1, -1, -1) if upward else range(side):
            yield row, right
            yield row, right - 1
        upward = not upward


def _fixed(version: int, side: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Modules that are the same in every symbol of a version; later ones overwrite earlier."""
    for along in range(side):
        yield (6, along), 1 - along % 2
        yield (along, 6), 1 - along % 2
    centres, last = _CENTRES[version - 1], side - 7
    for row in centres:
        for column in centres:
            if (row, column) not in ((6, 6), (6, last), (last, 6)):
                yield from _square(row, column, 2, (1, 0, 1))
    for row, column in ((3, 3), (3, side - 4), (side - 4, 3)):
        for place, dark in _square(row, column, 4, (1, 1, 0, 1, 0)):
            if 0 <= place[0] < side and 0 <= place[1] < side:
                yield place, dark
    yield from _format(side)
    if version >= _VERSIONED_FROM:
        word = _with_check(version, 12, _VERSION_GENERATOR)
        for bit in range(18):
            away, along = side - 11 + bit % 3, bit // 3
            yield (away, along), word >> bit & 1
            yield (along, away), word >> bit & 1


def _square(
    row: int, column: int, reach: int, rings: Sequence[int]
) -> Iterator[tuple[tuple[int, int], int]]:
    """Rings round a module, by their distance from it."""
    for down in range(-reach, reach + 1):
        for along in range(-reach, reach + 1):
            yield (row + down, column + along), rings[max(abs(down), abs(along))]


def _format(side: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Level and mask, twice, and the module that is always dark."""
    word = _with_check(_FORMAT, 10, _FORMAT_GENERATOR) ^ _FORMAT_MASK
    down = [*range(6), 7, 8, *range(side - 7, side)]  # figure 25, bit 0 first
    along = [*range(side - 1, side - 9, -1), 7, *range(5, -1, -1)]
    for bit in range(15):
        yield (down[bit], 8), word >> bit & 1
        yield (8, along[bit]), word >> bit & 1
    yield (side - 8, 8), 1


def _with_check(value: int, length: int, generator: int) -> int:
    """`value` followed by the remainder of its division: a BCH code (annexes C and D)."""
    remainder = value << length
    while remainder.bit_length() > length:
        remainder ^= generator << (remainder.bit_length() - length - 1)
    return value << length | remainder
