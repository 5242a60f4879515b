"""A program of its own that decodes one sound with PyAV (FFmpeg): bytes on stdin, JSON line and float32 on stdout.

Sounds from strangers may crash or hang a decoder or use up its memory, so FFmpeg never runs within mmgan: this process
has limited memory and seconds, can open no further file, and ends after one sound. :mod:`mmgan.data.media.sounds`
starts it by its path. It imports nothing of mmgan, which would take seconds.

Arguments: samples over all channels, seconds, the lowest and the highest rate in Hz. The first line of the output is
``{"rate": Hz, "channels": n, "container": name}`` with the samples after it, interleaved, or ``{"error": why}``.
"""

import contextlib
import io
import json
import sys

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,amr,amrnb,amrwb,aac,mp3,ogg,wav,w64,flac,aiff,caf,au"
CODECS = {
    "aac", "aac_latm", "ac3", "eac3", "alac", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb", "flac",
    "gsm", "gsm_ms", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "speex", "libspeex",
    "vorbis", "libvorbis", "wmalossless", "wmapro", "wmav1", "wmav2", "wmavoice",
}  # fmt: skip
MEMORY = 2 << 30  # bytes
CPU_SECONDS = 30  # ten minutes of AAC or Opus take two
MOST_ERRORS = 1_000  # packets that cannot be decoded
# A WAV of eight samples.
SILENCE = b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x10\0\0\0" + bytes(16)


class Refused(Exception):
    """``str`` is a key of the sentences in :mod:`mmgan.data.media.sounds`; ``rate`` is in Hz, where that is what is
    wrong."""

    def __init__(self, why: str, rate: int = 0):
        super().__init__(why)
        self.rate = rate


def confine() -> None:
    """Limits this process, where the system can."""
    with contextlib.suppress(ImportError):
        import resource

        for what, most in (
            (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 3),  # files already open stay open; no further file or connection can be opened
        ):  # fmt: skip
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(what, (most, most))


def decode(av, data: bytes, samples: int, seconds: float, lowest: int, highest: int, out) -> None:
    """Writes the first line and the samples to ``out``. Raises Refused, or whatever PyAV does before the first line."""
    codecs = [name for name in av.codecs_available if name in CODECS or name.startswith(("pcm_", "adpcm_"))]
    options = {"format_whitelist": CONTAINERS, "codec_whitelist": ",".join(sorted(codecs))}
    with av.open(io.BytesIO(data), options=options) as container:
        stream = container.streams.best("audio")
        if stream is None:
            raise Refused("no_sound")
        if container.duration is not None and container.duration > (seconds + 1) * av.time_base:
            raise Refused("long")
        left, first = samples, None
        for frame in _frames(av, container, stream):
            shape = frame.sample_rate, len(frame.layout.channels)
            if first is None:
                if not lowest <= shape[0] <= highest:
                    raise Refused("rate", shape[0])
                first, left = shape, min(left, int((seconds + 1) * shape[0]) * shape[1])
                line = {"rate": shape[0], "channels": shape[1], "container": container.format.name}
                out.write(json.dumps(line).encode() + b"\n")
            if shape != first:  # a broadcast that changes its format; only the beginning is heard
                return
            left -= frame.samples * shape[1]
            if left < 0:
                raise Refused("long")
            out.write(bytes(frame.planes[0])[: 4 * frame.samples * shape[1]])
        if first is None:
            raise Refused("unreadable")


def _frames(av, container, stream):
    """Decoded frames, interleaved float32, over packets that are damaged."""
    resampler, errors = None, 0
    packets = container.demux(stream)
    while True:
        try:
            frames = next(packets).decode()
        except (StopIteration, EOFError):
            break
        except av.FFmpegError:
            errors += 1
            if errors > MOST_ERRORS:
                return
            continue
        for frame in frames:
            resampler = resampler or av.AudioResampler(format="flt")
            try:
                yield from resampler.resample(frame)
            except (av.FFmpegError, ValueError):  # its channels are laid out differently from here on
                return
    if resampler:
        yield from resampler.resample(None)


def main() -> None:
    del sys.path[0]  # this folder: modules here would hide others of the same name
    out = sys.stdout.buffer
    try:
        import av
    except ImportError:
        _refuse(out, "absent")
    samples, seconds, lowest, highest = map(float, sys.argv[1:])
    data = sys.stdin.buffer.read()
    decode(av, SILENCE, 1_000, 1.0, 1, 48_000, io.BytesIO())  # makes PyAV import now what it would import later
    confine()
    try:
        decode(av, data, int(samples), seconds, int(lowest), int(highest), out)
    except Refused as refused:
        _refuse(out, str(refused), refused.rate)
    except Exception:  # FFmpeg's errors are of many kinds; all mean the same
        _refuse(out, "unreadable")


def _refuse(out, why: str, rate: int = 0) -> None:
    """As the output if nothing was written yet, else as the exit status: the caller looks at both."""
    out.write(json.dumps({"error": why, "rate": rate}).encode() + b"\n")
    out.flush()
    sys.exit({"long": 3}.get(why, 2))


if __name__ == "__main__":
    main()
