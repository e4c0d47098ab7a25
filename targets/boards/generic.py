# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Any board of litex-boards, from its platform and its target there."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from types import ModuleType

import litex_boards.platforms
import litex_boards.targets
from litex.build.generic_platform import Subsignal

from accel.errors import QCLIFError
from targets.boards.board import Board
from targets.boards.soc import BoardSoC

# What is left where a board's clock and reset generator cannot be used.
OWN_TARGET = "write a target of your own around soc.soc.QCLIFSoC"

# What clock and reset generators call the frequency of the system's clock.
CLOCK_ARGUMENTS = {"sys_clk_freq", "clk_freq"}

# Pads of LEDs, those that are preferred first.
LEDS = ("user_led", "led", "user_led_n", "led_n", "user_ledr", "gpio_leds")

# Arguments of clock and reset generators that ask for more than the system's clock, and what they get.
CRG_ARGUMENTS = {
    "sdram_rate":       "1:1",
    "iodelay_clk_freq": 200e6,
    "x5_clk_freq":      None,
}

DEFAULT_CLOCK = 50e6

# A USB bridge of unknown make: what all of them do.
BAUDRATE = 115_200
LIMIT    = 1_000_000

# Boards -------------------------------------------------------------------------------------------

def modules() -> list[str]:
    """Names of all boards of litex-boards that have a platform and a target."""
    platforms, targets = ({module.name for module in pkgutil.iter_modules(package.__path__)} for package in
        (litex_boards.platforms, litex_boards.targets))
    return sorted(platforms & targets)


def find_module(name: str) -> str:
    """The module of a board; its vendor can be left out where that is clear.

    Raises
    ------
    QCLIFError : there is none, or there are several.
    """
    known   = modules()
    wanted  = name.lower().replace("-", "_")
    matches = [wanted] if wanted in known else [module for module in known if module.endswith(f"_{wanted}")]
    if len(matches) == 1:
        return matches[0]
    similar = matches or [module for module in known if wanted in module]
    hint    = f"did you mean {', '.join(similar)}?" if similar else "--list names all"
    raise QCLIFError(f"board {name!r} is not one of litex-boards': {hint}")


def describe(name: str) -> Board:
    """A board by the name of its module.

    Raises
    ------
    QCLIFError : it cannot have our SoC; says why.
    """
    module = find_module(name)
    title  = module.replace("_", " ")
    pins   = _import("platforms", module)
    target = _import("targets", module)
    crg    = _crg_class(title, target)
    default, default_toolchain = _platform(title, pins.Platform)
    soc       = _defaults(target.BaseSoC)
    frequency = soc.get("sys_clk_freq")
    frequency = float(frequency) if isinstance(frequency, (int, float)) else DEFAULT_CLOCK
    resources = default.constraint_manager.available
    extension = [] if _uarts(resources) else _extension(pins, target)
    # "serial", as LiteX calls it, also where there is none: the refusal tells of other ways.
    uarts     = _uarts([*resources, *extension]) or ["serial"]
    pads      = {resource[0] for resource in resources}
    leds      = next((leds for leds in LEDS if leds in pads), "")
    several   = "toolchain" in inspect.signature(pins.Platform).parameters
    clock     = CLOCK_ARGUMENTS & inspect.signature(crg).parameters.keys()
    arguments = _crg_arguments(title, crg, default_toolchain, soc)

    class BaseSoC(BoardSoC):
        def __init__(self, config, device=default.device, toolchain=default_toolchain, sys_clk_freq=frequency,
            **kwargs):
            platform = pins.Platform(**{"toolchain": toolchain} if several else {})
            platform.add_extension(extension)
            self.crg = crg(platform=platform, **dict.fromkeys(clock, sys_clk_freq), **arguments)
            BoardSoC.__init__(self, platform, sys_clk_freq, config, **kwargs)
            if leds:
                self.add_status_leds(platform.request_all(leds), active_low=leds.endswith("_n"))

    return Board(
        name          = module,
        title         = title,
        platform      = pins.Platform,
        soc           = BaseSoC,
        devices       = {default.device: default.device},
        target        = "",
        programmer    = lambda device: _programmer(default),
        uart_baudrate = BAUDRATE,
        uart_limit    = LIMIT,
        uart_name     = "serial" if "serial" in uarts else uarts[0],
    )


def _import(kind: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(f"litex_boards.{kind}.{module}")
    except ImportError as error:
        package = (error.name or "litex_boards").split(".")[0]
        raise QCLIFError(f"litex-boards' {kind[:-1]} {module} needs the Python package {package}, which is not there: "
            f"install {package}") from error


def _crg_class(title: str, target: ModuleType) -> type:
    """Clock and reset generator of litex_boards' target.

    Raises
    ------
    QCLIFError : it has none, or one that takes no frequency.
    """
    found = next((cls for name in ("_CRG", "CRG") if (cls := getattr(target, name, None)) and
        cls.__module__ == target.__name__), None)
    if found is None:
        raise QCLIFError(f"{title}: its target in litex-boards has no clock and reset generator to build on: "
            f"{OWN_TARGET}")
    if not CLOCK_ARGUMENTS & inspect.signature(found).parameters.keys():
        raise QCLIFError(f"{title}: its clock and reset generator takes no frequency, and tells none: {OWN_TARGET}")
    return found


def _platform(title: str, cls: type):
    """A platform with its default device, and the name of its toolchain."""
    try:
        platform = cls()
    except Exception as error:
        # Whatever a platform of others raises is no fault of ours.
        text = " ".join(str(error).split())
        kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
        raise QCLIFError(f"{title}: its platform cannot be made: {kind}{text}") from error
    if isinstance(default := _defaults(cls).get("toolchain"), str):
        return platform, default
    # "LatticeTrellisToolchain", "GowinToolchain" ...
    words = re.findall(r"[A-Z][a-z0-9]*", type(platform.toolchain).__name__)
    return platform, words[-2].lower() if len(words) > 1 else "vivado"


def _programmer(platform):
    try:
        return platform.create_programmer()
    except (AttributeError, NotImplementedError, TypeError):
        # Platforms of litex-boards that cannot be loaded say so in all of these ways.
        return None


def _defaults(function: Callable) -> dict[str, object]:
    """Parameters that have defaults, and these."""
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty}


def _uarts(resources: list[tuple]) -> list[str]:
    """Names of pads that are a UART's."""
    def lines(resource: tuple) -> set[str]:
        return {part.name for part in resource if isinstance(part, Subsignal)}
    return [resource[0] for resource in resources if re.search("serial|uart", resource[0]) and
        lines(resource) >= {"tx", "rx"}]


def _extension(*modules: ModuleType) -> list[tuple]:
    """Pads of a UART that litex_boards describes apart from the platform, in a list or a function of these modules."""
    for module in modules:
        for name, content in vars(module).items():
            if not re.search("serial|uart", name):
                continue
            if inspect.isfunction(content) and len(_defaults(content)) == len(inspect.signature(content).parameters):
                content = content()
            if isinstance(content, list) and _uarts(content):
                return content
    return []


def _crg_arguments(title: str, crg, toolchain: str, soc: dict[str, object]) -> dict[str, object]:
    """What a clock and reset generator gets; `soc` are the defaults of the target's SoC, which may know more."""
    known     = {**CRG_ARGUMENTS, "toolchain": toolchain}
    arguments = {}
    for name, parameter in inspect.signature(crg).parameters.items():
        if name in ("platform", *CLOCK_ARGUMENTS):
            continue
        if name in known:
            arguments[name] = known[name]
        elif name.startswith("with_") and name != "with_rst":
            arguments[name] = False
        elif parameter.default is not parameter.empty or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            continue
        elif name in soc:
            arguments[name] = soc[name]
        else:
            raise QCLIFError(f"{title}: its clock and reset generator wants {name!r}, which we do not have: "
                f"{OWN_TARGET}")
    return arguments
