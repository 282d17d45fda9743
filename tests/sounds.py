"""Recordings in every container, made by FFmpeg's libraries, the SILK encoder and by hand."""

import io
import struct
import wave
from pathlib import Path

import av
import numpy as np
import pysilk

RATE = 16_000
FIXTURES = Path(__file__).parent / "fixtures"


def speech(seconds=3.0, rate=RATE, pauses=()):
    """Return int16 samples that swell and fall as syllables do, silent around the given seconds (0.4 s each)."""
    at = np.arange(int(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 12))
    sound = voice * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)) * 6000
    for pause in pauses:
        sound[np.abs(at - pause) < 0.2] = 0
    return sound.astype(np.int16)


def wav(samples, rate=RATE, channels=1):
    """Return a WAV file by the standard library."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).astype("<i2").tobytes())
    return out.getvalue()


def muxed(samples, form, codec, rate=RATE, *, video=False, **options):
    """Return a file by FFmpeg's libraries; with ``video``, pictures go with the sound."""
    out = io.BytesIO()
    with av.open(out, "w", format=form, options=options) as container:
        pictures = container.add_stream("mpeg4" if form != "webm" else "libvpx", rate=10) if video else None
        if pictures:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout="mono")
        if codec == "wmav2":
            stream.bit_rate = 32_000
        if pictures:
            for number in range(10):
                frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number * 9, np.uint8), format="rgb24")
                frame.pts = number
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=rate)
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        for part in [*fifo.read_many(size), *filter(None, [fifo.read()])]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return out.getvalue()


def amr(samples):
    """Return the recording of `speech` in the form of telephones, or of a second of silence: few builds write it."""
    return (FIXTURES / ("speech.amr" if samples.any() else "quiet.amr")).read_bytes()


def remuxed(content, form):
    """Return the same sound in another container."""
    out = io.BytesIO()
    with av.open(io.BytesIO(content)) as given, av.open(out, "w", format=form) as container:
        stream = container.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    return out.getvalue()


def silk(samples, *, tencent):
    """Return a voice message."""
    out = io.BytesIO()
    pysilk.encode(io.BytesIO(samples.tobytes()), out, RATE, RATE, tencent=tencent)
    return out.getvalue()


def tagged(mp3):
    """Return an MP3 file behind an ID3 tag, with a picture's worth of bytes in it."""
    body = b"TIT2" + struct.pack(">IH", 3000, 0) + b"\0" + b"a" * 2999
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + size + body + mp3


def every_container(sound):
    """Return each container's recording of ``sound``, by name."""
    mp3 = muxed(sound, "mp3", "libmp3lame", write_xing="0", id3v2_version="0")
    return {
        "wav": wav(sound),
        "wav-stereo": wav(sound, channels=2),
        "wav-adpcm": muxed(sound, "wav", "adpcm_ms"),
        "wav-float": muxed(sound, "wav", "pcm_f32le"),
        "mp3": mp3,
        "mp3-id3": tagged(mp3),
        "flac": muxed(sound, "flac", "flac"),
        "ogg-opus": muxed(sound, "ogg", "libopus", 48_000),
        "webm": muxed(sound, "webm", "libopus", 48_000),
        "mka": muxed(sound, "matroska", "aac"),
        "m4a": muxed(sound, "ipod", "aac"),
        "m4a-alac": muxed(sound, "ipod", "alac"),
        "aac": muxed(sound, "adts", "aac"),
        "aiff": muxed(sound, "aiff", "pcm_s16be"),
        "aifc": muxed(sound, "aiff", "pcm_s16le"),
        "caf": muxed(sound, "caf", "pcm_s16le"),
        "amr": amr(sound),
        "3gp": remuxed(amr(sound), "3gp"),
        "wma": muxed(sound, "asf", "wmav2"),
        "au": muxed(sound, "au", "pcm_s16be"),
        "silk": silk(sound, tencent=False),
        "silk-tencent": silk(sound, tencent=True),
        "mp4-video": muxed(sound, "mp4", "aac", video=True),
        "mov-video": muxed(sound, "mov", "aac", video=True),
        "mkv-video": muxed(sound, "matroska", "aac", video=True),
        "webm-video": muxed(sound, "webm", "libopus", 48_000, video=True),
        "avi-video": muxed(sound, "avi", "libmp3lame", video=True),
        "ts-video": muxed(sound, "mpegts", "aac", video=True),
        "wmv-video": muxed(sound, "asf", "wmav2", video=True),
    }
