# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a live run came to, in numbers."""

from rich.console import Console

from host.live.loop import LiveRun

# Shares of all steps whose longest lag is told.
PERCENTILES = (50, 99)


def measures(run: LiveRun, counts: dict[str, int]) -> dict[str, object]:
    """Measures of a run, as JSON takes them: steps computed, compared and different, with the right
    answer, lags in ms, losses."""
    meter = run.meter
    return {
        "steps":      meter.steps,
        "compared":   meter.compared,
        "mismatches": meter.mismatches,
        "shown":      meter.shown,
        "right":      meter.right,
        "resets":     run.device.losses,
        "lost_steps": meter.lost_steps,
        "seconds":    meter.seconds,
        "lag_ms":     {f"p{share}": meter.lag_percentile(share/100) for share in PERCENTILES},
        "link":       run.device.link,
        "source":     counts,
    }


def print_measures(found: dict[str, object], console: Console) -> None:
    """The same as lines for people."""
    lags   = ", ".join(f"{value:.0f} ms ({name[1:]} %)" for name, value in found["lag_ms"].items())
    source = found["source"]
    for name, text in (
        ("steps", f"{found['steps']} in {found['seconds']:.1f} s, {found['compared']} compared, {found['mismatches']} "
            "mismatches"),
        ("answer", f"what the source shows in {found['right']/found['shown']:.1%} of {found['shown']} steps"
            if found["shown"] else "the source does not say what it shows"),
        ("lag", f"{lags} of the steps at most"),
        ("lost", f"{source['dropped_steps']} steps dropped with {source['dropped_events']} events, "
            f"{source.get('late_events', 0)} events late, {found['lost_steps']} steps lost in {found['resets']} losses "
            "of the device"),
    ):
        console.print(f"{name:<8} {text}", highlight=False, soft_wrap=True)
