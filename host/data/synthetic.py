# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A small synthetic event camera: moving arms, log-intensity changes, noise; 11 gestures, no download.

An arm is two soft-edged segments. Each pixel remembers the log intensity at its last event and fires when it has
changed by its threshold; times are interpolated between frames. Classes and labels are those of DVS128 Gesture.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from accel.errors import QCLIFError
from host.events.event_array import EVENT
from host.events.sample import Sample

GESTURES = ("Hand clapping", "Right hand wave", "Left hand wave", "Right arm cw", "Right arm ccw", "Left arm cw",
    "Left arm ccw", "Arm roll", "Air drums", "Air guitar", "Other gestures")

SIZE        = 128
DURATION_US = 1_000_000
FRAME_US    = 4000

# Log intensity of an arm over the background, the change that fires a pixel, and its spread between pixels.
CONTRAST         = 1.0
THRESHOLD        = 0.24
THRESHOLD_SPREAD = 0.04

# Pixels: half width of an arm, of its soft edge, and lengths of the upper and the lower arm.
RADIUS  = 6.0
EDGE    = 1.5
LENGTHS = (31.0, 30.0)

# Shoulders (x, y) of the right and the left arm; the subject faces the camera, so its right is on the left.
SHOULDERS = ((46.0, 48.0), (82.0, 48.0))

# Noise events a second of an ordinary pixel; a few hot ones have more.
NOISE_HZ   = 0.3
HOT_PIXELS = 4
HOT_HZ     = 400.0


def _angles(gesture: int, phase: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Angles [right and left, upper and lower arm, time] in radians: 0 hangs down, pi/2 points away from the body."""
    swing = np.sin(phase)
    still = np.zeros_like(phase)
    rest  = (still + 0.15, still + 0.1)
    if gesture == 0:      # Both hands meet in front.
        arm = (0.5 + 0.1*swing, -1.2 - 0.7*swing)
        return np.array([arm, arm])
    if gesture in (1, 2):  # The forearm is up and waves.
        wave = (1.2 + 0.4*swing, 2.5 + 1.2*swing)
        return np.array([wave, rest] if gesture == 1 else [rest, wave])
    if gesture in (3, 4, 5, 6):  # The whole arm turns; outwards is clockwise for the right arm as we see it.
        turn  = phase if gesture in (3, 6) else -phase
        whole = (turn, turn + 0.1*swing)
        return np.array([whole, rest] if gesture in (3, 4) else [rest, whole])
    if gesture == 7:      # The forearms go round each other.
        return np.array([(0.6 + 0.15*np.cos(phase), -1.5 + 0.7*swing), (0.6 - 0.15*np.cos(phase), -1.5 - 0.7*swing)])
    if gesture == 8:      # The hands go up and down in turns.
        return np.array([(0.5 + 0.25*swing, 1.3 + 0.7*swing), (0.5 - 0.25*swing, 1.3 - 0.7*swing)])
    if gesture == 9:      # The left hand holds the neck, the right one strums.
        return np.array([(0.5 + 0.1*swing, -0.9 + 0.55*np.sin(2*phase)), (1.1 + 0.05*swing, 1.9 + 0.15*swing)])
    # Anything else: each angle its own slow mixture.
    a, b, c = rng.uniform(0.3, 0.7, (2, 2, 1)), rng.uniform(0.5, 1.5, (2, 2, 1)), rng.uniform(0, 6.3, (2, 2, 1))
    return rng.uniform(0.4, 1.6, (2, 2, 1)) + a*np.sin(b*phase + c) + 0.3*np.sin(1.7*phase + 2*c)


def _joints(gesture: int, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shoulder, elbow and hand of both arms over time: [time, arm, joint, (x, y)] in pixels."""
    rate   = rng.uniform(1.0, 1.4)*(1 if gesture in (3, 4, 5, 6) else 2.2)
    phase  = 2*np.pi*(rate*times + rng.uniform())
    angles = _angles(gesture, phase, rng)
    sway   = 1.5*np.sin(2*np.pi*0.7*times + rng.uniform(0, 6.3))
    centre = rng.normal(0, 3, 2)
    scale  = rng.uniform(0.9, 1.1)
    joints = np.empty((len(times), 2, 3, 2), np.float32)
    for arm, (shoulder, side) in enumerate(zip(SHOULDERS, (-1, 1), strict=True)):
        joints[:, arm, 0] = np.asarray(shoulder) + centre + np.stack([sway, 0*sway], axis=1)
        for bone, length in enumerate(LENGTHS):
            step = scale*length*np.stack([side*np.sin(angles[arm, bone]), np.cos(angles[arm, bone])], axis=1)
            joints[:, arm, bone + 1] = joints[:, arm, bone] + step
    return joints


def _render(joints: np.ndarray, image: np.ndarray) -> None:
    """Draw the arms [arm, joint, (x, y)] into log intensity [SIZE, SIZE]: CONTRAST inside, 0 outside."""
    image[:] = 0
    margin = RADIUS + EDGE
    for arm in joints:
        for start, end in pairwise(arm):
            low  = np.clip(np.minimum(start, end) - margin, 0, SIZE).astype(int)
            high = np.clip(np.maximum(start, end) + margin + 2, 0, SIZE).astype(int)
            x = np.arange(low[0], high[0], dtype=np.float32) - start[0]
            y = np.arange(low[1], high[1], dtype=np.float32)[:, None] - start[1]
            bone  = end - start
            along = np.clip((x*bone[0] + y*bone[1])/(bone @ bone), 0, 1)
            distance = np.sqrt((x - along*bone[0])**2 + (y - along*bone[1])**2)
            cover = np.clip((RADIUS + EDGE - distance)/(2*EDGE), 0, 1)
            patch = image[low[1]:high[1], low[0]:high[0]]
            np.maximum(patch, CONTRAST*cover, out=patch)


def _changes(joints: np.ndarray, duration_us: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Events of the moving arms, frame by frame."""
    threshold = (THRESHOLD*rng.normal(1, THRESHOLD_SPREAD, (SIZE, SIZE)).clip(0.5)).astype(np.float32).ravel()
    image     = np.zeros((SIZE, SIZE), np.float32)
    _render(joints[0], image)
    reference = image.copy().ravel()
    for frame in range(1, len(joints)):
        before = image.copy().ravel()
        _render(joints[frame], image)
        change = image.ravel() - reference
        pixel  = np.flatnonzero(np.abs(change) >= threshold)
        count  = (np.abs(change[pixel])/threshold[pixel]).astype(int)
        sign   = np.sign(change[pixel])
        first  = np.repeat(np.cumsum(count) - count, count)
        order  = np.arange(len(first)) - first + 1
        pixels, signs = np.repeat(pixel, count), np.repeat(sign, count)
        # When the straight line between the two frames crosses the order-th threshold.
        level    = reference[pixels] + signs*order*threshold[pixels]
        slope    = image.ravel()[pixels] - before[pixels]
        fraction = np.divide(level - before[pixels], slope, out=np.ones_like(level), where=slope != 0).clip(0, 1)
        times    = (frame - 1)*FRAME_US + (fraction*(FRAME_US - 1)).astype(np.int64)
        reference[pixel] += sign*count*threshold[pixel]
        yield _events(pixels, signs > 0, np.minimum(times, duration_us - 1))


def _noise(duration_us: int, rng: np.random.Generator) -> np.ndarray:
    rates = np.full(SIZE*SIZE, NOISE_HZ)
    rates[rng.choice(SIZE*SIZE, HOT_PIXELS, replace=False)] = HOT_HZ
    pixels = np.repeat(np.arange(SIZE*SIZE), rng.poisson(rates*duration_us*1e-6))
    return _events(pixels, rng.integers(0, 2, len(pixels)), rng.integers(0, duration_us, len(pixels)))


def _events(pixels: np.ndarray, on: np.ndarray, times: np.ndarray) -> np.ndarray:
    events = np.empty(len(pixels), EVENT)
    events["y"], events["x"] = np.divmod(pixels, SIZE)
    events["p"], events["t"] = on, times
    return events


def record(gesture: int, seed: int = 0, duration_us: int = DURATION_US) -> Sample:
    """Record one gesture.

    Parameters
    ----------
    gesture : class, 0 to 10, an index of GESTURES.
    seed : equal arguments give equal events.
    duration_us : length, 10000 to 60000000 microseconds.

    Raises
    ------
    QCLIFError : an argument out of its limits.
    """
    if not 0 <= gesture < len(GESTURES):
        raise QCLIFError(f"gesture {gesture}, the limits are 0 to {len(GESTURES) - 1}: choose another")
    if not 10_000 <= duration_us <= 60_000_000:
        raise QCLIFError(f"duration {duration_us} us, the limits are 10000 to 60000000: choose another")
    rng    = np.random.default_rng([seed, gesture])
    frames = -(-duration_us//FRAME_US) + 1
    joints = _joints(gesture, np.arange(frames)*FRAME_US*1e-6, rng)
    events = np.concatenate([*_changes(joints, duration_us, rng), _noise(duration_us, rng)])
    events = events[np.argsort(events["t"], kind="stable")]
    return Sample(f"synthetic {seed}", events, label=gesture, sensor_size=(SIZE, SIZE))


def recordings(samples: int, seed: int = 0, duration_us: int = DURATION_US) -> Iterator[Sample]:
    """Recordings of the gestures in turn, each with a seed of its own."""
    for index in range(samples):
        yield record(index % len(GESTURES), seed + index, duration_us)
