# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The link protocol: every number and layout of it, for the host and (through firmware.header) the firmware.

The host asks, the device answers each request once; framing is in `host.link.framing`. Requests but HELLO are
numbered and executed in order, exactly once; a repeated one is answered again from the device's store.
All integers are little-endian.

HELLO   a random nonce; the session in its header becomes the current one, unless session and nonce are so already
        -> who the device is (layout HELLO, which begins with its status and the version in all versions)
STEPS   varint n; n steps: varint events, ascending sources as varint differences (the first from 0)
        -> n steps: spikes, a list or a bitmap (`bitmap_from`)
        -> and, after WINDOW with `report`, i32 each: all logits; u32 each: states of the watched neurons, as in STATE
PART    one step as in STEPS, which goes on in the next PART or in the first step of the next STEPS
RAW     raw event words (`host.link.raw_events`)
        -> varints: source + 1 for each source that fired; 0 for each step completed, then spikes; the rest as in STEPS
FINISH  -> as RAW: completes the last step of a recording sent with RAW
Sources are those of the build: sensory j is j, context k is `inputs` of the build + k.
"""

import struct
from dataclasses import dataclass

from accel.config import (
    CORE_COUNTERS,
    RAW_NARROW_BYTES,
    RAW_WIDE_BYTES,
    SPACE_APICAL,
    SPACE_PARAMETERS,
    SPACE_SOMA,
    QCLIFConfig,
)
from accel.errors import QCLIFError

# Another one with each change of what is on the line: a number, a layout, an order, a meaning. Framing, the request
# HELLO and the first two bytes of its answer stay what they are in all versions, so that each can tell the other's.
PROTOCOL_VERSION = 6
FIRMWARE_VERSION = 1

# Types of frames ----------------------------------------------------------------------------------

REQUESTS = {
    "HELLO": 0x01, "WRITE": 0x02, "VERIFY": 0x03, "CONFIGURE": 0x04, "ENCODER": 0x05, "BEGIN": 0x06,
    "PART":  0x07, "STEPS": 0x08, "RAW":    0x09, "FINISH":    0x0a, "END":     0x0b, "LOGITS": 0x0c,
    "STATE": 0x0d, "STATS": 0x0e, "WINDOW": 0x0f, "COUNTERS": 0x10, "WATCH": 0x11,
}
RESPONSE = 0x80

# Unasked-for frames of the device.
NOTICES = {"BUSY": 0xfd, "SESSION": 0xfe, "NAK": 0xff}
NAK_REASONS    = {"CRC": 0, "GAP": 1, "OVERSIZE": 2}
SESSION_STATES = {"RESET": 0, "TAKEN": 1}

# What became of a received frame, as the gateware tells the firmware.
FRAME_RESULTS  = {"NONE": 0, "GOOD": 1, "BAD": 2, "OVERSIZE": 3}

# Clocks between two BUSY, few enough for a slow simulator.
BUSY_CLOCKS    = 2**18

# Spaces of WRITE and VERIFY besides the accelerator's own.
SPACE_CPU, SPACE_READOUT = 4, 5
SPACES  = {"SOMA": SPACE_SOMA, "APICAL": SPACE_APICAL, "PARAMETERS": SPACE_PARAMETERS,
           "CPU": SPACE_CPU, "READOUT": SPACE_READOUT}
ENGINES = {"accel": 0, "cpu": 1}

# Most that the readout's window can be told to fade: logits lose 1/2**decay of themselves a step, none with 0.
DECAY_MAX = 15

# Most neurons whose states come with each answer.
WATCH_MAX = 16

# First byte of a step's spikes as a bitmap. A list begins with how many neurons it has, less than 128 (`bitmap_from`).
BITMAP = 0xff

# Bits a second of a serial line, where nobody asks for others.
DEFAULT_BAUDRATE = 1_000_000

# Layouts: name -> (field, struct character). C gets the offsets -----------------------------------

# Fields of QCLIFConfig that HELLO tells, u16 each, in this order.
HELLO_SIZES = (
    "neurons", "inputs", "contexts", "lanes", "weight_bits", "state_bits", "current_bits", "outputs", "step_events",
    "spike_fifo", "frame_bytes", "frame_window", "uart_fifo", "updates",
)

LAYOUTS = {
    # Before a frame's payload; the CRC-32 of both comes behind it.
    "HEADER":    [("type", "B"), ("sequence", "B"), ("session", "H")],
    "NONCE":     [("nonce", "I")],
    "WRITE":     [("space", "B"), ("address", "I")],
    "VERIFY":    [("space", "B"), ("address", "I"), ("count", "I")],
    "SUMS":      [("sum", "I"), ("sums", "I")],
    "CONFIGURE": [("engine", "B"), ("neurons", "H"), ("inputs", "H"), ("contexts", "H"), ("outputs", "H"),
                  ("apical_shift", "B"), ("product_shift", "B"), ("network_id", "I")],
    "ENCODER":   [("width", "H"), ("height", "H"), ("grid_width", "H"), ("grid_height", "H"),
                  ("polarities", "B"), ("bin_us", "I"), ("count_threshold", "H")],
    "WINDOW":    [("decay", "B"), ("report", "B")],
    "RANGE":     [("first", "H"), ("count", "H")],
    "ERROR":     [("status", "B"), ("value", "I"), ("limit", "I")],
    "HELLO":     [("status", "B"), ("protocol", "B"), ("firmware", "H"), ("clock_hz", "I"), ("engines", "B"),
                  ("ram_bytes", "I"), ("network_accel", "I"), ("network_cpu", "I"), ("previous", "H"),
                  ("sample_open", "B")] + [(name, "H") for name in HELLO_SIZES],
}
_STRUCTS = {name: struct.Struct("<" + "".join(kind for _, kind in fields)) for name, fields in LAYOUTS.items()}

HEADER = _STRUCTS["HEADER"]
CRC    = struct.Struct("<I")

OVERHEAD_BYTES = HEADER.size + CRC.size


def pack(layout: str, **values: int) -> bytes:
    """Payload (or its head) of the named layout; every field is to be given."""
    return _STRUCTS[layout].pack(*(values[field] for field, _ in LAYOUTS[layout]))


def unpack(layout: str, data: bytes) -> dict[str, int]:
    """Fields by name of a payload that starts with the named layout."""
    if len(data) < _STRUCTS[layout].size:
        raise QCLIFError(f"an answer of the device has {len(data)} bytes, {_STRUCTS[layout].size} are needed: host and "
            "firmware differ in version, build the SoC anew")
    return dict(zip((field for field, _ in LAYOUTS[layout]), _STRUCTS[layout].unpack_from(data), strict=True))


def size(layout: str) -> int:
    """Bytes of the named layout."""
    return _STRUCTS[layout].size


# Answers: counters and errors ---------------------------------------------------------------------

# u32 each in the answers to END and COUNTERS, since BEGIN, modulo 2**32; `busy` and `stalls` are clocks of the engine.
COUNTERS = (*CORE_COUNTERS, "soc_clocks")

# u32 each in the answer to STATS, since boot, modulo 2**32.
STATS = (
    "rx_bytes", "rx_clocks", "rx_frames", "rx_errors", "rx_overflows", "tx_bytes", "tx_clocks", "tx_frames",
    "naks", "replays", "steps", "pump_events", "pump_clocks", "wait_clocks", "drain_spikes", "drain_clocks",
    "raw_events", "raw_clocks", "cpu_steps", "cpu_clocks",
)

# Status of an answer that is not OK, numbered from 1, and what the user reads.
ERRORS = {
    "REQUEST":  "request type {value} is unknown to the firmware (protocol {limit}): build the SoC anew",
    "LENGTH":   "a request of {value} bytes has not the form of its type (wrong at byte {limit}): build the SoC anew",
    "SPACE":    "memory space {value} is not in this build: choose another --engine",
    "ADDRESS":  "address {value} is outside of the memory, which ends at {limit}: take a smaller network",
    "ENGINE":   "engine {value} is not in this build (engines as bits: {limit}): choose another --engine",
    "NEURONS":  "the network has {value} neurons, the build {limit}: build with more --neurons",
    "INPUTS":   "the network has {value} inputs, the build {limit}: build with more --inputs",
    "CONTEXTS": "the network has {value} contexts, the build {limit}: build with more --contexts",
    "OUTPUTS":  "the readout has {value} outputs, the build {limit}: build with more --outputs",
    "SHIFT":    "a shift is {value}, the limit is {limit}: choose a smaller one in the network",
    "SENSOR":   "the sensor is {value} pixels wide or high, the limit is {limit}: use --encode host",
    "ENCODER":  "an encoder setting is {value}, the limits are 1 to {limit}: correct the network's encoder",
    "ORDER":    "request type {value} came too early (state {limit}): start again",
    "SOURCE":   "source {value} is not one of the network's ({limit} inputs): check events and context",
    "EVENTS":   "a step has {value} events, the build holds {limit}: build with more --step-events",
    "PIXEL":    "an event has coordinate {value}, the sensor {limit} pixels that way: take a network for this sensor",
    "RESPONSE": "an answer would need {value} bytes, a frame has room for {limit}: build with more --frame-bytes",
    "FAULT":    "the accelerator's error flags are {value:#x} (register qclif_errors): report this",
    "STUCK":    "the accelerator did not finish in {limit} clocks (status {value:#x}): reset the board",
    "DECAY":    "the decay of the readout's window is {value}, the limit is {limit}: choose a smaller one",
    "WATCH":    "neuron {value} is to be watched, the network has {limit}: choose another",
}
OK = 0


def error_text(status: int, value: int, limit: int) -> str:
    """The one line for the user of an answer's status other than OK."""
    if not 1 <= status <= len(ERRORS):
        return f"the device answers with status {status}, which this host does not know: build the SoC anew"
    return "device: " + list(ERRORS.values())[status - 1].format(value=value, limit=limit)


# Sizes that both sides compute with ---------------------------------------------------------------

def raw_word_bytes(x_bits: int, y_bits: int) -> int:
    """Bytes of a raw event word of a sensor whose coordinates have so many bits (of SENSOR_LIMIT pixels at most)."""
    return RAW_NARROW_BYTES if x_bits + y_bits <= 8*RAW_NARROW_BYTES - 2 else RAW_WIDE_BYTES


def payload_bytes(config: QCLIFConfig) -> int:
    """Most bytes of a frame's payload."""
    return config.frame_bytes - OVERHEAD_BYTES


def bitmap_bytes(config: QCLIFConfig) -> int:
    """Bytes of a bitmap of the build's neurons: bit n%8 of byte n//8 is 1 where neuron n fired."""
    return -(-config.neurons//8)


def bitmap_from(config: QCLIFConfig) -> int:
    """How many neurons have to fire in a step for a bitmap of them: of fewer a list is shorter, whichever they are.

    It is varint n, then n varints, ascending neurons as differences (the first from 0), of which those from 128 on take
    a second byte.
    """
    return bitmap_bytes(config) - (config.neurons - 1)//128


def step_answer_bytes(config: QCLIFConfig) -> int:
    """Most bytes of one step's spikes, whatever fires: BITMAP and a bitmap."""
    return 1 + bitmap_bytes(config)


@dataclass(frozen=True)
class DeviceInfo:
    """What the device says of itself in the answer to HELLO.

    Attributes: `config` of the build, `protocol` and `firmware` versions, `clock_hz`, `engines` (names),
    `ram_bytes` for the CPU engine's network (0: none), `networks` (engine -> id of the verified network, 0:
    none), `previous` session (0: none since reset), `sample_open`: that session left a sample unfinished.
    """
    config:      QCLIFConfig
    protocol:    int
    firmware:    int
    clock_hz:    int
    engines:     tuple[str, ...]
    ram_bytes:   int
    networks:    dict[str, int]
    previous:    int
    sample_open: bool

    @classmethod
    def decode(cls, payload: bytes) -> "DeviceInfo":
        """From the payload of the answer.

        Raises
        ------
        QCLIFError : it is of another version of the protocol, or not of the version that it names.
        """
        if len(payload) < 2:
            raise QCLIFError(f"the device answers HELLO with {len(payload)} bytes, which name no protocol version: "
                "build the SoC anew")
        status, version = payload[:2]
        if version != PROTOCOL_VERSION:
            remedy = "build the SoC anew" if version < PROTOCOL_VERSION else \
                "take the host software that it was built with, or build the SoC anew"
            raise QCLIFError(f"the device speaks protocol version {version}, this host {PROTOCOL_VERSION}: {remedy}")
        if (status, len(payload)) != (OK, size("HELLO")):
            raise QCLIFError(f"the device answers HELLO with status {status} in {len(payload)} bytes, protocol version "
                f"{version} has status {OK} in {size('HELLO')}: build the SoC anew")
        fields = unpack("HELLO", payload)
        return cls(
            config      = QCLIFConfig(**{name: fields[name] for name in HELLO_SIZES}),
            engines     = tuple(name for name, bit in ENGINES.items() if fields["engines"] >> bit & 1),
            networks    = {name: fields[f"network_{name}"] for name in ENGINES},
            sample_open = bool(fields["sample_open"]),
            **{name: fields[name] for name in ("protocol", "firmware", "clock_hz", "ram_bytes", "previous")},
        )
