"""Convert and split one hour of sound: seconds and peak memory, beside the ffmpeg program where there is one.

Run by hand: ``python tests/bench/audio.py``.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOUR = 3600
MAKERS = {"m4a": ("ipod", "aac", 44_100), "aiff": ("aiff", "pcm_s16be", 44_100), "mp3": ("mp3", "libmp3lame", 44_100)}


def make(path, form, codec, rate):
    """Write an hour of something like speech, a pause in every fifth second."""
    import av
    import numpy as np

    at = np.arange(5 * rate) / rate
    five = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 12)) * (0.55 + 0.45 * np.sin(25 * at)) * 6000
    five += np.random.default_rng(1).normal(0, 60, five.shape)
    five[int(4.5 * rate) :] /= 200
    five = np.stack([five, five], axis=1).astype(np.int16).reshape(1, -1)
    with av.open(path, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        resampler = av.AudioResampler(stream.codec_context.format or "s16", "stereo", rate, frame_size=1024)
        for number in range(HOUR // 5):
            frame = av.AudioFrame.from_ndarray(five, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = rate, number * 5 * rate
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def ours(path):
    """Prepare in this process; print seconds, pieces, bytes, peak memory."""
    from codex_nb.audio import prepare

    started = time.perf_counter()
    clips = prepare(path)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    length = sum(clip.duration for clip in clips)
    size = sum(clip.size for clip in clips) / 2**20
    print(f"codex_nb  {seconds:6.1f} s  {peak:4.0f} MB at most  {len(clips)} pieces  {length:.1f} s  {size:.0f} MB")


def theirs(path):
    """Let the program do the same; its cuts do not listen."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-ac", "1", "-ar", "24000", "-f", "segment", "-segment_time", "340", f"{folder}/%d.flac"]
        started = time.perf_counter()
        subprocess.run(["ffmpeg", "-v", "error", "-i", path, *options], check=True)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"ffmpeg    {seconds:6.1f} s  {peak:4.0f} MB at most  {len(list(Path(folder).iterdir()))} pieces")


def main():
    """Measure each kind of file in a process of its own."""
    if len(sys.argv) == 3:
        {"ours": ours, "theirs": theirs}[sys.argv[1]](sys.argv[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        for kind, how in MAKERS.items():
            path = str(Path(folder) / f"hour.{kind}")
            make(path, *how)
            print(f"{kind}, {Path(path).stat().st_size / 2**20:.0f} MB", flush=True)
            for who in ("ours", "theirs") if shutil.which("ffmpeg") else ("ours",):
                subprocess.run([sys.executable, __file__, who, path], check=True)
            Path(path).unlink()


if __name__ == "__main__":
    main()
