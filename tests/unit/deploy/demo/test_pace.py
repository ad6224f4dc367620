from deploy.demo.replay import Pace


def test_without_a_speed_nothing_waits() -> None:
    assert Pace(None).wait_s(1_000_000, 0.0) == 0.0


def test_a_speed_is_a_multiple_of_the_real_pace() -> None:
    pace = Pace(60.0)
    assert pace.wait_s(0, 100.0) == 0.0
    assert pace.wait_s(60_000, 100.0) == 1.0
    assert pace.wait_s(120_000, 101.5) == 0.5
    assert pace.wait_s(120_000, 105.0) == 0.0


def test_an_undated_invoice_does_not_wait() -> None:
    assert Pace(1.0).wait_s(None, 0.0) == 0.0
