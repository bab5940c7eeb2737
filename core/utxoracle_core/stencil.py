"""The two stencils that are slid over the histogram: section 4 of the method."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

STENCIL_BINS = 803

# How often round USD amounts are paid, by stencil bin; bin 401 is $100 and 200 bins are a factor of ten.
# Figures of the UTXOracle v9.1 method by @SteveSimple (utxo.live/oracle).
SPIKE_WEIGHTS = {
    40: 0.001300198324984352,
    141: 0.001676746949820743,
    201: 0.003468805546942046,
    202: 0.001991977522512513,
    236: 0.001905066647961839,
    261: 0.003341772718156079,
    262: 0.002588902624584287,
    296: 0.002577893841190244,
    297: 0.002733728814200412,
    340: 0.003076117748975647,
    341: 0.005613067550103145,
    342: 0.003088253178535568,
    400: 0.002918457489366139,
    401: 0.006174500465286022,
    402: 0.004417068070043504,
    403: 0.002628663628020371,
    436: 0.002858828161543839,
    461: 0.004097463611984264,
    462: 0.003345917406120509,
    496: 0.002521467726855856,
    497: 0.002784125730361008,
    541: 0.003792850444811335,
    601: 0.003688240815848247,
    602: 0.002392400117402263,
    636: 0.001280993059008106,
    661: 0.001654665137536031,
    662: 0.001395501347054946,
    741: 0.001154279140906312,
    801: 0.000832244504868709,
}


def _frozen(values: list[float]) -> NDArray[np.float64]:
    result = np.array(values)
    result.flags.writeable = False
    return result


@cache
def smooth_stencil() -> NDArray[np.float64]:
    """A wide Gaussian with a slope, (803,): the general shape of a day's amounts. From scalar powers."""
    return _frozen(
        [0.00150 * 2.718281828459045 ** (-((x - 411) ** 2) / (2 * 201**2)) + 0.0000005 * x for x in range(STENCIL_BINS)]
    )


@cache
def spike_stencil() -> NDArray[np.float64]:
    """Spikes at round USD amounts, (803,)."""
    return _frozen([SPIKE_WEIGHTS.get(x, 0.0) for x in range(STENCIL_BINS)])
