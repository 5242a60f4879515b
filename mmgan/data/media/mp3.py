"""Frames of an MP3 (ISO/IEC 11172-3 and 13818-3, layer III): where they begin in a damaged file, and their number.

libsndfile opens an MP3 only if it begins with a frame or a tag, and takes the length from the first frame: exactly from
a Xing header, else by a guess that cuts files of variable bit rate short.
"""

from __future__ import annotations

FIRST_FRAME = 1 << 20  # bytes within which an MP3 begins
FRAMES = 3  # in a row by which an MP3 is recognised
RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}  # MPEG 1, 2, 2.5
KILOBITS = {  # MPEG 1, and 2 and 2.5
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
TAGS = (b"Xing", b"Info", b"VBRI")


def first_frame(data: bytes, start: int = 1) -> int:
    """Where an MP3 begins that was cut in mid-frame or has zeros or damaged tags before it; 0 for nowhere."""
    place = data.find(b"\xff", start, FIRST_FRAME)
    while place >= 0:
        end = place
        for _ in range(FRAMES):
            length = frame_length(data[end : end + 4])
            end += length
            if not length:
                break
        else:
            return place
        place = data.find(b"\xff", place + 1, FIRST_FRAME)
    return 0


def with_count(data: bytes) -> tuple[bytes, int]:
    """The same MP3 with a Xing header that counts its frames, and its samples a channel; 0 where it has such a header,
    or cannot be followed."""
    start = place = 0 if frame_length(data[:4]) else first_frame(data)
    count = 0
    while length := frame_length(data[place : place + 4]):
        place, count = place + length, count + 1
    if count < FRAMES or any(tag in data[start : start + 64] for tag in TAGS):
        return data, 0
    # Of the first frame's kind, so that both are one stream; silent, and long enough to hold the count.
    head = bytearray(data[start : start + 4])
    head[1] |= 1  # no checksum
    head[2] = head[2] & 0x0D | 0x90  # 128 or 80 kbit/s, no padding
    mpeg1, single = head[1] >> 3 & 3 == 3, head[3] >> 6 == 3
    side = (17 if single else 32) if mpeg1 else (9 if single else 17)
    frame = bytes(head) + bytes(side) + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return frame.ljust(frame_length(frame[:4]), b"\0") + data[start:], count * (1_152 if mpeg1 else 576)


def frame_length(head: bytes) -> int:
    """Bytes of the frame that begins with these four; 0 where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, kilobits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or kilobits in (0, 15) or rate == 3:
        return 0
    size = 144_000 if version == 3 else 72_000
    return size * KILOBITS[version == 3][kilobits - 1] // RATES[version][rate] + (head[2] >> 1 & 1)
