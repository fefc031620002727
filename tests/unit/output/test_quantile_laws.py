from hypothesis import given
from hypothesis import strategies as st

from pdfingest.output.quantiles import Quantiles


@given(st.lists(st.floats(1, 1e12), min_size=1))
def test_a_percentile_is_right_to_within_one_percent(values: list[float]) -> None:
    quantiles = Quantiles()
    for value in values:
        quantiles.add(value)
    ordered = sorted(values)
    for fraction in (0.5, 0.95, 1.0):
        exact = ordered[max(0, -int(-fraction * len(values) // 1) - 1)]
        assert abs(quantiles.at(fraction) - exact) <= 0.0101 * exact
    assert quantiles.largest == ordered[-1]
