"""The figures of a report: how each is called, shown and averaged."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COLUMNS", "Column"]


@dataclass(frozen=True)
class Column:
    """One figure."""

    title: str
    """What people read."""
    higher_is_better: bool
    """Whether larger figures are better."""
    digits: int
    """Decimals shown."""
    factor: float = 1.0
    """What it is multiplied by when shown."""
    per_frame: bool = True
    """Whether a mean weighs clips by their frames (PSNR, SSIM, LPIPS) or counts each once (warping error, time)."""

    def show(self, value: float) -> str:
        """Return a value as text; a dash where there is none."""
        return "–" if value != value else f"{value * self.factor:.{self.digits}f}"


COLUMNS: dict[str, Column] = {
    "psnr_hole": Column("PSNR hole", True, 2),
    "psnr": Column("PSNR", True, 2),
    "ssim_hole": Column("SSIM hole", True, 4),
    "ssim": Column("SSIM-65", True, 4),
    "lpips_hole": Column("LPIPS hole", False, 4),
    "lpips": Column("LPIPS", False, 4),
    "st_lpips_hole": Column("ST-LPIPS hole", False, 4),
    "st_lpips": Column("ST-LPIPS", False, 4),
    "vfid": Column("VFID", False, 3),
    "warp_hole": Column("warp hole e-3", False, 2, 1000.0, per_frame=False),
    "warp": Column("warp e-3", False, 3, 1000.0, per_frame=False),
    "seconds": Column("s a frame", False, 3, per_frame=False),
}
"""The figures by their name in files, in the order of the tables."""
