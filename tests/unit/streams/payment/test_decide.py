"""Payment: the course from authorisation to capture, and every way back."""

import msgspec
import pytest

from schemas.payment import PaymentOperation, PaymentSnapshot, PaymentStatus, ProviderOutcome
from streams.kernel.flow import Decision
from streams.payment import decide
from tables.payment import PAYMENT, Goal, Payment
from tests.unit.streams.payment.samples import (
    NOW,
    ORDER,
    POLICY,
    answer,
    approve,
    authorise,
    cancelled,
    changed,
    confirmed,
    decline,
    delivered,
    events,
    fail,
    instructed,
    instructions,
    refund,
    returned,
    woken,
)
from topics.registry import (
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_FAILED,
    PAYMENT_INSTRUCT,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
)


def authorised() -> Payment:
    begun = authorise()
    return changed(approve(begun.state, instructed(begun), "auth-1"))


def captured() -> Payment:
    asked = confirmed(authorised())
    return changed(approve(asked.state, instructed(asked), "capture-1"))


def test_a_reservation_is_authorised_with_the_orders_token() -> None:
    decision = authorise()
    (out,) = decision.outputs
    instruction = instructed(decision)
    assert (out.topic, out.key, out.version) == (PAYMENT_INSTRUCT, ORDER, 0)
    assert (instruction.operation, instruction.amount, instruction.currency) == (
        PaymentOperation.AUTHORISE,
        3270,
        "GBP",
    )
    assert (instruction.payment_token, instruction.attempt, instruction.provider_reference) == (
        "tok_visa",
        1,
        None,
    )
    assert authorise(decision.state) == Decision(decision.state)


def test_an_approval_completes_the_payment_and_a_confirmation_captures_it() -> None:
    begun = authorise()
    completed = approve(begun.state, instructed(begun), "auth-1")
    assert events(completed) == [
        (PAYMENT_COMPLETED, PaymentSnapshot(PaymentStatus.AUTHORISED, 3270, "GBP", "auth-1", 1))
    ]
    assert completed.outputs[0].version == NOW + 1
    asked = confirmed(completed.state)
    capture = instructed(asked)
    assert (capture.operation, capture.provider_reference) == (PaymentOperation.CAPTURE, "auth-1")
    assert capture.idempotency_key != instructed(begun).idempotency_key
    taken = approve(asked.state, capture, "capture-1")
    assert events(taken) == [
        (PAYMENT_CAPTURED, PaymentSnapshot(PaymentStatus.CAPTURED, 3270, "GBP", "capture-1", 1))
    ]
    assert taken.outputs[0].version == NOW + 2
    assert confirmed(taken.state) == Decision(taken.state)


def test_a_decline_fails_the_payment_with_the_providers_reason() -> None:
    begun = authorise()
    decision = decline(begun.state, instructed(begun), "insufficient_funds")
    assert events(decision) == [
        (PAYMENT_FAILED, PaymentSnapshot(PaymentStatus.FAILED, 3270, "GBP", None, 1, "insufficient_funds"))
    ]
    assert cancelled(decision.state) == Decision(decision.state)
    assert events(decline(begun.state, instructed(begun), None))[0][1].reason == "declined"


def test_the_same_outcome_twice_has_one_effect() -> None:
    begun = authorise()
    completed = approve(begun.state, instructed(begun))
    assert approve(completed.state, instructed(begun)) == Decision(completed.state)
    asked = confirmed(completed.state)
    assert approve(asked.state, instructed(begun)) == Decision(asked.state)
    assert approve(None, instructed(begun)) == Decision(None)


def test_an_outage_is_waited_out_under_the_same_key() -> None:
    begun = authorise()
    waiting = fail(begun.state, instructed(begun))
    assert waiting.outputs == ()
    due = decide.due(POLICY, changed(waiting))
    assert due is not None
    assert NOW + 800 <= due <= NOW + 1_000
    assert woken(waiting.state, due - 1) == Decision(waiting.state)
    again = woken(waiting.state, due)
    first, second = instructed(begun), instructed(again)
    assert second == msgspec.structs.replace(first, attempt=2)
    assert fail(again.state, first) == Decision(again.state)
    longer = changed(fail(again.state, second, at=due))
    later = decide.due(POLICY, longer)
    assert later is not None
    assert due + 1_600 <= later <= due + 2_000
    assert fail(longer, second) == Decision(longer)
    completed = approve(longer, first)
    assert events(completed)[0][1].attempts == 2
    assert events(completed)[0][1].reason is None


def test_an_instruction_that_nobody_answers_is_given_again() -> None:
    begun = authorise()
    due = decide.due(POLICY, changed(begun))
    assert due == NOW + POLICY.answer_ms
    again = woken(begun.state, due)
    assert instructed(again).attempt == 2
    assert decide.due(POLICY, changed(again)) == due + 2 * POLICY.answer_ms


def test_a_cancelled_order_voids_its_authorisation() -> None:
    decision = cancelled(authorised())
    void = instructed(decision)
    assert (void.operation, void.provider_reference) == (PaymentOperation.VOID, "auth-1")
    undone = approve(decision.state, void, "auth-1")
    assert [topic for topic, _ in events(undone)] == [PAYMENT_VOIDED]
    assert events(undone)[0][1].status is PaymentStatus.VOIDED
    assert cancelled(undone.state) == Decision(undone.state)
    assert confirmed(undone.state) == Decision(undone.state)


def test_a_cancelled_order_refunds_its_capture() -> None:
    decision = cancelled(captured())
    back = instructed(decision)
    assert (back.operation, back.provider_reference) == (PaymentOperation.REFUND, "capture-1")
    assert events(approve(decision.state, back))[0][0] is PAYMENT_REFUNDED


def test_a_cancel_during_the_authorisation_waits_for_its_outcome() -> None:
    begun = authorise()
    waiting = cancelled(begun.state)
    assert waiting.outputs == ()
    approved = approve(waiting.state, instructed(begun), "auth-1")
    assert [topic for topic, _ in events(approved)] == [PAYMENT_COMPLETED]
    assert instructed(approved).operation is PaymentOperation.VOID
    declined = decline(waiting.state, instructed(begun))
    assert [topic for topic, _ in events(declined)] == [PAYMENT_FAILED]
    assert instructions(declined) == []


def test_an_authorisation_of_unknown_outcome_is_voided_once_when_its_order_is_cancelled() -> None:
    begun = authorise()
    unavailable_first = cancelled(changed(fail(begun.state, instructed(begun))))
    cancelled_first = fail(changed(cancelled(begun.state)), instructed(begun))
    never_answered = woken(changed(cancelled(begun.state)), NOW + POLICY.answer_ms)
    for decision in (unavailable_first, cancelled_first, never_answered):
        void = instructed(decision)
        assert (void.operation, void.attempt, void.provider_reference) == (PaymentOperation.VOID, 1, None)
        assert approve(decision.state, instructed(begun)) == Decision(decision.state)
        assert cancelled(decision.state) == Decision(decision.state)
        undone = approve(decision.state, void)
        assert events(undone)[0][0] is PAYMENT_VOIDED
        assert events(undone)[0][1].status is PaymentStatus.VOIDED


def test_a_void_is_never_given_up() -> None:
    decision = cancelled(authorised())
    void, at = instructed(decision), NOW
    for attempt in range(2, 20):
        waiting = fail(decision.state, void, at)
        due = decide.due(POLICY, changed(waiting))
        assert due is not None
        assert due <= at + POLICY.longest_retry_ms
        decision, at = woken(waiting.state, due), due
        assert instructed(decision) == msgspec.structs.replace(void, attempt=attempt)
        void = instructed(decision)


def test_a_capture_of_unknown_outcome_is_settled_by_the_providers_answer_to_the_void() -> None:
    asked = confirmed(authorised())
    decision = cancelled(changed(fail(asked.state, instructed(asked))))
    void = instructed(decision)
    assert void.operation is PaymentOperation.VOID
    assert events(approve(decision.state, void))[0][0] is PAYMENT_VOIDED
    had_been = answer(
        decision.state, void, ProviderOutcome.DECLINED, reference="capture-1", reason="already_captured"
    )
    assert [topic for topic, _ in events(had_been)] == [PAYMENT_CAPTURED]
    back = instructed(had_been)
    assert (back.operation, back.provider_reference) == (PaymentOperation.REFUND, "capture-1")


def test_a_capture_that_the_provider_refuses_fails_the_payment_and_frees_the_hold() -> None:
    asked = confirmed(authorised())
    decision = decline(asked.state, instructed(asked), "expired")
    ((topic, snapshot),) = events(decision)
    assert (topic, snapshot.status, snapshot.reason) == (
        PAYMENT_FAILED,
        PaymentStatus.FAILED,
        "capture_failed",
    )
    void = instructed(decision)
    assert void.operation is PaymentOperation.VOID
    assert cancelled(decision.state) == Decision(decision.state)
    ((topic, snapshot),) = events(approve(decision.state, void))
    assert (topic, snapshot.status, snapshot.reason) == (
        PAYMENT_VOIDED,
        PaymentStatus.VOIDED,
        "capture_failed",
    )


def test_a_void_that_the_provider_refuses_ends_the_payment() -> None:
    decision = cancelled(authorised())
    ended = decline(decision.state, instructed(decision), "unknown_authorisation")
    ((topic, snapshot),) = events(ended)
    assert (topic, snapshot.status) == (PAYMENT_FAILED, PaymentStatus.FAILED)
    assert snapshot.reason == "void_failed: unknown_authorisation"
    assert decide.due(POLICY, changed(ended)) == NOW + POLICY.retention_ms


def test_a_refused_refund_is_reported_and_asked_again_under_a_new_key() -> None:
    asked = refund(captured())
    first = instructed(asked)
    assert first.operation is PaymentOperation.REFUND
    assert refund(asked.state) == Decision(asked.state)
    refused = decline(asked.state, first, "card_closed")
    ((topic, snapshot),) = events(refused)
    assert (topic, snapshot.status) == (PAYMENT_FAILED, PaymentStatus.CAPTURED)
    assert snapshot.reason == "refund_failed: card_closed"
    again = refund(refused.state)
    second = instructed(again)
    assert second.operation is PaymentOperation.REFUND
    assert second.idempotency_key != first.idempotency_key
    back = approve(again.state, second)
    assert events(back)[0][0] is PAYMENT_REFUNDED
    assert refund(back.state) == Decision(back.state)


def test_a_refund_finishes_a_capture_that_is_still_owed() -> None:
    overtaking = refund(authorised())
    assert instructed(overtaking).operation is PaymentOperation.CAPTURE
    taken = approve(overtaking.state, instructed(overtaking), "capture-1")
    assert [topic for topic, _ in events(taken)] == [PAYMENT_CAPTURED]
    assert instructed(taken).operation is PaymentOperation.REFUND


def test_a_refund_of_an_unknown_payment_says_so() -> None:
    with pytest.raises(decide.UnknownPaymentError, match=f"payment.refund: order_id {ORDER} has no payment"):
        refund(None)


def test_a_refund_where_nothing_was_taken_says_so() -> None:
    with pytest.raises(decide.NothingToRefundError, match="nothing to refund, its payment is pending"):
        refund(changed(authorise()))


def test_a_refund_of_what_is_being_undone_asks_for_nothing_more() -> None:
    state = changed(cancelled(None))
    assert refund(state) == Decision(state)


def test_a_return_is_credited() -> None:
    begun = returned()
    credit = instructed(begun)
    assert (credit.operation, credit.amount, credit.payment_token) == (
        PaymentOperation.CREDIT,
        500,
        "tok_visa",
    )
    assert returned(begun.state) == Decision(begun.state)
    assert refund(begun.state) == Decision(begun.state)
    done = approve(begun.state, credit, "credit-1")
    assert events(done) == [
        (PAYMENT_REFUNDED, PaymentSnapshot(PaymentStatus.CREDITED, 500, "GBP", "credit-1", 1))
    ]
    assert refund(done.state) == Decision(done.state)
    assert cancelled(done.state) == Decision(done.state)


def test_a_refused_credit_stays_owed_until_a_refund_tries_again() -> None:
    begun = returned()
    refused = decline(begun.state, instructed(begun), "card_closed")
    ((topic, snapshot),) = events(refused)
    assert (topic, snapshot.status, snapshot.reason) == (
        PAYMENT_FAILED,
        PaymentStatus.FAILED,
        "credit_failed: card_closed",
    )
    assert decide.due(POLICY, changed(refused)) is None
    again = refund(refused.state)
    assert instructed(again).operation is PaymentOperation.CREDIT
    assert instructed(again).idempotency_key != instructed(begun).idempotency_key


def test_a_return_without_a_token_names_the_field() -> None:
    with pytest.raises(decide.IncompleteReturnError, match=r"order\.returned: payment_token is required"):
        returned(token=None)


def test_nobody_is_asked_for_nothing() -> None:
    begun = authorise(total=0)
    assert events(begun) == [
        (PAYMENT_COMPLETED, PaymentSnapshot(PaymentStatus.AUTHORISED, 0, "GBP", None, 0))
    ]
    taken = confirmed(begun.state)
    assert [topic for topic, _ in events(taken)] == [PAYMENT_CAPTURED]
    assert [topic for topic, _ in events(cancelled(taken.state))] == [PAYMENT_REFUNDED]
    assert [topic for topic, _ in events(cancelled(begun.state))] == [PAYMENT_VOIDED]
    assert [topic for topic, _ in events(refund(begun.state))] == [PAYMENT_CAPTURED, PAYMENT_REFUNDED]
    assert [topic for topic, _ in events(returned(total=0))] == [PAYMENT_REFUNDED]
    for decision in (begun, taken, cancelled(taken.state), cancelled(begun.state), returned(total=0)):
        assert instructions(decision) == []


@pytest.mark.parametrize("begun", [authorise(total=-1), returned(total=-1)])
def test_a_negative_amount_fails(begun: Decision[Payment]) -> None:
    ((topic, snapshot),) = events(begun)
    assert (topic, snapshot.status, snapshot.reason) == (
        PAYMENT_FAILED,
        PaymentStatus.FAILED,
        "negative_amount",
    )
    assert instructions(begun) == []


def test_an_order_cancelled_before_its_reservation_charges_nobody() -> None:
    marker = cancelled(None)
    assert marker.outputs == ()
    assert authorise(marker.state) == Decision(marker.state)
    assert decide.due(POLICY, changed(marker)) == NOW + POLICY.retention_ms


def test_delivered_means_confirmed_even_where_that_was_not_heard_yet() -> None:
    decision = delivered(authorised())
    assert instructed(decision).operation is PaymentOperation.CAPTURE
    assert confirmed(decision.state) == Decision(decision.state)
    assert delivered(decision.state, NOW + 1) == Decision(decision.state)
    assert delivered(None) == Decision(None)
    assert confirmed(None) == Decision(None)


def test_a_captured_payment_stays_until_its_refund_window_is_over() -> None:
    state = captured()
    assert decide.due(POLICY, state) is None
    assert woken(state, NOW * 2) == Decision(state)
    there = changed(delivered(state, NOW + 7))
    due = decide.due(POLICY, there)
    assert due == NOW + 7 + POLICY.refund_window_ms
    assert woken(there, due - 1) == Decision(there)
    assert woken(there, due) == Decision(None)
    assert woken(None, due) == Decision(None)


def test_an_authorised_payment_stays() -> None:
    state = authorised()
    assert state.goal is Goal.AUTHORISED
    assert decide.due(POLICY, state) is None


@pytest.mark.parametrize(
    "state", [changed(authorise()), authorised(), captured(), changed(cancelled(captured()))]
)
def test_the_state_survives_its_bytes(state: Payment) -> None:
    assert PAYMENT.decode(PAYMENT.encode(state)) == state
