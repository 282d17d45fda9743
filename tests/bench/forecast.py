"""How often the true time is inside a forecast's interval: 200 seeds of each kind of history.

Run: python tests/bench/forecast.py [SEEDS]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from codex_nb import frames
from tests.frames.quotas import KINDS, covered


def main():
    """Print the share of each kind."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    shares = {kind: sum(covered(frames.forecast, kind, seed) for seed in range(seeds)) / seeds for kind in KINDS}
    for kind, share in shares.items():
        print(f"{kind:8} {share:6.1%}")
    print(f"{'all':8} {sum(shares.values()) / len(shares):6.1%}")


if __name__ == "__main__":
    main()
